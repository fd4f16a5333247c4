//! The Authentication payload
//! ([RFC 7296, section 3.8](https://www.rfc-editor.org/rfc/rfc7296#section-3.8)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::AuthMethod;

/// The data that proves a peer's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authentication<'a> {
    /// The Auth Method field.
    pub method: AuthMethod,
    /// The Authentication Data field. With [`AuthMethod::DIGITAL_SIGNATURE`] it begins with
    /// the length and the ASN.1 identifier of the signature algorithm (RFC 7427, section
    /// 3).
    pub data: &'a [u8],
}

impl<'a> Authentication<'a> {
    /// Parses the body of an AUTH payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields are incomplete.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let method = AuthMethod(r.u8("Auth Method")?);
        r.take(3, "RESERVED")?;
        Ok(Self { method, data: r.rest() })
    }

    /// The ASN.1 identifier of the algorithm in a digital signature (RFC 7427, 3). It may
    /// be truncated. `None` for other methods.
    pub fn algorithm(&self) -> Option<&'a [u8]> {
        let (length, rest) = self.data.split_first()?;
        let is_signature = self.method == AuthMethod::DIGITAL_SIGNATURE;
        is_signature.then(|| rest.get(..usize::from(*length)).unwrap_or(rest))
    }

    /// The fault of data that could be parsed: the length of the identifier in a digital
    /// signature is wrong.
    pub fn fault(&self, body_offset: u32) -> Option<ParseError> {
        if self.method != AuthMethod::DIGITAL_SIGNATURE {
            return None;
        }
        let length = self.data.first().map(|length| usize::from(*length));
        let identifier = self.algorithm().unwrap_or(&[]);
        let is_there = length.is_some_and(|length| length == identifier.len());
        let fits = is_there && sequence_length(identifier) == length;
        (!fits).then(|| ParseError {
            kind: ErrorKind::MalformedPayload,
            field: "ASN.1 Length",
            offset: body_offset.saturating_add(FIXED_LENGTH),
        })
    }
}

/// The size of Auth Method and RESERVED in bytes.
const FIXED_LENGTH: u32 = 4;

/// The length of a DER sequence in bytes, including tag and length field. Only the two
/// length encodings for up to 255 bytes are supported.
fn sequence_length(der: &[u8]) -> Option<usize> {
    match *der {
        [0x30, length @ 0..=0x7f, ..] => Some(2 + usize::from(length)),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(length)),
        _ => None,
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
    fn the_length_of_a_signatures_identifier_is_checked() {
        // Ed25519 (RFC 8410).
        const IDENTIFIER: [u8; 7] = [0x30, 5, 6, 3, 0x2b, 0x65, 0x70];
        let fault = |method: u8, length: u8| {
            let body = [&[method, 0, 0, 0, length][..], &IDENTIFIER, &[9; 64]].concat();
            Authentication::parse(&body, 32).unwrap().fault(32)
        };
        assert_eq!(fault(14, 7), None);
        assert_eq!(fault(2, 200), None, "another method");
        for wrong in [0, 6, 8, 71, 72, 200, 255] {
            let error = fault(14, wrong).unwrap();
            assert_eq!((error.field, error.offset), ("ASN.1 Length", 36), "{wrong}");
        }
        let without = Authentication::parse(&[14, 0, 0, 0], 32).unwrap();
        assert!(without.fault(32).is_some());
        // The available part can be read.
        let body = [&[14, 0, 0, 0, 200][..], &IDENTIFIER].concat();
        assert_eq!(Authentication::parse(&body, 32).unwrap().algorithm(), Some(&IDENTIFIER[..]));
    }

    #[test]
    fn a_long_identifier_has_a_long_length() {
        let identifier = [&[0x30, 0x81, 0x80][..], &[0; 0x80]].concat();
        let body = [&[14, 0, 0, 0, 0x83][..], &identifier, &[9; 64]].concat();
        assert_eq!(Authentication::parse(&body, 32).unwrap().fault(32), None);
    }

    #[test]
    fn needs_its_fixed_fields_at_every_length() {
        for cut in 0..4 {
            assert!(Authentication::parse(&[2, 0, 0, 0][..cut], 32).is_err());
        }
    }
}
