//! Key exchange methods in the child proposals of IKE_AUTH.
//!
//! The keys of the first child SA come from IKE_SA_INIT. Therefore its proposals have no key
//! exchange method except NONE (RFC 7296, 1.2). A draft extension lets peers name the method
//! of later rekeyings there (draft-ietf-ipsecme-child-pfs-info). Both peers announce it in
//! IKE_SA_INIT with a notify that IANA has not numbered yet. strongSwan's implementation of
//! 2025 uses the private number 50600.
//!
//! So there is no event if both peers sent the same status notify and no registry has a name
//! for it. There is also no event if IKE_SA_INIT was not seen.

use crate::message::{Event, EventSet, Message};
use crate::proposal::{ProposalSet, Transform};
use crate::wire::registry::{ExchangeType, NotifyType, Protocol};

/// The status notifies without a name in the peers' IKE_SA_INIT. Each notify is one of eight
/// bits: a notify of both peers is always found, and other notifies rarely match.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AnnouncedStatuses {
    /// The bits of each role, the initiator first. None if no message of the peer was seen.
    peers: [Option<u8>; 2],
}

impl AnnouncedStatuses {
    /// Reads a message of IKE_SA_INIT.
    pub(super) fn add_message(&mut self, message: &Message, from_initiator: bool) {
        let unnamed = message.notifies().map(|notify| notify.kind).filter(is_unnamed_status);
        let bits = unnamed.fold(0, |bits, kind| bits | 1_u8 << (kind.0 % 8));
        self.add(usize::from(!from_initiator), bits);
    }

    /// Adds what another record of the same SA has.
    pub(super) fn merge(&mut self, other: Self) {
        for (peer, bits) in other.peers.into_iter().enumerate() {
            if let Some(bits) = bits {
                self.add(peer, bits);
            }
        }
    }

    fn add(&mut self, peer: usize, bits: u8) {
        let known = &mut self.peers[peer];
        *known = Some(known.unwrap_or(0) | bits);
    }

    /// Finds a proposal with a key exchange method where none is allowed.
    pub(super) fn judge(self, message: &Message, events: &mut EventSet) {
        if !self.may_be_supported() && names_key_exchange(message) {
            events.insert(Event::InvalidProposal);
        }
    }

    /// Whether both peers may have announced the extension.
    fn may_be_supported(self) -> bool {
        let [initiator, responder] = self.peers.map(|bits| bits.unwrap_or(u8::MAX));
        initiator & responder != 0
    }
}

fn is_unnamed_status(kind: &NotifyType) -> bool {
    !kind.is_error() && kind.name().is_none()
}

fn names_key_exchange(message: &Message) -> bool {
    let is_auth = message.header.is_some_and(|it| it.exchange_type == ExchangeType::IKE_AUTH);
    let of_child = message.decrypted_proposals().iter().filter(|it| it.protocol != Protocol::IKE);
    is_auth
        && of_child.flat_map(|it| ProposalSet::transforms(&message.proposals, it)).any(is_method)
}

fn is_method(transform: &Transform) -> bool {
    transform.kind.is_key_exchange() && transform.id != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::testing::decode;
    use crate::wire::registry::PayloadType;
    use crate::wire::testing::sa_init;

    fn with(kinds: &[u16]) -> Message {
        let notify = |kind: &u16| [&[0, 0][..], &kind.to_be_bytes()].concat();
        let add = |message: crate::wire::testing::MessageBuilder, kind| {
            message.payload(PayloadType::NOTIFY, notify(kind))
        };
        let message = kinds.iter().fold(sa_init(), add).build();
        decode(&message)
    }

    fn supported(initiator: Option<&[u16]>, responder: Option<&[u16]>) -> bool {
        let mut announced = AnnouncedStatuses::default();
        for (kinds, from_initiator) in [(initiator, true), (responder, false)] {
            if let Some(kinds) = kinds {
                announced.add_message(&with(kinds), from_initiator);
            }
        }
        announced.may_be_supported()
    }

    #[test]
    fn both_peers_have_to_announce_it() {
        const NEW: u16 = 16_500;
        const PRIVATE: u16 = 50_600;
        assert!(supported(Some(&[NEW]), Some(&[NEW])));
        assert!(supported(Some(&[PRIVATE]), Some(&[PRIVATE])));
        assert!(supported(Some(&[PRIVATE, NEW]), Some(&[NEW])));
        for (initiator, responder) in
            [(&[][..], &[][..]), (&[NEW], &[]), (&[], &[NEW]), (&[NEW], &[PRIVATE])]
        {
            assert!(!supported(Some(initiator), Some(responder)));
        }
        // Errors, and status notifies with a name, do not announce it.
        assert!(!supported(Some(&[9000, 16_388]), Some(&[9000, 16_388])));
    }

    #[test]
    fn what_was_not_seen_accuses_nobody() {
        assert!(supported(None, None));
        assert!(supported(Some(&[16_500]), None));
        assert!(!supported(Some(&[]), None), "who did not announce it does not support it");
        assert!(!supported(None, Some(&[])));
    }
}
