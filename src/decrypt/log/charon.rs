//! Keys in the log of strongSwan's charon, and the IKE SA that each thread works on.
//!
//! One thread handles a whole IKE message. A [`ThreadWindow`] begins with the line in which
//! a thread starts to handle a message ("received packet", or a line of the IKE SA
//! manager). It ends when the same thread starts with the next message. All keys and facts
//! in a window belong to the same SA. If a new SA is created in the window, they belong to
//! that SA.
//!
//! If no SA is created, the number that `ike_name` adds to each line identifies the SA. At
//! the end of a rekeying, it is the SA that the thread establishes next. The number counts
//! only while its SA is being set up, because strongSwan 5.9 writes the old SA's number
//! next to the new SA's keys.

use zeroize::Zeroizing;

use super::bounded_map::BoundedMap;
use super::dump::{number, spi, Dump};
use super::line::CharonLine;
use super::sas::{KeySet, SaFacts, Sas, Tag};
use super::{KeyProblemKind, Outcomes};
use crate::decrypt::Spis;

/// The maximum number of threads that are remembered.
const MAX_THREADS: usize = 1 << 10;

/// The maximum length of a dumped key in bytes. The longest key has 64 bytes.
const MAX_KEY: usize = 256;
/// The maximum length of a dump of both nonces in bytes (RFC 7296, 2.10).
const MAX_NONCES: usize = 512;
/// The maximum length of a dump of signed octets in bytes: a UDP datagram and what is added
/// to it.
const MAX_OCTETS: usize = 1 << 17;

/// The dumps that are used. All others are skipped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CharonLabel {
    NatDetection,
    Nonces,
    /// SK_ei, SK_er, SK_ai or SK_ar. The index follows the order in a key table.
    Key(usize),
    SkPi,
    SkPr,
    /// The SK_p that an AUTH payload is made with.
    SkP,
    Octets,
}

impl CharonLabel {
    /// The dump that a line announces, and the maximum length of this dump.
    fn of(text: &[u8]) -> Option<(Self, usize)> {
        Some(match text {
            b"natd_chunk" => (Self::NatDetection, MAX_KEY),
            b"nonces" => (Self::Nonces, MAX_NONCES),
            b"Sk_ei secret" => (Self::Key(0), MAX_KEY),
            b"Sk_er secret" => (Self::Key(1), MAX_KEY),
            b"Sk_ai secret" => (Self::Key(2), MAX_KEY),
            b"Sk_ar secret" => (Self::Key(3), MAX_KEY),
            b"Sk_pi secret" => (Self::SkPi, MAX_KEY),
            b"Sk_pr secret" => (Self::SkPr, MAX_KEY),
            b"SK_p" => (Self::SkP, MAX_KEY),
            _ if text.starts_with(b"octets = message + nonce + ") => (Self::Octets, MAX_OCTETS),
            _ => return None,
        })
    }

    fn is_secret(self) -> bool {
        matches!(self, Self::Key(_) | Self::SkPi | Self::SkPr)
    }
}

/// A dump whose lines are being read. charon writes all lines of a dump in one piece.
struct CharonDump {
    label: CharonLabel,
    thread: u64,
    id: Option<u64>,
    bytes: Dump,
}

/// What a thread logs while it handles one message.
#[derive(Default)]
struct ThreadWindow {
    /// The number of the SA that was created in this window.
    begun: Option<u64>,
    facts: SaFacts,
    /// The handle of keys that were derived for an SA whose number is not known yet.
    derived: Option<u64>,
}

/// The keys of one key derivation, as far as they have been dumped.
#[derive(Default)]
struct Derivation {
    nonces: Option<Tag>,
    keys: [Option<Zeroizing<Vec<u8>>>; 4],
    sk_pi: Option<Tag>,
}

#[derive(Default)]
struct CharonThread {
    window: Option<ThreadWindow>,
    derivation: Derivation,
    sk_p: Option<Tag>,
}

/// Reads the log of charon.
pub(super) struct Charon {
    unfinished: Option<CharonDump>,
    threads: BoundedMap<u64, CharonThread>,
    sas: Sas,
}

impl Default for Charon {
    fn default() -> Self {
        Self { unfinished: None, threads: BoundedMap::new(MAX_THREADS), sas: Sas::default() }
    }
}

impl Charon {
    /// Reads a line.
    pub(super) fn read(&mut self, number: u64, line: &CharonLine<'_>, outcomes: &mut Outcomes) {
        if self.continues(number, line, outcomes) {
            return;
        }
        match line.group {
            b"IKE" => self.ike(number, line, outcomes),
            b"MGR" => self.manager(line, outcomes),
            b"CFG" => self.proposal(line),
            b"NET" if line.text.starts_with(b"received packet") => self.start_window(line.thread),
            b"DMN" if line.text.starts_with(b"Starting ") => self.restart(outcomes),
            _ => {}
        }
    }

    /// Reports the keys that could not be returned.
    pub(super) fn report(&mut self, outcomes: &mut Outcomes) {
        self.sas.report(outcomes);
    }

    fn restart(&mut self, outcomes: &mut Outcomes) {
        self.threads.clear();
        self.sas.restart(outcomes);
    }

    /// Whether the line belongs to the unfinished dump.
    fn continues(&mut self, number: u64, line: &CharonLine<'_>, outcomes: &mut Outcomes) -> bool {
        let Some(mut dump) = self.unfinished.take() else { return false };
        if dump.thread != line.thread || !dump.bytes.add_with_offset(line.text) {
            if dump.label.is_secret() {
                outcomes.problem(number, KeyProblemKind::Incomplete);
                self.threads.entry(dump.thread).derivation = Derivation::default();
            }
            return false;
        }
        if dump.bytes.is_complete() {
            self.dumped(number, dump, outcomes);
        } else {
            self.unfinished = Some(dump);
        }
        true
    }

    fn ike(&mut self, number: u64, line: &CharonLine<'_>, outcomes: &mut Outcomes) {
        if let Some((text, length)) = announcement(line.text) {
            self.announced(number, line, (text, length), outcomes);
        } else if let Some((id, from, to)) = state_change(line.text) {
            self.state_changed(line.thread, id, (from, to), outcomes);
        }
    }

    fn announced(
        &mut self,
        number: u64,
        line: &CharonLine<'_>,
        (text, length): (&[u8], usize),
        outcomes: &mut Outcomes,
    ) {
        if matches!(text, b"key exchange secret" | b"shared Diffie Hellman secret") {
            self.threads.entry(line.thread).derivation = Derivation::default();
        }
        let Some((label, limit)) = CharonLabel::of(text) else { return };
        if length > limit {
            return;
        }
        let dump = CharonDump { label, thread: line.thread, id: line.id, bytes: Dump::new(length) };
        if dump.bytes.is_complete() {
            self.dumped(number, dump, outcomes);
        } else {
            self.unfinished = Some(dump);
        }
    }

    /// Uses a dump that is complete.
    fn dumped(&mut self, number: u64, dump: CharonDump, outcomes: &mut Outcomes) {
        let CharonDump { label, thread: name, id, bytes } = dump;
        let bytes = bytes.into_bytes();
        let thread = self.threads.entry(name);
        match label {
            CharonLabel::NatDetection => self.nat_detection(name, id, &bytes),
            CharonLabel::Nonces => {
                thread.derivation =
                    Derivation { nonces: Some(Tag::nonces(&bytes)), ..Derivation::default() };
            }
            CharonLabel::Key(place) => {
                if let Some(key) = thread.derivation.keys.get_mut(place) {
                    *key = Some(bytes);
                }
            }
            CharonLabel::SkPi => thread.derivation.sk_pi = Some(Tag::sk_p(&bytes)),
            CharonLabel::SkPr => self.derived(number, (name, id), Tag::sk_p(&bytes), outcomes),
            CharonLabel::SkP => thread.sk_p = Some(Tag::sk_p(&bytes)),
            CharonLabel::Octets => {
                if let Some(sk_p) = thread.sk_p.take() {
                    self.sas.authenticate(sk_p, &bytes, outcomes);
                }
            }
        }
    }

    /// Reads the hash input of NAT detection: both SPIs, an address and a port.
    fn nat_detection(&mut self, name: u64, id: Option<u64>, bytes: &[u8]) {
        let Some((spi_i, rest)) = bytes.split_first_chunk::<8>() else { return };
        let Some((spi_r, _)) = rest.split_first_chunk::<8>() else { return };
        if *spi_r == [0; 8] {
            return;
        }
        let spis = Spis(*spi_i, *spi_r);
        let facts = self.facts(name, id).map(|facts| {
            facts.spis = Some(spis);
            facts.clone()
        });
        self.sas.detect(spis, &facts.unwrap_or_default());
    }

    /// What is known about the SA that a thread works on. `None` if the SA is not known.
    fn facts(&mut self, name: u64, id: Option<u64>) -> Option<&mut SaFacts> {
        let window = self.threads.entry(name).window.as_mut();
        let begun = window.as_ref().and_then(|window| window.begun);
        match begun.or(id.filter(|id| self.sas.is_connecting(*id))) {
            Some(id) => self.sas.facts(id),
            // After its keys, a thread may continue with another SA.
            None => window.filter(|window| window.derived.is_none()).map(|one| &mut one.facts),
        }
    }

    /// Takes the keys that a thread dumped. SK_pr is always the last of them.
    fn derived(
        &mut self,
        number: u64,
        (name, id): (u64, Option<u64>),
        sk_pr: Tag,
        outcomes: &mut Outcomes,
    ) {
        let thread = self.threads.entry(name);
        let Derivation { nonces, keys, sk_pi } = std::mem::take(&mut thread.derivation);
        let [Some(sk_ei), Some(sk_er), sk_ai, sk_ar] = keys else { return };
        let keys = [sk_ei, sk_er, sk_ai.unwrap_or_default(), sk_ar.unwrap_or_default()];
        let tags: Vec<Tag> = [nonces, sk_pi, Some(sk_pr)].into_iter().flatten().collect();
        let window = thread.window.as_mut();
        let begun = window.as_ref().and_then(|window| window.begun);
        let id = begun.or(id).filter(|id| self.sas.is_connecting(*id));
        let facts = match &window {
            Some(window) if id.is_none() => window.facts.clone(),
            _ => SaFacts::default(),
        };
        let handle = self.sas.add(KeySet { line: number, keys }, &tags, &facts, outcomes);
        match (id, window) {
            (Some(id), _) => self.sas.assign_number(handle, id, outcomes),
            (None, Some(window)) => window.derived = Some(handle),
            (None, None) => {}
        }
    }

    fn state_changed(
        &mut self,
        name: u64,
        id: u64,
        (from, to): (&[u8], &[u8]),
        outcomes: &mut Outcomes,
    ) {
        match (from, to) {
            (b"CREATED", b"CONNECTING") => self.begin(name, id),
            (b"CONNECTING", _) => self.set_up(name, id, outcomes),
            _ => {}
        }
    }

    fn begin(&mut self, name: u64, id: u64) {
        let window = self.threads.entry(name).window.as_mut();
        self.sas.begin(id, window.is_some());
        if let Some(window) = window {
            window.begun = Some(id);
        }
    }

    /// Handles the end of an SA's setup. Keys that were derived in the same window belong
    /// to this SA.
    fn set_up(&mut self, name: u64, id: u64, outcomes: &mut Outcomes) {
        if let Some(window) = &mut self.threads.entry(name).window {
            match (window.derived, self.sas.has_keys(id)) {
                // If both peers create an SA at the same time, the peer's SA has keys of
                // its own.
                (None, _) | (_, Some(true)) => {}
                (Some(handle), Some(false)) => {
                    self.sas.assign_number(handle, id, outcomes);
                    window.derived = None;
                }
                (Some(_), None) => window.derived = None,
            }
        }
        self.sas.end(id);
    }

    /// Reads a line of the IKE SA manager, at level 2 of `mgr`.
    fn manager(&mut self, line: &CharonLine<'_>, outcomes: &mut Outcomes) {
        let text = line.text;
        if text.starts_with(b"checkout ") {
            self.start_window(line.thread);
        } else if let Some(rest) = text.strip_prefix(b"checkin IKEv2 SA ") {
            if let Some((id, spis)) = checked_in(rest) {
                self.sas.identify(id, spis, outcomes);
            }
        }
    }

    fn start_window(&mut self, name: u64) {
        self.threads.entry(name).window = Some(ThreadWindow::default());
    }

    fn proposal(&mut self, line: &CharonLine<'_>) {
        let Some(text) = line.text.strip_prefix(b"selected proposal: IKE:") else { return };
        let Ok(text) = std::str::from_utf8(text) else { return };
        if let Some(facts) = self.facts(line.thread, line.id) {
            facts.set_proposal(text);
        }
    }
}

/// The label and the length in `label => 32 bytes @ 0x7f4b48009630`.
fn announcement(text: &[u8]) -> Option<(&[u8], usize)> {
    let place = text.windows(4).position(|part| part == b" => ")?;
    let (label, rest) = text.split_at(place);
    let rest = rest.strip_prefix(b" => ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (length, rest) = rest.split_at(digits);
    rest.starts_with(b" bytes @ ").then_some((label, number(length)?.try_into().ok()?))
}

/// The number and both states in `IKE_SA net[1] state change: CREATED => CONNECTING`.
fn state_change(text: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    const CHANGE: &[u8] = b"] state change: ";
    let text = text.strip_prefix(b"IKE_SA ")?;
    let place = text.windows(CHANGE.len()).position(|part| part == CHANGE)?;
    let (name, rest) = text.split_at(place);
    let states = rest.strip_prefix(CHANGE)?;
    let arrow = states.windows(4).position(|part| part == b" => ")?;
    let (from, to) = states.split_at(arrow);
    Some((last_number(name)?, from, to.strip_prefix(b" => ")?))
}

/// The number after the last opening bracket. The name ends before the closing bracket.
fn last_number(name: &[u8]) -> Option<u64> {
    number(name.rsplit(|byte| *byte == b'[').next()?)
}

/// The number and the SPIs in `net[1] with SPIs 3812b59617d377dc_i 5d0ca42a7855d715_r`.
fn checked_in(text: &[u8]) -> Option<(u64, Spis)> {
    const WITH: &[u8] = b"] with SPIs ";
    let place = text.windows(WITH.len()).position(|part| part == WITH)?;
    let (name, rest) = text.split_at(place);
    let mut spis = rest.strip_prefix(WITH)?.split(|byte| *byte == b' ');
    let spi_i = spi(spis.next()?.strip_suffix(b"_i")?)?;
    let spi_r = spi(spis.next()?.strip_suffix(b"_r")?)?;
    (spi_r != [0; 8]).then_some((last_number(name)?, Spis(spi_i, spi_r)))
}
