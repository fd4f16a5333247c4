//! What an opened message says of its SA.

use crate::message::Message;
use crate::wire::registry::{EapCode, NotifyType, PayloadType, Protocol};

use super::exchange::first_error;

/// What an opened message says, as far as the handshake depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// An error, and nothing that authenticates.
    Error(NotifyType),
    /// EAP goes on, or has succeeded: another round follows.
    Eap,
    /// EAP has failed.
    EapFailure,
    /// It authenticates its sender, and EAP does not go on.
    Authenticated,
    /// The same, and a further authentication follows (RFC 4739, 3.1).
    AuthenticatedOnce,
    /// It deletes the IKE SA.
    Delete,
    /// It sets the counters of both peers anew (RFC 6311).
    Synchronize,
    /// None of these.
    Other,
    /// Only the message says it that this is a fragment of.
    Later,
}

impl Known {
    /// None of a message that was not opened.
    pub(super) fn of(message: &Message) -> Option<Self> {
        if message.decrypted_in_part {
            return Some(Self::Later);
        }
        message.decrypted.as_ref()?;
        let inside = |kind| message.decrypted_payloads().iter().find(move |it| it.kind == kind);
        // The first of EAP stands beside the responder's authentication, the last does not.
        if let Some(eap) = inside(PayloadType::EAP).map(|entry| message.payload(entry)) {
            let has_failed = eap.body.first() == Some(&EapCode::FAILURE.0);
            return Some(if has_failed { Self::EapFailure } else { Self::Eap });
        }
        if inside(PayloadType::AUTH).is_some() {
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

    /// An error that ends an IKE SA in use (RFC 7296, 2.21.2 and 2.21.3).
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

/// Whether a notify sets counters anew, as a cluster does after a failover.
fn synchronizes(kind: NotifyType) -> bool {
    matches!(kind, NotifyType::IKEV2_MESSAGE_ID_SYNC | NotifyType::IPSEC_REPLAY_COUNTER_SYNC)
}
