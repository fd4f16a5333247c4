//! The states of an IKE SA: the one table of what a message changes.

use super::{Reason, State};

/// The meaning of a new message for the state of its SA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A request that begins an SA.
    Begin,
    /// The responder asks for a cookie.
    AskCookie,
    /// The responder asks for another key exchange method, for the first time.
    AskGroup,
    /// The responder accepts the request.
    Accept,
    /// The responder sends the initiator to another gateway.
    Redirect,
    /// A request of IKE_AUTH.
    Authenticate,
    /// A response of IKE_AUTH after which more rounds follow.
    AnotherRound,
    /// A response of IKE_AUTH with the responder's identity or authentication.
    Authenticated,
    /// One of the peers ends the handshake, or there is no answer.
    Fail(Reason),
    /// An exchange of an SA in use is complete.
    Use,
    /// ESP packets show that the handshake is complete.
    EspSeen,
    /// The IKE SA was deleted.
    Delete,
}

/// The state after a step (RFC 7296, 1.2 and 1.4).
///
/// Unencrypted errors and cookies can be forged, and a sensor may miss messages. Therefore the
/// handshake can continue from every state in which it seemed to have ended. A step that the
/// table does not have for a state changes nothing.
pub(super) fn next(state: State, step: Step) -> State {
    use State::{Authenticating, Closed, Cookie, Established, Failed, HalfOpen, InitDone};
    match (state, step) {
        (HalfOpen | Cookie | Failed, Step::Begin) => HalfOpen,
        (HalfOpen | Cookie | Failed, Step::AskCookie) => Cookie,
        (HalfOpen | Cookie | Failed, Step::AskGroup) => HalfOpen,
        (HalfOpen | Cookie | Failed, Step::Accept) => InitDone,
        (HalfOpen | Cookie, Step::Redirect) => Closed,

        (HalfOpen | Cookie | InitDone | Established | Failed, Step::Authenticate) => Authenticating,
        (InitDone | Authenticating | Established | Failed, Step::AnotherRound) => Authenticating,
        (InitDone | Authenticating | Failed, Step::Authenticated) => Established,

        (InitDone | Authenticating | Failed | Closed, Step::Use) => Established,
        (InitDone | Authenticating | Failed, Step::EspSeen) => Established,
        (InitDone | Authenticating | Established | Failed, Step::Delete) => Closed,

        (HalfOpen | Cookie | InitDone | Authenticating | Established, Step::Fail(_)) => Failed,
        (unchanged, _) => unchanged,
    }
}

#[cfg(test)]
mod tests {
    use super::State::{Authenticating, Closed, Cookie, Established, Failed, HalfOpen, InitDone};
    use super::*;

    const STEPS: [Step; 12] = [
        Step::Begin,
        Step::AskCookie,
        Step::AskGroup,
        Step::Accept,
        Step::Redirect,
        Step::Authenticate,
        Step::AnotherRound,
        Step::Authenticated,
        Step::Fail(Reason::NoAnswer),
        Step::Use,
        Step::EspSeen,
        Step::Delete,
    ];

    #[test]
    fn the_table_is_this() {
        // One row for each state, one column for each step, in the order of `STEPS`.
        let table = [
            (HalfOpen, "HalfOpen Cookie HalfOpen InitDone Closed Authenticating - - Failed - - -"),
            (Cookie, "HalfOpen - HalfOpen InitDone Closed Authenticating - - Failed - - -"),
            (InitDone, "- - - - - Authenticating Authenticating Established Failed Established Established Closed"),
            (Authenticating, "- - - - - - - Established Failed Established Established Closed"),
            (Established, "- - - - - Authenticating Authenticating - Failed - - Closed"),
            (Failed, "HalfOpen Cookie HalfOpen InitDone - Authenticating Authenticating Established - Established Established Closed"),
            (Closed, "- - - - - - - - - Established - -"),
        ];
        for (state, row) in table {
            for (step, expected) in STEPS.into_iter().zip(row.split(' ')) {
                let expected = if expected == "-" { format!("{state:?}") } else { expected.into() };
                assert_eq!(format!("{:?}", next(state, step)), expected, "{state:?} {step:?}");
            }
        }
    }
}
