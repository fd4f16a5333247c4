//! The Identification payloads
//! ([RFC 7296, section 3.5](https://www.rfc-editor.org/rfc/rfc7296#section-3.5)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::IdType;

/// The identity that a peer claims: the body of IDi, IDr and IDg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identification<'a> {
    /// The ID Type field.
    pub kind: IdType,
    /// The Identification Data field. Its form depends on the type.
    pub data: &'a [u8],
}

impl<'a> Identification<'a> {
    /// Parses the body of an Identification payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields are incomplete.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let kind = IdType(r.u8("ID Type")?);
        r.take(3, "RESERVED")?;
        Ok(Self { kind, data: r.rest() })
    }

    /// The fault of an identity that could be parsed: an address has a wrong length.
    pub fn fault(&self, body_offset: u32) -> Option<ParseError> {
        let wrong = address_length(self.kind).is_some_and(|length| length != self.data.len());
        wrong.then(|| ParseError {
            kind: ErrorKind::MalformedPayload,
            field: "Identification Data",
            offset: body_offset.saturating_add(FIXED_LENGTH),
        })
    }
}

/// The size of ID Type and RESERVED in bytes.
const FIXED_LENGTH: u32 = 4;

const fn address_length(kind: IdType) -> Option<usize> {
    match kind {
        IdType::ID_IPV4_ADDR => Some(4),
        IdType::ID_IPV6_ADDR => Some(16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_name() {
        let id = Identification::parse(b"\x02\0\0\0gw.example", 32).unwrap();
        assert_eq!(id.kind, IdType::ID_FQDN);
        assert_eq!(id.data, b"gw.example");
    }

    #[test]
    fn the_length_of_an_address_is_checked() {
        let fault = |body: &[u8]| Identification::parse(body, 32).unwrap().fault(32);
        assert_eq!(fault(&[1, 0, 0, 0, 10, 0, 0, 1]), None);
        assert_eq!(fault(&[2, 0, 0, 0]), None);
        for body in [&[5, 0, 0, 0, 10, 0, 0, 1][..], &[1, 0, 0, 0, 10, 0, 0, 1, 9], &[1, 0, 0, 0]] {
            let error = fault(body).unwrap();
            assert_eq!((error.field, error.offset), ("Identification Data", 36));
        }
        // The available part is kept.
        let id = Identification::parse(&[1, 0, 0, 0, 10, 0, 0, 1, 9], 32).unwrap();
        assert_eq!(id.data, [10, 0, 0, 1, 9]);
    }

    #[test]
    fn needs_its_fixed_fields_at_every_length() {
        for cut in 0..4 {
            assert!(Identification::parse(&[2, 0, 0, 0][..cut], 32).is_err());
        }
    }
}
