//! The Extensible Authentication payload
//! ([RFC 7296, section 3.16](https://www.rfc-editor.org/rfc/rfc7296#section-3.16)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{EapCode, EapMethod};

/// An EAP message (RFC 3748, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eap<'a> {
    /// Code.
    pub code: EapCode,
    /// Identifier, which matches a response to its request.
    pub identifier: u8,
    /// Type, which success and failure do not have.
    pub method: Option<EapMethod>,
    /// Type_Data, or what follows the length where there is no type.
    pub data: &'a [u8],
}

impl<'a> Eap<'a> {
    /// Reads the body of an EAP payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when a field is cut off, or when the
    /// message's length is not the body's.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let code = EapCode(r.u8("Code")?);
        let identifier = r.u8("Identifier")?;
        let length_field = r;
        if usize::from(r.u16("Length")?) != body.len() {
            return Err(length_field.error("Length"));
        }
        let method = match code {
            EapCode::REQUEST | EapCode::RESPONSE => Some(EapMethod(r.u8("Type")?)),
            _ => None,
        };
        Ok(Self { code, identifier, method, data: r.rest() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_identity_response() {
        let eap = Eap::parse(b"\x02\x07\x00\x0a\x01alice", 32).unwrap();
        assert_eq!((eap.code, eap.identifier), (EapCode::RESPONSE, 7));
        assert_eq!(eap.method, Some(EapMethod::IDENTITY));
        assert_eq!(eap.data, b"alice");
    }

    #[test]
    fn success_has_no_type() {
        let eap = Eap::parse(&[3, 9, 0, 4], 32).unwrap();
        assert_eq!((eap.code, eap.method), (EapCode::SUCCESS, None));
    }

    #[test]
    fn the_length_must_fit_at_every_length() {
        let body = b"\x02\x07\x00\x0a\x01alice";
        for cut in 0..body.len() {
            assert!(Eap::parse(&body[..cut], 32).is_err(), "{cut} bytes");
        }
    }
}
