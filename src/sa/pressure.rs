//! Who floods and who guesses passwords: counts by address over the recent past.
//!
//! The number of addresses is fixed. They are in small sets. When a set is full, a new address
//! replaces the one with the lowest counts. So a flood from invented addresses replaces other
//! addresses of the flood, and not an address with many refusals.
//!
//! All messages of a gateway look at the counts of its address. So nobody locks anything to read
//! counts, or to change those of an address that is known. The counts are atomic. Only the
//! replacement of an address locks the set. A thread that reads counts at this moment may see those
//! of the other address once.

use core::hash::BuildHasher;
use core::sync::atomic::{AtomicU64, Ordering};
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
    sets: Box<[Set]>,
    hasher: KeyedHash,
    /// The microseconds of a period: for half-open SAs, and for the other counts.
    periods: [u64; 2],
}

#[derive(Debug, Default)]
struct Set {
    entries: [PressureEntry; SET_SIZE],
    /// Who replaces an address has this lock.
    replacing: Mutex<()>,
}

/// Counts of the last periods. A period is at the index of its number modulo [`PERIODS`], with its
/// number in the upper half and its count in the lower half.
#[derive(Debug, Default)]
struct RecentCount([AtomicU64; PERIODS]);

#[derive(Debug, Default)]
struct PressureEntry {
    /// The keyed hash of the address; 0 for none. Two addresses have the same hash once in 2^64.
    address: AtomicU64,
    half_open: RecentCount,
    inits: RecentCount,
    refusals: RecentCount,
}

impl Pressure {
    pub(super) fn new(limits: &Limits) -> Self {
        let sets = limits.memcap / SHARE / size_of::<Set>() as u64;
        let sets = sets.clamp(1, MAX_SETS);
        let period = |seconds: u32| (u64::from(seconds) * MICROSECONDS / PERIODS as u64).max(1);
        Self {
            sets: (0..sets).map(|_| Set::default()).collect(),
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
        self.sets.iter().flat_map(|set| &set.entries).for_each(|entry| entry.clear(0));
    }

    /// Changes a count of an address.
    pub(super) fn count(&self, address: IpAddr, tally: SaTally, time: u64) {
        let (address, set) = self.find(address);
        let now = self.periods.map(|period| number(time, period));
        let Some(entry) = set.entry(address) else {
            set.replace(address, now).count(tally, now, self.periods[0]);
            return;
        };
        entry.count(tally, now, self.periods[0]);
    }

    /// The counts of an address at this time.
    pub(super) fn counts(&self, address: IpAddr, time: u64) -> Counts {
        let (address, set) = self.find(address);
        let now = self.periods.map(|period| number(time, period));
        set.entry(address).map(|entry| entry.counts(now)).unwrap_or_default()
    }

    /// The hash of an address, and the set that the address belongs to.
    fn find(&self, address: IpAddr) -> (u64, &Set) {
        let hash = self.hasher.hash_one(address);
        (hash | 1, &self.sets[(hash % self.sets.len() as u64) as usize])
    }
}

impl Set {
    fn entry(&self, address: u64) -> Option<&PressureEntry> {
        self.entries.iter().find(|entry| entry.address.load(Ordering::Relaxed) == address)
    }

    /// The entry of an address that is new. It replaces the one with the lowest counts.
    #[cold]
    fn replace(&self, address: u64, now: [u32; 2]) -> &PressureEntry {
        let _lock = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have added the address.
        if let Some(entry) = self.entry(address) {
            return entry;
        }
        let mut least = (u64::MAX, &self.entries[0]);
        for entry in &self.entries {
            let weight = entry.weight(now);
            if weight < least.0 {
                least = (weight, entry);
            }
        }
        least.1.clear(address);
        least.1
    }
}

impl PressureEntry {
    /// Forgets the counts, and belongs to this address from now on.
    fn clear(&self, address: u64) {
        for recent in [&self.half_open, &self.inits, &self.refusals] {
            recent.0.iter().for_each(|period| period.store(0, Ordering::Relaxed));
        }
        self.address.store(address, Ordering::Relaxed);
    }

    fn weight(&self, now: [u32; 2]) -> u64 {
        if self.address.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let counts = self.counts(now);
        1 + u64::from(counts.half_open)
            + u64::from(counts.inits)
            + (u64::from(counts.refusals) << 16)
    }

    fn count(&self, tally: SaTally, now: [u32; 2], period: u64) {
        match tally {
            SaTally::HalfOpened(began) => {
                let began = number(began, period);
                if is_in_window(now[0], began) {
                    self.half_open.add(began);
                }
            }
            SaTally::Settled(began) => self.half_open.remove(number(began, period)),
            SaTally::InitRequest => self.inits.add(now[1]),
            SaTally::Refused => self.refusals.add(now[1]),
        }
    }

    fn counts(&self, now: [u32; 2]) -> Counts {
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

/// Whether a period counts at this time. If the clock runs back by less than a window, the later
/// periods count too. What it has counted in a time to which it jumped does not count, and what was
/// counted before does when it comes back.
fn is_in_window(now: u32, period: u32) -> bool {
    let distance = now.wrapping_sub(period).min(period.wrapping_sub(now));
    distance < PERIODS as u32
}

impl RecentCount {
    /// Counts in a period. What is counted at the same index belongs to a period that is over.
    fn add(&self, period: u32) {
        self.change(period, |count| match count {
            Some(count) => Some(count.saturating_add(1)),
            None => Some(1),
        });
    }

    fn remove(&self, period: u32) {
        self.change(period, |count| count?.checked_sub(1));
    }

    /// Changes the count of a period. `new` gets none if another period is at its index.
    fn change(&self, period: u32, new: impl Fn(Option<u32>) -> Option<u32>) {
        let change = |value: u64| {
            let count = ((value >> 32) as u32 == period).then_some(value as u32);
            Some(u64::from(period) << 32 | u64::from(new(count)?))
        };
        let place = &self.0[period as usize % PERIODS];
        let _ = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }

    fn sum(&self, now: u32) -> u32 {
        let values = self.0.iter().map(|period| period.load(Ordering::Relaxed));
        let recent = values.filter(|value| is_in_window(now, (value >> 32) as u32));
        recent.fold(0, |sum: u32, value| sum.saturating_add(value as u32))
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
        // A packet with a wrong time hides nothing.
        count(START);
        assert_eq!(pressure.counts(address(1), START).inits, 3);
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
