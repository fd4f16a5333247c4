//! The Extensible Authentication payload
//! ([RFC 7296, section 3.16](https://www.rfc-editor.org/rfc/rfc7296#section-3.16)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{EapCode, EapMethod};

/// Code, Identifier and Length.
const FIXED_LENGTH: usize = 4;

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
    /// What is wrong with a message that could be read.
    pub fault: Option<ParseError>,
}

impl<'a> Eap<'a> {
    /// Reads the body of an EAP payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when the fixed fields are cut off. A length that is
    /// not the body's, success and failure with more than the fixed fields (RFC 3748, 4.2)
    /// and a request or response without type are [`Eap::fault`].
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let code = EapCode(r.u8("Code")?);
        let identifier = r.u8("Identifier")?;
        let length_field = r;
        let length = usize::from(r.u16("Length")?);
        let is_whole = length == body.len();
        let mut fault = (!is_whole).then(|| length_field.error("Length"));
        let mut method = None;
        match code {
            EapCode::REQUEST | EapCode::RESPONSE => match r.u8("Type") {
                Ok(number) => method = Some(EapMethod(number)),
                Err(error) => fault = fault.or(Some(error)),
            },
            EapCode::SUCCESS | EapCode::FAILURE if length != FIXED_LENGTH => {
                fault = Some(length_field.error("Length"));
            }
            _ => {}
        }
        // Behind the end of the message nothing is its data.
        let behind = body.len().saturating_sub(length);
        let vendor_field = r;
        let data = r.take(r.remaining().saturating_sub(behind), "Length").unwrap_or(&[]);
        let eap = Self { code, identifier, method, data, fault };
        let cut_off = method == Some(EapMethod::EXPANDED) && eap.expanded().is_none();
        Ok(Self { fault: fault.or(cut_off.then(|| vendor_field.error("Vendor-Type"))), ..eap })
    }

    /// Vendor-Id and Vendor-Type of the type Expanded (RFC 3748, 5.7), and what follows them.
    pub fn expanded(&self) -> Option<(u32, u32, &'a [u8])> {
        self.method.filter(|method| *method == EapMethod::EXPANDED)?;
        let (vendor, rest) = self.data.split_first_chunk::<3>()?;
        let (kind, data) = rest.split_first_chunk::<4>()?;
        let vendor = vendor.iter().fold(0, |high, low| high << 8 | u32::from(*low));
        Some((vendor, u32::from_be_bytes(*kind), data))
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
        assert_eq!(Eap::parse(body, 32).unwrap().fault, None);
        for cut in 0..body.len() {
            match Eap::parse(&body[..cut], 32) {
                Err(_) => assert!(cut < FIXED_LENGTH, "{cut} bytes"),
                Ok(eap) => {
                    assert_eq!(eap.fault.unwrap().field, "Length", "{cut} bytes");
                    assert_eq!(eap.data, body.get(5..cut).unwrap_or(&[]), "{cut} bytes");
                }
            }
        }
    }

    #[test]
    fn what_is_behind_the_message_is_not_its_data() {
        let eap = Eap::parse(b"\x02\x07\x00\x0a\x01aliceXYZ", 32).unwrap();
        assert_eq!((eap.data, eap.fault.unwrap().offset), (&b"alice"[..], 34));
    }

    #[test]
    fn success_and_failure_are_four_bytes() {
        for code in [3, 4] {
            assert_eq!(Eap::parse(&[code, 9, 0, 4], 32).unwrap().fault, None);
            for body in [&[code, 9, 0, 5, 0][..], &[code, 9, 0, 3], &[code, 9, 0, 4, 0]] {
                let eap = Eap::parse(body, 32).unwrap();
                assert_eq!((eap.code.0, eap.fault.unwrap().field), (code, "Length"));
            }
        }
    }

    #[test]
    fn expanded_types_have_a_vendor() {
        let body = [1, 9, 0, 14, 254, 0, 0x28, 0xaf, 0, 0, 0, 3, 1, 0];
        let eap = Eap::parse(&body, 32).unwrap();
        assert_eq!((eap.expanded(), eap.fault), (Some((10415, 3, &[1, 0][..])), None));
        for length in 5..12 {
            let mut cut = body[..length].to_vec();
            cut[3] = length as u8;
            let eap = Eap::parse(&cut, 32).unwrap();
            assert_eq!((eap.expanded(), eap.fault.unwrap().field), (None, "Vendor-Type"));
        }
        assert_eq!(Eap::parse(b"\x02\x07\x00\x0d\x01alice678", 32).unwrap().expanded(), None);
    }

    #[test]
    fn a_request_has_a_type() {
        let eap = Eap::parse(&[1, 9, 0, 4], 32).unwrap();
        assert_eq!((eap.method, eap.fault.unwrap().field), (None, "Type"));
    }
}
