//! The names of algorithms in the logs of charon and pluto.

use crate::decrypt::suite::{Cipher, Encryption, Integrity, ENCRYPTIONS, INTEGRITIES};

/// The encryption and the integrity algorithm of an IKE SA whose keys are in the log.
pub(super) type Suite = (&'static Encryption, &'static Integrity);

/// An encryption algorithm, without its key length.
pub(super) struct Family {
    /// The name in charon's proposals.
    charon: &'static str,
    /// The name in pluto's lines for tcpdump.
    pluto: &'static str,
    cipher: Cipher,
    checksum: usize,
    /// The length of the salt at the end of a key, in bytes.
    pub(super) salt: usize,
    /// The key length in bits that is meant if the name does not contain one.
    bits: usize,
}

const fn family(
    names: [&'static str; 2],
    cipher: Cipher,
    checksum: usize,
    salt: usize,
    bits: usize,
) -> Family {
    Family { charon: names[0], pluto: names[1], cipher, checksum, salt, bits }
}

const FAMILIES: &[Family] = &[
    family(["NULL", "null"], Cipher::Null, 0, 0, 0),
    family(["DES_CBC", "des"], Cipher::DesCbc, 0, 0, 64),
    family(["3DES_CBC", "3des"], Cipher::TripleDesCbc, 0, 0, 192),
    family(["AES_CBC", "aes"], Cipher::AesCbc, 0, 0, 0),
    family(["CAMELLIA_CBC", "camellia"], Cipher::CamelliaCbc, 0, 0, 0),
    family(["AES_CTR", "aes_ctr"], Cipher::AesCtr, 0, 4, 0),
    family(["AES_GCM_8", "aes_gcm"], Cipher::AesGcm, 8, 4, 0),
    family(["AES_GCM_12", "aes_gcm_12"], Cipher::AesGcm, 12, 4, 0),
    family(["AES_GCM_16", "aes_gcm_16"], Cipher::AesGcm, 16, 4, 0),
    family(["AES_CCM_8", "aes_ccm_8"], Cipher::AesCcm, 8, 3, 0),
    family(["AES_CCM_12", "aes_ccm_12"], Cipher::AesCcm, 12, 3, 0),
    family(["AES_CCM_16", "aes_ccm_16"], Cipher::AesCcm, 16, 3, 0),
    family(["CHACHA20_POLY1305", "chacha20_poly1305"], Cipher::ChaCha20Poly1305, 16, 4, 256),
];

/// The integrity algorithms: pluto's name in lines for tcpdump, and the name in a key
/// table.
const PLUTO_INTEGRITIES: &[(&str, &str)] = &[
    ("none", "NONE"),
    ("md5", "HMAC_MD5_96"),
    ("sha1", "HMAC_SHA1_96"),
    ("sha256", "HMAC_SHA2_256_128"),
    ("hmac_sha2_256_truncbug", "HMAC_SHA2_256_96"),
    ("sha384", "HMAC_SHA2_384_192"),
    ("sha512", "HMAC_SHA2_512_256"),
    ("aes_xcbc", "AES_XCBC_96"),
    ("aes_cmac", "AES_CMAC_96"),
];

impl Family {
    fn sized(&self, bits: usize) -> Option<&'static Encryption> {
        let key = bits / 8 + self.salt;
        let fits = |row: &&Encryption| {
            (row.cipher, row.checksum, row.key) == (self.cipher, self.checksum, key)
        };
        ENCRYPTIONS.iter().find(fits)
    }
}

/// The key length at the end of a name, or `default` if the name ends without one.
fn bits(digits: &str, default: usize) -> Option<usize> {
    match digits {
        "" => Some(default),
        _ => digits.parse().ok(),
    }
}

fn charon_encryption(name: &str) -> Option<&'static Encryption> {
    FAMILIES.iter().find_map(|family| {
        let rest = name.strip_prefix(family.charon)?;
        let digits = if rest.is_empty() { rest } else { rest.strip_prefix('_')? };
        family.sized(bits(digits, family.bits)?)
    })
}

/// The integrity algorithm whose name in a key table begins with this word.
fn integrity(name: &str) -> Option<&'static Integrity> {
    INTEGRITIES.iter().find(|row| row.name.split(' ').next() == Some(name))
}

/// The algorithms of a selected proposal, for example
/// `AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256`.
///
/// # Errors
/// The name of the first algorithm that cannot be used for decryption.
pub(super) fn of_proposal(text: &str) -> Result<Suite, &str> {
    let mut parts = text.split('/');
    let first = parts.next().unwrap_or_default();
    let encryption = charon_encryption(first).ok_or(first)?;
    if encryption.is_aead() {
        return Ok((encryption, integrity("NONE").ok_or(first)?));
    }
    let second = parts.next().unwrap_or_default();
    Ok((encryption, integrity(second).ok_or(second)?))
}

/// The encryption algorithm with this name in a pluto log, for example `aes_gcm_16256`.
pub(super) fn pluto_encryption(name: &str) -> Option<(&'static Family, &'static Encryption)> {
    FAMILIES.iter().find_map(|family| {
        let digits = name.strip_prefix(family.pluto)?;
        Some((family, family.sized(bits(digits, family.bits)?)?))
    })
}

/// The integrity algorithm with this name in a pluto log.
pub(super) fn pluto_integrity(name: &str) -> Option<&'static Integrity> {
    let row = PLUTO_INTEGRITIES.iter().find(|row| row.0 == name)?;
    integrity(row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(proposal: &str) -> Result<(&str, &str), &str> {
        of_proposal(proposal).map(|(encryption, integrity)| (encryption.name, integrity.name))
    }

    #[test]
    fn every_algorithm_of_a_table_has_a_name_in_a_proposal() {
        let lengths = ["", "_128", "_192", "_256"];
        let mut found = Vec::new();
        for family in FAMILIES {
            let named = |length: &&str| charon_encryption(&format!("{}{length}", family.charon));
            found.extend(lengths.iter().filter_map(named).map(|row| row.name));
        }
        for row in ENCRYPTIONS {
            assert!(found.contains(&row.name), "{}", row.name);
        }
        for row in INTEGRITIES {
            let word = row.name.split(' ').next().unwrap();
            assert_eq!(integrity(word), Some(row));
        }
    }

    #[test]
    fn a_proposal_gives_encryption_and_integrity() {
        for (proposal, expected) in [
            (
                "AES_GCM_12_192/PRF_HMAC_SHA2_256/ECP_256",
                Ok(("AES-GCM-192 with 12 octet ICV [RFC5282]", "NONE [RFC4306]")),
            ),
            (
                "3DES_CBC/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_2048",
                Ok(("3DES [RFC2451]", "HMAC_SHA1_96 [RFC2404]")),
            ),
            (
                "CHACHA20_POLY1305/PRF_HMAC_SHA2_256/CURVE_25519",
                Ok(("CHACHA20-POLY1305 [RFC7634]", "NONE [RFC4306]")),
            ),
            ("SERPENT_CBC_256/HMAC_SHA1_96", Err("SERPENT_CBC_256")),
            ("AES_CBC_128/CAMELLIA_XCBC_96", Err("CAMELLIA_XCBC_96")),
            ("AES_CBC", Err("AES_CBC")),
            ("AES_CBC_128", Err("")),
            ("", Err("")),
        ] {
            assert_eq!(names(proposal), expected);
        }
    }

    #[test]
    fn names_for_tcpdump_have_the_length_at_the_end() {
        for (name, expected) in [
            ("aes128", Some("AES-CBC-128 [RFC3602]")),
            ("aes_ctr192", Some("AES-CTR-192 [RFC5930]")),
            ("aes_gcm256", Some("AES-GCM-256 with 8 octet ICV [RFC5282]")),
            ("aes_gcm_16256", Some("AES-GCM-256 with 16 octet ICV [RFC5282]")),
            ("chacha20_poly1305256", Some("CHACHA20-POLY1305 [RFC7634]")),
            ("3des192", Some("3DES [RFC2451]")),
            ("3des", Some("3DES [RFC2451]")),
            ("aes", None),
            ("aes_gcm_16_256", None),
            ("camellia_ctr256", None),
        ] {
            assert_eq!(pluto_encryption(name).map(|(_, row)| row.name), expected, "{name}");
        }
        for row in PLUTO_INTEGRITIES {
            assert!(pluto_integrity(row.0).is_some(), "{}", row.0);
        }
    }
}
