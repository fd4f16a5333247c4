//! Messages for unit tests.

use super::{Direction, Message, Transport};
use crate::policy::Policy;

/// Decodes the message of a datagram that a client sent to port 500.
pub(crate) fn decode(datagram: &[u8]) -> Message {
    let policy = Policy::standard();
    Message::decode(datagram, 0, Direction::ToServer, Transport::Udp500, policy)
}
