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
    /// What follows the selector's length, in the form the type prescribes.
    pub body: &'a [u8],
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
        let body = length
            .checked_sub(4)
            .and_then(|size| r.take(size, "Selector Length").ok())
            .ok_or_else(|| length_field.error("Selector Length"))?;
        let selector = Self { kind, ip_protocol, body };
        if selector.address_length().is_some() && selector.address_range().is_none() {
            return Err(length_field.error("Selector Length"));
        }
        Ok(selector)
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

    const fn address_length(&self) -> Option<usize> {
        match self.kind {
            TsType::TS_IPV4_ADDR_RANGE => Some(4),
            TsType::TS_IPV6_ADDR_RANGE => Some(16),
            _ => None,
        }
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
            self.announced = None;
        }
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
            assert!(ts.selectors().any(|s| s.is_err()), "{cut} bytes");
        }
    }
}
