//! The record of an SA: when there is one, and what it contains.
//!
//! An SA has a report when its handshake is settled and when it ends. A report that a message
//! causes is in the view of that message. An SA may also end without a message: nobody answers,
//! or it is idle for too long, or the memory is short. Such reports wait in [`WaitingReports`]
//! until a thread has a packet of any flow that carries IKE, and can write them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::named::named;

use super::limits::Limits;
use super::summary::Summary;
use super::{SaView, State};

named! {
    /// What happened to an SA, so that there is a report.
    pub enum Outcome: str {
        /// The handshake succeeded, or the SA was already in use when it was first seen.
        Established = "established",
        /// The handshake ended without an SA.
        Failed = "failed",
        /// The SA was deleted.
        Closed = "closed",
        /// The SA was deleted, and another SA has replaced it.
        Rekeyed = "rekeyed",
        /// The SA is not followed any more: it had no message for too long, or the memory was
        /// short.
        Expired = "expired",
    }
}

impl Outcome {
    /// Whether no further report of the SA is expected. A handshake that failed may continue
    /// all the same, because anybody can forge an error.
    pub fn is_final(self) -> bool {
        self != Self::Established
    }

    /// The outcome of an SA in this state. None while the handshake is in progress.
    pub(super) fn of(state: State, is_replaced: bool) -> Option<Self> {
        Some(match state {
            State::Established => Self::Established,
            State::Failed => Self::Failed,
            State::Closed if is_replaced => Self::Rekeyed,
            State::Closed => Self::Closed,
            state if state.is_half_open() => return None,
            _ => return None,
        })
    }
}

/// Everything that the record of an SA says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaReport {
    /// What happened.
    pub outcome: Outcome,
    /// The time of the latest message, in microseconds since the epoch.
    pub last: u64,
    /// Whether the SA was removed because the memory was short.
    pub evicted: bool,
    /// The state of the SA.
    pub view: SaView,
    /// The rest.
    pub summary: Summary,
}

/// The share of the memcap for waiting reports: 1/64.
const SHARE: u64 = 64;

/// The number of queues. Each thread adds to its own, so that threads rarely wait.
const QUEUES: usize = 16;

/// The bytes of a report on average. Most SAs that end without a message have few events.
const BYTES: u64 = size_of::<SaReport>() as u64 + 128;

/// The maximum number of reports in all queues.
const MOST: u64 = 4096;

/// Reports of SAs that ended without a message.
#[derive(Debug)]
pub(super) struct WaitingReports {
    queues: [Mutex<VecDeque<Box<SaReport>>>; QUEUES],
    /// The maximum number of reports in one queue.
    room: usize,
    waiting: AtomicUsize,
    lost: AtomicU64,
}

impl WaitingReports {
    /// Queues with a share of the memory. Without records of SAs they take none.
    pub(super) fn new(limits: &Limits) -> Self {
        let room = match limits.records {
            true => (limits.memcap / SHARE / BYTES).min(MOST) / QUEUES as u64,
            false => 0,
        };
        Self {
            queues: core::array::from_fn(|_| Mutex::default()),
            room: room as usize,
            waiting: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// The bytes that the reports take at most.
    pub(super) fn footprint(&self) -> usize {
        self.room * QUEUES * BYTES as usize
    }

    /// The number of reports that were dropped.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// The number of reports that wait.
    #[inline]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Counts a report that is not written.
    pub(super) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds a report. If the thread's queue is full, the report is dropped and counted.
    pub(super) fn add(&self, thread: u8, report: Box<SaReport>) {
        let queue = &self.queues[usize::from(thread) % QUEUES];
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= self.room {
            return self.lose();
        }
        queue.push_back(report);
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes the oldest report of the thread's queue, or of another one if it is empty. A queue
    /// that another thread uses is skipped.
    pub(super) fn take(&self, thread: u8) -> Option<Box<SaReport>> {
        if self.waiting() == 0 {
            return None;
        }
        let places = (0..QUEUES).map(|place| (usize::from(thread) + place) % QUEUES);
        let mut queues = places.filter_map(|place| self.queues[place].try_lock().ok());
        let report = queues.find_map(|mut queue| queue.pop_front())?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(report)
    }

    /// Drops all reports and counts from 0 again.
    pub(super) fn clear(&self) {
        for queue in &self.queues {
            queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.waiting.store(0, Ordering::Relaxed);
        self.lost.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(id: u64) -> Box<SaReport> {
        Box::new(SaReport {
            outcome: Outcome::Expired,
            last: 0,
            evicted: false,
            view: SaView { id, ..SaView::default() },
            summary: Summary::default(),
        })
    }

    fn waiting(memcap: u64, records: bool) -> WaitingReports {
        WaitingReports::new(&Limits { memcap, records, ..Limits::default() })
    }

    #[test]
    fn reports_come_back_in_order_and_from_other_threads() {
        let reports = waiting(64 << 20, true);
        (0..3).for_each(|id| reports.add(1, report(id)));
        reports.add(2, report(9));
        let mut ids = Vec::new();
        while let Some(report) = reports.take(1) {
            ids.push(report.view.id);
        }
        assert_eq!((ids, reports.waiting(), reports.lost()), (vec![0, 1, 2, 9], 0, 0));
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let reports = waiting(1 << 20, true);
        let room = reports.room as u64;
        assert!(room > 0 && reports.footprint() as u64 <= (1 << 20) / SHARE);
        (0..room + 5).for_each(|id| reports.add(3, report(id)));
        assert_eq!((reports.waiting() as u64, reports.lost()), (room, 5));
        reports.clear();
        assert_eq!((reports.take(3).is_none(), reports.lost()), (true, 0));
        let off = waiting(64 << 20, false);
        off.add(0, report(1));
        assert_eq!((off.footprint(), off.waiting()), (0, 0));
    }
}
