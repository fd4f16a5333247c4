//! Where the ends of an IKE SA are.
//!
//! A later message overrides an earlier one, as peers move (RFC 4555) and NATs change their
//! mind. But a tap on both sides of a NAT sees every message between two pairs of ends, and
//! which it sees first depends on the direction. So ends between which only copies were seen
//! are remembered, and the SA is not moved there until a message has come that has no copy
//! between the ends it has.

use super::Endpoint;

/// The initiator's end and the responder's.
pub(super) type Ends = [Endpoint; 2];

/// Other ends between which copies of an SA's messages are seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elsewhere {
    ends: Ends,
    /// The last message was seen there alone.
    is_alone: bool,
}

/// Takes in that a copy of a message was seen between `ends`, while the SA is at `present`.
pub(super) fn note_copy(other: &mut Option<Box<Elsewhere>>, present: Ends, ends: Ends) {
    match other {
        Some(known) if ends == present || ends == known.ends => known.is_alone = false,
        _ if ends == present => {}
        _ => *other = Some(Box::new(Elsewhere { ends, is_alone: false })),
    }
}

/// Where an SA is that was at `present`, once a message was seen between `ends`.
pub(super) fn after(other: &mut Option<Box<Elsewhere>>, present: Ends, ends: Ends) -> Ends {
    let Some(known) = other else { return ends };
    if ends == present {
        known.is_alone = false;
    } else if ends == known.ends && !known.is_alone {
        known.is_alone = true;
        return present;
    } else {
        *other = None;
    }
    ends
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn ends(last: u8) -> Ends {
        [last, 20].map(|last| Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 500 })
    }

    #[test]
    fn without_copies_the_last_message_counts() {
        let mut other = None;
        assert_eq!(after(&mut other, ends(1), ends(2)), ends(2));
        note_copy(&mut other, ends(2), ends(2));
        assert_eq!(after(&mut other, ends(2), ends(1)), ends(1));
    }

    #[test]
    fn both_sides_of_a_nat_are_one_place() {
        let mut other = None;
        let mut present = ends(1);
        note_copy(&mut other, present, ends(2));
        for _ in 0..5 {
            // Out, and the answer back.
            for [first, second] in [[1, 2], [2, 1]] {
                present = after(&mut other, present, ends(first));
                note_copy(&mut other, present, ends(second));
                assert_eq!(present, ends(1));
            }
        }
    }

    #[test]
    fn who_moves_has_moved_with_the_second_message() {
        let mut other = None;
        // The path is probed from two addresses.
        note_copy(&mut other, ends(1), ends(2));
        let present = after(&mut other, ends(1), ends(2));
        assert_eq!(present, ends(1));
        assert_eq!(after(&mut other, present, ends(2)), ends(2));
        assert_eq!(after(&mut other, ends(2), ends(3)), ends(3));
    }
}
