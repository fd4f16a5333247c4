//! The strength of proposals: bits of security, and protection against quantum computers.

use super::profile::needs_integrity;
use super::table::{is_key_length, is_ml_kem, row, Bits};
use crate::named::named;
use crate::proposal::{ProposalSet, Transform};
use crate::wire::registry::{Integ, KeyExchangeMethod, NotifyType, Protocol, TransformType};

/// The estimated strength of the strongest proposal in bits. A response has only one
/// proposal. `None` if there is no proposal in which every part can be estimated.
///
/// A proposal is as strong as its weakest part. The parts are:
///
/// - the cipher, with the strength of its key. If the cipher needs an integrity algorithm,
///   the weaker of the two counts. The lengths of checksums do not count, because an
///   attacker who forges a checksum has only one attempt for each message;
/// - the pseudorandom function, with the strength of its key;
/// - the key exchange. The strongest of all exchanges of the proposal counts, because a
///   hybrid exchange is secure if one of its methods is (RFC 9370).
///
/// If a proposal offers alternatives, the strongest counts. An alternative without an
/// estimate (an unassigned number, a missing key length) is skipped if there is another. A
/// part that is required for IKE but missing counts 0. So does missing integrity for a
/// cipher that needs it. A proposal for AH or ESP is judged by the parts that it has, and
/// NONE is not a key exchange.
///
/// The numbers are upper bounds from NIST SP 800-57 part 1. An algorithm that is broken in
/// another way than by trying keys (such as MD5) keeps its number, but a policy reports it.
/// [`post_quantum`] describes the protection against quantum computers.
pub fn security_bits(set: &ProposalSet) -> Option<u16> {
    // In a damaged proposal, the part that seems to be missing may be the unreadable one.
    let proposals = set.proposals().iter().filter(|it| it.whole);
    proposals.filter_map(|it| proposal_bits(it.protocol, set.transforms(it))).max()
}

fn proposal_bits(protocol: Protocol, transforms: &[Transform]) -> Option<u16> {
    let parts = Parts::of(transforms);
    let (prf, exchange) = (parts.prf, parts.exchange);
    let parts = match parts.cipher() {
        cipher if protocol == Protocol::IKE => [cipher, prf, exchange].map(Strength::or_zero),
        Strength::ABSENT => [parts.integrity, prf, exchange],
        cipher => [cipher, prf, exchange],
    };
    if parts.contains(&Strength::UNKNOWN) {
        return None;
    }
    parts.iter().filter_map(|part| part.bits()).min()
}

/// The strength of one part of a proposal. The strongest alternative is the greatest. An
/// alternative without an estimate counts only if there is no other. It is a number, because
/// each transform is compared.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Strength(u32);

impl Strength {
    const ABSENT: Self = Self(0);
    const UNKNOWN: Self = Self(1);

    fn of(bits: Option<u16>) -> Self {
        bits.map_or(Self::UNKNOWN, |bits| Self(u32::from(bits) + 2))
    }

    fn or_zero(self) -> Self {
        if self == Self::ABSENT {
            Self::of(Some(0))
        } else {
            self
        }
    }

    fn bits(self) -> Option<u16> {
        self.0.checked_sub(2).map(|bits| bits as u16)
    }
}

/// The parts of a proposal, each with the strongest of its alternatives.
#[derive(Default)]
struct Parts {
    /// Ciphers that need no integrity algorithm.
    alone: Strength,
    /// Ciphers that need an integrity algorithm.
    guarded: Strength,
    integrity: Strength,
    prf: Strength,
    exchange: Strength,
}

impl Parts {
    /// Looks at each transform once, because there may be many.
    fn of(transforms: &[Transform]) -> Self {
        let mut parts = Self::default();
        for transform in transforms {
            let part = match transform.kind {
                TransformType::ENCR if needs_integrity(transform) => &mut parts.guarded,
                TransformType::ENCR => &mut parts.alone,
                TransformType::PRF => &mut parts.prf,
                TransformType::INTEG if Integ(transform.id) != Integ::NONE => &mut parts.integrity,
                _ if is_exchange(transform) => &mut parts.exchange,
                _ => continue,
            };
            *part = (*part).max(Strength::of(bits(transform)));
        }
        parts
    }

    /// A cipher that needs an integrity algorithm is not stronger than that algorithm.
    fn cipher(&self) -> Strength {
        self.alone.max(self.guarded.min(self.integrity.or_zero()))
    }
}

fn is_exchange(transform: &Transform) -> bool {
    transform.kind.is_key_exchange() && KeyExchangeMethod(transform.id) != KeyExchangeMethod::NONE
}

fn bits(transform: &Transform) -> Option<u16> {
    match row(transform.kind, transform.id)?.bits {
        Bits::Fixed(bits) => Some(bits),
        Bits::KeyLength => transform.key_length.filter(|bits| is_key_length(*bits)),
        Bits::Unknown => None,
    }
}

named! {
    /// The protection of an SA's keys against quantum computers.
    #[derive(Default)]
    pub enum PostQuantum: str {
        /// No protection, or no SA.
        #[default]
        None = "none",
        /// ML-KEM together with another method.
        Hybrid = "hybrid",
        /// ML-KEM as the only key exchange.
        Pure = "pure",
        /// A preshared key in addition to a classical key exchange (RFC 8784, RFC 9867).
        Ppk = "ppk",
    }
}

/// The protection against quantum computers that a message's proposals and notifications
/// offer.
///
/// All key exchange methods of all proposals count, except NONE. An unassigned method is
/// treated as a method other than ML-KEM. In a response each transform type has one method,
/// so `Hybrid` means that ML-KEM is combined with another exchange. In a request `Hybrid`
/// means that both are offered, either in combination or as alternatives. Only the response
/// shows which of the two applies. `Pure` means that only ML-KEM is offered or chosen. A
/// preshared key counts if there is no ML-KEM. The notification `USE_PPK` or `USE_PPK_INT`
/// offers it, and the same notification in the response accepts it.
pub fn post_quantum(
    set: &ProposalSet,
    mut notifies: impl Iterator<Item = NotifyType>,
) -> PostQuantum {
    if set.is_empty() {
        return PostQuantum::None;
    }
    let (mut ml_kem, mut other) = (false, false);
    for transform in set.all_transforms().iter().filter(|it| is_exchange(it)) {
        if is_ml_kem(transform.id) {
            ml_kem = true;
        } else {
            other = true;
        }
    }
    let is_ppk = |it| matches!(it, NotifyType::USE_PPK | NotifyType::USE_PPK_INT);
    match (ml_kem, other) {
        (true, true) => PostQuantum::Hybrid,
        (true, false) => PostQuantum::Pure,
        (false, _) if notifies.any(is_ppk) => PostQuantum::Ppk,
        (false, _) => PostQuantum::None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{set, AES, AH, ECP, ESP, GCM, IKE, PRF_SHA, SHA};
    use super::*;

    #[test]
    fn a_proposal_is_as_strong_as_its_weakest_part() {
        let bits = |transforms: &[_]| security_bits(&set(&[(IKE, transforms)]));
        assert_eq!(bits(&[AES, SHA, PRF_SHA, ECP]), Some(128));
        assert_eq!(bits(&[AES, SHA, PRF_SHA, (4, 20, None)]), Some(192));
        assert_eq!(bits(&[GCM, PRF_SHA, (4, 21, None)]), Some(256));
        assert_eq!(bits(&[(1, 20, Some(128)), PRF_SHA, (4, 21, None)]), Some(128));
        assert_eq!(bits(&[(1, 3, None), SHA, PRF_SHA, ECP]), Some(112));
        assert_eq!(bits(&[GCM, (2, 8, None), (4, 21, None)]), Some(128));
        assert_eq!(bits(&[AES, (3, 2, None), PRF_SHA, (4, 21, None)]), Some(128));
        assert_eq!(bits(&[GCM, (3, 2, None), PRF_SHA, (4, 21, None)]), Some(256));
    }

    #[test]
    fn an_offer_is_as_strong_as_its_strongest_proposal() {
        let weak: &[_] = &[(1, 2, None), (3, 1, None), (2, 1, None), (4, 1, None)];
        let strong: &[_] = &[GCM, AES, SHA, PRF_SHA, (4, 2, None), (4, 21, None)];
        assert_eq!(security_bits(&set(&[(IKE, weak)])), Some(56));
        assert_eq!(security_bits(&set(&[(IKE, weak), (IKE, strong)])), Some(256));
        assert_eq!(security_bits(&set(&[])), None);
    }

    #[test]
    fn a_hybrid_is_as_strong_as_its_strongest_exchange() {
        let bits = |transforms: &[_]| security_bits(&set(&[(IKE, transforms)]));
        assert_eq!(bits(&[GCM, PRF_SHA, (4, 31, None), (6, 36, None)]), Some(192));
        assert_eq!(bits(&[GCM, PRF_SHA, (4, 31, None), (6, 0, None)]), Some(128));
        assert_eq!(bits(&[GCM, PRF_SHA, (4, 31, None), (6, 1030, None)]), Some(128));
    }

    #[test]
    fn missing_parts_count_0_and_unknown_parts_have_no_estimate() {
        let bits = |transforms: &[_]| security_bits(&set(&[(IKE, transforms)]));
        assert_eq!(bits(&[AES, PRF_SHA, ECP]), Some(0));
        assert_eq!(bits(&[GCM, PRF_SHA]), Some(0));
        assert_eq!(bits(&[GCM, PRF_SHA, (4, 0, None)]), Some(0));
        assert_eq!(bits(&[(1, 1026, Some(256)), SHA, PRF_SHA, ECP]), None);
        assert_eq!(bits(&[(1, 12, None), SHA, PRF_SHA, ECP]), None);
        assert_eq!(bits(&[(1, 12, None), AES, SHA, PRF_SHA, ECP]), Some(128));
    }

    #[test]
    fn proposals_for_esp_and_ah_have_the_parts_that_they_have() {
        assert_eq!(security_bits(&set(&[(ESP, &[GCM, (5, 0, None)])])), Some(256));
        assert_eq!(security_bits(&set(&[(ESP, &[GCM, (4, 0, None)])])), Some(256));
        assert_eq!(security_bits(&set(&[(ESP, &[GCM, (4, 14, None)])])), Some(112));
        assert_eq!(security_bits(&set(&[(ESP, &[(1, 11, None), SHA])])), Some(0));
        assert_eq!(security_bits(&set(&[(AH, &[(3, 2, None)])])), Some(128));
    }

    #[test]
    fn ml_kem_beside_another_method_is_hybrid_and_alone_pure() {
        let kind = |transforms: &[_]| {
            post_quantum(&set(&[(IKE, transforms)]), [NotifyType::USE_PPK].into_iter())
        };
        assert_eq!(kind(&[GCM, PRF_SHA, ECP, (6, 36, None)]), PostQuantum::Hybrid);
        assert_eq!(kind(&[GCM, PRF_SHA, ECP, (6, 36, None), (6, 0, None)]), PostQuantum::Hybrid);
        assert_eq!(kind(&[GCM, PRF_SHA, ECP, (4, 36, None)]), PostQuantum::Hybrid);
        assert_eq!(kind(&[GCM, PRF_SHA, (4, 36, None)]), PostQuantum::Pure);
        assert_eq!(kind(&[GCM, PRF_SHA, (4, 36, None), (6, 37, None)]), PostQuantum::Pure);
        assert_eq!(kind(&[GCM, PRF_SHA, (4, 36, None), (6, 0, None)]), PostQuantum::Pure);
        assert_eq!(kind(&[GCM, PRF_SHA, ECP]), PostQuantum::Ppk);
        let both: [(u8, &[_]); 2] = [(IKE, &[(4, 36, None)]), (IKE, &[ECP])];
        assert_eq!(post_quantum(&set(&both), [].into_iter()), PostQuantum::Hybrid);
    }

    #[test]
    fn a_preshared_key_needs_its_notify_and_an_sa() {
        let kind = |notify| post_quantum(&set(&[(IKE, &[GCM, ECP])]), [notify].into_iter());
        assert_eq!(kind(NotifyType::USE_PPK), PostQuantum::Ppk);
        assert_eq!(kind(NotifyType::USE_PPK_INT), PostQuantum::Ppk);
        assert_eq!(kind(NotifyType::NO_PPK_AUTH), PostQuantum::None);
        assert_eq!(post_quantum(&set(&[]), [NotifyType::USE_PPK].into_iter()), PostQuantum::None);
    }

    #[test]
    fn every_kind_has_a_name() {
        let names = PostQuantum::ALL.iter().map(|it| it.name()).collect::<Vec<_>>();
        assert_eq!(names, ["none", "hybrid", "pure", "ppk"]);
    }
}
