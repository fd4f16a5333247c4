//! The Certificate Request payload
//! ([RFC 7296, section 3.7](https://www.rfc-editor.org/rfc/rfc7296#section-3.7)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::CertEncoding;

/// A wish for certificates of certain authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// Cert Encoding.
    pub encoding: CertEncoding,
    /// Certification Authority: for X.509 a sequence of SHA-1 hashes of the
    /// authorities' public keys.
    pub authorities: &'a [u8],
}

impl<'a> CertificateRequest<'a> {
    /// Reads the body of a CERTREQ payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when the body is empty.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        Ok(Self { encoding: CertEncoding(r.u8("Cert Encoding")?), authorities: r.rest() })
    }

    /// The 20-byte hashes of [`authorities`](Self::authorities).
    pub fn hashes(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.authorities.chunks_exact(20)
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
    fn an_empty_body_has_no_encoding() {
        assert!(CertificateRequest::parse(&[], 32).is_err());
    }
}
