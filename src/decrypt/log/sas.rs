//! Finds the IKE SA that logged keys belong to.
//!
//! charon's key dumps do not contain SPIs. The following values connect keys with an SA,
//! because no other SA has the same value:
//!
//! - SK_pi and SK_pr. AUTH covers the sender's IKE_SA_INIT message. charon dumps this
//!   message directly after the SK_p that it uses. The SK_p identifies the keys. The
//!   message has the SPIs and, if it is a response, the selected proposal.
//! - The nonces. strongSwan 6 dumps both nonces. They are the same for all keys of an SA
//!   that uses IKE_INTERMEDIATE exchanges.
//! - charon's number of the SA, if it is known when the keys are dumped (see `charon`). At
//!   level 2 of `mgr`, charon logs the SPIs together with this number.
//! - The initiator's SPI. A responder that rejects a peer dumps only the request, which has
//!   no responder's SPI. It is taken from the hash input of NAT detection if the log has
//!   exactly one responder's SPI there for this initiator's SPI.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::algorithm::{self, Suite};
use super::bounded_map::BoundedMap;
use super::init::LoggedInit;
use super::{KeyProblemKind, LogOutcome, Outcomes};
use crate::decrypt::key_table::MAX_EPOCHS;
use crate::decrypt::{SaKeys, Spis};

/// The maximum number of IKE SAs that are remembered. The oldest is dropped first.
const MAX_SAS: usize = 1 << 14;

/// A digest of a value that only one IKE SA has. It is stored instead of the value, which
/// may be a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tag([u8; 32]);

impl Tag {
    pub(super) fn nonces(bytes: &[u8]) -> Self {
        Self::of(b"nonces", bytes)
    }

    /// The tag of SK_pi or SK_pr. The two keys are never equal.
    pub(super) fn sk_p(bytes: &[u8]) -> Self {
        Self::of(b"SK_p", bytes)
    }

    fn of(kind: &[u8], bytes: &[u8]) -> Self {
        Self(Sha256::new().chain_update(kind).chain_update(bytes).finalize().into())
    }

    /// The tag of several texts. Each length is hashed too, so that the boundaries between
    /// the texts count.
    pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let add = |digest: Sha256, text: &[u8]| {
            digest.chain_update(text.len().to_be_bytes()).chain_update(text)
        };
        Self(texts.into_iter().fold(Sha256::new(), add).finalize().into())
    }
}

/// What the log says about an SA besides its keys.
#[derive(Clone, Default)]
pub(super) struct SaFacts {
    pub(super) spis: Option<Spis>,
    /// The algorithms, or the name of an algorithm that cannot be used for decryption.
    pub(super) suite: Option<Result<Suite, String>>,
}

impl SaFacts {
    /// These facts, completed with `others` where a fact is missing.
    fn or(&self, others: &Self) -> Self {
        Self {
            spis: self.spis.or(others.spis),
            suite: self.suite.clone().or_else(|| others.suite.clone()),
        }
    }

    /// Sets the algorithms from the text of a proposal without its protocol.
    pub(super) fn set_proposal(&mut self, proposal: &str) {
        self.suite = Some(algorithm::of_proposal(proposal).map_err(str::to_owned));
    }
}

/// An SA that is known by charon's number.
#[derive(Default)]
struct NumberedSa {
    facts: SaFacts,
    /// Whether the SA is being set up. An SA gets keys only during this time.
    connecting: bool,
    /// Whether the SA was created in a window. Keys that are derived in the same window
    /// then belong to it.
    in_window: bool,
    /// The handle of the SA's keys in [`Sas::sas`].
    sa: Option<u64>,
}

/// The keys of one epoch: from one key derivation of an SA to the next.
pub(super) struct KeySet {
    /// The number of the log line at which the keys end.
    pub(super) line: u64,
    /// SK_ei, SK_er, SK_ai and SK_ar.
    pub(super) keys: [Zeroizing<Vec<u8>>; 4],
}

impl KeySet {
    fn tag(&self) -> Tag {
        Tag::texts(self.keys.iter().map(|key| key.as_slice()))
    }
}

/// An SA whose keys are in the log.
#[derive(Default)]
struct LoggedSa {
    facts: SaFacts,
    id: Option<u64>,
    /// The initiator's SPI, if only a request with it was dumped.
    spi_i: Option<[u8; 8]>,
    /// The keys that cannot be returned yet, because SPIs or algorithms are missing.
    waiting: Vec<KeySet>,
    reported: bool,
}

/// The responder's SPI that NAT detection used with an initiator's SPI.
struct DetectedResponder {
    /// The responder's SPI. `None` if there were several.
    spi_r: Option<[u8; 8]>,
    facts: SaFacts,
}

/// All SAs of a log, found by handle, number, tag or initiator's SPI.
pub(super) struct Sas {
    sas: BoundedMap<u64, LoggedSa>,
    numbered: BoundedMap<u64, NumberedSa>,
    tags: BoundedMap<Tag, u64>,
    detected: BoundedMap<[u8; 8], DetectedResponder>,
    next: u64,
}

impl Default for Sas {
    fn default() -> Self {
        Self {
            sas: BoundedMap::new(MAX_SAS),
            numbered: BoundedMap::new(MAX_SAS),
            // One tag for the nonces, and two for each epoch: SK_pi and SK_pr.
            tags: BoundedMap::new(4 * MAX_SAS),
            detected: BoundedMap::new(MAX_SAS),
            next: 0,
        }
    }
}

impl Sas {
    /// Records that charon is setting up a new SA with this number.
    pub(super) fn begin(&mut self, id: u64, in_window: bool) {
        let new = NumberedSa { connecting: true, in_window, ..NumberedSa::default() };
        let before = self.numbered.insert(id, new).and_then(|numbered| numbered.sa);
        if let Some(sa) = before.and_then(|handle| self.sas.get_mut(&handle)) {
            sa.id = None;
        }
    }

    /// Records that the setup of the SA with this number has ended.
    pub(super) fn end(&mut self, id: u64) {
        if let Some(numbered) = self.numbered.get_mut(&id) {
            numbered.connecting = false;
        }
    }

    /// Whether the SA with this number is being set up. Keys that are derived now may
    /// belong to it.
    pub(super) fn is_connecting(&self, id: u64) -> bool {
        self.numbered.get(&id).is_some_and(|numbered| numbered.connecting)
    }

    /// Whether the SA with this number has keys. `None` if the log does not show the start
    /// of the SA.
    pub(super) fn has_keys(&self, id: u64) -> Option<bool> {
        let numbered = self.numbered.get(&id).filter(|numbered| numbered.in_window)?;
        Some(numbered.sa.is_some())
    }

    /// What is known about the SA with this number. `None` if the log does not show the
    /// start of the SA.
    pub(super) fn facts(&mut self, id: u64) -> Option<&mut SaFacts> {
        self.numbered.get_mut(&id).map(|numbered| &mut numbered.facts)
    }

    /// Sets the SPIs of the SA with this number.
    pub(super) fn identify(&mut self, id: u64, spis: Spis, outcomes: &mut Outcomes) {
        let Some(numbered) = self.numbered.get_mut(&id) else { return };
        numbered.facts.spis = Some(spis);
        if let Some(sa) = numbered.sa {
            self.emit_keys(sa, outcomes);
        }
    }

    /// Adds keys with what is known about their SA. Returns a handle for
    /// [`Self::assign_number`].
    pub(super) fn add(
        &mut self,
        key_set: KeySet,
        tags: &[Tag],
        facts: &SaFacts,
        outcomes: &mut Outcomes,
    ) -> u64 {
        let known = tags.iter().find_map(|tag| self.tags.get(tag).copied());
        let handle = known.filter(|handle| self.sas.get(handle).is_some());
        let handle = handle.unwrap_or_else(|| self.create(outcomes));
        for tag in tags {
            self.tags.insert(*tag, handle);
        }
        if let Some(sa) = self.sas.get_mut(&handle) {
            sa.facts = sa.facts.or(facts);
            if sa.waiting.len() < MAX_EPOCHS {
                sa.waiting.push(key_set);
            }
        }
        self.emit_keys(handle, outcomes);
        handle
    }

    fn create(&mut self, outcomes: &mut Outcomes) -> u64 {
        self.next += 1;
        if let Some(mut oldest) = self.sas.insert(self.next, LoggedSa::default()) {
            let facts = oldest.facts.clone();
            oldest.report(&facts, outcomes);
        }
        self.next
    }

    /// Connects keys with the SA of this number, unless that SA already has other keys or
    /// is not being set up.
    pub(super) fn assign_number(&mut self, handle: u64, id: u64, outcomes: &mut Outcomes) {
        let (numbered, sa) = (self.numbered.get_mut(&id), self.sas.get_mut(&handle));
        let (Some(numbered), Some(sa)) = (numbered, sa) else { return };
        let others = numbered.sa.is_some_and(|other| other != handle)
            || sa.id.is_some_and(|other| other != id);
        if numbered.connecting && !others {
            numbered.sa = Some(handle);
            sa.id = Some(id);
            self.emit_keys(handle, outcomes);
        }
    }

    /// Stores the SPIs that NAT detection hashed, with what is known about their SA.
    pub(super) fn detect(&mut self, spis: Spis, facts: &SaFacts) {
        let Spis(spi_i, spi_r) = spis;
        let spi_r = match self.detected.get(&spi_i) {
            Some(before) if before.spi_r != Some(spi_r) => None,
            _ => Some(spi_r),
        };
        self.detected.insert(spi_i, DetectedResponder { spi_r, facts: facts.clone() });
    }

    /// Uses the octets that an AUTH payload covers to identify the SA of the keys that
    /// include `sk_p`.
    pub(super) fn authenticate(&mut self, sk_p: Tag, octets: &[u8], outcomes: &mut Outcomes) {
        let Some(handle) = self.tags.get(&sk_p).copied() else { return };
        let (Some(sa), Some(init)) = (self.sas.get_mut(&handle), LoggedInit::parse(octets)) else {
            return;
        };
        if init.spi_r == [0; 8] {
            sa.spi_i = Some(init.spi_i);
        } else {
            sa.facts.spis = Some(Spis(init.spi_i, init.spi_r));
            if let Some(proposal) = &init.proposal {
                sa.facts.set_proposal(proposal);
            }
        }
        self.emit_keys(handle, outcomes);
    }

    /// Everything that is known about an SA, from all sources.
    fn all_facts(&self, sa: &LoggedSa) -> SaFacts {
        let numbered = sa.id.and_then(|id| self.numbered.get(&id));
        let facts = numbered.map_or_else(|| sa.facts.clone(), |one| sa.facts.or(&one.facts));
        let detected = sa.spi_i.and_then(|spi_i| {
            let detected = self.detected.get(&spi_i)?;
            let spis = Some(Spis(spi_i, detected.spi_r?));
            Some(SaFacts { spis, suite: detected.facts.suite.clone() })
        });
        detected.map_or_else(|| facts.clone(), |detected| facts.or(&detected))
    }

    /// Returns the keys of an SA as outcomes, if its SPIs and algorithms are known.
    fn emit_keys(&mut self, handle: u64, outcomes: &mut Outcomes) {
        let Some(facts) = self.sas.get(&handle).map(|sa| self.all_facts(sa)) else { return };
        let (Some(spis), Some(suite)) = (facts.spis, facts.suite) else { return };
        let Some(sa) = self.sas.get_mut(&handle) else { return };
        for key_set in sa.waiting.drain(..) {
            if !outcomes.is_first(key_set.tag()) {
                continue;
            }
            match keys(&suite, &key_set) {
                Ok(keys) => outcomes.queue.push_back(LogOutcome::Keys(spis, keys)),
                Err(kind) => outcomes.problem(key_set.line, kind),
            }
        }
    }

    /// Reports all keys that could not be returned.
    pub(super) fn report(&mut self, outcomes: &mut Outcomes) {
        let handles: Vec<u64> = self.sas.keys().copied().collect();
        for handle in handles {
            let Some(facts) = self.sas.get(&handle).map(|sa| self.all_facts(sa)) else { continue };
            if let Some(sa) = self.sas.get_mut(&handle) {
                sa.report(&facts, outcomes);
            }
        }
    }

    /// Handles a restart of the daemon: charon uses the numbers again for other SAs.
    pub(super) fn restart(&mut self, outcomes: &mut Outcomes) {
        self.report(outcomes);
        self.sas.clear();
        self.numbered.clear();
        self.tags.clear();
        self.detected.clear();
    }
}

impl LoggedSa {
    /// Reports once that keys could not be returned.
    fn report(&mut self, facts: &SaFacts, outcomes: &mut Outcomes) {
        let Some(key_set) = self.waiting.last().filter(|_| !self.reported) else { return };
        let missing = match facts.spis {
            None => KeyProblemKind::NoSpis,
            Some(_) => KeyProblemKind::NoAlgorithms,
        };
        self.reported = true;
        // Another program may have logged the same keys together with the missing values.
        if outcomes.is_first_missing(key_set.tag()) {
            outcomes.problem(key_set.line, missing);
        }
    }
}

fn keys(suite: &Result<Suite, String>, key_set: &KeySet) -> Result<SaKeys, KeyProblemKind> {
    let (encryption, integrity) =
        suite.as_ref().map_err(|name| KeyProblemKind::UnknownAlgorithm(name.clone()))?;
    let keys = key_set.keys.each_ref().map(|key| key.as_slice());
    SaKeys::new(encryption, integrity, keys).map_err(KeyProblemKind::Keys)
}
