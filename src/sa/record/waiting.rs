//! Requests that are repeated because there is no answer.

use super::{MessageFacts, SaRecord, SOON};
use crate::sa::step::Step;
use crate::sa::{Reason, State};
use crate::wire::registry::NotifyType;

impl SaRecord {
    /// The microseconds since the newest request was first sent, if the message is this
    /// request again and there is no response that continues the exchange.
    pub(super) fn waited(&mut self, facts: &MessageFacts, time: u64) -> Option<u64> {
        let window = self.window(facts);
        let waited = time.saturating_sub(window.asked_at());
        let waits = !facts.response
            && window.is_newest(facts.id)
            && window.exchange(facts.id)?.awaits_answer();
        waits.then_some(waited)
    }

    /// Whether a peer repeats a request because the SA was probably deleted and nobody
    /// answers.
    pub(super) fn is_after_delete(&mut self, facts: &MessageFacts, time: u64) -> bool {
        self.state == State::Closed && self.waited(facts, time) >= Some(SOON)
    }

    /// Fails a handshake whose request is repeated for as long as a half-open SA is kept.
    /// Either nobody answers, or the initiator does not send the key exchange method that the
    /// responder asked for.
    pub(super) fn lose_patience(
        &mut self,
        facts: &MessageFacts,
        time: u64,
        patience: u64,
    ) -> Option<Step> {
        let waited = self.waited(facts, time)?;
        let asked = facts.is_init() && self.window(facts).exchange(facts.id)?.is_answered();
        let reason = match self.state {
            State::HalfOpen if asked => Reason::Notify(NotifyType::INVALID_KE_PAYLOAD),
            // A cookie is an answer.
            State::Cookie if asked => return None,
            state if state.is_half_open() => Reason::NoAnswer,
            _ => return None,
        };
        (waited >= patience).then_some(Step::Fail(reason))
    }
}
