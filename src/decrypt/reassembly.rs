//! Putting fragments together again (RFC 7383, 2.6).
//!
//! Only what was opened comes here: each fragment has its own checksum, so nobody but
//! the peers can add one, and what is put together is what the receiver has. Its rules
//! are those of [`crate::sa::fragment`], which follows fragments without keys.

use crate::sa::fragment::{MessageKey, MAX_FRAGMENTS};
use crate::wire::registry::PayloadType;
use crate::wire::Fragment;

/// The most messages of an SA that are put together at a time.
pub const MAX_MESSAGES: usize = 4;

/// The most bytes of a message. The payload that is cut into fragments has no room for
/// more (RFC 7296, 3.2).
pub const MAX_BYTES: usize = 0xffff;

/// What became of a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Others are missing.
    Incomplete,
    /// It was there before, or is late: it changes nothing.
    Ignored,
    /// No fragment can be so, or there is no room for what it is part of.
    Refused,
    /// The last that was missing: the type of the first payload, and the payloads.
    Complete(PayloadType, Vec<u8>),
}

/// The fragmented messages of one SA.
#[derive(Debug, Default)]
pub struct Reassembly {
    messages: Vec<PartialPlaintext>,
}

#[derive(Debug)]
struct PartialPlaintext {
    key: MessageKey,
    first_inner: PayloadType,
    /// The pieces by number; none are there once the message is complete.
    pieces: Box<[Option<Box<[u8]>>]>,
    total: u16,
    /// How many pieces are missing.
    missing: u16,
    bytes: usize,
}

impl Reassembly {
    /// Takes what is in a fragment.
    pub fn add(&mut self, key: MessageKey, fragment: &Fragment<'_>, inside: &[u8]) -> Progress {
        if !fragment.is_valid() || fragment.total > MAX_FRAGMENTS {
            return Progress::Refused;
        }
        let place = match self.messages.iter().position(|message| message.key == key) {
            Some(place) => place,
            None => self.begin(key, fragment.total),
        };
        let progress = self.messages[place].add(fragment, inside);
        if progress == Progress::Refused {
            self.messages.remove(place);
        }
        progress
    }

    /// The bytes that are kept.
    pub fn bytes(&self) -> usize {
        let of_message = |message: &PartialPlaintext| {
            message.bytes + message.pieces.len() * size_of::<Option<Box<[u8]>>>()
        };
        self.messages
            .iter()
            .map(|message| size_of::<PartialPlaintext>() + of_message(message))
            .sum()
    }

    /// Makes room for a message, if need be in the place of one that is complete, else
    /// of the oldest.
    fn begin(&mut self, key: MessageKey, total: u16) -> usize {
        if self.messages.len() >= MAX_MESSAGES {
            let complete = self.messages.iter().position(|message| message.missing == 0);
            self.messages.remove(complete.unwrap_or(0));
        }
        self.messages.push(PartialPlaintext::new(key, total));
        self.messages.len() - 1
    }
}

impl PartialPlaintext {
    fn new(key: MessageKey, total: u16) -> Self {
        let pieces = vec![None; total.into()].into_boxed_slice();
        Self { key, first_inner: PayloadType::NONE, pieces, total, missing: total, bytes: 0 }
    }

    fn add(&mut self, fragment: &Fragment<'_>, inside: &[u8]) -> Progress {
        if self.missing == 0 || fragment.total < self.total {
            return Progress::Ignored;
        }
        if fragment.total > self.total {
            *self = Self::new(self.key, fragment.total);
        }
        let Some(piece) = self.pieces.get_mut(usize::from(fragment.number) - 1) else {
            return Progress::Refused;
        };
        if piece.is_some() {
            return Progress::Ignored;
        }
        self.bytes += inside.len();
        if self.bytes > MAX_BYTES {
            return Progress::Refused;
        }
        *piece = Some(inside.into());
        self.missing -= 1;
        if fragment.number == 1 {
            self.first_inner = fragment.first_inner;
        }
        if self.missing > 0 {
            return Progress::Incomplete;
        }
        let mut whole = Vec::with_capacity(core::mem::take(&mut self.bytes));
        let pieces = core::mem::take(&mut self.pieces);
        pieces.iter().flatten().for_each(|piece| whole.extend_from_slice(piece));
        Progress::Complete(self.first_inner, whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: MessageKey = MessageKey { message_id: 1, from_initiator: true, response: false };

    fn fragment(number: u16, total: u16) -> Fragment<'static> {
        let first_inner = if number == 1 { PayloadType::IDI } else { PayloadType::NONE };
        Fragment { first_inner, number, total, body: &[] }
    }

    fn complete(text: &str) -> Progress {
        Progress::Complete(PayloadType::IDI, text.as_bytes().to_vec())
    }

    #[test]
    fn any_order_gives_the_same() {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [3, 1, 2]] {
            let mut reassembly = Reassembly::default();
            let mut last = Progress::Ignored;
            for number in order {
                assert!(matches!(last, Progress::Ignored | Progress::Incomplete));
                let inside = [b"ab", b"cd", b"ef"][usize::from(number) - 1];
                last = reassembly.add(KEY, &fragment(number, 3), inside);
            }
            assert_eq!(last, complete("abcdef"), "{order:?}");
        }
    }

    #[test]
    fn copies_late_ones_and_a_smaller_total_change_nothing() {
        let mut reassembly = Reassembly::default();
        let mut add = |number, total, inside: &str| {
            reassembly.add(KEY, &fragment(number, total), inside.as_bytes())
        };
        assert_eq!(add(1, 2, "ab"), Progress::Incomplete);
        assert_eq!(add(1, 2, "xx"), Progress::Ignored);
        assert_eq!(add(1, 1, "xx"), Progress::Ignored);
        assert_eq!(add(2, 2, "cd"), complete("abcd"));
        assert_eq!(add(2, 2, "cd"), Progress::Ignored);
        assert_eq!(add(1, 3, "ab"), Progress::Ignored);
    }

    #[test]
    fn a_larger_total_starts_anew() {
        let mut reassembly = Reassembly::default();
        let mut add = |number, total, inside: &str| {
            reassembly.add(KEY, &fragment(number, total), inside.as_bytes())
        };
        assert_eq!(add(2, 2, "cd"), Progress::Incomplete);
        assert_eq!(add(1, 3, "a"), Progress::Incomplete);
        assert_eq!(add(3, 3, "c"), Progress::Incomplete);
        assert_eq!(add(2, 3, "b"), complete("abc"));
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        let mut reassembly = Reassembly::default();
        for (number, total) in [(0, 2), (3, 2), (0, 0), (1, MAX_FRAGMENTS + 1)] {
            assert_eq!(reassembly.add(KEY, &fragment(number, total), b"a"), Progress::Refused);
        }
        let named = Fragment { first_inner: PayloadType::IDI, ..fragment(2, 2) };
        assert_eq!(reassembly.add(KEY, &named, b"a"), Progress::Refused);
        assert_eq!(reassembly.bytes(), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut reassembly = Reassembly::default();
        let big = vec![0; 40_000];
        for message_id in 0..100 {
            let key = MessageKey { message_id, ..KEY };
            assert_eq!(reassembly.add(key, &fragment(1, 256), &big), Progress::Incomplete);
        }
        assert!(reassembly.bytes() < MAX_MESSAGES * (MAX_BYTES + 256 * 16 + 100));
        let key = MessageKey { message_id: 99, ..KEY };
        assert_eq!(reassembly.add(key, &fragment(2, 256), &big), Progress::Refused);
    }
}
