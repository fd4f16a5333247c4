//! The Security Association payload: proposals and their transforms
//! ([RFC 7296, section 3.3](https://www.rfc-editor.org/rfc/rfc7296#section-3.3)).
//!
//! Both levels are iterators over results. A proposal or transform that is
//! readable but contradicts its surroundings (Last Substruc, number, count) is
//! yielded first and its fault after it, so that a fault is always reported and
//! never hides an algorithm. After one that is not readable the walk goes on
//! wherever its length tells how to step over it.

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{AttributeType, Protocol, TransformType};

/// The number of proposals after which walking an SA payload stops.
pub const MAX_PROPOSALS: usize = 64;

/// The number of transforms after which walking a proposal stops: the count's
/// one byte allows no more.
pub const MAX_TRANSFORMS: usize = u8::MAX as usize;

/// One proposal: a protocol and the transforms that may protect it.
#[derive(Clone, Copy, Debug)]
pub struct RawProposal<'a> {
    /// Proposal Num.
    pub number: u8,
    /// Protocol ID.
    pub protocol: Protocol,
    /// SPI: empty for a new IKE SA, 8 bytes for a rekeyed one, 4 for AH and
    /// ESP.
    pub spi: &'a [u8],
    /// Where the SPI begins, in bytes from the IKE header.
    pub spi_offset: u32,
    /// Where the proposal begins, in bytes from the IKE header.
    pub offset: u32,
    /// Num Transforms, as the proposal announces it.
    pub transform_count: u8,
    transforms: Reader<'a>,
}

impl<'a> RawProposal<'a> {
    /// The transforms, in the order of the wire.
    #[inline]
    pub fn transforms(&self) -> Transforms<'a> {
        Transforms {
            reader: self.transforms,
            announced: Some(self.transform_count),
            count_offset: self.offset.wrapping_add(7),
            seen: 0,
            pending: None,
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

    /// Whether the SPI has a size its protocol knows (RFC 7296, section
    /// 3.3.1). No SPI at all is legal in a G-IKEv2 registration.
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

/// Walks the proposals of an SA payload.
#[derive(Clone, Debug)]
pub struct Proposals<'a> {
    reader: Reader<'a>,
    count: usize,
    expected: u8,
    pending: Option<ParseError>,
}

impl<'a> Proposals<'a> {
    /// Walks the body of an SA payload that begins `body_offset` bytes behind
    /// the IKE header's first byte.
    #[inline]
    pub fn new(body: &'a [u8], body_offset: u32) -> Self {
        Self {
            reader: Reader::new(body, body_offset, ErrorKind::MalformedPayload),
            count: 0,
            expected: 1,
            pending: None,
        }
    }

    #[inline]
    fn proposal(&mut self) -> Result<RawProposal<'a>, ParseError> {
        self.count += 1;
        let sub = match Substructure::read(&mut self.reader, &PROPOSAL) {
            Ok(sub) => sub,
            Err(error) => return Err(self.lost(error)),
        };
        let expected = self.expected;
        self.expected = expected.wrapping_add(1);
        let proposal = RawProposal::read(&sub)?;
        self.expected = proposal.number.wrapping_add(1);
        if !sub.last_fits(&PROPOSAL, &self.reader) {
            self.pending = Some(sub.last_error());
        } else if !self.number_fits(proposal.number, expected) {
            let kind = ErrorKind::ProposalCountMismatch;
            self.pending = Some(fault(kind, "Proposal Num", sub.offset.wrapping_add(4)));
        } else if !proposal.spi_fits() {
            self.pending = Some(spi_size_error(sub.offset));
        }
        Ok(proposal)
    }

    /// Ends the walk at an error that hides where the next proposal begins.
    #[cold]
    #[inline]
    fn lost(&mut self, error: ParseError) -> ParseError {
        self.reader.rest();
        self.count = MAX_PROPOSALS;
        error
    }

    /// What there is to say when no proposal is read: a fault of the previous
    /// one, one too many, or that there was none at all.
    #[cold]
    #[inline]
    fn fault(&mut self) -> Option<ParseError> {
        if self.pending.is_some() {
            return self.pending.take();
        }
        let (kind, wrong) = match self.count {
            0 => (ErrorKind::MalformedPayload, true),
            _ => (ErrorKind::TooManyProposals, !self.reader.is_empty()),
        };
        let error = self.reader.error_of(kind, "Proposals");
        wrong.then(|| self.lost(error))
    }

    /// Whether proposals count 1, 2, 3. A single one may have any number: as an
    /// answer it repeats the one it chose.
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
        if end || self.pending.is_some() {
            return self.fault().map(Err);
        }
        Some(self.proposal())
    }
}

impl core::iter::FusedIterator for Proposals<'_> {}

/// One transform: an algorithm, with its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawTransform<'a> {
    /// Transform Type.
    pub kind: TransformType,
    /// Transform ID, in the registry of its type
    /// ([`transform_name`](super::transform_name)).
    pub id: u16,
    /// The Key Length attribute in bits, when there is one.
    pub key_length: Option<u16>,
    /// Where the transform begins, in bytes from the IKE header.
    pub offset: u32,
    attributes: &'a [u8],
}

impl<'a> RawTransform<'a> {
    /// The attributes, in the order of the wire.
    #[inline]
    pub fn attributes(&self) -> Attributes<'a> {
        let offset = self.offset.wrapping_add(8);
        Attributes { reader: Reader::new(self.attributes, offset, ErrorKind::BadTransformLength) }
    }

    /// Whether it has no attributes but the Key Length, if it has any.
    pub fn is_plain(&self) -> bool {
        self.attributes.len() == if self.key_length.is_some() { 4 } else { 0 }
    }

    /// Reads a transform substructure, but not its attributes yet.
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

    /// Finds the Key Length, which RFC 7296, section 3.3.5, requires to be in
    /// the short form and to appear once.
    #[inline]
    fn read_key_length(&mut self) -> Result<(), ParseError> {
        let mut attributes = self.attributes();
        while !attributes.reader.is_empty() {
            let place = attributes.reader;
            let attribute = attributes.read()?;
            if attribute.kind != AttributeType::KEY_LENGTH {
                continue;
            }
            match (attribute.value, self.key_length) {
                (AttributeValue::Short(bits), None) => self.key_length = Some(bits),
                _ => return Err(place.error_of(ErrorKind::MalformedPayload, "Attribute Type")),
            }
        }
        Ok(())
    }
}

/// Walks the transforms of a proposal.
#[derive(Clone, Debug)]
pub struct Transforms<'a> {
    reader: Reader<'a>,
    /// The announced count, until it has been compared.
    announced: Option<u8>,
    count_offset: u32,
    seen: u8,
    pending: Option<ParseError>,
}

impl<'a> Transforms<'a> {
    #[inline]
    fn transform(&mut self) -> Result<RawTransform<'a>, ParseError> {
        let sub = match Substructure::read(&mut self.reader, &TRANSFORM) {
            Ok(sub) => sub,
            Err(error) => return Err(self.lost(error)),
        };
        let transform = RawTransform::read(&sub);
        let key_length = match *sub.rest {
            [] => None,
            // Nearly all transforms with attributes have a Key Length and
            // nothing else.
            [0x80, 0x0e, high, low] => Some(u16::from_be_bytes([high, low])),
            _ => self.find_key_length(transform),
        };
        if !sub.last_fits(&TRANSFORM, &self.reader) {
            self.pending = Some(sub.last_error());
        }
        Ok(RawTransform { key_length, ..transform })
    }

    /// Finds a Key Length among other attributes.
    #[cold]
    #[inline]
    fn find_key_length(&mut self, mut transform: RawTransform<'a>) -> Option<u16> {
        self.pending = transform.read_key_length().err();
        transform.key_length
    }

    /// Ends the walk at an error that hides where the next transform begins;
    /// then the count no longer says anything.
    #[cold]
    #[inline]
    fn lost(&mut self, error: ParseError) -> ParseError {
        self.reader.rest();
        self.announced = None;
        error
    }

    /// What there is to say when no transform is read: a fault of the previous
    /// one, one too many, or a wrong count.
    #[cold]
    #[inline]
    fn fault(&mut self) -> Option<ParseError> {
        if self.pending.is_some() {
            return self.pending.take();
        }
        if self.reader.is_empty() {
            return self.count_error();
        }
        let error = self.reader.error_of(ErrorKind::TooManyTransforms, "Transforms");
        Some(self.lost(error))
    }

    /// Compares the announced count, once.
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
            Some(seen) if !self.reader.is_empty() && self.pending.is_none() => self.seen = seen,
            _ => return self.fault().map(Err),
        }
        Some(self.transform())
    }
}

impl core::iter::FusedIterator for Transforms<'_> {}

/// One transform attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Attribute Type, without the format bit.
    pub kind: AttributeType,
    /// The value, whose form is the attribute format bit's.
    pub value: AttributeValue<'a>,
}

/// The value of a transform attribute (RFC 7296, section 3.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeValue<'a> {
    /// Type/Value: two bytes in place of a length.
    Short(u16),
    /// Type/Length/Value.
    Long(&'a [u8]),
}

/// Walks the attributes of a transform; an error ends the walk.
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

/// How proposals and transforms differ in the four bytes they begin with.
struct Layout {
    /// The value of Last Substruc when another one follows.
    more: u8,
    length_field: &'static str,
    length_error: ErrorKind,
}

impl Layout {
    /// The fault of a length that does not fit the bytes `start` has.
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

/// What both substructures begin with: Last Substruc, RESERVED, a length and
/// four bytes that mean something different in each.
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
        // Less than its own eight bytes is more than there can be.
        let size = usize::from(u16::from_be_bytes([l0, l1])).wrapping_sub(SUBSTRUCTURE_LEN);
        match r.take(size, layout.length_field) {
            Ok(rest) => Ok(Self { offset: start.offset(), last, fixed: [a, b, c, d], rest }),
            Err(_) => Err(layout.length_error(start)),
        }
    }

    /// Whether Last Substruc says what `behind` shows: that there is another
    /// substructure, or none.
    #[inline]
    fn last_fits(&self, layout: &Layout, behind: &Reader<'_>) -> bool {
        self.last == if behind.is_empty() { 0 } else { layout.more }
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

    /// Proposal numbers and faults of an SA payload, transforms included.
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
    fn w8_the_key_length_is_kept() {
        let body = single(&transforms(KeyExchangeMethod::CURVE25519));
        let first = first_transforms(&body)[0].unwrap();
        assert_eq!((first.kind, first.id), (ENCR, Encr::ENCR_AES_CBC.0));
        assert_eq!(first.key_length, Some(256));
        let attribute = first.attributes().next().unwrap().unwrap();
        assert_eq!(attribute.kind, AttributeType::KEY_LENGTH);
        assert_eq!(attribute.value, AttributeValue::Short(256));
    }

    #[test]
    fn w13_additional_key_exchanges_are_known_types() {
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
    fn w6_a_bad_proposal_does_not_hide_the_next() {
        let mut bad = ike(2);
        bad[6] = 0xff;
        let body = sa_body(&[ike(1), bad, ike(3)]);
        let faults = vec![ErrorKind::MalformedPayload];
        assert_eq!(outline(&body), (vec![1, 3], faults));
    }

    #[test]
    fn w6_a_bad_transform_does_not_hide_the_next_proposal() {
        let mut bad = ike(2);
        bad[10..12].copy_from_slice(&7_u16.to_be_bytes());
        let body = sa_body(&[ike(1), bad, ike(3)]);
        let faults = vec![ErrorKind::BadTransformLength];
        assert_eq!(outline(&body), (vec![1, 2, 3], faults));
    }

    #[test]
    fn w6_last_substruc_of_proposals_is_checked() {
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
    fn w6_last_substruc_of_transforms_is_checked() {
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
    fn w6_numbering_is_checked_in_an_offer() {
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
    fn w6_the_transform_count_is_checked() {
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
    fn an_sa_payload_is_not_empty() {
        assert_eq!(outline(&[]), (vec![], vec![ErrorKind::MalformedPayload]));
    }

    #[test]
    fn w19_the_numbers_of_proposals_and_transforms_are_bounded() {
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

    /// A transform with the given attribute bytes.
    fn with_attributes(attributes: &[u8]) -> Vec<u8> {
        let mut bytes = transform(ENCR, 12, None);
        bytes[3] += attributes.len() as u8;
        bytes.extend(attributes);
        single(&[bytes])
    }

    #[test]
    fn unknown_attributes_are_passed() {
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
    fn a_transform_with_a_bad_attribute_is_seen_and_reported() {
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
