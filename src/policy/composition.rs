//! The rules of RFC 7296 about what a proposal must and must not have. They hold
//! whatever the policy.

use core::ops::ControlFlow;

use super::profile::needs_integrity;
use super::table::{has_fixed_key, has_key_length, is_aead, KEY_LENGTHS};
use super::{Flaw, Visit, What};
use crate::proposal::Transform;
use crate::wire::registry::{Encr, Integ, KeyExchangeMethod, Protocol, TransformType};

/// What is wrong with one transform, whatever the others are.
pub(super) fn of_transform(
    protocol: Protocol,
    transform: &Transform,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    let found = match transform.kind {
        TransformType::ENCR => key_length(transform).map(|reason| (What::KeyLength, reason)),
        TransformType::SN if protocol == Protocol::IKE => {
            Some((What::Esn, "not for IKE (RFC 7296, 3.3.2)"))
        }
        TransformType::KE if protocol == Protocol::IKE && is_none(transform) => {
            Some((What::NoDh, "NONE for a key exchange method of IKE (RFC 7296, 3.3.3)"))
        }
        _ => None,
    };
    match found {
        Some((what, reason)) => visit(Flaw { what, transform: Some(*transform), reason }),
        None => ControlFlow::Continue(()),
    }
}

fn key_length(transform: &Transform) -> Option<&'static str> {
    let encr = Encr(transform.id);
    match transform.key_length {
        None if has_key_length(encr) => Some("Key Length is missing (RFC 7296, 3.3.5)"),
        Some(bits) if has_key_length(encr) => {
            let known = KEY_LENGTHS.contains(&bits);
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

/// What is wrong with the transforms of one proposal together. What is missing is
/// found only if the proposal is `whole`: no transform was left out of it.
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
        visit(Flaw { what: What::NoInteg, transform: None, reason })?;
    }
    match mixture(transforms) {
        Some((transform, reason)) => visit(Flaw { what: What::Integ, transform, reason }),
        None => ControlFlow::Continue(()),
    }
}

/// The transforms that every proposal for IKE has (RFC 7296, 3.3.3).
fn missing(transforms: &[Transform], visit: Visit<'_>) -> ControlFlow<()> {
    for (kind, what, reason) in [
        (TransformType::ENCR, What::Encr, "no encryption algorithm (RFC 7296, 3.3.3)"),
        (TransformType::PRF, What::Prf, "no pseudorandom function (RFC 7296, 3.3.3)"),
        (TransformType::KE, What::NoDh, "no key exchange method (RFC 7296, 3.3.3)"),
    ] {
        if !transforms.iter().any(|transform| transform.kind == kind) {
            visit(Flaw { what, transform: None, reason })?;
        }
    }
    ControlFlow::Continue(())
}

fn lacks_integrity(transforms: &[Transform]) -> bool {
    let mut algorithms = integrity(transforms).peekable();
    let sure = algorithms.peek().is_some() && algorithms.all(|it| Integ(it.id) != Integ::NONE);
    !sure && transforms.iter().any(needs_integrity)
}

/// AEAD ciphers go without an integrity algorithm or with NONE, and into another
/// proposal than ciphers that need one (RFC 7296, 3.3).
fn mixture(transforms: &[Transform]) -> Option<(Option<Transform>, &'static str)> {
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
