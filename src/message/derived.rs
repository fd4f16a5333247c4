//! The proposals of a message, with the values that depend only on them.
//!
//! A peer sends the same offer in every handshake, and so do all peers of a product with the
//! same configuration. Messages with the same SA payload share its proposals and everything
//! that was derived from them, so they are decoded and judged once.

use core::cell::RefCell;
use core::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::{EventSet, PackedOffer, Prefilter, MAX_ERRORS};
use crate::cache::Cache;
use crate::policy::Finding;
use crate::proposal::ProposalSet;
use crate::wire::{ParseError, Payload, Proposals};

thread_local! {
    /// The proposals of SA payloads that many messages have.
    static OFFERS: RefCell<Cache<Arc<Derived>>> = RefCell::default();
}

/// The proposals of a message.
#[derive(Debug, Default)]
pub struct MessageProposals(Holder);

#[derive(Debug, Default)]
enum Holder {
    #[default]
    None,
    Own(Box<Derived>),
    Shared(Arc<Derived>),
}

static NONE: Derived = Derived::new();

impl MessageProposals {
    /// The proposals of an SA payload, which other messages may have too. `context` tells
    /// apart what the values depend on besides the payload.
    pub(super) fn of(payload: &Payload<'_>, context: u64) -> Self {
        let decode = || {
            let mut derived = Derived::new();
            derived.add(payload);
            derived
        };
        let make = || Arc::new(decode());
        // The positions in the proposals and errors depend on the position of the payload.
        let context = context << 32 | u64::from(payload.offset);
        match OFFERS.with_borrow_mut(|offers| offers.get(context, payload.body, make)) {
            Some(shared) => Self(Holder::Shared(shared)),
            None => Self(Holder::Own(Box::new(decode()))),
        }
    }

    /// Adds the proposals of a further SA payload, or of a decrypted one. What was derived
    /// before is forgotten. Returns the parse errors of the payload.
    pub(super) fn add(&mut self, payload: &Payload<'_>) -> Vec<ParseError> {
        let mut own = core::mem::take(self).into_own();
        own.add(payload);
        let errors = core::mem::take(&mut own.errors);
        self.0 = Holder::Own(own);
        errors
    }

    /// Forgets what was derived, because further proposals may follow.
    pub(super) fn reset(&mut self) {
        self.0 = match core::mem::take(&mut self.0) {
            Holder::None => Holder::None,
            kept => Holder::Own(Self(kept).into_own()),
        };
    }

    /// The proposals alone, without what was derived from them.
    fn into_own(self) -> Box<Derived> {
        let set = match self.0 {
            Holder::None => ProposalSet::new(),
            Holder::Own(own) => own.set,
            Holder::Shared(shared) => shared.set.clone(),
        };
        Box::new(Derived { set, ..Derived::new() })
    }

    /// The values derived from the proposals.
    pub(crate) fn derived(&self) -> &Derived {
        match &self.0 {
            Holder::None => &NONE,
            Holder::Own(own) => own,
            Holder::Shared(shared) => shared,
        }
    }

    /// The derived values, if other messages share them.
    pub(crate) fn shared(&self) -> Option<&Derived> {
        match &self.0 {
            Holder::Shared(shared) => Some(shared),
            _ => None,
        }
    }
}

impl Deref for MessageProposals {
    type Target = ProposalSet;

    fn deref(&self) -> &ProposalSet {
        &self.derived().set
    }
}

/// Proposals and values that depend only on them. Each value is computed when it is first
/// needed.
#[derive(Debug)]
pub(crate) struct Derived {
    set: ProposalSet,
    /// The parse errors of the last payload.
    pub(super) errors: Vec<ParseError>,
    /// The result of the policy and of the rules of RFC 7296.
    pub(crate) judgement: OnceLock<Judgement>,
    /// The canonical text of each proposal.
    pub(crate) texts: OnceLock<Vec<String>>,
    /// The strength in bits.
    pub(crate) security_bits: OnceLock<Option<u16>>,
    /// What rules look for first.
    pub(crate) prefilter: OnceLock<Box<Prefilter>>,
    /// The SA payload's part of the fingerprint.
    pub(crate) fingerprint: OnceLock<Vec<u8>>,
    /// The proposals as JSON text for records.
    pub(crate) proposals_json: OnceLock<String>,
    /// The chosen algorithms as JSON text for records.
    pub(crate) chosen_json: OnceLock<String>,
    /// The findings as JSON text for records.
    pub(crate) findings_json: OnceLock<String>,
    /// What is kept of an offer until it is answered.
    pub(super) packed: OnceLock<Arc<PackedOffer>>,
}

impl Derived {
    const fn new() -> Self {
        Self {
            set: ProposalSet::new(),
            errors: Vec::new(),
            judgement: OnceLock::new(),
            prefilter: OnceLock::new(),
            texts: OnceLock::new(),
            security_bits: OnceLock::new(),
            fingerprint: OnceLock::new(),
            proposals_json: OnceLock::new(),
            chosen_json: OnceLock::new(),
            findings_json: OnceLock::new(),
            packed: OnceLock::new(),
        }
    }

    fn add(&mut self, payload: &Payload<'_>) {
        let proposals = Proposals::new(payload.body, payload.body_offset());
        let errors = &mut self.errors;
        self.set.add(proposals, &mut |error| {
            // A message keeps no more errors, and of all others their kind.
            let is_new = |known: &ParseError| known.kind != error.kind;
            if errors.len() < MAX_ERRORS || errors.iter().all(is_new) {
                errors.push(error);
            }
        });
    }
}

/// The result of judging the proposals.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// The findings of the policy.
    pub(crate) findings: Vec<Finding>,
    /// The events of the findings, and of proposals that break RFC 7296.
    pub(crate) events: EventSet,
}

#[cfg(test)]
mod tests {
    use crate::message::{Direction, Message, Transport};
    use crate::policy::Policy;
    use crate::render::render;
    use crate::render::JsonText;
    use crate::tx::Transaction;
    use crate::wire::registry::{ExchangeType, KeyExchangeMethod, PayloadType, Protocol};
    use crate::wire::testing::{proposal, sa_body, transforms, MessageBuilder};

    fn read(bytes: &[u8], policy: &'static Policy) -> Transaction {
        let message = Message::decode(bytes, 0, Direction::ToServer, Transport::Udp500, policy);
        Transaction::new(message, None)
    }

    /// All derived values of a message, as text.
    fn all_of(tx: &Transaction) -> String {
        let (mut text, message) = (JsonText::default(), tx.message());
        render(tx, &mut text);
        let json = String::from_utf8_lossy(text.as_bytes());
        let own =
            (message.findings(), message.events, message.security_bits(), message.proposal_texts());
        format!("{own:?} {:?} {json}", tx.fingerprint())
    }

    fn messages() -> Vec<Vec<u8>> {
        let one = |number, group| proposal(number, Protocol::IKE, &[], &transforms(group));
        let strong = sa_body(&[one(1, KeyExchangeMethod::CURVE25519)]);
        let weak = sa_body(&[one(1, KeyExchangeMethod::MODP_1024)]);
        let both = sa_body(&[one(1, KeyExchangeMethod::MODP_1024), one(2, KeyExchangeMethod(99))]);
        let broken = [&weak[..], &[0]].concat();
        let exchange = ExchangeType::IKE_SA_INIT;
        let mut messages = Vec::new();
        for body in [strong, weak.clone(), both, broken] {
            for message in [MessageBuilder::request(exchange), MessageBuilder::response(exchange)] {
                let message = message.payload(PayloadType::SA, body.clone());
                messages.push(message.clone().payload(PayloadType::NONCE, [1; 32]).build());
                messages.push(message.payload(PayloadType::SA, weak.clone()).build());
            }
        }
        messages
    }

    /// The first message in a thread computes the values, the third one shares them.
    #[test]
    fn what_is_shared_is_what_each_would_have_by_itself() {
        for policy in Policy::all() {
            for message in messages() {
                let alone = message.clone();
                let alone = std::thread::spawn(move || all_of(&read(&alone, policy)));
                let alone = alone.join().unwrap();
                let same = (0..4).all(|_| all_of(&read(&message, policy)) == alone);
                assert!(same, "{alone}");
            }
        }
    }

    #[test]
    fn only_messages_with_one_sa_payload_share() {
        let shares = |message: &[u8]| {
            let transactions: Vec<_> = (0..3).map(|_| read(message, Policy::standard())).collect();
            transactions.iter().map(|tx| tx.message().shared().is_some()).collect::<Vec<_>>()
        };
        for (place, message) in messages().iter().enumerate() {
            let expected = if place % 2 == 0 { [false, true, true] } else { [false; 3] };
            assert_eq!(shares(message), expected, "{place}");
        }
    }
}
