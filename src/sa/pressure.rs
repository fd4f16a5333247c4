//! Who floods and who guesses passwords: counts by address over the recent past.
//!
//! The number of addresses is fixed. They are in small sets, and each set has its own lock.
//! When a set is full, a new address replaces the one with the lowest counts. So a flood from
//! invented addresses replaces other addresses of the flood, and not an address with many
//! refusals.

use core::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::keyed_hash::KeyedHash;

use super::limits::{Limits, MICROSECONDS};

/// The counts use this part of the memcap: 1/32.
const SHARE: u64 = 32;
/// The number of addresses in a set. All of them are compared for each message.
const SET_SIZE: usize = 8;
/// The maximum number of sets. More memory has no benefit.
const MAX_SETS: u64 = 4096;
/// The number of periods in a window.
const PERIODS: usize = 6;

/// The counts of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// The half-open SAs of which the address is the responder, by the time of their
    /// beginning.
    pub(super) half_open: u32,
    /// The IKE_SA_INIT requests that it sent.
    pub(super) inits: u32,
    /// The authentications that were refused to it.
    pub(super) refusals: u32,
}

/// A change of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaTally {
    /// A responder has one more half-open SA. It began at this time.
    HalfOpened(u64),
    /// A responder has one half-open SA less. It began at this time.
    Settled(u64),
    /// An initiator sent an IKE_SA_INIT request.
    InitRequest,
    /// The authentication of an initiator was refused.
    Refused,
}

/// The counts by address.
#[derive(Debug)]
pub(super) struct Pressure {
    sets: Box<[Mutex<Set>]>,
    hasher: KeyedHash,
    /// The microseconds of a period: for half-open SAs, and for the other counts.
    periods: [u64; 2],
}

type Set = [PressureEntry; SET_SIZE];

/// Counts of the last periods. A period is at the index of its number modulo [`PERIODS`].
#[derive(Clone, Copy, Debug, Default)]
struct RecentCount {
    newest: u32,
    counts: [u32; PERIODS],
}

#[derive(Clone, Copy, Debug, Default)]
struct PressureEntry {
    address: Option<IpAddr>,
    half_open: RecentCount,
    inits: RecentCount,
    refusals: RecentCount,
}

impl Pressure {
    pub(super) fn new(limits: &Limits) -> Self {
        let sets = limits.memcap / SHARE / size_of::<Mutex<Set>>() as u64;
        let sets = sets.clamp(1, MAX_SETS);
        let period = |seconds: u32| (u64::from(seconds) * MICROSECONDS / PERIODS as u64).max(1);
        Self {
            sets: (0..sets).map(|_| Mutex::default()).collect(),
            hasher: KeyedHash::new(),
            periods: [period(limits.half_open_timeout), period(limits.window)],
        }
    }

    /// The bytes that the counts use.
    pub(super) fn footprint(&self) -> usize {
        size_of_val(&*self.sets)
    }

    /// Forgets all addresses.
    pub(super) fn clear(&self) {
        for set in &self.sets {
            *set.lock().unwrap_or_else(PoisonError::into_inner) = Set::default();
        }
    }

    /// Changes a count of an address.
    pub(super) fn count(&self, address: IpAddr, tally: SaTally, time: u64) {
        self.with(address, |set, periods| {
            let entry = entry(set, address, time, periods);
            let now = periods.map(|period| number(time, period));
            match tally {
                SaTally::HalfOpened(began) => {
                    entry.half_open.add_at(now[0], number(began, periods[0]))
                }
                SaTally::Settled(began) => entry.half_open.remove(number(began, periods[0])),
                SaTally::InitRequest => entry.inits.add(now[1]),
                SaTally::Refused => entry.refusals.add(now[1]),
            }
        });
    }

    /// The counts of an address at this time.
    pub(super) fn counts(&self, address: IpAddr, time: u64) -> Counts {
        self.with(address, |set, periods| {
            let known = set.iter().find(|entry| entry.address == Some(address));
            known.map(|entry| entry.counts(time, periods)).unwrap_or_default()
        })
    }

    fn with<T>(&self, address: IpAddr, work: impl FnOnce(&mut Set, [u64; 2]) -> T) -> T {
        let place = self.hasher.hash_one(address) % self.sets.len() as u64;
        let mut set = self.sets[place as usize].lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut set, self.periods)
    }
}

/// The entry of the address. If there is none, it replaces the one with the lowest counts.
fn entry(set: &mut Set, address: IpAddr, time: u64, periods: [u64; 2]) -> &mut PressureEntry {
    let weight = |entry: &PressureEntry| match entry.address {
        Some(known) if known == address => 0,
        None => 1,
        Some(_) => {
            let counts = entry.counts(time, periods);
            2 + u64::from(counts.half_open)
                + u64::from(counts.inits)
                + (u64::from(counts.refusals) << 16)
        }
    };
    let mut least = 0;
    let mut least_weight = u64::MAX;
    for (place, entry) in set.iter().enumerate() {
        let weight = weight(entry);
        if weight < least_weight {
            (least, least_weight) = (place, weight);
        }
    }
    if least_weight != 0 {
        set[least] = PressureEntry { address: Some(address), ..PressureEntry::default() };
    }
    &mut set[least]
}

impl PressureEntry {
    fn counts(&self, time: u64, periods: [u64; 2]) -> Counts {
        let now = periods.map(|period| number(time, period));
        Counts {
            half_open: self.half_open.sum(now[0]),
            inits: self.inits.sum(now[1]),
            refusals: self.refusals.sum(now[1]),
        }
    }
}

/// The number of the period of a time. It wraps after centuries.
fn number(time: u64, period: u64) -> u32 {
    (time / period) as u32
}

impl RecentCount {
    fn add(&mut self, now: u32) {
        self.advance(now);
        let count = &mut self.counts[now as usize % PERIODS];
        *count = count.saturating_add(1);
    }

    /// Counts something that began in an earlier period, unless that period is over.
    fn add_at(&mut self, now: u32, began: u32) {
        self.advance(now);
        if self.newest.wrapping_sub(began) < PERIODS as u32 {
            self.add(began);
        }
    }

    fn remove(&mut self, began: u32) {
        if self.newest.wrapping_sub(began) < PERIODS as u32 {
            let count = &mut self.counts[began as usize % PERIODS];
            *count = count.saturating_sub(1);
        }
    }

    fn sum(&self, now: u32) -> u32 {
        let mut past = *self;
        past.advance(now);
        past.counts.iter().fold(0, |sum: u32, count| sum.saturating_add(*count))
    }

    /// Removes periods that are over. If the clock runs back by less than a window, the
    /// earlier periods count. If it jumps further, all counts start from 0.
    fn advance(&mut self, now: u32) {
        let ahead = now.wrapping_sub(self.newest);
        let behind = self.newest.wrapping_sub(now);
        if behind < PERIODS as u32 {
            return;
        }
        if ahead >= PERIODS as u32 {
            self.counts = [0; PERIODS];
        } else {
            for passed in 0..ahead {
                self.counts[now.wrapping_sub(passed) as usize % PERIODS] = 0;
            }
        }
        self.newest = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = MICROSECONDS;
    const START: u64 = 1_700_000_000 * SECOND;

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    fn pressure() -> Pressure {
        Pressure::new(&Limits::default())
    }

    #[test]
    fn counts_are_of_one_address_and_of_the_window() {
        let pressure = pressure();
        for second in 0..5 {
            pressure.count(address(1), SaTally::InitRequest, START + second * SECOND);
            pressure.count(address(1), SaTally::Refused, START + second * SECOND);
        }
        pressure.count(address(2), SaTally::InitRequest, START);
        let at = |seconds| pressure.counts(address(1), START + seconds * SECOND);
        assert_eq!(at(5), Counts { half_open: 0, inits: 5, refusals: 5 });
        assert_eq!(at(49).inits, 5);
        assert_eq!(at(70).inits, 0);
        assert_eq!(pressure.counts(address(2), START).inits, 1);
        assert_eq!(pressure.counts(address(3), START), Counts::default());
    }

    #[test]
    fn a_half_open_sa_counts_until_it_is_settled_or_too_old() {
        let pressure = pressure();
        for _ in 0..3 {
            pressure.count(address(1), SaTally::HalfOpened(START), START);
        }
        pressure.count(address(1), SaTally::Settled(START), START + 10 * SECOND);
        let at = |seconds| pressure.counts(address(1), START + seconds * SECOND).half_open;
        assert_eq!((at(10), at(40)), (2, 0));
        pressure.count(address(1), SaTally::Settled(START), START + 40 * SECOND);
        assert_eq!(at(40), 0);
    }

    #[test]
    fn a_clock_may_run_backwards_or_jump() {
        let pressure = pressure();
        let count = |time| pressure.count(address(1), SaTally::InitRequest, time);
        count(START);
        count(START - 5 * SECOND);
        assert_eq!(pressure.counts(address(1), START).inits, 2);
        count(u64::MAX);
        assert_eq!(pressure.counts(address(1), u64::MAX).inits, 1);
        count(START);
        assert_eq!(pressure.counts(address(1), START).inits, 1);
        count(0);
        assert_eq!(pressure.counts(address(1), 0).inits, 1);
    }

    #[test]
    fn a_flood_of_addresses_takes_no_memory_and_hides_no_culprit() {
        let limits = Limits { memcap: 1 << 20, ..Limits::default() };
        let pressure = Pressure::new(&limits);
        let before = pressure.footprint();
        assert!(before as u64 <= limits.memcap / SHARE);
        for _ in 0..20 {
            pressure.count(address(u32::MAX), SaTally::Refused, START);
        }
        for number in 0..100_000 {
            pressure.count(address(number), SaTally::InitRequest, START);
        }
        assert_eq!(pressure.counts(address(u32::MAX), START).refusals, 20);
        assert_eq!(pressure.footprint(), before);
    }

    #[test]
    fn windows_of_no_time_do_not_divide_by_zero() {
        let none = Limits { half_open_timeout: 0, window: 0, memcap: 0, ..Limits::default() };
        let pressure = Pressure::new(&none);
        pressure.count(address(1), SaTally::InitRequest, START);
        assert_eq!(pressure.counts(address(1), START).inits, 1);
    }
}
