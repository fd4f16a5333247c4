//! What only keys show of an SA: who the peers are, how they authenticate, and what they protect.

use crate::message::Message;
use crate::payload_text::{PayloadTexts, SelectorText};
use crate::wire::registry::{AuthMethod, IdType, PayloadType};
use crate::wire::{Authentication, Identification};

/// The maximum number of bytes of a text.
const MAX_TEXT: usize = 256;
/// The maximum number of certificates of a peer. The first one is the peer's own.
const MAX_PEER_CERTIFICATES: usize = 4;
/// The maximum number of traffic selectors of each side.
const MAX_SELECTORS: usize = 8;

/// The end of a certificate's validity, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSummary {
    /// The subject.
    pub subject: Box<str>,
    /// The end of its validity, in seconds since the epoch.
    pub not_after: i64,
}

/// What decrypted messages say of a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The identity: its type, and its text.
    pub id: Option<(IdType, Box<str>)>,
    /// The authentication method: of an initiator's last AUTH payload, of a responder's first
    /// one. With EAP, a responder authenticates itself first, and then both prove the key of EAP.
    pub method: Option<AuthMethod>,
    /// Whether it authenticates with EAP. Only an initiator does.
    pub eap: bool,
    /// Its certificates.
    pub certificates: Vec<CertificateSummary>,
}

/// What decrypted messages say of an SA.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecryptedSummary {
    /// The initiator and the responder.
    pub peers: [PeerIdentity; 2],
    /// The traffic selectors of the newest child SA: of its initiator and its responder.
    pub selectors: [Vec<Box<str>>; 2],
}

impl DecryptedSummary {
    /// Reads a decrypted message.
    pub(super) fn read(&mut self, message: &Message, from_initiator: bool) {
        let texts = PayloadTexts::of(message);
        let is_response = message.header.is_some_and(|header| header.flags.response());
        let peer = &mut self.peers[usize::from(!from_initiator)];
        let own_id = if from_initiator { PayloadType::IDI } else { PayloadType::IDR };
        for entry in message.decrypted_payloads() {
            let payload = message.payload(entry);
            let (body, offset) = (payload.body, payload.body_offset());
            match payload.kind {
                kind if kind == own_id => {
                    let text = texts.ids[usize::from(!from_initiator)].as_deref();
                    let id = Identification::parse(body, offset).ok();
                    peer.id = id.zip(text).map(|(id, text)| (id.kind, bounded(text)));
                }
                PayloadType::AUTH => {
                    let method = Authentication::parse(body, offset).ok().map(|auth| auth.method);
                    peer.method = match from_initiator {
                        true => method.or(peer.method),
                        false => peer.method.or(method),
                    };
                }
                PayloadType::EAP => peer.eap |= from_initiator,
                _ => {}
            }
        }
        let read = texts.certificates.iter().filter_map(|it| it.x509.as_deref());
        let certificates: Vec<_> = read
            .take(MAX_PEER_CERTIFICATES)
            .map(|it| CertificateSummary { subject: bounded(&it.subject), not_after: it.not_after })
            .collect();
        if !certificates.is_empty() {
            peer.certificates = certificates;
        }
        if is_response && !texts.selectors[0].is_empty() {
            let text = |it: &SelectorText| bounded(&it.text);
            self.selectors = texts
                .selectors
                .each_ref()
                .map(|of| of.iter().take(MAX_SELECTORS).map(text).collect());
        }
    }

    /// The summary of an SA that replaces this one.
    pub(super) fn of_successor(&self, same_initiator: bool) -> Self {
        let mut summary = self.clone();
        if !same_initiator {
            summary.peers.reverse();
        }
        summary
    }

    /// The number of bytes on the heap.
    pub(super) fn heap_size(&self) -> usize {
        let of_peer = |peer: &PeerIdentity| {
            let subjects: usize = peer.certificates.iter().map(|it| it.subject.len()).sum();
            peer.id.as_ref().map_or(0, |(_, text)| text.len())
                + peer.certificates.capacity() * size_of::<CertificateSummary>()
                + subjects
        };
        let of_side = |side: &Vec<Box<str>>| {
            side.capacity() * size_of::<Box<str>>() + side.iter().map(|it| it.len()).sum::<usize>()
        };
        self.peers.iter().map(of_peer).sum::<usize>()
            + self.selectors.iter().map(of_side).sum::<usize>()
    }
}

/// The beginning of a text. A character is never cut.
fn bounded(text: &str) -> Box<str> {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text).into()
}
