//! Copies of a packet that a tap makes. They have the same bytes, and they come sooner than
//! any retransmission.
//!
//! Copies come within milliseconds. Therefore they are not stored with each SA. Each shard has
//! a fixed number of recent messages of all its SAs, in small sets. The hash has a key, so an
//! attacker cannot choose a set. If somebody sends so many messages that a set overflows,
//! copies count as retransmissions, and nothing else changes.

/// The maximum time between the copies of one packet, in milliseconds. Packets mirrored at two
/// ports or in two VLANs come within microseconds. Packets seen on both sides of a NAT or
/// firewall come within some milliseconds. No peer retransmits so soon: the first time is 500
/// ms with libreswan, 1 s with Windows and 4 s with strongSwan. Less than 100 ms would be
/// shorter than the time to an answer.
const APART: u32 = 20;

/// The number of messages in a set. All of them are compared with each new message.
const SET_SIZE: usize = 4;
const SETS: usize = 16;

/// A recent message: a hash of its bytes (0 for none), its time in milliseconds, a hash of its
/// addresses, and the thread that parsed it. The hash of the addresses has 32 bits: with 16,
/// one in 65,536 messages that a peer sends on a second path would count as a copy.
#[derive(Clone, Copy, Debug, Default)]
struct SeenMessage {
    hash: u32,
    at: u32,
    ends: u32,
    thread: u8,
}

/// Whether a message is a copy, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyOf {
    /// It is no copy.
    None,
    /// It is a copy of a message between the same addresses.
    SameEnds,
    /// It is a copy of a message between other addresses, as on the other side of a NAT.
    OtherEnds,
}

/// The recent messages of a shard.
#[derive(Debug, Default)]
pub(super) struct Copies([[SeenMessage; SET_SIZE]; SETS]);

impl Copies {
    /// Compares a message with the recent ones and stores it. `hash` is of its bytes and not
    /// 0, `ends` is a hash of its addresses, `time` is in microseconds. The time since the
    /// first of the same messages counts. Otherwise continuous retransmissions would all be
    /// copies of the first.
    pub(super) fn observe(&mut self, hash: u32, ends: u32, time: u64, thread: u8) -> CopyOf {
        let at = milliseconds(time);
        let set = &mut self.0[hash as usize / 2 % SETS];
        let known = set.iter().position(|message| message.hash == hash);
        if let Some(place) = known.filter(|place| distance(set[*place].at, at) <= APART) {
            return if set[place].ends == ends { CopyOf::SameEnds } else { CopyOf::OtherEnds };
        }
        // A thread first replaces its own messages that are too old. A thread that reads a
        // file and is ahead of others must not remove what they still need.
        let is_over = |message: &SeenMessage| {
            message.thread == thread && message.hash != 0 && distance(message.at, at) > APART
        };
        let place = known.or_else(|| set.iter().rposition(is_over)).unwrap_or(SET_SIZE - 1);
        // The newest message is the first in its set.
        set.copy_within(..place, 1);
        set[0] = SeenMessage { hash, at, ends, thread };
        CopyOf::None
    }
}

/// Whether two times in microseconds are so close that the same bytes are copies.
pub(super) fn are_near(one: u64, other: u64) -> bool {
    distance(milliseconds(one), milliseconds(other)) <= APART
}

/// The time in milliseconds. It starts from 0 again after 49 days.
fn milliseconds(microseconds: u64) -> u32 {
    (microseconds / 1000) as u32
}

fn distance(one: u32, other: u32) -> u32 {
    one.wrapping_sub(other).min(other.wrapping_sub(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_near_the_first_of_them() {
        let mut copies = Copies::default();
        let mut at =
            |milliseconds: u64| copies.observe(7, 1, milliseconds * 1000, 1) == CopyOf::SameEnds;
        assert_eq!([0, 0, 12, 20, 21, 22].map(&mut at), [false, true, true, true, false, true]);
        // The clock of a capture may step back, and the milliseconds may start from 0 again.
        assert_eq!([5, 4].map(&mut at), [true, true]);
        let day = 1 << 32;
        assert_eq!([day - 5, day + 5, day + 30].map(&mut at), [false, true, false]);
    }

    #[test]
    fn the_last_of_a_set_are_known() {
        let mut copies = Copies::default();
        let hashes: Vec<u32> = (0..5).map(|number| 1 + number * 2 * SETS as u32).collect();
        assert!(hashes.iter().all(|hash| copies.observe(*hash, 1, 0, 1) == CopyOf::None));
        let known: Vec<_> = hashes[1..].iter().map(|hash| copies.observe(*hash, 2, 0, 1)).collect();
        assert_eq!(known, [CopyOf::OtherEnds; 4]);
        assert_eq!(copies.observe(hashes[0], 1, 0, 1), CopyOf::None);
    }

    #[test]
    fn a_thread_that_is_ahead_keeps_what_others_need() {
        let mut copies = Copies::default();
        let hash = |number: u32| 1 + number * 2 * SETS as u32;
        assert_eq!(copies.observe(hash(0), 1, 0, 1), CopyOf::None);
        for number in 1..100 {
            assert_eq!(
                copies.observe(hash(number), 1, u64::from(number) * 50_000, 2),
                CopyOf::None
            );
        }
        assert_eq!(copies.observe(hash(0), 1, 20, 1), CopyOf::SameEnds);
    }
}
