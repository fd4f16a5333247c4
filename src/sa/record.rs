//! The record of one IKE SA.

use std::num::NonZeroU64;

use crate::message::{Event, EventSet};
use crate::wire::registry::NotifyType;

use super::child_pfs::AnnouncedStatuses;
use super::esp::EspCounts;
use super::exchange::{
    report_match, Body, Exchange, ExchangeMatch, ExchangeWindow, InitStep, MessageFacts, Protected,
};
use super::fragment::{self, Fragments, MessageKey};
use super::lineage::Lineage;
use super::location::{self, Ends, OtherEnds};
use super::nat::NatEvidence;
use super::negotiation::{Chosen, StoredOffer};
use super::outcome;
use super::pressure::SaTally;
use super::step::{next, Step};
use super::summary::Summary;
use super::transcript::TranscriptAnnouncers;
use super::{Endpoint, Failure, Observation, State};

mod auth;
mod copied;
mod decrypted;
mod failover;
mod flow_traffic;
mod fragmented;
mod marks;
mod negotiated;
mod rekeyed;
mod reported;
mod steps;
mod waiting;

use marks::Marks;
pub(super) use rekeyed::Inheritance;

/// The microseconds after the first IKE_AUTH exchange in which an initiator rejects the
/// responder's authentication. A later message with a single notify has another meaning.
const SOON: u64 = 10_000_000;

/// Everything the table stores about an IKE SA.
#[derive(Debug)]
pub(super) struct SaRecord {
    pub(super) init_spi: [u8; 8],
    /// Zero until the responder has sent its SPI.
    pub(super) resp_spi: [u8; 8],
    pub(super) state: State,
    marks: Marks,
    pub(super) nat: NatEvidence,
    pub(super) failure: Option<Failure>,
    pub(super) initiator: Option<Endpoint>,
    pub(super) responder: Option<Endpoint>,
    pub(super) started: u64,
    /// The time of the latest message.
    pub(super) last: u64,
    pub(super) messages: u32,
    pub(super) retransmissions: u32,
    pub(super) duplicates: u32,
    pub(super) round_trip_us: Option<u32>,
    /// When IKE_AUTH succeeded. The value 0 is free for none, as no packet is from the epoch.
    established: Option<NonZeroU64>,
    pub(super) chosen: Option<Chosen>,
    /// The exchanges that the initiator began, and those that the responder began.
    windows: [ExchangeWindow; 2],
    /// Data that few SAs have, to keep the record small.
    rare: Option<Box<Rare>>,
    offer: Option<Box<StoredOffer>>,
    fragments: Option<Box<Fragments>>,
    pub(super) esp: EspCounts,
    /// The relations to other SAs, known from decrypted messages.
    pub(super) lineage: Option<Box<Lineage>>,
    /// The status notifies without a name in IKE_SA_INIT.
    pub(super) announced: AnnouncedStatuses,
    /// Which peers sent IKE_SA_INIT_FULL_TRANSCRIPT_AUTH.
    pub(super) transcript: TranscriptAnnouncers,
    /// What only the record of the SA says. None if there are no records of SAs.
    pub(super) summary: Option<Box<Summary>>,
}

/// Data that few SAs have.
#[derive(Debug, Default)]
struct Rare {
    /// The exchanges that synchronize Message IDs, one for each end. They use the id 0 again,
    /// so they cannot be in the windows.
    synchronizations: [Exchange; 2],
    /// Other addresses between which copies of messages were seen.
    other_ends: Option<Box<OtherEnds>>,
    /// A message that was parsed before the algorithms were known.
    unjudged: Option<Unjudged>,
}

/// A message that cannot be judged before the algorithms are known.
#[derive(Clone, Copy, Debug)]
enum Unjudged {
    /// A response of IKE_AUTH.
    Answer(Protected),
    /// A request that may be the initiator's last one after IKE_AUTH, with its Message ID.
    LastWord(Protected, u32),
}

/// The effects of a message beyond its own SA.
#[derive(Debug, Default)]
pub(super) struct MessageOutcome {
    pub(super) events: EventSet,
    pub(super) fragments: Option<fragment::Status>,
    /// The message is a new request of IKE_SA_INIT.
    pub(super) init_request: bool,
    /// The authentication of the initiator was refused.
    pub(super) refused: bool,
    /// Now both are known for the first time: the handshake has succeeded, and its algorithms.
    pub(super) settled: bool,
    /// The record of a new SA that the message created by rekeying or cloning.
    pub(super) successor: Option<Box<SaRecord>>,
}

impl SaRecord {
    /// A record without messages. If the first message is not of the handshake, the SA is in
    /// use.
    pub(super) fn new(facts: &MessageFacts, time: u64) -> Self {
        let (state, marks) = if facts.is_init() {
            (State::HalfOpen, Marks::FROM_START)
        } else if facts.is_use() {
            (State::Established, Marks::AUTH_SEEN)
        } else {
            (State::Authenticating, Marks::empty())
        };
        Self { state, marks, ..Self::blank(facts.init_spi, time) }
    }

    /// An empty record.
    fn blank(init_spi: [u8; 8], time: u64) -> Self {
        Self {
            init_spi,
            resp_spi: [0; 8],
            state: State::default(),
            marks: Marks::empty(),
            nat: NatEvidence::default(),
            failure: None,
            initiator: None,
            responder: None,
            started: time,
            last: time,
            messages: 0,
            retransmissions: 0,
            duplicates: 0,
            round_trip_us: None,
            established: None,
            chosen: None,
            windows: [ExchangeWindow::default(); 2],
            rare: None,
            offer: None,
            fragments: None,
            esp: EspCounts::default(),
            lineage: None,
            announced: AnnouncedStatuses::default(),
            transcript: TranscriptAnnouncers::default(),
            summary: None,
        }
    }

    /// The record of another SA, for a second responder SPI in answer to the same request.
    pub(super) fn sibling(&self) -> Self {
        let mut asked = self.windows[0];
        asked.forget_answer(0);
        Self {
            resp_spi: [0; 8],
            state: State::HalfOpen,
            marks: self.marks & (Marks::FROM_START | Marks::INIT_SEEN | Marks::BOTH_SEEN),
            nat: NatEvidence::default(),
            failure: None,
            chosen: None,
            windows: [asked, ExchangeWindow::default()],
            rare: None,
            offer: None,
            fragments: None,
            esp: EspCounts::default(),
            lineage: None,
            round_trip_us: None,
            established: None,
            summary: self.summary.as_ref().map(|summary| summary.of_initiator()),
            ..*self
        }
    }

    /// Whether the current message is the first one of the SA. Anybody can send one such
    /// message, so it proves nothing.
    fn is_first_message(&self) -> bool {
        self.messages == 0 && !self.is_mutual()
    }

    /// Whether a message of IKE_SA_INIT was seen.
    pub(super) fn has_init(&self) -> bool {
        self.has(Marks::INIT_SEEN)
    }

    /// Whether messages of both peers were seen. Then no single sender can have invented the
    /// SA.
    pub(super) fn is_mutual(&self) -> bool {
        self.has(Marks::BOTH_SEEN)
    }

    /// Whether a child SA has this SPI, also if the SA was deleted since.
    pub(super) fn has_child(&self, spi: u32) -> bool {
        self.lineage.as_ref().is_some_and(|lineage| lineage.child_spis().contains(&spi))
    }

    /// The bytes on the heap, without the record itself.
    pub(super) fn heap(&self) -> usize {
        let offer = self.offer.as_ref();
        let offer = offer.map_or(0, |offer| size_of::<StoredOffer>() + offer.heap_size());
        let fragments = self.fragments.as_ref();
        let fragments =
            fragments.map_or(0, |fragments| size_of::<Fragments>() + fragments.heap_size());
        let lineage = self.lineage.as_ref();
        let lineage = lineage.map_or(0, |lineage| size_of::<Lineage>() + lineage.heap_size());
        let other_ends =
            |rare: &Rare| rare.other_ends.as_ref().map_or(0, |_| size_of::<OtherEnds>());
        let rare = self.rare.as_ref();
        let rare = rare.map_or(0, |rare| size_of::<Rare>() + other_ends(rare));
        let summary = self.summary.as_ref();
        let summary = summary.map_or(0, |summary| size_of::<Summary>() + summary.heap_size());
        offer + fragments + lineage + rare + summary
    }

    /// Counts a message. A request that is repeated for longer than `patience` microseconds is
    /// taken as unanswered.
    pub(super) fn observe(
        &mut self,
        facts: &MessageFacts,
        observation: &Observation<'_>,
        patience: u64,
    ) -> MessageOutcome {
        let time = observation.time;
        let mut outcome = MessageOutcome::default();
        if self.has(Marks::ABNORMAL_ESP) {
            self.marks -= Marks::ABNORMAL_ESP;
            outcome.events.insert(Event::AbnormalEspSize);
        }
        self.locate(facts, observation);
        let too_soon = self.check_order(facts, &mut outcome.events);
        let after_whole = self.window(facts).came_whole(facts);
        let matched = self.pair(facts, time, &mut outcome.events);
        outcome.init_request = facts.body == Body::Init(InitStep::Request)
            && matches!(matched, ExchangeMatch::New | ExchangeMatch::Changed);
        match matched {
            ExchangeMatch::New => self.proceed(facts, observation, too_soon, &mut outcome),
            ExchangeMatch::Repeated => {
                self.retransmissions = self.retransmissions.saturating_add(1);
                if self.is_after_delete(facts, time) {
                    outcome.events.insert(Event::MessageAfterDelete);
                }
                let step = self.lose_patience(facts, time, patience);
                self.apply_step(step, time, &mut outcome);
            }
            ExchangeMatch::Part if facts.is_decrypted() => self.correct(facts, time, &mut outcome),
            ExchangeMatch::Part | ExchangeMatch::Changed | ExchangeMatch::Stray => {}
        }
        if facts.is_init() {
            self.announced.add_message(observation.message, facts.from_initiator);
            self.transcript.add_message(observation.message, facts.from_initiator);
        }
        self.announced.judge(observation.message, &mut outcome.events);
        if facts.is_decrypted()
            && !matches!(matched, ExchangeMatch::Repeated | ExchangeMatch::Changed)
        {
            outcome.successor = self.read_lineage(facts, observation.message, time);
        }
        self.observe_fragment(facts, observation, after_whole, &mut outcome);
        self.summarize(facts, observation.message, matched, &outcome);
        self.messages = self.messages.saturating_add(1);
        self.last = self.last.max(time);
        self.report_settled(&mut outcome);
        outcome
    }

    fn report_settled(&mut self, outcome: &mut MessageOutcome) {
        if self.established.is_some() && self.chosen.is_some() && !self.has(Marks::SETTLED) {
            self.marks |= Marks::SETTLED;
            outcome.settled = true;
        }
    }

    /// Whether the SA is certainly established. Until then, a message that looks like the last
    /// response of IKE_AUTH may be the first one of EAP.
    pub(super) fn is_confirmed(&self) -> bool {
        self.state == State::Established && self.has(Marks::CONFIRMED)
    }

    /// The change in the number of the responder's half-open SAs.
    pub(super) fn recount(&mut self) -> Option<SaTally> {
        let counts = self.state.is_half_open() && self.has(Marks::INIT_SEEN);
        if counts == self.has(Marks::COUNTED) {
            return None;
        }
        self.marks ^= Marks::COUNTED;
        Some(if counts {
            SaTally::HalfOpened(self.started)
        } else {
            SaTally::Settled(self.started)
        })
    }

    /// The milliseconds from the first IKE_SA_INIT to the response that established the SA.
    pub(super) fn handshake_ms(&self) -> Option<u32> {
        let passed = self.established?.get().checked_sub(self.started)?;
        self.has(Marks::INIT_SEEN).then(|| u32::try_from(passed / 1000).ok())?
    }

    /// Handles a message that is not a retransmission.
    fn proceed(
        &mut self,
        facts: &MessageFacts,
        observation: &Observation<'_>,
        too_soon: bool,
        outcome: &mut MessageOutcome,
    ) {
        let time = observation.time;
        if let Some(round_trip) = self.round_trip(facts, time) {
            self.round_trip_us = Some(round_trip);
        }
        let unknown = facts.body == Body::Clear(Some(NotifyType::INVALID_IKE_SPI));
        let surely_closed = self.has(Marks::SURELY_CLOSED) && !self.answers_delete(facts);
        // A message older than the delete was only parsed late.
        let is_behind = self.state == State::Closed && time >= self.last;
        if is_behind && (unknown || surely_closed) {
            outcome.events.insert(Event::MessageAfterDelete);
        }
        let step = self.step(facts, too_soon, time);
        self.apply_step(step, time, outcome);
        self.negotiate(facts, observation, &mut outcome.events);
        if self.chosen.is_some() {
            let step = self.judge_postponed();
            self.apply_step(step, self.last, outcome);
        }
    }

    /// Whether the message answers a delete. Both peers may send a delete at the same time.
    fn answers_delete(&mut self, facts: &MessageFacts) -> bool {
        let exchange = self.window(facts).exchange(facts.id).filter(|_| facts.response);
        exchange.is_some_and(|exchange| exchange.asks_to_delete())
    }

    /// Stores the addresses of the peers. A later message replaces an earlier one, because
    /// peers move (RFC 4555) and NATs change their mapping. A message that was parsed late
    /// does not.
    fn locate(&mut self, facts: &MessageFacts, observation: &Observation<'_>) {
        let ends = ends(facts, observation);
        let present = self.ends();
        if observation.time >= self.last || present.is_none() {
            let [initiator, responder] = match (&mut self.rare, present) {
                (Some(rare), Some(present)) => {
                    location::move_to(&mut rare.other_ends, present, ends)
                }
                _ => ends,
            };
            (self.initiator, self.responder) = (Some(initiator), Some(responder));
        }
        self.marks |= match facts.from_initiator {
            true => Marks::INITIATOR_SEEN,
            false => Marks::RESPONDER_SEEN,
        };
        if self.resp_spi == [0; 8] {
            self.resp_spi = facts.resp_spi;
        }
        if facts.is_init() {
            self.started = self.started.min(observation.time);
            self.marks |= Marks::INIT_SEEN;
        }
    }

    fn ends(&self) -> Option<Ends> {
        Some([self.initiator?, self.responder?])
    }

    fn window(&mut self, facts: &MessageFacts) -> &mut ExchangeWindow {
        &mut self.windows[side(facts)]
    }

    fn round_trip(&mut self, facts: &MessageFacts, time: u64) -> Option<u32> {
        if facts.may_synchronize() {
            // Several requests may have the id 0, so the time between is not known.
            return None;
        }
        facts.response.then(|| self.window(facts).round_trip(facts.id, time))?
    }

    /// Whether a missing message is known to be missing. This is not known if the capture
    /// began in the middle of the SA or has only one direction.
    fn knows_order(&self) -> bool {
        self.has(Marks::FROM_START) && self.has(Marks::BOTH_SEEN)
    }

    /// Finds exchanges that come before authentication, or authentication that comes twice.
    /// Only a request with the next id proves that no message was missed. Returns whether the
    /// exchange came before authentication.
    fn check_order(&mut self, facts: &MessageFacts, events: &mut EventSet) -> bool {
        if facts.response || !self.has(Marks::FROM_START) {
            return false;
        }
        let from_zero = self.knows_order();
        if !self.windows[side(facts)].is_next(facts.id, from_zero) {
            return false;
        }
        if facts.is_use() && !self.has(Marks::AUTH_SEEN) && self.state != State::Established {
            events.insert(Event::OutOfOrderExchange);
            return true;
        }
        if facts.is_auth() && self.is_second_authentication(facts) {
            events.insert(Event::AuthTwice);
        }
        false
    }

    fn has(&self, marks: Marks) -> bool {
        self.marks.contains(marks)
    }
}

/// The end that began the exchange: 0 for the initiator, 1 for the responder.
fn side(facts: &MessageFacts) -> usize {
    usize::from(!facts.asked_by_initiator())
}

fn ends(facts: &MessageFacts, observation: &Observation<'_>) -> Ends {
    match facts.from_initiator {
        true => [observation.from, observation.to],
        false => [observation.to, observation.from],
    }
}

fn key(facts: &MessageFacts) -> MessageKey {
    MessageKey {
        message_id: facts.id,
        from_initiator: facts.from_initiator,
        response: facts.response,
    }
}
