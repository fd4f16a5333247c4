//! The algorithms that the plugin can decrypt messages with.
//!
//! The names are those of Wireshark's `ikev2_decryption_table`, which strongSwan's
//! `save-keys` plugin also writes. The rows below the comment "Extensions" are algorithms
//! that neither of them has a name for. Their names are formed in the same way.

/// The encryption algorithm, without its key length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    /// No encryption.
    Null,
    DesCbc,
    TripleDesCbc,
    AesCbc,
    CamelliaCbc,
    AesCtr,
    AesGcm,
    AesCcm,
    ChaCha20Poly1305,
}

/// The algorithm that makes the checksum at the end of an encrypted payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mac {
    /// The cipher makes the checksum itself (AEAD).
    None,
    HmacMd5,
    HmacSha1,
    HmacSha256,
    HmacSha384,
    HmacSha512,
    AesXcbc,
    AesCmac,
}

/// An encryption algorithm and the sizes of its fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Encryption {
    /// The algorithm's name in a key table.
    pub name: &'static str,
    pub(super) cipher: Cipher,
    /// The length of SK_ei and of SK_er in bytes, with the salt at their end.
    pub(super) key: usize,
    /// The length of the initialization vector in bytes.
    pub(super) iv: usize,
    /// The length of the checksum in bytes. 0 if an integrity algorithm makes the checksum.
    pub(super) checksum: usize,
}

/// An integrity algorithm and the sizes of its fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Integrity {
    /// The algorithm's name in a key table.
    pub name: &'static str,
    pub(super) mac: Mac,
    /// The length of SK_ai and of SK_ar in bytes.
    pub(super) key: usize,
    /// The length of the checksum in bytes.
    pub(super) checksum: usize,
}

const fn encryption(
    name: &'static str,
    cipher: Cipher,
    key: usize,
    iv: usize,
    checksum: usize,
) -> Encryption {
    Encryption { name, cipher, key, iv, checksum }
}

const fn integrity(name: &'static str, mac: Mac, key: usize, checksum: usize) -> Integrity {
    Integrity { name, mac, key, checksum }
}

/// All encryption algorithms that can be used.
pub const ENCRYPTIONS: &[Encryption] = &[
    encryption("NULL [RFC2410]", Cipher::Null, 0, 0, 0),
    encryption("3DES [RFC2451]", Cipher::TripleDesCbc, 24, 8, 0),
    encryption("AES-CBC-128 [RFC3602]", Cipher::AesCbc, 16, 16, 0),
    encryption("AES-CBC-192 [RFC3602]", Cipher::AesCbc, 24, 16, 0),
    encryption("AES-CBC-256 [RFC3602]", Cipher::AesCbc, 32, 16, 0),
    encryption("AES-CTR-128 [RFC5930]", Cipher::AesCtr, 20, 8, 0),
    encryption("AES-CTR-192 [RFC5930]", Cipher::AesCtr, 28, 8, 0),
    encryption("AES-CTR-256 [RFC5930]", Cipher::AesCtr, 36, 8, 0),
    encryption("AES-GCM-128 with 8 octet ICV [RFC5282]", Cipher::AesGcm, 20, 8, 8),
    encryption("AES-GCM-192 with 8 octet ICV [RFC5282]", Cipher::AesGcm, 28, 8, 8),
    encryption("AES-GCM-256 with 8 octet ICV [RFC5282]", Cipher::AesGcm, 36, 8, 8),
    encryption("AES-GCM-128 with 12 octet ICV [RFC5282]", Cipher::AesGcm, 20, 8, 12),
    encryption("AES-GCM-192 with 12 octet ICV [RFC5282]", Cipher::AesGcm, 28, 8, 12),
    encryption("AES-GCM-256 with 12 octet ICV [RFC5282]", Cipher::AesGcm, 36, 8, 12),
    encryption("AES-GCM-128 with 16 octet ICV [RFC5282]", Cipher::AesGcm, 20, 8, 16),
    encryption("AES-GCM-192 with 16 octet ICV [RFC5282]", Cipher::AesGcm, 28, 8, 16),
    encryption("AES-GCM-256 with 16 octet ICV [RFC5282]", Cipher::AesGcm, 36, 8, 16),
    encryption("AES-CCM-128 with 8 octet ICV [RFC5282]", Cipher::AesCcm, 19, 8, 8),
    encryption("AES-CCM-192 with 8 octet ICV [RFC5282]", Cipher::AesCcm, 27, 8, 8),
    encryption("AES-CCM-256 with 8 octet ICV [RFC5282]", Cipher::AesCcm, 35, 8, 8),
    encryption("AES-CCM-128 with 12 octet ICV [RFC5282]", Cipher::AesCcm, 19, 8, 12),
    encryption("AES-CCM-192 with 12 octet ICV [RFC5282]", Cipher::AesCcm, 27, 8, 12),
    encryption("AES-CCM-256 with 12 octet ICV [RFC5282]", Cipher::AesCcm, 35, 8, 12),
    encryption("AES-CCM-128 with 16 octet ICV [RFC5282]", Cipher::AesCcm, 19, 8, 16),
    encryption("AES-CCM-192 with 16 octet ICV [RFC5282]", Cipher::AesCcm, 27, 8, 16),
    encryption("AES-CCM-256 with 16 octet ICV [RFC5282]", Cipher::AesCcm, 35, 8, 16),
    // Extensions.
    encryption("DES [RFC2405]", Cipher::DesCbc, 8, 8, 0),
    encryption("CAMELLIA-CBC-128 [RFC5529]", Cipher::CamelliaCbc, 16, 16, 0),
    encryption("CAMELLIA-CBC-192 [RFC5529]", Cipher::CamelliaCbc, 24, 16, 0),
    encryption("CAMELLIA-CBC-256 [RFC5529]", Cipher::CamelliaCbc, 32, 16, 0),
    encryption("CHACHA20-POLY1305 [RFC7634]", Cipher::ChaCha20Poly1305, 36, 8, 16),
];

/// All integrity algorithms that can be used.
pub const INTEGRITIES: &[Integrity] = &[
    integrity("NONE [RFC4306]", Mac::None, 0, 0),
    integrity("HMAC_MD5_96 [RFC2403]", Mac::HmacMd5, 16, 12),
    integrity("HMAC_SHA1_96 [RFC2404]", Mac::HmacSha1, 20, 12),
    integrity("HMAC_MD5_128 [RFC4595]", Mac::HmacMd5, 16, 16),
    integrity("HMAC_SHA1_160 [RFC4595]", Mac::HmacSha1, 20, 20),
    integrity("HMAC_SHA2_256_96 [draft-ietf-ipsec-ciph-sha-256-00]", Mac::HmacSha256, 32, 12),
    integrity("HMAC_SHA2_256_128 [RFC4868]", Mac::HmacSha256, 32, 16),
    integrity("HMAC_SHA2_384_192 [RFC4868]", Mac::HmacSha384, 48, 24),
    integrity("HMAC_SHA2_512_256 [RFC4868]", Mac::HmacSha512, 64, 32),
    // Extensions.
    integrity("AES_XCBC_96 [RFC3566]", Mac::AesXcbc, 16, 12),
    integrity("AES_CMAC_96 [RFC4494]", Mac::AesCmac, 16, 12),
];

impl Encryption {
    /// The algorithm with this name in a key table.
    pub fn named(name: &[u8]) -> Option<&'static Self> {
        ENCRYPTIONS.iter().find(|row| row.name.as_bytes() == name)
    }

    /// Whether the cipher makes the checksum itself (RFC 5282, 1).
    pub fn is_aead(&self) -> bool {
        self.checksum != 0
    }
}

impl Integrity {
    /// The algorithm with this name in a key table.
    pub fn named(name: &[u8]) -> Option<&'static Self> {
        INTEGRITIES.iter().find(|row| row.name.as_bytes() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_belongs_to_exactly_one_algorithm() {
        for row in ENCRYPTIONS {
            assert_eq!(Encryption::named(row.name.as_bytes()), Some(row));
        }
        for row in INTEGRITIES {
            assert_eq!(Integrity::named(row.name.as_bytes()), Some(row));
        }
        assert_eq!(Encryption::named(b"AES-CBC-128"), None);
        assert_eq!(Integrity::named(b"none [RFC4306]"), None);
    }
}
