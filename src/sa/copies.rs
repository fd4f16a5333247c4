//! Copies that a tap makes of a packet: the same bytes again, sooner than any timer sends
//! them.
//!
//! What matters is over within milliseconds, so it is not kept with each SA but with the
//! messages of late of all SAs in a shard: a fixed number, in sets of a few. The hash has a
//! key, so nobody can choose a set; whoever sends so much that a set is full in the
//! meantime makes copies count as retransmissions, and no more.

/// How far the copies of one packet may lie apart, in milliseconds. What is mirrored at two
/// ports or in two VLANs comes within microseconds, what is seen on both sides of a NAT or
/// firewall within some milliseconds. No timer sends again so soon: the first time is 500 ms
/// with libreswan, 1 s with Windows and 4 s with strongSwan, and less than 100 ms would be
/// less than answers take.
const APART: u32 = 20;

/// The messages in a set: so many are looked at for a message.
const WAYS: usize = 4;
const SETS: usize = 16;

/// A message: a hash of its bytes, 0 where there is none, when it was sent, a hash of the ends
/// between which it was, and the thread that saw it.
#[derive(Clone, Copy, Debug, Default)]
struct SeenMessage {
    hash: u32,
    at: u32,
    ends: u16,
    thread: u8,
}

/// What a message is a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyOf {
    /// Of none.
    Nothing,
    /// Of one between the same ends.
    Here,
    /// Of one between other ends, as on the other side of a NAT.
    Elsewhere,
}

/// The last messages of a shard.
#[derive(Debug, Default)]
pub(super) struct Copies([[SeenMessage; WAYS]; SETS]);

impl Copies {
    /// Takes in a message with this hash of its bytes, which is not 0, a hash of its ends, the
    /// packet's time in microseconds and the thread that has it. Whether it is a copy of one
    /// before. How long ago the first of them came counts, so that what is sent on and on does
    /// not pass for one packet.
    pub(super) fn observe(&mut self, hash: u32, ends: u16, time: u64, thread: u8) -> CopyOf {
        let at = milliseconds(time);
        let set = &mut self.0[hash as usize / 2 % SETS];
        let known = set.iter().position(|message| message.hash == hash);
        if let Some(place) = known.filter(|place| distance(set[*place].at, at) <= APART) {
            return if set[place].ends == ends { CopyOf::Here } else { CopyOf::Elsewhere };
        }
        // Of its own a thread gives up first what is over for it: one that reads a file and is
        // ahead of others must not push out what they still need.
        let is_over = |message: &SeenMessage| {
            message.thread == thread && message.hash != 0 && distance(message.at, at) > APART
        };
        let place = known.or_else(|| set.iter().rposition(is_over)).unwrap_or(WAYS - 1);
        // The first is the newest.
        set.copy_within(..place, 1);
        set[0] = SeenMessage { hash, at, ends, thread };
        CopyOf::Nothing
    }
}

/// Whether two times are so near that the same bytes then are copies.
pub(super) fn are_near(one: u64, other: u64) -> bool {
    distance(milliseconds(one), milliseconds(other)) <= APART
}

/// They begin anew after 49 days.
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
            |milliseconds: u64| copies.observe(7, 1, milliseconds * 1000, 1) == CopyOf::Here;
        assert_eq!([0, 0, 12, 20, 21, 22].map(&mut at), [false, true, true, true, false, true]);
        // The clock of a capture may step back, and milliseconds begin anew.
        assert_eq!([5, 4].map(&mut at), [true, true]);
        let day = 1 << 32;
        assert_eq!([day - 5, day + 5, day + 30].map(&mut at), [false, true, false]);
    }

    #[test]
    fn the_last_of_a_set_are_known() {
        let mut copies = Copies::default();
        let hashes: Vec<u32> = (0..5).map(|number| 1 + number * 2 * SETS as u32).collect();
        assert!(hashes.iter().all(|hash| copies.observe(*hash, 1, 0, 1) == CopyOf::Nothing));
        let known: Vec<_> = hashes[1..].iter().map(|hash| copies.observe(*hash, 2, 0, 1)).collect();
        assert_eq!(known, [CopyOf::Elsewhere; 4]);
        assert_eq!(copies.observe(hashes[0], 1, 0, 1), CopyOf::Nothing);
    }

    #[test]
    fn a_thread_that_is_ahead_keeps_what_others_need() {
        let mut copies = Copies::default();
        let hash = |number: u32| 1 + number * 2 * SETS as u32;
        assert_eq!(copies.observe(hash(0), 1, 0, 1), CopyOf::Nothing);
        for number in 1..100 {
            assert_eq!(
                copies.observe(hash(number), 1, u64::from(number) * 50_000, 2),
                CopyOf::Nothing
            );
        }
        assert_eq!(copies.observe(hash(0), 1, 20, 1), CopyOf::Here);
    }
}
