//! The Configuration payload
//! ([RFC 7296, section 3.15](https://www.rfc-editor.org/rfc/rfc7296#section-3.15)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{CfgAttribute, CfgType};

/// Settings one peer asks of or gives to the other.
#[derive(Clone, Copy, Debug)]
pub struct Configuration<'a> {
    /// CFG Type.
    pub kind: CfgType,
    attributes: Reader<'a>,
}

impl<'a> Configuration<'a> {
    /// Reads the body of a CP payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when the fixed fields are cut off.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let kind = CfgType(r.u8("CFG Type")?);
        r.take(3, "RESERVED")?;
        Ok(Self { kind, attributes: r })
    }

    /// The attributes, in the order of the wire; an error ends the walk.
    pub fn attributes(&self) -> ConfigurationAttributes<'a> {
        ConfigurationAttributes { reader: self.attributes }
    }
}

/// One configuration attribute (RFC 7296, section 3.15.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigurationAttribute<'a> {
    /// Attribute Type.
    pub kind: CfgAttribute,
    /// Value; empty where one is asked for.
    pub value: &'a [u8],
}

/// Walks the attributes of a CP payload.
#[derive(Clone, Debug)]
pub struct ConfigurationAttributes<'a> {
    reader: Reader<'a>,
}

impl<'a> ConfigurationAttributes<'a> {
    fn read(&mut self) -> Result<ConfigurationAttribute<'a>, ParseError> {
        let r = &mut self.reader;
        // The first bit is reserved and has to be ignored.
        let kind = CfgAttribute(r.u16("Attribute Type")? & 0x7fff);
        let length_field = *r;
        let length = r.u16("Length")?;
        let value =
            r.take(usize::from(length), "Length").map_err(|_| length_field.error("Length"))?;
        Ok(ConfigurationAttribute { kind, value })
    }
}

impl<'a> Iterator for ConfigurationAttributes<'a> {
    type Item = Result<ConfigurationAttribute<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let attribute = self.read();
        if attribute.is_err() {
            self.reader.rest();
        }
        Some(attribute)
    }
}

impl core::iter::FusedIterator for ConfigurationAttributes<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: [u8; 16] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 4, 9, 9, 9, 9];

    #[test]
    fn reads_attributes() {
        let cp = Configuration::parse(&BODY, 32).unwrap();
        assert_eq!(cp.kind, CfgType::CFG_REQUEST);
        let kinds = cp.attributes().map(|a| a.unwrap().kind);
        assert!(kinds.eq([CfgAttribute::INTERNAL_IP4_ADDRESS, CfgAttribute::INTERNAL_IP4_DNS]));
    }

    #[test]
    fn a_value_that_is_cut_off_ends_the_walk() {
        for cut in 9..BODY.len() {
            let cp = Configuration::parse(&BODY[..cut], 32).unwrap();
            let last = cp.attributes().last().unwrap();
            assert!(last.is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn needs_its_fixed_fields_at_every_length() {
        for cut in 0..4 {
            assert!(Configuration::parse(&BODY[..cut], 32).is_err());
        }
    }
}
