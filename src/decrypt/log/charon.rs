//! strongSwan's log: dumps of keys, and which thread speaks of which IKE SA.
//!
//! All of one IKE message is done by one thread. From the line with which it takes the
//! message up ("received packet", or what the manager of SAs says) until it takes up the
//! next, it speaks of that message; this is a [`ThreadWindow`]. Keys and the facts of a window
//! belong together, and to the new SA that is begun in it, if one is. Otherwise the
//! number that `ike_name` puts on each line says which SA it is, or, at the end of a
//! rekeying, the SA that the thread then establishes. A number is believed only while its
//! SA is being set up: strongSwan 5.9 puts that of the old SA on the keys of the new.

use zeroize::Zeroizing;

use super::dump::{number, spi, Dump};
use super::line::CharonLine;
use super::recent::RecentInits;
use super::sas::{SaFacts, Sas, Secrets, Tag};
use super::{Outcomes, ProblemKind};
use crate::decrypt::Spis;

/// The most threads that are remembered.
const MAX_THREADS: usize = 1 << 10;

/// The longest dump of a key, in bytes; the longest key has 64.
const MAX_KEY: usize = 256;
/// The longest dump of two nonces, in bytes (RFC 7296, 2.10).
const MAX_NONCES: usize = 512;
/// The longest dump of signed octets, in bytes: a UDP datagram and what is added to it.
const MAX_OCTETS: usize = 1 << 17;

/// The dumps that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CharonLabel {
    NatDetection,
    Nonces,
    /// SK_ei, SK_er, SK_ai and SK_ar, by their place in a key table.
    Key(usize),
    SkPi,
    SkPr,
    /// The SK_p that an AUTH payload is made with.
    SkP,
    Octets,
}

impl CharonLabel {
    /// The dump that a line announces, and how long it may be.
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

/// A dump of which lines are still to come. charon writes all of them at once.
struct CharonDump {
    label: CharonLabel,
    thread: u64,
    id: Option<u64>,
    dump: Dump,
}

/// What a thread says while it has one message in hand.
#[derive(Default)]
struct ThreadWindow {
    /// The number of the SA that was begun.
    begun: Option<u64>,
    facts: SaFacts,
    /// The keys that were derived for an SA whose number is not known.
    derived: Option<u64>,
}

/// Keys that are being dumped.
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

/// A reader of charon's log.
pub(super) struct Charon {
    open: Option<CharonDump>,
    threads: RecentInits<u64, CharonThread>,
    sas: Sas,
}

impl Default for Charon {
    fn default() -> Self {
        Self { open: None, threads: RecentInits::new(MAX_THREADS), sas: Sas::default() }
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
            b"NET" if line.text.starts_with(b"received packet") => self.open_window(line.thread),
            b"DMN" if line.text.starts_with(b"Starting ") => self.restart(outcomes),
            _ => {}
        }
    }

    /// Reports what is still waiting.
    pub(super) fn report(&mut self, outcomes: &mut Outcomes) {
        self.sas.report(outcomes);
    }

    fn restart(&mut self, outcomes: &mut Outcomes) {
        self.threads.clear();
        self.sas.restart(outcomes);
    }

    /// Whether the line belongs to an open dump.
    fn continues(&mut self, number: u64, line: &CharonLine<'_>, outcomes: &mut Outcomes) -> bool {
        let Some(mut open) = self.open.take() else { return false };
        if open.thread != line.thread || !open.dump.add_with_offset(line.text) {
            if open.label.is_secret() {
                outcomes.problem(number, ProblemKind::Torn);
                self.threads.entry(open.thread).derivation = Derivation::default();
            }
            return false;
        }
        if open.dump.is_whole() {
            self.dumped(number, open, outcomes);
        } else {
            self.open = Some(open);
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
        let open = CharonDump { label, thread: line.thread, id: line.id, dump: Dump::new(length) };
        if open.dump.is_whole() {
            self.dumped(number, open, outcomes);
        } else {
            self.open = Some(open);
        }
    }

    /// Takes a dump of which all lines have come.
    fn dumped(&mut self, number: u64, open: CharonDump, outcomes: &mut Outcomes) {
        let CharonDump { label, thread: name, id, dump } = open;
        let bytes = dump.into_bytes();
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

    /// Both SPIs, an address and a port: what the hashes of NAT detection are made of.
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

    /// What is known of the SA that a thread speaks of; none if that is not known.
    fn facts(&mut self, name: u64, id: Option<u64>) -> Option<&mut SaFacts> {
        let window = self.threads.entry(name).window.as_mut();
        let begun = window.as_ref().and_then(|window| window.begun);
        match begun.or(id.filter(|id| self.sas.is_connecting(*id))) {
            Some(id) => self.sas.facts(id),
            // Behind its keys, a thread may go on with another SA.
            None => window.filter(|window| window.derived.is_none()).map(|one| &mut one.facts),
        }
    }

    /// Takes the keys that a thread dumped, of which SK_pr is the last.
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
        let handle = self.sas.add(Secrets { line: number, keys }, &tags, &facts, outcomes);
        match (id, window) {
            (Some(id), _) => self.sas.number(handle, id, outcomes),
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

    /// An SA is set up, or has failed. Keys that were derived in the same window are its.
    fn set_up(&mut self, name: u64, id: u64, outcomes: &mut Outcomes) {
        if let Some(window) = &mut self.threads.entry(name).window {
            match (window.derived, self.sas.has_keys(id)) {
                // Of two SAs that cross each other, the one of the peer has its own.
                (None, _) | (_, Some(true)) => {}
                (Some(handle), Some(false)) => {
                    self.sas.number(handle, id, outcomes);
                    window.derived = None;
                }
                (Some(_), None) => window.derived = None,
            }
        }
        self.sas.end(id);
    }

    /// What the manager of SAs says, at level 2 of `mgr`.
    fn manager(&mut self, line: &CharonLine<'_>, outcomes: &mut Outcomes) {
        let text = line.text;
        if text.starts_with(b"checkout ") {
            self.open_window(line.thread);
        } else if let Some(rest) = text.strip_prefix(b"checkin IKEv2 SA ") {
            if let Some((id, spis)) = checked_in(rest) {
                self.sas.identify(id, spis, outcomes);
            }
        }
    }

    fn open_window(&mut self, name: u64) {
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

/// Number and states in `IKE_SA net[1] state change: CREATED => CONNECTING`.
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

/// The number behind the last bracket, which is not closed.
fn last_number(name: &[u8]) -> Option<u64> {
    number(name.rsplit(|byte| *byte == b'[').next()?)
}

/// Number and SPIs in `net[1] with SPIs 3812b59617d377dc_i 5d0ca42a7855d715_r`.
fn checked_in(text: &[u8]) -> Option<(u64, Spis)> {
    const WITH: &[u8] = b"] with SPIs ";
    let place = text.windows(WITH.len()).position(|part| part == WITH)?;
    let (name, rest) = text.split_at(place);
    let mut spis = rest.strip_prefix(WITH)?.split(|byte| *byte == b' ');
    let spi_i = spi(spis.next()?.strip_suffix(b"_i")?)?;
    let spi_r = spi(spis.next()?.strip_suffix(b"_r")?)?;
    (spi_r != [0; 8]).then_some((last_number(name)?, Spis(spi_i, spi_r)))
}
