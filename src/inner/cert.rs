//! Certificates (RFC 7296, 3.6) as text.

use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::{address, hex, oid, text_or_hex};
use crate::wire::registry::CertEncoding;
use crate::wire::Certificate;

/// The most names of a certificate's Subject Alternative Name.
const MAX_NAMES: usize = 64;

/// A Hash-and-URL begins with the SHA-1 of what is behind the URL (RFC 7296, 3.6).
const HASH_LENGTH: usize = 20;

/// A certificate as rules and records have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateText {
    /// Cert Encoding.
    pub encoding: CertEncoding,
    /// The SHA-256 of Certificate Data, in lower-case hex digits.
    pub sha256: String,
    /// Where the certificate is, of a Hash-and-URL.
    pub url: Option<String>,
    /// What is in it; none if it is no X.509 certificate or cannot be read.
    pub x509: Option<Box<X509Text>>,
}

/// What is in an X.509 certificate (RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X509Text {
    /// `C=CH, O=Example, CN=gw.example`
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Its serial number in lower-case hex digits.
    pub serial: String,
    /// From when it is valid, in seconds since the epoch.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// The Subject Alternative Names, each with its kind: `DNS:gw.example`.
    pub names: Vec<String>,
    /// `RSA`, `EC`, `DSA`, or the name or object identifier of another algorithm.
    pub key_type: String,
    /// The size of the key in bits; none where it is not known.
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

/// A zero byte in front only says that the number is positive.
fn serial(bytes: &[u8]) -> String {
    match bytes {
        [0, rest @ ..] if !rest.is_empty() => hex(rest),
        _ => hex(bytes),
    }
}

/// A distinguished name in the order of its parts, as Suricata's `tls.subject` has it; hex
/// digits where it has strings of another kind than X.509's.
pub(super) fn name(name: &X509Name<'_>) -> String {
    match name.to_string_with_registry(x509_parser::objects::oid_registry()) {
        Ok(text) if !text.chars().any(char::is_control) => text,
        _ => hex(name.as_raw()),
    }
}

/// A name of a Subject Alternative Name behind its kind.
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

/// The bits of an RSA modulus, of a coordinate of a curve's point, of a DSA key's value.
fn key_size(key: &SubjectPublicKeyInfo<'_>) -> Option<u16> {
    let bits = match key.parsed().ok()? {
        PublicKey::RSA(rsa) => bit_length(rsa.modulus),
        PublicKey::EC(point) => curve_bits(key).unwrap_or_else(|| point.key_size()),
        PublicKey::DSA(value) => bit_length(value),
        // Ed25519, Ed448: the key is what the curve is named for.
        _ if key.algorithm.algorithm.to_id_string() == "1.3.101.112" => 255,
        _ if key.algorithm.algorithm.to_id_string() == "1.3.101.113" => 448,
        _ => return None,
    };
    u16::try_from(bits).ok().filter(|bits| *bits > 0)
}

/// A point of P-521 is filled up to whole bytes.
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

    /// Made by `openssl req -x509` with an Ed25519 key, serial number 0xf00d and names.
    const ED25519: &str = "\
     308201bf30820171a003020102020300f00d300506032b65703034310b3009060355040613024348\
     3110300e060355040a0c074578616d706c653113301106035504030c0a67772e6578616d706c6530\
     1e170d3236313132373034313934305a170d3336313132343034313934305a3034310b3009060355\
     0406130243483110300e060355040a0c074578616d706c653113301106035504030c0a67772e6578\
     616d706c65302a300506032b657003210080bebe8ba4276a8ac03cb47fb8fc42386fafccb74186aa\
     3a08c379b55fd5aec8a381a53081a2301d0603551d0e04160414999337f0870b540e9adc4fa998ad\
     7d7a48d9ff73301f0603551d23041830168014999337f0870b540e9adc4fa998ad7d7a48d9ff7330\
     550603551d11044e304c820a67772e6578616d706c65810d6361726f6c406578616d706c658704c0\
     000201871020010db8000000000000000000000001861368747470733a2f2f67772e6578616d706c\
     652f88022a0330090603551d1304023000300506032b65700341006c4c4671f5808ed71e95e70623\
     b88c32daca9a7dac938f7ddf6ecd24b2e98d673e6b7520a550c5ef2964166921285fa1f052602858\
     49e0c027b2a237d9bf4d06";

    /// The same with an RSA key of 1024 bits and SHA-1.
    const RSA_1024: &str = "\
     308201f830820161a00302010202146ab02234751f45d7cee9bf2d36b3a21158c2120c300d06092a\
     864886f70d0101050500300e310c300a06035504030c036f6c64301e170d32363131323730343139\
     34305a170d3236313230373034313934305a300e310c300a06035504030c036f6c6430819f300d06\
     092a864886f70d010101050003818d0030818902818100eaba218963851cd14b123cc658c8e7f47e\
     ff610c1aa0840e17bcf5f42c1c02f4b0a783ae363c774027b0d1bac86752dd9ec7e6cc41019c8fd7\
     901220aa5d17a98760438986855340db44b8ac5d9894850b02834e296884d97ffbd7cb51c941f4b5\
     dd67ecc2b71942b04458fe2a032ab4ed0232b1d97a0a156d3acbf534fa9fbd0203010001a3533051\
     301d0603551d0e0416041411f8e1dbf389e7abece414f0c0f54f6c9b30dc74301f0603551d230418\
     3016801411f8e1dbf389e7abece414f0c0f54f6c9b30dc74300f0603551d130101ff040530030101\
     ff300d06092a864886f70d0101050500038181007979581cb0371beca7071999e6e622884d82c3bd\
     2973f0d7baf78f55299277991b319da7ed560fdf889bb4f4fcc453fdfe093509257a4db4ce2c4e78\
     a91954244298d258a019b557b6a8d6e32ae810e6606565a57f8e82c818f7abdd000957f9882fde4c\
     2895f50d09004b1862e50a2b39716fb02796f9ff3207a35710305753";

    fn der(digits: &str) -> Vec<u8> {
        let pairs = digits.as_bytes().chunks_exact(2);
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
        pairs.map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
    }

    fn text_of(encoding: CertEncoding, data: &[u8]) -> CertificateText {
        CertificateText::of(&Certificate { encoding, data })
    }

    #[test]
    fn a_certificate_is_what_openssl_says_of_it() {
        let text = text_of(CertEncoding::X509_SIGNATURE, &der(ED25519));
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
    fn a_weak_key_and_signature_are_told() {
        let x509 = text_of(CertEncoding::X509_SIGNATURE, &der(RSA_1024)).x509.unwrap();
        assert_eq!((x509.key_type.as_str(), x509.key_size), ("RSA", Some(1024)));
        assert_eq!(x509.signature, "sha1WithRSAEncryption");
        assert_eq!((x509.subject.as_str(), x509.names.len()), ("CN=old", 0));
        assert_eq!(x509.serial, "6ab02234751f45d7cee9bf2d36b3a21158c2120c");
    }

    #[test]
    fn one_that_is_cut_off_at_any_length_has_its_hash_alone() {
        let whole = der(ED25519);
        for length in 0..whole.len() {
            let text = text_of(CertEncoding::X509_SIGNATURE, &whole[..length]);
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
        assert!(text_of(CertEncoding::CRL, &der(ED25519)).x509.is_none());
    }
}
