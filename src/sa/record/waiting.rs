//! Requests that are repeated because nobody answers.

use super::{MessageFacts, SaRecord, SOON};
use crate::sa::step::Step;
use crate::sa::{Reason, State};
use crate::wire::registry::NotifyType;

impl SaRecord {
    /// How long the newest request has waited for an answer that takes it on, if this is
    /// that request again.
    pub(super) fn waited(&mut self, facts: &MessageFacts, time: u64) -> Option<u64> {
        let window = self.window(facts);
        let waited = time.saturating_sub(window.asked_at());
        let waits = !facts.response
            && window.is_newest(facts.id)
            && window.exchange(facts.id)?.awaits_answer();
        waits.then_some(waited)
    }

    /// Whether a request of an SA that was probably deleted is repeated because nobody is
    /// there to answer it.
    pub(super) fn is_after_delete(&mut self, facts: &MessageFacts, time: u64) -> bool {
        self.state == State::Closed && self.waited(facts, time) >= Some(SOON)
    }

    /// A request that is repeated for as long as a half-open SA lasts: nobody answers, or
    /// the initiator does not come with the group that it was asked for.
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
