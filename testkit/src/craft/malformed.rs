//! Messages and datagrams that no peer would send, made byte by byte.

use super::{esp, good, informational, IKE, NAT_T, OTHER};
use crate::bytes::noise;
use crate::flow::FlowDatagram;
use crate::message::{marked, MessageBuilder, PayloadBuilder, FLAGS, HEADER, LENGTH, VERSION};
use crate::proposal::{
    strong_but, ProposalBuilder, Transform, AES_CBC_256, ECP_256, HMAC_SHA2_256, MODP_2048,
    PRF_SHA2_256, STRONG,
};
use crate::registry::{
    FOR_AH, FOR_ESP, INITIAL_CONTACT, INITIATOR, KE, SK, UNASSIGNED_PAYLOAD, VENDOR_ID,
};

/// The cases with their datagrams.
pub(super) fn cases() -> Vec<(&'static str, Vec<FlowDatagram>)> {
    vec![
        ("damaged-first", damaged_first()),
        ("detection-ports", damaged_elsewhere()),
        ("esp-in-claimed-flows", esp_in_claimed_flows()),
        ("events-malformed", malformed()),
        ("events-proposals", proposals()),
        ("garbage", garbage()),
        ("keepalive-then-message", keepalive_then_message()),
        ("noise-first", noise_first()),
        ("requests-both-ways", requests_both_ways()),
        ("truncated", truncated()),
    ]
}

/// The offsets of fields in [`good`] and other messages.
const FIRST_PROPOSAL: usize = HEADER + 4;
const TRANSFORM_COUNT: usize = FIRST_PROPOSAL + 7;
const FIRST_TRANSFORM: usize = FIRST_PROPOSAL + 8;

/// A good message, then one for each way to be malformed.
fn malformed() -> Vec<FlowDatagram> {
    let with = |offset: usize, byte: u8| {
        let mut bytes = good();
        bytes[offset] = byte;
        bytes
    };
    let notify = PayloadBuilder::notify(INITIAL_CONTACT, &[]);
    let many = |count, payload: PayloadBuilder| informational(vec![payload; count]).build();
    let messages = vec![
        good(),
        good()[..20].to_vec(),
        with(LENGTH + 1, 1),
        [good(), vec![0; 3]].concat(),
        informational(vec![PayloadBuilder::new(KE, [0, 19])]).build(),
        informational(vec![PayloadBuilder::critical(UNASSIGNED_PAYLOAD, [1, 2, 3])]).build(),
        informational(vec![encrypted(), notify.clone()]).build(),
        with(FIRST_TRANSFORM + 3, 7),
        with(TRANSFORM_COUNT, 5),
        many(257, PayloadBuilder::new(VENDOR_ID, [7])),
        numbered(65, &STRONG),
        numbered(5, &[PRF_SHA2_256; 255]),
        many(129, notify),
        with(VERSION, 0x30),
        with(VERSION, 0x10),
    ];
    messages.into_iter().map(|message| FlowDatagram::to_server(IKE, message)).collect()
}

/// An offer of the same transforms in each of many proposals.
fn numbered(count: u8, transforms: &[Transform]) -> Vec<u8> {
    let proposal = |number| ProposalBuilder { number, ..ProposalBuilder::for_ike(transforms) };
    MessageBuilder::sa_init(&(1..=count).map(proposal).collect::<Vec<_>>()).build()
}

/// For each event about proposals an offer that raises it; among them a good one
/// for ESP, and as an answer the choice of two proposals.
fn proposals() -> Vec<FlowDatagram> {
    let ike = ProposalBuilder::for_ike;
    let replaced = |place, transform| ike(&strong_but(place, transform));
    let ah = ProposalBuilder { protocol: FOR_AH, ..ike(&[HMAC_SHA2_256, ECP_256]) };
    let spi = vec![0xca, 0xfe, 0xd0, 0x0d];
    let esp = ProposalBuilder { protocol: FOR_ESP, spi, ..ike(&[AES_CBC_256, HMAC_SHA2_256]) };
    let offers = [
        ike(&STRONG),
        replaced(0, (1, 3, None)),
        replaced(1, (2, 1, None)),
        replaced(2, (3, 1, None)),
        replaced(3, (4, 2, None)),
        ike(&STRONG[..3]),
        ike(&[AES_CBC_256, PRF_SHA2_256, ECP_256]),
        ah,
        replaced(0, (1, 12, Some(64))),
        replaced(0, (1, 12, None)),
        esp,
        replaced(1, (2, 0, None)),
        replaced(0, (1, 60_000, None)),
        replaced(0, (60, 1, None)),
    ];
    let sent = |offer| FlowDatagram::to_server(IKE, MessageBuilder::sa_init(&[offer]).build());
    let offers = offers.map(sent);
    let two = [ike(&STRONG), ProposalBuilder { number: 2, ..replaced(3, MODP_2048) }];
    let answer = MessageBuilder::sa_init(&two).answered().build();
    let answer = FlowDatagram::to_server(IKE, answer).by_server();
    offers.into_iter().chain([answer]).collect()
}

/// What comes on IKE's ports and is none, each from a port of its own, and in
/// the end an IKE message.
fn garbage() -> Vec<FlowDatagram> {
    let mut all = Vec::new();
    for (seed, length) in (0..).zip([0, 1, 2, 4, 8, 17, 18, 27, 28, 29, 60, 100, 512, 1400]) {
        all.push(noise(seed, length));
        all.push(vec![0; length]);
        all.push(vec![0xff; length + 2]);
    }
    let mut datagrams = Vec::new();
    for (port, data) in (10_000..).zip(all) {
        datagrams.push(FlowDatagram::from_port(port, IKE, data.clone()));
        datagrams.push(FlowDatagram::from_port(port, NAT_T, data));
    }
    // As much of a message as a probe might be content with, on another port.
    for (port, length) in (11_000..).zip([18, 27, 28, 31]) {
        datagrams.push(FlowDatagram::from_port(port, OTHER, good()[..length].to_vec()));
        datagrams.push(FlowDatagram::from_port(port, OTHER, marked(&good()[..length])));
    }
    datagrams.push(FlowDatagram::from_port(20_000, IKE, good()));
    datagrams
}

/// Damaged messages on IKE's ports, each the first of a flow and with a good one
/// behind it.
fn damaged_first() -> Vec<FlowDatagram> {
    let mut flags = good();
    flags[FLAGS] = 0xff;
    let damaged = [
        (IKE, good()[..100].to_vec()),
        (IKE, [good(), noise(5, 40)].concat()),
        (IKE, [&good()[..HEADER], &noise(6, 156)].concat()),
        (IKE, flags),
        (NAT_T, marked(&good()[..100])),
    ];
    let behind = |port| if port == NAT_T { marked(&good()) } else { good() };
    let flow = |(client_port, (port, data))| {
        [data, behind(port)].map(|data| FlowDatagram::from_port(client_port, port, data))
    };
    (10_000..).zip(damaged).flat_map(flow).collect()
}

/// A damaged message, the first of a flow, and a good one, on another port.
fn damaged_elsewhere() -> Vec<FlowDatagram> {
    let messages = [good()[..100].to_vec(), good()];
    messages.map(|data| FlowDatagram::from_port(10_000, OTHER, data)).into()
}

/// A flow on 4500 that begins with a keepalive, with a message right behind it.
fn keepalive_then_message() -> Vec<FlowDatagram> {
    let message = informational(vec![PayloadBuilder::new(SK, noise(7, 48))]).build();
    [vec![0xff], marked(&message)].map(|data| FlowDatagram::to_server(NAT_T, data)).into()
}

/// ESP in flows that a protocol has already: IKEv2 by a message and by a
/// keepalive, and SIP.
fn esp_in_claimed_flows() -> Vec<FlowDatagram> {
    let sip = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\nCall-ID: 1\r\n\r\n".to_vec();
    let marked = marked(&good());
    let mut datagrams = Vec::new();
    for (client_port, first) in [(1001, marked), (1002, vec![0xff]), (1003, sip)] {
        let datagram =
            |to_server, data| FlowDatagram::from_port(client_port, NAT_T, data).directed(to_server);
        datagrams.extend([
            datagram(true, first.clone()),
            datagram(false, esp(1, 7)),
            datagram(true, esp(2, 70_000)),
            datagram(false, esp(1, 8)),
            datagram(true, esp(2, 70_001)),
            datagram(true, first),
        ]);
    }
    datagrams
}

/// A request of the client, then one of the gateway; and a flow that begins with
/// an initiator's SPI of zero.
fn requests_both_ways() -> Vec<FlowDatagram> {
    let request = |flags| {
        let message = informational(vec![encrypted()]);
        marked(&MessageBuilder { flags, ..message }.build())
    };
    let mut null_spi = good();
    null_spi[..8].fill(0);
    vec![
        FlowDatagram::to_server(NAT_T, request(INITIATOR)),
        FlowDatagram::to_server(NAT_T, request(0)).by_server(),
        FlowDatagram::to_server(IKE, null_spi),
    ]
}

/// Ten datagrams of noise, then a message, on both of IKE's ports.
fn noise_first() -> Vec<FlowDatagram> {
    let marked = marked(&good());
    let mut datagrams = Vec::new();
    for (port, message) in [(IKE, good()), (NAT_T, marked)] {
        // Beginning with a byte that makes no version of IKE.
        let noise = (1..=10).map(|seed| [vec![0xee; 20], noise(seed, 40)].concat());
        datagrams.extend(noise.map(|data| FlowDatagram::to_server(port, data)));
        datagrams.push(FlowDatagram::to_server(port, message));
    }
    datagrams
}

/// A message, then all its beginnings, on port 500 and behind a marker on 4500.
fn truncated() -> Vec<FlowDatagram> {
    let marked = marked(&good());
    let cut = |port, message: &[u8]| {
        let whole = FlowDatagram::to_server(port, message.to_vec());
        let parts = (1..message.len()).map(|end| message[..end].to_vec());
        let parts: Vec<_> = parts.map(|part| FlowDatagram::to_server(port, part)).collect();
        [whole].into_iter().chain(parts).collect::<Vec<_>>()
    };
    cut(IKE, &good()).into_iter().chain(cut(NAT_T, &marked)).collect()
}

fn encrypted() -> PayloadBuilder {
    PayloadBuilder::new(SK, noise(3, 48))
}
