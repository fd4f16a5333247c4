//! Which keys belong to which IKE SA.
//!
//! charon's dumps of keys have no SPIs. They are tied by what can only be the same SA's:
//!
//! - AUTH covers the sender's IKE_SA_INIT message, which charon dumps right behind the
//!   SK_p that it uses. SK_p says whose keys it is, the message has the SPIs and, if it is
//!   a response, the proposal that was selected.
//! - The nonces, of which strongSwan 6 dumps both, are the same for all keys of an SA that
//!   has IKE_INTERMEDIATE exchanges.
//! - charon's number of the SA, if it is known at the time (`charon` says when); level 2
//!   of `mgr` has the SPIs for it.
//! - A responder that refuses a peer dumps only the request. Its initiator's SPI is
//!   enough where the log has one responder's SPI for it in the hashes of NAT detection.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::algorithm::{self, Suite};
use super::init::LoggedInit;
use super::recent::RecentInits;
use super::{LogOutcome, Outcomes, ProblemKind};
use crate::decrypt::key_table::MAX_EPOCHS;
use crate::decrypt::{SaKeys, Spis};

/// The most IKE SAs that are remembered; those that came last.
const MAX_SAS: usize = 1 << 14;

/// A digest of something that only one IKE SA has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tag([u8; 32]);

impl Tag {
    pub(super) fn nonces(bytes: &[u8]) -> Self {
        Self::of(b"nonces", bytes)
    }

    /// SK_pi or SK_pr; they are never the same.
    pub(super) fn sk_p(bytes: &[u8]) -> Self {
        Self::of(b"SK_p", bytes)
    }

    fn of(kind: &[u8], bytes: &[u8]) -> Self {
        Self(Sha256::new().chain_update(kind).chain_update(bytes).finalize().into())
    }

    /// Several texts, each told from the next by its length.
    pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let add = |digest: Sha256, text: &[u8]| {
            digest.chain_update(text.len().to_be_bytes()).chain_update(text)
        };
        Self(texts.into_iter().fold(Sha256::new(), add).finalize().into())
    }
}

/// What is to be known of an SA besides its keys.
#[derive(Clone, Default)]
pub(super) struct SaFacts {
    pub(super) spis: Option<Spis>,
    /// The algorithms, or the name of one that no key table can have.
    pub(super) suite: Option<Result<Suite, String>>,
}

impl SaFacts {
    /// These, and others where these lack.
    fn or(&self, others: &Self) -> Self {
        Self {
            spis: self.spis.or(others.spis),
            suite: self.suite.clone().or_else(|| others.suite.clone()),
        }
    }

    /// The algorithms of a proposal, the protocol left out.
    pub(super) fn set_proposal(&mut self, proposal: &str) {
        self.suite = Some(algorithm::of_proposal(proposal).map_err(str::to_owned));
    }
}

/// An SA by its number.
#[derive(Default)]
struct Numbered {
    facts: SaFacts,
    /// Whether it is being set up, the only time when it gets keys.
    connecting: bool,
    /// Whether it was begun in a window, so that keys derived there are known as its.
    in_window: bool,
    /// Its keys.
    sa: Option<u64>,
}

/// The keys of one epoch.
pub(super) struct Secrets {
    /// The line at which they end.
    pub(super) line: u64,
    /// SK_ei, SK_er, SK_ai and SK_ar.
    pub(super) keys: [Zeroizing<Vec<u8>>; 4],
}

impl Secrets {
    fn tag(&self) -> Tag {
        Tag::texts(self.keys.iter().map(|key| key.as_slice()))
    }
}

/// An SA of which there are keys.
#[derive(Default)]
struct LoggedSa {
    facts: SaFacts,
    id: Option<u64>,
    /// Its initiator's SPI when a request told it.
    spi_i: Option<[u8; 8]>,
    /// Keys that are not given out yet.
    waiting: Vec<Secrets>,
    reported: bool,
}

/// What NAT detection told of an initiator's SPI.
struct Detected {
    /// The one responder's SPI; none if there are several.
    spi_r: Option<[u8; 8]>,
    facts: SaFacts,
}

/// All SAs.
pub(super) struct Sas {
    sas: RecentInits<u64, LoggedSa>,
    numbered: RecentInits<u64, Numbered>,
    tags: RecentInits<Tag, u64>,
    detected: RecentInits<[u8; 8], Detected>,
    next: u64,
}

impl Default for Sas {
    fn default() -> Self {
        Self {
            sas: RecentInits::new(MAX_SAS),
            numbered: RecentInits::new(MAX_SAS),
            // Nonces and, of each epoch, SK_pi and SK_pr.
            tags: RecentInits::new(4 * MAX_SAS),
            detected: RecentInits::new(MAX_SAS),
            next: 0,
        }
    }
}

impl Sas {
    /// The SA of this number is a new one that is being set up.
    pub(super) fn begin(&mut self, id: u64, in_window: bool) {
        let new = Numbered { connecting: true, in_window, ..Numbered::default() };
        let before = self.numbered.insert(id, new).and_then(|numbered| numbered.sa);
        if let Some(sa) = before.and_then(|handle| self.sas.get_mut(&handle)) {
            sa.id = None;
        }
    }

    /// The SA of this number is not being set up any more.
    pub(super) fn end(&mut self, id: u64) {
        if let Some(numbered) = self.numbered.get_mut(&id) {
            numbered.connecting = false;
        }
    }

    /// Whether keys that were derived now may belong to the SA of this number.
    pub(super) fn is_connecting(&self, id: u64) -> bool {
        self.numbered.get(&id).is_some_and(|numbered| numbered.connecting)
    }

    /// Whether the SA of this number has keys; not known if its beginning is not.
    pub(super) fn has_keys(&self, id: u64) -> Option<bool> {
        let numbered = self.numbered.get(&id).filter(|numbered| numbered.in_window)?;
        Some(numbered.sa.is_some())
    }

    /// What is known of the SA of this number; nothing if its beginning is not.
    pub(super) fn facts(&mut self, id: u64) -> Option<&mut SaFacts> {
        self.numbered.get_mut(&id).map(|numbered| &mut numbered.facts)
    }

    /// The SPIs of the SA of this number.
    pub(super) fn identify(&mut self, id: u64, spis: Spis, outcomes: &mut Outcomes) {
        let Some(numbered) = self.numbered.get_mut(&id) else { return };
        numbered.facts.spis = Some(spis);
        if let Some(sa) = numbered.sa {
            self.give(sa, outcomes);
        }
    }

    /// Takes keys, with what is known of their SA; how to speak of it later.
    pub(super) fn add(
        &mut self,
        secrets: Secrets,
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
                sa.waiting.push(secrets);
            }
        }
        self.give(handle, outcomes);
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

    /// Keys are those of the SA of this number, unless it has others or is not being set up.
    pub(super) fn number(&mut self, handle: u64, id: u64, outcomes: &mut Outcomes) {
        let (numbered, sa) = (self.numbered.get_mut(&id), self.sas.get_mut(&handle));
        let (Some(numbered), Some(sa)) = (numbered, sa) else { return };
        let others = numbered.sa.is_some_and(|other| other != handle)
            || sa.id.is_some_and(|other| other != id);
        if numbered.connecting && !others {
            numbered.sa = Some(handle);
            sa.id = Some(id);
            self.give(handle, outcomes);
        }
    }

    /// SPIs that NAT detection covers, and what else is known of their SA.
    pub(super) fn detect(&mut self, spis: Spis, facts: &SaFacts) {
        let Spis(spi_i, spi_r) = spis;
        let spi_r = match self.detected.get(&spi_i) {
            Some(before) if before.spi_r != Some(spi_r) => None,
            _ => Some(spi_r),
        };
        self.detected.insert(spi_i, Detected { spi_r, facts: facts.clone() });
    }

    /// The octets that an AUTH payload covers, and the SK_p that was used.
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
        self.give(handle, outcomes);
    }

    /// Everything that is known of an SA.
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

    /// Gives out the keys of an SA of which enough is known.
    fn give(&mut self, handle: u64, outcomes: &mut Outcomes) {
        let Some(facts) = self.sas.get(&handle).map(|sa| self.all_facts(sa)) else { return };
        let (Some(spis), Some(suite)) = (facts.spis, facts.suite) else { return };
        let Some(sa) = self.sas.get_mut(&handle) else { return };
        for secrets in sa.waiting.drain(..) {
            if !outcomes.is_first(secrets.tag()) {
                continue;
            }
            match keys(&suite, &secrets) {
                Ok(keys) => outcomes.queue.push_back(LogOutcome::Keys(spis, keys)),
                Err(kind) => outcomes.problem(secrets.line, kind),
            }
        }
    }

    /// Reports the keys that are waiting.
    pub(super) fn report(&mut self, outcomes: &mut Outcomes) {
        let handles: Vec<u64> = self.sas.keys().copied().collect();
        for handle in handles {
            let Some(facts) = self.sas.get(&handle).map(|sa| self.all_facts(sa)) else { continue };
            if let Some(sa) = self.sas.get_mut(&handle) {
                sa.report(&facts, outcomes);
            }
        }
    }

    /// The daemon was started anew: numbers mean other SAs.
    pub(super) fn restart(&mut self, outcomes: &mut Outcomes) {
        self.report(outcomes);
        self.sas.clear();
        self.numbered.clear();
        self.tags.clear();
        self.detected.clear();
    }
}

impl LoggedSa {
    /// Reports that keys are waiting, once.
    fn report(&mut self, facts: &SaFacts, outcomes: &mut Outcomes) {
        let Some(secrets) = self.waiting.last().filter(|_| !self.reported) else { return };
        let missing = match facts.spis {
            None => ProblemKind::NoSpis,
            Some(_) => ProblemKind::NoAlgorithms,
        };
        self.reported = true;
        // Another program may have written them with all that is missing here.
        if outcomes.is_first_missing(secrets.tag()) {
            outcomes.problem(secrets.line, missing);
        }
    }
}

fn keys(suite: &Result<Suite, String>, secrets: &Secrets) -> Result<SaKeys, ProblemKind> {
    let (encryption, integrity) =
        suite.as_ref().map_err(|name| ProblemKind::UnknownAlgorithm(name.clone()))?;
    let keys = secrets.keys.each_ref().map(|key| key.as_slice());
    SaKeys::new(encryption, integrity, keys).map_err(ProblemKind::Keys)
}
