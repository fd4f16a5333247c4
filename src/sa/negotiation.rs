//! Whether a responder chose from what the initiator offered, and whether the peers accepted
//! weaker algorithms than they could ([RFC 7296, sections 1.2, 2.7 and
//! 3.3](https://www.rfc-editor.org/rfc/rfc7296#section-2.7)).
//!
//! ```text
//! request    check_request                   the KE payload has an offered method
//!            StoredOffer::of                 keeps the offer
//!            StoredOffer::renew              a retry must not offer less
//! response   StoredOffer::check_response     the choice, or the method that is asked for
//!            Chosen::of                      the algorithms of the SA
//!            PeerStrengths::record           compares with the last SA of the same peers
//! ```
//!
//! If something cannot be known, nothing is reported. This is so for offers that could not be
//! decoded completely, for identifiers without an estimate of strength, and for a response
//! whose request was not seen.

use core::hash::BuildHasher;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use super::Endpoint;
use crate::keyed_hash::KeyedHash;
use crate::message::{method_bits, Event, Message, OfferStrength, PackedOffer};
use crate::named::{named, set_of};
use crate::proposal::{Proposal, ProposalSet, Transform};
use crate::wire::registry::{
    Encr, ExchangeType, Integ, KeyExchangeMethod, NotifyType, Prf, TransformType,
};
use crate::wire::NotifyData;

/// The maximum number of transforms that are kept of an offer. An offer with more is not kept,
/// and the choice is not compared with it.
pub const MAX_OFFERED: usize = 512;

/// The bytes in which an [`Arc`] counts its references.
const REFERENCES: usize = 16;

named! {
    /// What is wrong with a negotiation.
    pub enum Irregularity: str {
        /// The choice was not offered (RFC 7296, 2.7).
        ChosenNotOffered = "chosen_not_offered",
        /// The response has more than one proposal (RFC 7296, 2.7).
        MultipleChosen = "multiple_chosen",
        /// The KE payload has another method than was offered or chosen, or the responder asks
        /// for a method that was not offered (RFC 7296, 1.2 and 3.4).
        KeGroupNotOffered = "ke_group_not_offered",
        /// INVALID_KE_PAYLOAD asks for a weaker method than the initiator used.
        DowngradeKe = "downgrade_ke",
        /// The next request of the initiator for the same SA offers less than the first.
        DowngradeRetry = "downgrade_retry",
        /// The peers chose weaker algorithms than the last time.
        DowngradePeers = "downgrade_peers",
    }
}

set_of! {
    /// A set of irregularities.
    pub struct Irregularities(u8) of Irregularity
}

impl Irregularities {
    /// Adds an irregularity if the condition is true.
    fn insert_if(&mut self, is_so: bool, irregularity: Irregularity) {
        if is_so {
            self.insert(irregularity);
        }
    }
}

/// Checks a request of IKE_SA_INIT alone. The method of its KE payload must be one that the
/// request offers (RFC 7296, 3.4).
pub fn check_request(message: &Message) -> Irregularities {
    let mut found = Irregularities::default();
    if let Some(group) =
        ke_method(message).filter(|_| is_sa_init(message, false) && is_complete(message))
    {
        let mut offered =
            message.proposals.all_transforms().iter().filter(|it| is_ke(it)).peekable();
        let is_missing = offered.peek().is_some() && !offered.any(|it| it.id == group);
        found.insert_if(is_missing, Irregularity::KeGroupNotOffered);
    }
    found
}

/// The offer of a request of IKE_SA_INIT. It is kept until the algorithms of the SA are
/// chosen, to check the response.
#[derive(Clone, Debug)]
pub struct StoredOffer {
    /// Other SAs with the same offer share it.
    packed: Arc<PackedOffer>,
    /// The method of the KE payload.
    group: Option<u16>,
    /// The strength of the first request for the SA, which may be an earlier request.
    first: OfferStrength,
    /// Whether the responder has asked for another request. Its next response may belong to a
    /// request that was not seen.
    is_rejected: bool,
}

impl StoredOffer {
    /// The offer of a request of IKE_SA_INIT. None for other messages, and for a request that
    /// could not be decoded or kept completely.
    pub fn of(message: &Message) -> Option<Self> {
        let set = &message.proposals;
        let fits = set.all_transforms().len() <= MAX_OFFERED;
        if !is_sa_init(message, false) || set.is_empty() || !fits || !is_complete(message) {
            return None;
        }
        let packed = message.packed_offer();
        let first = packed.strength();
        Some(Self { packed, group: ke_method(message), first, is_rejected: false })
    }

    /// The number of bytes on the heap. An offer that others share counts as if they did not,
    /// because they may be gone before.
    pub fn heap_size(&self) -> usize {
        REFERENCES + size_of::<PackedOffer>() + self.packed.heap_size()
    }

    /// The method of the request's KE payload.
    pub fn group(&self) -> Option<KeyExchangeMethod> {
        self.group.map(KeyExchangeMethod)
    }

    /// Replaces the offer by the next request for the same SA, which follows a COOKIE or an
    /// INVALID_KE_PAYLOAD. The next request must offer everything that the first one did (RFC
    /// 7296, 1.2). Otherwise a forged response could make the initiator offer less.
    pub fn renew(&mut self, next: Self) -> Irregularities {
        let mut found = Irregularities::default();
        let is_less = next.packed.strength().is_less_than(&self.first);
        found.insert_if(is_less, Irregularity::DowngradeRetry);
        *self = Self { first: self.first, ..next };
        found
    }

    /// Checks a response of IKE_SA_INIT against its request.
    pub fn check_response(&mut self, message: &Message) -> Irregularities {
        if !is_sa_init(message, true) {
            return Irregularities::default();
        }
        if message.proposals.is_empty() {
            self.check_rejection(message)
        } else {
            self.check_choice(message)
        }
    }

    /// Checks a response that asks for another request. The responder may ask for another of
    /// the offered methods (RFC 7296, 1.2). An attacker on the path would ask for a weaker
    /// method than the initiator used.
    fn check_rejection(&mut self, message: &Message) -> Irregularities {
        let mut found = Irregularities::default();
        let mut notifies = message.notifies();
        let asked = notifies.find_map(|notify| match notify.known() {
            Ok(NotifyData::InvalidKe(group)) => Some(group.0),
            _ => None,
        });
        if let Some(asked) = asked {
            let is_offered = self.packed.has_method(asked);
            found.insert_if(!is_offered, Irregularity::KeGroupNotOffered);
            let is_weaker = method_bits(asked)
                .zip(self.group.and_then(method_bits))
                .is_some_and(|(asked, came_with)| asked < came_with);
            found.insert_if(is_weaker, Irregularity::DowngradeKe);
        }
        let asks_again = |kind| matches!(kind, NotifyType::COOKIE | NotifyType::INVALID_KE_PAYLOAD);
        self.is_rejected |= message.notifies().any(|notify| asks_again(notify.kind));
        found
    }

    fn check_choice(&self, message: &Message) -> Irregularities {
        let mut found = Irregularities::default();
        let set = &message.proposals;
        found.insert_if(set.proposals().len() > 1, Irregularity::MultipleChosen);
        // It is not known which of several proposals the peers use. The first one is checked.
        if let Some(chosen) = set.proposals().first().filter(|it| it.whole && is_complete(message))
        {
            let is_offered = self.packed.offers(chosen, set.transforms(chosen));
            found.insert_if(!is_offered, Irregularity::ChosenNotOffered);
        }
        if let Some(group) = ke_method(message) {
            let chosen = set.all_transforms().iter().find(|it| is_ke(it));
            let is_chosen = chosen.is_none_or(|it| it.id == group);
            let is_answer = self.is_rejected || self.group.is_none_or(|it| it == group);
            found.insert_if(!is_chosen || !is_answer, Irregularity::KeGroupNotOffered);
        }
        found
    }
}

fn is_ke(transform: &Transform) -> bool {
    transform.kind == TransformType::KE
}

/// Whether a message is a request or a response of IKE_SA_INIT.
fn is_sa_init(message: &Message, response: bool) -> bool {
    message.header.is_some_and(|header| {
        header.exchange_type == ExchangeType::IKE_SA_INIT && header.flags.response() == response
    })
}

/// Whether all proposals and transforms were decoded.
fn is_complete(message: &Message) -> bool {
    let left_out = [Event::TooManyPayloads, Event::TooManyProposals, Event::TooManyTransforms];
    !left_out.iter().any(|event| message.events.contains(*event))
        && !message.events.contains(Event::LengthMismatch)
}

/// The method of the KE payload.
fn ke_method(message: &Message) -> Option<u16> {
    message.key_exchanges().next().map(|exchange| exchange.method.0)
}

/// The chosen algorithms of an IKE SA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The identifiers by transform type, from ENCR to ADDKE7.
    ids: [u16; Self::TYPES],
    /// Which of the types are present, one bit each.
    present: u16,
    key_length: Option<u16>,
    security_bits: Option<u16>,
}

impl Chosen {
    const TYPES: usize = TransformType::ADDKE7.0 as usize;

    /// The choice of a response of IKE_SA_INIT. If there are several proposals, or several
    /// transforms of a type, the first one counts.
    pub fn of(message: &Message) -> Option<Self> {
        let proposals = message.proposals.proposals();
        let proposal = proposals.first().filter(|_| is_sa_init(message, true))?;
        Some(Self::from_proposal(message, proposal))
    }

    /// The choice of a decrypted response: the algorithms of a rekeyed IKE SA.
    pub fn of_decrypted(message: &Message) -> Option<Self> {
        message.decrypted_proposals().first().map(|proposal| Self::from_proposal(message, proposal))
    }

    fn from_proposal(message: &Message, proposal: &Proposal) -> Self {
        let mut chosen = Self::from_transforms(message.proposals.transforms(proposal));
        chosen.security_bits = security_bits(&message.proposals);
        chosen
    }

    fn from_transforms(transforms: &[Transform]) -> Self {
        let mut chosen =
            Self { ids: [0; Self::TYPES], present: 0, key_length: None, security_bits: None };
        for transform in transforms {
            let Some(place) = Self::place(transform.kind) else { continue };
            if chosen.present & (1 << place) == 0 {
                chosen.present |= 1 << place;
                chosen.ids[place] = transform.id;
                if transform.kind == TransformType::ENCR {
                    chosen.key_length = transform.key_length;
                }
            }
        }
        chosen
    }

    fn place(kind: TransformType) -> Option<usize> {
        usize::from(kind.0).checked_sub(1).filter(|place| *place < Self::TYPES)
    }

    /// The identifier of the algorithm of a type.
    pub fn id(&self, kind: TransformType) -> Option<u16> {
        let place = Self::place(kind)?;
        (self.present & (1 << place) != 0).then(|| self.ids[place])
    }

    /// The cipher.
    pub fn encr(&self) -> Option<Encr> {
        self.id(TransformType::ENCR).map(Encr)
    }

    /// The key length in bits, if the cipher has several.
    pub fn key_length(&self) -> Option<u16> {
        self.key_length
    }

    /// The pseudorandom function.
    pub fn prf(&self) -> Option<Prf> {
        self.id(TransformType::PRF).map(Prf)
    }

    /// The integrity algorithm. None if the cipher includes integrity.
    pub fn integ(&self) -> Option<Integ> {
        self.id(TransformType::INTEG).map(Integ).filter(|id| *id != Integ::NONE)
    }

    /// The key exchange method.
    pub fn dh(&self) -> Option<KeyExchangeMethod> {
        self.id(TransformType::KE).map(KeyExchangeMethod)
    }

    /// The strength in bits, see [`crate::policy::security_bits`].
    pub fn security_bits(&self) -> Option<u16> {
        self.security_bits
    }

    /// All algorithms as transforms, in the order of their types.
    pub fn transforms(&self) -> impl Iterator<Item = Transform> + '_ {
        (1..=TransformType::ADDKE7.0).map(TransformType).filter_map(|kind| {
            let key_length = self.key_length.filter(|_| kind == TransformType::ENCR);
            self.id(kind).map(|id| Transform { kind, id, key_length })
        })
    }
}

/// The strength of a choice. None if there are several proposals, because it is not known
/// which one the peers use.
fn security_bits(set: &ProposalSet) -> Option<u16> {
    crate::policy::security_bits(set).filter(|_| set.proposals().len() == 1)
}

/// The strength that pairs of peers chose the last time. The memory has a fixed size and needs
/// no lock.
///
/// A peer is an address and a port. The clients behind one NAT, and two programs on one host,
/// have different ports and are different peers.
///
/// A slot has 48 bits of the pair's hash and 16 bits of strength. Pairs with the same set of
/// slots replace each other, so an old pair may be forgotten. The chance that one pair is
/// taken for another is 1 in 2^46.
#[derive(Debug)]
pub struct PeerStrengths {
    slots: Box<[AtomicU64]>,
    hash: KeyedHash,
}

impl PeerStrengths {
    /// The number of slots in which a pair may be.
    const SET_SIZE: usize = 4;

    /// A memory for at least this number of pairs, 8 bytes each. An attacker who does not know
    /// the key cannot choose addresses that replace other pairs.
    pub fn new(pairs: usize) -> Self {
        let count = pairs.clamp(Self::SET_SIZE, 1 << 24).next_power_of_two();
        Self { slots: (0..count).map(|_| AtomicU64::new(0)).collect(), hash: KeyedHash::new() }
    }

    /// The number of bytes on the heap.
    pub fn heap_size(&self) -> usize {
        size_of_val(&*self.slots)
    }

    /// Forgets all pairs.
    pub fn clear(&self) {
        self.slots.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
    }

    /// Stores the strength that two peers chose, in either role. Returns whether it is less
    /// than the last time.
    pub fn record(&self, one: &Endpoint, other: &Endpoint, bits: u16) -> bool {
        let hash = self.hash(one, other);
        let value = hash & !0xffff | u64::from(bits.min(u16::MAX - 1) + 1);
        let slots = self.set(hash);
        let slot = slots
            .iter()
            .find(|slot| slot.load(Ordering::Relaxed) >> 16 == hash >> 16)
            .or_else(|| slots.iter().find(|slot| slot.load(Ordering::Relaxed) == 0))
            // This choice is almost random.
            .or_else(|| slots.get((hash >> 62) as usize));
        let Some(slot) = slot else { return false };
        // Another thread may have used the slot since. Then its value belongs to another pair
        // and must not be compared.
        let last = slot.swap(value, Ordering::Relaxed);
        last >> 16 == hash >> 16 && last & 0xffff > value & 0xffff
    }

    fn hash(&self, one: &Endpoint, other: &Endpoint) -> u64 {
        let [one, other] = [one, other].map(|peer| (peer.address, peer.port));
        self.hash.hash_one((one.min(other), one.max(other)))
    }

    /// The slots in which a pair may be. The low bits of the hash select the set, so a slot
    /// does not need to store them.
    fn set(&self, hash: u64) -> &[AtomicU64] {
        let sets = self.slots.len() / Self::SET_SIZE;
        let place = (hash as usize & (sets - 1)) * Self::SET_SIZE;
        self.slots.get(place..place + Self::SET_SIZE).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests;
