//! What a message means for the state of an IKE SA.

use std::num::NonZeroU64;

use super::{outcome, Marks, MessageFacts, MessageOutcome, SaRecord, Unjudged};
use crate::message::Event;
use crate::sa::decrypted_content::DecryptedContent;
use crate::sa::exchange::{Body, InitStep, Protected};
use crate::sa::outcome::Certainty;
use crate::sa::step::{next, Step};
use crate::sa::{Failure, Reason, State};
use crate::wire::registry::NotifyType;

impl SaRecord {
    /// The step of a new message.
    pub(super) fn step(&mut self, facts: &MessageFacts, too_soon: bool, time: u64) -> Option<Step> {
        match facts.body {
            Body::Init(init) => self.init_step(init),
            Body::Clear(error) => self.clear_step(facts, error),
            Body::Protected(protected) if facts.is_auth() => self.auth_step(facts, protected),
            Body::Protected(protected) if facts.is_use() => {
                self.use_step(facts, protected, too_soon, time)
            }
            Body::Protected(_) => None,
        }
    }

    pub(super) fn init_step(&mut self, init: InitStep) -> Option<Step> {
        if self.has(Marks::AUTH_SEEN) {
            // The message was parsed late, and the result of the handshake is known.
            return None;
        }
        Some(match init {
            InitStep::Request => Step::Begin,
            InitStep::Accept => Step::Accept,
            InitStep::Cookie => Step::AskCookie,
            InitStep::Redirect => Step::Redirect,
            // The initiator has already tried a second time.
            InitStep::Group if self.has(Marks::GROUP_ASKED) => {
                Step::Fail(Reason::Notify(NotifyType::INVALID_KE_PAYLOAD))
            }
            InitStep::Group => {
                self.marks |= Marks::GROUP_ASKED;
                Step::AskGroup
            }
            InitStep::Reject(kind) => Step::Fail(Reason::Notify(kind)),
            InitStep::Unclear => return None,
        })
    }

    /// The step of an unencrypted response. It is not authenticated, but a responder that
    /// cannot decrypt IKE_AUTH has no other way to answer (RFC 7296, 2.21.2).
    pub(super) fn clear_step(
        &self,
        facts: &MessageFacts,
        error: Option<NotifyType>,
    ) -> Option<Step> {
        let open = matches!(self.state, State::InitDone | State::Authenticating);
        let answer = facts.response && facts.is_auth();
        error.filter(|_| answer && open).map(|kind| Step::Fail(Reason::Notify(kind)))
    }

    pub(super) fn use_step(
        &mut self,
        facts: &MessageFacts,
        protected: Protected,
        too_soon: bool,
        time: u64,
    ) -> Option<Step> {
        if facts.response {
            return self.use_answer(facts, protected);
        }
        // A peer that sends another message has not given up before.
        if let Some(rare) = &mut self.rare {
            rare.unjudged = rare.unjudged.filter(|it| matches!(it, Unjudged::Answer(_)));
        }
        let gives_up = self.gives_up(facts, protected, time);
        if too_soon || gives_up {
            // The response to it does not mean that the SA is in use.
            self.window(facts).exchange(facts.id)?.mark_last_word();
        }
        if !too_soon {
            self.marks |= Marks::AUTH_OVER;
        }
        let reason = match protected.decrypted {
            Some(DecryptedContent::Error(kind)) => Reason::Decrypted(kind),
            _ => Reason::RefusedByInitiator,
        };
        gives_up.then_some(Step::Fail(reason))
    }

    /// The step of a response that completes an exchange of an SA in use.
    pub(super) fn use_answer(&mut self, facts: &MessageFacts, answer: Protected) -> Option<Step> {
        let sizes = self.sizes();
        let surely_closed = self.state == State::Closed && self.has(Marks::SURELY_CLOSED);
        let exchange = self.window(facts).exchange(facts.id)?;
        if exchange.is_last_word() || surely_closed {
            return None;
        }
        let (child, ike) = (exchange.rekeys_child(), exchange.may_rekey_ike());
        let deletes = exchange.asks_to_delete();
        let deletion = match exchange.is_decrypted() {
            true => Some(Certainty::Certain),
            false => outcome::deletion(exchange.asked, answer, sizes),
        };
        match deletion.filter(|_| deletes) {
            None => {
                self.observe_rekeying(child, ike, answer);
                Some(Step::Use)
            }
            Some(certainty) => {
                if certainty == Certainty::Certain {
                    self.marks |= Marks::SURELY_CLOSED;
                }
                Some(Step::Delete)
            }
        }
    }

    pub(super) fn apply_step(
        &mut self,
        step: Option<Step>,
        time: u64,
        outcome: &mut MessageOutcome,
    ) {
        let Some(step) = step else { return };
        if matches!(step, Step::Authenticated | Step::Use) && self.is_first_message() {
            return;
        }
        if step == Step::Authenticated {
            self.established = NonZeroU64::new(time);
        }
        if step == Step::Use {
            self.marks |= Marks::CONFIRMED;
        }
        let before = self.state;
        self.state = next(before, step);
        if self.state == before {
            self.name_failure(step);
            return;
        }
        self.failure = None;
        if self.state == State::Authenticating {
            self.established = None;
            self.marks -= Marks::CONFIRMED;
        }
        if let Step::Fail(reason) = step {
            self.established = None;
            outcome.refused = reason.is_refusal();
            outcome.events.insert(match outcome.refused {
                true => Event::AuthFailed,
                false => Event::HandshakeFailed,
            });
            self.failure = Some(Failure { reason, inferred: reason.is_inferred() });
        }
    }

    /// Gives an inferred failure the exact reason from a decrypted message.
    pub(super) fn name_failure(&mut self, step: Step) {
        if let Step::Fail(reason @ (Reason::Decrypted(_) | Reason::EapFailure)) = step {
            if let Some(failure) = self.failure.as_mut().filter(|failure| failure.inferred) {
                *failure = Failure { reason, inferred: false };
            }
        }
    }
}
