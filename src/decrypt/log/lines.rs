//! Splits a log into lines. The log arrives in pieces of any size.

use zeroize::Zeroizing;

/// The maximum length of a line in bytes. In JSON a whole dump is one line. The longest
/// dump is an IKE_SA_INIT message of 64 KiB with five characters for each byte.
pub const MAX_LINE: usize = 1 << 19;

/// Joins pieces of a log and splits them into lines.
#[derive(Default)]
pub struct LogLines {
    /// The beginning of a line whose end has not arrived yet.
    partial: Zeroizing<Vec<u8>>,
    /// Whether that line is too long. Its rest is skipped.
    too_long: bool,
}

impl LogLines {
    /// Adds the next piece and calls `each` for every line that ends in it. The line is
    /// passed without its end. `None` is passed for a line of more than [`MAX_LINE`] bytes.
    pub fn feed(&mut self, mut piece: &[u8], mut each: impl FnMut(Option<&[u8]>)) {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = piece.split_at(end);
            if self.partial.is_empty() && !self.too_long && line.len() <= MAX_LINE {
                each(Some(line));
            } else {
                self.keep(line);
                self.finish(&mut each);
            }
            piece = rest.get(1..).unwrap_or_default();
        }
        self.keep(piece);
    }

    /// Ends the log. An unfinished last line is passed to `each` as a line.
    pub fn finish(&mut self, mut each: impl FnMut(Option<&[u8]>)) {
        if self.too_long {
            each(None);
        } else if !self.partial.is_empty() {
            each(Some(&self.partial));
        }
        *self = Self::default();
    }

    /// Stores the beginning of a line. Nothing is stored if the line is too long.
    fn keep(&mut self, piece: &[u8]) {
        let length = self.partial.len() + piece.len();
        if self.too_long || length > MAX_LINE {
            *self = Self { too_long: true, ..Self::default() };
            return;
        }
        if length > self.partial.capacity() {
            // If the vector grew in place, a copy that is not wiped would stay in memory.
            let mut larger = Zeroizing::new(Vec::with_capacity(length * 2));
            larger.extend_from_slice(&self.partial);
            self.partial = larger;
        }
        self.partial.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        let (mut lines, mut found) = (LogLines::default(), Vec::new());
        let mut each = |line: Option<&[u8]>| found.push(line.map(<[u8]>::to_vec));
        for piece in pieces {
            lines.feed(piece, &mut each);
        }
        lines.finish(&mut each);
        found
    }

    #[test]
    fn lines_do_not_depend_on_the_pieces() {
        let text = b"one\n\ntwo\nthree";
        let expected = lines(&[text]);
        assert_eq!(expected.len(), 4);
        assert_eq!(expected[3].as_deref(), Some(&b"three"[..]));
        for cut in 0..text.len() {
            let (first, second) = text.split_at(cut);
            assert_eq!(lines(&[first, second]), lines(&[text]), "cut at {cut}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let long = vec![b'x'; MAX_LINE + 1];
        for pieces in [
            &[&long[..], b"\nnext\n"][..],
            &[&long[1..], b"x\nnext\n"],
            &[&[&long[..], b"\nnext\n"].concat()],
        ] {
            assert_eq!(lines(pieces), [None, Some(b"next".to_vec())]);
        }
        assert_eq!(lines(&[&long[1..], b"\n"])[0].as_ref().map(Vec::len), Some(MAX_LINE));
        assert_eq!(lines(&[&long]), [None]);
    }
}
