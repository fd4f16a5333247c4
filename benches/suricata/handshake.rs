//! A real handshake, and copies of it between other peers.

use std::ops::Range;

use sha1::{Digest, Sha1};
use suricata_ikev2::wire::{Notify, NotifyType, PayloadType, RawMessage};
use testkit::capture::{datagrams_of, frame, End};
use testkit::message::marked;

use crate::shuffle::shuffle;

/// IKE_SA_INIT and IKE_AUTH.
pub(crate) const MESSAGES: usize = 4;

/// An IPv4 address and a UDP port.
type Address = ([u8; 4], u16);

/// The four messages of a handshake.
pub(crate) struct Handshake {
    messages: Vec<Template>,
    /// Whether each copy offers the transforms in another order.
    shuffled: bool,
}

struct Template {
    /// The message, without the non-ESP marker.
    bytes: Vec<u8>,
    /// Where it has hashes of NAT detection: of the sender's or of the receiver's end.
    hashes: Vec<(usize, NotifyType)>,
    /// Where its SA payload is.
    offer: Option<Range<usize>>,
}

impl Handshake {
    /// Reads it from one of the project's captures.
    pub(crate) fn of(capture: &str) -> Self {
        let datagrams = datagrams_of(capture).into_iter().take(MESSAGES);
        let messages: Vec<_> =
            datagrams.map(|datagram| Template::of(datagram.unmarked())).collect();
        assert_eq!(messages.len(), MESSAGES, "{capture}");
        Self { messages, shuffled: false }
    }

    /// The same with copies that each make an offer of their own: no SA payload of a request
    /// comes twice.
    pub(crate) fn shuffled(self) -> Self {
        Self { shuffled: true, ..self }
    }

    /// The frames of a copy between these peers, in their order.
    pub(crate) fn frames<'a>(&'a self, peers: &'a Peers) -> impl Iterator<Item = Vec<u8>> + 'a {
        self.messages.iter().enumerate().map(|(place, template)| {
            let is_request = place % 2 == 0;
            let floated = peers.nat && place >= 2;
            let mut payload = template.copy(peers, is_request, floated);
            if let (true, true, Some(offer)) = (self.shuffled, is_request, &template.offer) {
                shuffle(&mut payload[offer.clone()], peers.number);
            }
            peers.frame(is_request, floated, &payload)
        })
    }
}

impl Template {
    fn of(bytes: &[u8]) -> Self {
        let message = RawMessage::parse(bytes).expect("a message");
        let notifies = message.payloads().flatten().filter(|it| it.kind == PayloadType::NOTIFY);
        let notifies = notifies.filter_map(|it| Notify::parse(it.body, it.body_offset()).ok());
        let of_nat = |kind| {
            let kinds =
                [NotifyType::NAT_DETECTION_SOURCE_IP, NotifyType::NAT_DETECTION_DESTINATION_IP];
            kinds.contains(&kind)
        };
        let hashes = notifies.filter(|notify| of_nat(notify.kind));
        let hashes = hashes.map(|notify| (notify.data_offset as usize, notify.kind)).collect();
        let sa = message.payloads().flatten().find(|it| it.kind == PayloadType::SA);
        let offer =
            sa.map(|it| it.body_offset() as usize..it.body_offset() as usize + it.body.len());
        Self { bytes: bytes.to_vec(), hashes, offer }
    }

    fn copy(&self, peers: &Peers, is_request: bool, floated: bool) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let [init_spi, resp_spi] = peers.spis();
        bytes[..8].copy_from_slice(&init_spi);
        if bytes[8..16] != [0; 8] {
            bytes[8..16].copy_from_slice(&resp_spi);
        }
        for (offset, kind) in &self.hashes {
            let of_sender = *kind == NotifyType::NAT_DETECTION_SOURCE_IP;
            let end = match (of_sender, of_sender == is_request) {
                (true, true) => peers.initiator_itself(),
                (false, true) => peers.initiator(floated),
                (_, false) => peers.responder(floated),
            };
            let hash = nat_hash(&bytes[..16], end);
            bytes[*offset..offset + hash.len()].copy_from_slice(&hash);
        }
        if floated {
            return marked(&bytes);
        }
        bytes
    }
}

/// The hash of NAT detection (RFC 7296, 2.23).
fn nat_hash(spis: &[u8], (address, port): Address) -> [u8; 20] {
    let hasher = Sha1::new().chain_update(spis).chain_update(address);
    hasher.chain_update(port.to_be_bytes()).finalize().into()
}

/// The two ends of a copy; each has its own.
pub(crate) struct Peers {
    number: u32,
    /// Whether a NAT translates the initiator, so that IKE_AUTH is on port 4500.
    nat: bool,
}

impl Peers {
    pub(crate) fn new(number: u32, nat: bool) -> Self {
        Self { number, nat }
    }

    /// The SPIs of the initiator and of the responder.
    pub(crate) fn spis(&self) -> [[u8; 8]; 2] {
        // Multiples of an odd number differ, and are spread over all bits.
        let spread = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        [1, 2].map(|peer| spread(u64::from(self.number) * 2 + peer))
    }

    /// What the initiator believes to be its address.
    fn initiator_itself(&self) -> Address {
        if self.nat {
            ([192, 168, 1, 10], 500)
        } else {
            self.initiator(false)
        }
    }

    /// Where the initiator's packets come from.
    fn initiator(&self, floated: bool) -> Address {
        let [_, a, b, c] = self.number.to_be_bytes();
        let translated = 1024 + (self.number % 30_000) as u16 * 2 + u16::from(floated);
        ([10, a, b, c], if self.nat { translated } else { 500 })
    }

    fn responder(&self, floated: bool) -> Address {
        let [.., last] = self.number.to_be_bytes();
        ([203, 0, 113, last], if floated { 4500 } else { 500 })
    }

    /// A UDP datagram between them as an Ethernet frame.
    pub(crate) fn frame(&self, to_responder: bool, floated: bool, payload: &[u8]) -> Vec<u8> {
        let (initiator, responder) = (self.initiator(floated), self.responder(floated));
        let (from, to) = if to_responder { (initiator, responder) } else { (responder, initiator) };
        let end = |host, (address, port): Address| End {
            mac: [2, 0, 0, 0, 0, host],
            address: (address, port).into(),
        };
        frame(end(1, from), end(2, to), payload)
    }
}
