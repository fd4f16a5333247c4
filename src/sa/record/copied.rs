//! Copies that a tap makes of an SA's messages, and what two records have of one SA.

use std::net::IpAddr;

use super::{ends, Marks, MessageFacts, MessageOutcome, Observation, SaRecord, SaTally};
use crate::sa::copies::{self, CopyOf};
use crate::sa::place;

impl SaRecord {
    /// Whether a message with the bytes of one that came just before may be a copy that a tap
    /// made. Not between other ends altogether: no device on the way changes both, but a
    /// peer that moves tries its paths so (RFC 4555, 3.10). Nor is it one when a busy
    /// responder answers a request and its retransmission at once, and no other message of
    /// the SA was copied.
    pub(in crate::sa) fn is_copy(
        &mut self,
        copy: CopyOf,
        facts: &MessageFacts,
        observation: &Observation<'_>,
    ) -> bool {
        if copy == CopyOf::Nothing {
            return false;
        }
        let Some(present) = self.ends().filter(|_| self.messages > 0) else { return false };
        let ends = ends(facts, observation);
        // A NAT changes the address; another port of the same one is another sender.
        let is_elsewhere = |end: usize| present[end].address != ends[end].address;
        let is_near = match [present[0] == ends[0], present[1] == ends[1]] {
            [true, same] => same || is_elsewhere(1),
            [false, same] => same && is_elsewhere(0),
        };
        let is_second_answer = facts.response
            && self.duplicates == 0
            && self.window(facts).exchange(facts.id).is_some_and(|exchange| exchange.is_resent());
        // The SA may have moved on to other ends, as another thread has parsed.
        (copy == CopyOf::Here || is_near) && !is_second_answer
    }

    /// Counts a copy that a tap made, which is nothing that a peer did.
    pub(in crate::sa) fn observe_copy(
        &mut self,
        facts: &MessageFacts,
        observation: &Observation<'_>,
    ) -> MessageOutcome {
        let mut outcome = MessageOutcome::default();
        self.duplicates = self.duplicates.saturating_add(1);
        if let Some(present) = self.ends() {
            let ends = ends(facts, observation);
            if ends != present || self.rare.is_some() {
                let rare = self.rare.get_or_insert_default();
                place::note_copy(&mut rare.elsewhere, present, ends);
            }
        }
        self.observe_fragment(facts, observation, false, &mut outcome);
        self.last = self.last.max(observation.time);
        outcome
    }

    /// Takes over what was recorded of the SA's first requests alone, when its later
    /// messages were parsed before them. A half-open SA that is counted for both is one less.
    pub(in crate::sa) fn absorb(&mut self, request: Self) -> Option<(IpAddr, SaTally)> {
        let counted_twice = self.has(Marks::COUNTED) && request.has(Marks::COUNTED);
        let settled = SaTally::Settled(request.started);
        let tally = request.responder.filter(|_| counted_twice).map(|end| (end.address, settled));
        let copied = self.windows[0].begins_like(&request.windows[0])
            && copies::are_near(self.started, request.started);
        self.started = self.started.min(request.started);
        self.messages = self.messages.saturating_add(request.messages - u32::from(copied));
        self.duplicates =
            self.duplicates.saturating_add(request.duplicates).saturating_add(copied.into());
        self.retransmissions = self.retransmissions.saturating_add(request.retransmissions);
        self.marks |= Marks::INIT_SEEN | request.marks & Marks::COUNTED;
        self.nat.merge(request.nat);
        self.announced.merge(request.announced);
        self.transcript.merge(request.transcript);
        self.offer = self.offer.take().or(request.offer);
        self.windows[0].absorb(&request.windows[0]);
        tally
    }
}
