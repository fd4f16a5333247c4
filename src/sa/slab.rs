//! The records of one shard. They are found by two keys, and listed by class in the order of
//! their last messages.
//!
//! The chains and lists are links inside the records, so a record costs one allocation. Every
//! operation is O(1), and the bytes in use are known exactly.

use super::copies::Copies;
use super::record::SaRecord;
use super::State;

/// No record.
const NIL: u32 = u32::MAX;
/// The record is in no chain.
const UNLINKED: u32 = u32::MAX - 1;
/// The bytes that an allocator adds to each block.
const ALLOCATION: usize = 16;

/// The value of a record when memory is short, from the lowest to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// There is no response, or none that accepts the request.
    HalfOpen,
    /// In the handshake, but only one of the peers was seen.
    OneSidedHandshake,
    /// In use, but only one of the peers was seen.
    OneSidedUse,
    /// Failed or closed.
    Ended,
    /// In the handshake, and both peers were seen.
    Opening,
    /// In use, and both peers were seen, but no handshake. An attacker who can send from two
    /// addresses can invent such an SA.
    MidStream,
    /// In use after a handshake.
    Established,
}

impl Class {
    pub(super) const ALL: [Self; 7] = [
        Self::HalfOpen,
        Self::OneSidedHandshake,
        Self::OneSidedUse,
        Self::Ended,
        Self::Opening,
        Self::MidStream,
        Self::Established,
    ];

    pub(super) fn of(sa: &SaRecord) -> Self {
        match (sa.state, sa.is_mutual()) {
            (State::HalfOpen | State::Cookie, _) => Self::HalfOpen,
            (State::Failed | State::Closed, _) => Self::Ended,
            (State::InitDone | State::Authenticating, false) => Self::OneSidedHandshake,
            (State::InitDone | State::Authenticating, true) => Self::Opening,
            (State::Established, false) => Self::OneSidedUse,
            (State::Established, true) if sa.has_init() => Self::Established,
            (State::Established, true) => Self::MidStream,
        }
    }

    /// The share of all records, in sixteenths, that other classes cannot take. Therefore a
    /// flood of invented SAs only replaces others of its class. Few handshakes are in progress
    /// at a time, and they may be new in a table that is full of others. An SA of which only
    /// one peer was seen has no share.
    fn share(self) -> usize {
        match self {
            Self::HalfOpen | Self::Ended => 1,
            Self::OneSidedHandshake | Self::OneSidedUse => 0,
            Self::Opening | Self::Established => 5,
            Self::MidStream => 4,
        }
    }
}

/// The number of parts into which all records are divided for shares.
const SHARES: usize = 16;

/// The key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Both SPIs.
    Pair,
    /// The initiator's SPI and both addresses.
    Half,
}

#[derive(Debug)]
struct SlabRecord {
    sa: SaRecord,
    /// For each key: the hash, and the next record in its chain.
    hashes: [u64; 2],
    nexts: [u32; 2],
    older: u32,
    newer: u32,
    class: Class,
}

#[derive(Debug)]
enum SlabEntry {
    Used(Box<SlabRecord>),
    /// The number of the next free entry.
    Free(u32),
}

#[derive(Debug, Default)]
struct Index {
    /// The first record of each chain. The number of chains is a power of two.
    heads: Vec<u32>,
    length: usize,
}

#[derive(Clone, Copy, Debug)]
struct AgeList {
    oldest: u32,
    newest: u32,
    length: usize,
}

/// The records of one shard.
#[derive(Debug)]
pub(super) struct Slab {
    entries: Vec<SlabEntry>,
    free: u32,
    length: usize,
    indexes: [Index; 2],
    lists: [AgeList; Class::ALL.len()],
    /// The bytes that the records have on the heap, without the records themselves.
    heap: usize,
    /// The recent messages of the shard.
    pub(super) copies: Copies,
}

impl Default for Slab {
    fn default() -> Self {
        let empty = AgeList { oldest: NIL, newest: NIL, length: 0 };
        Self {
            entries: Vec::new(),
            free: NIL,
            length: 0,
            indexes: Default::default(),
            lists: [empty; Class::ALL.len()],
            heap: 0,
            copies: Copies::default(),
        }
    }
}

impl Slab {
    /// The bytes of one more record, without the tables.
    pub(super) const RECORD: usize = size_of::<SlabRecord>() + ALLOCATION;

    /// Adds a record and returns its number.
    pub(super) fn insert(&mut self, sa: SaRecord) -> u32 {
        let class = Class::of(&sa);
        self.heap += sa.heap();
        self.length += 1;
        let (hashes, nexts) = ([0; 2], [UNLINKED; 2]);
        let record = SlabRecord { sa, hashes, nexts, older: NIL, newer: NIL, class };
        let entry = SlabEntry::Used(Box::new(record));
        let slot = match self.entries.get_mut(self.free as usize) {
            Some(free) => {
                let slot = self.free;
                if let SlabEntry::Free(next) = std::mem::replace(free, entry) {
                    self.free = next;
                }
                slot
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        self.append(slot, class);
        slot
    }

    /// Removes a record and returns it.
    pub(super) fn remove(&mut self, slot: u32) -> Option<SaRecord> {
        self.record(slot)?;
        self.unlink(slot, By::Pair);
        self.unlink(slot, By::Half);
        self.detach(slot);
        let entry = self.entries.get_mut(slot as usize)?;
        let SlabEntry::Used(record) = std::mem::replace(entry, SlabEntry::Free(self.free)) else {
            return None;
        };
        self.free = slot;
        self.length -= 1;
        self.heap -= record.sa.heap();
        Some(record.sa)
    }

    /// Changes a record and makes it the newest of its class.
    pub(super) fn update<T>(
        &mut self,
        slot: u32,
        change: impl FnOnce(&mut SaRecord) -> T,
    ) -> Option<T> {
        let record = self.record_mut(slot)?;
        let before = record.sa.heap();
        let result = change(&mut record.sa);
        let after = record.sa.heap();
        let class = Class::of(&record.sa);
        self.heap = self.heap + after - before;
        self.detach(slot);
        self.append(slot, class);
        Some(result)
    }

    pub(super) fn link(&mut self, slot: u32, by: By, hash: u64) {
        self.unlink(slot, by);
        let index = &mut self.indexes[by as usize];
        index.length += 1;
        if index.length > index.heads.len() {
            self.rehash();
        }
        self.chain(slot, by, hash);
    }

    pub(super) fn unlink(&mut self, slot: u32, by: By) {
        let by = by as usize;
        let Some(record) = self.record_mut(slot) else { return };
        let (hash, after) = (record.hashes[by], record.nexts[by]);
        if after == UNLINKED {
            return;
        }
        record.nexts[by] = UNLINKED;
        let index = &mut self.indexes[by];
        index.length -= 1;
        let head = hash as usize & (index.heads.len() - 1);
        if index.heads[head] == slot {
            index.heads[head] = after;
            return;
        }
        let mut before = index.heads[head];
        while let Some(record) = self.record_mut(before) {
            let next = &mut record.nexts[by];
            if *next == slot {
                *next = after;
                return;
            }
            before = *next;
        }
    }

    pub(super) fn is_linked(&self, slot: u32, by: By) -> bool {
        self.record(slot).is_some_and(|record| record.nexts[by as usize] != UNLINKED)
    }

    /// The record with this hash for which `is_it` is true.
    pub(super) fn find(&self, by: By, hash: u64, is_it: impl Fn(&SaRecord) -> bool) -> Option<u32> {
        let heads = &self.indexes[by as usize].heads;
        let head = hash as usize & heads.len().checked_sub(1)?;
        let mut slot = heads[head];
        while let Some(record) = self.record(slot) {
            if record.hashes[by as usize] == hash && is_it(&record.sa) {
                return Some(slot);
            }
            slot = record.nexts[by as usize];
        }
        None
    }

    pub(super) fn get(&self, slot: u32) -> Option<&SaRecord> {
        self.record(slot).map(|record| &record.sa)
    }

    /// The record of the class with the oldest last message.
    pub(super) fn oldest(&self, class: Class) -> Option<u32> {
        let slot = self.lists[class as usize].oldest;
        (slot != NIL).then_some(slot)
    }

    /// The record to remove when memory is short, but not `keep`. It is the oldest of the
    /// lowest class that has more than its share.
    pub(super) fn victim(&self, keep: Option<u32>) -> Option<(Class, u32)> {
        let oldest = |class: &Class| {
            let slot = self.lists[*class as usize].oldest;
            let record = self.record(slot)?;
            let slot = if Some(slot) == keep { record.newer } else { slot };
            (slot != NIL).then_some((*class, slot))
        };
        let has_too_many = |class: &&Class| {
            self.lists[**class as usize].length * SHARES > self.length * class.share()
        };
        let mut over = Class::ALL.iter().filter(has_too_many);
        over.find_map(oldest).or_else(|| Class::ALL.iter().find_map(oldest))
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn half_open(&self) -> usize {
        let length = |class| self.lists[class as usize].length;
        length(Class::HalfOpen) + length(Class::OneSidedHandshake) + length(Class::Opening)
    }

    /// The bytes in use.
    pub(super) fn footprint(&self) -> usize {
        let heads: usize = self.indexes.iter().map(|index| index.heads.capacity()).sum();
        self.entries.capacity() * size_of::<SlabEntry>()
            + heads * size_of::<u32>()
            + self.length * Self::RECORD
            + self.heap
    }

    /// The maximum number of bytes that one more record needs.
    pub(super) fn growth(&self) -> usize {
        let grows = |is_full: bool, capacity: usize, size: usize| {
            if is_full {
                capacity.max(4) * size
            } else {
                0
            }
        };
        let is_full = self.free == NIL && self.entries.len() == self.entries.capacity();
        let entries = grows(is_full, self.entries.capacity(), size_of::<SlabEntry>());
        let chains = self.indexes[0].heads.len();
        let is_full = self.indexes.iter().any(|index| index.length >= chains);
        Self::RECORD + entries + grows(is_full, chains, 2 * size_of::<u32>())
    }

    fn record(&self, slot: u32) -> Option<&SlabRecord> {
        match self.entries.get(slot as usize)? {
            SlabEntry::Used(record) => Some(record),
            SlabEntry::Free(_) => None,
        }
    }

    fn record_mut(&mut self, slot: u32) -> Option<&mut SlabRecord> {
        match self.entries.get_mut(slot as usize)? {
            SlabEntry::Used(record) => Some(record),
            SlabEntry::Free(_) => None,
        }
    }

    fn chain(&mut self, slot: u32, by: By, hash: u64) {
        let heads = &mut self.indexes[by as usize].heads;
        let head = hash as usize & (heads.len() - 1);
        let next = std::mem::replace(&mut heads[head], slot);
        if let Some(record) = self.record_mut(slot) {
            record.hashes[by as usize] = hash;
            record.nexts[by as usize] = next;
        }
    }

    /// Doubles the number of chains of both indexes. Both grow at the same time. Otherwise the
    /// index with few records would later have to visit all records of the other one to grow.
    fn rehash(&mut self) {
        let chains = (self.indexes[0].heads.len() * 2).max(4);
        for index in &mut self.indexes {
            index.heads = vec![NIL; chains];
        }
        for slot in 0..self.entries.len() as u32 {
            for by in [By::Pair, By::Half] {
                if self.is_linked(slot, by) {
                    let hash = self.record(slot).map_or(0, |record| record.hashes[by as usize]);
                    self.chain(slot, by, hash);
                }
            }
        }
    }

    fn append(&mut self, slot: u32, class: Class) {
        let list = &mut self.lists[class as usize];
        let older = std::mem::replace(&mut list.newest, slot);
        list.length += 1;
        if older == NIL {
            list.oldest = slot;
        } else if let Some(record) = self.record_mut(older) {
            record.newer = slot;
        }
        if let Some(record) = self.record_mut(slot) {
            (record.older, record.newer, record.class) = (older, NIL, class);
        }
    }

    fn detach(&mut self, slot: u32) {
        let Some(record) = self.record(slot) else { return };
        let (older, newer, class) = (record.older, record.newer, record.class);
        match self.record_mut(older) {
            Some(record) => record.newer = newer,
            None => self.lists[class as usize].oldest = newer,
        }
        match self.record_mut(newer) {
            Some(record) => record.older = older,
            None => self.lists[class as usize].newest = older,
        }
        self.lists[class as usize].length -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::exchange::{Body, InitStep, MessageFacts};
    use super::*;
    use crate::wire::registry::ExchangeType;

    fn sa(number: u64) -> SaRecord {
        let facts = MessageFacts {
            init_spi: number.to_be_bytes(),
            resp_spi: [0; 8],
            exchange: ExchangeType::IKE_SA_INIT,
            id: 0,
            from_initiator: true,
            response: false,
            body: Body::Init(InitStep::Request),
            hash: 0,
            path: 0,
        };
        SaRecord::new(&facts, 0)
    }

    /// A long random sequence of all operations, compared with a map.
    #[test]
    fn records_are_found_until_they_are_removed() {
        let mut slab = Slab::default();
        let mut known: BTreeMap<u64, u32> = BTreeMap::new();
        let mut random = 1_u64;
        for _ in 0..5_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = random >> 56;
            // Few hashes make long chains.
            let hash = number % 37;
            match known.get(&number).copied() {
                None => {
                    let growth = slab.growth() + slab.footprint();
                    let slot = slab.insert(sa(number));
                    slab.link(slot, By::Pair, hash);
                    slab.link(slot, By::Half, !hash);
                    assert!(slab.footprint() <= growth);
                    known.insert(number, slot);
                }
                Some(slot) if random & 1 == 0 => {
                    assert!(slab.remove(slot).is_some());
                    known.remove(&number);
                }
                Some(slot) => {
                    slab.unlink(slot, By::Half);
                    slab.link(slot, By::Half, !hash);
                    slab.update(slot, |sa| sa.state = State::Closed);
                }
            }
            let is_it = |sa: &SaRecord| sa.init_spi == number.to_be_bytes();
            assert_eq!(slab.find(By::Pair, hash, is_it), known.get(&number).copied());
            assert_eq!(slab.find(By::Half, !hash, is_it), known.get(&number).copied());
            assert_eq!(slab.length(), known.len());
        }
    }

    #[test]
    fn the_oldest_goes_first_and_a_message_makes_it_the_newest() {
        let mut slab = Slab::default();
        let slots: Vec<_> = (0..3).map(|number| slab.insert(sa(number))).collect();
        slab.update(slots[0], |_| ());
        assert_eq!(slab.oldest(Class::HalfOpen), Some(slots[1]));
        slab.update(slots[1], |sa| sa.state = State::Failed);
        assert_eq!(slab.oldest(Class::HalfOpen), Some(slots[2]));
        assert_eq!(slab.oldest(Class::Ended), Some(slots[1]));
        for slot in slots {
            slab.remove(slot);
        }
        assert!(Class::ALL.iter().all(|class| slab.oldest(*class).is_none()));
        assert_eq!(slab.half_open(), 0);
    }
}
