//! The Certificate Request payload
//! ([RFC 7296, section 3.7](https://www.rfc-editor.org/rfc/rfc7296#section-3.7)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::CertEncoding;

/// The size of a SHA-1 hash in bytes.
const HASH_LENGTH: usize = 20;

/// A request for certificates of certain authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// The Cert Encoding field.
    pub encoding: CertEncoding,
    /// The Certification Authority field. For X.509 it is a list of SHA-1 hashes of the
    /// authorities' public keys.
    pub authorities: &'a [u8],
}

impl<'a> CertificateRequest<'a> {
    /// Parses the body of a CERTREQ payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the body is empty.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        Ok(Self { encoding: CertEncoding(r.u8("Cert Encoding")?), authorities: r.rest() })
    }

    /// The fault of a request that could be parsed: the last hash is incomplete. Only X.509
    /// (RFC 7296, 3.7) and OCSP (RFC 4806, 3.1) are checked, because other encodings may
    /// not contain hashes.
    pub fn fault(&self, body_offset: u32) -> Option<ParseError> {
        let has_hashes = matches!(
            self.encoding,
            CertEncoding::X509_SIGNATURE
                | CertEncoding::HASH_AND_URL_X509
                | CertEncoding::HASH_AND_URL_X509_BUNDLE
                | CertEncoding::OCSP_CONTENT
        );
        let wrong = has_hashes && !self.authorities.len().is_multiple_of(HASH_LENGTH);
        wrong.then(|| ParseError {
            kind: ErrorKind::MalformedPayload,
            field: "Certification Authority",
            offset: body_offset.saturating_add(1),
        })
    }

    /// The hashes in [`authorities`](Self::authorities), of 20 bytes each.
    pub fn hashes(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.authorities.chunks_exact(HASH_LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_hashes() {
        let mut body = vec![4];
        body.extend([1; 20]);
        body.extend([2; 20]);
        let request = CertificateRequest::parse(&body, 32).unwrap();
        assert_eq!(request.encoding, CertEncoding::X509_SIGNATURE);
        assert!(request.hashes().eq([[1; 20], [2; 20]]));
    }

    #[test]
    fn an_incomplete_hash_is_a_fault() {
        let fault = |encoding: u8, length| {
            let body = [&[encoding][..], &vec![7; length]].concat();
            CertificateRequest::parse(&body, 32).unwrap().fault(32)
        };
        for length in [0, 20, 60] {
            assert_eq!(fault(4, length), None);
        }
        for encoding in [4, 12, 13, 14] {
            for length in [1, 19, 21, 47] {
                let error = fault(encoding, length).unwrap();
                assert_eq!((error.field, error.offset), ("Certification Authority", 33));
            }
        }
        // The content of other encodings is not defined.
        assert_eq!(fault(11, 7), None);
    }

    #[test]
    fn an_empty_body_has_no_encoding() {
        assert!(CertificateRequest::parse(&[], 32).is_err());
    }
}
