//! What decrypted messages add to a record.

use super::{Chosen, ExchangeMatch, Marks, MessageFacts, MessageOutcome, SaRecord, Step};
use crate::message::Message;
use crate::sa::lineage::{Lineage, NewSa};
use crate::sa::State;

impl SaRecord {
    /// Adds a message that was already counted and was decrypted later.
    pub(in crate::sa) fn observe_late(
        &mut self,
        facts: &MessageFacts,
        message: &Message,
    ) -> MessageOutcome {
        let mut outcome = MessageOutcome::default();
        // The time of the message is no longer known, so the handshake gets no end time.
        self.correct(facts, 0, &mut outcome);
        self.announced.judge(message, &mut outcome.events);
        outcome.successor = self.read_lineage(facts, message, self.last);
        self.summarize(facts, message, ExchangeMatch::Part, &outcome);
        self.report_settled(&mut outcome);
        outcome
    }

    /// Replaces what was inferred from an encrypted message, or from its first fragment, by
    /// what the decrypted message says. Later changes of the state stay.
    pub(super) fn correct(
        &mut self,
        facts: &MessageFacts,
        time: u64,
        outcome: &mut MessageOutcome,
    ) {
        let Some(protected) = facts.protected().filter(|_| facts.is_decrypted()) else { return };
        self.window(facts).apply_decrypted(facts);
        let step = match (facts.is_auth(), facts.response) {
            (true, true) => self.auth_answer(facts, protected),
            (false, _) if facts.is_use() => self.use_step(facts, protected, false, time),
            _ => None,
        };
        let is_past = !self.window(facts).is_newest(facts.id);
        let names = self.state == State::Failed && matches!(step, Some(Step::Fail(_)));
        let is_reported = step == Some(Step::Authenticated) && self.state == State::Established;
        if (is_past && !names) || is_reported {
            return;
        }
        self.apply_step(step, time, outcome);
    }

    /// Reads which SAs a decrypted message creates and deletes. Returns the record of a new
    /// IKE SA.
    pub(super) fn read_lineage(
        &mut self,
        facts: &MessageFacts,
        message: &Message,
        time: u64,
    ) -> Option<Box<Self>> {
        let made = Lineage::observe(&mut self.lineage, facts, message)?;
        let mut successor = self.successor(&made, Chosen::of_decrypted(message), time);
        if let Some(summary) = &mut successor.summary {
            summary.chosen_post_quantum = message.post_quantum();
        }
        if let Some(summary) = self.summary.as_mut().filter(|_| !made.is_clone) {
            summary.successor = Some(made.init_spi);
        }
        Some(Box::new(successor))
    }

    /// The record of an SA that replaces this one (RFC 7296, 2.8 and 2.18) or is cloned from
    /// it (RFC 7791). It is in use at once, between the same addresses. The peer that asked
    /// for it is its initiator. The NAT state is not copied: another thread may not have
    /// parsed it yet.
    fn successor(&self, made: &NewSa, chosen: Option<Chosen>, time: u64) -> Self {
        let mut ends = [self.initiator, self.responder];
        if !made.same_initiator {
            ends.reverse();
        }
        let [initiator, responder] = ends;
        let lineage = self.lineage.as_ref();
        let lineage = lineage.map(|it| Box::new(it.successor(self.init_spi, made)));
        Self {
            resp_spi: made.resp_spi,
            state: State::Established,
            marks: self.marks & Marks::BOTH_SEEN | Marks::AUTH_SEEN | Marks::CONFIRMED,
            initiator,
            responder,
            chosen,
            lineage,
            summary: self
                .summary
                .as_ref()
                .map(|summary| summary.of_successor(made.same_initiator, made.is_clone)),
            ..Self::blank(made.init_spi, time)
        }
    }

    /// Adds the record that was created for the SA, if its first messages were parsed before
    /// that.
    pub(in crate::sa) fn adopt(&mut self, made: Self) {
        self.started = self.started.min(made.started);
        self.chosen = self.chosen.or(made.chosen);
        if let Some((summary, made)) = self.summary.as_mut().zip(made.summary) {
            summary.ike_rekeys = made.ike_rekeys;
            summary.absorb(&made);
        }
        match (&mut self.lineage, made.lineage) {
            (Some(lineage), Some(made)) => lineage.merge(*made),
            (lineage, made) => *lineage = lineage.take().or(made),
        }
    }
}
