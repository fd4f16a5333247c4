//! Whether both peers authenticate the whole of IKE_SA_INIT. This prevents an attacker on the
//! path from choosing weaker algorithms (draft-ietf-ipsecme-ikev2-downgrade-prevention). Each
//! peer announces it with the notify IKE_SA_INIT_FULL_TRANSCRIPT_AUTH in its message of
//! IKE_SA_INIT.

use crate::message::Message;
use crate::named::named;
use crate::wire::registry::{NotifyType, PayloadType};

named! {
    /// Which peers announced IKE_SA_INIT_FULL_TRANSCRIPT_AUTH. It is used if both did.
    pub enum FullTranscript: str {
        /// No peer.
        None = "none",
        /// The initiator.
        Initiator = "initiator",
        /// The responder.
        Responder = "responder",
        /// Both peers.
        Both = "both",
    }
}

/// Which peers announced it in their messages of IKE_SA_INIT.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TranscriptAnnouncers(u8);

impl TranscriptAnnouncers {
    const INITIATOR: u8 = 1;
    const RESPONDER: u8 = 2;
    /// A message that could announce it was seen.
    const SEEN: u8 = 4;

    /// Reads a message of IKE_SA_INIT. A message without a key exchange, such as a demand for
    /// a cookie, is ignored.
    pub(super) fn add_message(&mut self, message: &Message, from_initiator: bool) {
        if !message.outer_payloads().iter().any(|entry| entry.kind == PayloadType::KE) {
            return;
        }
        self.0 |= Self::SEEN;
        let wanted = NotifyType::IKE_SA_INIT_FULL_TRANSCRIPT_AUTH;
        if message.notifies().any(|notify| notify.kind == wanted) {
            self.0 |= if from_initiator { Self::INITIATOR } else { Self::RESPONDER };
        }
    }

    /// Adds what another record of the same SA has.
    pub(super) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Which peers announced it. None if no message of IKE_SA_INIT was seen.
    pub(super) fn posture(self) -> Option<FullTranscript> {
        (self.0 & Self::SEEN != 0).then_some(match self.0 & (Self::INITIATOR | Self::RESPONDER) {
            0 => FullTranscript::None,
            Self::INITIATOR => FullTranscript::Initiator,
            Self::RESPONDER => FullTranscript::Responder,
            _ => FullTranscript::Both,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::testing::decode;
    use crate::wire::registry::ExchangeType;
    use crate::wire::testing::MessageBuilder;

    fn message(kind: PayloadType, announces: bool) -> Message {
        let message = MessageBuilder::request(ExchangeType::IKE_SA_INIT).payload(kind, [0; 40]);
        let number = NotifyType::IKE_SA_INIT_FULL_TRANSCRIPT_AUTH.0.to_be_bytes();
        let message = match announces {
            true => message.payload(PayloadType::NOTIFY, [&[0, 0], &number[..]].concat()),
            false => message,
        };
        decode(&message.build())
    }

    #[test]
    fn the_posture_is_who_announced_it() {
        for (initiator, responder, expected) in [
            (false, false, FullTranscript::None),
            (true, false, FullTranscript::Initiator),
            (false, true, FullTranscript::Responder),
            (true, true, FullTranscript::Both),
        ] {
            let (mut one, mut other) =
                (TranscriptAnnouncers::default(), TranscriptAnnouncers::default());
            one.add_message(&message(PayloadType::KE, initiator), true);
            // A message without a key exchange changes nothing.
            one.add_message(&message(PayloadType::VENDOR_ID, true), false);
            other.add_message(&message(PayloadType::KE, responder), false);
            other.merge(one);
            assert_eq!(other.posture(), Some(expected));
        }
        let mut cookie = TranscriptAnnouncers::default();
        cookie.add_message(&message(PayloadType::VENDOR_ID, true), false);
        assert_eq!(cookie.posture(), None);
    }
}
