//! The current time, for SAs that have no new message.
//!
//! Threads that read a capture are at different positions in it. Some of them are far behind,
//! and a packet may have a wrong time. Neither must end SAs that other threads still follow.
//! Therefore each thread has its own time, and an SA expires only when it has expired for all
//! threads.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::limits::MICROSECONDS;

/// The number of threads with their own time. Further threads share one.
const THREADS: usize = 64;

/// How many messages of a thread determine its time.
const MESSAGES: usize = 16;

/// How far the turns of two threads are apart at the start.
const APART: usize = 37;

/// How far a thread may be behind the current message, in microseconds. A thread that is
/// further behind has no more IKE messages and is ignored.
const BEHIND: u64 = 600 * MICROSECONDS;

/// The times of all threads.
#[derive(Debug)]
pub(super) struct Clock {
    threads: [ThreadClock; THREADS],
    /// The number of threads that may have a time.
    used: AtomicUsize,
}

/// The time of one thread: an interval from the earliest to the latest time of its last
/// messages, because captures have packets in the wrong order and with wrong times.
///
/// Each has cache lines of its own, because only its thread writes to it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct ThreadClock {
    /// The times of the last messages. 0 if there was none.
    recent: [AtomicU64; MESSAGES],
    next: AtomicUsize,
    /// How often the thread has asked for its turn.
    turns: AtomicUsize,
    /// The earliest of them.
    earliest: AtomicU64,
    /// The latest of them.
    latest: AtomicU64,
}

/// The interval in which the current time is, in microseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Now {
    pub(super) earliest: u64,
    pub(super) latest: u64,
}

impl Now {
    /// Exactly this time.
    pub(super) fn at(time: u64) -> Self {
        Self { earliest: time, latest: time }
    }

    /// Whether `time` is certainly more than `limit` microseconds away from the current time.
    /// A record with a time far in the future comes from a wrong clock and must not stay for
    /// ever.
    pub(super) fn is_beyond(self, time: u64, limit: u64) -> bool {
        self.earliest.saturating_sub(time).max(time.saturating_sub(self.latest)) > limit
    }
}

static STARTED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The number of this thread.
    static NUMBER: usize = STARTED.fetch_add(1, Ordering::Relaxed) % THREADS;
}

/// A number for this thread. With more than 64 threads, some share a number.
pub(super) fn thread_number() -> u8 {
    NUMBER.with(|number| *number as u8)
}

impl Clock {
    pub(super) fn new() -> Self {
        let threads = std::array::from_fn(|_| ThreadClock::default());
        Self { threads, used: AtomicUsize::new(0) }
    }

    /// Forgets all times.
    pub(super) fn clear(&self) {
        for thread in &self.threads {
            let times = thread.recent.iter().chain([&thread.earliest, &thread.latest]);
            times.for_each(|time| time.store(0, Ordering::Relaxed));
        }
        self.used.store(0, Ordering::Relaxed);
    }

    /// Numbers in turn, which each thread counts by itself and from another start. Threads that share
    /// a number may get a turn twice.
    pub(super) fn turn(&self) -> usize {
        let number = NUMBER.with(|number| *number);
        let turns = &self.threads[number].turns;
        let turn = turns.load(Ordering::Relaxed);
        turns.store(turn.wrapping_add(1), Ordering::Relaxed);
        turn.wrapping_add(number * APART)
    }

    /// Counts the time of a message in this thread and returns the current time.
    pub(super) fn advance(&self, time: u64) -> Now {
        self.advance_thread(NUMBER.with(|number| *number), time)
    }

    fn advance_thread(&self, number: usize, time: u64) -> Now {
        let own = self.threads[number].advance(time);
        let mut used = self.used.load(Ordering::Relaxed);
        if used <= number {
            used = self.used.fetch_max(number + 1, Ordering::Relaxed).max(number + 1);
        }
        let others = self.threads[..used].iter().filter_map(ThreadClock::time);
        let near = others.filter(|other| own.earliest.saturating_sub(other.earliest) <= BEHIND);
        near.fold(own, |now, other| Now {
            earliest: now.earliest.min(other.earliest),
            latest: now.latest.max(other.latest),
        })
    }
}

impl ThreadClock {
    fn advance(&self, time: u64) -> Now {
        // Only threads that share a number write here at the same time. Then a time may be lost.
        let next = self.next.load(Ordering::Relaxed);
        self.next.store(next.wrapping_add(1), Ordering::Relaxed);
        let place = next % MESSAGES;
        self.recent[place].store(time, Ordering::Relaxed);
        let recent = self.recent.iter().map(|recent| recent.load(Ordering::Relaxed));
        let now = recent.filter(|time| *time != 0).fold(Now::at(time), |now, time| Now {
            earliest: now.earliest.min(time),
            latest: now.latest.max(time),
        });
        self.earliest.store(now.earliest, Ordering::Relaxed);
        self.latest.store(now.latest, Ordering::Relaxed);
        now
    }

    /// None before the first message.
    fn time(&self) -> Option<Now> {
        let [earliest, latest] =
            [&self.earliest, &self.latest].map(|time| time.load(Ordering::Relaxed));
        (earliest != 0).then_some(Now { earliest, latest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_is_at_the_earliest_of_its_last_times() {
        let clock = Clock::new();
        assert_eq!(clock.advance(100), Now::at(100));
        assert_eq!(clock.advance(500), Now { earliest: 100, latest: 500 });
        for time in 501..500 + MESSAGES as u64 {
            clock.advance(time);
        }
        assert_eq!(clock.advance(600), Now { earliest: 501, latest: 600 });
    }

    #[test]
    fn a_thread_that_is_behind_keeps_its_sas_and_one_that_is_done_does_not() {
        let clock = Clock::new();
        clock.advance_thread(3, 1_000);
        for time in 0..1000 {
            assert_eq!(clock.advance_thread(1, 9_000 + time).earliest, 1_000);
        }
        for _ in 0..MESSAGES {
            clock.advance_thread(1, 2_000 + BEHIND);
        }
        assert_eq!(clock.advance_thread(1, 2_001 + BEHIND).earliest, 2_000 + BEHIND);
    }

    #[test]
    fn a_thread_that_is_ahead_keeps_its_sas() {
        let clock = Clock::new();
        clock.advance_thread(3, 1_000);
        clock.advance_thread(3, 9_000);
        assert!(!clock.advance_thread(1, 1_100).is_beyond(9_000, 100));
        assert!(clock.advance_thread(1, 1_100).is_beyond(9_200, 100));
    }

    #[test]
    fn wrong_times_end_nothing() {
        let clock = Clock::new();
        clock.advance(1_000);
        for _ in 1..MESSAGES {
            assert!(!clock.advance(5_000 + BEHIND).is_beyond(990, 100));
        }
        for time in 1_001..1_001 + MESSAGES as u64 {
            clock.advance(time);
        }
        assert!(clock.advance(1_020).is_beyond(880, 100));
        assert!(clock.advance(1_021).is_beyond(9_200, 100));
    }
}
