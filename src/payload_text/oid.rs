//! Names of signature algorithms.

use x509_parser::prelude::AlgorithmIdentifier;
use x509_parser::signature_algorithm::SignatureAlgorithm;

/// Object identifiers in the order of their RFCs: 8017, 5758, 8410, 9881, 9909.
const SIGNATURES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.10040.4.3", "dsa-with-sha1"),
    ("2.16.840.1.101.3.4.3.1", "dsa-with-sha224"),
    ("2.16.840.1.101.3.4.3.2", "dsa-with-sha256"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

/// The hash algorithms of RSASSA-PSS (RFC 8017, A.2.3).
const HASHES: &[(&str, &str)] = &[
    ("1.3.14.3.2.26", "sha1"),
    ("2.16.840.1.101.3.4.2.4", "sha224"),
    ("2.16.840.1.101.3.4.2.1", "sha256"),
    ("2.16.840.1.101.3.4.2.2", "sha384"),
    ("2.16.840.1.101.3.4.2.3", "sha512"),
];

const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";

/// The name of a signature algorithm as in its RFC, or its object identifier. RSASSA-PSS is
/// followed by a slash and its hash algorithm.
pub(super) fn signature(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let oid = algorithm.algorithm.to_id_string();
    if oid == RSASSA_PSS {
        return match SignatureAlgorithm::try_from(algorithm) {
            Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => {
                let hash = parameters.hash_algorithm_oid().to_id_string();
                format!("RSASSA-PSS/{}", named(HASHES, &hash))
            }
            _ => "RSASSA-PSS".to_owned(),
        };
    }
    named(SIGNATURES, &oid).to_owned()
}

fn named<'a>(table: &[(&str, &'static str)], oid: &'a str) -> &'a str {
    table.iter().find(|(known, _)| *known == oid).map_or(oid, |(_, name)| name)
}
