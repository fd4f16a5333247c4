//! Reassembly of decrypted fragments (RFC 7383, 2.6).
//!
//! Only decrypted fragments are added. Each fragment has its own checksum, so only the
//! peers can produce one, and the result is the message that the receiver gets. The rules
//! are those of [`crate::sa::fragment`], which tracks fragments without keys.

use crate::sa::fragment::{MessageKey, MAX_FRAGMENTS};
use crate::wire::registry::PayloadType;
use crate::wire::Fragment;

/// The maximum number of messages of an SA that are reassembled at the same time.
pub const MAX_MESSAGES: usize = 4;

/// The maximum size of a reassembled message in bytes. The payload that is split into
/// fragments cannot be larger (RFC 7296, 3.2).
pub const MAX_BYTES: usize = 0xffff;

/// The result of adding a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More fragments are needed.
    Incomplete,
    /// The fragment changes nothing: it was added before, or it came too late.
    Ignored,
    /// The fragment is invalid, or its message is too large.
    Refused,
    /// The message is complete: the type of its first payload, and all payloads.
    Complete(PayloadType, Vec<u8>),
}

/// The incomplete messages of one SA.
#[derive(Debug, Default)]
pub struct Reassembly {
    messages: Vec<PartialPlaintext>,
}

#[derive(Debug)]
struct PartialPlaintext {
    key: MessageKey,
    first_payload: PayloadType,
    /// The plaintext of each fragment, by number. Empty when the message is complete.
    pieces: Box<[Option<Box<[u8]>>]>,
    total: u16,
    /// The number of fragments that have not been added yet.
    missing: u16,
    bytes: usize,
}

impl Reassembly {
    /// Adds the plaintext of a fragment.
    pub fn add(&mut self, key: MessageKey, fragment: &Fragment<'_>, plaintext: &[u8]) -> Progress {
        if !fragment.is_valid() || fragment.total > MAX_FRAGMENTS {
            return Progress::Refused;
        }
        let place = match self.messages.iter().position(|message| message.key == key) {
            Some(place) => place,
            None => self.begin(key, fragment.total),
        };
        let progress = self.messages[place].add(fragment, plaintext);
        if progress == Progress::Refused {
            self.messages.remove(place);
        }
        progress
    }

    /// The memory that is in use, in bytes.
    pub fn bytes(&self) -> usize {
        let of_message = |message: &PartialPlaintext| {
            message.bytes + message.pieces.len() * size_of::<Option<Box<[u8]>>>()
        };
        self.messages
            .iter()
            .map(|message| size_of::<PartialPlaintext>() + of_message(message))
            .sum()
    }

    /// Adds an empty message and returns its index. If there are too many messages, a
    /// complete message is removed, or else the oldest.
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
        Self { key, first_payload: PayloadType::NONE, pieces, total, missing: total, bytes: 0 }
    }

    fn add(&mut self, fragment: &Fragment<'_>, plaintext: &[u8]) -> Progress {
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
        self.bytes += plaintext.len();
        if self.bytes > MAX_BYTES {
            return Progress::Refused;
        }
        *piece = Some(plaintext.into());
        self.missing -= 1;
        if fragment.number == 1 {
            self.first_payload = fragment.first_payload;
        }
        if self.missing > 0 {
            return Progress::Incomplete;
        }
        let mut whole = Vec::with_capacity(core::mem::take(&mut self.bytes));
        let pieces = core::mem::take(&mut self.pieces);
        pieces.iter().flatten().for_each(|piece| whole.extend_from_slice(piece));
        Progress::Complete(self.first_payload, whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: MessageKey = MessageKey { message_id: 1, from_initiator: true, response: false };

    fn fragment(number: u16, total: u16) -> Fragment<'static> {
        let first_payload = if number == 1 { PayloadType::IDI } else { PayloadType::NONE };
        Fragment { first_payload, number, total, body: &[] }
    }

    fn complete(text: &str) -> Progress {
        Progress::Complete(PayloadType::IDI, text.as_bytes().to_vec())
    }

    #[test]
    fn fragments_may_come_in_any_order() {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [3, 1, 2]] {
            let mut reassembly = Reassembly::default();
            let mut last = Progress::Ignored;
            for number in order {
                assert!(matches!(last, Progress::Ignored | Progress::Incomplete));
                let plaintext = [b"ab", b"cd", b"ef"][usize::from(number) - 1];
                last = reassembly.add(KEY, &fragment(number, 3), plaintext);
            }
            assert_eq!(last, complete("abcdef"), "{order:?}");
        }
    }

    #[test]
    fn copies_late_fragments_and_a_smaller_total_are_ignored() {
        let mut reassembly = Reassembly::default();
        let mut add = |number, total, plaintext: &str| {
            reassembly.add(KEY, &fragment(number, total), plaintext.as_bytes())
        };
        assert_eq!(add(1, 2, "ab"), Progress::Incomplete);
        assert_eq!(add(1, 2, "xx"), Progress::Ignored);
        assert_eq!(add(1, 1, "xx"), Progress::Ignored);
        assert_eq!(add(2, 2, "cd"), complete("abcd"));
        assert_eq!(add(2, 2, "cd"), Progress::Ignored);
        assert_eq!(add(1, 3, "ab"), Progress::Ignored);
    }

    #[test]
    fn a_larger_total_restarts_the_message() {
        let mut reassembly = Reassembly::default();
        let mut add = |number, total, plaintext: &str| {
            reassembly.add(KEY, &fragment(number, total), plaintext.as_bytes())
        };
        assert_eq!(add(2, 2, "cd"), Progress::Incomplete);
        assert_eq!(add(1, 3, "a"), Progress::Incomplete);
        assert_eq!(add(3, 3, "c"), Progress::Incomplete);
        assert_eq!(add(2, 3, "b"), complete("abc"));
    }

    #[test]
    fn invalid_fragments_are_refused() {
        let mut reassembly = Reassembly::default();
        for (number, total) in [(0, 2), (3, 2), (0, 0), (1, MAX_FRAGMENTS + 1)] {
            assert_eq!(reassembly.add(KEY, &fragment(number, total), b"a"), Progress::Refused);
        }
        let named = Fragment { first_payload: PayloadType::IDI, ..fragment(2, 2) };
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
