//! libreswan's log: the lines that tcpdump could read, and what they lack.
//!
//! ```text
//! | ikev2 I 0x<SPIi> 0x<SPIr> <integrity>:0x<SK_ai> <encryption>:0x<SK_ei>
//! | ikev2 R 0x<SPIi> 0x<SPIr> <integrity>:0x<SK_ar> <encryption>:0x<SK_er>
//! ```
//!
//! pluto writes them when an IKE SA is established, with `plutodebug=private`. They have
//! 32 bytes of a key at most, so SK_ai and SK_ar of HMAC-SHA2-384 and -512 are cut, and
//! none of the salts that are a part of SK_ei and SK_er of AES-GCM, -CCM and -CTR and
//! ChaCha20-Poly1305. With `crypt` a dump of the whole key stands right before the line.
//! With `refcnt` too, the address at which pluto has a key ties it to the dump of its
//! salt, which was made when the keys were derived.

use zeroize::Zeroizing;

use super::algorithm;
use super::dump::{from_hex, number, spi, Dump};
use super::recent::RecentInits;
use super::{LogOutcome, Outcomes, ProblemKind};
use crate::decrypt::suite::{Encryption, Integrity};
use crate::decrypt::{SaKeys, Spis};

/// The most salts that are remembered.
const MAX_SALTS: usize = 1 << 12;

/// The longest dump, in bytes; the longest key has 64.
const MAX_DUMP: u64 = 64;

/// The most bytes of a key on a line.
const ON_A_LINE: usize = 32;

type Bytes = Zeroizing<Vec<u8>>;

/// What a dump is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PlutoLabel {
    Salt,
    /// SK_ai or SK_ar.
    Integrity,
}

/// A dump that is announced: "extracted", "unwrapped:" and the bytes come one line after
/// another.
struct PlutoDump {
    label: PlutoLabel,
    dump: Dump,
    unwrapped: bool,
}

/// The keys of one direction.
struct Half {
    spis: Spis,
    encryption: (&'static algorithm::Family, &'static Encryption),
    integrity: &'static Integrity,
    sk_e: Bytes,
    sk_a: Bytes,
}

/// A reader of pluto's log.
pub(super) struct Pluto {
    open: Option<PlutoDump>,
    /// Where a key is of which the salt comes next.
    derived: Option<u64>,
    /// How many bytes of the next dump are the salt.
    salt_length: u64,
    /// Salts by the address of the key.
    salts: RecentInits<u64, Bytes>,
    /// The address of the key on the next line, and its SK_ai or SK_ar if there was a dump.
    address: Option<u64>,
    sk_a: Option<Bytes>,
    /// The initiator's keys, none if they cannot be used, and the line that has them.
    initiator: Option<(u64, Option<Half>)>,
}

impl Default for Pluto {
    fn default() -> Self {
        Self {
            open: None,
            derived: None,
            salt_length: 0,
            salts: RecentInits::new(MAX_SALTS),
            address: None,
            sk_a: None,
            initiator: None,
        }
    }
}

impl Pluto {
    /// Reads what is said on a line.
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

    /// Reports keys that lack the other direction's.
    pub(super) fn report(&mut self, outcomes: &mut Outcomes) {
        if let Some((line, Some(_))) = self.initiator.take() {
            outcomes.problem(line, ProblemKind::OneDirection);
        }
    }

    /// Whether the line belongs to an open dump.
    fn continues(&mut self, text: &[u8]) -> bool {
        let Some(mut open) = self.open.take() else { return false };
        if !open.unwrapped {
            open.unwrapped = text == b"unwrapped:";
            let is_that = open.unwrapped;
            self.open = Some(open).filter(|_| is_that);
            return is_that;
        }
        if !open.dump.add(text) {
            return false;
        }
        if open.dump.is_whole() {
            self.dumped(open.label, open.dump.into_bytes());
        } else {
            self.open = Some(open);
        }
        true
    }

    fn dumped(&mut self, label: PlutoLabel, mut bytes: Bytes) {
        if label == PlutoLabel::Integrity {
            self.sk_a = Some(bytes);
            return;
        }
        let length = usize::try_from(self.salt_length).unwrap_or(usize::MAX);
        // Padded with zeros to a block; anything else is a dump that another thread made.
        let padding = bytes.get(length..).unwrap_or_default();
        if let Some(address) = self.derived.take() {
            if padding.iter().all(|byte| *byte == 0) && bytes.len() >= length {
                bytes.truncate(length);
                self.salts.insert(address, bytes);
            }
        }
    }

    /// Takes what `crypt` and `refcnt` add.
    fn detail(&mut self, text: &[u8]) {
        if let Some(rest) = text.strip_prefix(b"result: newref SK_e") {
            // Two in a row: another thread derives keys too, and whose salt comes next is
            // not sure.
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
            self.open =
                length.map(|length| PlutoDump { label, dump: Dump::new(length), unwrapped: false });
        }
    }

    fn initiator(&mut self, number: u64, text: &[u8], outcomes: &mut Outcomes) {
        self.report(outcomes);
        let half = self.half(text).map_err(|kind| outcomes.problem(number, kind));
        self.initiator = Some((number, half.ok()));
    }

    fn responder(&mut self, number: u64, text: &[u8], outcomes: &mut Outcomes) {
        let (half, initiator) = (self.half(text), self.initiator.take());
        // What is wrong with the initiator's line was said.
        let Some((line, Some(initiator))) = initiator else {
            if initiator.is_none() {
                outcomes.problem(number, half.err().unwrap_or(ProblemKind::OneDirection));
            }
            return;
        };
        match half.and_then(|responder| both(&initiator, &responder)) {
            Ok(keys) => outcomes.queue.push_back(LogOutcome::Keys(initiator.spis, keys)),
            Err(kind) => outcomes.problem(line, kind),
        }
    }

    /// Reads the keys of one direction and adds what the line lacks.
    fn half(&mut self, text: &[u8]) -> Result<Half, ProblemKind> {
        let (address, dumped) = (self.address.take(), self.sk_a.take());
        let mut half = parse(text)?;
        let wanted = half.integrity.key;
        if half.sk_a.len() == ON_A_LINE && wanted > ON_A_LINE {
            let whole = dumped.filter(|whole| whole.starts_with(&half.sk_a));
            half.sk_a = whole.ok_or(ProblemKind::Cut)?;
        }
        let wanted = half.encryption.0.salt;
        if wanted != 0 {
            let salt = address.and_then(|address| self.salts.get(&address));
            let salt = salt.filter(|salt| salt.len() == wanted).ok_or(ProblemKind::NoSalts)?;
            half.sk_e = Zeroizing::new([half.sk_e.as_slice(), salt].concat());
        }
        Ok(half)
    }
}

/// The keys of both directions, if they belong together.
fn both(initiator: &Half, responder: &Half) -> Result<SaKeys, ProblemKind> {
    let (encryption, integrity) = (initiator.encryption.1, initiator.integrity);
    if (responder.spis, responder.encryption.1, responder.integrity)
        != (initiator.spis, encryption, integrity)
    {
        return Err(ProblemKind::OneDirection);
    }
    let keys = [&initiator.sk_e, &responder.sk_e, &initiator.sk_a, &responder.sk_a];
    SaKeys::new(encryption, integrity, keys.map(|key| key.as_slice())).map_err(ProblemKind::Keys)
}

/// What stands before the bar that marks what is only for finding faults, and what is said
/// behind it.
pub(super) fn said(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (front, text) = match line {
        [b'|', b' ', rest @ ..] => (&[][..], rest),
        _ => split(line, b": | ")
            .map(|(front, text)| (line.get(..=front.len()).unwrap_or(front), text))?,
    };
    Some((front, text.trim_ascii()))
}

/// What is before and what is behind a part of the text.
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

/// Whether the key is for a cipher that has a salt.
fn has_salt(text: &[u8]) -> bool {
    [&b"GCM"[..], b"CCM", b"CTR", b"CHACHA"].iter().any(|part| split(text, part).is_some())
}

/// Reads `0x<SPIi> 0x<SPIr> <integrity>:0x<SK_a> <encryption>:0x<SK_e>`.
fn parse(text: &[u8]) -> Result<Half, ProblemKind> {
    let mut words = text.split(|byte| *byte == b' ');
    let mut word = || words.next().ok_or(ProblemKind::Torn);
    let spi = |word: &[u8]| word.strip_prefix(b"0x").and_then(spi).ok_or(ProblemKind::Torn);
    let spis = Spis(spi(word()?)?, spi(word()?)?);
    let (integrity, sk_a) = named_key(word()?)?;
    let (encryption, sk_e) = named_key(word()?)?;
    let unknown = |name: &str| ProblemKind::UnknownAlgorithm(name.to_owned());
    Ok(Half {
        spis,
        integrity: algorithm::pluto_integrity(integrity).ok_or_else(|| unknown(integrity))?,
        encryption: algorithm::pluto_encryption(encryption).ok_or_else(|| unknown(encryption))?,
        sk_e,
        sk_a,
    })
}

/// The name and the key in `aes256:0x6f1d..`; a key of no bytes is missing.
fn named_key(word: &[u8]) -> Result<(&str, Bytes), ProblemKind> {
    let (name, key) = split(word, b":").ok_or(ProblemKind::Torn)?;
    let name = std::str::from_utf8(name).map_err(|_| ProblemKind::Torn)?;
    let key = match key {
        [] => Some(Bytes::default()),
        key => key.strip_prefix(b"0x").and_then(from_hex),
    };
    Ok((name, key.ok_or(ProblemKind::Torn)?))
}
