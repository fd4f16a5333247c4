//! The Security Association payload: proposals and their transforms ([RFC 7296, section
//! 3.3](https://www.rfc-editor.org/rfc/rfc7296#section-3.3)).
//!
//! Proposals and transforms are iterators over results. Some items are readable, but their
//! Last Substruc, number or count is wrong. The iterator returns such an item first and its
//! fault next, so that the fault is reported and no algorithm is hidden. After an
//! unreadable item the iterator continues if the item's length is known.

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{AttributeType, Protocol, TransformType};

/// The maximum number of proposals of an SA payload. Further proposals are not read.
pub const MAX_PROPOSALS: usize = 64;

/// The maximum number of transforms of a proposal. Num Transforms has one byte, so there
/// cannot be more.
pub const MAX_TRANSFORMS: usize = u8::MAX as usize;

/// One proposal: a protocol and the transforms that are offered for it.
#[derive(Clone, Copy, Debug)]
pub struct RawProposal<'a> {
    /// The Proposal Num field.
    pub number: u8,
    /// The Protocol ID field.
    pub protocol: Protocol,
    /// The SPI. Empty for a new IKE SA, 8 bytes for a rekeyed one, and 4 bytes for AH and
    /// ESP.
    pub spi: &'a [u8],
    /// The offset of the SPI, in bytes from the start of the IKE header.
    pub spi_offset: u32,
    /// The offset of the proposal, in bytes from the start of the IKE header.
    pub offset: u32,
    /// The Num Transforms field.
    pub transform_count: u8,
    transforms: Reader<'a>,
}

impl<'a> RawProposal<'a> {
    /// The transforms, in the order of the message.
    #[inline]
    pub fn transforms(&self) -> Transforms<'a> {
        Transforms {
            reader: self.transforms,
            announced: Some(self.transform_count),
            count_offset: self.offset.wrapping_add(7),
            seen: 0,
            deferred: None,
        }
    }

    /// Reads a proposal substructure.
    #[inline]
    fn read(sub: &Substructure<'a>) -> Result<Self, ParseError> {
        let [number, protocol, spi_size, transform_count] = sub.fixed;
        let spi_offset = sub.offset.wrapping_add(SUBSTRUCTURE_LEN as u32);
        let mut r = Reader::new(sub.rest, spi_offset, ErrorKind::BadTransformLength);
        let Ok(spi) = r.take(usize::from(spi_size), "SPI Size") else {
            return Err(spi_size_error(sub.offset));
        };
        Ok(Self {
            number,
            protocol: Protocol(protocol),
            spi,
            spi_offset,
            offset: sub.offset,
            transform_count,
            transforms: r,
        })
    }

    /// Whether the length of the SPI is allowed for the protocol (RFC 7296, section 3.3.1).
    /// A G-IKEv2 registration may have no SPI.
    #[inline]
    fn spi_fits(&self) -> bool {
        match self.protocol {
            Protocol::IKE => matches!(self.spi.len(), 0 | 8),
            Protocol::AH | Protocol::ESP => matches!(self.spi.len(), 0 | 4),
            _ => true,
        }
    }
}

#[cold]
fn spi_size_error(proposal: u32) -> ParseError {
    fault(ErrorKind::MalformedPayload, "SPI Size", proposal.wrapping_add(6))
}

/// Iterates over the proposals of an SA payload.
#[derive(Clone, Debug)]
pub struct Proposals<'a> {
    reader: Reader<'a>,
    count: usize,
    expected: u8,
    deferred: Option<ParseError>,
}

impl<'a> Proposals<'a> {
    /// Iterates over the body of an SA payload. `body_offset` is the offset of the body, in
    /// bytes from the start of the IKE header.
    #[inline]
    pub fn new(body: &'a [u8], body_offset: u32) -> Self {
        Self {
            reader: Reader::new(body, body_offset, ErrorKind::MalformedPayload),
            count: 0,
            expected: 1,
            deferred: None,
        }
    }

    #[inline]
    fn proposal(&mut self) -> Result<RawProposal<'a>, ParseError> {
        self.count += 1;
        let sub = match Substructure::read(&mut self.reader, &PROPOSAL) {
            Ok(sub) => sub,
            Err(error) => return Err(self.end_at(error)),
        };
        let expected = self.expected;
        self.expected = expected.wrapping_add(1);
        let proposal = RawProposal::read(&sub)?;
        self.expected = proposal.number.wrapping_add(1);
        if !sub.last_fits(&PROPOSAL, &self.reader) {
            self.deferred = Some(sub.last_error());
        } else if !self.number_fits(proposal.number, expected) {
            let kind = ErrorKind::ProposalCountMismatch;
            self.deferred = Some(fault(kind, "Proposal Num", sub.offset.wrapping_add(4)));
        } else if !proposal.spi_fits() {
            self.deferred = Some(spi_size_error(sub.offset));
        }
        Ok(proposal)
    }

    /// Ends the iteration, because the start of the next proposal is unknown.
    #[cold]
    #[inline]
    fn end_at(&mut self, error: ParseError) -> ParseError {
        self.reader.rest();
        self.count = MAX_PROPOSALS;
        error
    }

    /// The fault to return instead of a proposal: a fault of the previous proposal, too
    /// many proposals, or no proposal at all.
    #[cold]
    #[inline]
    fn fault(&mut self) -> Option<ParseError> {
        if self.deferred.is_some() {
            return self.deferred.take();
        }
        let (kind, wrong) = match self.count {
            0 => (ErrorKind::MalformedPayload, true),
            _ => (ErrorKind::TooManyProposals, !self.reader.is_empty()),
        };
        let error = self.reader.error_of(kind, "Proposals");
        wrong.then(|| self.end_at(error))
    }

    /// Whether the proposals are numbered 1, 2, 3 and so on. A single proposal may have any
    /// number: in a response it is the number of the chosen proposal.
    #[inline]
    fn number_fits(&self, number: u8, expected: u8) -> bool {
        number == expected || (self.count == 1 && self.reader.is_empty())
    }
}

impl<'a> Iterator for Proposals<'a> {
    type Item = Result<RawProposal<'a>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let end = self.reader.is_empty() || self.count == MAX_PROPOSALS;
        if end || self.deferred.is_some() {
            return self.fault().map(Err);
        }
        Some(self.proposal())
    }
}

impl core::iter::FusedIterator for Proposals<'_> {}

/// One transform: an algorithm and its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawTransform<'a> {
    /// The Transform Type field.
    pub kind: TransformType,
    /// The Transform ID field, a number of the registry for this type
    /// ([`transform_name`](super::transform_name)).
    pub id: u16,
    /// The Key Length attribute in bits, if there is one.
    pub key_length: Option<u16>,
    /// The offset of the transform, in bytes from the start of the IKE header.
    pub offset: u32,
    attributes: &'a [u8],
}

impl<'a> RawTransform<'a> {
    /// The attributes, in the order of the message.
    #[inline]
    pub fn attributes(&self) -> Attributes<'a> {
        let offset = self.offset.wrapping_add(8);
        Attributes { reader: Reader::new(self.attributes, offset, ErrorKind::BadTransformLength) }
    }

    /// Whether the transform has no attribute other than Key Length.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.attributes.len() == if self.key_length.is_some() { 4 } else { 0 }
    }

    /// Reads a transform substructure without its attributes.
    #[inline]
    fn read(sub: &Substructure<'a>) -> Self {
        let [kind, _reserved, id @ ..] = sub.fixed;
        Self {
            kind: TransformType(kind),
            id: u16::from_be_bytes(id),
            key_length: None,
            offset: sub.offset,
            attributes: sub.rest,
        }
    }

    /// Reads the Key Length. RFC 7296, section 3.3.5, requires the short form and allows
    /// only one Key Length.
    #[inline]
    fn read_key_length(&mut self) -> Result<(), ParseError> {
        let mut attributes = self.attributes();
        while !attributes.reader.is_empty() {
            let start = attributes.reader;
            let attribute = attributes.read()?;
            if attribute.kind != AttributeType::KEY_LENGTH {
                continue;
            }
            match (attribute.value, self.key_length) {
                (AttributeValue::Short(bits), None) => self.key_length = Some(bits),
                _ => return Err(start.error_of(ErrorKind::MalformedPayload, "Attribute Type")),
            }
        }
        Ok(())
    }
}

/// Iterates over the transforms of a proposal.
#[derive(Clone, Debug)]
pub struct Transforms<'a> {
    reader: Reader<'a>,
    /// The Num Transforms field. `None` after it has been compared.
    announced: Option<u8>,
    count_offset: u32,
    seen: u8,
    deferred: Option<ParseError>,
}

impl<'a> Transforms<'a> {
    #[inline]
    fn transform(&mut self) -> Result<RawTransform<'a>, ParseError> {
        let sub = match Substructure::read(&mut self.reader, &TRANSFORM) {
            Ok(sub) => sub,
            Err(error) => return Err(self.end_at(error)),
        };
        let transform = RawTransform::read(&sub);
        let key_length = match *sub.rest {
            [] => None,
            // Nearly all transforms with attributes have only a Key Length.
            [0x80, 0x0e, high, low] => Some(u16::from_be_bytes([high, low])),
            _ => self.find_key_length(transform),
        };
        if !sub.last_fits(&TRANSFORM, &self.reader) {
            self.deferred = Some(sub.last_error());
        }
        Ok(RawTransform { key_length, ..transform })
    }

    /// Searches for a Key Length among other attributes.
    #[cold]
    #[inline]
    fn find_key_length(&mut self, mut transform: RawTransform<'a>) -> Option<u16> {
        self.deferred = transform.read_key_length().err();
        transform.key_length
    }

    /// Ends the iteration, because the start of the next transform is unknown. The count
    /// can no longer be checked.
    #[cold]
    #[inline]
    fn end_at(&mut self, error: ParseError) -> ParseError {
        self.reader.rest();
        self.announced = None;
        error
    }

    /// The fault to return instead of a transform: a fault of the previous transform, too
    /// many transforms, or a wrong count.
    #[cold]
    #[inline]
    fn fault(&mut self) -> Option<ParseError> {
        if self.deferred.is_some() {
            return self.deferred.take();
        }
        if self.reader.is_empty() {
            return self.count_error();
        }
        let error = self.reader.error_of(ErrorKind::TooManyTransforms, "Transforms");
        Some(self.end_at(error))
    }

    /// Compares the announced count with the number of transforms. It does so only once.
    #[inline]
    fn count_error(&mut self) -> Option<ParseError> {
        let announced = self.announced.take()?;
        (announced != self.seen).then_some(ParseError {
            kind: ErrorKind::ProposalCountMismatch,
            field: "Num Transforms",
            offset: self.count_offset,
        })
    }
}

impl<'a> Iterator for Transforms<'a> {
    type Item = Result<RawTransform<'a>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.seen.checked_add(1) {
            Some(seen) if !self.reader.is_empty() && self.deferred.is_none() => self.seen = seen,
            _ => return self.fault().map(Err),
        }
        Some(self.transform())
    }
}

impl core::iter::FusedIterator for Transforms<'_> {}

/// One transform attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The Attribute Type field, without the format bit.
    pub kind: AttributeType,
    /// The value. The format bit determines its form.
    pub value: AttributeValue<'a>,
}

/// The value of a transform attribute (RFC 7296, section 3.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeValue<'a> {
    /// The form Type/Value: the value has two bytes.
    Short(u16),
    /// The form Type/Length/Value.
    Long(&'a [u8]),
}

/// Iterates over the attributes of a transform. The iterator ends after an error.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    reader: Reader<'a>,
}

impl<'a> Attributes<'a> {
    #[inline]
    fn read(&mut self) -> Result<Attribute<'a>, ParseError> {
        let r = &mut self.reader;
        let format_and_type = r.u16("Attribute Type")?;
        let value = if format_and_type & 0x8000 != 0 {
            AttributeValue::Short(r.u16("Attribute Value")?)
        } else {
            let length = r.u16("Attribute Length")?;
            AttributeValue::Long(r.take(usize::from(length), "Attribute Value")?)
        };
        Ok(Attribute { kind: AttributeType(format_and_type & 0x7fff), value })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, ParseError>;

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

impl core::iter::FusedIterator for Attributes<'_> {}

/// The differences between the fixed fields of proposals and transforms.
struct Layout {
    /// The value of Last Substruc if another substructure follows.
    more: u8,
    length_field: &'static str,
    length_error: ErrorKind,
}

impl Layout {
    /// The fault of a length that does not fit the bytes at `start`.
    #[cold]
    fn length_error(&self, start: Reader<'_>) -> ParseError {
        fault(self.length_error, self.length_field, start.offset().wrapping_add(2))
    }
}

const PROPOSAL: Layout =
    Layout { more: 2, length_field: "Proposal Length", length_error: ErrorKind::MalformedPayload };

const TRANSFORM: Layout = Layout {
    more: 3,
    length_field: "Transform Length",
    length_error: ErrorKind::BadTransformLength,
};

/// The size of the fixed part of both substructures in bytes.
const SUBSTRUCTURE_LEN: usize = 8;

/// The fixed part of both substructures: Last Substruc, RESERVED, a length, and four bytes
/// whose meaning differs.
#[derive(Clone, Copy)]
struct Substructure<'a> {
    offset: u32,
    last: u8,
    fixed: [u8; 4],
    rest: &'a [u8],
}

impl<'a> Substructure<'a> {
    #[inline]
    fn read(r: &mut Reader<'a>, layout: &Layout) -> Result<Self, ParseError> {
        let start = *r;
        let [last, _reserved, l0, l1, a, b, c, d] =
            r.array::<SUBSTRUCTURE_LEN>(layout.length_field)?;
        // A length below 8 wraps to a value that is larger than every message, so `take`
        // fails.
        let size = usize::from(u16::from_be_bytes([l0, l1])).wrapping_sub(SUBSTRUCTURE_LEN);
        match r.take(size, layout.length_field) {
            Ok(rest) => Ok(Self { offset: start.offset(), last, fixed: [a, b, c, d], rest }),
            Err(_) => Err(layout.length_error(start)),
        }
    }

    /// Whether Last Substruc is right about `rest`: it says whether another substructure
    /// follows.
    #[inline]
    fn last_fits(&self, layout: &Layout, rest: &Reader<'_>) -> bool {
        self.last == if rest.is_empty() { 0 } else { layout.more }
    }

    #[cold]
    fn last_error(&self) -> ParseError {
        fault(ErrorKind::ProposalCountMismatch, "Last Substruc", self.offset)
    }
}

#[cold]
const fn fault(kind: ErrorKind, field: &'static str, offset: u32) -> ParseError {
    ParseError { kind, field, offset }
}

#[cfg(test)]
mod tests {
    use super::super::registry::{Encr, KeyExchangeMethod};
    use super::super::testing::{proposal, sa_body, transform, transforms};
    use super::*;

    const ENCR: TransformType = TransformType::ENCR;

    fn ike(number: u8) -> Vec<u8> {
        let transforms = transforms(KeyExchangeMethod::CURVE25519);
        proposal(number, Protocol::IKE, &[], &transforms)
    }

    /// The proposal numbers and all faults of an SA payload, including those of transforms.
    fn outline(body: &[u8]) -> (Vec<u8>, Vec<ErrorKind>) {
        let (mut numbers, mut faults) = (Vec::new(), Vec::new());
        for proposal in Proposals::new(body, 32) {
            match proposal {
                Ok(proposal) => {
                    numbers.push(proposal.number);
                    faults.extend(proposal.transforms().filter_map(Result::err).map(|e| e.kind));
                }
                Err(error) => faults.push(error.kind),
            }
        }
        (numbers, faults)
    }

    fn first_transforms(body: &[u8]) -> Vec<Result<RawTransform<'_>, ParseError>> {
        let proposal = Proposals::new(body, 32).next().unwrap().unwrap();
        proposal.transforms().collect()
    }

    fn single(transforms: &[Vec<u8>]) -> Vec<u8> {
        sa_body(&[proposal(1, Protocol::IKE, &[], transforms)])
    }

    #[test]
    fn reads_proposals_and_transforms() {
        let body = sa_body(&[ike(1), ike(2), ike(3)]);
        assert_eq!(outline(&body), (vec![1, 2, 3], vec![]));
        let proposal = Proposals::new(&body, 32).next().unwrap().unwrap();
        assert_eq!(proposal.protocol, Protocol::IKE);
        assert_eq!((proposal.offset, proposal.spi_offset), (32, 40));
        let transforms: Vec<_> = proposal.transforms().map(Result::unwrap).collect();
        assert_eq!(transforms.len(), 4);
        assert_eq!(transforms[3].kind, TransformType::KE);
        assert_eq!(transforms[3].id, KeyExchangeMethod::CURVE25519.0);
    }

    #[test]
    fn the_key_length_is_kept() {
        let body = single(&transforms(KeyExchangeMethod::CURVE25519));
        let first = first_transforms(&body)[0].unwrap();
        assert_eq!((first.kind, first.id), (ENCR, Encr::ENCR_AES_CBC.0));
        assert_eq!(first.key_length, Some(256));
        let attribute = first.attributes().next().unwrap().unwrap();
        assert_eq!(attribute.kind, AttributeType::KEY_LENGTH);
        assert_eq!(attribute.value, AttributeValue::Short(256));
    }

    #[test]
    fn additional_key_exchanges_are_known_types() {
        for kind in 6..=12 {
            let kind = TransformType(kind);
            let body = single(&[transform(kind, KeyExchangeMethod::ML_KEM_768.0, None)]);
            let read = first_transforms(&body)[0].unwrap();
            assert_eq!(read.kind.name().unwrap()[..5], *"ADDKE");
            let name = super::super::transform_name(read.kind, read.id);
            assert_eq!(name, Some("ML_KEM_768"));
        }
    }

    #[test]
    fn a_bad_proposal_does_not_hide_the_next() {
        let mut bad = ike(2);
        bad[6] = 0xff;
        let body = sa_body(&[ike(1), bad, ike(3)]);
        let faults = vec![ErrorKind::MalformedPayload];
        assert_eq!(outline(&body), (vec![1, 3], faults));
    }

    #[test]
    fn a_bad_transform_does_not_hide_the_next_proposal() {
        let mut bad = ike(2);
        bad[10..12].copy_from_slice(&7_u16.to_be_bytes());
        let body = sa_body(&[ike(1), bad, ike(3)]);
        let faults = vec![ErrorKind::BadTransformLength];
        assert_eq!(outline(&body), (vec![1, 2, 3], faults));
    }

    #[test]
    fn last_substruc_of_proposals_is_checked() {
        for wrong in [0, 1, 3, 0xff] {
            let mut first = ike(1);
            first[0] = wrong;
            let faults = vec![ErrorKind::ProposalCountMismatch];
            assert_eq!(outline(&sa_body(&[first, ike(2)])), (vec![1, 2], faults));
        }
        let open = ike(1);
        let faults = vec![ErrorKind::ProposalCountMismatch];
        assert_eq!(outline(&open), (vec![1], faults), "more announced");
    }

    #[test]
    fn last_substruc_of_transforms_is_checked() {
        for wrong in [0, 1, 2] {
            let mut body = single(&transforms(KeyExchangeMethod::MODP_2048));
            body[8] = wrong;
            let items = first_transforms(&body);
            assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 4);
            let error = items[1].unwrap_err();
            assert_eq!(error.kind, ErrorKind::ProposalCountMismatch);
            assert_eq!((error.field, error.offset), ("Last Substruc", 40));
        }
    }

    #[test]
    fn the_numbering_of_offered_proposals_is_checked() {
        let fault = vec![ErrorKind::ProposalCountMismatch];
        assert_eq!(outline(&sa_body(&[ike(1), ike(3)])), (vec![1, 3], fault.clone()));
        assert_eq!(outline(&sa_body(&[ike(1), ike(1)])), (vec![1, 1], fault.clone()));
        assert_eq!(outline(&sa_body(&[ike(2), ike(3)])), (vec![2, 3], fault));
    }

    #[test]
    fn a_single_proposal_may_have_any_number() {
        assert_eq!(outline(&sa_body(&[ike(7)])), (vec![7], vec![]));
    }

    #[test]
    fn the_transform_count_is_checked() {
        for count in [0, 3, 5, 255] {
            let mut body = single(&transforms(KeyExchangeMethod::MODP_2048));
            body[7] = count;
            let items = first_transforms(&body);
            assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 4);
            let error = items.last().unwrap().unwrap_err();
            assert_eq!(error.kind, ErrorKind::ProposalCountMismatch);
            assert_eq!((error.field, error.offset), ("Num Transforms", 39));
        }
    }

    #[test]
    fn spi_sizes_fit_the_protocol() {
        let cases = [
            (Protocol::IKE, 0, true),
            (Protocol::IKE, 8, true),
            (Protocol::IKE, 4, false),
            (Protocol::ESP, 4, true),
            (Protocol::AH, 8, false),
            (Protocol(9), 3, true),
        ];
        for (protocol, size, fits) in cases {
            let transforms = transforms(KeyExchangeMethod::MODP_2048);
            let body = sa_body(&[proposal(1, protocol, &vec![1; size], &transforms)]);
            let (numbers, faults) = outline(&body);
            assert_eq!(numbers, [1], "the proposal is seen");
            assert_eq!(faults.is_empty(), fits, "{protocol} with {size} bytes");
        }
    }

    #[test]
    fn an_empty_sa_payload_is_malformed() {
        assert_eq!(outline(&[]), (vec![], vec![ErrorKind::MalformedPayload]));
    }

    #[test]
    fn the_numbers_of_proposals_and_transforms_are_bounded() {
        let proposals: Vec<_> = (1..=100).map(ike).collect();
        let (numbers, faults) = outline(&sa_body(&proposals));
        assert_eq!(numbers.len(), MAX_PROPOSALS);
        assert_eq!(faults, [ErrorKind::TooManyProposals]);

        let many = vec![transform(ENCR, 12, None); 300];
        let body = single(&many);
        let items = first_transforms(&body);
        assert_eq!(items.len(), MAX_TRANSFORMS + 1);
        let error = items.last().unwrap().unwrap_err();
        assert_eq!(error.kind, ErrorKind::TooManyTransforms);
    }

    /// A transform with these attribute bytes.
    fn with_attributes(attributes: &[u8]) -> Vec<u8> {
        let mut bytes = transform(ENCR, 12, None);
        bytes[3] += attributes.len() as u8;
        bytes.extend(attributes);
        single(&[bytes])
    }

    #[test]
    fn unknown_attributes_are_skipped() {
        let body = with_attributes(&[0, 18, 0, 2, 7, 7, 0x80, 14, 1, 0]);
        let items = first_transforms(&body);
        let [Ok(transform)] = items[..] else {
            panic!("{items:?}");
        };
        assert_eq!(transform.key_length, Some(256));
        let long = transform.attributes().next().unwrap().unwrap();
        assert_eq!(long.value, AttributeValue::Long(&[7, 7]));
    }

    #[test]
    fn a_transform_with_a_bad_attribute_is_returned_and_reported() {
        let cases: [(&[u8], ErrorKind); 4] = [
            (&[0x80], ErrorKind::BadTransformLength),
            (&[0, 18, 0, 9, 1], ErrorKind::BadTransformLength),
            (&[0, 14, 0, 2, 1, 0], ErrorKind::MalformedPayload),
            (&[0x80, 14, 1, 0, 0x80, 14, 0, 128], ErrorKind::MalformedPayload),
        ];
        for (attributes, kind) in cases {
            let body = with_attributes(attributes);
            let items = first_transforms(&body);
            assert_eq!(items[0].unwrap().id, 12);
            assert_eq!(items[1].unwrap_err().kind, kind, "{attributes:?}");
        }
    }

    #[test]
    fn truncation_at_every_length_is_noticed() {
        let body = sa_body(&[ike(1), ike(2)]);
        for cut in 0..body.len() {
            let (_, faults) = outline(&body[..cut]);
            assert!(!faults.is_empty(), "{cut} bytes");
        }
    }
}
