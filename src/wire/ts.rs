//! The Traffic Selector payloads
//! ([RFC 7296, section 3.13](https://www.rfc-editor.org/rfc/rfc7296#section-3.13)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::TsType;

/// The body of TSi and TSr: the traffic an SA may carry.
#[derive(Clone, Copy, Debug)]
pub struct TrafficSelectors<'a> {
    /// Number of TSs, as announced.
    pub count: u8,
    selectors: Reader<'a>,
    count_offset: u32,
}

impl<'a> TrafficSelectors<'a> {
    /// Reads the body of a TSi or TSr payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] when the fixed fields are cut off.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let count = r.u8("Number of TSs")?;
        r.take(3, "RESERVED")?;
        Ok(Self { count, selectors: r, count_offset: body_offset })
    }

    /// The first thing that is wrong with the selectors or their count.
    pub fn fault(&self) -> Option<ParseError> {
        self.selectors().find_map(|selector| match selector {
            Ok(selector) => selector.fault,
            Err(error) => Some(error),
        })
    }

    /// The selectors, in the order of the wire. An error ends the walk; the
    /// last one may be that there were not as many as announced.
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
    /// TS Type.
    pub kind: TsType,
    /// IP Protocol ID, 0 for any; reserved in a security label.
    pub ip_protocol: u8,
    /// What follows the selector's length, in the form the type prescribes, as far as it is
    /// there.
    pub body: &'a [u8],
    /// What is wrong with a selector that could be read: a length that its type cannot have,
    /// or that goes past the end of the payload.
    pub fault: Option<ParseError>,
}

/// A selector's range of ports and addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange<'a> {
    /// Start Port.
    pub start_port: u16,
    /// End Port.
    pub end_port: u16,
    /// Starting Address, 4 or 16 bytes.
    pub start: &'a [u8],
    /// Ending Address, as long as the starting one.
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
        // The length is wrong. What the type prescribes is more likely than what the field
        // says, also for where the next selector begins.
        let size = wanted.unwrap_or(usize::MAX).min(r.remaining());
        let body = r.take(size, "Selector Length")?;
        Ok(Self { kind, ip_protocol, body, fault: Some(length_field.error("Selector Length")) })
    }

    /// The range, for the types that consist of one.
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

    /// How many bytes an address has, for the types that consist of a range.
    pub const fn address_length(&self) -> Option<usize> {
        address_length(self.kind)
    }
}

/// TS Type, IP Protocol ID and Selector Length.
const FIXED_LENGTH: usize = 4;

/// The bytes of two ports and two addresses of so many bytes.
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

/// Walks the selectors of a TS payload.
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
        // Who does not know where selectors begin cannot count them.
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
        // Too short, too long within the payload, past its end, less than the fixed fields.
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
    fn what_is_there_of_a_selector_is_kept() {
        let body = [&[1, 0, 0, 0][..], &BODY[4..16]].concat();
        let ts = TrafficSelectors::parse(&body, 32).unwrap();
        let found = ts.selectors().next().unwrap().unwrap();
        assert!(found.fault.is_some() && found.address_range().is_none());
        assert_eq!(found.body, &BODY[8..16]);
        // Of a type without a form, all that is left.
        let ts = TrafficSelectors::parse(&[1, 0, 0, 0, 10, 0, 0, 99, b'a', b'b'], 32).unwrap();
        let found = ts.selectors().next().unwrap().unwrap();
        assert_eq!((found.body, found.fault.is_some()), (&b"ab"[..], true));
    }

    #[test]
    fn the_count_fits() {
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
