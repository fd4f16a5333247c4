//! The reports of an SA: when one is due, and how an SA ended without a message.

use super::{ExchangeMatch, MessageFacts, MessageOutcome, SaRecord, State, Summary};
use crate::message::Message;
use crate::sa::report::{Outcome, SaReport};
use crate::sa::{Failure, Reason, SaView};

/// The maximum number of reports of one SA. Who forges errors and answers to them cannot cause
/// more.
const MAX_REPORTS: u8 = 8;

impl SaRecord {
    /// Adds a message to what the reports of the SA say.
    pub(super) fn summarize(
        &mut self,
        facts: &MessageFacts,
        message: &Message,
        matched: ExchangeMatch,
        outcome: &MessageOutcome,
    ) {
        let Some(summary) = &mut self.summary else { return };
        let mut events = message.events;
        events.merge(outcome.events);
        summary.count(events, outcome.fragments.as_ref());
        if matched == ExchangeMatch::New || facts.is_decrypted() {
            summary.read(message, facts.from_initiator, facts.is_init());
        }
    }

    /// The outcome to report now. None if there is nothing new. A single message proves nothing,
    /// so it does not make an SA that is in use.
    pub(in crate::sa) fn due_report(&mut self) -> Option<Outcome> {
        let is_proven = self.is_mutual() || self.messages > 1;
        let is_replaced = self.is_replaced();
        let summary = self.summary.as_mut()?;
        let outcome = Outcome::of(self.state, is_replaced)
            .filter(|outcome| is_proven || *outcome != Outcome::Established)?;
        if summary.reported == Some(outcome) || summary.reports >= MAX_REPORTS {
            return None;
        }
        summary.reported = Some(outcome);
        summary.reports += 1;
        Some(outcome)
    }

    /// The outcome of an SA that is removed without a message. None if a report says how it
    /// ended, or if nothing but a single message is known of it.
    pub(in crate::sa) fn end(&mut self, evicted: bool) -> Option<Outcome> {
        let reported = self.summary.as_ref()?.reported;
        if reported.is_some_and(Outcome::is_final) || (self.messages < 2 && !self.has_init()) {
            return None;
        }
        if evicted || !self.state.is_half_open() {
            return Some(Outcome::Expired);
        }
        let reason = self.reason_of_silence();
        self.state = State::Failed;
        self.failure = Some(Failure { reason, inferred: true });
        Some(Outcome::Failed)
    }

    /// Why the handshake did not continue: the last request had no answer, or it had one.
    fn reason_of_silence(&mut self) -> Reason {
        let answered = self.windows[0].newest_exchange().is_some_and(|it| it.is_answered());
        if answered {
            Reason::Abandoned
        } else {
            Reason::NoAnswer
        }
    }

    /// The report of the SA in the state of `view`.
    pub(in crate::sa) fn report(
        &self,
        outcome: Outcome,
        view: &SaView,
        evicted: bool,
    ) -> Option<Box<SaReport>> {
        let mut summary = Summary::clone(self.summary.as_ref()?);
        if let Some(lineage) = self.lineage.as_ref().filter(|lineage| !lineage.inferred) {
            summary.child_rekeys = lineage.replaced;
        }
        let view = SaView { fragments: None, report: None, ..view.clone() };
        Some(Box::new(SaReport { outcome, last: self.last, evicted, view, summary }))
    }
}
