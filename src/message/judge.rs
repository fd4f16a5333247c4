//! Judges the proposals of a message by the policy and by RFC 7296.

use super::{anomaly, Event, EventSet, Judgement, Message, Scope};
use crate::policy::{self, Finding, FindingKind, Policy};
use crate::proposal::{Proposal, ProposalSet, Transform};
use crate::wire::registry::{Encr, Protocol, TransformType};

impl Message {
    /// Adds the events that need all payloads of the message.
    pub(super) fn judge(&mut self, policy: &'static Policy) {
        self.judge_proposals(policy);
        let mut events = self.events;
        anomaly::inspect(self, &mut |event| events.insert(event));
        self.events = events;
    }

    fn judge_proposals(&mut self, policy: &'static Policy) {
        if self.proposals.is_empty() {
            return;
        }
        let judge = || judgement(&self.proposals, self.scope(), policy);
        let events = self.derived().judgement.get_or_init(judge).events;
        self.events.merge(events);
    }
}

fn judgement(set: &ProposalSet, scope: Scope, policy: &Policy) -> Judgement {
    let findings = policy::assess(set, policy);
    let mut events = EventSet::default();
    for finding in &findings {
        events.insert(event_of(finding));
    }
    if set.proposals().iter().any(|proposal| lacks_encryption(set, proposal)) {
        events.insert(Event::NoEncryption);
    }
    if set.all_transforms().iter().any(|transform| transform.name().is_none()) {
        events.insert(Event::UnknownProposal);
    }
    if has_invalid_transform(set) {
        events.insert(Event::InvalidProposal);
    }
    if scope == Scope::Chosen && set.proposals().len() > 1 {
        events.insert(Event::MultipleServerProposal);
    }
    Judgement { findings, events }
}

/// The event of a finding. A proposal that breaks RFC 7296 is invalid, whatever its algorithms
/// are. Only missing algorithms have events of their own.
fn event_of(finding: &Finding) -> Event {
    match finding.kind {
        FindingKind::NoDh => Event::WeakCryptoNoDh,
        FindingKind::NoInteg => Event::WeakCryptoNoAuth,
        _ if finding.composition => Event::InvalidProposal,
        FindingKind::KeyLength => Event::WeakCryptoEnc,
        FindingKind::Esn => Event::InvalidProposal,
        FindingKind::Encr => Event::WeakCryptoEnc,
        FindingKind::Prf => Event::WeakCryptoPrf,
        FindingKind::Integ => Event::WeakCryptoAuth,
        FindingKind::Dh => Event::WeakCryptoDh,
    }
}

/// Whether a proposal allows ESP or AH without encryption. One such cipher among several is
/// enough (RFC 2410, RFC 4543).
fn lacks_encryption(set: &ProposalSet, proposal: &Proposal) -> bool {
    let is_none = |transform: &Transform| {
        transform.kind == TransformType::ENCR
            && matches!(Encr(transform.id), Encr::ENCR_NULL | Encr::ENCR_NULL_AUTH_AES_GMAC)
    };
    match proposal.protocol {
        Protocol::AH => true,
        Protocol::ESP => set.transforms(proposal).iter().any(is_none),
        _ => false,
    }
}

/// Whether an IKE proposal has PRF 0, which is reserved, or key exchange method NONE, which an
/// IKE SA must not use (RFC 7296, 3.3.2 and 3.3.3).
fn has_invalid_transform(set: &ProposalSet) -> bool {
    set.proposals().iter().filter(|proposal| proposal.protocol == Protocol::IKE).any(|proposal| {
        set.transforms(proposal).iter().any(|transform| {
            transform.id == 0 && matches!(transform.kind, TransformType::PRF | TransformType::KE)
        })
    })
}
