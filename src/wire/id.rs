//! The Identification payloads
//! ([RFC 7296, section 3.5](https://www.rfc-editor.org/rfc/rfc7296#section-3.5)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::IdType;

/// An identity a peer claims: the body of IDi, IDr and IDg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identification<'a> {
    /// ID Type.
    pub kind: IdType,
    /// Identification Data, in the form the type prescribes.
    pub data: &'a [u8],
}

impl<'a> Identification<'a> {
    /// Reads the body of an Identification payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when the fixed fields are cut off, or
    /// when an address does not have its size.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let kind = IdType(r.u8("ID Type")?);
        r.take(3, "RESERVED")?;
        let data_field = r;
        let data = r.rest();
        if address_length(kind).is_some_and(|length| length != data.len()) {
            return Err(data_field.error("Identification Data"));
        }
        Ok(Self { kind, data })
    }
}

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
    fn addresses_have_their_size() {
        assert!(Identification::parse(&[1, 0, 0, 0, 10, 0, 0, 1], 32).is_ok());
        let error = Identification::parse(&[5, 0, 0, 0, 10, 0, 0, 1], 32).unwrap_err();
        assert_eq!((error.field, error.offset), ("Identification Data", 36));
    }

    #[test]
    fn needs_its_fixed_fields_at_every_length() {
        for cut in 0..4 {
            assert!(Identification::parse(&[2, 0, 0, 0][..cut], 32).is_err());
        }
    }
}
