//! Which peers are behind a NAT. The NAT_DETECTION hashes of IKE_SA_INIT are compared with the
//! addresses of the packet ([RFC 7296, section
//! 2.23](https://www.rfc-editor.org/rfc/rfc7296#section-2.23)).
//!
//! # What an observer can know
//!
//! Each peer sends a hash of its own address (NAT_DETECTION_SOURCE_IP) and a hash of the
//! address that it sends to (NAT_DETECTION_DESTINATION_IP). The peers compare these hashes
//! with the packets that they receive. An observer compares them with the packets that it
//! sees. The hash that reveals a NAT therefore depends on the position of the observer:
//!
//! ```text
//!   initiator ───(A)─── observer ───(B)─── responder
//!
//!   a NAT of the initiator at A   the source hash of the request differs
//!                          at B   the destination hash of the response differs
//!   a NAT of the responder at A   the destination hash of the request differs
//!                          at B   the source hash of the response differs
//! ```
//!
//! A peer reads the address for the destination hash in a packet or in its configuration. It
//! has no reason to send a wrong one, so a destination hash that differs means a NAT.
//!
//! A source hash that differs means a NAT, or the peer forces NAT traversal. A peer that wants
//! ESP in UDP sends a source hash that cannot match, so that the other end believes in a NAT.
//!
//! - libreswan (`encapsulation=yes`) uses its address with port 0. This is recognized as
//!   forced, see [`HashCheck::Impossible`].
//! - strongSwan (`encap=yes`, `kernel-libipsec`) uses a random IPv4 address, which it chooses
//!   when it starts, with port 0. An observer that does not know this address cannot
//!   distinguish it from the private address of a peer behind a NAT.
//!
//! Therefore a source hash that differs counts as a NAT in two cases: if it is the only source
//! hash that differs, or if there is further evidence. Further evidence is a source port that
//! IKE does not use (a NAT changes ports), or keepalives. A peer sends keepalives if the hash
//! of the other end shows that it is behind a NAT (RFC 3948, section 2.3), even if it forces
//! NAT traversal itself. If the source hashes of both ends differ, those without further
//! evidence count as forced.
//!
//! These cases stay wrong or unknown:
//!
//! - If one end forces NAT traversal with a random address and the other end does not, the
//!   result is a NAT.
//! - Two NATs that keep port 500, with the observer between them, are [`Nat::Forced`] until
//!   the first keepalives.
//! - If only one direction was captured, or a peer sends no hashes, the result is
//!   [`Nat::Unknown`].

use core::net::IpAddr;

use sha1::block_api::compress;

use super::Endpoint;
use crate::message::Message;
use crate::named::named;
use crate::wire::registry::{ExchangeType, NotifyType};
use crate::wire::{Header, NotifyData};

/// A SHA-1 hash from a NAT_DETECTION notify.
type Hash = [u8; 20];

/// The ports that IKE uses by default (RFC 7296, section 2; G-IKEv2 in RFC 9838).
const IKE_PORTS: [u16; 3] = [500, 848, 4500];

named! {
    /// Which peers are behind a NAT.
    #[derive(Default)]
    pub enum Nat: str {
        /// Not both directions were captured, or the peers do not detect NAT.
        #[default]
        Unknown = "unknown",
        /// No peer.
        None = "none",
        /// The initiator.
        Initiator = "initiator",
        /// The responder.
        Responder = "responder",
        /// Both peers.
        Both = "both",
        /// No peer, as far as is known. A peer forces NAT traversal to get ESP in UDP.
        Forced = "forced",
    }
}

/// The result of comparing the hashes of one kind with the addresses of their packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashCheck {
    /// The message has no such hash.
    #[default]
    Absent,
    /// One of the hashes matches the address and port. A peer that does not know which of its
    /// addresses a packet will have sends a hash for each of them.
    Fits,
    /// No hash matches.
    Differs,
    /// No hash matches, and one is of an address that no peer can have: port 0, the
    /// unspecified address, or zeros instead of a hash. A NAT does not cause these.
    Impossible,
}

/// What one message shows about NATs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatObservation {
    /// Whether the message is a response.
    pub response: bool,
    /// The hash of the sender's own address.
    pub source: HashCheck,
    /// The hash of the address that the sender sends to.
    pub destination: HashCheck,
    /// Whether the receiver's port is a default port of IKE and the sender's port is not.
    pub moved_port: bool,
}

/// Compares the NAT_DETECTION hashes of a message with the addresses of its packet. None for a
/// message without them. They are only unencrypted in the exchanges that begin an SA.
pub fn assess(message: &Message, from: &Endpoint, to: &Endpoint) -> Option<NatObservation> {
    let header = message.header.filter(|header| {
        matches!(header.exchange_type, ExchangeType::IKE_SA_INIT | ExchangeType::IKE_SESSION_RESUME)
    })?;
    let source = check_source(message, &header, from);
    let destination = check_destination(message, &header, to);
    if source == HashCheck::Absent && destination == HashCheck::Absent {
        return None;
    }
    let moved_port = !IKE_PORTS.contains(&from.port) && IKE_PORTS.contains(&to.port);
    Some(NatObservation { response: header.flags.response(), source, destination, moved_port })
}

fn check_source(message: &Message, header: &Header, from: &Endpoint) -> HashCheck {
    let has =
        |hash: &Hash| hashes(message, NotifyType::NAT_DETECTION_SOURCE_IP).any(|it| it == hash);
    if hashes(message, NotifyType::NAT_DETECTION_SOURCE_IP).next().is_none() {
        HashCheck::Absent
    } else if has(&hash(header, from.address, from.port)) {
        HashCheck::Fits
    } else if has(&[0; 20]) || impossible(from).any(|(it, port)| has(&hash(header, it, port))) {
        HashCheck::Impossible
    } else {
        HashCheck::Differs
    }
}

fn check_destination(message: &Message, header: &Header, to: &Endpoint) -> HashCheck {
    let mut hashes = hashes(message, NotifyType::NAT_DETECTION_DESTINATION_IP).peekable();
    if hashes.peek().is_none() {
        return HashCheck::Absent;
    }
    let expected = hash(header, to.address, to.port);
    if hashes.any(|hash| *hash == expected) {
        HashCheck::Fits
    } else {
        HashCheck::Differs
    }
}

/// Addresses and ports that no peer can have. A peer that sends their hash forces NAT
/// traversal.
fn impossible(from: &Endpoint) -> impl Iterator<Item = (IpAddr, u16)> {
    let unspecified = match from.address {
        IpAddr::V4(_) => IpAddr::from([0; 4]),
        IpAddr::V6(_) => IpAddr::from([0; 16]),
    };
    [(from.address, 0), (unspecified, from.port), (unspecified, 0)].into_iter()
}

fn hashes(message: &Message, kind: NotifyType) -> impl Iterator<Item = &Hash> {
    let of_kind = message.notifies().filter(move |notify| notify.kind == kind);
    of_kind.filter_map(|notify| match notify.known() {
        Ok(NotifyData::NatDetection(hash)) => Some(hash),
        _ => None,
    })
}

/// SHA-1 of both SPIs, the address and the port (RFC 7296, section 2.23). In a first request
/// the responder's SPI is zero.
fn hash(header: &Header, address: IpAddr, port: u16) -> Hash {
    let mut block = Block::default();
    block.add(&header.init_spi);
    block.add(&header.resp_spi);
    match address {
        IpAddr::V4(address) => block.add(&address.octets()),
        IpAddr::V6(address) => block.add(&address.octets()),
    }
    block.add(&port.to_be_bytes());
    block.sha1()
}

/// A short text that SHA-1 hashes as a single block: without a buffer for more, this takes a
/// third less time.
struct Block {
    bytes: [u8; 64],
    length: usize,
}

impl Default for Block {
    fn default() -> Self {
        Self { bytes: [0; 64], length: 0 }
    }
}

impl Block {
    /// The end of the text and its length need nine bytes.
    const ROOM: usize = 64 - 9;

    /// Adds bytes to the text. There must be room.
    #[inline(always)]
    fn add<const N: usize>(&mut self, part: &[u8; N]) {
        if let Some(place) = self.bytes[..Self::ROOM].get_mut(self.length..self.length + N) {
            place.copy_from_slice(part);
            self.length += N;
        }
    }

    /// The hash (FIPS 180-4, 5.1.1 and 6.1).
    fn sha1(mut self) -> Hash {
        self.bytes[self.length] = 0x80;
        self.bytes[56..].copy_from_slice(&(8 * self.length as u64).to_be_bytes());
        let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        compress(&mut state, &[self.bytes]);
        let mut hash = Hash::default();
        for (place, word) in hash.chunks_exact_mut(4).zip(state) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        hash
    }
}

/// What all messages of an SA show about NATs, and which peers sent keepalives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatEvidence {
    request: Option<NatObservation>,
    response: Option<NatObservation>,
    initiator_keepalive: bool,
    responder_keepalive: bool,
}

impl NatEvidence {
    /// Adds a message. It replaces an earlier one of the same direction, because the peers use
    /// the last one.
    pub fn add(&mut self, observed: NatObservation) {
        if observed.response {
            self.response = Some(observed);
        } else {
            self.request = Some(observed);
        }
    }

    /// Adds that a peer sent a NAT keepalive (RFC 3948, section 2.3) in a flow of the SA.
    pub fn add_keepalive(&mut self, from_initiator: bool) {
        if from_initiator {
            self.initiator_keepalive = true;
        } else {
            self.responder_keepalive = true;
        }
    }

    /// Adds what another record of the same SA has, where this one has nothing.
    pub fn merge(&mut self, other: Self) {
        self.request = self.request.or(other.request);
        self.response = self.response.or(other.response);
        self.initiator_keepalive |= other.initiator_keepalive;
        self.responder_keepalive |= other.responder_keepalive;
    }

    /// Which peers are behind a NAT.
    pub fn nat(&self) -> Nat {
        let (Some(request), Some(response)) = (self.request, self.response) else {
            return Nat::Unknown;
        };
        let both_differ =
            request.source == HashCheck::Differs && response.source == HashCheck::Differs;
        let initiator = PeerEvidence {
            source: request.source,
            destination: response.destination,
            supported: request.moved_port || self.initiator_keepalive,
        };
        let responder = PeerEvidence {
            source: response.source,
            destination: request.destination,
            supported: response.moved_port || self.responder_keepalive,
        };
        match (initiator.is_translated(both_differ), responder.is_translated(both_differ)) {
            (true, true) => Nat::Both,
            (true, false) => Nat::Initiator,
            (false, true) => Nat::Responder,
            (false, false) if initiator.is_honest() && responder.is_honest() => Nat::None,
            (false, false) => Nat::Forced,
        }
    }
}

/// The evidence for a NAT in front of one peer.
struct PeerEvidence {
    /// The peer's own hash of its address.
    source: HashCheck,
    /// The other peer's hash of this address.
    destination: HashCheck,
    /// Whether there is evidence besides the hashes.
    supported: bool,
}

impl PeerEvidence {
    fn is_translated(&self, both_differ: bool) -> bool {
        let by_source = self.source == HashCheck::Differs && (self.supported || !both_differ);
        by_source || self.destination == HashCheck::Differs
    }

    fn is_honest(&self) -> bool {
        matches!(self.source, HashCheck::Absent | HashCheck::Fits)
    }
}

#[cfg(test)]
mod tests {
    use sha1::{Digest, Sha1};

    use super::*;
    use crate::message::testing;
    use crate::wire::registry::PayloadType;
    use crate::wire::testing::{notify_body, MessageBuilder, INIT_SPI, RESP_SPI};

    const PRIVATE: Endpoint = Endpoint { address: ip(10), port: 500 };
    const OUTSIDE: Endpoint = Endpoint { address: ip(1), port: 500 };
    const SERVER: Endpoint = Endpoint { address: ip(20), port: 500 };
    const NOWHERE: Endpoint = Endpoint { address: ip(99), port: 0 };

    const fn ip(last: u8) -> IpAddr {
        IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, last))
    }

    fn hash_of(resp_spi: [u8; 8], end: Endpoint) -> Vec<u8> {
        let IpAddr::V4(address) = end.address else { panic!("IPv4") };
        let bytes = [&INIT_SPI[..], &resp_spi, &address.octets(), &end.port.to_be_bytes()].concat();
        Sha1::digest(bytes).to_vec()
    }

    fn message(response: bool, sources: &[Endpoint], destination: Option<Endpoint>) -> Message {
        let exchange = ExchangeType::IKE_SA_INIT;
        let (mut message, resp_spi) = if response {
            (MessageBuilder::response(exchange), RESP_SPI)
        } else {
            (MessageBuilder::request(exchange), [0; 8])
        };
        for (kind, end) in sources
            .iter()
            .map(|end| (NotifyType::NAT_DETECTION_SOURCE_IP, end))
            .chain(destination.iter().map(|end| (NotifyType::NAT_DETECTION_DESTINATION_IP, end)))
        {
            let body = notify_body(kind, &hash_of(resp_spi, *end));
            message = message.payload(PayloadType::NOTIFY, body);
        }
        decode(&message)
    }

    fn decode(message: &MessageBuilder) -> Message {
        testing::decode(&message.build())
    }

    /// The evidence of an observer that sees `left` and `right` as the ends. The hashes are of
    /// the initiator's own address, of its peer's, of the responder's own and of its peer's.
    fn evidence(left: Endpoint, right: Endpoint, hashes: [Endpoint; 4]) -> NatEvidence {
        let mut evidence = NatEvidence::default();
        let request = message(false, &hashes[..1], Some(hashes[1]));
        evidence.add(assess(&request, &left, &right).unwrap());
        assert_eq!(evidence.nat(), Nat::Unknown);
        let response = message(true, &hashes[2..3], Some(hashes[3]));
        evidence.add(assess(&response, &right, &left).unwrap());
        evidence
    }

    #[test]
    fn a_block_has_the_hash_of_its_text() {
        let (mut short, mut long) = (Block::default(), Block::default());
        short.add(b"abc");
        assert_eq!(short.sha1()[..], Sha1::digest("abc")[..]);
        long.add(&[7; Block::ROOM]);
        long.add(&[7; 1]);
        assert_eq!(long.sha1()[..], Sha1::digest([7; Block::ROOM])[..]);
    }

    #[test]
    fn the_hash_is_the_one_that_a_peer_sent() {
        // From the first two messages of tests/capture/pcap/esp-port-500.pcap.
        let init_spi = 0xf7c1_87db_79ff_7c35_u64.to_be_bytes();
        let of = |resp_spi: u64, last, first_bytes: [u8; 4]| {
            let message = MessageBuilder::request(ExchangeType::IKE_SA_INIT).header(|header| {
                (header.init_spi, header.resp_spi) = (init_spi, resp_spi.to_be_bytes());
            });
            let hash = hash(&decode(&message).header.unwrap(), ip(last), 500);
            assert_eq!(hash[..4], first_bytes);
        };
        of(0, 10, [0xff, 0xac, 0xd7, 0xa8]);
        of(0, 20, [0x2e, 0x83, 0x7f, 0x8b]);
        of(0x0c45_0ef2_bf14_c9f3, 20, [0x4a, 0xf0, 0x84, 0xef]);
        of(0x0c45_0ef2_bf14_c9f3, 10, [0x87, 0x83, 0x5f, 0xf4]);
    }

    #[test]
    fn parts_seen_apart_come_together() {
        let whole = evidence(OUTSIDE, SERVER, [PRIVATE, SERVER, SERVER, OUTSIDE]);
        let mut request = NatEvidence { response: None, ..whole };
        assert_eq!(request.nat(), Nat::Unknown);
        request.merge(NatEvidence { request: None, ..whole });
        assert_eq!(request, whole);
    }

    #[test]
    fn hashes_that_fit_are_no_nat() {
        let seen = evidence(OUTSIDE, SERVER, [OUTSIDE, SERVER, SERVER, OUTSIDE]);
        assert_eq!(seen.nat(), Nat::None);
    }

    #[test]
    fn a_nat_is_seen_from_both_sides_of_it() {
        let hashes = [PRIVATE, SERVER, SERVER, OUTSIDE];
        assert_eq!(evidence(OUTSIDE, SERVER, hashes).nat(), Nat::Initiator);
        assert_eq!(evidence(PRIVATE, SERVER, hashes).nat(), Nat::Initiator);
        let hashes = [SERVER, OUTSIDE, PRIVATE, SERVER];
        assert_eq!(evidence(SERVER, OUTSIDE, hashes).nat(), Nat::Responder);
        assert_eq!(evidence(SERVER, PRIVATE, hashes).nat(), Nat::Responder);
    }

    #[test]
    fn a_hash_of_port_zero_or_of_no_address_is_forced() {
        let port = Endpoint { port: 0, ..OUTSIDE };
        let any = Endpoint { address: IpAddr::from([0; 4]), ..OUTSIDE };
        for made in [port, any, Endpoint { port: 0, ..any }] {
            let seen = evidence(OUTSIDE, SERVER, [made, SERVER, SERVER, OUTSIDE]);
            assert_eq!(seen.nat(), Nat::Forced, "{made:?}");
        }
        let zeros = notify_body(NotifyType::NAT_DETECTION_SOURCE_IP, &[0; 20]);
        let request = MessageBuilder::request(ExchangeType::IKE_SA_INIT);
        let request = decode(&request.payload(PayloadType::NOTIFY, zeros));
        assert_eq!(assess(&request, &OUTSIDE, &SERVER).unwrap().source, HashCheck::Impossible);
    }

    #[test]
    fn a_made_hash_does_not_hide_a_nat_behind_the_observer() {
        let made = Endpoint { port: 0, ..PRIVATE };
        let seen = evidence(PRIVATE, SERVER, [made, SERVER, SERVER, OUTSIDE]);
        assert_eq!(seen.nat(), Nat::Initiator);
    }

    #[test]
    fn two_source_hashes_that_differ_are_forced_until_more_speaks_for_a_nat() {
        let hashes = [PRIVATE, SERVER, NOWHERE, OUTSIDE];
        let mut seen = evidence(OUTSIDE, SERVER, hashes);
        assert_eq!(seen.nat(), Nat::Forced);
        seen.add_keepalive(true);
        assert_eq!(seen.nat(), Nat::Initiator);
        seen.add_keepalive(false);
        assert_eq!(seen.nat(), Nat::Both);
        let outside = Endpoint { port: 49535, ..OUTSIDE };
        let seen = evidence(outside, SERVER, [PRIVATE, SERVER, NOWHERE, outside]);
        assert_eq!(seen.nat(), Nat::Initiator);
    }

    #[test]
    fn ports_of_ones_own_at_both_ends_speak_for_nothing() {
        let (left, right) =
            (Endpoint { port: 39952, ..OUTSIDE }, Endpoint { port: 5500, ..SERVER });
        let seen = evidence(left, right, [NOWHERE, right, NOWHERE, left]);
        assert_eq!(seen.nat(), Nat::Forced);
    }

    #[test]
    fn keepalives_alone_are_no_nat() {
        let mut seen = evidence(OUTSIDE, SERVER, [OUTSIDE, SERVER, SERVER, OUTSIDE]);
        seen.add_keepalive(true);
        assert_eq!(seen.nat(), Nat::None);
    }

    #[test]
    fn one_of_several_source_hashes_is_enough() {
        let request = message(false, &[NOWHERE, OUTSIDE, PRIVATE], None);
        let observed = assess(&request, &OUTSIDE, &SERVER).unwrap();
        assert_eq!((observed.source, observed.destination), (HashCheck::Fits, HashCheck::Absent));
    }

    #[test]
    fn messages_without_hashes_and_other_exchanges_show_nothing() {
        assert_eq!(assess(&message(false, &[], None), &OUTSIDE, &SERVER), None);
        let hash = notify_body(NotifyType::NAT_DETECTION_SOURCE_IP, &[1; 20]);
        let other = MessageBuilder::request(ExchangeType::INFORMATIONAL);
        let other = decode(&other.payload(PayloadType::NOTIFY, hash));
        assert_eq!(assess(&other, &OUTSIDE, &SERVER), None);
        let short = notify_body(NotifyType::NAT_DETECTION_SOURCE_IP, &[1; 19]);
        let short =
            MessageBuilder::request(ExchangeType::IKE_SA_INIT).payload(PayloadType::NOTIFY, short);
        assert_eq!(assess(&decode(&short), &OUTSIDE, &SERVER), None);
    }

    #[test]
    fn names_are_distinct() {
        let mut names = Nat::ALL.iter().map(|nat| nat.name()).collect::<Vec<_>>();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
