//! The Configuration payload
//! ([RFC 7296, section 3.15](https://www.rfc-editor.org/rfc/rfc7296#section-3.15)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{CfgAttribute, CfgType};

/// Configuration data that one peer requests from the other or assigns to it.
#[derive(Clone, Copy, Debug)]
pub struct Configuration<'a> {
    /// The CFG Type field.
    pub kind: CfgType,
    attributes: Reader<'a>,
}

impl<'a> Configuration<'a> {
    /// Parses the body of a CP payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields are incomplete.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let kind = CfgType(r.u8("CFG Type")?);
        r.take(3, "RESERVED")?;
        Ok(Self { kind, attributes: r })
    }

    /// The first fault of the attributes.
    pub fn fault(&self) -> Option<ParseError> {
        self.attributes().find_map(|attribute| match attribute {
            Ok(attribute) => attribute.fault,
            Err(error) => Some(error),
        })
    }

    /// The attributes, in the order of the message. The iterator ends after an error.
    pub fn attributes(&self) -> ConfigurationAttributes<'a> {
        ConfigurationAttributes { reader: self.attributes }
    }
}

/// One configuration attribute (RFC 7296, section 3.15.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigurationAttribute<'a> {
    /// The Attribute Type field, without the reserved bit.
    pub kind: CfgAttribute,
    /// The Value field. It may be empty in a request.
    pub value: &'a [u8],
    /// The fault of an attribute that could be parsed: its length exceeds the payload, or
    /// its type does not allow this length.
    pub fault: Option<ParseError>,
}

/// Iterates over the attributes of a CP payload.
#[derive(Clone, Debug)]
pub struct ConfigurationAttributes<'a> {
    reader: Reader<'a>,
}

impl<'a> ConfigurationAttributes<'a> {
    fn read(&mut self) -> Result<ConfigurationAttribute<'a>, ParseError> {
        let r = &mut self.reader;
        // Receivers ignore the first bit, which is reserved.
        let kind = CfgAttribute(r.u16("Attribute Type")? & 0x7fff);
        let length_field = *r;
        let length = r.u16("Length")?;
        let whole = r.take(usize::from(length), "Length");
        let sound = whole.is_ok_and(|value| may_have(kind, value.len()));
        let value = whole.unwrap_or_else(|_| r.rest());
        let fault = (!sound).then(|| length_field.error("Length"));
        Ok(ConfigurationAttribute { kind, value, fault })
    }
}

/// Whether an attribute of this type may have this length in bytes. Every attribute may be
/// empty, both in a request and when a value is refused.
///
/// Sources: RFC 7296, 3.15.1; RFC 5739 for the prefix; RFC 7651 for P-CSCF; RFC 6867 for
/// FTT_KAT; TS 24.302, 8.2.4.2, for the period. The other types are not checked: their
/// length is free, or specifications and peers differ. Peers that follow drafts before RFC
/// 4718 send an IPv6 address without its prefix length.
fn may_have(kind: CfgAttribute, length: usize) -> bool {
    match kind {
        CfgAttribute::INTERNAL_IP4_ADDRESS
        | CfgAttribute::INTERNAL_IP4_NETMASK
        | CfgAttribute::INTERNAL_IP4_DNS
        | CfgAttribute::INTERNAL_IP4_NBNS
        | CfgAttribute::INTERNAL_IP4_DHCP
        | CfgAttribute::P_CSCF_IP4_ADDRESS => matches!(length, 0 | 4),
        CfgAttribute::INTERNAL_IP6_DNS
        | CfgAttribute::INTERNAL_IP6_DHCP
        | CfgAttribute::P_CSCF_IP6_ADDRESS => matches!(length, 0 | 16),
        CfgAttribute::INTERNAL_IP6_ADDRESS => matches!(length, 0 | 16 | 17),
        CfgAttribute::INTERNAL_IP4_SUBNET => matches!(length, 0 | 8),
        CfgAttribute::INTERNAL_IP6_SUBNET | CfgAttribute::INTERNAL_IP6_PREFIX => {
            matches!(length, 0 | 17)
        }
        CfgAttribute::TIMEOUT_PERIOD_FOR_LIVENESS_CHECK => matches!(length, 0 | 4),
        CfgAttribute::SUPPORTED_ATTRIBUTES => length.is_multiple_of(2),
        _ => true,
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
    fn a_truncated_value_ends_the_attributes() {
        for cut in 9..BODY.len() {
            let cp = Configuration::parse(&BODY[..cut], 32).unwrap();
            let last = cp.attributes().last().unwrap();
            assert!(last.is_err() || last.unwrap().fault.is_some(), "{cut} bytes");
        }
    }

    #[test]
    fn the_available_part_of_a_value_is_kept() {
        let cp = Configuration::parse(&[2, 0, 0, 0, 0, 1, 0, 200, 10, 0, 0, 1], 32).unwrap();
        let attribute = cp.attributes().next().unwrap().unwrap();
        assert_eq!(attribute.value, [10, 0, 0, 1]);
        let fault = attribute.fault.unwrap();
        assert_eq!((fault.field, fault.offset), ("Length", 38));
    }

    #[test]
    fn the_length_of_each_type_is_checked() {
        let fault = |kind: CfgAttribute, length: u8| {
            let front = [2, 0, 0, 0, (kind.0 >> 8) as u8, kind.0 as u8, 0, length];
            let body = [&front[..], &vec![7; length.into()]].concat();
            let cp = Configuration::parse(&body, 32).unwrap();
            let attribute = cp.attributes().next().unwrap().unwrap();
            assert_eq!(attribute.value.len(), usize::from(length));
            attribute.fault.is_some()
        };
        for (kind, sound) in [
            (CfgAttribute::INTERNAL_IP4_ADDRESS, &[0, 4][..]),
            (CfgAttribute::INTERNAL_IP4_NETMASK, &[0, 4]),
            (CfgAttribute::INTERNAL_IP6_ADDRESS, &[0, 16, 17]),
            (CfgAttribute::INTERNAL_IP6_DNS, &[0, 16]),
            (CfgAttribute::INTERNAL_IP4_SUBNET, &[0, 8]),
            (CfgAttribute::INTERNAL_IP6_SUBNET, &[0, 17]),
            (CfgAttribute::SUPPORTED_ATTRIBUTES, &[0, 2, 4, 6, 8, 10, 12, 14, 16, 18]),
        ] {
            for length in 0..20 {
                assert_eq!(fault(kind, length), !sound.contains(&length), "{kind} {length}");
            }
        }
        assert!(!fault(CfgAttribute::APPLICATION_VERSION, 13));
    }

    #[test]
    fn needs_its_fixed_fields_at_every_length() {
        for cut in 0..4 {
            assert!(Configuration::parse(&BODY[..cut], 32).is_err());
        }
    }
}
