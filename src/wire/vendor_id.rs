//! The Vendor ID payload
//! ([RFC 7296, section 3.12](https://www.rfc-editor.org/rfc/rfc7296#section-3.12)).

use super::error::ParseError;

/// A vendor's mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorId<'a> {
    /// Vendor ID (VID): the whole body. The RFC sets no minimum; marks of a
    /// few readable characters are in use beside 16-byte digests.
    pub data: &'a [u8],
}

impl<'a> VendorId<'a> {
    /// Reads the body of a Vendor ID payload.
    ///
    /// # Errors
    /// None: any number of bytes is a vendor ID, even none.
    pub fn parse(body: &'a [u8], _body_offset: u32) -> Result<Self, ParseError> {
        Ok(Self { data: body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w4b_keeps_every_byte_at_every_length() {
        let bytes: [u8; 24] = core::array::from_fn(|i| i as u8);
        for length in 0..=bytes.len() {
            let vendor_id = VendorId::parse(&bytes[..length], 32).unwrap();
            assert_eq!(vendor_id.data, &bytes[..length]);
        }
    }
}
