//! The Traffic Selector payloads
//! ([RFC 7296, section 3.13](https://www.rfc-editor.org/rfc/rfc7296#section-3.13)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::TsType;

/// The body of TSi and TSr: the traffic that an SA may carry.
#[derive(Clone, Copy, Debug)]
pub struct TrafficSelectors<'a> {
    /// The Number of TSs field.
    pub count: u8,
    selectors: Reader<'a>,
    count_offset: u32,
}

impl<'a> TrafficSelectors<'a> {
    /// Parses the body of a TSi or TSr payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields are incomplete.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let count = r.u8("Number of TSs")?;
        r.take(3, "RESERVED")?;
        Ok(Self { count, selectors: r, count_offset: body_offset })
    }

    /// The first fault of the selectors or of their number.
    pub fn fault(&self) -> Option<ParseError> {
        self.selectors().find_map(|selector| match selector {
            Ok(selector) => selector.fault,
            Err(error) => Some(error),
        })
    }

    /// The selectors, in the order of the message. The iterator ends after an error. The
    /// last error may be that their number differs from the Number of TSs field.
    pub fn selectors(&self) -> Selectors<'a> {
        Selectors {
            reader: self.selectors,
            announced: Some(self.count),
            seen: 0,
            count_offset: self.count_offset,
        }
    }
}

/// One traffic selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficSelector<'a> {
    /// The TS Type field.
    pub kind: TsType,
    /// The IP Protocol ID field. 0 stands for any protocol. The field is reserved in a
    /// security label.
    pub ip_protocol: u8,
    /// The bytes after Selector Length. Their form depends on the type. They may be
    /// truncated.
    pub body: &'a [u8],
    /// The fault of a selector that could be parsed: its length exceeds the payload, or its
    /// type does not allow this length.
    pub fault: Option<ParseError>,
}

/// The ports and addresses of a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange<'a> {
    /// The Start Port field.
    pub start_port: u16,
    /// The End Port field.
    pub end_port: u16,
    /// The Starting Address field: 4 or 16 bytes.
    pub start: &'a [u8],
    /// The Ending Address field. It is as long as the starting address.
    pub end: &'a [u8],
}

impl<'a> TrafficSelector<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, ParseError> {
        let kind = TsType(r.u8("TS Type")?);
        let ip_protocol = r.u8("IP Protocol ID")?;
        let length_field = *r;
        let length = usize::from(r.u16("Selector Length")?);
        let announced = length.checked_sub(FIXED_LENGTH);
        let wanted = address_length(kind).map(range_length);
        let sound = announced.filter(|size| wanted.is_none_or(|wanted| wanted == *size));
        if let Some(body) = sound.and_then(|size| r.take(size, "Selector Length").ok()) {
            return Ok(Self { kind, ip_protocol, body, fault: None });
        }
        // The length is wrong. The length that the type requires is more likely than the
        // field's value. The start of the next selector follows from it.
        let size = wanted.unwrap_or(usize::MAX).min(r.remaining());
        let body = r.take(size, "Selector Length")?;
        Ok(Self { kind, ip_protocol, body, fault: Some(length_field.error("Selector Length")) })
    }

    /// The range, for types that contain one.
    pub fn address_range(&self) -> Option<AddressRange<'a>> {
        let length = self.address_length()?;
        let mut r = Reader::new(self.body, 0, ErrorKind::MalformedPayload);
        let range = AddressRange {
            start_port: r.u16("Start Port").ok()?,
            end_port: r.u16("End Port").ok()?,
            start: r.take(length, "Starting Address").ok()?,
            end: r.take(length, "Ending Address").ok()?,
        };
        r.is_empty().then_some(range)
    }

    /// The length of an address in bytes, for types that contain a range.
    pub const fn address_length(&self) -> Option<usize> {
        address_length(self.kind)
    }
}

/// The size of TS Type, IP Protocol ID and Selector Length in bytes.
const FIXED_LENGTH: usize = 4;

/// The size in bytes of two ports and two addresses. `address` is the size of one address.
const fn range_length(address: usize) -> usize {
    2 * size_of::<u16>() + 2 * address
}

const fn address_length(kind: TsType) -> Option<usize> {
    match kind {
        TsType::TS_IPV4_ADDR_RANGE => Some(4),
        TsType::TS_IPV6_ADDR_RANGE => Some(16),
        _ => None,
    }
}

/// Iterates over the selectors of a TS payload.
#[derive(Clone, Debug)]
pub struct Selectors<'a> {
    reader: Reader<'a>,
    announced: Option<u8>,
    seen: usize,
    count_offset: u32,
}

impl Selectors<'_> {
    fn count_error(&mut self) -> Option<ParseError> {
        let announced = self.announced.take()?;
        (usize::from(announced) != self.seen).then_some(ParseError {
            kind: ErrorKind::MalformedPayload,
            field: "Number of TSs",
            offset: self.count_offset,
        })
    }
}

impl<'a> Iterator for Selectors<'a> {
    type Item = Result<TrafficSelector<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return self.count_error().map(Err);
        }
        self.seen += 1;
        let selector = TrafficSelector::read(&mut self.reader);
        if selector.is_err() {
            self.reader.rest();
        }
        if selector.is_ok_and(|selector| selector.fault.is_none()) {
            return Some(selector);
        }
        // If the start of a selector is unknown, selectors cannot be counted.
        self.announced = None;
        Some(selector)
    }
}

impl core::iter::FusedIterator for Selectors<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: [u8; 36] = [
        2, 0, 0, 0, // two selectors
        7, 17, 0, 16, 0x01, 0xf4, 0x01, 0xf4, 10, 0, 0, 0, 10, 0, 0, 255, // UDP 500
        7, 0, 0, 16, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 255, 255, 255, 255, // anything
    ];

    #[test]
    fn reads_ranges() {
        let ts = TrafficSelectors::parse(&BODY, 32).unwrap();
        let first = ts.selectors().next().unwrap().unwrap();
        assert_eq!(first.ip_protocol, 17);
        let range = first.address_range().unwrap();
        assert_eq!((range.start_port, range.end_port), (500, 500));
        assert_eq!((range.start, range.end), (&[10, 0, 0, 0][..], &[10, 0, 0, 255][..]));
        assert_eq!(ts.selectors().filter(Result::is_ok).count(), 2);
        assert!(ts.selectors().all(|s| s.is_ok()));
    }

    #[test]
    fn security_labels_are_not_ranges() {
        let body = [1, 0, 0, 0, 10, 0, 0, 7, b'a', b'b', b'c'];
        let ts = TrafficSelectors::parse(&body, 32).unwrap();
        let label = ts.selectors().next().unwrap().unwrap();
        assert_eq!(label.kind, TsType::TS_SECLABEL);
        assert_eq!((label.body, label.address_range()), (&b"abc"[..], None));
    }

    #[test]
    fn reports_a_fault_at_every_shorter_length() {
        for cut in 0..BODY.len() {
            let Ok(ts) = TrafficSelectors::parse(&BODY[..cut], 32) else {
                continue;
            };
            assert!(ts.fault().is_some(), "{cut} bytes");
        }
        assert_eq!(TrafficSelectors::parse(&BODY, 32).unwrap().fault(), None);
    }

    #[test]
    fn a_wrong_length_hides_no_selector() {
        // Too short, too long within the payload, beyond the payload, and less than the
        // fixed fields.
        for length in [12, 8, 20, 32, 255, 0, 3] {
            let mut body = BODY;
            body[7] = length;
            let ts = TrafficSelectors::parse(&body, 32).unwrap();
            let found: Vec<_> = ts.selectors().map(Result::unwrap).collect();
            assert_eq!(found.len(), 2, "length {length}");
            let fault = found[0].fault.unwrap();
            assert_eq!((fault.field, fault.offset), ("Selector Length", 38));
            assert_eq!(found[0].address_range().unwrap().end, [10, 0, 0, 255]);
            assert_eq!(found[1].fault, None);
        }
    }

    #[test]
    fn the_available_part_of_a_selector_is_kept() {
        let body = [&[1, 0, 0, 0][..], &BODY[4..16]].concat();
        let ts = TrafficSelectors::parse(&body, 32).unwrap();
        let found = ts.selectors().next().unwrap().unwrap();
        assert!(found.fault.is_some() && found.address_range().is_none());
        assert_eq!(found.body, &BODY[8..16]);
        // A type without a defined form gets all remaining bytes.
        let ts = TrafficSelectors::parse(&[1, 0, 0, 0, 10, 0, 0, 99, b'a', b'b'], 32).unwrap();
        let found = ts.selectors().next().unwrap().unwrap();
        assert_eq!((found.body, found.fault.is_some()), (&b"ab"[..], true));
    }

    #[test]
    fn the_number_of_selectors_is_checked() {
        for count in [0, 1, 3, 255] {
            let mut body = BODY;
            body[0] = count;
            let ts = TrafficSelectors::parse(&body, 32).unwrap();
            assert_eq!(ts.selectors().filter(Result::is_ok).count(), 2);
            let fault = ts.fault().unwrap();
            assert_eq!((fault.field, fault.offset), ("Number of TSs", 32));
        }
    }
}
