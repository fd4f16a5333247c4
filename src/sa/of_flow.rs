//! The IKE SAs that a flow belongs to, for Suricata's own records of the flow.
//!
//! A flow of UDP belongs to the SAs whose messages it carried. A flow of native ESP has no
//! messages: with keys, its SPI is that of a child SA. Without keys, its two addresses are those
//! of the peers. [`Paths`] finds the SAs between two addresses.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::named::named;
use crate::wire::Header;

use super::table::SaTable;
use super::{SaView, State};

named! {
    /// How an SA of a flow was found.
    pub enum Joined: str {
        /// The flow carried messages of the SA.
        Messages = "messages",
        /// The SPI of the ESP packets is that of a child SA. This needs keys.
        Spi = "spi",
        /// The addresses of the ESP packets are those of the peers.
        Addresses = "addresses",
    }
}

/// An IKE SA of a flow.
#[derive(Clone, Debug)]
pub struct SaOfFlow {
    /// The id of the SA.
    pub id: u64,
    /// How it was found.
    pub joined: Joined,
    /// The state after the flow's last message of the SA.
    pub state: State,
    /// The SA as it is now. None if it is no longer followed.
    pub view: Option<SaView>,
}

/// The maximum number of SAs that are kept of a flow. The newest ones stay.
const MAX_SAS: usize = 8;

/// The SAs whose messages a flow carried.
#[derive(Clone, Debug, Default)]
pub struct FlowSas {
    sas: Vec<NotedSa>,
}

#[derive(Clone, Copy, Debug)]
struct NotedSa {
    key: SaKey,
    state: State,
}

/// What identifies an SA in the table. Without the responder's SPI, the addresses do.
#[derive(Clone, Copy, Debug)]
pub(super) struct SaKey {
    pub(super) init_spi: [u8; 8],
    pub(super) resp_spi: [u8; 8],
    pub(super) ends: Option<(IpAddr, IpAddr)>,
}

impl FlowSas {
    /// Notes the SA of a message.
    pub fn note(&mut self, header: &Header, sa: &SaView) {
        let ends = sa.initiator.zip(sa.responder);
        let ends = ends.map(|(initiator, responder)| (initiator.address, responder.address));
        let key = SaKey { init_spi: header.init_spi, resp_spi: header.resp_spi, ends };
        let noted = NotedSa { key, state: sa.state };
        let same = |known: &&mut NotedSa| {
            known.key.init_spi == key.init_spi
                && (known.key.resp_spi == key.resp_spi || known.key.resp_spi == [0; 8])
        };
        if let Some(known) = self.sas.iter_mut().rev().find(same) {
            *known = noted;
            return;
        }
        if self.sas.len() >= MAX_SAS {
            self.sas.remove(0);
        }
        self.sas.push(noted);
    }

    /// The SAs as they are now.
    pub fn now(&self, table: &SaTable) -> Vec<SaOfFlow> {
        let now = |noted: &NotedSa| SaOfFlow {
            id: super::table::id(noted.key.init_spi),
            joined: Joined::Messages,
            state: noted.state,
            view: table.view_of(&noted.key),
        };
        self.sas.iter().map(now).collect()
    }
}

/// The number of SAs that are kept between two addresses.
const SET_SIZE: usize = 4;
/// One set of addresses for each of these bytes of the memcap.
const BYTES_A_SET: u64 = 8192;
/// The maximum number of sets.
const MAX_SETS: u64 = 1 << 16;

/// The SAs between two addresses, as their reports say. It has a fixed size: SAs replace older
/// ones.
#[derive(Debug)]
pub(super) struct Paths {
    sets: Box<[Mutex<[PathEntry; SET_SIZE]>]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct PathEntry {
    /// The hash of both addresses. 0 if there is none.
    path: u64,
    init_spi: [u8; 8],
    resp_spi: [u8; 8],
}

impl Paths {
    /// Without records of SAs, it takes no memory.
    pub(super) fn new(memcap: u64, is_wanted: bool) -> Self {
        let sets = if is_wanted { (memcap / BYTES_A_SET).clamp(1, MAX_SETS) } else { 0 };
        Self { sets: (0..sets).map(|_| Mutex::default()).collect() }
    }

    /// The bytes that it takes.
    pub(super) fn footprint(&self) -> usize {
        size_of_val(&*self.sets)
    }

    /// Forgets all SAs.
    pub(super) fn clear(&self) {
        for set in &self.sets {
            *set.lock().unwrap_or_else(PoisonError::into_inner) = Default::default();
        }
    }

    /// Notes an SA between two addresses. The newest one is the first of its set.
    pub(super) fn note(&self, path: u64, init_spi: [u8; 8], resp_spi: [u8; 8]) {
        let Some(set) = self.set(path) else { return };
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |entry: &PathEntry| entry.path == path && entry.init_spi == init_spi;
        let place = set.iter().position(is_it).unwrap_or(SET_SIZE - 1);
        set.copy_within(..place, 1);
        set[0] = PathEntry { path, init_spi, resp_spi };
    }

    /// The SAs between two addresses, the newest first.
    pub(super) fn find(&self, path: u64) -> Vec<SaKey> {
        let Some(set) = self.set(path) else { return Vec::new() };
        let set = *set.lock().unwrap_or_else(PoisonError::into_inner);
        let of_path = set.into_iter().filter(|entry| entry.path == path);
        of_path
            .map(|it| SaKey { init_spi: it.init_spi, resp_spi: it.resp_spi, ends: None })
            .collect()
    }

    fn set(&self, path: u64) -> Option<&Mutex<[PathEntry; SET_SIZE]>> {
        self.sets.get((path % (self.sets.len() as u64).max(1)) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_sas_of_a_path_are_kept() {
        let paths = Paths::new(1 << 20, true);
        (1..=6).for_each(|number| paths.note(7, [number; 8], [0; 8]));
        paths.note(7, [4; 8], [9; 8]);
        let found: Vec<_> =
            paths.find(7).iter().map(|it| (it.init_spi[0], it.resp_spi[0])).collect();
        assert_eq!(found, [(4, 9), (6, 0), (5, 0), (3, 0)]);
        assert!(paths.find(8).is_empty());
        paths.clear();
        assert!(paths.find(7).is_empty() && Paths::new(1 << 20, false).find(7).is_empty());
    }
}
