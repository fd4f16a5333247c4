//! Keys in the log of libreswan's pluto: lines in the format for tcpdump, and the dumps
//! that complete them.
//!
//! ```text
//! | ikev2 I 0x<SPIi> 0x<SPIr> <integrity>:0x<SK_ai> <encryption>:0x<SK_ei>
//! | ikev2 R 0x<SPIi> 0x<SPIr> <integrity>:0x<SK_ar> <encryption>:0x<SK_er>
//! ```
//!
//! pluto writes these lines with `plutodebug=private` when an IKE SA is established. They
//! contain at most 32 bytes of a key. Therefore SK_ai and SK_ar of HMAC-SHA2-384 and
//! HMAC-SHA2-512 are truncated. The salts of AES-GCM, AES-CCM, AES-CTR and
//! ChaCha20-Poly1305, which are a part of SK_ei and SK_er, are missing.
//!
//! With `crypt`, a dump of the complete key precedes the line. With `refcnt`, pluto also
//! logs the memory address of each key. The address connects a key with the dump of its
//! salt, which pluto wrote when it derived the keys.

use zeroize::Zeroizing;

use super::algorithm;
use super::bounded_map::BoundedMap;
use super::dump::{from_hex, number, spi, Dump};
use super::{KeyProblemKind, LogOutcome, Outcomes};
use crate::decrypt::suite::{Encryption, Integrity};
use crate::decrypt::{SaKeys, Spis};

/// The maximum number of salts that are remembered.
const MAX_SALTS: usize = 1 << 12;

/// The maximum length of a dump in bytes. The longest key has 64 bytes.
const MAX_DUMP: u64 = 64;

/// The maximum number of bytes of a key on a line for tcpdump.
const MAX_KEY_ON_LINE: usize = 32;

type Bytes = Zeroizing<Vec<u8>>;

/// The content of a dump.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PlutoLabel {
    Salt,
    /// SK_ai or SK_ar.
    Integrity,
}

/// A dump that is being read. The lines "extracted" and "unwrapped:" come first, and then
/// the bytes.
struct PlutoDump {
    label: PlutoLabel,
    bytes: Dump,
    unwrapped: bool,
}

/// The keys of one direction.
struct DirectionKeys {
    spis: Spis,
    encryption: (&'static algorithm::Family, &'static Encryption),
    integrity: &'static Integrity,
    sk_e: Bytes,
    sk_a: Bytes,
}

/// Reads the log of pluto.
pub(super) struct Pluto {
    unfinished: Option<PlutoDump>,
    /// The address of the key whose salt is dumped next.
    derived: Option<u64>,
    /// The number of bytes of the next dump that are the salt.
    salt_length: u64,
    /// The salts, by the address of their key.
    salts: BoundedMap<u64, Bytes>,
    /// The address of the key on the next line, and its SK_ai or SK_ar if that was dumped.
    address: Option<u64>,
    sk_a: Option<Bytes>,
    /// The initiator's keys and the number of their line. The keys are `None` if they
    /// cannot be used.
    initiator: Option<(u64, Option<DirectionKeys>)>,
}

impl Default for Pluto {
    fn default() -> Self {
        Self {
            unfinished: None,
            derived: None,
            salt_length: 0,
            salts: BoundedMap::new(MAX_SALTS),
            address: None,
            sk_a: None,
            initiator: None,
        }
    }
}

impl Pluto {
    /// Reads the text of a line.
    pub(super) fn read(&mut self, number: u64, text: &[u8], outcomes: &mut Outcomes) {
        if self.continues(text) {
            return;
        }
        match text.strip_prefix(b"ikev2 ") {
            Some([b'I', b' ', rest @ ..]) => self.initiator(number, rest, outcomes),
            Some([b'R', b' ', rest @ ..]) => self.responder(number, rest, outcomes),
            _ => self.detail(text),
        }
    }

    /// Reports the initiator's keys if the responder's keys did not follow.
    pub(super) fn report(&mut self, outcomes: &mut Outcomes) {
        if let Some((line, Some(_))) = self.initiator.take() {
            outcomes.problem(line, KeyProblemKind::OneDirection);
        }
    }

    /// Whether the line belongs to an unfinished dump.
    fn continues(&mut self, text: &[u8]) -> bool {
        let Some(mut dump) = self.unfinished.take() else { return false };
        if !dump.unwrapped {
            dump.unwrapped = text == b"unwrapped:";
            let is_unwrapped = dump.unwrapped;
            self.unfinished = Some(dump).filter(|_| is_unwrapped);
            return is_unwrapped;
        }
        if !dump.bytes.add(text) {
            return false;
        }
        if dump.bytes.is_complete() {
            self.dumped(dump.label, dump.bytes.into_bytes());
        } else {
            self.unfinished = Some(dump);
        }
        true
    }

    fn dumped(&mut self, label: PlutoLabel, mut bytes: Bytes) {
        if label == PlutoLabel::Integrity {
            self.sk_a = Some(bytes);
            return;
        }
        let length = usize::try_from(self.salt_length).unwrap_or(usize::MAX);
        // The salt is padded with zeros to a block. If other bytes follow it, another
        // thread wrote this dump.
        let padding = bytes.get(length..).unwrap_or_default();
        if let Some(address) = self.derived.take() {
            if padding.iter().all(|byte| *byte == 0) && bytes.len() >= length {
                bytes.truncate(length);
                self.salts.insert(address, bytes);
            }
        }
    }

    /// Reads the lines that `crypt` and `refcnt` add.
    fn detail(&mut self, text: &[u8]) {
        if let Some(rest) = text.strip_prefix(b"result: newref SK_e") {
            // Two such lines in a row mean that another thread derives keys too. Then it is
            // not certain which salt is dumped next.
            let two = self.derived.is_some();
            self.derived = address(rest).filter(|_| !two && has_salt(rest));
        } else if text.starts_with(b"NSS ikev2: finished computing") {
            self.derived = None;
        } else if let Some((name, rest)) = split(text, b" extracting all ") {
            match name {
                b"initiator salt" | b"responder salt" => {
                    self.salt_length = leading_number(rest).unwrap_or(0);
                }
                b"ei" | b"er" => self.address = address(rest),
                _ => {}
            }
        } else if let Some((name, rest)) = split(text, b" extracted len ") {
            let label = match name {
                b"initiator salt" | b"responder salt" => PlutoLabel::Salt,
                b"ai" | b"ar" => PlutoLabel::Integrity,
                _ => return,
            };
            let length = leading_number(rest).filter(|length| *length <= MAX_DUMP);
            let length = length.and_then(|length| length.try_into().ok());
            self.unfinished = length.map(|length| PlutoDump {
                label,
                bytes: Dump::new(length),
                unwrapped: false,
            });
        }
    }

    fn initiator(&mut self, number: u64, text: &[u8], outcomes: &mut Outcomes) {
        self.report(outcomes);
        let keys = self.direction_keys(text).map_err(|kind| outcomes.problem(number, kind));
        self.initiator = Some((number, keys.ok()));
    }

    fn responder(&mut self, number: u64, text: &[u8], outcomes: &mut Outcomes) {
        let (keys, initiator) = (self.direction_keys(text), self.initiator.take());
        // A problem with the initiator's line has already been reported.
        let Some((line, Some(initiator))) = initiator else {
            if initiator.is_none() {
                outcomes.problem(number, keys.err().unwrap_or(KeyProblemKind::OneDirection));
            }
            return;
        };
        match keys.and_then(|responder| combine(&initiator, &responder)) {
            Ok(keys) => outcomes.queue.push_back(LogOutcome::Keys(initiator.spis, keys)),
            Err(kind) => outcomes.problem(line, kind),
        }
    }

    /// Parses the keys of one direction and adds what is missing on the line.
    fn direction_keys(&mut self, text: &[u8]) -> Result<DirectionKeys, KeyProblemKind> {
        let (address, dumped) = (self.address.take(), self.sk_a.take());
        let mut keys = parse(text)?;
        let wanted = keys.integrity.key;
        if keys.sk_a.len() == MAX_KEY_ON_LINE && wanted > MAX_KEY_ON_LINE {
            let whole = dumped.filter(|whole| whole.starts_with(&keys.sk_a));
            keys.sk_a = whole.ok_or(KeyProblemKind::Truncated)?;
        }
        let wanted = keys.encryption.0.salt;
        if wanted != 0 {
            let salt = address.and_then(|address| self.salts.get(&address));
            let salt = salt.filter(|salt| salt.len() == wanted).ok_or(KeyProblemKind::NoSalts)?;
            keys.sk_e = Zeroizing::new([keys.sk_e.as_slice(), salt].concat());
        }
        Ok(keys)
    }
}

/// Combines the keys of both directions, if they belong to the same SA.
fn combine(initiator: &DirectionKeys, responder: &DirectionKeys) -> Result<SaKeys, KeyProblemKind> {
    let (encryption, integrity) = (initiator.encryption.1, initiator.integrity);
    if (responder.spis, responder.encryption.1, responder.integrity)
        != (initiator.spis, encryption, integrity)
    {
        return Err(KeyProblemKind::OneDirection);
    }
    let keys = [&initiator.sk_e, &responder.sk_e, &initiator.sk_a, &responder.sk_a];
    SaKeys::new(encryption, integrity, keys.map(|key| key.as_slice())).map_err(KeyProblemKind::Keys)
}

/// Splits a debug line of pluto at its bar: the text before the bar, and the message after
/// it.
pub(super) fn debug_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, text) = match line {
        [b'|', b' ', rest @ ..] => (&[][..], rest),
        _ => split(line, b": | ")
            .map(|(prefix, text)| (line.get(..=prefix.len()).unwrap_or(prefix), text))?,
    };
    Some((prefix, text.trim_ascii()))
}

/// The text before and the text after the first occurrence of `part`.
fn split<'a>(text: &'a [u8], part: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = text.windows(part.len()).position(|piece| piece == part)?;
    Some((text.get(..place)?, text.get(place + part.len()..)?))
}

fn leading_number(text: &[u8]) -> Option<u64> {
    number(text.split(|byte| *byte == b' ').next()?)
}

/// The address in `-key@0x5582f55685b0 (32-bytes, AES_GCM)`.
fn address(text: &[u8]) -> Option<u64> {
    let digits = split(text, b"key@0x")?.1;
    let end = digits.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(digits.len());
    u64::from_str_radix(std::str::from_utf8(digits.get(..end)?).ok()?, 16).ok()
}

/// Whether the key is for a cipher with a salt.
fn has_salt(text: &[u8]) -> bool {
    [&b"GCM"[..], b"CCM", b"CTR", b"CHACHA"].iter().any(|part| split(text, part).is_some())
}

/// Parses `0x<SPIi> 0x<SPIr> <integrity>:0x<SK_a> <encryption>:0x<SK_e>`.
fn parse(text: &[u8]) -> Result<DirectionKeys, KeyProblemKind> {
    let mut words = text.split(|byte| *byte == b' ');
    let mut word = || words.next().ok_or(KeyProblemKind::Incomplete);
    let spi =
        |word: &[u8]| word.strip_prefix(b"0x").and_then(spi).ok_or(KeyProblemKind::Incomplete);
    let spis = Spis(spi(word()?)?, spi(word()?)?);
    let (integrity, sk_a) = named_key(word()?)?;
    let (encryption, sk_e) = named_key(word()?)?;
    let unknown = |name: &str| KeyProblemKind::UnknownAlgorithm(name.to_owned());
    Ok(DirectionKeys {
        spis,
        integrity: algorithm::pluto_integrity(integrity).ok_or_else(|| unknown(integrity))?,
        encryption: algorithm::pluto_encryption(encryption).ok_or_else(|| unknown(encryption))?,
        sk_e,
        sk_a,
    })
}

/// The name and the key in `aes256:0x6f1d..`. The key may be empty.
fn named_key(word: &[u8]) -> Result<(&str, Bytes), KeyProblemKind> {
    let (name, key) = split(word, b":").ok_or(KeyProblemKind::Incomplete)?;
    let name = std::str::from_utf8(name).map_err(|_| KeyProblemKind::Incomplete)?;
    let key = match key {
        [] => Some(Bytes::default()),
        key => key.strip_prefix(b"0x").and_then(from_hex),
    };
    Ok((name, key.ok_or(KeyProblemKind::Incomplete)?))
}
