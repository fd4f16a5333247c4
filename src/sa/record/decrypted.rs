//! What opened messages add to a record.

use super::{Chosen, Marks, MessageFacts, MessageOutcome, SaRecord, Step};
use crate::message::Message;
use crate::sa::lineage::{Lineage, Made};
use crate::sa::State;

impl SaRecord {
    /// Takes in what a message says that was counted when it went by, and opened later
    /// than that.
    pub(in crate::sa) fn learn(
        &mut self,
        facts: &MessageFacts,
        message: &Message,
    ) -> MessageOutcome {
        let mut outcome = MessageOutcome::default();
        // When it was sent is not known any more, so it gives the handshake no end.
        self.correct(facts, 0, &mut outcome);
        self.announced.judge(message, &mut outcome.events);
        outcome.successor = self.read_lineage(facts, message, self.last);
        self.settle(&mut outcome);
        outcome
    }

    /// Puts what an opened message says in the place of what was inferred from its outside,
    /// or from its first fragment. What has happened since stands.
    pub(super) fn correct(
        &mut self,
        facts: &MessageFacts,
        time: u64,
        outcome: &mut MessageOutcome,
    ) {
        let Some(protected) = facts.protected().filter(|_| facts.is_opened()) else { return };
        self.window(facts).learn(facts);
        let step = match (facts.is_auth(), facts.response) {
            (true, true) => self.auth_answer(facts, protected),
            (false, _) if facts.is_use() => self.use_step(facts, protected, false, time),
            _ => None,
        };
        let is_past = !self.window(facts).is_newest(facts.id);
        let names = self.state == State::Failed && matches!(step, Some(Step::Fail(_)));
        let is_told = step == Some(Step::Authenticated) && self.state == State::Established;
        if (is_past && !names) || is_told {
            return;
        }
        self.take(step, time, outcome);
    }

    /// What an opened message makes and deletes; the record of an IKE SA, if it makes one.
    pub(super) fn read_lineage(
        &mut self,
        facts: &MessageFacts,
        message: &Message,
        time: u64,
    ) -> Option<Box<Self>> {
        let made = Lineage::look(&mut self.lineage, facts, message)?;
        Some(Box::new(self.successor(&made, Chosen::of_decrypted(message), time)))
    }

    /// The record of an SA that takes this one's place (RFC 7296, 2.8 and 2.18), or that is
    /// cloned from it (RFC 7791). It is in
    /// use at once, between the same ends; who asks for it is its initiator. What is known
    /// of NATs is not handed on: another thread may still have to parse it.
    fn successor(&self, made: &Made, chosen: Option<Chosen>, time: u64) -> Self {
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
            ..Self::blank(made.init_spi, time)
        }
    }

    /// Takes over what the record has that was made for the SA when its first messages
    /// were parsed already.
    pub(in crate::sa) fn adopt(&mut self, made: Self) {
        self.started = self.started.min(made.started);
        self.chosen = self.chosen.or(made.chosen);
        match (&mut self.lineage, made.lineage) {
            (Some(lineage), Some(made)) => lineage.merge(*made),
            (lineage, made) => *lineage = lineage.take().or(made),
        }
    }
}
