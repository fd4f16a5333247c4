//! The Key Exchange payload
//! ([RFC 7296, section 3.4](https://www.rfc-editor.org/rfc/rfc7296#section-3.4)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::KeyExchangeMethod;

/// The public value of one key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyExchange<'a> {
    /// The Key Exchange Method field. RFC 7296 calls it "Diffie-Hellman Group Num".
    pub method: KeyExchangeMethod,
    /// The Key Exchange Data field.
    pub data: &'a [u8],
}

impl<'a> KeyExchange<'a> {
    /// Parses the body of a KE payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields are incomplete.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let method = KeyExchangeMethod(r.u16("Key Exchange Method")?);
        r.u16("RESERVED")?;
        Ok(Self { method, data: r.rest() })
    }
}

/// The length in bytes that a method requires for its public value. `None` if the method is
/// not known. A key encapsulation (ML-KEM) has different lengths for the initiator's public
/// key and for the ciphertext in the `response`.
///
/// Sources: RFC 7296, section 3.4, for MODP groups (the length of the prime); RFC 5903,
/// 6954, 8031 and 9385 for elliptic curves; FIPS 203 for ML-KEM.
pub const fn public_value_length(method: KeyExchangeMethod, response: bool) -> Option<usize> {
    Some(match method.0 {
        1 => 96,
        2 | 22 => 128,
        5 => 192,
        14 | 23 | 24 => 256,
        15 => 384,
        16 => 512,
        17 => 768,
        18 => 1024,
        25 => 48,
        26 | 27 | 32 => 56,
        19 | 28 | 33 => 64,
        20 | 29 => 96,
        30 | 34 => 128,
        21 => 132,
        31 => 32,
        35 if response => 768,
        35 => 800,
        36 if response => 1088,
        36 => 1184,
        37 => 1568,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_method_and_data() {
        let ke = KeyExchange::parse(&[0, 31, 0, 0, 0xaa, 0xbb], 32).unwrap();
        assert_eq!(ke.method, KeyExchangeMethod::CURVE25519);
        assert_eq!(ke.data, [0xaa, 0xbb]);
    }

    #[test]
    fn needs_its_fixed_fields_at_every_length() {
        for cut in 0..4 {
            let error = KeyExchange::parse(&[0; 4][..cut], 32).unwrap_err();
            assert_eq!(error.kind, ErrorKind::MalformedPayload);
        }
        assert!(KeyExchange::parse(&[0; 4], 32).unwrap().data.is_empty());
    }

    #[test]
    fn every_assigned_method_but_none_has_a_length() {
        for method in KeyExchangeMethod::ALL {
            let known = public_value_length(*method, false).is_some();
            assert_eq!(known, *method != KeyExchangeMethod::NONE, "{method}");
        }
    }

    #[test]
    fn encapsulation_differs_by_direction() {
        let kem = KeyExchangeMethod::ML_KEM_768;
        assert_eq!(public_value_length(kem, false), Some(1184));
        assert_eq!(public_value_length(kem, true), Some(1088));
    }
}
