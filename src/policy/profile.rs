//! The named policies: the algorithms that each allows, and the reasons to refuse the
//! others.
//!
//! `rfc8247` refuses what the table grades as forbidden or weak. The other policies are
//! closed lists: they refuse what is not in the list. If the source could not be checked
//! for an identifier, the identifier is in the list, because a finding needs a known
//! reason. A refusal that is known only from memory contains the word "unconfirmed".
//! `docs/policies.md` says which sources were checked.

use super::table::{carries_integrity, is_ml_kem, row, Grade, IkeUse, NOT_IN_IKE};
use super::FindingKind;
use crate::proposal::Transform;
use crate::wire::registry::{Encr, Integ, KeyExchangeMethod, Protocol, TransformType};

/// A transform together with the other transforms of its proposal.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransformInProposal<'a> {
    pub(super) protocol: Protocol,
    pub(super) transforms: &'a [Transform],
    pub(super) transform: &'a Transform,
}

impl TransformInProposal<'_> {
    fn is_for_ike(&self) -> bool {
        self.protocol == Protocol::IKE
    }

    /// Whether the lists do not apply to the identifier. NONE is checked by the rules of
    /// composition. The lists for IKE also say nothing about algorithms that only ESP and
    /// AH may use.
    fn is_beyond_lists(&self) -> bool {
        let Transform { kind, id, .. } = *self.transform;
        match kind {
            TransformType::INTEG => {
                Integ(id) == Integ::NONE || !self.is_for_ike() && matches!(id, 9..=11)
            }
            TransformType::ENCR => {
                !self.is_for_ike()
                    && row(kind, id).is_some_and(|row| {
                        row.ike == IkeUse::NotAllowed
                            || row.ike == IkeUse::Undefined && row.grade != Grade::Forbid
                    })
            }
            _ => kind.is_key_exchange() && KeyExchangeMethod(id) == KeyExchangeMethod::NONE,
        }
    }

    /// Whether another key exchange of the proposal has a method that passes the test.
    fn has_beside(&self, test: fn(u16) -> bool) -> bool {
        self.transforms.iter().any(|other| {
            other.kind.is_key_exchange() && other.kind != self.transform.kind && test(other.id)
        })
    }

    /// Whether ML-KEM is part of a hybrid key exchange. An additional key exchange can only
    /// add strength (RFC 9370). The same holds for ML-KEM followed by a classical exchange.
    fn is_ml_kem_of_a_hybrid(&self) -> bool {
        let classical = |id| KeyExchangeMethod(id) != KeyExchangeMethod::NONE && !is_ml_kem(id);
        is_ml_kem(self.transform.id)
            && (self.transform.kind != TransformType::KE || self.has_beside(classical))
    }
}

/// The kind of a finding, and the reason for the refusal.
pub(super) type Refusal = (FindingKind, &'static str);

/// The policy `rfc8247`, which refuses by grade.
pub(super) fn by_grade(
    offer: &TransformInProposal<'_>,
    finding_kind: FindingKind,
) -> Option<Refusal> {
    let Transform { kind, id, .. } = *offer.transform;
    let row = row(kind, id)?;
    let reason = match row.ike {
        IkeUse::NotAllowed if offer.is_for_ike() => NOT_IN_IKE,
        IkeUse::NotAllowed => return None,
        _ => row.reference,
    };
    let refused = matches!(row.grade, Grade::Forbid | Grade::Weak) && !offer.is_beyond_lists();
    refused.then_some((finding_kind, reason))
}

/// The identifiers of one transform type in a closed list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IdList {
    /// The identifiers that the source lists.
    listed: &'static [u16],
    /// Identifiers that were not found in a source, but are not known to be disallowed.
    unconfirmed: &'static [u16],
    /// The reason to refuse all others.
    default_reason: &'static str,
}

impl IdList {
    fn contains(&self, id: u16) -> bool {
        self.listed.contains(&id) || self.unconfirmed.contains(&id)
    }
}

/// A policy as a list of everything that is allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClosedList {
    encr: IdList,
    /// The allowed key lengths in bits, if not every length is allowed, and the reason to
    /// refuse the others.
    key_lengths: Option<(&'static [u16], &'static str)>,
    prf: IdList,
    integ: IdList,
    ke: IdList,
    /// The additional methods that are allowed because of the other key exchanges of a
    /// proposal.
    hybrid: Hybrid,
    /// Identifiers that are refused for a special reason.
    reasons: &'static [(TransformType, u16, &'static str)],
}

/// The methods that are allowed in a hybrid key exchange although the list does not contain
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hybrid {
    /// ML-KEM.
    MlKem,
    /// This method together with ML-KEM-1024.
    BesideMlKem1024(KeyExchangeMethod),
}

impl ClosedList {
    pub(super) fn refusal(
        &self,
        offer: &TransformInProposal<'_>,
        finding_kind: FindingKind,
    ) -> Option<Refusal> {
        let Transform { kind, id, key_length } = *offer.transform;
        if offer.is_beyond_lists() {
            return None;
        }
        let ids = match finding_kind {
            FindingKind::Encr => &self.encr,
            FindingKind::Prf => &self.prf,
            FindingKind::Integ => &self.integ,
            FindingKind::Dh => &self.ke,
            _ => return None,
        };
        if ids.contains(id) {
            let (lengths, reason) =
                self.key_lengths.filter(|_| finding_kind == FindingKind::Encr)?;
            let wrong = key_length.is_some_and(|bits| !lengths.contains(&bits));
            return wrong.then_some((FindingKind::KeyLength, reason));
        }
        if kind.is_key_exchange() && self.allows_in_hybrid(offer) {
            return None;
        }
        Some((finding_kind, self.reason(ids, kind, id)))
    }

    /// The reason to refuse an identifier: its special reason, or that nobody should use
    /// it, or that the list does not contain it.
    fn reason(&self, ids: &IdList, kind: TransformType, id: u16) -> &'static str {
        let kind = if kind.is_key_exchange() { TransformType::KE } else { kind };
        let mut own = self.reasons.iter().filter(|refused| (refused.0, refused.1) == (kind, id));
        let forbidden = row(kind, id).filter(|row| row.grade == Grade::Forbid);
        own.next()
            .map(|refused| refused.2)
            .or_else(|| forbidden.map(|row| row.reference))
            .unwrap_or(ids.default_reason)
    }

    fn allows_in_hybrid(&self, offer: &TransformInProposal<'_>) -> bool {
        match self.hybrid {
            Hybrid::MlKem => offer.is_ml_kem_of_a_hybrid(),
            Hybrid::BesideMlKem1024(method) => {
                offer.transform.id == method.0
                    && offer
                        .has_beside(|id| KeyExchangeMethod(id) == KeyExchangeMethod::ML_KEM_1024)
            }
        }
    }
}

const fn ids(
    listed: &'static [u16],
    unconfirmed: &'static [u16],
    default_reason: &'static str,
) -> IdList {
    IdList { listed, unconfirmed, default_reason }
}

const ENCR: TransformType = TransformType::ENCR;
const PRF: TransformType = TransformType::PRF;
const INTEG: TransformType = TransformType::INTEG;
const KE: TransformType = TransformType::KE;

const NIST_UNLISTED: &str = "not among the algorithms of NIST SP 800-77 r1 (unconfirmed)";
const NIST_UNAPPROVED: &str = "not NIST-approved (NIST SP 800-77 r1)";
const NIST_MD5: &str = "HMAC-MD5 shall not be used (NIST SP 800-77 r1)";

pub(super) static NIST_SP800_77R1: ClosedList = ClosedList {
    encr: ids(
        &[12, 13, 14, 15, 16, 18, 19, 20],
        &[],
        "not one of AES-GCM, AES-CTR, AES-CBC, AES-CCM (NIST SP 800-77 r1)",
    ),
    key_lengths: None,
    prf: ids(&[2, 5, 6, 7], &[8], NIST_UNLISTED),
    integ: ids(&[2, 12, 13, 14], &[8], NIST_UNLISTED),
    ke: ids(
        &[14, 15, 16, 17, 18, 19, 20, 21],
        &[31, 32, 35, 36, 37],
        "not one of the groups 14 to 21 (NIST SP 800-77 r1)",
    ),
    hybrid: Hybrid::MlKem,
    reasons: &[
        (ENCR, 3, "TDEA is disallowed after 2023 (NIST SP 800-77 r1)"),
        (PRF, 1, NIST_MD5),
        (INTEG, 1, NIST_MD5),
        (KE, 1, NIST_UNAPPROVED),
        (KE, 2, NIST_UNAPPROVED),
        (KE, 5, NIST_UNAPPROVED),
        (KE, 22, NIST_UNAPPROVED),
    ],
};

const BSI_UNLISTED: &str = "not in the list of BSI TR-02102-3 (unconfirmed)";
const BSI_SHA1: &str = "HMAC-SHA-1 is phased out since 2020 (BSI TR-02102-3)";
const BSI_224: &str = "224-bit curves are phased out since 2016 (BSI TR-02102-3)";
const BSI_HYBRID: &str = "ML-KEM in a hybrid only (BSI TR-02102-3, unconfirmed)";

pub(super) static BSI_TR_02102_3: ClosedList = ClosedList {
    encr: ids(&[12, 13, 16, 20], &[15, 19], BSI_UNLISTED),
    key_lengths: None,
    prf: ids(&[5, 6, 7], &[4, 8], BSI_UNLISTED),
    integ: ids(&[12, 13, 14], &[5], BSI_UNLISTED),
    ke: ids(&[15, 16, 19, 20, 21, 28, 29, 30], &[17, 18, 31, 32], BSI_UNLISTED),
    hybrid: Hybrid::MlKem,
    reasons: &[
        (PRF, 2, BSI_SHA1),
        (INTEG, 2, BSI_SHA1),
        (KE, 14, "below 120 bits, the minimum since 2023 (BSI TR-02102-3)"),
        (KE, 26, BSI_224),
        (KE, 27, BSI_224),
        (KE, 36, BSI_HYBRID),
        (KE, 37, BSI_HYBRID),
    ],
};

const ANSSI_UNLISTED: &str = "not in ANSSI's list by Stormshield's guide for SNS 4.3 (unconfirmed)";

pub(super) static ANSSI: ClosedList = ClosedList {
    encr: ids(&[12, 13, 20], &[], ANSSI_UNLISTED),
    key_lengths: Some((
        &[128, 256],
        "not 128 or 256 bits (ANSSI, by Stormshield's guide for SNS 4.3)",
    )),
    prf: ids(&[5, 6, 7], &[], ANSSI_UNLISTED),
    integ: ids(&[12, 13, 14], &[], ANSSI_UNLISTED),
    ke: ids(&[14, 15, 16, 17, 18, 19, 20, 21, 28, 29, 30], &[], ANSSI_UNLISTED),
    hybrid: Hybrid::MlKem,
    reasons: &[],
};

const CNSA_1_SHA: &str = "not SHA-384 or SHA-512 (RFC 9206)";

pub(super) static CNSA_1: ClosedList = ClosedList {
    encr: ids(&[20], &[], "not AES-GCM with a 16-byte tag (RFC 9206, unconfirmed)"),
    key_lengths: Some((&[256], "not 256 bits (RFC 9206, unconfirmed)")),
    prf: ids(&[6, 7], &[], CNSA_1_SHA),
    integ: ids(&[13, 14], &[], CNSA_1_SHA),
    ke: ids(&[15, 16, 20], &[], "not one of the groups 15, 16, 20 (RFC 9206, unconfirmed)"),
    hybrid: Hybrid::MlKem,
    reasons: &[],
};

const CNSA_2_SHA: &str = "not SHA-384 or SHA-512 (CNSA 2.0, unconfirmed)";

pub(super) static CNSA_2: ClosedList = ClosedList {
    encr: ids(&[20], &[], "not AES-GCM with a 16-byte tag (CNSA 2.0, unconfirmed)"),
    key_lengths: Some((&[256], "not 256 bits (CNSA 2.0, unconfirmed)")),
    prf: ids(&[6, 7], &[], CNSA_2_SHA),
    integ: ids(&[13, 14], &[], CNSA_2_SHA),
    ke: ids(&[37], &[], "not ML-KEM-1024 (draft-guthrie-cnsa2-ipsec-profile-04)"),
    hybrid: Hybrid::BesideMlKem1024(KeyExchangeMethod::ECP_384),
    reasons: &[],
};

/// Whether a transform is a cipher that is known to need an integrity algorithm.
pub(super) fn needs_integrity(transform: &Transform) -> bool {
    let encr = Encr(transform.id);
    transform.kind == ENCR && encr.name().is_some() && !carries_integrity(encr)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The closed lists with their names.
    pub(crate) fn lists() -> Vec<(&'static str, &'static ClosedList)> {
        super::super::Policy::all()
            .iter()
            .filter_map(|policy| policy.list().map(|list| (policy.name(), list)))
            .collect()
    }

    impl ClosedList {
        fn kinds(&self) -> [(TransformType, &IdList); 4] {
            [(ENCR, &self.encr), (PRF, &self.prf), (INTEG, &self.integ), (KE, &self.ke)]
        }

        /// The text for a row of the table: whether the list contains the algorithm.
        pub(crate) fn verdict(&self, kind: TransformType, id: u16) -> &'static str {
            let ids = self.kinds().into_iter().find(|(of, _)| *of == kind);
            let Some((_, ids)) = ids else { return "yes" };
            match () {
                () if ids.listed.contains(&id) => "yes",
                () if ids.unconfirmed.contains(&id) => "yes?",
                () => {
                    let reason = self.reason(ids, kind, id);
                    if reason.contains("unconfirmed") {
                        "no?"
                    } else {
                        "no"
                    }
                }
            }
        }
    }

    #[test]
    fn lists_name_assigned_identifiers_once_and_in_order() {
        for (name, list) in lists() {
            for (kind, ids) in list.kinds() {
                for part in [ids.listed, ids.unconfirmed] {
                    assert!(part.windows(2).all(|pair| pair[0] < pair[1]), "{name} {kind}");
                    assert!(part.iter().all(|id| row(kind, *id).is_some()), "{name} {kind}");
                }
                assert!(ids.listed.iter().all(|id| !ids.unconfirmed.contains(id)), "{name} {kind}");
            }
        }
    }

    #[test]
    fn special_reasons_are_for_unlisted_identifiers() {
        for (name, list) in lists() {
            for (kind, id, _) in list.reasons {
                let (_, ids) = list.kinds().into_iter().find(|(of, _)| of == kind).unwrap();
                assert!(!ids.contains(*id) && row(*kind, *id).is_some(), "{name} {kind} {id}");
            }
        }
    }

    #[test]
    fn no_list_allows_what_the_registry_deprecates() {
        for (name, list) in lists() {
            for row in super::super::table::TABLE {
                let none = row.id == 0 && row.kind != TransformType::SN;
                if row.grade == Grade::Forbid && !none {
                    assert_ne!(
                        &list.verdict(row.kind, row.id)[..1],
                        "y",
                        "{name} {:?}",
                        row.name()
                    );
                }
            }
        }
    }
}
