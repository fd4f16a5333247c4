//! Fragments of encrypted messages, followed without keys ([RFC
//! 7383](https://www.rfc-editor.org/rfc/rfc7383)).
//!
//! This module does not reassemble messages. It stores which fragments came, and a hash of
//! each. The hash distinguishes a duplicate from other contents with the same fragment number.
//! With such contents an attacker can give a peer another message than the observer sees.
//!
//! The rules for a receiver (RFC 7383, sections 2.5.2 and 2.6) are followed as far as they
//! need no keys:
//!
//! - A fragment number of 0 or above the total, or a total of 0, is invalid.
//! - A larger total than before means that the sender made smaller fragments of the message.
//!   The earlier fragments are discarded, and the new set counts.
//! - A fragment with a smaller total is a late one of an earlier set. It is ignored.
//! - Fragments after the message is complete change nothing.
//!
//! A receiver drops forged fragments because their checksum is wrong. Here every fragment
//! counts, so a forged fragment can make a set look complete, or start a new set.

use crate::keyed_hash;
use crate::named::{named, set_of};
use crate::wire::registry::PayloadType;
use crate::wire::{Fragment, Header, Role};

/// The maximum number of messages of an SA that are followed at the same time, both directions
/// together.
pub const MAX_MESSAGES: usize = 4;

/// The maximum number of fragments of a message. With packets of 576 bytes this is more than
/// the largest UDP datagram.
pub const MAX_FRAGMENTS: u16 = 256;

/// The number of fragments of a message, from the first, that are compared with duplicates.
pub const MAX_COMPARED: u16 = 64;

/// The milliseconds after its first fragment in which a message must be complete.
///
/// Peers that get no response send all fragments again (strongSwan after 4, 11 and 24
/// seconds), so by then a retransmission replaces a lost fragment.
pub const TIMEOUT: u64 = 30_000;

named! {
    /// What a fragment shows. The names are the values of `ikev2.fragment.status`.
    pub enum Condition: str {
        /// All fragments of the message came.
        Complete = "complete",
        /// Fragments of the message are missing.
        Incomplete = "incomplete",
        /// The same fragment came before.
        Duplicate = "duplicate",
        /// A fragment with this number and other contents came before.
        Conflict = "conflict",
        /// The total differs from that of the earlier fragments.
        TotalChanged = "total_changed",
        /// The fragment is not valid (RFC 7383, section 2.5): its number is 0 or above the
        /// total, the total is 0, or it has a Next Payload and is not the first fragment.
        Invalid = "invalid",
        /// The same message came in an SK payload and in SKF payloads.
        Mixed = "mixed",
        /// A message of this SA was not complete in time and is no longer followed.
        Timeout = "timeout",
        /// More fragments, or more messages at the same time, than the maximum.
        TooMany = "too_many",
    }
}

set_of! {
    /// A set of conditions.
    pub struct Conditions(u16) of Condition
}

/// A fragment, and how much of its message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Fragment Number.
    pub number: u16,
    /// Total Fragments.
    pub total: u16,
    /// The number of different fragments of the message so far, with this one.
    pub seen: u16,
    /// What this fragment shows.
    pub conditions: Conditions,
}

/// Identifies a message of an SA. Each end numbers its own requests, so one Message ID may
/// belong to two requests and two responses (RFC 7296, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageKey {
    /// Message ID.
    pub message_id: u32,
    /// Whether the initiator of the SA sent the message.
    pub from_initiator: bool,
    /// Whether the message is a response.
    pub response: bool,
}

impl From<&Header> for MessageKey {
    fn from(header: &Header) -> Self {
        Self {
            message_id: header.message_id,
            from_initiator: header.role() == Role::Initiator,
            response: header.flags.response(),
        }
    }
}

/// The fragmented messages of one SA that are incomplete or recent.
#[derive(Debug, Default)]
pub struct Fragments {
    messages: Vec<PartialMessage>,
}

impl Fragments {
    /// Adds a fragment that came at `now`, in milliseconds.
    pub fn observe(&mut self, key: MessageKey, fragment: &Fragment<'_>, now: u64) -> Status {
        let mut conditions = self.expire(now);
        let seen = self.add(key, fragment, now, &mut conditions);
        Status { number: fragment.number, total: fragment.total, seen, conditions }
    }

    /// Adds an unfragmented message, in an SK payload. [`Condition::Mixed`] if fragments of it
    /// came before. The caller finds the other order: there, a peer sends fragments because it
    /// got no response.
    pub fn observe_whole(&mut self, key: MessageKey, now: u64) -> Conditions {
        let mut conditions = self.expire(now);
        if self.messages.iter().any(|message| message.key == key) {
            conditions.insert(Condition::Mixed);
        }
        conditions
    }

    /// Removes messages that are too old. [`Condition::Timeout`] if one of them was not
    /// complete.
    pub fn expire(&mut self, now: u64) -> Conditions {
        let mut conditions = Conditions::default();
        self.messages.retain(|message| {
            // If the clock runs backwards, nothing is too old.
            let is_old = now.saturating_sub(message.started) > TIMEOUT;
            if is_old && !message.is_complete() {
                conditions.insert(Condition::Timeout);
            }
            !is_old
        });
        conditions
    }

    /// Whether no message is stored, so that the caller can free this.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether every message is complete. Then this only serves to find conflicts, and the
    /// caller can free it when the next message begins.
    pub fn is_settled(&self) -> bool {
        self.messages.iter().all(PartialMessage::is_complete)
    }

    /// The number of bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let hashes = self.messages.iter().map(|message| message.hashes.len());
        self.messages.capacity() * size_of::<PartialMessage>()
            + hashes.sum::<usize>() * size_of::<u32>()
    }

    fn add(
        &mut self,
        key: MessageKey,
        fragment: &Fragment<'_>,
        now: u64,
        conditions: &mut Conditions,
    ) -> u16 {
        if !fragment.is_valid() {
            conditions.insert(Condition::Invalid);
            return 0;
        }
        if fragment.total > MAX_FRAGMENTS {
            conditions.insert(Condition::TooMany);
            return 0;
        }
        let message = match self.messages.iter().position(|message| message.key == key) {
            Some(place) => &mut self.messages[place],
            None => self.begin(key, fragment.total, now, conditions),
        };
        message.add(fragment, now, conditions);
        let is_complete = message.is_complete();
        conditions.insert(if is_complete { Condition::Complete } else { Condition::Incomplete });
        message.count
    }

    /// Begins a message. If there are too many, it replaces a complete one, or else the
    /// oldest.
    fn begin(
        &mut self,
        key: MessageKey,
        total: u16,
        now: u64,
        conditions: &mut Conditions,
    ) -> &mut PartialMessage {
        if self.messages.len() >= MAX_MESSAGES {
            let complete = self.messages.iter().position(PartialMessage::is_complete);
            if complete.is_none() {
                conditions.insert(Condition::TooMany);
            }
            self.messages.remove(complete.unwrap_or(0));
        }
        // Usually there is one message, or two with its response. So space for four is not
        // reserved.
        self.messages.reserve_exact(1);
        self.messages.push(PartialMessage::new(key, total, now));
        let last = self.messages.len() - 1;
        &mut self.messages[last]
    }
}

/// A message with some of its fragments.
#[derive(Debug)]
struct PartialMessage {
    key: MessageKey,
    total: u16,
    /// The number of bits in `seen`.
    count: u16,
    /// The time of the first fragment with this total, in milliseconds.
    started: u64,
    /// One bit for each fragment.
    seen: [u64; MAX_FRAGMENTS as usize / 64],
    /// Hashes of the first fragments. They have a key, so nobody can make a conflict that looks
    /// like a duplicate.
    hashes: Box<[u32]>,
}

impl PartialMessage {
    fn new(key: MessageKey, total: u16, now: u64) -> Self {
        let hashes = vec![0; usize::from(total.min(MAX_COMPARED))].into_boxed_slice();
        Self { key, total, count: 0, started: now, seen: [0; 4], hashes }
    }

    fn is_complete(&self) -> bool {
        self.count == self.total
    }

    fn add(&mut self, fragment: &Fragment<'_>, now: u64, conditions: &mut Conditions) {
        if fragment.total != self.total {
            conditions.insert(Condition::TotalChanged);
            if fragment.total < self.total || self.is_complete() {
                return;
            }
            *self = Self::new(self.key, fragment.total, now);
        }
        // The number of a valid fragment is between 1 and the total.
        let place = usize::from(fragment.number.saturating_sub(1));
        if !self.mark(place) {
            self.count += 1;
            if let Some(kept) = self.hashes.get_mut(place) {
                *kept = hash(fragment);
            }
        } else if self.hashes.get(place).is_some_and(|kept| *kept != hash(fragment)) {
            conditions.insert(Condition::Conflict);
        } else {
            conditions.insert(Condition::Duplicate);
        }
    }

    /// Marks a fragment as seen. Returns whether it was seen before.
    fn mark(&mut self, place: usize) -> bool {
        let Some(word) = self.seen.get_mut(place / 64) else { return true };
        let bit = 1 << (place % 64);
        let was = *word & bit != 0;
        *word |= bit;
        was
    }
}

fn hash(fragment: &Fragment<'_>) -> u32 {
    let PayloadType(first_payload) = fragment.first_payload;
    keyed_hash::of_process((first_payload, fragment.body)) as u32
}

#[cfg(test)]
mod tests {
    use super::Condition::*;
    use super::*;

    const REQUEST: MessageKey = MessageKey { message_id: 1, from_initiator: true, response: false };

    fn fragment(number: u16, total: u16, body: &[u8]) -> Fragment<'_> {
        let first_payload = if number == 1 { PayloadType::IDI } else { PayloadType::NONE };
        Fragment { first_payload, number, total, body }
    }

    /// The number, total, body and time of a fragment, and the expected conditions.
    type FragmentStep<'a> = (u16, u16, &'a str, u64, &'a [Condition]);

    fn play(fragments: &mut Fragments, steps: &[FragmentStep<'_>]) {
        for (place, (number, total, body, now, expected)) in steps.iter().enumerate() {
            let fragment = fragment(*number, *total, body.as_bytes());
            let status = fragments.observe(REQUEST, &fragment, *now);
            let found: Vec<_> = status.conditions.iter().collect();
            assert_eq!(found, *expected, "step {place}");
        }
    }

    #[test]
    fn a_message_is_complete_with_its_last_fragment_in_any_order() {
        let steps: &[FragmentStep<'_>] = &[
            (3, 3, "c", 0, &[Incomplete]),
            (1, 3, "a", 1, &[Incomplete]),
            (2, 3, "b", 2, &[Complete]),
        ];
        play(&mut Fragments::default(), steps);
        play(&mut Fragments::default(), &[(1, 1, "whole", 0, &[Complete])]);
    }

    #[test]
    fn copies_are_duplicates_and_other_bytes_are_conflicts() {
        let steps: &[FragmentStep<'_>] = &[
            (1, 2, "a", 0, &[Incomplete]),
            (1, 2, "a", 1, &[Incomplete, Duplicate]),
            (1, 2, "x", 2, &[Incomplete, Conflict]),
            (2, 2, "b", 3, &[Complete]),
            (2, 2, "b", 4, &[Complete, Duplicate]),
            (2, 2, "x", 5, &[Complete, Conflict]),
        ];
        play(&mut Fragments::default(), steps);
    }

    #[test]
    fn another_first_payload_is_a_conflict_too() {
        let mut fragments = Fragments::default();
        let one = fragment(1, 2, b"a");
        fragments.observe(REQUEST, &one, 0);
        let other = Fragment { first_payload: PayloadType::AUTH, ..one };
        assert!(fragments.observe(REQUEST, &other, 0).conditions.contains(Conflict));
    }

    #[test]
    fn a_larger_total_starts_anew_and_a_smaller_one_is_ignored() {
        let steps: &[FragmentStep<'_>] = &[
            (1, 2, "ab", 0, &[Incomplete]),
            (1, 3, "a", 1, &[Incomplete, TotalChanged]),
            (2, 2, "cd", 2, &[Incomplete, TotalChanged]),
            (2, 3, "b", 3, &[Incomplete]),
            (3, 3, "c", 4, &[Complete]),
            (4, 4, "d", 5, &[Complete, TotalChanged]),
        ];
        play(&mut Fragments::default(), steps);
    }

    #[test]
    fn impossible_numbers_are_invalid_and_change_nothing() {
        let mut fragments = Fragments::default();
        let steps: &[FragmentStep<'_>] =
            &[(0, 2, "a", 0, &[Invalid]), (3, 2, "a", 0, &[Invalid]), (1, 0, "a", 0, &[Invalid])];
        play(&mut fragments, steps);
        assert!(fragments.is_empty());
        let other = Fragment { first_payload: PayloadType::IDI, ..fragment(2, 2, b"b") };
        let status = fragments.observe(REQUEST, &other, 0);
        assert!(status.conditions.contains(Invalid) && status.seen == 0);
    }

    #[test]
    fn the_largest_set_is_followed_and_a_larger_one_is_not() {
        let mut fragments = Fragments::default();
        for number in 1..=MAX_FRAGMENTS {
            let status = fragments.observe(REQUEST, &fragment(number, MAX_FRAGMENTS, b"x"), 0);
            assert_eq!(status.seen, number);
            assert_eq!(status.conditions.contains(Complete), number == MAX_FRAGMENTS);
        }
        play(&mut fragments, &[(1, MAX_FRAGMENTS + 1, "x", 0, &[TooMany])]);
        play(&mut fragments, &[(u16::MAX, u16::MAX, "x", 0, &[TooMany])]);
        // For fragments above `MAX_COMPARED`, a conflict looks like a duplicate.
        let conflict = fragment(MAX_COMPARED, MAX_FRAGMENTS, b"y");
        assert!(fragments.observe(REQUEST, &conflict, 0).conditions.contains(Conflict));
        let unknown = fragment(MAX_COMPARED + 1, MAX_FRAGMENTS, b"y");
        assert!(fragments.observe(REQUEST, &unknown, 0).conditions.contains(Duplicate));
    }

    #[test]
    fn what_is_not_complete_in_time_is_given_up_once() {
        let late = TIMEOUT + 1;
        let steps: &[FragmentStep<'_>] = &[
            (1, 2, "a", 0, &[Incomplete]),
            (2, 2, "b", late, &[Incomplete, Timeout]),
            (1, 2, "a", late + 1, &[Complete]),
            (1, 2, "a", 2 * late + 2, &[Incomplete]),
        ];
        play(&mut Fragments::default(), steps);
        let mut fragments = Fragments::default();
        play(&mut fragments, &[(1, 2, "a", 0, &[Incomplete])]);
        assert!(!fragments.is_settled());
        assert!(fragments.expire(TIMEOUT).is_empty());
        assert!(fragments.expire(late).contains(Timeout));
        assert!(fragments.is_empty() && fragments.expire(late).is_empty());
    }

    #[test]
    fn a_clock_that_runs_backwards_makes_nothing_old() {
        let steps: &[FragmentStep<'_>] =
            &[(1, 2, "a", u64::MAX, &[Incomplete]), (2, 2, "b", 0, &[Complete])];
        play(&mut Fragments::default(), steps);
    }

    #[test]
    fn a_message_whole_after_fragments_of_it_is_mixed() {
        let mut fragments = Fragments::default();
        play(&mut fragments, &[(1, 2, "a", 0, &[Incomplete])]);
        assert!(fragments.observe_whole(REQUEST, 0).contains(Mixed));
        for other in [
            MessageKey { message_id: 2, ..REQUEST },
            MessageKey { from_initiator: false, ..REQUEST },
            MessageKey { response: true, ..REQUEST },
        ] {
            assert!(fragments.observe_whole(other, 0).is_empty());
        }
    }

    #[test]
    fn requests_and_responses_of_both_ends_are_apart() {
        let mut fragments = Fragments::default();
        for (from_initiator, response) in [(true, false), (true, true), (false, false)] {
            let key = MessageKey { message_id: 7, from_initiator, response };
            let status = fragments.observe(key, &fragment(1, 2, b"a"), 0);
            assert_eq!(status.conditions.iter().collect::<Vec<_>>(), [Incomplete]);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut fragments = Fragments::default();
        for message_id in 0..1000 {
            let key = MessageKey { message_id, ..REQUEST };
            let status = fragments.observe(key, &fragment(1, MAX_FRAGMENTS, b"a"), 0);
            assert_eq!(status.conditions.contains(TooMany), message_id >= 4);
        }
        assert_eq!(fragments.messages.len(), MAX_MESSAGES);
        assert!(fragments.heap_size() <= 4096, "{}", fragments.heap_size());
        let mut usual = Fragments::default();
        usual.observe(REQUEST, &fragment(1, 9, b"a"), 0);
        assert!(usual.heap_size() <= 160, "{}", usual.heap_size());
    }

    #[test]
    fn complete_messages_make_room_without_a_word() {
        let mut fragments = Fragments::default();
        for message_id in (u32::MAX - 20)..=u32::MAX {
            let key = MessageKey { message_id, ..REQUEST };
            let status = fragments.observe(key, &fragment(1, 1, b"a"), 0);
            assert_eq!(status.conditions.iter().collect::<Vec<_>>(), [Complete]);
            assert!(fragments.is_settled());
        }
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = Condition::ALL.iter().map(|condition| condition.name()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
