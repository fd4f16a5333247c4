//! The record of one IKE SA.

use std::num::NonZeroU64;

use crate::message::{Event, EventSet, Message};
use crate::wire::registry::{ExchangeType, NotifyType, PayloadType};

use super::child_pfs::Announced;
use super::esp::Esp;
use super::exchange::{
    report_sight, Body, Exchange, ExchangeSight, ExchangeWindow, FragmentPart, InitStep,
    MessageFacts, Protected,
};
use super::fragment::{self, Fragments, MessageKey};
use super::known::Known;
use super::lineage::Lineage;
use super::nat;
use super::negotiation::{self, Chosen, Irregularities, Irregularity, StoredOffer};
use super::outcome::{self, Certainty, Sizes};
use super::place::{self, Elsewhere, Ends};
use super::pressure::SaTally;
use super::step::{next, Step};
use super::transcript::Announcers;
use super::{Endpoint, Failure, Observation, Reason, State};

mod carried;
mod copied;
mod decrypted;
mod failover;
mod fragmented;

/// How soon after its first IKE_AUTH exchange an initiator rejects the responder's
/// authentication, in microseconds. A lone notify later on is something else.
const SOON: u64 = 10_000_000;

/// What is remembered of an IKE SA.
#[derive(Debug)]
pub(super) struct SaRecord {
    pub(super) init_spi: [u8; 8],
    /// All zero until the responder has named one.
    pub(super) resp_spi: [u8; 8],
    pub(super) state: State,
    marks: u16,
    pub(super) nat: nat::Views,
    pub(super) failure: Option<Failure>,
    pub(super) initiator: Option<Endpoint>,
    pub(super) responder: Option<Endpoint>,
    pub(super) started: u64,
    /// The time of its latest message.
    pub(super) last: u64,
    pub(super) messages: u32,
    pub(super) retransmissions: u32,
    pub(super) duplicates: u32,
    pub(super) round_trip_us: Option<u32>,
    /// When IKE_AUTH succeeded, if it did; no packet is from the epoch itself.
    established: Option<NonZeroU64>,
    pub(super) chosen: Option<Chosen>,
    /// The exchanges that the initiator and that the responder began.
    windows: [ExchangeWindow; 2],
    /// What few SAs have.
    rare: Option<Box<Rare>>,
    offer: Option<Box<StoredOffer>>,
    fragments: Option<Box<Fragments>>,
    pub(super) esp: Esp,
    /// What opened messages tell of other SAs.
    pub(super) lineage: Option<Box<Lineage>>,
    /// What the peers' IKE_SA_INIT announced.
    pub(super) announced: Announced,
    /// The same of IKE_SA_INIT_FULL_TRANSCRIPT_AUTH.
    pub(super) transcript: Announcers,
}

/// What few SAs have.
#[derive(Debug, Default)]
struct Rare {
    /// The exchanges that synchronize Message IDs, one of each end. They have the id 0,
    /// which others had before them.
    synchronizations: [Exchange; 2],
    /// Other ends between which copies were seen.
    elsewhere: Option<Box<Elsewhere>>,
    /// What another thread parsed before the algorithms were known.
    unjudged: Option<Unjudged>,
}

/// A message that waits for the algorithms to be judged.
#[derive(Clone, Copy, Debug)]
enum Unjudged {
    /// An answer to IKE_AUTH.
    Answer(Protected),
    /// What may be the initiator's last word after it, and its Message ID.
    LastWord(Protected, u32),
}

/// What the message did that concerns others than its SA.
#[derive(Debug, Default)]
pub(super) struct MessageOutcome {
    pub(super) events: EventSet,
    pub(super) fragments: Option<fragment::Status>,
    /// A request of IKE_SA_INIT that was not sent before.
    pub(super) init_request: bool,
    /// The initiator's authentication was refused.
    pub(super) refused: bool,
    /// The handshake has succeeded, and the algorithms are known, for the first time.
    pub(super) settled: bool,
    /// The record of the SA that takes this one's place from now on.
    pub(super) successor: Option<Box<SaRecord>>,
}

impl SaRecord {
    /// Seen from its first message on.
    const FROM_START: u16 = 1;
    const INITIATOR_SEEN: u16 = 2;
    const RESPONDER_SEEN: u16 = 4;
    const BOTH_SEEN: u16 = Self::INITIATOR_SEEN | Self::RESPONDER_SEEN;
    /// A request of IKE_AUTH was seen.
    const AUTH_SEEN: u16 = 8;
    /// No further round of IKE_AUTH belongs to the handshake.
    const AUTH_OVER: u16 = 16;
    /// The responder takes more than one authentication (RFC 4739).
    const MULTIPLE_AUTH: u16 = 32;
    /// It asked for another key exchange method before.
    const GROUP_ASKED: u16 = 64;
    /// That it was deleted is beyond doubt.
    const SURELY_CLOSED: u16 = 128;
    /// A message of IKE_SA_INIT was seen, if not as the first.
    const INIT_SEEN: u16 = 256;
    /// What came behind the handshake proves that it succeeded.
    const CONFIRMED: u16 = 512;
    /// ESP of abnormal size came since the last message.
    const ABNORMAL_ESP: u16 = 1024;
    /// Counted among the half-open SAs of its responder.
    const COUNTED: u16 = 2048;
    /// What it settled for is known, and was told.
    const SETTLED: u16 = 4096;

    /// A record without messages. An SA that is first seen in another exchange than
    /// those of the handshake is in use.
    pub(super) fn new(facts: &MessageFacts, time: u64) -> Self {
        let (state, marks) = if facts.is_init() {
            (State::HalfOpen, Self::FROM_START)
        } else if facts.is_use() {
            (State::Established, Self::AUTH_SEEN)
        } else {
            (State::Authenticating, 0)
        };
        Self { state, marks, ..Self::blank(facts.init_spi, time) }
    }

    /// A record of which nothing is known.
    fn blank(init_spi: [u8; 8], time: u64) -> Self {
        Self {
            init_spi,
            resp_spi: [0; 8],
            state: State::default(),
            marks: 0,
            nat: nat::Views::default(),
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
            esp: Esp::default(),
            lineage: None,
            announced: Announced::default(),
            transcript: Announcers::default(),
        }
    }

    /// The record of an SA that a second responder SPI makes of the same request.
    pub(super) fn sibling(&self) -> Self {
        let mut asked = self.windows[0];
        asked.forget_answer(0);
        Self {
            resp_spi: [0; 8],
            state: State::HalfOpen,
            marks: self.marks & (Self::FROM_START | Self::INIT_SEEN | Self::BOTH_SEEN),
            nat: nat::Views::default(),
            failure: None,
            chosen: None,
            windows: [asked, ExchangeWindow::default()],
            rare: None,
            offer: None,
            fragments: None,
            esp: Esp::default(),
            lineage: None,
            round_trip_us: None,
            established: None,
            ..*self
        }
    }

    /// Whether nothing was seen of it before the message at hand, which can be sent by
    /// anybody.
    fn is_claim(&self) -> bool {
        self.messages == 0 && !self.is_mutual()
    }

    /// Whether a message of IKE_SA_INIT was seen.
    pub(super) fn has_init(&self) -> bool {
        self.has(Self::INIT_SEEN)
    }

    /// Whether both peers take part, so that nobody can have invented it alone.
    pub(super) fn is_mutual(&self) -> bool {
        self.has(Self::BOTH_SEEN)
    }

    /// The bytes it has besides itself.
    pub(super) fn heap(&self) -> usize {
        let offer = self.offer.as_ref();
        let offer = offer.map_or(0, |offer| size_of::<StoredOffer>() + offer.heap_size());
        let fragments = self.fragments.as_ref();
        let fragments =
            fragments.map_or(0, |fragments| size_of::<Fragments>() + fragments.heap_size());
        let lineage = self.lineage.as_ref();
        let lineage = lineage.map_or(0, |lineage| size_of::<Lineage>() + lineage.heap_size());
        let elsewhere = |rare: &Rare| rare.elsewhere.as_ref().map_or(0, |_| size_of::<Elsewhere>());
        let rare = self.rare.as_ref();
        let rare = rare.map_or(0, |rare| size_of::<Rare>() + elsewhere(rare));
        offer + fragments + lineage + rare
    }

    /// Counts a message in. A request that is repeated for longer than `patience`
    /// has nobody to answer it.
    pub(super) fn observe(
        &mut self,
        facts: &MessageFacts,
        observation: &Observation<'_>,
        patience: u64,
    ) -> MessageOutcome {
        let time = observation.time;
        let mut outcome = MessageOutcome::default();
        if self.has(Self::ABNORMAL_ESP) {
            self.marks &= !Self::ABNORMAL_ESP;
            outcome.events.insert(Event::AbnormalEspSize);
        }
        self.locate(facts, observation);
        let too_soon = self.check_order(facts, &mut outcome.events);
        let after_whole = self.window(facts).came_whole(facts);
        let sight = self.pair(facts, time, &mut outcome.events);
        outcome.init_request = facts.body == Body::InitStep(InitStep::Request)
            && matches!(sight, ExchangeSight::New | ExchangeSight::Changed);
        match sight {
            ExchangeSight::New => self.proceed(facts, observation, too_soon, &mut outcome),
            ExchangeSight::Repeated => {
                self.retransmissions = self.retransmissions.saturating_add(1);
                if self.is_after_delete(facts, time) {
                    outcome.events.insert(Event::MessageAfterDelete);
                }
                let step = self.lose_patience(facts, time, patience);
                self.take(step, time, &mut outcome);
            }
            ExchangeSight::FragmentPart if facts.is_opened() => {
                self.correct(facts, time, &mut outcome)
            }
            ExchangeSight::FragmentPart | ExchangeSight::Changed | ExchangeSight::Stray => {}
        }
        if facts.is_init() {
            self.announced.note(observation.message, facts.from_initiator);
            self.transcript.note(observation.message, facts.from_initiator);
        }
        self.announced.judge(observation.message, &mut outcome.events);
        if facts.is_opened() && !matches!(sight, ExchangeSight::Repeated | ExchangeSight::Changed) {
            outcome.successor = self.read_lineage(facts, observation.message, time);
        }
        self.observe_fragment(facts, observation, after_whole, &mut outcome);
        self.messages = self.messages.saturating_add(1);
        self.last = self.last.max(time);
        self.settle(&mut outcome);
        outcome
    }

    fn settle(&mut self, outcome: &mut MessageOutcome) {
        if self.established.is_some() && self.chosen.is_some() && !self.has(Self::SETTLED) {
            self.marks |= Self::SETTLED;
            outcome.settled = true;
        }
    }

    /// Whether that the SA is established is beyond doubt: until then what looks like the
    /// last response of IKE_AUTH may be the first of EAP.
    pub(super) fn is_confirmed(&self) -> bool {
        self.state == State::Established && self.has(Self::CONFIRMED)
    }

    /// Whether the SA is one more, or one less, of those that its responder has half-open.
    pub(super) fn recount(&mut self) -> Option<SaTally> {
        let counts = self.state.is_half_open() && self.has(Self::INIT_SEEN);
        if counts == self.has(Self::COUNTED) {
            return None;
        }
        self.marks ^= Self::COUNTED;
        Some(if counts { SaTally::Opened(self.started) } else { SaTally::Settled(self.started) })
    }

    /// From the first IKE_SA_INIT to the response that established the SA.
    pub(super) fn handshake_ms(&self) -> Option<u32> {
        let passed = self.established?.get().checked_sub(self.started)?;
        self.has(Self::INIT_SEEN).then(|| u32::try_from(passed / 1000).ok())?
    }

    /// What a message that is not a repetition does.
    fn proceed(
        &mut self,
        facts: &MessageFacts,
        observation: &Observation<'_>,
        too_soon: bool,
        outcome: &mut MessageOutcome,
    ) {
        let time = observation.time;
        if let Some(round_trip) = self.take_round_trip(facts, time) {
            self.round_trip_us = Some(round_trip);
        }
        let unknown = facts.body == Body::Clear(Some(NotifyType::INVALID_IKE_SPI));
        let surely_closed = self.has(Self::SURELY_CLOSED) && !self.answers_delete(facts);
        // One that is older was only parsed later.
        let is_behind = self.state == State::Closed && time >= self.last;
        if is_behind && (unknown || surely_closed) {
            outcome.events.insert(Event::MessageAfterDelete);
        }
        let step = self.step(facts, too_soon, time);
        self.take(step, time, outcome);
        self.negotiate(facts, observation, &mut outcome.events);
        if self.chosen.is_some() {
            let step = self.judge_at_last();
            self.take(step, self.last, outcome);
        }
    }

    /// Whether the message is the answer to a delete: both peers may ask for it at once.
    fn answers_delete(&mut self, facts: &MessageFacts) -> bool {
        let exchange = self.window(facts).exchange(facts.id).filter(|_| facts.response);
        exchange.is_some_and(|exchange| exchange.asks_to_delete())
    }

    /// Learns where the peers are; a later message overrides an earlier one, as
    /// peers move (RFC 4555) and NATs change their mind. One that was only parsed later
    /// does not.
    fn locate(&mut self, facts: &MessageFacts, observation: &Observation<'_>) {
        let ends = ends(facts, observation);
        let present = self.ends();
        if observation.time >= self.last || present.is_none() {
            let [initiator, responder] = match (&mut self.rare, present) {
                (Some(rare), Some(present)) => place::after(&mut rare.elsewhere, present, ends),
                _ => ends,
            };
            (self.initiator, self.responder) = (Some(initiator), Some(responder));
        }
        self.marks |= match facts.from_initiator {
            true => Self::INITIATOR_SEEN,
            false => Self::RESPONDER_SEEN,
        };
        if self.resp_spi == [0; 8] {
            self.resp_spi = facts.resp_spi;
        }
        if facts.is_init() {
            self.started = self.started.min(observation.time);
            self.marks |= Self::INIT_SEEN;
        }
    }

    fn ends(&self) -> Option<Ends> {
        Some([self.initiator?, self.responder?])
    }

    fn window(&mut self, facts: &MessageFacts) -> &mut ExchangeWindow {
        &mut self.windows[side(facts)]
    }

    fn take_round_trip(&mut self, facts: &MessageFacts, time: u64) -> Option<u32> {
        if facts.may_synchronize() {
            // Of which of the messages with id 0 it is the answer matters to nobody.
            return None;
        }
        facts.response.then(|| self.window(facts).round_trip(facts.id, time))?
    }

    /// Whether a message that is missing was not sent, or was lost on the way here:
    /// not if the SA was first seen in its middle or from one side only.
    fn knows_order(&self) -> bool {
        self.has(Self::FROM_START) && self.has(Self::BOTH_SEEN)
    }

    /// Exchanges that come too soon or once more. Only a request that follows
    /// without a gap proves that none was missed. Returns whether it came too soon.
    fn check_order(&mut self, facts: &MessageFacts, events: &mut EventSet) -> bool {
        if facts.response || !self.has(Self::FROM_START) {
            return false;
        }
        let from_zero = self.knows_order();
        if !self.windows[side(facts)].is_next(facts.id, from_zero) {
            return false;
        }
        if facts.is_use() && !self.has(Self::AUTH_SEEN) && self.state != State::Established {
            events.insert(Event::OutOfOrderExchange);
            return true;
        }
        if facts.is_auth() && self.is_second_authentication(facts) {
            events.insert(Event::AuthTwice);
        }
        false
    }

    /// IKE_AUTH has one round, several with EAP, and a further identity only where
    /// the responder said that it takes one (RFC 4739).
    fn is_second_authentication(&self, facts: &MessageFacts) -> bool {
        let another_identity = facts.protected().is_some_and(|protected| {
            protected.inner == PayloadType::IDI && protected.part != FragmentPart::Later
        });
        let answered = self.state == State::Established || self.has(Self::AUTH_OVER);
        match another_identity {
            true => answered && !self.has(Self::MULTIPLE_AUTH),
            false => self.has(Self::AUTH_OVER),
        }
    }

    /// What a new message means.
    fn step(&mut self, facts: &MessageFacts, too_soon: bool, time: u64) -> Option<Step> {
        match facts.body {
            Body::InitStep(init) => self.init_step(init),
            Body::Clear(error) => self.clear_step(facts, error),
            Body::Protected(protected) if facts.is_auth() => self.auth_step(facts, protected),
            Body::Protected(protected) if facts.is_use() => {
                self.use_step(facts, protected, too_soon, time)
            }
            Body::Protected(_) => None,
        }
    }

    fn init_step(&mut self, init: InitStep) -> Option<Step> {
        if self.has(Self::AUTH_SEEN) {
            // It comes late, and what became of the handshake is known.
            return None;
        }
        Some(match init {
            InitStep::Request => Step::Begin,
            InitStep::Accept => Step::Accept,
            InitStep::Cookie => Step::AskCookie,
            InitStep::Redirect => Step::Redirect,
            // The initiator has had its second try.
            InitStep::Group if self.has(Self::GROUP_ASKED) => {
                Step::Fail(Reason::Notify(NotifyType::INVALID_KE_PAYLOAD))
            }
            InitStep::Group => {
                self.marks |= Self::GROUP_ASKED;
                Step::AskGroup
            }
            InitStep::Reject(kind) => Step::Fail(Reason::Notify(kind)),
            InitStep::Unclear => return None,
        })
    }

    /// An answer in clear: nobody vouches for it, but a responder that cannot decrypt
    /// IKE_AUTH has no other (RFC 7296, 2.21.2).
    fn clear_step(&self, facts: &MessageFacts, error: Option<NotifyType>) -> Option<Step> {
        let open = matches!(self.state, State::InitDone | State::Authenticating);
        let answer = facts.response && facts.is_auth();
        error.filter(|_| answer && open).map(|kind| Step::Fail(Reason::Notify(kind)))
    }

    fn auth_step(&mut self, facts: &MessageFacts, protected: Protected) -> Option<Step> {
        self.marks |= Self::AUTH_SEEN;
        if facts.response {
            return self.auth_answer(facts, protected);
        }
        let over = self.has(Self::AUTH_OVER) || !self.windows[0].is_newest(facts.id);
        // Another round shows that the answer before was not the last.
        (!over || self.state != State::Established).then_some(Step::Authenticate)
    }

    fn auth_answer(&mut self, facts: &MessageFacts, answer: Protected) -> Option<Step> {
        if answer.known == Some(Known::Authenticated) && !self.takes_another(facts) {
            self.marks |= Self::AUTH_OVER | Self::CONFIRMED;
        }
        self.judge_answer(answer)
    }

    /// Whether a further authentication may follow (RFC 4739), as the opened request says,
    /// or the responder.
    fn takes_another(&mut self, facts: &MessageFacts) -> bool {
        let multiple = self.has(Self::MULTIPLE_AUTH);
        let asked = self.window(facts).exchange(facts.id).filter(|asked| asked.is_opened());
        asked.map_or(multiple, |asked| asked.announces_another())
    }

    fn judge_answer(&mut self, answer: Protected) -> Option<Step> {
        let step = outcome::judge(answer, self.sizes());
        let waits = step.is_none() && answer.known.is_none();
        self.postpone(waits.then_some(Unjudged::Answer(answer)));
        if answer.known.is_none() && answer.inner == PayloadType::AUTH {
            self.marks |= Self::AUTH_OVER | Self::CONFIRMED;
        }
        step
    }

    /// Keeps a message until it can be judged, or none.
    fn postpone(&mut self, unjudged: Option<Unjudged>) {
        if self.rare.is_some() || unjudged.is_some() {
            self.rare.get_or_insert_default().unjudged = unjudged;
        }
    }

    fn judge_at_last(&mut self) -> Option<Step> {
        match self.rare.as_mut()?.unjudged.take()? {
            Unjudged::Answer(answer) => self.judge_answer(answer),
            Unjudged::LastWord(request, id) => {
                let is_last = outcome::is_lone_notify(request, self.sizes()) == Some(true);
                // Its answer may still have to come.
                self.windows[0].exchange(id).filter(|_| is_last)?.mark_last_word();
                Some(Step::Fail(Reason::RefusedByInitiator))
            }
        }
    }

    fn use_step(
        &mut self,
        facts: &MessageFacts,
        protected: Protected,
        too_soon: bool,
        time: u64,
    ) -> Option<Step> {
        if facts.response {
            return self.use_answer(facts, protected);
        }
        // Whoever says something more has not said the last word.
        if let Some(rare) = &mut self.rare {
            rare.unjudged = rare.unjudged.filter(|it| matches!(it, Unjudged::Answer(_)));
        }
        let gives_up = self.gives_up(facts, protected, time);
        if too_soon || gives_up {
            // Its answer does not make this an SA in use.
            self.window(facts).exchange(facts.id)?.mark_last_word();
        }
        if !too_soon {
            self.marks |= Self::AUTH_OVER;
        }
        let reason = match protected.known {
            Some(Known::Error(kind)) => Reason::Lineage(kind),
            _ => Reason::RefusedByInitiator,
        };
        gives_up.then_some(Step::Fail(reason))
    }

    /// An initiator that does not accept the responder's authentication, or is told
    /// by EAP that its own failed, says so in an exchange of its own and is done
    /// (RFC 7296, 2.21.2).
    fn gives_up(&mut self, facts: &MessageFacts, protected: Protected, time: u64) -> bool {
        if facts.exchange != ExchangeType::INFORMATIONAL || !facts.from_initiator {
            return false;
        }
        if let Some(known) = protected.known {
            let is_error = matches!(known, Known::Error(_));
            return match self.state {
                State::Authenticating => is_error,
                // What was inferred from it before has now a name.
                State::Established | State::Failed => known.is_fatal(),
                _ => false,
            };
        }
        let lone_notify = outcome::is_lone_notify(protected, self.sizes());
        let before = facts.id.checked_sub(1).and_then(|id| self.windows[0].exchange(id));
        let after_auth = before.is_some_and(|before| before.is_auth());
        match self.state {
            // Nothing else can be said yet, whatever its size.
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

    /// The response that completes an exchange of an SA in use.
    fn use_answer(&mut self, facts: &MessageFacts, answer: Protected) -> Option<Step> {
        let sizes = self.sizes();
        let surely_closed = self.state == State::Closed && self.has(Self::SURELY_CLOSED);
        let exchange = self.window(facts).exchange(facts.id)?;
        if exchange.is_last_word() || surely_closed {
            return None;
        }
        let deletes = exchange.asks_to_delete();
        let deletion = match exchange.is_opened() {
            true => Some(Certainty::Certain),
            false => outcome::deletion(exchange.asked, answer, sizes),
        };
        match deletion.filter(|_| deletes) {
            None => Some(Step::Use),
            Some(certainty) => {
                if certainty == Certainty::Certain {
                    self.marks |= Self::SURELY_CLOSED;
                }
                Some(Step::Delete)
            }
        }
    }

    /// How long the newest request has waited for an answer that takes it on, if this is
    /// that request again.
    fn waited(&mut self, facts: &MessageFacts, time: u64) -> Option<u64> {
        let window = self.window(facts);
        let waited = time.saturating_sub(window.asked_at());
        let waits = !facts.response
            && window.is_newest(facts.id)
            && window.exchange(facts.id)?.awaits_answer();
        waits.then_some(waited)
    }

    /// Whether a request of an SA that was probably deleted is repeated because nobody is
    /// there to answer it.
    fn is_after_delete(&mut self, facts: &MessageFacts, time: u64) -> bool {
        self.state == State::Closed && self.waited(facts, time) >= Some(SOON)
    }

    /// A request that is repeated for as long as a half-open SA lasts: nobody answers, or
    /// the initiator does not come with the group that it was asked for.
    fn lose_patience(&mut self, facts: &MessageFacts, time: u64, patience: u64) -> Option<Step> {
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

    fn take(&mut self, step: Option<Step>, time: u64, outcome: &mut MessageOutcome) {
        let Some(step) = step else { return };
        if matches!(step, Step::Authenticated | Step::Use) && self.is_claim() {
            return;
        }
        if step == Step::Authenticated {
            self.established = NonZeroU64::new(time);
        }
        if step == Step::Use {
            self.marks |= Self::CONFIRMED;
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
            self.marks &= !Self::CONFIRMED;
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

    /// A failure that was inferred gets the name that an opened message has for it.
    fn name_failure(&mut self, step: Step) {
        if let Step::Fail(reason @ (Reason::Lineage(_) | Reason::EapFailure)) = step {
            if let Some(failure) = self.failure.as_mut().filter(|failure| failure.inferred) {
                *failure = Failure { reason, inferred: false };
            }
        }
    }

    fn sizes(&self) -> Option<Sizes> {
        let chosen = self.chosen?;
        Sizes::of(chosen.encr()?, chosen.integ())
    }

    /// Offer and choice, and what the peers say of NATs, in IKE_SA_INIT. What was
    /// chosen first stays: an answer that comes later is not the SA's.
    fn negotiate(
        &mut self,
        facts: &MessageFacts,
        observation: &Observation<'_>,
        events: &mut EventSet,
    ) {
        let Body::InitStep(init) = facts.body else { return };
        let message = observation.message;
        if self.chosen.is_some() {
            return;
        }
        if let Some(sight) = nat::assess(message, &observation.from, &observation.to) {
            self.nat.add(sight);
        }
        let mut found = match (init, &mut self.offer) {
            (InitStep::Request, _) => negotiation::check_request(message),
            (_, Some(offer)) => offer.check_response(message),
            (_, None) => Irregularities::default(),
        };
        match init {
            InitStep::Request => found.merge(self.keep_offer(message)),
            InitStep::Accept => {
                self.chosen = Chosen::of(message);
                self.offer = None;
                if message
                    .notifies()
                    .any(|notify| notify.kind == NotifyType::MULTIPLE_AUTH_SUPPORTED)
                {
                    self.marks |= Self::MULTIPLE_AUTH;
                }
            }
            _ => {}
        }
        report_irregularities(found, events);
    }

    fn keep_offer(&mut self, message: &Message) -> Irregularities {
        match (&mut self.offer, StoredOffer::of(message)) {
            (Some(offer), Some(next)) => offer.renew(next),
            (kept, next) => {
                *kept = next.map(Box::new);
                Irregularities::default()
            }
        }
    }

    fn has(&self, marks: u16) -> bool {
        self.marks & marks == marks
    }
}

/// Which end began the exchange of a message.
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

/// The events of a negotiation.
pub(super) fn report_irregularities(found: Irregularities, events: &mut EventSet) {
    for irregularity in found.iter() {
        events.insert(match irregularity {
            Irregularity::ChosenNotOffered => Event::ChosenNotOffered,
            Irregularity::MultipleChosen => Event::MultipleChosen,
            Irregularity::KeGroupNotOffered => Event::KeGroupNotOffered,
            Irregularity::DowngradeKe => Event::DowngradeKe,
            Irregularity::DowngradeRetry => Event::DowngradeRetry,
            Irregularity::DowngradePeers => Event::DowngradePeers,
        });
    }
}
