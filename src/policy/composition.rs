//! The rules of RFC 7296 about the transforms that a proposal must and must not have. They
//! apply with every policy.

use core::ops::ControlFlow;

use super::profile::needs_integrity;
use super::table::{has_fixed_key, has_key_length, is_aead, is_key_length};
use super::{FindingKind, RawFinding, Visit};
use crate::proposal::Transform;
use crate::wire::registry::{Encr, Integ, KeyExchangeMethod, Protocol, TransformType};

/// The finding about one transform, regardless of the others.
pub(super) fn of_transform(
    protocol: Protocol,
    transform: &Transform,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    let found = match transform.kind {
        TransformType::ENCR => key_length(transform).map(|reason| (FindingKind::KeyLength, reason)),
        TransformType::SN if protocol == Protocol::IKE => {
            Some((FindingKind::Esn, "not for IKE (RFC 7296, 3.3.2)"))
        }
        TransformType::KE if protocol == Protocol::IKE && is_none(transform) => {
            Some((FindingKind::NoDh, "NONE for a key exchange method of IKE (RFC 7296, 3.3.3)"))
        }
        _ => None,
    };
    match found {
        Some((finding_kind, reason)) => {
            visit(RawFinding { kind: finding_kind, transform: Some(*transform), reason })
        }
        None => ControlFlow::Continue(()),
    }
}

fn key_length(transform: &Transform) -> Option<&'static str> {
    let encr = Encr(transform.id);
    match transform.key_length {
        None if has_key_length(encr) => Some("Key Length is missing (RFC 7296, 3.3.5)"),
        Some(bits) if has_key_length(encr) => {
            let known = is_key_length(bits);
            (!known).then_some("not 128, 192 or 256 bits, the key lengths of AES and Camellia")
        }
        Some(_) if has_fixed_key(encr) => {
            Some("Key Length of a cipher that has only one (RFC 7296, 3.3.5)")
        }
        _ => None,
    }
}

fn is_none(transform: &Transform) -> bool {
    KeyExchangeMethod(transform.id) == KeyExchangeMethod::NONE
}

/// The findings about the transforms of one proposal together. Missing transforms are found
/// only if the proposal is `whole`, which means that none of its transforms was unreadable
/// or over a limit.
pub(super) fn of_proposal(
    protocol: Protocol,
    transforms: &[Transform],
    whole: bool,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    if protocol == Protocol::IKE && whole {
        missing(transforms, visit)?;
    }
    if whole && lacks_integrity(transforms) {
        let reason = "encryption without integrity (RFC 7296, 3.3.3)";
        visit(RawFinding { kind: FindingKind::NoInteg, transform: None, reason })?;
    }
    match mixed_aead(transforms) {
        Some((transform, reason)) => {
            visit(RawFinding { kind: FindingKind::Integ, transform, reason })
        }
        None => ControlFlow::Continue(()),
    }
}

/// The transforms that every proposal for IKE must have (RFC 7296, 3.3.3).
fn missing(transforms: &[Transform], visit: Visit<'_>) -> ControlFlow<()> {
    for (kind, finding_kind, reason) in [
        (TransformType::ENCR, FindingKind::Encr, "no encryption algorithm (RFC 7296, 3.3.3)"),
        (TransformType::PRF, FindingKind::Prf, "no pseudorandom function (RFC 7296, 3.3.3)"),
        (TransformType::KE, FindingKind::NoDh, "no key exchange method (RFC 7296, 3.3.3)"),
    ] {
        if !transforms.iter().any(|transform| transform.kind == kind) {
            visit(RawFinding { kind: finding_kind, transform: None, reason })?;
        }
    }
    ControlFlow::Continue(())
}

fn lacks_integrity(transforms: &[Transform]) -> bool {
    let mut algorithms = integrity(transforms).peekable();
    let sure = algorithms.peek().is_some() && algorithms.all(|it| Integ(it.id) != Integ::NONE);
    !sure && transforms.iter().any(needs_integrity)
}

/// AEAD ciphers must have no integrity algorithm, or NONE. They must not be in the same
/// proposal as ciphers that need an integrity algorithm (RFC 7296, 3.3).
fn mixed_aead(transforms: &[Transform]) -> Option<(Option<Transform>, &'static str)> {
    let aead = |it: &&Transform| it.kind == TransformType::ENCR && is_aead(Encr(it.id));
    transforms.iter().find(aead)?;
    if transforms.iter().any(needs_integrity) {
        return Some((None, "AEAD and other ciphers in one proposal (RFC 7296, 3.3)"));
    }
    let integrity = integrity(transforms).find(|it| Integ(it.id) != Integ::NONE)?;
    Some((Some(*integrity), "an integrity algorithm with AEAD ciphers (RFC 7296, 3.3)"))
}

fn integrity(transforms: &[Transform]) -> impl Iterator<Item = &Transform> {
    transforms.iter().filter(|transform| transform.kind == TransformType::INTEG)
}
