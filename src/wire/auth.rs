//! The Authentication payload
//! ([RFC 7296, section 3.8](https://www.rfc-editor.org/rfc/rfc7296#section-3.8)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::AuthMethod;

/// A proof of identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authentication<'a> {
    /// Auth Method.
    pub method: AuthMethod,
    /// Authentication Data. With [`AuthMethod::DIGITAL_SIGNATURE`] it begins
    /// with the length and the ASN.1 identifier of the algorithm (RFC 7427,
    /// section 3).
    pub data: &'a [u8],
}

impl<'a> Authentication<'a> {
    /// Reads the body of an AUTH payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when the fixed fields are cut off.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let method = AuthMethod(r.u8("Auth Method")?);
        r.take(3, "RESERVED")?;
        Ok(Self { method, data: r.rest() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_method_and_data() {
        let auth = Authentication::parse(&[14, 0, 0, 0, 0xde, 0xad], 32).unwrap();
        assert_eq!(auth.method, AuthMethod::DIGITAL_SIGNATURE);
        assert_eq!(auth.data, [0xde, 0xad]);
    }

    #[test]
    fn needs_its_fixed_fields_at_every_length() {
        for cut in 0..4 {
            assert!(Authentication::parse(&[2, 0, 0, 0][..cut], 32).is_err());
        }
    }
}
