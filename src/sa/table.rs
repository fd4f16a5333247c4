//! The table of all IKE SAs. All threads share it.
//!
//! The records are divided into shards by a keyed hash of the initiator's SPI, so that an
//! attacker cannot choose the shard or a chain in it. A message locks only its own shard. Sums
//! over all shards are atomic counters.

use core::hash::BuildHasher;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::keyed_hash::KeyedHash;
use crate::message::{Event, EventSet, Message};
use crate::wire::registry::ExchangeType;

use super::clock::{thread_number, Clock, Now};
use super::esp::{EspCounts, FlowSa};
use super::exchange::{Body, InitStep, MessageFacts};
use super::limits::{Limits, MICROSECONDS};
use super::lineage::Lineage;
use super::negotiation::PeerStrengths;
use super::of_flow::{Joined, Paths, SaKey, SaOfFlow};
use super::pressure::{Pressure, SaTally};
use super::record::{Inheritance, MessageOutcome, SaRecord};
use super::report::{SaReport, WaitingReports};
use super::slab::{By, Class, Slab};
use super::{LineageView, Observation, SaView, State};

/// With this number of shards two threads rarely wait for each other.
const SHARDS: usize = 256;
/// The maximum number of expired records that one message removes. A message adds at most one
/// record, so two are enough.
const EXPIRED_AT_ONCE: usize = 2;
/// The maximum number of other shards that are searched for one with too many half-open SAs,
/// if the shard of the message has SAs of another class to evict.
const SEARCHED: usize = 8;

/// The table remembers one pair of peers for each 1024 bytes of the memcap.
const BYTES_A_PAIR: u64 = 1024;

/// The factor by which an answered handshake may take longer than an unanswered one.
const PATIENCE: u64 = 4;

/// The counters in Suricata's statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// The number of SAs in the table.
    pub active: u64,
    /// The number of SAs whose handshake is still in progress.
    pub half_open: u64,
    /// The bytes in use.
    pub memuse: u64,
    /// The number of SAs that were removed because memory was short, since the start.
    pub evicted: u64,
    /// The number of half-open SAs that were removed after their timeout, since the start,
    /// because the request had no answer but a cookie or another key exchange method.
    pub unanswered: u64,
    /// The number of SAs that were removed after their timeout when IKE_SA_INIT was complete.
    pub unfinished: u64,
    /// The number of reports that could not be kept, since the start.
    pub reports_lost: u64,
    /// The number of reports that wait for a packet.
    pub reports_waiting: u64,
}

/// The table of all IKE SAs.
#[derive(Debug)]
pub struct SaTable {
    limits: Limits,
    shards: Box<[Mutex<Slab>]>,
    pressure: Pressure,
    peers: PeerStrengths,
    hasher: KeyedHash,
    sums: Sums,
    clock: Clock,
    reports: WaitingReports,
    paths: Paths,
    /// The second in which all shards were searched for expired records.
    swept: AtomicU64,
}

#[derive(Debug, Default)]
struct Sums {
    active: AtomicU64,
    half_open: AtomicU64,
    memuse: AtomicU64,
    evicted: AtomicU64,
    unanswered: AtomicU64,
    unfinished: AtomicU64,
}

impl SaTable {
    /// An empty table.
    pub fn new(limits: Limits) -> Self {
        let hasher = KeyedHash::new();
        let shards: Box<[Mutex<Slab>]> = (0..SHARDS).map(|_| Mutex::default()).collect();
        let pressure = Pressure::new(&limits);
        let pairs = usize::try_from(limits.memcap / BYTES_A_PAIR).unwrap_or(usize::MAX);
        let peers = PeerStrengths::new(pairs);
        let reports = WaitingReports::new(&limits);
        let paths = Paths::new(limits.memcap, limits.records);
        let fixed = size_of_val(&*shards)
            + pressure.footprint()
            + peers.heap_size()
            + reports.footprint()
            + paths.footprint();
        let sums = Sums { memuse: AtomicU64::new(fixed as u64), ..Sums::default() };
        let clock = Clock::new();
        let swept = AtomicU64::new(0);
        Self { limits, shards, pressure, peers, hasher, sums, clock, reports, paths, swept }
    }

    /// The current counters.
    pub fn counters(&self) -> Counters {
        let load = |sum: &AtomicU64| sum.load(Ordering::Relaxed);
        Counters {
            active: load(&self.sums.active),
            half_open: load(&self.sums.half_open),
            memuse: load(&self.sums.memuse),
            evicted: load(&self.sums.evicted),
            unanswered: load(&self.sums.unanswered),
            unfinished: load(&self.sums.unfinished),
            reports_lost: self.reports.lost(),
            reports_waiting: self.reports.waiting() as u64,
        }
    }

    /// Removes all SAs and counters. No thread may use the table at the same time, because it
    /// could add its SAs again.
    pub fn clear(&self) {
        for place in 0..SHARDS {
            *self.lock(place) = Slab::default();
        }
        self.pressure.clear();
        self.peers.clear();
        self.clock.clear();
        self.reports.clear();
        self.paths.clear();
        self.swept.store(0, Ordering::Relaxed);
        for sum in [&self.sums.evicted, &self.sums.unanswered, &self.sums.unfinished] {
            sum.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a message and returns its SA with the events of the sequence. None if the
    /// message belongs to no IKE SA, or if the memcap leaves no room for a new SA.
    pub fn observe(&self, observation: &Observation<'_>) -> Option<(SaView, EventSet)> {
        let mut facts = MessageFacts::of(observation.message, &self.hasher)?;
        let keys = RecordKeys::of(&facts, observation, &self.hasher);
        facts.path = keys.half as u16;
        let mut shard = self.lock(keys.place);
        let now = self.clock.advance(observation.time);
        self.expire(&mut shard, now);
        let (slot, mut events) = self.locate(&mut shard, &facts, &keys, observation.time)?;
        let patience = u64::from(self.limits.half_open_timeout) * MICROSECONDS;
        let ends = self.hasher.hash_one((observation.from, observation.to)) as u32;
        let message = keys.message(&facts);
        let copy = shard.copies.observe(message, ends, observation.time, thread_number());
        let (outcome, tally, view) = shard.update(slot, |sa| {
            let mut outcome = match sa.is_copy(copy, &facts, observation) {
                true => sa.observe_copy(&facts, observation),
                false => sa.observe(&facts, observation, patience),
            };
            let tally = sa.recount();
            let mut view = view(sa, &outcome, observation.time);
            if outcome.settled && self.is_downgrade(&view) {
                outcome.events.insert(Event::DowngradePeers);
            }
            view.report = self.report(sa, &view);
            (outcome, tally, view)
        })?;
        // Requests without a responder SPI belong to the newest record, which has the link.
        let is_alone =
            || shard.find(By::Half, keys.half, |sa| sa.init_spi == facts.init_spi).is_none();
        if facts.is_init() && !shard.is_linked(slot, By::Half) && is_alone() {
            shard.link(slot, By::Half, keys.half);
        }
        if !self.make_room(&mut shard, 0, Some(slot)) {
            // The message has added more than the memcap allows, even without all other SAs.
            self.make_room(&mut shard, 0, None);
        }
        let is_new = self.limits.records
            && view.messages == 1
            && shard.get(slot).is_some_and(SaRecord::may_be_successor);
        drop(shard);
        if is_new {
            self.infer_parent(&facts, observation);
        }
        self.tidy(now);
        let (view, others) = self.conclude(outcome, tally, view, observation.time);
        events.merge(others);
        Some((view, events))
    }

    /// Adds what a message says that was decrypted after [`SaTable::observe`] had counted it.
    /// Returns its SA with new events. None if the SA is no longer in the table.
    pub fn observe_late(&self, message: &Message, time: u64) -> Option<(SaView, EventSet)> {
        let facts = MessageFacts::of(message, &self.hasher)?;
        let updated = self.update(facts.init_spi, facts.resp_spi, |sa| {
            let mut outcome = sa.observe_late(&facts, message);
            let tally = sa.recount();
            let mut view = view(sa, &outcome, time);
            if outcome.settled && self.is_downgrade(&view) {
                outcome.events.insert(Event::DowngradePeers);
            }
            view.report = self.report(sa, &view);
            (tally, view, outcome)
        });
        let (tally, view, outcome) = updated?;
        Some(self.conclude(outcome, tally, view, time))
    }

    /// Applies the effects of a message on other SAs, on the view and on the events.
    fn conclude(
        &self,
        mut outcome: MessageOutcome,
        tally: Option<SaTally>,
        view: SaView,
        time: u64,
    ) -> (SaView, EventSet) {
        if let Some(successor) = outcome.successor.take() {
            self.replace(*successor, time);
        }
        let events = outcome.events;
        (self.count(view, tally, &outcome, time), events)
    }

    /// Adds the record of an SA that replaces another one. If another thread has parsed the
    /// first messages of the new SA, its record already exists and is completed.
    fn replace(&self, successor: SaRecord, time: u64) {
        let pair = pair(&self.hasher, successor.init_spi, successor.resp_spi);
        let mut shard = self.lock(place(&self.hasher, successor.init_spi));
        let is_it =
            |sa: &SaRecord| (sa.init_spi, sa.resp_spi) == (successor.init_spi, successor.resp_spi);
        if let Some(slot) = shard.find(By::Pair, pair, is_it) {
            shard.update(slot, |sa| sa.adopt(successor));
            return;
        }
        let growth = shard.growth() + successor.heap();
        if self.make_room(&mut shard, growth, None) {
            let slot = shard.insert(successor);
            shard.link(slot, By::Pair, pair);
            let report = shard.update(slot, |sa| self.report_of_state(sa, time)).flatten();
            self.keep_report(report);
        }
    }

    /// Counts a NAT keepalive in a flow of the SA. A peer sends keepalives if it has found
    /// that it is behind a NAT.
    pub fn observe_keepalive(&self, init_spi: [u8; 8], resp_spi: [u8; 8], from_initiator: bool) {
        self.update(init_spi, resp_spi, |sa| sa.observe_keepalive(from_initiator));
    }

    /// Counts the ESP packets of a flow of the SA.
    pub fn count_esp(&self, sa: &FlowSa, esp: &EspCounts) {
        let settled = self.update(sa.init_spi, sa.resp_spi, |sa| {
            sa.count_esp(esp);
            self.keep_report(self.report_of_state(sa, sa.last));
            Some((sa.responder?.address, sa.recount()?, sa.last))
        });
        if let Some((responder, tally, time)) = settled.flatten() {
            self.pressure.count(responder, tally, time);
        }
    }

    /// Whether the table has a record of the SA with these SPIs.
    pub fn contains(&self, init_spi: [u8; 8], resp_spi: [u8; 8]) -> bool {
        let shard = self.lock(place(&self.hasher, init_spi));
        let hash = pair(&self.hasher, init_spi, resp_spi);
        let is_it = |sa: &SaRecord| (sa.init_spi, sa.resp_spi) == (init_spi, resp_spi);
        shard.find(By::Pair, hash, is_it).is_some()
    }

    /// Changes the record of the SA with these SPIs. None if there is no record.
    fn update<T>(
        &self,
        init_spi: [u8; 8],
        resp_spi: [u8; 8],
        change: impl FnOnce(&mut SaRecord) -> T,
    ) -> Option<T> {
        let mut shard = self.lock(place(&self.hasher, init_spi));
        let hash = pair(&self.hasher, init_spi, resp_spi);
        let is_it = |sa: &SaRecord| (sa.init_spi, sa.resp_spi) == (init_spi, resp_spi);
        let slot = shard.find(By::Pair, hash, is_it)?;
        shard.update(slot, change)
    }

    /// Finds or creates the record of a message.
    fn locate(
        &self,
        shard: &mut SaShard<'_>,
        facts: &MessageFacts,
        keys: &RecordKeys,
        time: u64,
    ) -> Option<(u32, EventSet)> {
        let half = self.find(shard, By::Half, keys.half, facts, time);
        let Some(pair) = keys.pair else {
            let slot = self.locate_unnamed(shard, facts, keys, half, time)?;
            return Some((slot, EventSet::default()));
        };
        if let Some(slot) = self.find(shard, By::Pair, pair, facts, time) {
            // A record with its own responder SPI is another SA.
            let is_stray = |half: &u32| *half != slot && is_unnamed(shard, *half);
            if let Some(stray) = half.filter(is_stray).filter(|_| facts.is_init()) {
                let request = shard.remove(stray);
                let settled = shard.update(slot, |sa| sa.absorb(request?)).flatten();
                if let Some((responder, tally)) = settled {
                    self.pressure.count(responder, tally, time);
                }
            }
            return Some((slot, EventSet::default()));
        }
        let (slot, events) = self.name(shard, facts, keys, half, time)?;
        shard.link(slot, By::Pair, pair);
        Some((slot, events))
    }

    /// The record of a message without a responder SPI. The initiator SPI of a closed SA may
    /// be used again.
    fn locate_unnamed(
        &self,
        shard: &mut SaShard<'_>,
        facts: &MessageFacts,
        keys: &RecordKeys,
        half: Option<u32>,
        time: u64,
    ) -> Option<u32> {
        let is_request = facts.body == Body::Init(InitStep::Request);
        // A request older than the end of the SA was only parsed late.
        let is_closed = |slot: &u32| {
            shard.get(*slot).is_some_and(|sa| sa.state == State::Closed && sa.last < time)
        };
        match half.filter(|slot| !(is_request && is_closed(slot))) {
            Some(slot) => Some(slot),
            None if facts.is_init() => self.add(shard, SaRecord::new(facts, time), keys),
            None => None,
        }
    }

    /// The record of a message whose responder SPI is not in the table.
    fn name(
        &self,
        shard: &mut SaShard<'_>,
        facts: &MessageFacts,
        keys: &RecordKeys,
        half: Option<u32>,
        time: u64,
    ) -> Option<(u32, EventSet)> {
        let mut events = EventSet::default();
        let slot = match half {
            Some(slot) if is_unnamed(shard, slot) => slot,
            Some(slot) if facts.is_init() => {
                events.insert(Event::ReplayChanged);
                let sibling = shard.get(slot).map(SaRecord::sibling)?;
                self.add(shard, sibling, keys)?
            }
            _ if begins_a_record(facts) => self.add(shard, SaRecord::new(facts, time), keys)?,
            _ => return None,
        };
        Some((slot, events))
    }

    /// Finds a record. A record past its timeout is removed and not returned.
    fn find(
        &self,
        shard: &mut SaShard<'_>,
        by: By,
        hash: u64,
        facts: &MessageFacts,
        time: u64,
    ) -> Option<u32> {
        let slot = shard.find(by, hash, |sa| {
            sa.init_spi == facts.init_spi && (by == By::Half || sa.resp_spi == facts.resp_spi)
        })?;
        if !self.is_over(shard.get(slot)?, Now::at(time)) {
            return Some(slot);
        }
        self.remove_expired(shard, slot);
        None
    }

    /// Removes a record that is past its timeout and counts it.
    fn remove_expired(&self, shard: &mut SaShard<'_>, slot: u32) {
        let Some(sa) = shard.remove(slot) else { return };
        self.count_expired(&sa);
        self.keep_last(sa, false);
    }

    fn count_expired(&self, sa: &SaRecord) {
        let sum = match Class::of(sa) {
            Class::HalfOpen => &self.sums.unanswered,
            Class::OneSidedHandshake | Class::Opening => &self.sums.unfinished,
            _ => return,
        };
        sum.fetch_add(1, Ordering::Relaxed);
    }

    /// The report of an SA in the state of `view`, if one is due. Then the SA is noted as one
    /// between its addresses.
    fn report(&self, sa: &mut SaRecord, view: &SaView) -> Option<Box<SaReport>> {
        let outcome = sa.due_report()?;
        if let Some((initiator, responder)) = view.initiator.zip(view.responder) {
            let path = self.path(initiator.address, responder.address);
            self.paths.note(path, sa.init_spi, sa.resp_spi);
        }
        sa.report(outcome, view, false)
    }

    /// The same for an SA whose state changed without a message of its own.
    fn report_of_state(&self, sa: &mut SaRecord, time: u64) -> Option<Box<SaReport>> {
        let view = view(sa, &MessageOutcome::default(), time);
        self.report(sa, &view)
    }

    /// Links a new SA to the one that it replaced, if exactly one fits. No shard is locked.
    fn infer_parent(&self, facts: &MessageFacts, observation: &Observation<'_>) {
        let path = self.path(observation.from.address, observation.to.address);
        let now = Now::at(observation.time);
        let parents = self.paths.find(path).into_iter().filter_map(|key| {
            let limit = u64::from(self.limits.closed_timeout) * MICROSECONDS;
            let (_, found) =
                self.read(&key, |sa| sa.inheritance().filter(|_| !now.is_beyond(sa.last, limit)))?;
            Some((key, found?))
        });
        let parents: Vec<(SaKey, Inheritance)> = parents.collect();
        if let [(key, parent)] = &parents[..] {
            self.update(facts.init_spi, facts.resp_spi, |sa| sa.inherit(parent));
            self.update(key.init_spi, key.resp_spi, |sa| sa.set_successor(facts.init_spi));
        }
    }

    /// A hash of two addresses in any order. Never 0.
    fn path(&self, one: IpAddr, other: IpAddr) -> u64 {
        self.hasher.hash_one((one.min(other), one.max(other))) | 1
    }

    /// The SA with this key as it is now. None if it is not in the table.
    pub(super) fn view_of(&self, key: &SaKey) -> Option<SaView> {
        Some(self.read(key, |_| ())?.0)
    }

    /// The same with something that the view does not say.
    fn read<T>(&self, key: &SaKey, more: impl Fn(&SaRecord) -> T) -> Option<(SaView, T)> {
        let shard = self.lock(place(&self.hasher, key.init_spi));
        let pair = pair(&self.hasher, key.init_spi, key.resp_spi);
        let slot = shard
            .find(By::Pair, pair, |sa| (sa.init_spi, sa.resp_spi) == (key.init_spi, key.resp_spi))
            .or_else(|| {
                let half = half(&self.hasher, key.init_spi, key.ends?);
                shard.find(By::Half, half, |sa| sa.init_spi == key.init_spi)
            })?;
        let sa = shard.get(slot)?;
        Some((view(sa, &MessageOutcome::default(), sa.last), more(sa)))
    }

    /// The SAs to which ESP packets with this SPI between two addresses belong. With keys, the
    /// SPI is that of a child SA of one of them. Otherwise these are the established SAs between
    /// the addresses, or, if none is established, all that are known.
    pub fn between(&self, source: IpAddr, destination: IpAddr, spi: u32) -> Vec<SaOfFlow> {
        let found = self.paths.find(self.path(source, destination));
        let mut sas: Vec<_> = found
            .iter()
            .filter_map(|key| {
                let (view, has_spi) = self.read(key, |sa| sa.has_child(spi))?;
                let joined = if has_spi { Joined::Spi } else { Joined::Addresses };
                let (id, state) = (id(key.init_spi), view.state);
                Some(SaOfFlow { id, joined, state, view: Some(view) })
            })
            .collect();
        let by_spi = sas.iter().any(|sa| sa.joined == Joined::Spi);
        let has_established = sas.iter().any(|sa| sa.state == State::Established);
        sas.retain(|sa| match (by_spi, has_established) {
            (true, _) => sa.joined == Joined::Spi,
            (false, true) => sa.state == State::Established,
            (false, false) => true,
        });
        sas
    }

    /// Keeps the last report of an SA that was removed.
    fn keep_last(&self, mut sa: SaRecord, evicted: bool) {
        if let Some(outcome) = sa.end(evicted) {
            let view = view(&sa, &MessageOutcome::default(), sa.last);
            self.keep_report(sa.report(outcome, &view, evicted));
        }
    }

    /// Keeps a report until a thread can write it.
    pub fn keep_report(&self, report: Option<Box<SaReport>>) {
        if let Some(report) = report {
            self.reports.add(thread_number(), report);
        }
    }

    /// Takes a report that waits. None if there is none.
    #[inline]
    pub fn take_report(&self) -> Option<Box<SaReport>> {
        match self.reports.waiting() {
            0 => None,
            _ => self.reports.take(thread_number()),
        }
    }

    /// Counts a report that was taken and could not be written.
    pub fn lose_report(&self) {
        self.reports.lose();
    }

    /// Adds a record. From now on, requests without a responder SPI belong to it.
    fn add(&self, shard: &mut SaShard<'_>, mut sa: SaRecord, keys: &RecordKeys) -> Option<u32> {
        if self.limits.records && sa.summary.is_none() {
            sa.summary = Some(Box::default());
        }
        let growth = shard.growth();
        if !self.make_room(shard, growth, None) {
            return None;
        }
        let init_spi = sa.init_spi;
        let from_start = sa.state == State::HalfOpen;
        let slot = shard.insert(sa);
        if from_start {
            if let Some(before) = shard.find(By::Half, keys.half, |sa| sa.init_spi == init_spi) {
                shard.unlink(before, By::Half);
            }
            shard.link(slot, By::Half, keys.half);
        }
        Some(slot)
    }

    /// Whether the peers chose stronger algorithms the last time.
    fn is_downgrade(&self, view: &SaView) -> bool {
        let peers = view.initiator.zip(view.responder);
        let bits = view.chosen.and_then(|chosen| chosen.security_bits());
        peers.zip(bits).is_some_and(|((initiator, responder), bits)| {
            self.peers.record(&initiator, &responder, bits)
        })
    }

    /// Counts by address, and adds the counts to the view.
    fn count(
        &self,
        mut view: SaView,
        half_open: Option<SaTally>,
        outcome: &MessageOutcome,
        time: u64,
    ) -> SaView {
        let count = |address: IpAddr, tally| self.pressure.count(address, tally, time);
        if let Some(responder) = view.responder.map(|end| end.address) {
            if let Some(tally) = half_open {
                count(responder, tally);
            }
            view.half_open = self.pressure.counts(responder, time).half_open;
        }
        if let Some(initiator) = view.initiator.map(|end| end.address) {
            if outcome.init_request {
                count(initiator, SaTally::InitRequest);
            }
            if outcome.refused {
                count(initiator, SaTally::Refused);
            }
            let counts = self.pressure.counts(initiator, time);
            (view.auth_failures, view.init_rate) = (counts.refusals, counts.inits);
        }
        view
    }

    /// Removes records until `need` bytes fit. The record `keep` is not removed.
    fn make_room(&self, shard: &mut SaShard<'_>, need: usize, keep: Option<u32>) -> bool {
        shard.commit();
        while self.sums.memuse.load(Ordering::Relaxed) + need as u64 > self.limits.memcap {
            let own = shard.victim(keep);
            let is_half_open = own.is_some_and(|(class, _)| class == Class::HalfOpen);
            let evicted = (!is_half_open && self.evict_elsewhere(SEARCHED, Some(Class::HalfOpen)))
                || own.is_some_and(|(_, victim)| self.evict(shard, victim))
                || self.evict_elsewhere(SHARDS, None);
            if !evicted {
                return false;
            }
        }
        true
    }

    fn evict(&self, shard: &mut SaShard<'_>, victim: u32) -> bool {
        let removed = shard.remove(victim);
        shard.commit();
        self.sums.evicted.fetch_add(1, Ordering::Relaxed);
        let Some(sa) = removed.filter(|_| self.limits.records) else { return true };
        if Class::of(&sa) == Class::HalfOpen {
            // Memory is short because of many such SAs. Their reports would displace others.
            self.reports.lose();
        } else {
            self.keep_last(sa, true);
        }
        true
    }

    /// Removes an SA from one of the next `searched` shards, if the shard's victim has the
    /// class `wanted`, or any class if that is none. A shard that another thread has locked is
    /// skipped: waiting for it while holding a lock could be a deadlock.
    fn evict_elsewhere(&self, searched: usize, wanted: Option<Class>) -> bool {
        for _ in 0..searched {
            let Some(mut shard) = self.next_shard() else { continue };
            if let Some((class, victim)) = shard.victim(None) {
                if wanted.is_none_or(|wanted| wanted == class) {
                    return self.evict(&mut shard, victim);
                }
            }
        }
        false
    }

    /// Removes expired records in another shard. Without this, a shard that gets no messages
    /// would keep its records for ever. If SAs have reports, all shards are searched once a
    /// second, so that reports are not late where there are few messages.
    fn tidy(&self, now: Now) {
        let second = now.earliest / MICROSECONDS;
        let is_swept = || self.swept.load(Ordering::Relaxed) == second;
        if self.limits.records
            && !is_swept()
            && self.swept.swap(second, Ordering::Relaxed) != second
        {
            for slab in self.shards.iter().filter_map(|slab| slab.try_lock().ok()) {
                self.expire(&mut SaShard::new(slab, &self.sums), now);
            }
        } else if let Some(mut shard) = self.next_shard() {
            self.expire(&mut shard, now);
        }
    }

    fn expire(&self, shard: &mut SaShard<'_>, now: Now) {
        let mut left = EXPIRED_AT_ONCE;
        for class in Class::ALL {
            while let Some(slot) = shard.oldest(class).filter(|_| left > 0) {
                if !shard.get(slot).is_some_and(|sa| self.is_over(sa, now)) {
                    break;
                }
                self.remove_expired(shard, slot);
                left -= 1;
            }
        }
    }

    /// Whether the SA had no message for longer than its timeout.
    fn is_over(&self, sa: &SaRecord, now: Now) -> bool {
        let limits = &self.limits;
        let seconds = match Class::of(sa) {
            Class::HalfOpen => u64::from(limits.half_open_timeout),
            Class::OneSidedHandshake | Class::Opening => {
                u64::from(limits.half_open_timeout) * PATIENCE
            }
            Class::Ended => u64::from(limits.closed_timeout),
            Class::OneSidedUse | Class::MidStream | Class::Established => {
                u64::from(limits.established_timeout)
            }
        };
        now.is_beyond(sa.last, seconds * MICROSECONDS)
    }

    fn lock(&self, place: usize) -> SaShard<'_> {
        let slab = self.shards[place].lock().unwrap_or_else(PoisonError::into_inner);
        SaShard::new(slab, &self.sums)
    }

    fn next_shard(&self) -> Option<SaShard<'_>> {
        let place = self.clock.turn() % SHARDS;
        Some(SaShard::new(self.shards[place].try_lock().ok()?, &self.sums))
    }
}

/// Whether no message of the record had a responder SPI.
fn is_unnamed(shard: &SaShard<'_>, slot: u32) -> bool {
    shard.get(slot).is_some_and(|sa| sa.resp_spi == [0; 8])
}

/// Whether a message may create a record. It must be an exchange that begins an SA, or an
/// encrypted message with both SPIs. Unencrypted messages prove nothing.
fn begins_a_record(facts: &MessageFacts) -> bool {
    let known = facts.exchange.name().is_some() && facts.exchange != ExchangeType::GSA_REKEY;
    facts.is_init() || (known && facts.protected().is_some())
}

fn view(sa: &SaRecord, outcome: &MessageOutcome, time: u64) -> SaView {
    let age = time.saturating_sub(sa.started) / MICROSECONDS;
    SaView {
        id: id(sa.init_spi),
        state: sa.state,
        confirmed: sa.is_confirmed(),
        initiator: sa.initiator,
        responder: sa.responder,
        started: sa.started,
        age_s: u32::try_from(age).unwrap_or(u32::MAX),
        messages: sa.messages,
        retransmissions: sa.retransmissions,
        duplicates: sa.duplicates,
        mutual: sa.is_mutual(),
        round_trip_us: sa.round_trip_us,
        handshake_ms: sa.handshake_ms(),
        nat: sa.nat.nat(),
        chosen: sa.chosen,
        full_transcript: sa.transcript.posture(),
        fragments: outcome.fragments,
        failure: sa.failure,
        esp: sa.esp,
        lineage: sa.lineage.as_ref().map(|lineage| Box::new(lineage_view(sa, lineage))),
        half_open: 0,
        auth_failures: 0,
        init_rate: 0,
        report: None,
    }
}

fn lineage_view(sa: &SaRecord, lineage: &Lineage) -> LineageView {
    LineageView {
        parent: lineage.parent.map(id),
        is_clone: lineage.is_clone,
        inferred: lineage.inferred,
        child_spis: match sa.state {
            State::Established => lineage.child_spis(),
            _ => Vec::new(),
        },
    }
}

/// The id of an SA in records.
pub(super) fn id(init_spi: [u8; 8]) -> u64 {
    mix(u64::from_be_bytes(init_spi))
}

/// Maps 64 bits to 64 bits one to one (the last step of SplitMix64). It has no key, because
/// the result must be the same in every run.
fn mix(spi: u64) -> u64 {
    let spi = (spi ^ spi >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let spi = (spi ^ spi >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    spi ^ spi >> 31
}

/// The shard of an SA. It depends on the initiator's SPI alone, because the responder's is not
/// known at first.
fn place(hasher: &KeyedHash, init_spi: [u8; 8]) -> usize {
    initiator(hasher, init_spi) as usize % SHARDS
}

/// The hash of an initiator's SPI.
fn initiator(hasher: &KeyedHash, init_spi: [u8; 8]) -> u64 {
    hasher.hash_one(u64::from_ne_bytes(init_spi))
}

/// The hash of both SPIs.
fn pair(hasher: &KeyedHash, init_spi: [u8; 8], resp_spi: [u8; 8]) -> u64 {
    hasher.hash_one((u64::from_ne_bytes(init_spi), u64::from_ne_bytes(resp_spi)))
}

/// The hash of the initiator's SPI and of the addresses of the initiator and the responder.
fn half(hasher: &KeyedHash, init_spi: [u8; 8], ends: (IpAddr, IpAddr)) -> u64 {
    hasher.hash_one((u64::from_ne_bytes(init_spi), ends))
}

/// The hashes under which the record of a message is found.
struct RecordKeys {
    place: usize,
    /// The hash of both SPIs. None while the responder has no SPI.
    pair: Option<u64>,
    half: u64,
    /// The hash of the initiator's SPI.
    initiator: u64,
}

impl RecordKeys {
    /// A hash of the message's bytes that differs between SAs. Never 0.
    fn message(&self, facts: &MessageFacts) -> u32 {
        (facts.hash ^ self.initiator as u32) | 1
    }

    fn of(facts: &MessageFacts, observation: &Observation<'_>, hasher: &KeyedHash) -> Self {
        let (from, to) = (observation.from.address, observation.to.address);
        let ends = if facts.from_initiator { (from, to) } else { (to, from) };
        let has_pair = facts.resp_spi != [0; 8];
        let pair = has_pair.then(|| pair(hasher, facts.init_spi, facts.resp_spi));
        let initiator = initiator(hasher, facts.init_spi);
        Self {
            initiator,
            place: initiator as usize % SHARDS,
            pair,
            half: half(hasher, facts.init_spi, ends),
        }
    }
}

/// A locked shard. Its changes are added to the sums when it is unlocked.
struct SaShard<'a> {
    slab: MutexGuard<'a, Slab>,
    sums: &'a Sums,
    level: [u64; 3],
}

impl<'a> SaShard<'a> {
    fn new(slab: MutexGuard<'a, Slab>, sums: &'a Sums) -> Self {
        let level = level(&slab);
        Self { slab, sums, level }
    }

    fn commit(&mut self) {
        let now = level(&self.slab);
        let sums = [&self.sums.active, &self.sums.half_open, &self.sums.memuse];
        for ((sum, now), before) in sums.into_iter().zip(now).zip(self.level) {
            if now != before {
                sum.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
            }
        }
        self.level = now;
    }
}

impl Drop for SaShard<'_> {
    fn drop(&mut self) {
        self.commit();
    }
}

impl Deref for SaShard<'_> {
    type Target = Slab;

    fn deref(&self) -> &Slab {
        &self.slab
    }
}

impl DerefMut for SaShard<'_> {
    fn deref_mut(&mut self) -> &mut Slab {
        &mut self.slab
    }
}

fn level(slab: &Slab) -> [u64; 3] {
    [slab.length() as u64, slab.half_open() as u64, slab.footprint() as u64]
}
