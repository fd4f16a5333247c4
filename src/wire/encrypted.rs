//! The Encrypted payload ([RFC 7296, section
//! 3.14](https://www.rfc-editor.org/rfc/rfc7296#section-3.14)) and the Encrypted Fragment
//! payload ([RFC 7383, section 2.5](https://www.rfc-editor.org/rfc/rfc7383#section-2.5)).
//!
//! The algorithms of the SA determine where the initialization vector ends and where the
//! checksum begins. The payload does not name them, so the body is not divided here.

use super::error::{ErrorKind, ParseError};
use super::message::Payload;
use super::reader::Reader;
use super::registry::PayloadType;

/// The body of an SK payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encrypted<'a> {
    /// The type of the first payload in the plaintext. This field is not encrypted.
    pub first_payload: PayloadType,
    /// The initialization vector, the encrypted payloads, the padding and the checksum.
    pub body: &'a [u8],
}

impl<'a> Encrypted<'a> {
    /// Parses an SK payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the body is empty.
    pub fn parse(payload: &Payload<'a>) -> Result<Self, ParseError> {
        let body = encrypted_content(reader(payload))?;
        Ok(Self { first_payload: payload.next_payload, body })
    }
}

/// The body of an SKF payload: one fragment of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The type of the first payload in the plaintext. This field is not encrypted. It is 0
    /// in all fragments except the first.
    pub first_payload: PayloadType,
    /// The Fragment Number field. The first fragment is 1.
    pub number: u16,
    /// The Total Fragments field.
    pub total: u16,
    /// The initialization vector, the encrypted content, the padding and the checksum.
    pub body: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Parses an SKF payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields are incomplete or the rest of
    /// the body is empty.
    pub fn parse(payload: &Payload<'a>) -> Result<Self, ParseError> {
        let mut r = reader(payload);
        Ok(Self {
            first_payload: payload.next_payload,
            number: r.u16("Fragment Number")?,
            total: r.u16("Total Fragments")?,
            body: encrypted_content(r)?,
        })
    }

    /// Whether the number is between 1 and the total, and only the first fragment has the
    /// type of a first payload (RFC 7383, section 2.5).
    pub fn is_valid(&self) -> bool {
        let in_range = (1..=self.total).contains(&self.number);
        in_range && (self.number == 1 || self.first_payload == PayloadType::NONE)
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
    fn sk_has_the_type_of_the_first_payload() {
        let outer = payload(PayloadType::SK, PayloadType::IDI, &[1, 2, 3]);
        let encrypted = Encrypted::parse(&outer).unwrap();
        assert_eq!(encrypted.first_payload, PayloadType::IDI);
        assert_eq!(encrypted.body, [1, 2, 3]);
    }

    #[test]
    fn an_empty_sk_is_malformed() {
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
