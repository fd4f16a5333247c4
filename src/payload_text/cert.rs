//! Certificates (RFC 7296, 3.6) as text.

use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::{address, hex, oid, text_or_hex};
use crate::wire::registry::CertEncoding;
use crate::wire::Certificate;

/// The maximum number of names from the Subject Alternative Name of a certificate.
const MAX_NAMES: usize = 64;

/// A Hash-and-URL begins with the SHA-1 hash of the data at the URL (RFC 7296, 3.6).
const HASH_LENGTH: usize = 20;

/// A certificate as text for rules and records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateText {
    /// Cert Encoding.
    pub encoding: CertEncoding,
    /// The SHA-256 hash of Certificate Data, in lower-case hex digits.
    pub sha256: String,
    /// The address of the certificate, if it is a Hash-and-URL.
    pub url: Option<String>,
    /// The fields of the certificate. None if it is no X.509 certificate or cannot be decoded.
    pub x509: Option<Box<X509Text>>,
}

/// The fields of an X.509 certificate (RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X509Text {
    /// The subject, such as `C=CH, O=Example, CN=gw.example`.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// The serial number in lower-case hex digits.
    pub serial: String,
    /// The beginning of its validity, in seconds since the epoch.
    pub not_before: i64,
    /// The end of its validity, in seconds since the epoch.
    pub not_after: i64,
    /// The Subject Alternative Names, each with its kind: `DNS:gw.example`.
    pub names: Vec<String>,
    /// `RSA`, `EC`, `DSA`, or the name or object identifier of another algorithm.
    pub key_type: String,
    /// The size of the key in bits. None if it is not known.
    pub key_size: Option<u16>,
    /// The algorithm of the issuer's signature.
    pub signature: String,
}

impl CertificateText {
    /// The text of a certificate.
    pub fn of(certificate: &Certificate<'_>) -> Self {
        let data = certificate.data;
        Self {
            encoding: certificate.encoding,
            sha256: hex(&Sha256::digest(data)),
            url: is_url(certificate.encoding)
                .then(|| data.get(HASH_LENGTH..).map(text_or_hex))
                .flatten(),
            x509: (certificate.encoding == CertEncoding::X509_SIGNATURE)
                .then(|| X509Text::of(data))
                .flatten()
                .map(Box::new),
        }
    }
}

fn is_url(encoding: CertEncoding) -> bool {
    matches!(encoding, CertEncoding::HASH_AND_URL_X509 | CertEncoding::HASH_AND_URL_X509_BUNDLE)
}

impl X509Text {
    fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|names| &names.value.general_names);
        let seconds = |time: ASN1Time| time.timestamp();
        let key = certificate.public_key();
        Some(Self {
            subject: name(certificate.subject()),
            issuer: name(certificate.issuer()),
            serial: serial(certificate.raw_serial()),
            not_before: seconds(certificate.validity().not_before),
            not_after: seconds(certificate.validity().not_after),
            names: names.take(MAX_NAMES).map(general_name).collect(),
            key_type: key_type(key),
            key_size: key_size(key),
            signature: oid::signature(&certificate.signature_algorithm),
        })
    }
}

/// The serial number. A leading zero byte only means that the number is positive.
fn serial(bytes: &[u8]) -> String {
    match bytes {
        [0, rest @ ..] if !rest.is_empty() => hex(rest),
        _ => hex(bytes),
    }
}

/// A distinguished name with its parts in order, as in Suricata's `tls.subject`. Hex digits if
/// a string has a type that X.509 does not allow.
pub(super) fn name(name: &X509Name<'_>) -> String {
    match name.to_string_with_registry(x509_parser::objects::oid_registry()) {
        Ok(text) if !text.chars().any(char::is_control) => text,
        _ => hex(name.as_raw()),
    }
}

/// A name of a Subject Alternative Name, with its kind before it.
pub(super) fn general_name(general: &GeneralName<'_>) -> String {
    match general {
        GeneralName::DNSName(text) => format!("DNS:{}", text_or_hex(text.as_bytes())),
        GeneralName::RFC822Name(text) => format!("email:{}", text_or_hex(text.as_bytes())),
        GeneralName::URI(text) => format!("URI:{}", text_or_hex(text.as_bytes())),
        GeneralName::IPAddress(bytes) => match address(bytes) {
            Some(address) => format!("IP:{address}"),
            None => format!("IP:{}", hex(bytes)),
        },
        GeneralName::DirectoryName(directory) => format!("DirName:{}", name(directory)),
        GeneralName::RegisteredID(id) => format!("RID:{}", id.to_id_string()),
        GeneralName::OtherName(id, value) => {
            format!("otherName:{};{}", id.to_id_string(), hex(value))
        }
        GeneralName::X400Address(any) => format!("X400Name:{}", hex(any.data)),
        GeneralName::EDIPartyName(any) => format!("EdiPartyName:{}", hex(any.data)),
        GeneralName::Invalid(_, bytes) => format!("invalid:{}", hex(bytes)),
    }
}

fn key_type(key: &SubjectPublicKeyInfo<'_>) -> String {
    match key.parsed() {
        Ok(PublicKey::RSA(_)) => "RSA".to_owned(),
        Ok(PublicKey::EC(_)) => "EC".to_owned(),
        Ok(PublicKey::DSA(_)) => "DSA".to_owned(),
        _ => oid::signature(&key.algorithm),
    }
}

/// The bits of an RSA modulus, of a coordinate of an EC point, or of the value of a DSA key.
fn key_size(key: &SubjectPublicKeyInfo<'_>) -> Option<u16> {
    let bits = match key.parsed().ok()? {
        PublicKey::RSA(rsa) => bit_length(rsa.modulus),
        PublicKey::EC(point) => curve_bits(key).unwrap_or_else(|| point.key_size()),
        PublicKey::DSA(value) => bit_length(value),
        // The size of an Ed25519 or Ed448 key follows from the curve.
        _ if key.algorithm.algorithm.to_id_string() == "1.3.101.112" => 255,
        _ if key.algorithm.algorithm.to_id_string() == "1.3.101.113" => 448,
        _ => return None,
    };
    u16::try_from(bits).ok().filter(|bits| *bits > 0)
}

/// The bits of curve P-521. Its points are padded to whole bytes.
fn curve_bits(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
    (curve.to_id_string() == "1.3.132.0.35").then_some(521)
}

fn bit_length(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let first = number.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    ((number.len() - zeros) * 8).saturating_sub(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Created by `openssl req -x509` with serial number 0xf00d and with names.
    const ED25519: &[u8] = include_bytes!("../../tests/certificates/ed25519.der");
    const RSA_1024: &[u8] = include_bytes!("../../tests/certificates/rsa1024-sha1.der");
    const P_192: &[u8] = include_bytes!("../../tests/certificates/p192-sha256.der");
    const RSA_MD5: &[u8] = include_bytes!("../../tests/certificates/rsa2048-md5.der");

    fn text_of(encoding: CertEncoding, data: &[u8]) -> CertificateText {
        CertificateText::of(&Certificate { encoding, data })
    }

    #[test]
    fn a_certificate_is_what_openssl_says_of_it() {
        let text = text_of(CertEncoding::X509_SIGNATURE, ED25519);
        assert_eq!(text.sha256, "2b098089468b88542ca3a5e98155edc92e5fe0e96b269fb460d8d58d321b7769");
        let x509 = text.x509.unwrap();
        assert_eq!(x509.subject, "C=CH, O=Example, CN=gw.example");
        assert_eq!((&x509.issuer, x509.serial.as_str()), (&x509.subject, "f00d"));
        assert_eq!((x509.not_before, x509.not_after), (1795753180, 1795753180 + 3650 * 86_400));
        assert_eq!(
            x509.names,
            [
                "DNS:gw.example",
                "email:carol@example",
                "IP:192.0.2.1",
                "IP:2001:db8::1",
                "URI:https://gw.example/",
                "RID:1.2.3"
            ]
        );
        assert_eq!((x509.key_type.as_str(), x509.key_size), ("Ed25519", Some(255)));
        assert_eq!((x509.signature.as_str(), text.url), ("Ed25519", None));
    }

    #[test]
    fn keys_and_signatures_have_names() {
        for (der, key_type, key_size, signature) in [
            (RSA_1024, "RSA", 1024, "sha1WithRSAEncryption"),
            (RSA_MD5, "RSA", 2048, "md5WithRSAEncryption"),
            (P_192, "EC", 192, "ecdsa-with-SHA256"),
        ] {
            let x509 = text_of(CertEncoding::X509_SIGNATURE, der).x509.unwrap();
            assert_eq!((x509.key_type.as_str(), x509.key_size), (key_type, Some(key_size)));
            assert_eq!((x509.signature.as_str(), x509.names.len()), (signature, 0));
        }
    }

    #[test]
    fn one_that_is_cut_off_at_any_length_has_its_hash_alone() {
        for length in 0..ED25519.len() {
            let text = text_of(CertEncoding::X509_SIGNATURE, &ED25519[..length]);
            assert!(text.x509.is_none() && text.sha256.len() == 64, "{length} bytes");
        }
    }

    #[test]
    fn a_url_stands_behind_a_hash() {
        let data = [&[7; 20], &b"http://ca.example/gw.der"[..]].concat();
        let text = text_of(CertEncoding::HASH_AND_URL_X509, &data);
        assert_eq!(text.url.as_deref(), Some("http://ca.example/gw.der"));
        assert!(text.x509.is_none());
        for length in 0..20 {
            assert_eq!(text_of(CertEncoding::HASH_AND_URL_X509, &data[..length]).url, None);
        }
        assert!(text_of(CertEncoding::CRL, ED25519).x509.is_none());
    }
}
