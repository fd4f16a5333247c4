//! The meaning of a decrypted message for its SA.

use crate::message::Message;
use crate::wire::registry::{EapCode, NotifyType, PayloadType, Protocol};

use super::exchange::first_error;

/// What a decrypted message contains, as far as the handshake depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecryptedContent {
    /// An error, and no authentication.
    Error(NotifyType),
    /// EAP continues or has succeeded. Another round follows.
    Eap,
    /// EAP has failed.
    EapFailure,
    /// The authentication of the sender, and EAP does not continue.
    Authenticated,
    /// The same, and another authentication follows (RFC 4739, 3.1).
    AuthenticatedOnce,
    /// A Delete of the IKE SA.
    Delete,
    /// New Message IDs or replay counters for both peers (RFC 6311).
    Synchronize,
    /// Something else.
    Other,
    /// A fragment of a message that is not yet complete.
    Partial,
}

impl DecryptedContent {
    /// None if the message was not decrypted.
    pub(super) fn of(message: &Message) -> Option<Self> {
        if message.decrypted_in_part {
            return Some(Self::Partial);
        }
        message.decrypted.as_ref()?;
        let decrypted = |kind| message.decrypted_payloads().iter().find(move |it| it.kind == kind);
        // The first EAP message comes with the responder's authentication, the last one
        // without.
        if let Some(eap) = decrypted(PayloadType::EAP).map(|entry| message.payload(entry)) {
            let has_failed = eap.body.first() == Some(&EapCode::FAILURE.0);
            return Some(if has_failed { Self::EapFailure } else { Self::Eap });
        }
        if decrypted(PayloadType::AUTH).is_some() {
            let mut kinds = message.notifies().map(|notify| notify.kind);
            let another = kinds.any(|kind| kind == NotifyType::ANOTHER_AUTH_FOLLOWS);
            return Some(if another { Self::AuthenticatedOnce } else { Self::Authenticated });
        }
        let deletes = || message.deletes().any(|delete| delete.protocol == Protocol::IKE);
        Some(match first_error(message) {
            Some(error) => Self::Error(error),
            None if deletes() => Self::Delete,
            None if message.notifies().any(|notify| synchronizes(notify.kind)) => Self::Synchronize,
            None => Self::Other,
        })
    }

    /// Whether the content is an error that ends an IKE SA in use (RFC 7296, 2.21.2 and
    /// 2.21.3).
    pub(super) fn is_fatal(self) -> bool {
        matches!(
            self,
            Self::Error(
                NotifyType::AUTHENTICATION_FAILED
                    | NotifyType::INVALID_SYNTAX
                    | NotifyType::UNSUPPORTED_CRITICAL_PAYLOAD
            )
        )
    }
}

/// Whether a notify sets new counters, as a cluster does after a failover.
fn synchronizes(kind: NotifyType) -> bool {
    matches!(kind, NotifyType::IKEV2_MESSAGE_ID_SYNC | NotifyType::IPSEC_REPLAY_COUNTER_SYNC)
}
