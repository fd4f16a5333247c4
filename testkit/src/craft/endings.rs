//! SAs that end without a message, beside one that goes on.

use crate::flow::{Flow, FlowDatagram};
use crate::message::{MessageBuilder, PayloadBuilder};
use crate::proposal::STRONG;
use crate::registry::{IDI, IDR, IKE_AUTH, INFORMATIONAL};

/// The cases with their datagrams.
pub(super) fn cases() -> Vec<(&'static str, Vec<FlowDatagram>)> {
    vec![("sa-record-without-message", without_message())]
}

/// The number of liveness checks, one a minute. The time of a thread is that of the earliest of
/// its last messages, so it takes some messages until the others are over for certain.
const CHECKS: u32 = 30;

/// A request that nobody answers, one whose answer is the last message, and an SA that is
/// silent after its handshake. Then the liveness checks of another SA.
fn without_message() -> Vec<FlowDatagram> {
    let offer = MessageBuilder::offer(&STRONG);
    let choice = MessageBuilder::choice(&STRONG);
    let auth = |first, length| {
        let payload = PayloadBuilder::encrypted(first, length);
        MessageBuilder { message_id: 1, ..MessageBuilder::later(IKE_AUTH, vec![payload]) }
    };
    let request = |sa, message: &MessageBuilder| Flow::IKE.request(message.build()).of_sa(sa);
    let response = |sa, message: &MessageBuilder| Flow::IKE.response(message.build()).of_sa(sa);
    let mut datagrams = vec![
        request(1, &offer),
        request(2, &offer),
        response(2, &choice),
        request(3, &offer),
        response(3, &choice),
        request(3, &auth(IDI, 200)),
        response(3, &auth(IDR, 180).answered()),
    ];
    for message_id in 5..5 + CHECKS {
        let payload = PayloadBuilder::encrypted(0, 48);
        let check = MessageBuilder::later(INFORMATIONAL, vec![payload]);
        let check = MessageBuilder { message_id, ..check };
        datagrams.push(Flow::NAT_T.request(check.build()).of_sa(4).after(60));
        datagrams.push(Flow::NAT_T.response(check.answered().build()).of_sa(4));
    }
    datagrams
}
