//! Flows with ESP, for the settings of `encryption-handling`.

use super::{informational, IKE, NAT_T};
use crate::bytes::noise;
use crate::flow::FlowDatagram;
use crate::message::{marked, MessageBuilder, PayloadBuilder};
use crate::proposal::STRONG;
use crate::registry::{INITIATOR, RESPONSE, SK};

/// The cases, which differ in the setting alone.
pub(super) fn cases() -> Vec<(&'static str, Vec<FlowDatagram>)> {
    ["encryption-track-only", "encryption-bypass", "encryption-bypass-inline", "encryption-full"]
        .into_iter()
        .map(|case| (case, [liveness_checks(), tunnel(), attack()].concat()))
        .collect()
}

/// What rules look for in messages, in ESP, and in what only looks like ESP.
const IN_MESSAGE: &[u8; 16] = b"canary message..";
const IN_ESP: &[u8; 16] = b"canary esp......";
const IN_ATTACK: &[u8; 16] = b"canary attack...";

/// The port of DNS, to which no honest peer speaks IKE.
const DNS: u16 = 53;

/// The client's port of the tunnel.
const TRANSLATED: u16 = 10_000;

/// A request or a response of a liveness check. All of them belong to one SA.
fn check(message_id: u32, flags: u8) -> Vec<u8> {
    let body = [&IN_MESSAGE[..], &noise(message_id, 48)].concat();
    let message = informational(vec![PayloadBuilder::new(SK, body)]);
    MessageBuilder { flags, message_id, ..message }.build()
}

/// Enough messages for the plugin to be certain of where Suricata keeps payloads.
fn liveness_checks() -> Vec<FlowDatagram> {
    let both = |number| {
        let request = FlowDatagram::to_server(IKE, check(number, INITIATOR));
        [request, FlowDatagram::to_server(IKE, check(number, RESPONSE)).by_server()]
    };
    (0..10).flat_map(both).collect()
}

fn esp(spi: u8, sequence: u32, content: &[u8]) -> Vec<u8> {
    let noise = noise(u32::from(spi) << 16 | sequence, 76);
    [&[0xc0, 0, 0, spi][..], &sequence.to_be_bytes(), content, &noise].concat()
}

/// ESP both ways behind a liveness check, with messages, a keepalive and a new SPI between.
fn tunnel() -> Vec<FlowDatagram> {
    let datagram =
        |to_server, data| FlowDatagram::from_port(TRANSLATED, NAT_T, data).directed(to_server);
    let message =
        |to_server, message_id, flags| datagram(to_server, marked(&check(message_id, flags)));
    let pairs = |spi: u8, numbers: core::ops::Range<u32>| -> Vec<_> {
        let both = |number| {
            [
                datagram(true, esp(spi, number, IN_ESP)),
                datagram(false, esp(spi + 1, number, IN_ESP)),
            ]
        };
        numbers.flat_map(both).collect()
    };
    [
        vec![message(true, 10, INITIATOR), message(false, 10, RESPONSE)],
        pairs(1, 1..31),
        vec![message(true, 11, INITIATOR), datagram(true, vec![0xff])],
        pairs(1, 31..41),
        pairs(3, 1..11),
        vec![message(false, 11, RESPONSE)],
        pairs(3, 11..16),
        vec![message(true, 12, INITIATOR)],
        pairs(3, 16..18),
    ]
    .concat()
}

/// A sender that begins as IKE from its port 4500 does, and then attacks a server of DNS.
fn attack() -> Vec<FlowDatagram> {
    let datagram = |data| FlowDatagram::from_port(NAT_T, DNS, data);
    let offer = datagram(marked(&MessageBuilder::offer(&STRONG).build()));
    let attacks = (1..=3).map(|number| datagram(esp(9, number, IN_ATTACK)));
    [offer].into_iter().chain(attacks).collect()
}
