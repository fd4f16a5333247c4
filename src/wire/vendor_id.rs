//! The Vendor ID payload
//! ([RFC 7296, section 3.12](https://www.rfc-editor.org/rfc/rfc7296#section-3.12)).

use super::error::ParseError;

/// A vendor ID: it identifies an implementation or an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorId<'a> {
    /// The Vendor ID (VID) field: the whole body. The RFC sets no minimum length. Besides
    /// 16-byte digests, vendors use texts of a few characters.
    pub data: &'a [u8],
}

impl<'a> VendorId<'a> {
    /// Parses the body of a Vendor ID payload.
    ///
    /// # Errors
    /// None. A vendor ID may have any length, even zero.
    pub fn parse(body: &'a [u8], _body_offset: u32) -> Result<Self, ParseError> {
        Ok(Self { data: body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_id_of_any_length_keeps_every_byte() {
        let bytes: [u8; 24] = core::array::from_fn(|i| i as u8);
        for length in 0..=bytes.len() {
            let vendor_id = VendorId::parse(&bytes[..length], 32).unwrap();
            assert_eq!(vendor_id.data, &bytes[..length]);
        }
    }
}
