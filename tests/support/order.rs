//! What may differ when threads come to the messages of an SA in another order.

/// Events that only the order of messages makes, or that any of its messages may tell.
pub(crate) const EVENTS: &[&str] = &[
    "auth_twice",
    "downgrade_peers",
    "message_id_gap",
    "out_of_order_exchange",
    "response_without_request",
    "retransmission",
];
