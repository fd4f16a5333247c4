//! Messages, flows and captures, built field by field.
//!
//! Nothing here keeps anyone from building nonsense: every field can be set to what
//! no peer would send. Every byte follows from the caller, so a capture is the same
//! at every run.

use std::net::Ipv4Addr;
use std::time::Duration;

use etherparse::PacketBuilder;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::Endianness;

/// 2024-01-01 00:00:00 UTC, when every capture begins.
const BEGIN: Duration = Duration::from_secs(1_704_067_200);
/// What lies between two datagrams, unless they say otherwise.
const PAUSE: Duration = Duration::from_millis(1);

pub(crate) const SA_INIT: u8 = 34;
pub(crate) const IKE_AUTH: u8 = 35;
pub(crate) const CREATE_CHILD_SA: u8 = 36;
pub(crate) const INFORMATIONAL: u8 = 37;

pub(crate) const INITIATOR: u8 = 0x08;
pub(crate) const RESPONSE: u8 = 0x20;

pub(crate) const SA: u8 = 33;
pub(crate) const KE: u8 = 34;
pub(crate) const IDI: u8 = 35;
pub(crate) const IDR: u8 = 36;
pub(crate) const NONCE: u8 = 40;
pub(crate) const NOTIFY: u8 = 41;
pub(crate) const DELETE: u8 = 42;
pub(crate) const VENDOR_ID: u8 = 43;
pub(crate) const SK: u8 = 46;
pub(crate) const SKF: u8 = 53;

pub(crate) const FOR_IKE: u8 = 1;
pub(crate) const FOR_AH: u8 = 2;

/// The offset of the header's Length, in bytes from the message's beginning.
pub(crate) const LENGTH: usize = 24;
/// The size of the header.
pub(crate) const HEADER: usize = 28;

const INIT_SPI: [u8; 8] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
const RESP_SPI: [u8; 8] = [0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00];

/// A payload without its generic header, which follows from the chain.
#[derive(Clone)]
pub(crate) struct Payload {
    pub(crate) kind: u8,
    pub(crate) critical: bool,
    /// What the last payload names as the next one: the first inside, of SK and SKF.
    pub(crate) inner: u8,
    pub(crate) body: Vec<u8>,
}

impl Payload {
    pub(crate) fn new(kind: u8, body: impl Into<Vec<u8>>) -> Self {
        Self { kind, critical: false, inner: 0, body: body.into() }
    }

    /// The key exchange of a method.
    pub(crate) fn ke(method: u16, data: impl AsRef<[u8]>) -> Self {
        Self::new(KE, [&method.to_be_bytes(), &[0, 0][..], data.as_ref()].concat())
    }

    /// A notify about no SA.
    pub(crate) fn notify(kind: u16, data: &[u8]) -> Self {
        Self::new(NOTIFY, [&[0, 0], &kind.to_be_bytes()[..], data].concat())
    }

    /// A fragment with 48 bytes inside.
    pub(crate) fn fragment(number: u16, total: u16) -> Self {
        Self::fragment_of(number, total, &noise(4, 48))
    }

    /// A fragment with these bytes, initialization vector to checksum.
    pub(crate) fn fragment_of(number: u16, total: u16, contents: &[u8]) -> Self {
        let numbers = [number, total].map(u16::to_be_bytes).concat();
        Self::new(SKF, [&numbers, contents].concat())
    }

    /// An encrypted payload of this length that begins with this payload.
    pub(crate) fn encrypted(inner: u8, length: usize) -> Self {
        Self { inner, ..Self::new(SK, noise(3, length)) }
    }
}

/// An IKE message.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) init_spi: [u8; 8],
    pub(crate) resp_spi: [u8; 8],
    pub(crate) version: u8,
    pub(crate) exchange: u8,
    pub(crate) flags: u8,
    pub(crate) message_id: u32,
    pub(crate) payloads: Vec<Payload>,
}

impl Message {
    /// A first request with one proposal for IKE.
    pub(crate) fn request(transforms: &[Transform]) -> Self {
        Self::of_sa(&[Proposal::for_ike(transforms)])
    }

    /// The answer to a first request, with one proposal for IKE.
    pub(crate) fn response(transforms: &[Transform]) -> Self {
        Self::request(transforms).answered()
    }

    /// A first request: these proposals, a key of group 19 and a nonce.
    pub(crate) fn of_sa(proposals: &[Proposal]) -> Self {
        let payloads = vec![
            Payload::new(SA, security_association(proposals)),
            Payload::ke(19, noise(1, 64)),
            Payload::new(NONCE, noise(2, 32)),
        ];
        Self {
            init_spi: INIT_SPI,
            resp_spi: [0; 8],
            version: 0x20,
            exchange: SA_INIT,
            flags: INITIATOR,
            message_id: 0,
            payloads,
        }
    }

    /// A request of a later exchange, with these payloads.
    pub(crate) fn later(exchange: u8, payloads: Vec<Payload>) -> Self {
        let message_id = 1;
        Self { exchange, resp_spi: RESP_SPI, message_id, payloads, ..Self::of_sa(&[]) }
    }

    /// The message as a responder's.
    pub(crate) fn answered(self) -> Self {
        Self { resp_spi: RESP_SPI, flags: RESPONSE, ..self }
    }

    /// The message with a payload more, behind the others.
    pub(crate) fn with(mut self, payload: Payload) -> Self {
        self.payloads.push(payload);
        self
    }

    /// The message with a payload in the place of the one of its type.
    pub(crate) fn replacing(mut self, payload: Payload) -> Self {
        let place = self.payloads.iter().position(|other| other.kind == payload.kind);
        self.payloads[place.expect("a payload of the type")] = payload;
        self
    }

    /// The message with one byte changed.
    pub(crate) fn patched(&self, offset: usize, byte: u8) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes[offset] = byte;
        bytes
    }

    /// The message on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let first = self.payloads.first().map_or(0, |payload| payload.kind);
        let chain = self.chain();
        let length = u32::try_from(HEADER + chain.len()).expect("a message is small");
        let mut bytes = [self.init_spi, self.resp_spi].concat();
        bytes.extend([first, self.version, self.exchange, self.flags]);
        bytes.extend(self.message_id.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(chain);
        bytes
    }

    fn chain(&self) -> Vec<u8> {
        let mut chain = Vec::new();
        for (place, payload) in self.payloads.iter().enumerate() {
            let next = self.payloads.get(place + 1).map_or(payload.inner, |next| next.kind);
            chain.extend([next, u8::from(payload.critical) << 7]);
            chain.extend(short(4 + payload.body.len()));
            chain.extend(&payload.body);
        }
        chain
    }
}

/// A transform as type, ID and key length in bits.
pub(crate) type Transform = (u8, u16, Option<u16>);

/// A proposal; its Last Substruc field follows from its place.
#[derive(Clone)]
pub(crate) struct Proposal {
    pub(crate) number: u8,
    pub(crate) protocol: u8,
    pub(crate) transforms: Vec<Transform>,
}

impl Proposal {
    pub(crate) fn for_ike(transforms: &[Transform]) -> Self {
        Self { number: 1, protocol: FOR_IKE, transforms: transforms.to_vec() }
    }

    fn bytes(&self, more: bool) -> Vec<u8> {
        let transforms: Vec<_> =
            (0..self.transforms.len()).flat_map(|n| self.transform(n)).collect();
        let count = u8::try_from(self.transforms.len()).expect("the field has 8 bits");
        let mut bytes = vec![u8::from(more) * 2, 0];
        bytes.extend(short(8 + transforms.len()));
        bytes.extend([self.number, self.protocol, 0, count]);
        bytes.extend(transforms);
        bytes
    }

    fn transform(&self, place: usize) -> Vec<u8> {
        let (kind, id, key_length) = self.transforms[place];
        let attribute = key_length.map(|bits| [0x800e, bits].map(u16::to_be_bytes).concat());
        let attribute = attribute.unwrap_or_default();
        let more = place + 1 < self.transforms.len();
        let mut bytes = vec![u8::from(more) * 3, 0];
        bytes.extend(short(8 + attribute.len()));
        bytes.extend([kind, 0]);
        bytes.extend(id.to_be_bytes());
        bytes.extend(attribute);
        bytes
    }
}

fn security_association(proposals: &[Proposal]) -> Vec<u8> {
    let last = proposals.len().saturating_sub(1);
    proposals.iter().enumerate().flat_map(|(place, one)| one.bytes(place < last)).collect()
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("a length field has 16 bits").to_be_bytes()
}

/// Bytes that look random and are always the same for a seed.
pub(crate) fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// The ports of a flow, and whether its messages stand behind a non-ESP marker.
#[derive(Clone, Copy)]
pub(crate) struct Flow {
    pub(crate) client_port: u16,
    pub(crate) server_port: u16,
    pub(crate) marker: bool,
}

impl Flow {
    /// IKE on its first port.
    pub(crate) const IKE: Self = Self { client_port: 500, server_port: 500, marker: false };
    /// IKE on the port of NAT traversal.
    pub(crate) const NAT_T: Self = Self { client_port: 4500, server_port: 4500, marker: true };
    /// IKE on ports that are nobody's.
    pub(crate) const OTHER: Self = Self { client_port: 40_000, server_port: 5_555, marker: false };

    /// A datagram with a message from the client.
    pub(crate) fn request(self, message: impl AsRef<[u8]>) -> Datagram {
        self.datagram(true, message.as_ref())
    }

    /// A datagram with a message from the server.
    pub(crate) fn response(self, message: impl AsRef<[u8]>) -> Datagram {
        self.datagram(false, message.as_ref())
    }

    /// ESP from the client or from the server; `length` counts from the SPI on.
    pub(crate) fn esp(self, to_server: bool, spi: u32, length: usize) -> Datagram {
        let mut data = [&spi.to_be_bytes(), &noise(spi, length)[..]].concat();
        data.truncate(length);
        Datagram { data, ..self.datagram(to_server, &[]) }
    }

    fn datagram(self, to_server: bool, message: &[u8]) -> Datagram {
        let marker: &[u8] = if self.marker { &[0; 4] } else { &[] };
        let data = [marker, message].concat();
        Datagram { flow: self, to_server, pause: PAUSE, data }
    }
}

/// A UDP datagram between client and server, whose addresses come later.
#[derive(Clone)]
pub(crate) struct Datagram {
    flow: Flow,
    to_server: bool,
    /// The time since the datagram before.
    pause: Duration,
    data: Vec<u8>,
}

impl Datagram {
    /// The datagram that many seconds after the one before.
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { pause: Duration::from_secs(seconds), ..self }
    }

    /// A datagram on the same way as this one, with another message.
    #[allow(dead_code)] // Only the rules are tried in flows that somebody else has begun.
    pub(crate) fn carrying(&self, message: impl AsRef<[u8]>) -> Self {
        let marker: &[u8] = if self.flow.marker { &[0; 4] } else { &[] };
        Self { pause: PAUSE, data: [marker, message.as_ref()].concat(), ..self.clone() }
    }

    /// Whether both are of one flow.
    #[allow(dead_code)] // As above.
    pub(crate) fn is_of_flow_of(&self, other: &Self) -> bool {
        let ports = |one: &Self| (one.flow.client_port, one.flow.server_port);
        ports(self) == ports(other)
    }

    /// The datagram half a second after the one before: a timer's, where one that comes at
    /// once would be a copy that a tap makes.
    pub(crate) fn timed(self) -> Self {
        Self { pause: Duration::from_millis(500), ..self }
    }

    /// The datagram as one of another SA: SPIs that are not zero are changed by a number.
    pub(crate) fn of_sa(mut self, number: u8) -> Self {
        let start = if self.flow.marker { 4 } else { 0 };
        let spis = self.data.get_mut(start..start + 16).unwrap_or_default();
        for spi in spis.chunks_exact_mut(8).filter(|spi| spi.iter().any(|byte| *byte != 0)) {
            spi[0] ^= number;
        }
        self
    }

    fn frame(&self, client: Ipv4Addr, server: Ipv4Addr) -> Vec<u8> {
        let Flow { client_port, server_port, .. } = self.flow;
        let mut addresses = [client, server].map(|address| address.octets());
        let mut ports = [client_port, server_port];
        if !self.to_server {
            addresses.reverse();
            ports.reverse();
        }
        let mac = |address: [u8; 4]| [2, 0, 0, address[1], address[2], address[3]];
        let mut frame = Vec::new();
        PacketBuilder::ethernet2(mac(addresses[0]), mac(addresses[1]))
            .ipv4(addresses[0], addresses[1], 64)
            .udp(ports[0], ports[1])
            .write(&mut frame, &self.data)
            .expect("a datagram fits in a frame");
        frame
    }
}

/// One capture of several conversations, which differ in the third byte of their
/// addresses (of those for benchmarks, RFC 2544).
pub(crate) fn capture(conversations: &[&[Datagram]]) -> Vec<u8> {
    let header = PcapHeader { endianness: Endianness::Little, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(Vec::new(), header).expect("memory can be written");
    let mut time = BEGIN.saturating_sub(PAUSE);
    for (number, datagrams) in (0..=u8::MAX).zip(conversations) {
        let [client, server] = [1, 2].map(|host| Ipv4Addr::new(198, 18, number, host));
        for datagram in *datagrams {
            time += datagram.pause;
            let frame = datagram.frame(client, server);
            let length = u32::try_from(frame.len()).expect("a frame is small");
            writer.write_packet(&PcapPacket::new(time, length, &frame)).expect("memory");
        }
    }
    writer.into_writer()
}

/// The number of the conversation that an address of [`capture`] belongs to.
pub(crate) fn conversation(address: &str) -> Option<usize> {
    let address: Ipv4Addr = address.parse().ok()?;
    let [198, 18, number, _] = address.octets() else { return None };
    Some(number.into())
}
