//! What the policy and RFC 7296 say of the proposals of a message.

use core::cell::RefCell;
use std::sync::Arc;

use super::{anomaly, Derived, Event, EventSet, Judgement, Message, Scope};
use crate::cache::Cache;
use crate::policy::{self, Finding, Policy, What};
use crate::proposal::{Proposal, ProposalSet, Transform};
use crate::wire::registry::{Encr, PayloadType, Protocol, TransformType};

thread_local! {
    /// What follows from SA payloads that come again and again.
    static OFFERS: RefCell<Cache<Arc<Derived>>> = RefCell::default();
}

impl Message {
    /// Adds the events that show only when all payloads are there.
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
        if let Some(derived) = shared(self, policy) {
            self.share(derived);
        }
        let judge = || judgement(&self.proposals, self.scope(), policy);
        let events = self.derived().judgement.get_or_init(judge).events;
        self.events.merge(events);
    }
}

/// What follows from the message's proposals, if its only SA payload came before.
fn shared(message: &Message, policy: &'static Policy) -> Option<Arc<Derived>> {
    let mut payloads = message.payloads_of(PayloadType::SA);
    let payload = payloads.next()?;
    if payloads.next().is_some() || message.decrypted.is_some() {
        return None;
    }
    // The judgement depends on the policy and on whether the proposals are offered or chosen.
    let context = u64::from(policy.id()) << 1 | u64::from(message.scope() == Scope::Chosen);
    OFFERS.with_borrow_mut(|offers| offers.get(context, payload.body, Arc::default))
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

/// A proposal that is put together against RFC 7296 is invalid, whatever the
/// algorithms; only that something is left out has events of its own.
fn event_of(finding: &Finding) -> Event {
    match finding.what {
        What::NoDh => Event::WeakCryptoNoDh,
        What::NoInteg => Event::WeakCryptoNoAuth,
        _ if finding.composition => Event::InvalidProposal,
        What::KeyLength => Event::WeakCryptoEnc,
        What::Esn => Event::InvalidProposal,
        What::Encr => Event::WeakCryptoEnc,
        What::Prf => Event::WeakCryptoPrf,
        What::Integ => Event::WeakCryptoAuth,
        What::Dh => Event::WeakCryptoDh,
    }
}

/// AH, and ESP with a cipher that is none (RFC 2410, RFC 4543), be it one of several.
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

/// PRF 0 is reserved, and an IKE SA cannot do without a key exchange
/// (RFC 7296, 3.3.2 and 3.3.3).
fn has_invalid_transform(set: &ProposalSet) -> bool {
    set.proposals().iter().filter(|proposal| proposal.protocol == Protocol::IKE).any(|proposal| {
        set.transforms(proposal).iter().any(|transform| {
            transform.id == 0 && matches!(transform.kind, TransformType::PRF | TransformType::KE)
        })
    })
}
