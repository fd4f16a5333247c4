//! The Certificate payload
//! ([RFC 7296, section 3.6](https://www.rfc-editor.org/rfc/rfc7296#section-3.6)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::CertEncoding;

/// A certificate, or a reference to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The Cert Encoding field.
    pub encoding: CertEncoding,
    /// The Certificate Data field.
    pub data: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Parses the body of a CERT payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the body is empty.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        Ok(Self { encoding: CertEncoding(r.u8("Cert Encoding")?), data: r.rest() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_encoding_and_data() {
        let cert = Certificate::parse(&[4, 0x30, 0x82], 32).unwrap();
        assert_eq!(cert.encoding, CertEncoding::X509_SIGNATURE);
        assert_eq!(cert.data, [0x30, 0x82]);
    }

    #[test]
    fn an_empty_body_has_no_encoding() {
        assert_eq!(Certificate::parse(&[], 32).unwrap_err().field, "Cert Encoding");
    }
}
