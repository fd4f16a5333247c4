//! All algorithms that IANA has assigned, with their assessment: one row for each
//! identifier of the transform types 1 to 5.
//!
//! The grade is this project's own. It is based on the source in the row. If the source
//! could not be checked and is cited from memory, the row is `unconfirmed`, and its text
//! contains the word "unconfirmed". The strengths follow the tables of NIST SP 800-57 part
//! 1. All of them are from memory.

use crate::wire::registry::{
    transform_name, Encr, Integ, KeyExchangeMethod, Prf, SequenceNumbers, TransformType,
};

/// The quality of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Broken, deprecated, or not allowed in IKEv2.
    Forbid,
    /// Not recommended, or too short.
    Weak,
    /// Still allowed, but being phased out.
    Legacy,
    /// Secure.
    Ok,
    /// Secure, with a margin.
    Strong,
    /// A national standard (GOST). Only a policy can judge it.
    National,
}

impl Grade {
    /// The word for this grade in the documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forbid => "forbid",
            Self::Weak => "weak",
            Self::Legacy => "legacy",
            Self::Ok => "ok",
            Self::Strong => "strong",
            Self::National => "national",
        }
    }
}

/// The work to break an algorithm: the exponent of a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// A fixed number of bits.
    Fixed(u16),
    /// The value of the Key Length attribute.
    KeyLength,
    /// Not defined.
    Unknown,
}

/// The column "IKEv2 Reference" in IANA's table of encryption algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IkeUse {
    /// The column contains a reference.
    Allowed,
    /// The column says "Not allowed".
    NotAllowed,
    /// The column says "-": no document defines the use in IKEv2.
    Undefined,
}

/// An assigned algorithm.
#[derive(Clone, Copy, Debug)]
pub struct PolicyRow {
    /// The transform type. Type 4 also stands for the additional key exchanges.
    pub kind: TransformType,
    /// The identifier.
    pub id: u16,
    /// The quality.
    pub grade: Grade,
    /// The strength.
    pub bits: Bits,
    /// The source of the grade.
    pub reference: &'static str,
    /// Whether the source is cited from memory.
    pub unconfirmed: bool,
    /// Whether the algorithm may protect an IKE SA.
    pub ike: IkeUse,
}

impl PolicyRow {
    const fn new(
        kind: TransformType,
        id: u16,
        grade: Grade,
        bits: Bits,
        from: &'static str,
    ) -> Self {
        Self { kind, id, grade, bits, reference: from, unconfirmed: false, ike: IkeUse::Allowed }
    }

    const fn unconfirmed(self) -> Self {
        Self { unconfirmed: true, ..self }
    }

    const fn undefined_for_ike(self) -> Self {
        Self { ike: IkeUse::Undefined, ..self }
    }

    /// The algorithm's name in the registry.
    pub fn name(&self) -> Option<&'static str> {
        transform_name(self.kind, self.id)
    }
}

/// The row of a transform. `None` if the identifier is not assigned.
pub fn row(kind: TransformType, id: u16) -> Option<&'static PolicyRow> {
    let kind = if kind.is_key_exchange() { TransformType::KE } else { kind };
    let place = ROW_INDEX.get(usize::from(kind.0))?.get(usize::from(id))?;
    TABLE.get(usize::from(*place))
}

/// The transform types and identifiers of all rows are below these limits.
const KINDS: usize = 6;
const IDS: usize = 64;

/// The index of the row for each type and identifier. It exists because each transform of
/// each message is looked up several times.
static ROW_INDEX: [[u8; IDS]; KINDS] = {
    assert!(TABLE.len() < NO_ROW as usize);
    let mut places = [[NO_ROW; IDS]; KINDS];
    let mut place = 0;
    while place < TABLE.len() {
        places[TABLE[place].kind.0 as usize][TABLE[place].id as usize] = place as u8;
        place += 1;
    }
    places
};

/// There is no row.
const NO_ROW: u8 = u8::MAX;

/// Whether a cipher provides integrity itself: AES and Camellia in CCM or GCM,
/// ChaCha20-Poly1305, and the MGM modes (IANA, RFC 5282, RFC 7634, RFC 9227).
pub fn is_aead(encr: Encr) -> bool {
    matches!(encr.0, 14..=16 | 18..=20 | 25..=35)
}

/// Whether a cipher needs no integrity algorithm. This holds for AEAD ciphers, and in ESP
/// also for AES-GMAC, which provides only integrity.
pub fn carries_integrity(encr: Encr) -> bool {
    is_aead(encr) || encr == Encr::ENCR_NULL_AUTH_AES_GMAC
}

/// Whether the cipher's key length is an attribute: AES and Camellia.
pub fn has_key_length(encr: Encr) -> bool {
    matches!(encr.0, 12..=16 | 18..=20 | 23..=27)
}

/// Whether the cipher is in use and has a single key length, and therefore no attribute.
pub fn has_fixed_key(encr: Encr) -> bool {
    matches!(encr, Encr::ENCR_DES | Encr::ENCR_3DES | Encr::ENCR_CHACHA20_POLY1305)
}

/// The key lengths of AES and Camellia in bits.
pub const KEY_LENGTHS: [u16; 3] = [128, 192, 256];

/// Whether a number of bits is one of these key lengths.
#[inline]
pub fn is_key_length(bits: u16) -> bool {
    let [short, middle, long] = KEY_LENGTHS;
    bits == long || bits == short || bits == middle
}

/// Whether a transform is one of the ML-KEM key encapsulations.
pub fn is_ml_kem(id: u16) -> bool {
    matches!(
        KeyExchangeMethod(id),
        KeyExchangeMethod::ML_KEM_512
            | KeyExchangeMethod::ML_KEM_768
            | KeyExchangeMethod::ML_KEM_1024
    )
}

use Bits::{Fixed, KeyLength, Unknown};
use Grade::{Forbid, Legacy, National, Ok, Strong, Weak};

/// The reason to refuse an algorithm that IANA does not allow in IKEv2.
pub const NOT_IN_IKE: &str = "not allowed in IKEv2 (IANA)";

const DEPRECATED: &str = "deprecated (RFC 9395)";
const MUST_NOT: &str = "MUST NOT (RFC 8247)";
const SHOULD_NOT: &str = "SHOULD NOT (RFC 8247)";
const SHOULD_NOT_UNSURE: &str = "SHOULD NOT (RFC 8247, unconfirmed)";
const NIST: &str = "recommended (NIST SP 800-77 r1)";
const NIST_LEGACY: &str = "legacy, still approved (NIST SP 800-77 r1)";
const NIST_EXPECTED: &str = "expected to be approved (NIST SP 800-77 r1)";
const SHORT_TAG: &str = "64-bit tag; the mode is recommended (NIST SP 800-77 r1)";
const IOT: &str = "SHOULD for small devices (RFC 8247, unconfirmed)";
const ANSSI: &str = "recommended (ANSSI, by Stormshield's guide for SNS 4.3)";
const BSI_2016: &str = "phased out since 2016 (BSI TR-02102-3)";
const ASSIGNED: &str = "assigned and not deprecated (IANA)";
const UNDEFINED: &str = "not defined for IKEv2 (IANA)";
const NOT_FOR_IKE: &str = "for AH and ESP (RFC 4543, unconfirmed)";
const GOST: &str = "GOST (RFC 9227)";
const GOST_IKE: &str = "GOST (RFC 9385)";
const SEQUENCE: &str = "for AH and ESP (RFC 7296, 3.3.2)";

const fn encr(id: Encr, grade: Grade, bits: Bits, reference: &'static str) -> PolicyRow {
    PolicyRow::new(TransformType::ENCR, id.0, grade, bits, reference)
}

/// A row for a cipher that IANA does not allow in IKEv2.
const fn not_ike(id: Encr, bits: Bits) -> PolicyRow {
    PolicyRow { ike: IkeUse::NotAllowed, ..encr(id, Forbid, bits, NOT_IN_IKE) }
}

const fn prf(id: Prf, grade: Grade, bits: Bits, reference: &'static str) -> PolicyRow {
    PolicyRow::new(TransformType::PRF, id.0, grade, bits, reference)
}

const fn integ(id: Integ, grade: Grade, bits: Bits, reference: &'static str) -> PolicyRow {
    PolicyRow::new(TransformType::INTEG, id.0, grade, bits, reference)
}

const fn ke(id: KeyExchangeMethod, grade: Grade, bits: u16, reference: &'static str) -> PolicyRow {
    PolicyRow::new(TransformType::KE, id.0, grade, Fixed(bits), reference)
}

const fn sn(id: SequenceNumbers) -> PolicyRow {
    PolicyRow::new(TransformType::SN, id.0, Ok, Unknown, SEQUENCE)
}

/// All rows, ordered by type and identifier.
pub const TABLE: &[PolicyRow] = &[
    encr(Encr::ENCR_DES_IV64, Forbid, Fixed(56), DEPRECATED).undefined_for_ike(),
    encr(Encr::ENCR_DES, Forbid, Fixed(56), MUST_NOT),
    encr(
        Encr::ENCR_3DES,
        Weak,
        Fixed(112),
        "64-bit blocks, no longer allowed since 2024 (NIST SP 800-77 r1)",
    ),
    encr(Encr::ENCR_RC5, Forbid, Unknown, DEPRECATED),
    encr(Encr::ENCR_IDEA, Forbid, Unknown, DEPRECATED),
    encr(Encr::ENCR_CAST, Forbid, Unknown, DEPRECATED),
    encr(Encr::ENCR_BLOWFISH, Forbid, Unknown, DEPRECATED),
    encr(Encr::ENCR_3IDEA, Forbid, Unknown, DEPRECATED),
    encr(Encr::ENCR_DES_IV32, Forbid, Fixed(56), DEPRECATED).undefined_for_ike(),
    not_ike(Encr::ENCR_NULL, Fixed(0)),
    encr(Encr::ENCR_AES_CBC, Ok, KeyLength, NIST),
    encr(Encr::ENCR_AES_CTR, Ok, KeyLength, NIST),
    encr(Encr::ENCR_AES_CCM_8, Legacy, KeyLength, SHORT_TAG),
    encr(Encr::ENCR_AES_CCM_12, Ok, KeyLength, NIST),
    encr(Encr::ENCR_AES_CCM_16, Ok, KeyLength, NIST),
    encr(Encr::ENCR_AES_GCM_8, Legacy, KeyLength, SHORT_TAG),
    encr(Encr::ENCR_AES_GCM_12, Ok, KeyLength, NIST),
    encr(Encr::ENCR_AES_GCM_16, Ok, KeyLength, NIST),
    not_ike(Encr::ENCR_NULL_AUTH_AES_GMAC, Fixed(0)),
    encr(Encr::ENCR_CAMELLIA_CBC, Ok, KeyLength, ASSIGNED),
    encr(Encr::ENCR_CAMELLIA_CTR, Legacy, KeyLength, UNDEFINED).undefined_for_ike(),
    encr(Encr::ENCR_CAMELLIA_CCM_8, Legacy, KeyLength, UNDEFINED).undefined_for_ike(),
    encr(Encr::ENCR_CAMELLIA_CCM_12, Legacy, KeyLength, UNDEFINED).undefined_for_ike(),
    encr(Encr::ENCR_CAMELLIA_CCM_16, Legacy, KeyLength, UNDEFINED).undefined_for_ike(),
    encr(Encr::ENCR_CHACHA20_POLY1305, Strong, Fixed(256), "SHOULD (RFC 8247, unconfirmed)")
        .unconfirmed(),
    not_ike(Encr::ENCR_AES_CCM_8_IIV, KeyLength),
    not_ike(Encr::ENCR_AES_GCM_16_IIV, KeyLength),
    not_ike(Encr::ENCR_CHACHA20_POLY1305_IIV, Fixed(256)),
    encr(Encr::ENCR_KUZNYECHIK_MGM_KTREE, National, Fixed(256), GOST),
    encr(Encr::ENCR_MAGMA_MGM_KTREE, National, Fixed(256), GOST),
    not_ike(Encr::ENCR_KUZNYECHIK_MGM_MAC_KTREE, Fixed(0)),
    not_ike(Encr::ENCR_MAGMA_MGM_MAC_KTREE, Fixed(0)),
    prf(Prf::PRF_HMAC_MD5, Forbid, Fixed(128), MUST_NOT),
    prf(Prf::PRF_HMAC_SHA1, Legacy, Fixed(128), NIST_LEGACY),
    prf(Prf::PRF_HMAC_TIGER, Forbid, Unknown, DEPRECATED),
    prf(Prf::PRF_AES128_XCBC, Ok, Fixed(128), IOT).unconfirmed(),
    prf(Prf::PRF_HMAC_SHA2_256, Ok, Fixed(256), NIST),
    prf(Prf::PRF_HMAC_SHA2_384, Strong, Fixed(256), NIST),
    prf(Prf::PRF_HMAC_SHA2_512, Strong, Fixed(256), NIST),
    prf(Prf::PRF_AES128_CMAC, Ok, Fixed(128), ASSIGNED),
    prf(Prf::PRF_HMAC_STREEBOG_512, National, Fixed(256), GOST_IKE),
    integ(Integ::NONE, Ok, Fixed(0), "with an AEAD cipher (RFC 7296, 3.3)"),
    integ(Integ::AUTH_HMAC_MD5_96, Forbid, Fixed(128), MUST_NOT),
    integ(Integ::AUTH_HMAC_SHA1_96, Legacy, Fixed(128), NIST_LEGACY),
    integ(Integ::AUTH_DES_MAC, Forbid, Fixed(56), MUST_NOT),
    integ(Integ::AUTH_KPDK_MD5, Forbid, Unknown, MUST_NOT),
    integ(Integ::AUTH_AES_XCBC_96, Ok, Fixed(128), IOT).unconfirmed(),
    integ(Integ::AUTH_HMAC_MD5_128, Forbid, Fixed(128), DEPRECATED),
    integ(Integ::AUTH_HMAC_SHA1_160, Forbid, Fixed(128), DEPRECATED),
    integ(Integ::AUTH_AES_CMAC_96, Ok, Fixed(128), ASSIGNED),
    integ(Integ::AUTH_AES_128_GMAC, Ok, Fixed(128), NOT_FOR_IKE).unconfirmed(),
    integ(Integ::AUTH_AES_192_GMAC, Ok, Fixed(192), NOT_FOR_IKE).unconfirmed(),
    integ(Integ::AUTH_AES_256_GMAC, Ok, Fixed(256), NOT_FOR_IKE).unconfirmed(),
    integ(Integ::AUTH_HMAC_SHA2_256_128, Ok, Fixed(256), NIST),
    integ(Integ::AUTH_HMAC_SHA2_384_192, Strong, Fixed(256), NIST),
    integ(Integ::AUTH_HMAC_SHA2_512_256, Strong, Fixed(256), NIST),
    ke(KeyExchangeMethod::NONE, Forbid, 0, "no key exchange (RFC 7296, 3.3.3)"),
    ke(KeyExchangeMethod::MODP_768, Forbid, 66, MUST_NOT),
    ke(KeyExchangeMethod::MODP_1024, Weak, 80, SHOULD_NOT),
    ke(KeyExchangeMethod::MODP_1536, Weak, 90, SHOULD_NOT),
    ke(KeyExchangeMethod::MODP_2048, Legacy, 112, "below 120 bits, since 2023 (BSI TR-02102-3)"),
    ke(KeyExchangeMethod::MODP_3072, Ok, 128, NIST),
    ke(KeyExchangeMethod::MODP_4096, Ok, 152, NIST),
    ke(KeyExchangeMethod::MODP_6144, Ok, 176, NIST),
    ke(KeyExchangeMethod::MODP_8192, Ok, 200, NIST),
    ke(KeyExchangeMethod::ECP_256, Ok, 128, NIST),
    ke(KeyExchangeMethod::ECP_384, Strong, 192, NIST),
    ke(KeyExchangeMethod::ECP_521, Strong, 256, NIST),
    ke(KeyExchangeMethod::MODP_1024_160, Forbid, 80, MUST_NOT),
    ke(KeyExchangeMethod::MODP_2048_224, Weak, 112, SHOULD_NOT_UNSURE).unconfirmed(),
    ke(KeyExchangeMethod::MODP_2048_256, Weak, 112, SHOULD_NOT_UNSURE).unconfirmed(),
    ke(KeyExchangeMethod::ECP_192, Weak, 96, "below 112 bits (NIST SP 800-57, unconfirmed)")
        .unconfirmed(),
    ke(KeyExchangeMethod::ECP_224, Legacy, 112, BSI_2016),
    ke(KeyExchangeMethod::BRAINPOOL_P224R1, Legacy, 112, BSI_2016),
    ke(KeyExchangeMethod::BRAINPOOL_P256R1, Ok, 128, ANSSI),
    ke(KeyExchangeMethod::BRAINPOOL_P384R1, Strong, 192, ANSSI),
    ke(KeyExchangeMethod::BRAINPOOL_P512R1, Strong, 256, ANSSI),
    ke(KeyExchangeMethod::CURVE25519, Ok, 128, NIST_EXPECTED),
    ke(KeyExchangeMethod::CURVE448, Strong, 224, NIST_EXPECTED),
    ke(KeyExchangeMethod::GOST3410_2012_256, National, 128, GOST_IKE),
    ke(KeyExchangeMethod::GOST3410_2012_512, National, 256, GOST_IKE),
    ke(KeyExchangeMethod::ML_KEM_512, Ok, 128, "category 1 (FIPS 203, unconfirmed)").unconfirmed(),
    ke(KeyExchangeMethod::ML_KEM_768, Strong, 192, "category 3 (FIPS 203, unconfirmed)")
        .unconfirmed(),
    ke(
        KeyExchangeMethod::ML_KEM_1024,
        Strong,
        256,
        "chosen for CNSA 2.0 (draft-guthrie-cnsa2-ipsec-profile-04)",
    ),
    sn(SequenceNumbers::NO_ESN),
    sn(SequenceNumbers::ESN),
    sn(SequenceNumbers::UNSPECIFIED_32),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// All assigned identifiers of the types in the table.
    fn assigned() -> Vec<(TransformType, u16)> {
        let mut all = Vec::new();
        all.extend(Encr::ALL.iter().map(|id| (TransformType::ENCR, id.0)));
        all.extend(Prf::ALL.iter().map(|id| (TransformType::PRF, id.0)));
        all.extend(Integ::ALL.iter().map(|id| (TransformType::INTEG, id.0)));
        all.extend(KeyExchangeMethod::ALL.iter().map(|id| (TransformType::KE, id.0)));
        all.extend(SequenceNumbers::ALL.iter().map(|id| (TransformType::SN, id.0)));
        all
    }

    #[test]
    fn every_assigned_identifier_has_one_row_and_every_row_is_assigned() {
        let rows: Vec<_> = TABLE.iter().map(|row| (row.kind, row.id)).collect();
        assert_eq!(rows, assigned());
        assert!(TABLE.iter().all(|row| row.name().is_some()));
    }

    #[test]
    fn a_row_is_found_by_any_type_of_key_exchange() {
        let found = row(TransformType::ADDKE3, KeyExchangeMethod::ML_KEM_768.0).unwrap();
        assert_eq!((found.kind, found.id), (TransformType::KE, 36));
        assert!(row(TransformType::KE, 38).is_none());
        assert!(row(TransformType::KWA, 1).is_none());
        for (kind, id) in assigned() {
            assert_eq!(row(kind, id).map(|row| (row.kind, row.id)), Some((kind, id)));
        }
    }

    #[test]
    fn unconfirmed_rows_say_so_and_others_do_not() {
        for row in TABLE {
            assert_eq!(row.unconfirmed, row.reference.contains("unconfirmed"), "{:?}", row.name());
        }
    }

    #[test]
    fn bits_are_the_key_length_where_there_is_one() {
        for row in TABLE.iter().filter(|row| row.kind == TransformType::ENCR) {
            let has = has_key_length(Encr(row.id)) || matches!(row.id, 29 | 30);
            assert_eq!(row.bits == KeyLength, has, "{:?}", row.name());
        }
    }
}
