//! Which algorithms are weak: proposals in, findings out.
//!
//! The policy is `rfc8247`: what RFC 8247 or the IANA registry (by RFC 9395)
//! calls MUST NOT, SHOULD NOT or DEPRECATED, what the registry does not allow in
//! IKEv2, and ciphers with 64-bit blocks. SHA-1 in HMAC (MUST-, still allowed)
//! is not a finding. Each row says why.

use crate::proposal::{Proposal, ProposalSet, Transform};
use crate::wire::registry::{Encr, Integ, KeyExchangeMethod, Prf, Protocol, TransformType};

/// The most findings of one message; each (kind, algorithm) is found once.
pub const MAX_FINDINGS: usize = 64;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What a finding is about; the words of `ikev2.weak_proposal`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum What { $($(#[doc = $doc])+ $variant,)+ }

        impl What {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in rules and records.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

kinds! {
    /// A weak encryption algorithm.
    Encr = "encr",
    /// A weak pseudorandom function.
    Prf = "prf",
    /// A weak integrity algorithm.
    Integ = "integ",
    /// A weak key exchange method, additional ones included.
    Dh = "dh",
    /// A key length that is missing, or not 128, 192 or 256 bits.
    KeyLength = "key_length",
    /// Sequence Numbers in a proposal for IKE, where they mean nothing.
    Esn = "esn",
    /// A proposal for IKE without a key exchange method.
    NoDh = "no_dh",
    /// Encryption without integrity.
    NoInteg = "no_integ",
}

/// Something weak in a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub what: What,
    /// The transform; none when something is missing.
    pub transform: Option<Transform>,
    /// Why it is weak, with the source.
    pub reason: &'static str,
}

type Row = (u16, &'static str);

const DEPRECATED: &str = "deprecated (RFC 9395)";
const MUST_NOT: &str = "MUST NOT (RFC 8247)";
const SHOULD_NOT: &str = "SHOULD NOT (RFC 8247)";
const NOT_IN_IKE: &str = "not allowed in IKEv2 (IANA)";

const ENCR: &[Row] = &[
    (Encr::ENCR_DES_IV64.0, DEPRECATED),
    (Encr::ENCR_DES.0, MUST_NOT),
    (Encr::ENCR_3DES.0, "64-bit blocks, 112-bit strength (NIST SP 800-77 r1)"),
    (Encr::ENCR_RC5.0, DEPRECATED),
    (Encr::ENCR_IDEA.0, DEPRECATED),
    (Encr::ENCR_CAST.0, DEPRECATED),
    (Encr::ENCR_BLOWFISH.0, DEPRECATED),
    (Encr::ENCR_3IDEA.0, DEPRECATED),
    (Encr::ENCR_DES_IV32.0, DEPRECATED),
    (Encr::ENCR_NULL.0, NOT_IN_IKE),
    (Encr::ENCR_NULL_AUTH_AES_GMAC.0, NOT_IN_IKE),
    (Encr::ENCR_AES_CCM_8_IIV.0, NOT_IN_IKE),
    (Encr::ENCR_AES_GCM_16_IIV.0, NOT_IN_IKE),
    (Encr::ENCR_CHACHA20_POLY1305_IIV.0, NOT_IN_IKE),
    (Encr::ENCR_KUZNYECHIK_MGM_MAC_KTREE.0, NOT_IN_IKE),
    (Encr::ENCR_MAGMA_MGM_MAC_KTREE.0, NOT_IN_IKE),
];

const PRF: &[Row] = &[(Prf::PRF_HMAC_MD5.0, MUST_NOT), (Prf::PRF_HMAC_TIGER.0, DEPRECATED)];

const INTEG: &[Row] = &[
    (Integ::AUTH_HMAC_MD5_96.0, MUST_NOT),
    (Integ::AUTH_DES_MAC.0, MUST_NOT),
    (Integ::AUTH_KPDK_MD5.0, MUST_NOT),
    (Integ::AUTH_HMAC_MD5_128.0, DEPRECATED),
    (Integ::AUTH_HMAC_SHA1_160.0, DEPRECATED),
];

const DH: &[Row] = &[
    (KeyExchangeMethod::MODP_768.0, MUST_NOT),
    (KeyExchangeMethod::MODP_1024.0, SHOULD_NOT),
    (KeyExchangeMethod::MODP_1536.0, SHOULD_NOT),
    (KeyExchangeMethod::MODP_1024_160.0, MUST_NOT),
    (KeyExchangeMethod::MODP_2048_224.0, SHOULD_NOT),
    (KeyExchangeMethod::MODP_2048_256.0, SHOULD_NOT),
    (KeyExchangeMethod::ECP_192.0, "strength below 112 bits (NIST SP 800-57)"),
];

/// What is weak in the proposals; each (kind, algorithm) once.
pub fn assess(set: &ProposalSet) -> Vec<Finding> {
    let mut findings = Vec::new();
    for proposal in set.proposals() {
        let transforms = set.transforms(proposal);
        for transform in transforms {
            assess_transform(proposal, transform, &mut findings);
        }
        assess_composition(proposal, transforms, &mut findings);
    }
    findings
}

fn assess_transform(proposal: &Proposal, transform: &Transform, findings: &mut Vec<Finding>) {
    let (what, rows) = match transform.kind {
        TransformType::ENCR => (What::Encr, ENCR),
        TransformType::PRF => (What::Prf, PRF),
        TransformType::INTEG => (What::Integ, INTEG),
        TransformType::SN if proposal.protocol == Protocol::IKE => {
            return add(findings, What::Esn, Some(*transform), "not for IKE (RFC 7296, 3.3.2)");
        }
        kind if kind.is_key_exchange() => (What::Dh, DH),
        _ => return,
    };
    if let Some((_, reason)) = rows.iter().find(|(id, _)| *id == transform.id) {
        add(findings, what, Some(*transform), reason);
    }
    if transform.kind == TransformType::ENCR {
        assess_key_length(transform, findings);
    }
}

fn assess_key_length(transform: &Transform, findings: &mut Vec<Finding>) {
    if !has_key_length(Encr(transform.id)) {
        return;
    }
    let reason = match transform.key_length {
        Some(128 | 192 | 256) => return,
        Some(0..=127) => "below 128 bits (RFC 8247)",
        Some(_) => "not 128, 192 or 256 bits (RFC 7296, 3.3.5)",
        None => "Key Length is missing (RFC 7296, 3.3.5)",
    };
    add(findings, What::KeyLength, Some(*transform), reason);
}

fn assess_composition(proposal: &Proposal, transforms: &[Transform], findings: &mut Vec<Finding>) {
    let has = |kind| transforms.iter().any(|transform| transform.kind == kind);
    if proposal.protocol == Protocol::IKE && !has(TransformType::KE) {
        add(findings, What::NoDh, None, "no key exchange method (RFC 7296, 3.3.3)");
    }
    let needs_integrity = transforms
        .iter()
        .any(|transform| transform.kind == TransformType::ENCR && !is_aead(Encr(transform.id)));
    let integrity_is_sure = has(TransformType::INTEG)
        && !transforms.iter().any(|transform| {
            transform.kind == TransformType::INTEG && Integ(transform.id) == Integ::NONE
        });
    if needs_integrity && !integrity_is_sure {
        add(findings, What::NoInteg, None, "encryption without integrity (RFC 7296, 3.3.3)");
    }
}

fn add(
    findings: &mut Vec<Finding>,
    what: What,
    transform: Option<Transform>,
    reason: &'static str,
) {
    let finding = Finding { what, transform, reason };
    if findings.len() < MAX_FINDINGS && !findings.contains(&finding) {
        findings.push(finding);
    }
}

/// Ciphers that carry their own integrity: AES and Camellia in CCM or GCM,
/// ChaCha20-Poly1305, the MGM modes (IANA, RFC 5282, RFC 7634, RFC 9227).
pub fn is_aead(encr: Encr) -> bool {
    matches!(encr.0, 14..=16 | 18..=20 | 25..=35)
}

/// Ciphers whose key length is an attribute: AES and Camellia.
fn has_key_length(encr: Encr) -> bool {
    matches!(encr.0, 12..=16 | 18..=20 | 23..=27)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Proposals;

    /// The bytes of one proposal of transforms (type, id, key length).
    fn proposal(protocol: u8, transforms: &[(u8, u16, Option<u16>)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (index, (kind, id, key_length)) in transforms.iter().enumerate() {
            let more = if index + 1 < transforms.len() { 3 } else { 0 };
            let length: u8 = if key_length.is_some() { 12 } else { 8 };
            body.extend([more, 0, 0, length, *kind, 0]);
            body.extend(id.to_be_bytes());
            if let Some(bits) = key_length {
                body.extend([0x80, 14]);
                body.extend(bits.to_be_bytes());
            }
        }
        let length = u16::try_from(body.len() + 8).unwrap().to_be_bytes();
        let count = u8::try_from(transforms.len()).unwrap();
        [&[0, 0, length[0], length[1], 1, protocol, 0, count][..], &body].concat()
    }

    fn findings(protocol: u8, transforms: &[(u8, u16, Option<u16>)]) -> Vec<(What, Option<u16>)> {
        let mut set = ProposalSet::default();
        set.add(Proposals::new(&proposal(protocol, transforms), 0), &mut |error| panic!("{error}"));
        assess(&set)
            .iter()
            .map(|finding| (finding.what, finding.transform.map(|transform| transform.id)))
            .collect()
    }

    const AES: (u8, u16, Option<u16>) = (1, 12, Some(256));
    const SHA: (u8, u16, Option<u16>) = (3, 12, None);
    const PRF_SHA: (u8, u16, Option<u16>) = (2, 5, None);
    const ECP: (u8, u16, Option<u16>) = (4, 19, None);

    #[test]
    fn a_sound_proposal_has_no_finding() {
        assert_eq!(findings(1, &[AES, SHA, PRF_SHA, ECP]), []);
        assert_eq!(findings(1, &[(1, 20, Some(128)), PRF_SHA, (4, 31, None)]), []);
    }

    #[test]
    fn weak_algorithms_of_every_kind_are_found() {
        let found = findings(1, &[(1, 3, None), (2, 1, None), (3, 1, None), (4, 2, None)]);
        let wanted = [
            (What::Encr, Some(3)),
            (What::Prf, Some(1)),
            (What::Integ, Some(1)),
            (What::Dh, Some(2)),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn an_algorithm_is_found_once_however_often_it_is_offered() {
        assert_eq!(findings(1, &[AES, SHA, PRF_SHA, (4, 2, None), (4, 2, None)]).len(), 1);
    }

    #[test]
    fn w13_xcbc_is_not_weak_and_groups_23_to_25_are() {
        assert_eq!(findings(1, &[AES, (3, 5, None), PRF_SHA, ECP]), []);
        for group in [22, 23, 24, 25] {
            let found = findings(1, &[AES, SHA, PRF_SHA, (4, group, None)]);
            assert_eq!(found, [(What::Dh, Some(group))]);
        }
    }

    #[test]
    fn w13_a_hybrid_is_sound_and_its_additional_methods_are_judged() {
        let hybrid = [AES, SHA, PRF_SHA, ECP, (6, 36, None), (7, 0, None)];
        assert_eq!(findings(1, &hybrid), []);
        let weak = [AES, SHA, PRF_SHA, ECP, (6, 1, None)];
        assert_eq!(findings(1, &weak), [(What::Dh, Some(1))]);
    }

    #[test]
    fn key_lengths_are_read() {
        let lengths = |bits| findings(1, &[(1, 12, bits), SHA, PRF_SHA, ECP]);
        assert_eq!(lengths(Some(192)), []);
        for bits in [None, Some(0), Some(64), Some(512)] {
            assert_eq!(lengths(bits), [(What::KeyLength, Some(12))]);
        }
    }

    #[test]
    fn what_is_missing_is_found() {
        assert_eq!(findings(1, &[AES, SHA, PRF_SHA]), [(What::NoDh, None)]);
        assert_eq!(findings(3, &[AES, SHA]), []);
        assert_eq!(findings(1, &[AES, PRF_SHA, ECP]), [(What::NoInteg, None)]);
        assert_eq!(findings(1, &[AES, (3, 0, None), PRF_SHA, ECP]), [(What::NoInteg, None)]);
    }

    #[test]
    fn sequence_numbers_are_for_child_sas() {
        assert_eq!(findings(1, &[AES, SHA, PRF_SHA, ECP, (5, 0, None)]), [(What::Esn, Some(0))]);
        assert_eq!(findings(3, &[AES, SHA, (5, 1, None)]), []);
    }
}
