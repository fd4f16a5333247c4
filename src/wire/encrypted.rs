//! The Encrypted payload
//! ([RFC 7296, section 3.14](https://www.rfc-editor.org/rfc/rfc7296#section-3.14))
//! and the Encrypted Fragment payload
//! ([RFC 7383, section 2.5](https://www.rfc-editor.org/rfc/rfc7383#section-2.5)).
//!
//! Where the initialization vector ends and the checksum begins depends on
//! algorithms the payload does not name, so the body stays in one piece.

use super::error::{ErrorKind, ParseError};
use super::message::Payload;
use super::reader::Reader;
use super::registry::PayloadType;

/// The body of an SK payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encrypted<'a> {
    /// The type of the first payload inside, which is readable from outside.
    pub first_inner: PayloadType,
    /// Initialization vector, encrypted payloads, padding and checksum.
    pub body: &'a [u8],
}

impl<'a> Encrypted<'a> {
    /// Reads an SK payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when there is nothing to decrypt.
    pub fn parse(payload: &Payload<'a>) -> Result<Self, ParseError> {
        let body = encrypted_content(reader(payload))?;
        Ok(Self { first_inner: payload.next_payload, body })
    }
}

/// The body of an SKF payload: one fragment of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The type of the first payload inside; the fragments behind the first
    /// carry 0 here.
    pub first_inner: PayloadType,
    /// Fragment Number, from 1.
    pub number: u16,
    /// Total Fragments.
    pub total: u16,
    /// Initialization vector, encrypted content, padding and checksum.
    pub body: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Reads an SKF payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when the fixed fields are cut off or
    /// there is nothing to decrypt.
    pub fn parse(payload: &Payload<'a>) -> Result<Self, ParseError> {
        let mut r = reader(payload);
        Ok(Self {
            first_inner: payload.next_payload,
            number: r.u16("Fragment Number")?,
            total: r.u16("Total Fragments")?,
            body: encrypted_content(r)?,
        })
    }

    /// Whether the number lies between 1 and the total, and only the first
    /// fragment names an inner payload (RFC 7383, section 2.5).
    pub fn is_valid(&self) -> bool {
        let in_range = (1..=self.total).contains(&self.number);
        in_range && (self.number == 1 || self.first_inner == PayloadType::NONE)
    }
}

fn reader<'a>(payload: &Payload<'a>) -> Reader<'a> {
    Reader::new(payload.body, payload.body_offset(), ErrorKind::MalformedPayload)
}

fn encrypted_content(mut r: Reader<'_>) -> Result<&[u8], ParseError> {
    if r.is_empty() {
        return Err(r.error("Initialization Vector"));
    }
    Ok(r.rest())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(kind: PayloadType, next_payload: PayloadType, body: &[u8]) -> Payload<'_> {
        Payload { kind, critical: false, next_payload, offset: 28, length: 0, body }
    }

    #[test]
    fn sk_exposes_the_first_inner_type() {
        let outer = payload(PayloadType::SK, PayloadType::IDI, &[1, 2, 3]);
        let encrypted = Encrypted::parse(&outer).unwrap();
        assert_eq!(encrypted.first_inner, PayloadType::IDI);
        assert_eq!(encrypted.body, [1, 2, 3]);
    }

    #[test]
    fn sk_has_something_inside() {
        let outer = payload(PayloadType::SK, PayloadType::IDI, &[]);
        let error = Encrypted::parse(&outer).unwrap_err();
        assert_eq!((error.field, error.offset), ("Initialization Vector", 32));
    }

    #[test]
    fn skf_reads_number_and_total() {
        let outer = payload(PayloadType::SKF, PayloadType::IDI, &[0, 1, 0, 3, 9]);
        let fragment = Fragment::parse(&outer).unwrap();
        assert_eq!((fragment.number, fragment.total), (1, 3));
        assert_eq!(fragment.body, [9]);
        assert!(fragment.is_valid());
    }

    #[test]
    fn skf_is_malformed_at_every_shorter_length() {
        for cut in 0..5 {
            let body = &[0, 1, 0, 3, 9][..cut];
            let outer = payload(PayloadType::SKF, PayloadType::NONE, body);
            assert!(Fragment::parse(&outer).is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn fragment_numbers_run_from_one_to_the_total() {
        let cases = [
            ([0, 0, 0, 2, 9], PayloadType::NONE, false),
            ([0, 3, 0, 2, 9], PayloadType::NONE, false),
            ([0, 2, 0, 2, 9], PayloadType::NONE, true),
            ([0, 2, 0, 2, 9], PayloadType::IDI, false),
            ([0, 0, 0, 0, 9], PayloadType::NONE, false),
        ];
        for (body, next, valid) in cases {
            let outer = payload(PayloadType::SKF, next, &body);
            assert_eq!(Fragment::parse(&outer).unwrap().is_valid(), valid);
        }
    }
}
