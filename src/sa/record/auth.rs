//! What IKE_AUTH and the messages right after it say about the authentication.

use super::{outcome, Marks, MessageFacts, SaRecord, Unjudged, SOON};
use crate::sa::decrypted_content::DecryptedContent;
use crate::sa::exchange::{FragmentPart, Protected};
use crate::sa::step::Step;
use crate::sa::{Reason, State};
use crate::wire::registry::{ExchangeType, PayloadType};

impl SaRecord {
    /// Whether the message begins a second authentication. IKE_AUTH has one round, or several
    /// with EAP. A further identity is only allowed if the responder announced it (RFC 4739).
    pub(super) fn is_second_authentication(&self, facts: &MessageFacts) -> bool {
        let another_identity = facts.protected().is_some_and(|protected| {
            protected.first_payload == PayloadType::IDI && protected.part != FragmentPart::Later
        });
        let answered = self.state == State::Established || self.has(Marks::AUTH_OVER);
        match another_identity {
            true => answered && !self.has(Marks::MULTIPLE_AUTH),
            false => self.has(Marks::AUTH_OVER),
        }
    }

    pub(super) fn auth_step(&mut self, facts: &MessageFacts, protected: Protected) -> Option<Step> {
        self.marks |= Marks::AUTH_SEEN;
        if facts.response {
            return self.auth_answer(facts, protected);
        }
        let over = self.has(Marks::AUTH_OVER) || !self.windows[0].is_newest(facts.id);
        // Another round shows that the previous response was not the last.
        (!over || self.state != State::Established).then_some(Step::Authenticate)
    }

    pub(super) fn auth_answer(&mut self, facts: &MessageFacts, answer: Protected) -> Option<Step> {
        if answer.decrypted == Some(DecryptedContent::Authenticated)
            && !self.expects_another_auth(facts)
        {
            self.marks |= Marks::AUTH_OVER | Marks::CONFIRMED;
        }
        self.judge_answer(answer)
    }

    /// Whether another authentication may follow (RFC 4739). The decrypted request says so, or
    /// the responder announced it.
    pub(super) fn expects_another_auth(&mut self, facts: &MessageFacts) -> bool {
        let multiple = self.has(Marks::MULTIPLE_AUTH);
        let asked = self.window(facts).exchange(facts.id).filter(|asked| asked.is_decrypted());
        asked.map_or(multiple, |asked| asked.announces_another_auth())
    }

    pub(super) fn judge_answer(&mut self, answer: Protected) -> Option<Step> {
        let step = outcome::judge(answer, self.sizes());
        let waits = step.is_none() && answer.decrypted.is_none();
        self.postpone(waits.then_some(Unjudged::Answer(answer)));
        if answer.decrypted.is_none() && answer.first_payload == PayloadType::AUTH {
            self.marks |= Marks::AUTH_OVER | Marks::CONFIRMED;
        }
        step
    }

    /// Stores a message until it can be judged, or removes the stored one.
    pub(super) fn postpone(&mut self, unjudged: Option<Unjudged>) {
        if self.rare.is_some() || unjudged.is_some() {
            self.rare.get_or_insert_default().unjudged = unjudged;
        }
    }

    pub(super) fn judge_postponed(&mut self) -> Option<Step> {
        match self.rare.as_mut()?.unjudged.take()? {
            Unjudged::Answer(answer) => self.judge_answer(answer),
            Unjudged::LastWord(request, id) => {
                let is_last = outcome::is_lone_notify(request, self.sizes()) == Some(true);
                // The response to it may still come.
                self.windows[0].exchange(id).filter(|_| is_last)?.mark_last_word();
                Some(Step::Fail(Reason::RefusedByInitiator))
            }
        }
    }

    /// Whether the initiator gives up. An initiator that rejects the responder's
    /// authentication says so in an exchange of its own and then stops (RFC 7296, 2.21.2). It
    /// does the same when EAP reports that its own authentication failed.
    pub(super) fn gives_up(
        &mut self,
        facts: &MessageFacts,
        protected: Protected,
        time: u64,
    ) -> bool {
        if facts.exchange != ExchangeType::INFORMATIONAL || !facts.from_initiator {
            return false;
        }
        if let Some(content) = protected.decrypted {
            let is_error = matches!(content, DecryptedContent::Error(_));
            return match self.state {
                State::Authenticating => is_error,
                // The failure that was inferred before can now get its exact reason.
                State::Established | State::Failed => content.is_fatal(),
                _ => false,
            };
        }
        let lone_notify = outcome::is_lone_notify(protected, self.sizes());
        let before = facts.id.checked_sub(1).and_then(|id| self.windows[0].exchange(id));
        let after_auth = before.is_some_and(|before| before.is_auth());
        match self.state {
            // No other message is allowed in this state, whatever its size.
            State::Authenticating => lone_notify != Some(false),
            State::Established if after_auth && time.abs_diff(self.last) < SOON => {
                if lone_notify.is_none() {
                    self.postpone(Some(Unjudged::LastWord(protected, facts.id)));
                }
                lone_notify == Some(true)
            }
            _ => false,
        }
    }
}
