//! The Authentication payload (RFC 7296, 3.8): the algorithm of its signature.

use x509_parser::prelude::{AlgorithmIdentifier, FromDer};

use super::oid;
use crate::wire::Authentication;

/// The algorithm of a digital signature (RFC 7427, 3), which the payload contains. None for
/// other methods.
pub fn signature(body: &[u8], offset: u32) -> Option<String> {
    algorithm(Authentication::parse(body, offset).ok()?.algorithm()?)
}

/// The algorithm of an ASN.1 identifier.
pub fn algorithm(identifier: &[u8]) -> Option<String> {
    let (_, algorithm) = AlgorithmIdentifier::from_der(identifier).ok()?;
    Some(oid::signature(&algorithm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: u8, identifier: &[u8]) -> Option<String> {
        let length = u8::try_from(identifier.len()).unwrap();
        let body = [&[method, 0, 0, 0, length], identifier, &[9; 32]].concat();
        signature(&body, 32)
    }

    const ECDSA_SHA256: [u8; 12] =
        [0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

    /// RFC 7427, A.4.3.
    const PSS_SHA256: [u8; 67] = [
        0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34,
        0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
        0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x20,
    ];

    #[test]
    fn a_digital_signature_names_its_algorithm() {
        for (identifier, expected) in [
            (&ECDSA_SHA256[..], "ecdsa-with-SHA256"),
            (&[0x30, 5, 6, 3, 0x2b, 0x65, 0x70], "Ed25519"),
            (&PSS_SHA256, "RSASSA-PSS/sha256"),
            (&[0x30, 5, 6, 3, 0x2b, 0x65, 0x01], "1.3.101.1"),
        ] {
            assert_eq!(named(14, identifier).as_deref(), Some(expected));
        }
        assert_eq!(named(2, &ECDSA_SHA256), None);
    }

    #[test]
    fn cut_off_at_any_length_it_has_none() {
        for length in 0..ECDSA_SHA256.len() {
            assert_eq!(named(14, &ECDSA_SHA256[..length]), None, "{length} bytes");
            let body = [&[14, 0, 0, 0, 12], &ECDSA_SHA256[..length]].concat();
            assert_eq!(signature(&body, 32), None, "{length} bytes");
        }
    }
}
