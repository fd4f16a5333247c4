//! Copies of messages that a tap makes, and two records that belong to one SA.

use std::net::IpAddr;

use super::{ends, Marks, MessageFacts, MessageOutcome, Observation, SaRecord, SaTally};
use crate::sa::copies::{self, CopyOf};
use crate::sa::location;

impl SaRecord {
    /// Whether a message with the same bytes as a recent one is a copy that a tap made.
    ///
    /// It is no copy if both addresses differ: no device on the path changes both, but a peer
    /// that moves tests its paths in this way (RFC 4555, 3.10). It is also no copy if a busy
    /// responder answers a request and its retransmission at the same time, and no other
    /// message of the SA was copied.
    pub(in crate::sa) fn is_copy(
        &mut self,
        copy: CopyOf,
        facts: &MessageFacts,
        observation: &Observation<'_>,
    ) -> bool {
        if copy == CopyOf::None {
            return false;
        }
        let Some(present) = self.ends().filter(|_| self.messages > 0) else { return false };
        let ends = ends(facts, observation);
        // A NAT changes the address. Another port of the same address is another sender.
        let is_elsewhere = |end: usize| present[end].address != ends[end].address;
        let is_near = match [present[0] == ends[0], present[1] == ends[1]] {
            [true, same] => same || is_elsewhere(1),
            [false, same] => same && is_elsewhere(0),
        };
        let is_second_answer = facts.response
            && self.duplicates == 0
            && self.window(facts).exchange(facts.id).is_some_and(|exchange| exchange.is_resent());
        // The SA may have moved to other addresses already, if another thread was faster.
        (copy == CopyOf::SameEnds || is_near) && !is_second_answer
    }

    /// Counts a copy that a tap made. It changes nothing else, because no peer sent it.
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
                location::add_copy(&mut rare.other_ends, present, ends);
            }
        }
        self.observe_fragment(facts, observation, false, &mut outcome);
        self.last = self.last.max(observation.time);
        outcome
    }

    /// Adds the record of the SA's first requests, if the later messages were parsed before
    /// them. If both records are counted as half-open, returns that there is one less.
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
        if let Some((summary, other)) = self.summary.as_mut().zip(request.summary) {
            summary.absorb(&other);
        }
        tally
    }
}
