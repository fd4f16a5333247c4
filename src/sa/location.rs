//! The addresses of the peers of an IKE SA.
//!
//! A later message replaces earlier addresses, because peers move (RFC 4555) and NATs change
//! their mapping. But a tap on both sides of a NAT sees every message between two pairs of
//! addresses, and the direction decides which pair it sees first. So addresses between which
//! only copies were seen are stored separately. The SA moves there only after a message
//! without a copy at the present addresses.

use super::Endpoint;

/// The addresses of the initiator and of the responder.
pub(super) type Ends = [Endpoint; 2];

/// Other addresses between which copies of an SA's messages were seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherEnds {
    ends: Ends,
    /// The last message was seen only between these addresses.
    is_alone: bool,
}

/// Stores that a copy of a message was seen between `ends`, while the SA is at `present`.
pub(super) fn add_copy(other: &mut Option<Box<OtherEnds>>, present: Ends, ends: Ends) {
    match other {
        Some(stored) if ends == present || ends == stored.ends => stored.is_alone = false,
        _ if ends == present => {}
        _ => *other = Some(Box::new(OtherEnds { ends, is_alone: false })),
    }
}

/// The addresses of an SA after a message between `ends`, if it was at `present` before.
pub(super) fn move_to(other: &mut Option<Box<OtherEnds>>, present: Ends, ends: Ends) -> Ends {
    let Some(stored) = other else { return ends };
    if ends == present {
        stored.is_alone = false;
    } else if ends == stored.ends && !stored.is_alone {
        stored.is_alone = true;
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
        assert_eq!(move_to(&mut other, ends(1), ends(2)), ends(2));
        add_copy(&mut other, ends(2), ends(2));
        assert_eq!(move_to(&mut other, ends(2), ends(1)), ends(1));
    }

    #[test]
    fn both_sides_of_a_nat_are_one_place() {
        let mut other = None;
        let mut present = ends(1);
        add_copy(&mut other, present, ends(2));
        for _ in 0..5 {
            // The request, and then the response.
            for [first, second] in [[1, 2], [2, 1]] {
                present = move_to(&mut other, present, ends(first));
                add_copy(&mut other, present, ends(second));
                assert_eq!(present, ends(1));
            }
        }
    }

    #[test]
    fn who_moves_has_moved_with_the_second_message() {
        let mut other = None;
        // The peer tests its paths from two addresses.
        add_copy(&mut other, ends(1), ends(2));
        let present = move_to(&mut other, ends(1), ends(2));
        assert_eq!(present, ends(1));
        assert_eq!(move_to(&mut other, present, ends(2)), ends(2));
        assert_eq!(move_to(&mut other, ends(2), ends(3)), ends(3));
    }
}
