//! Key tables in the format of Wireshark's `ikev2_decryption_table`: one line for each IKE
//! SA.
//!
//! ```text
//! <SPIi>,<SPIr>,<SK_ei>,<SK_er>,"<encryption>",<SK_ai>,<SK_ar>,"<integrity>"
//! ```
//!
//! SPIs and keys are hex digits. They may begin with `0x` and may have colons between
//! bytes. If an algorithm has no key, the field is empty. Every field may be quoted. Blank
//! lines and lines that begin with `#` are ignored. A byte order mark and terminal colours
//! are removed.
//!
//! An IKE SA may have several lines, because each IKE_INTERMEDIATE exchange changes its
//! keys (RFC 9242, 3.3). An epoch is the time between two such changes. The keys of all
//! epochs are kept. The integrity check shows which of them a message needs.

use core::fmt;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::clean_line::{clean_line, hex_bytes, is_utf_16};
use super::suite::{Encryption, Integrity};
use crate::wire::Header;

/// The maximum number of IKE SAs whose keys are kept. The oldest is dropped first.
pub const MAX_SAS: usize = 1 << 17;

/// The maximum number of key sets of one IKE SA. The oldest is dropped first. Seven
/// additional key exchanges (RFC 9370) need eight sets.
pub const MAX_EPOCHS: usize = 16;

/// The maximum length of a line in bytes. A valid line without spaces has fewer than 500.
pub const MAX_LINE: usize = 4096;

const FIELDS: [&str; 8] =
    ["SPIi", "SPIr", "SK_ei", "SK_er", "encryption", "SK_ai", "SK_ar", "integrity"];

/// The SPIs of an IKE SA: the initiator's, then the responder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spis(pub [u8; 8], pub [u8; 8]);

impl From<&Header> for Spis {
    fn from(header: &Header) -> Self {
        Self(header.init_spi, header.resp_spi)
    }
}

/// The keys of one epoch of an IKE SA. They are wiped when they are dropped.
#[derive(PartialEq, Eq)]
pub struct SaKeys {
    pub(super) encryption: &'static Encryption,
    pub(super) integrity: &'static Integrity,
    /// SK_ei, SK_er, SK_ai and SK_ar, concatenated.
    keys: Zeroizing<Vec<u8>>,
}

/// The keys that one of the peers sends with.
#[derive(Clone, Copy)]
pub(super) struct SenderKeys<'a> {
    pub(super) encryption: &'a [u8],
    pub(super) integrity: &'a [u8],
}

impl SaKeys {
    /// Keys for these algorithms: SK_ei, SK_er, SK_ai and SK_ar.
    ///
    /// # Errors
    /// [`LineError::Combination`] if the algorithms cannot be used together, and
    /// [`LineError::Length`] if a key has a wrong length.
    pub fn new(
        encryption: &'static Encryption,
        integrity: &'static Integrity,
        keys: [&[u8]; 4],
    ) -> Result<Self, LineError> {
        if encryption.is_aead() != (integrity.key == 0) {
            return Err(LineError::Combination);
        }
        for ((field, expected), key) in sizes(encryption, integrity).zip(keys) {
            let (field, length) = (FIELDS[field], key.len());
            if length != expected {
                return Err(LineError::Length { field, length, expected });
            }
        }
        Ok(Self { encryption, integrity, keys: Zeroizing::new(keys.concat()) })
    }

    /// The line for these keys in a key table, without a line end.
    pub fn line(&self, spis: &Spis) -> Zeroizing<String> {
        let (encryption, integrity) = self.suite();
        let (initiator, responder) = (self.of_sender(true), self.of_sender(false));
        // All memory is reserved at once, because growing would leave a copy that is not
        // wiped.
        let mut line = Zeroizing::new(String::with_capacity(512));
        for key in [&spis.0, &spis.1, initiator.encryption, responder.encryption] {
            push_hex(&mut line, key);
            line.push(',');
        }
        line.push('"');
        line.push_str(encryption);
        line.push_str("\",");
        for key in [initiator.integrity, responder.integrity] {
            push_hex(&mut line, key);
            line.push(',');
        }
        line.push('"');
        line.push_str(integrity);
        line.push('"');
        line
    }

    /// The names of the encryption and of the integrity algorithm in a key table.
    pub fn suite(&self) -> (&'static str, &'static str) {
        (self.encryption.name, self.integrity.name)
    }

    /// The keys that the initiator or the responder sends with.
    pub(super) fn of_sender(&self, initiator: bool) -> SenderKeys<'_> {
        let (encryption, integrity) = (self.encryption.key, self.integrity.key);
        let at = |start: usize, length| self.keys.get(start..start + length).unwrap_or(&[]);
        let second = usize::from(!initiator);
        SenderKeys {
            encryption: at(second * encryption, encryption),
            integrity: at(2 * encryption + second * integrity, integrity),
        }
    }
}

/// The fields that hold keys, as index in [`FIELDS`] and key length in bytes.
fn sizes(encryption: &Encryption, integrity: &Integrity) -> impl Iterator<Item = (usize, usize)> {
    [(2, encryption.key), (3, encryption.key), (5, integrity.key), (6, integrity.key)].into_iter()
}

fn push_hex(line: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            line.extend(char::from_digit(digit.into(), 16));
        }
    }
}

/// What is wrong with a line of a key table. The texts never contain the content of a
/// field, because it may be a key in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The line is longer than [`MAX_LINE`].
    TooLong,
    /// The text is encoded as UTF-16.
    Utf16,
    /// The line has this number of fields instead of eight.
    FieldCount(usize),
    /// A quote is not closed, or text follows a closing quote.
    Quotes,
    /// A field contains something other than hex digits, or an odd number of them.
    NotHex(&'static str),
    /// A field has the wrong length.
    Length {
        /// The name of the field.
        field: &'static str,
        /// The length in bytes.
        length: usize,
        /// The length that the field must have, in bytes.
        expected: usize,
    },
    /// The field is not the name of an algorithm that can be used.
    UnknownAlgorithm(&'static str),
    /// The integrity algorithm is Wireshark's "No Checking", which verifies nothing.
    NoChecking,
    /// An AEAD cipher with an integrity algorithm, or another cipher without one.
    Combination,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {MAX_LINE} bytes"),
            Self::Utf16 => write!(f, "the text is encoded as UTF-16: save the table as UTF-8"),
            Self::FieldCount(count) => {
                write!(f, "{count} fields instead of 8 ({})", FIELDS.join(","))
            }
            Self::Quotes => write!(f, "the quotes do not match"),
            Self::NotHex(field) => write!(f, "{field} is not an even number of hex digits"),
            Self::Length { field, length, expected } => {
                write!(f, "{field} has {length} bytes instead of {expected}")
            }
            Self::UnknownAlgorithm(field) => {
                write!(f, "{field} is not the name of a supported algorithm")
            }
            Self::NoChecking => write!(f, "an integrity algorithm without checking cannot be used"),
            Self::Combination => {
                write!(f, "the encryption and the integrity algorithm do not fit together")
            }
        }
    }
}

impl std::error::Error for LineError {}

/// Parses a line. `None` for a blank line or a comment.
///
/// # Errors
/// The first mistake in the line.
pub fn parse_line(line: &[u8]) -> Result<Option<(Spis, SaKeys)>, LineError> {
    let line = line.trim_ascii();
    if line.len() > MAX_LINE {
        return Err(LineError::TooLong);
    }
    // A valid line never contains a zero byte. UTF-16 text does.
    if is_utf_16(line) || line.contains(&0) {
        return Err(LineError::Utf16);
    }
    let line = clean_line(line);
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(None);
    }
    let fields = fields(line)?;
    let algorithm = |place: usize| LineError::UnknownAlgorithm(FIELDS[place]);
    let encryption = Encryption::named(fields[4]).ok_or(algorithm(4))?;
    let integrity = Integrity::named(fields[7]).ok_or(match fields[7] {
        name if name.ends_with(b"[No Checking]") => LineError::NoChecking,
        _ => algorithm(7),
    })?;
    if encryption.is_aead() != (integrity.key == 0) {
        return Err(LineError::Combination);
    }
    let spis = Spis(spi(&fields, 0)?, spi(&fields, 1)?);
    let length = sizes(encryption, integrity).map(|(_, size)| size).sum();
    let mut keys = Zeroizing::new(vec![0; length]);
    let mut rest: &mut [u8] = &mut keys;
    for (place, size) in sizes(encryption, integrity) {
        let (key, others) = rest.split_at_mut(size);
        decode_hex(&fields, place, key)?;
        rest = others;
    }
    Ok(Some((spis, SaKeys { encryption, integrity, keys })))
}

/// Splits a line at its commas. No field can contain a comma.
fn fields(line: &[u8]) -> Result<[&[u8]; 8], LineError> {
    let mut fields = [&line[..0]; 8];
    let mut count = 0;
    for field in line.split(|byte| *byte == b',') {
        if let Some(place) = fields.get_mut(count) {
            *place = unquoted(field.trim_ascii())?;
        }
        count += 1;
    }
    if count == fields.len() {
        Ok(fields)
    } else {
        Err(LineError::FieldCount(count))
    }
}

fn unquoted(field: &[u8]) -> Result<&[u8], LineError> {
    let content = match field.strip_prefix(b"\"") {
        Some(rest) => rest.strip_suffix(b"\"").ok_or(LineError::Quotes)?,
        None => field,
    };
    if content.contains(&b'"') {
        Err(LineError::Quotes)
    } else {
        Ok(content)
    }
}

fn spi(fields: &[&[u8]; 8], place: usize) -> Result<[u8; 8], LineError> {
    let mut spi = [0; 8];
    decode_hex(fields, place, &mut spi).map(|()| spi)
}

fn decode_hex(fields: &[&[u8]; 8], place: usize, bytes: &mut [u8]) -> Result<(), LineError> {
    let field = FIELDS[place];
    let found = hex_bytes(fields[place]).ok_or(LineError::NotHex(field))?;
    let (length, expected) = (found.clone().count(), bytes.len());
    if length != expected {
        return Err(LineError::Length { field, length, expected });
    }
    bytes.iter_mut().zip(found).for_each(|(byte, value)| *byte = value);
    Ok(())
}

/// The key sets of one IKE SA, one for each epoch. Most SAs have one.
pub type Epochs = Vec<Arc<SaKeys>>;

/// The keys of all known IKE SAs, by SPIs.
#[derive(Default)]
pub struct KeyTable {
    sas: HashMap<Spis, Epochs>,
    /// The SAs in the order of insertion.
    order: VecDeque<Spis>,
}

impl KeyTable {
    /// Adds a set of keys, and drops those of the oldest SA if there are too many. Returns
    /// whether the set is new.
    pub fn insert(&mut self, spis: Spis, keys: SaKeys) -> bool {
        let epochs = self.sas.entry(spis).or_default();
        if epochs.iter().any(|known| **known == keys) {
            return false;
        }
        let is_new = epochs.is_empty();
        if epochs.len() >= MAX_EPOCHS {
            epochs.remove(0);
        }
        epochs.push(Arc::new(keys));
        if is_new {
            self.order.push_back(spis);
            if self.order.len() > MAX_SAS {
                self.order.pop_front().map(|oldest| self.sas.remove(&oldest));
            }
        }
        true
    }

    /// The key sets of an SA, the newest last.
    pub fn get(&self, spis: &Spis) -> &[Arc<SaKeys>] {
        self.sas.get(spis).map_or(&[], Vec::as_slice)
    }

    /// The number of SAs with keys.
    pub fn len(&self) -> usize {
        self.sas.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.sas.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AEAD: &str = "19ab98963486359f,78F13157CCD3B3D8,be83fe15f6a9976941870830fe26c014b863b3,\
                        79e0f4476861a76e64329e787b1c4ff38d732f,\
                        \"AES-CCM-128 with 12 octet ICV [RFC5282]\",,,\"NONE [RFC4306]\"";
    const SPIS: Spis = Spis(
        [0x19, 0xab, 0x98, 0x96, 0x34, 0x86, 0x35, 0x9f],
        [0x78, 0xf1, 0x31, 0x57, 0xcc, 0xd3, 0xb3, 0xd8],
    );

    fn keys(line: &str) -> (Spis, SaKeys) {
        parse_line(line.as_bytes()).unwrap().unwrap()
    }

    fn error(line: &str) -> LineError {
        parse_line(line.as_bytes()).err().unwrap()
    }

    #[test]
    fn a_line_has_the_keys_of_both_senders() {
        let (spis, keys) = keys(
            "0000000000000001,0000000000000002,00010203040506070809101112131415,\
             20212223242526272829303132333435,\"AES-CBC-128 [RFC3602]\",\
             40414243444546474849505152535455,60616263646566676869707172737475,\
             \"HMAC_MD5_96 [RFC2403]\"",
        );
        assert_eq!(spis, Spis([0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 2]));
        let (initiator, responder) = (keys.of_sender(true), keys.of_sender(false));
        let first = [initiator.encryption, responder.encryption, initiator.integrity];
        assert_eq!(first.map(|key| key[0]), [0x00, 0x20, 0x40]);
        assert_eq!((responder.integrity[0], responder.integrity[15]), (0x60, 0x75));
        assert_eq!(keys.suite(), ("AES-CBC-128 [RFC3602]", "HMAC_MD5_96 [RFC2403]"));
    }

    #[test]
    fn a_written_line_can_be_read_again() {
        let (spis, aead) = keys(AEAD);
        assert_eq!(
            *aead.line(&spis),
            AEAD.to_lowercase()
                .replace("aes-ccm", "AES-CCM")
                .replace("icv [rfc5282]", "ICV [RFC5282]")
                .replace("none [rfc4306]", "NONE [RFC4306]")
        );
        for integrity in super::super::suite::INTEGRITIES.iter().filter(|row| row.key != 0) {
            for encryption in super::super::suite::ENCRYPTIONS.iter().filter(|row| !row.is_aead()) {
                let bytes: Vec<u8> = (0..200).collect();
                let key = |start: usize, length| &bytes[start..start + length];
                let (long, short) = (encryption.key, integrity.key);
                let all = [key(1, long), key(2, long), key(3, short), key(4, short)];
                let keys = SaKeys::new(encryption, integrity, all).unwrap();
                let (back, read) = parse_line(keys.line(&SPIS).as_bytes()).unwrap().unwrap();
                assert!(back == SPIS && read == keys);
                let less = [all[0], all[1], &all[2][1..], all[3]];
                let error = SaKeys::new(encryption, integrity, less).err().unwrap();
                assert_eq!(
                    error.to_string(),
                    format!("SK_ai has {} bytes instead of {short}", short - 1)
                );
            }
        }
    }

    #[test]
    fn spaces_and_quotes_change_nothing() {
        let expected = keys(AEAD);
        assert_eq!(expected.0, SPIS);
        for line in [
            format!("  {AEAD}\r\n"),
            AEAD.replace(',', " , "),
            AEAD.replace('"', ""),
            AEAD.replace("19ab98963486359f", "\"19AB98963486359f\"").replace(",,,", ",\"\",\"\","),
            format!("\u{feff}{AEAD}"),
            format!("\x1b[1;32m\u{feff}{AEAD}\x1b[0m\n"),
            AEAD.replace("19ab", "\x1b[31m19ab\x1b[m"),
            AEAD.replace("19ab", "0x19ab").replace(",be83", ",\"0XBE83").replace("63b3", "63b3\""),
            AEAD.replace("19ab98963486359f", "19:ab:98:96:34:86:35:9f").replace(",,,", ",0x,0x,"),
        ] {
            assert!(keys(&line) == expected, "{line}");
        }
    }

    #[test]
    fn comments_and_blank_lines_are_ignored() {
        for line in ["", "  \r", "# SPIi,SPIr", "  #", "\u{feff}", "\u{feff} # a", "\x1b[m\r"] {
            assert!(parse_line(line.as_bytes()).unwrap().is_none());
        }
        let utf_16: Vec<u8> = "\u{feff}# a".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse_line(&utf_16).err(), Some(LineError::Utf16));
    }

    #[test]
    fn mistakes_are_reported_without_the_keys() {
        let long = format!("{AEAD}{}", ",".repeat(MAX_LINE));
        for (line, expected) in [
            (long.as_str(), "longer than 4096 bytes"),
            (
                "1,2,3",
                "3 fields instead of 8 (SPIi,SPIr,SK_ei,SK_er,encryption,SK_ai,SK_ar,integrity)",
            ),
            (
                &format!("{AEAD},"),
                "9 fields instead of 8 (SPIi,SPIr,SK_ei,SK_er,encryption,SK_ai,SK_ar,integrity)",
            ),
            (AEAD.trim_end_matches('"'), "the quotes do not match"),
            (&AEAD.replace("19ab", "\"19ab"), "the quotes do not match"),
            (&AEAD.replace("19ab", "0y19ab"), "SPIi is not an even number of hex digits"),
            (&AEAD.replace("19ab", "1:9ab"), "SPIi is not an even number of hex digits"),
            (
                &AEAD.replace("19ab", "19\0ab"),
                "the text is encoded as UTF-16: save the table as UTF-8",
            ),
            (&AEAD.replace("19ab", "9ab"), "SPIi is not an even number of hex digits"),
            (&AEAD.replace("19ab", "ab"), "SPIi has 7 bytes instead of 8"),
            (&AEAD.replace("2f,", ","), "SK_er has 18 bytes instead of 19"),
            (&AEAD.replace("CCM-128", "CCM-256"), "SK_ei has 19 bytes instead of 35"),
            (
                &AEAD.replace("AES-CCM", "AES_CCM"),
                "encryption is not the name of a supported algorithm",
            ),
            (&AEAD.replace("4306", "7296"), "integrity is not the name of a supported algorithm"),
            (&AEAD.replace(",,,", ",00,,"), "SK_ai has 1 bytes instead of 0"),
            (
                &AEAD.replace("NONE [RFC4306]", "ANY 96-bits of Authentication [No Checking]"),
                "an integrity algorithm without checking cannot be used",
            ),
            (
                &AEAD.replace("NONE [RFC4306]", "HMAC_MD5_96 [RFC2403]"),
                "the encryption and the integrity algorithm do not fit together",
            ),
            (
                &AEAD.replace("AES-CCM-128 with 12 octet ICV [RFC5282]", "NULL [RFC2410]"),
                "the encryption and the integrity algorithm do not fit together",
            ),
        ] {
            let message = error(line).to_string();
            assert_eq!(message, expected);
            assert!(!message.contains("be83"));
        }
    }

    #[test]
    fn a_truncated_line_is_a_mistake() {
        for length in 1..AEAD.len() {
            assert!(parse_line(&AEAD.as_bytes()[..length]).is_err(), "{length} bytes");
        }
    }

    /// A line whose SPI and keys are these numbers.
    fn numbered(sa: usize, key: usize) -> (Spis, SaKeys) {
        keys(&format!(
            "{sa:016x},0000000000000001,{key:038x},{key:038x},\
             AES-CCM-128 with 8 octet ICV [RFC5282],,,NONE [RFC4306]"
        ))
    }

    #[test]
    fn lines_of_one_sa_are_all_kept_up_to_a_limit() {
        let mut table = KeyTable::default();
        for key in 0..MAX_EPOCHS + 3 {
            let (spis, keys) = numbered(1, key);
            assert!(table.insert(spis, keys));
            let (spis, again) = numbered(1, key);
            assert!(!table.insert(spis, again));
        }
        let (spis, newest) = numbered(1, MAX_EPOCHS + 2);
        let epochs = table.get(&spis);
        assert_eq!((table.len(), epochs.len()), (1, MAX_EPOCHS));
        assert!(*epochs[MAX_EPOCHS - 1] == newest);
        assert!(table.get(&SPIS).is_empty());
    }

    #[test]
    fn a_table_of_many_lines_keeps_the_newest() {
        let mut table = KeyTable::default();
        for sa in 0..MAX_SAS + 10 {
            let (spis, keys) = numbered(sa, sa);
            assert!(table.insert(spis, keys));
        }
        assert_eq!(table.len(), MAX_SAS);
        assert!(table.get(&numbered(9, 0).0).is_empty());
        for sa in [10, 11, 100_000, MAX_SAS + 9] {
            let (spis, expected) = numbered(sa, sa);
            assert!(*table.get(&spis)[0] == expected);
        }
    }
}
