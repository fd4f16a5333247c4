//! Captures that no peer would send, made byte by byte.
//!
//! Every byte follows from this file, so a committed capture can be compared
//! with what is made here; [`crate::crafted_captures_are_as_made`] does, and
//! with `CRAFT=1` in the environment writes them.

#[path = "craft_flows.rs"]
mod flows;

use std::time::Duration;

use etherparse::PacketBuilder;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::Endianness;

/// 2024-01-01 00:00:00 UTC, when every capture begins.
const BEGIN: Duration = Duration::from_secs(1_704_067_200);

/// Addresses for documentation (RFC 5737).
const CLIENT: [u8; 4] = [192, 0, 2, 10];
const SERVER: [u8; 4] = [192, 0, 2, 20];

const IKE: u16 = 500;
const NAT_T: u16 = 4500;
const OTHER: u16 = 1234;

/// The cases with a crafted capture, and what the capture is.
pub(crate) fn captures() -> Vec<(&'static str, Vec<u8>)> {
    [
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
    .into_iter()
    .chain(flows::cases())
    .map(|(case, datagrams)| (case, file(&datagrams)))
    .collect()
}

/// A UDP datagram between client and server.
struct Datagram {
    to_server: bool,
    client_port: u16,
    server_port: u16,
    data: Vec<u8>,
    /// When it is captured, after the beginning; without it a millisecond after the last.
    at: Option<Duration>,
}

impl Datagram {
    fn to_server(server_port: u16, data: Vec<u8>) -> Self {
        Self::from_port(server_port, server_port, data)
    }

    fn from_port(client_port: u16, server_port: u16, data: Vec<u8>) -> Self {
        Self { to_server: true, client_port, server_port, data, at: None }
    }

    fn frame(&self) -> Vec<u8> {
        let (client, server) = ([2, 0, 0, 0, 0, 10], [2, 0, 0, 0, 0, 20]);
        let mut frame = Vec::new();
        let (packet, ports) = if self.to_server {
            let packet = PacketBuilder::ethernet2(client, server).ipv4(CLIENT, SERVER, 64);
            (packet, (self.client_port, self.server_port))
        } else {
            let packet = PacketBuilder::ethernet2(server, client).ipv4(SERVER, CLIENT, 64);
            (packet, (self.server_port, self.client_port))
        };
        let packet = packet.udp(ports.0, ports.1);
        packet.write(&mut frame, &self.data).expect("a datagram fits in a frame");
        frame
    }
}

fn file(datagrams: &[Datagram]) -> Vec<u8> {
    let header = PcapHeader { endianness: Endianness::Little, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(Vec::new(), header).expect("memory can be written");
    for (number, datagram) in (0..).zip(datagrams) {
        let frame = datagram.frame();
        let length = u32::try_from(frame.len()).expect("a frame is small");
        let after = datagram.at.unwrap_or(Duration::from_millis(number));
        let packet = PcapPacket::new(BEGIN + after, length, &frame);
        writer.write_packet(&packet).expect("memory can be written");
    }
    writer.into_writer()
}

/// An IKE message: header fields and payloads as type, critical bit and body.
struct Message {
    resp_spi: [u8; 8],
    exchange: u8,
    flags: u8,
    payloads: Vec<(u8, bool, Vec<u8>)>,
}

const SA_INIT: u8 = 34;
const INFORMATIONAL: u8 = 37;
const INITIATOR: u8 = 0x08;
const RESPONSE: u8 = 0x20;
const INIT_SPI: [u8; 8] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
const RESP_SPI: [u8; 8] = [0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00];

const SA: u8 = 33;
const KE: u8 = 34;
const NONCE: u8 = 40;
const NOTIFY: u8 = 41;
const VENDOR_ID: u8 = 43;
const SK: u8 = 46;
const UNASSIGNED: u8 = 200;

impl Message {
    fn sa_init(proposals: &[Vec<u8>]) -> Self {
        let payloads = vec![(SA, false, sa(proposals)), ke(), nonce()];
        Self { resp_spi: [0; 8], exchange: SA_INIT, flags: INITIATOR, payloads }
    }

    fn response(proposals: &[Vec<u8>]) -> Self {
        Self { resp_spi: RESP_SPI, flags: RESPONSE, ..Self::sa_init(proposals) }
    }

    fn informational(payloads: Vec<(u8, bool, Vec<u8>)>) -> Self {
        Self { resp_spi: RESP_SPI, exchange: INFORMATIONAL, flags: INITIATOR, payloads }
    }

    fn bytes(&self) -> Vec<u8> {
        let first = self.payloads.first().map_or(0, |(kind, ..)| *kind);
        let chain = self.chain();
        let length = u32::try_from(28 + chain.len()).expect("a message is small");
        let mut bytes = [INIT_SPI, self.resp_spi].concat();
        bytes.extend([first, 0x20, self.exchange, self.flags, 0, 0, 0, 0]);
        bytes.extend(length.to_be_bytes());
        bytes.extend(chain);
        bytes
    }

    fn chain(&self) -> Vec<u8> {
        let mut chain = Vec::new();
        for (place, (_, critical, body)) in self.payloads.iter().enumerate() {
            let next = self.payloads.get(place + 1).map_or(0, |(kind, ..)| *kind);
            chain.extend([next, u8::from(*critical) << 7]);
            chain.extend(short(4 + body.len()));
            chain.extend(body);
        }
        chain
    }
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("a length field has 16 bits").to_be_bytes()
}

/// Bytes that look random and are always the same for a seed.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// A key of group 19.
fn ke() -> (u8, bool, Vec<u8>) {
    (KE, false, [vec![0, 19, 0, 0], noise(1, 64)].concat())
}

fn nonce() -> (u8, bool, Vec<u8>) {
    (NONCE, false, noise(2, 32))
}

/// A notify about no SA.
fn notify(kind: u16) -> (u8, bool, Vec<u8>) {
    (NOTIFY, false, [[0, 0], kind.to_be_bytes()].concat())
}

/// The body of an SA payload; the proposals get their Last Substruc fields.
fn sa(proposals: &[Vec<u8>]) -> Vec<u8> {
    let mut body = proposals.concat();
    let mut start = 0;
    for proposal in proposals.iter().take(proposals.len().saturating_sub(1)) {
        body[start] = 2;
        start += proposal.len();
    }
    body
}

const FOR_IKE: u8 = 1;
const FOR_AH: u8 = 2;
const FOR_ESP: u8 = 3;

/// A transform as type, ID and key length in bits.
type Transform = (u8, u16, Option<u16>);

const AES_CBC_256: Transform = (1, 12, Some(256));
const SHA2_256: Transform = (2, 5, None);
const HMAC_SHA2_256: Transform = (3, 12, None);
const ECP_256: Transform = (4, 19, None);
const MODP_2048: Transform = (4, 14, None);
const STRONG: [Transform; 4] = [AES_CBC_256, SHA2_256, HMAC_SHA2_256, ECP_256];

fn proposal(number: u8, protocol: u8, spi: &[u8], transforms: &[Transform]) -> Vec<u8> {
    let mut body = Vec::new();
    for (place, (kind, id, key_length)) in transforms.iter().enumerate() {
        let attribute =
            key_length.map_or(vec![], |bits| [0x800e_u16, bits].map(u16::to_be_bytes).concat());
        let more = if place + 1 < transforms.len() { 3 } else { 0 };
        body.extend([more, 0]);
        body.extend(short(8 + attribute.len()));
        body.extend([*kind, 0]);
        body.extend(id.to_be_bytes());
        body.extend(attribute);
    }
    let size = |length| u8::try_from(length).expect("the field has 8 bits");
    let mut proposal = vec![0, 0];
    proposal.extend(short(8 + spi.len() + body.len()));
    proposal.extend([number, protocol, size(spi.len()), size(transforms.len())]);
    proposal.extend(spi);
    proposal.extend(body);
    proposal
}

/// What a peer could have sent.
fn good() -> Vec<u8> {
    Message::sa_init(&[proposal(1, FOR_IKE, &[], &STRONG)]).bytes()
}

/// The offsets of fields in [`good`] and other messages.
const VERSION: usize = 17;
const FLAGS: usize = 19;
const LENGTH: usize = 24;
const FIRST_PROPOSAL: usize = 28 + 4;
const TRANSFORM_COUNT: usize = FIRST_PROPOSAL + 7;
const FIRST_TRANSFORM: usize = FIRST_PROPOSAL + 8;

/// A good message, then one for each way to be malformed.
fn malformed() -> Vec<Datagram> {
    let with = |offset: usize, byte: u8| {
        let mut bytes = good();
        bytes[offset] = byte;
        bytes
    };
    let many = |count, payload: fn() -> (u8, bool, Vec<u8>)| {
        Message::informational((0..count).map(|_| payload()).collect()).bytes()
    };
    let messages = vec![
        good(),
        good()[..20].to_vec(),
        with(LENGTH + 1, 1),
        [good(), vec![0; 3]].concat(),
        Message::informational(vec![(KE, false, vec![0, 19])]).bytes(),
        Message::informational(vec![(UNASSIGNED, true, vec![1, 2, 3])]).bytes(),
        Message::informational(vec![(SK, false, noise(3, 48)), notify(16384)]).bytes(),
        with(FIRST_TRANSFORM + 3, 7),
        with(TRANSFORM_COUNT, 5),
        many(257, || (VENDOR_ID, false, vec![7])),
        numbered(65, &STRONG),
        numbered(5, &[SHA2_256; 255]),
        many(129, || notify(16384)),
        with(VERSION, 0x30),
        with(VERSION, 0x10),
    ];
    messages.into_iter().map(|message| Datagram::to_server(IKE, message)).collect()
}

/// An offer of the same transforms in each of many proposals.
fn numbered(count: u8, transforms: &[Transform]) -> Vec<u8> {
    let proposals: Vec<_> = (1..=count).map(|n| proposal(n, FOR_IKE, &[], transforms)).collect();
    Message::sa_init(&proposals).bytes()
}

/// For each event about proposals an offer that raises it; among them a good one
/// for ESP, and as an answer the choice of two proposals.
fn proposals() -> Vec<Datagram> {
    let replaced = |place: usize, transform| {
        let mut transforms = STRONG;
        transforms[place] = transform;
        proposal(1, FOR_IKE, &[], &transforms)
    };
    let offers = [
        proposal(1, FOR_IKE, &[], &STRONG),
        replaced(0, (1, 3, None)),
        replaced(1, (2, 1, None)),
        replaced(2, (3, 1, None)),
        replaced(3, (4, 2, None)),
        proposal(1, FOR_IKE, &[], &STRONG[..3]),
        proposal(1, FOR_IKE, &[], &[AES_CBC_256, SHA2_256, ECP_256]),
        proposal(1, FOR_AH, &[], &[HMAC_SHA2_256, ECP_256]),
        replaced(0, (1, 12, Some(64))),
        replaced(0, (1, 12, None)),
        proposal(1, FOR_ESP, &[0xca, 0xfe, 0xd0, 0x0d], &[AES_CBC_256, HMAC_SHA2_256]),
        replaced(1, (2, 0, None)),
        replaced(0, (1, 60_000, None)),
        replaced(0, (60, 1, None)),
    ];
    let offers = offers.map(|offer| Datagram::to_server(IKE, Message::sa_init(&[offer]).bytes()));
    let two = [
        proposal(1, FOR_IKE, &[], &STRONG),
        proposal(2, FOR_IKE, &[], &[AES_CBC_256, SHA2_256, HMAC_SHA2_256, MODP_2048]),
    ];
    let answer = Message::response(&two).bytes();
    let answer = Datagram { to_server: false, ..Datagram::to_server(IKE, answer) };
    offers.into_iter().chain([answer]).collect()
}

/// What comes on IKE's ports and is none, each from a port of its own, and in
/// the end an IKE message.
fn garbage() -> Vec<Datagram> {
    let mut all = Vec::new();
    for (seed, length) in (0..).zip([0, 1, 2, 4, 8, 17, 18, 27, 28, 29, 60, 100, 512, 1400]) {
        all.push(noise(seed, length));
        all.push(vec![0; length]);
        all.push(vec![0xff; length + 2]);
    }
    let mut datagrams = Vec::new();
    for (port, data) in (10_000..).zip(all) {
        datagrams.push(Datagram::from_port(port, IKE, data.clone()));
        datagrams.push(Datagram::from_port(port, NAT_T, data));
    }
    // As much of a message as a probe might be content with, on another port.
    for (port, length) in (11_000..).zip([18, 27, 28, 31]) {
        datagrams.push(Datagram::from_port(port, OTHER, good()[..length].to_vec()));
        datagrams.push(Datagram::from_port(port, OTHER, [&[0; 4], &good()[..length]].concat()));
    }
    datagrams.push(Datagram::from_port(20_000, IKE, good()));
    datagrams
}

/// Damaged messages on IKE's ports, each the first of a flow and with a good one
/// behind it.
fn damaged_first() -> Vec<Datagram> {
    let mut flags = good();
    flags[FLAGS] = 0xff;
    let damaged = [
        (IKE, good()[..100].to_vec()),
        (IKE, [good(), noise(5, 40)].concat()),
        (IKE, [&good()[..28], &noise(6, 156)].concat()),
        (IKE, flags),
        (NAT_T, [&[0; 4], &good()[..100]].concat()),
    ];
    let behind = |port| if port == NAT_T { [vec![0; 4], good()].concat() } else { good() };
    let flow = |(client_port, (port, data))| {
        [data, behind(port)].map(|data| Datagram::from_port(client_port, port, data))
    };
    (10_000..).zip(damaged).flat_map(flow).collect()
}

/// A damaged message, the first of a flow, and a good one, on another port.
fn damaged_elsewhere() -> Vec<Datagram> {
    let messages = [good()[..100].to_vec(), good()];
    messages.map(|data| Datagram::from_port(10_000, OTHER, data)).into()
}

/// A flow on 4500 that begins with a keepalive, with a message right behind it.
fn keepalive_then_message() -> Vec<Datagram> {
    let message = Message::informational(vec![(SK, false, noise(7, 48))]).bytes();
    let marked = [vec![0; 4], message].concat();
    [vec![0xff], marked].map(|data| Datagram::to_server(NAT_T, data)).into()
}

/// ESP in flows that a protocol has already: IKEv2 by a message and by a
/// keepalive, and SIP.
fn esp_in_claimed_flows() -> Vec<Datagram> {
    let sip = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\nCall-ID: 1\r\n\r\n".to_vec();
    let marked = [vec![0; 4], good()].concat();
    let mut datagrams = Vec::new();
    for (client_port, first) in [(1001, marked), (1002, vec![0xff]), (1003, sip)] {
        let datagram = |to_server, data| Datagram {
            to_server,
            ..Datagram::from_port(client_port, NAT_T, data)
        };
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

fn esp(spi: u8, sequence: u32) -> Vec<u8> {
    let sequence = sequence.to_be_bytes();
    [&[0xc0, 0, 0, spi][..], &sequence, &noise(sequence[3].into(), 92)].concat()
}

/// A request of the client, then one of the gateway; and a flow that begins with
/// an initiator's SPI of zero.
fn requests_both_ways() -> Vec<Datagram> {
    let request = |flags| {
        let message = Message::informational(vec![(SK, false, noise(3, 48))]);
        [vec![0; 4], Message { flags, ..message }.bytes()].concat()
    };
    let mut null_spi = good();
    null_spi[..8].fill(0);
    vec![
        Datagram::to_server(NAT_T, request(INITIATOR)),
        Datagram { to_server: false, ..Datagram::to_server(NAT_T, request(0)) },
        Datagram::to_server(IKE, null_spi),
    ]
}

/// Ten datagrams of noise, then a message, on both of IKE's ports.
fn noise_first() -> Vec<Datagram> {
    let marked = [vec![0; 4], good()].concat();
    let mut datagrams = Vec::new();
    for (port, message) in [(IKE, good()), (NAT_T, marked)] {
        // Beginning with a byte that makes no version of IKE.
        let noise = (1..=10).map(|seed| [vec![0xee; 20], noise(seed, 40)].concat());
        datagrams.extend(noise.map(|data| Datagram::to_server(port, data)));
        datagrams.push(Datagram::to_server(port, message));
    }
    datagrams
}

/// A message, then all its beginnings, on port 500 and behind a marker on 4500.
fn truncated() -> Vec<Datagram> {
    let marked = [vec![0; 4], good()].concat();
    let cut = |port, message: &[u8]| {
        let whole = Datagram::to_server(port, message.to_vec());
        let parts = (1..message.len()).map(|end| message[..end].to_vec());
        let parts: Vec<_> = parts.map(|part| Datagram::to_server(port, part)).collect();
        [whole].into_iter().chain(parts).collect::<Vec<_>>()
    };
    cut(IKE, &good()).into_iter().chain(cut(NAT_T, &marked)).collect()
}
