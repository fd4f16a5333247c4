//! An offer in few bytes. IKE SA tracking keeps it until the responder has chosen.

use crate::policy::table::{self, Bits};
use crate::proposal::{Proposal, ProposalSet, Transform};
use crate::wire::registry::{Encr, Integ, KeyExchangeMethod, Protocol, TransformType};

/// The proposals of a message in few bytes.
#[derive(Clone, Debug)]
pub struct PackedOffer {
    proposals: Box<[PackedProposal]>,
    transforms: Box<[PackedTransform]>,
    strength: OfferStrength,
}

/// One proposal of an offer.
#[derive(Clone, Copy, Debug)]
struct PackedProposal {
    number: u8,
    protocol: Protocol,
    spi_size: u8,
    /// Whether the proposal was decoded completely.
    is_whole: bool,
    /// The index behind its last transform. The first one is at the `end` of the proposal
    /// before.
    end: u16,
}

impl PackedOffer {
    /// Packs proposals. `whole` is the strength of the strongest of them.
    pub(super) fn of(set: &ProposalSet, whole: Option<u16>) -> Self {
        let mut transforms = Vec::with_capacity(set.all_transforms().len());
        let mut proposals = Vec::with_capacity(set.proposals().len());
        let strength = OfferStrength::of(set.all_transforms(), whole);
        for proposal in set.proposals() {
            transforms.extend(set.transforms(proposal).iter().map(PackedTransform::of));
            proposals.push(PackedProposal {
                number: proposal.number,
                protocol: proposal.protocol,
                spi_size: spi_size(proposal),
                is_whole: proposal.whole,
                end: u16::try_from(transforms.len()).unwrap_or(u16::MAX),
            });
        }
        Self { proposals: proposals.into(), transforms: transforms.into(), strength }
    }

    /// The number of bytes on the heap.
    pub fn heap_size(&self) -> usize {
        size_of_val(&*self.proposals) + size_of_val(&*self.transforms)
    }

    /// The strength of the offer.
    pub fn strength(&self) -> OfferStrength {
        self.strength
    }

    /// Whether a key exchange method is among the transforms.
    pub fn has_method(&self, method: u16) -> bool {
        let wanted = |it: &PackedTransform| it.kind() == TransformType::KE && it.id() == method;
        self.transforms.iter().any(wanted)
    }

    /// Whether a chosen proposal is in this offer. Its number says which one it is (RFC 7296,
    /// 3.3.1).
    pub fn offers(&self, chosen: &Proposal, transforms: &[Transform]) -> bool {
        let mut start = 0;
        self.proposals.iter().any(|proposal| {
            let end = usize::from(proposal.end);
            let offered = self.transforms.get(start..end).unwrap_or(&[]);
            start = end;
            proposal.number == chosen.number
                && proposal.protocol == chosen.protocol
                && proposal.spi_size == spi_size(chosen)
                && (!proposal.is_whole || is_choice(proposal.protocol, offered, transforms))
        })
    }
}

/// Whether a choice has exactly one of the offered transforms of each type (RFC 7296, 3.3.3).
/// A type whose only transform is NONE may be omitted.
fn is_choice(protocol: Protocol, offered: &[PackedTransform], chosen: &[Transform]) -> bool {
    let is_taken_once = |it: &Transform| {
        let is_only_one = chosen.iter().filter(|other| other.kind == it.kind).count() == 1;
        let has_type = || offered.iter().any(|other| other.kind() == it.kind);
        let is_offered = offered.contains(&PackedTransform::of(it));
        is_only_one && (is_offered || (is_none(it.kind, it.id) && !has_type()))
    };
    let is_answered = |kind: TransformType| {
        chosen.iter().any(|other| other.kind == kind)
            || offered.iter().any(|other| other.kind() == kind && other.is_none())
            || is_needless(protocol, kind, chosen)
    };
    // Transforms of one type usually follow each other, so each type is looked at once.
    let mut runs = offered.chunk_by(|one, other| one.kind() == other.kind());
    chosen.iter().all(is_taken_once)
        && runs.all(|run| run.first().is_none_or(|it| is_answered(it.kind())))
}

/// Whether a responder may omit this type although it was offered. These are integrity if the
/// cipher includes it, and sequence numbers for an IKE SA, which does not use them.
fn is_needless(protocol: Protocol, kind: TransformType, chosen: &[Transform]) -> bool {
    let is_aead = |it: &Transform| it.kind == TransformType::ENCR && table::is_aead(Encr(it.id));
    match kind {
        TransformType::INTEG => chosen.iter().any(is_aead),
        TransformType::SN => protocol == Protocol::IKE,
        _ => false,
    }
}

/// A transform in four bytes: type, identifier and key length in bytes. A key length that is
/// not a whole number of bytes, or too long, has the value `OTHER_KEY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PackedTransform(u32);

impl PackedTransform {
    const OTHER_KEY: u32 = 0xff;

    fn of(transform: &Transform) -> Self {
        // The key length attribute of a cipher with a fixed key length has no meaning.
        let is_fixed =
            transform.kind == TransformType::ENCR && table::has_fixed_key(Encr(transform.id));
        let key = match transform.key_length.map(u32::from).filter(|_| !is_fixed) {
            None => 0,
            Some(bits) if bits % 8 == 0 && (1..Self::OTHER_KEY).contains(&(bits / 8)) => bits / 8,
            Some(_) => Self::OTHER_KEY,
        };
        Self(u32::from(transform.kind.0) << 24 | u32::from(transform.id) << 8 | key)
    }

    fn kind(self) -> TransformType {
        TransformType((self.0 >> 24) as u8)
    }

    fn id(self) -> u16 {
        (self.0 >> 8) as u16
    }

    fn is_none(self) -> bool {
        is_none(self.kind(), self.id())
    }
}

/// Whether the transform is NONE, which means the same as no transform of this type.
fn is_none(kind: TransformType, id: u16) -> bool {
    match kind {
        TransformType::INTEG => Integ(id) == Integ::NONE,
        _ => kind.is_key_exchange() && KeyExchangeMethod(id) == KeyExchangeMethod::NONE,
    }
}

/// The strength of the best choice that an offer allows, in bits of [`table`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferStrength {
    /// The strength of the strongest proposal.
    whole: Option<u16>,
    /// The strength of the strongest cipher, pseudorandom function, key exchange method and
    /// additional key exchange method. None if a transform has no estimate: it may be the
    /// strongest.
    parts: [Option<u16>; 4],
}

impl OfferStrength {
    fn of(transforms: &[Transform], whole: Option<u16>) -> Self {
        // What is in no part has a place of its own.
        let (mut best, mut is_unknown) = ([0; 5], [false; 5]);
        for transform in transforms {
            let place = match transform.kind {
                TransformType::ENCR => 0,
                TransformType::PRF => 1,
                TransformType::KE => 2,
                kind if kind.is_key_exchange() => 3,
                _ => 4,
            };
            match bits(transform) {
                Some(bits) => best[place] = bits.max(best[place]),
                None => is_unknown[place] = true,
            }
        }
        Self { whole, parts: core::array::from_fn(|it| (!is_unknown[it]).then_some(best[it])) }
    }

    /// Whether the best choice, or the best of a part, is weaker than that of another offer.
    pub fn is_less_than(&self, other: &Self) -> bool {
        let is_less =
            |one: Option<u16>, other: Option<u16>| one.zip(other).is_some_and(|(a, b)| a < b);
        let mut parts = self.parts.iter().zip(&other.parts);
        is_less(self.whole, other.whole) || parts.any(|(one, other)| is_less(*one, *other))
    }
}

/// The strength of a key exchange method, if there is an estimate.
pub fn method_bits(method: u16) -> Option<u16> {
    bits(&Transform { kind: TransformType::KE, id: method, key_length: None })
}

fn bits(transform: &Transform) -> Option<u16> {
    match table::row(transform.kind, transform.id)?.bits {
        Bits::Fixed(bits) => Some(bits),
        Bits::KeyLength => transform.key_length,
        Bits::Unknown => None,
    }
}

fn spi_size(proposal: &Proposal) -> u8 {
    // The size is one byte on the wire.
    u8::try_from(proposal.spi.len()).unwrap_or(u8::MAX)
}
