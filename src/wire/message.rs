//! A message and its chain of payloads ([RFC 7296, section
//! 3.2](https://www.rfc-editor.org/rfc/rfc7296#section-3.2)).
//!
//! The chain is an iterator over results. It reports a fault and continues as long as the
//! next payload can be found. A peer may accept a message despite its fault, so the rest
//! must stay visible. The bodies are not parsed here, so a malformed body cannot hide the
//! payloads after it.

use super::error::{ErrorKind, ParseError};
use super::header::{Header, HEADER_LEN};
use super::reader::{byte_count, Reader};
use super::registry::PayloadType;

/// The maximum number of payloads of a message. Further payloads are not read. Real
/// messages have fewer than 30.
pub const MAX_PAYLOADS: usize = 256;

/// The size of the generic payload header in bytes.
pub const PAYLOAD_HEADER_LEN: usize = 4;

/// The offset of the header's Length field.
const LENGTH_OFFSET: u32 = 24;
/// The offset of the header's version byte.
const VERSION_OFFSET: u32 = 17;

/// An IKE message without a non-ESP marker.
#[derive(Clone, Copy, Debug)]
pub struct RawMessage<'a> {
    /// The IKE header.
    pub header: Header,
    bytes: &'a [u8],
}

impl<'a> RawMessage<'a> {
    /// Parses the header. The payloads are parsed by [`payloads`](Self::payloads).
    ///
    /// # Errors
    /// [`ErrorKind::MalformedHeader`] if there are fewer than 28 bytes. With other faults
    /// of the header the payloads can still be read: see
    /// [`version_error`](Self::version_error) and [`length_error`](Self::length_error).
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Header::parse(bytes).map(|header| Self { header, bytes })
    }

    /// The fault of a message whose major version is not 2. Its payloads cannot be
    /// interpreted.
    pub fn version_error(&self) -> Option<ParseError> {
        (self.header.version.major() != 2).then_some(ParseError {
            kind: ErrorKind::UnsupportedVersion,
            field: "Major Version",
            offset: VERSION_OFFSET,
        })
    }

    /// The difference between the header's length and the length of the message:
    /// [`ErrorKind::MalformedHeader`] if the length is smaller than the header,
    /// [`ErrorKind::LengthMismatch`] if bytes are missing, and [`ErrorKind::TrailingData`]
    /// if there are more bytes. The offset of `TrailingData` is that of the first such
    /// byte.
    pub fn length_error(&self) -> Option<ParseError> {
        let (length, there) = (self.header.length, byte_count(self.bytes));
        let (kind, offset) = if length < HEADER_LEN as u32 {
            (ErrorKind::MalformedHeader, LENGTH_OFFSET)
        } else if length > there {
            (ErrorKind::LengthMismatch, LENGTH_OFFSET)
        } else if length < there {
            (ErrorKind::TrailingData, length)
        } else {
            return None;
        };
        Some(ParseError { kind, field: "Length", offset })
    }

    /// The payloads, in the order of the message.
    ///
    /// The chain is followed through all bytes of the message. The header's length is
    /// ignored, so that a wrong length cannot hide a payload. Bytes after this length are
    /// reported by [`length_error`](Self::length_error).
    #[inline]
    pub fn payloads(&self) -> Payloads<'a> {
        let body = self.bytes.get(HEADER_LEN..).unwrap_or_default();
        let mut payloads = Payloads::new(self.header.next_payload, body, HEADER_LEN as u32);
        payloads.end = match self.header.length {
            length if length < HEADER_LEN as u32 => payloads.end,
            length => payloads.end.min(length),
        };
        payloads
    }

    /// All bytes of the message, including the header.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// One payload: the generic payload header and the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The payload's type. The Next Payload field before this payload contains it.
    pub kind: PayloadType,
    /// The Critical bit: a receiver that does not know the type has to reject the message.
    pub critical: bool,
    /// The Next Payload field: the type of the following payload. In an Encrypted payload
    /// it is the type of the first payload in the plaintext.
    pub next_payload: PayloadType,
    /// The offset of the generic payload header, in bytes from the start of the IKE header.
    pub offset: u32,
    /// The Payload Length field in bytes. It includes the four bytes of the generic payload
    /// header.
    pub length: u16,
    /// The bytes after the generic payload header.
    pub body: &'a [u8],
}

impl Payload<'_> {
    /// The offset of the body, in bytes from the start of the IKE header.
    pub const fn body_offset(&self) -> u32 {
        self.offset.wrapping_add(PAYLOAD_HEADER_LEN as u32)
    }
}

/// Iterates over a chain of payloads. After an error the iterator continues if the start of
/// the next payload is known. Otherwise it returns `None`.
#[derive(Clone, Debug)]
pub struct Payloads<'a> {
    reader: Reader<'a>,
    /// The type of the next payload; [`PayloadType::NONE`] at the end.
    next: PayloadType,
    count: usize,
    /// A fault of the payload that was returned last. It is returned next.
    deferred: Option<ParseError>,
    /// The kind of error for bytes after the last payload. `None` once it has been
    /// reported.
    tail: Option<ErrorKind>,
    /// The offset at which the message ends according to its header. Only bytes before it
    /// are reported as left over.
    end: u32,
}

impl<'a> Payloads<'a> {
    /// Iterates over the payloads in `bytes`. The first payload has the type `first`, and
    /// its offset is `offset`. [`RawMessage::payloads`] uses this for the outer chain. The
    /// plaintext of an Encrypted payload is read in the same way.
    #[inline]
    pub fn new(first: PayloadType, bytes: &'a [u8], offset: u32) -> Self {
        Self {
            reader: Reader::new(bytes, offset, ErrorKind::MalformedPayload),
            next: first,
            count: 0,
            deferred: None,
            tail: Some(ErrorKind::TrailingData),
            end: offset.wrapping_add(byte_count(bytes)),
        }
    }

    /// Reads the next payload. After an error the chain cannot be followed further.
    #[inline]
    fn payload(&mut self) -> Result<Payload<'a>, ParseError> {
        self.count += 1;
        let payload = match read_payload(&mut self.reader, self.next) {
            Ok(payload) => payload,
            Err(error) => return Err(self.end_at(error)),
        };
        self.next = payload.next_payload;
        if payload.critical || payload.kind.is_encrypted() {
            self.note_special(&payload);
        }
        Ok(payload)
    }

    /// Handles encrypted and critical payloads.
    #[cold]
    #[inline]
    fn note_special(&mut self, payload: &Payload<'_>) {
        if payload.kind.is_encrypted() {
            // The Next Payload field of an encrypted payload describes its plaintext, so
            // the chain ends here.
            self.next = PayloadType::NONE;
            self.tail = Some(ErrorKind::PayloadAfterEncrypted);
        }
        if payload.critical && payload.kind.name().is_none() {
            self.deferred = Some(unknown_critical(payload));
        }
    }

    /// Ends the iteration, because the start of the next payload is unknown.
    #[cold]
    #[inline]
    fn end_at(&mut self, error: ParseError) -> ParseError {
        self.next = PayloadType::NONE;
        self.tail = None;
        error
    }

    /// The fault to return instead of a payload: a fault of the previous payload, too many
    /// payloads, or bytes after the last payload and before the header's length.
    #[cold]
    #[inline]
    fn fault(&mut self) -> Option<ParseError> {
        if self.deferred.is_some() {
            return self.deferred.take();
        }
        if self.next != PayloadType::NONE {
            let error = self.reader.error_of(ErrorKind::TooManyPayloads, "Next Payload");
            return Some(self.end_at(error));
        }
        let kind = self.tail.take()?;
        (self.reader.offset() < self.end).then(|| self.reader.error_of(kind, "Next Payload"))
    }
}

impl<'a> Iterator for Payloads<'a> {
    type Item = Result<Payload<'a>, ParseError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let end = self.next == PayloadType::NONE || self.count == MAX_PAYLOADS;
        if end || self.deferred.is_some() {
            return self.fault().map(Err);
        }
        Some(self.payload())
    }
}

impl core::iter::FusedIterator for Payloads<'_> {}

/// Reads a generic payload header and the body.
#[inline]
fn read_payload<'a>(r: &mut Reader<'a>, kind: PayloadType) -> Result<Payload<'a>, ParseError> {
    let offset = r.offset();
    let [next, critical, l0, l1] = r.array::<PAYLOAD_HEADER_LEN>("Next Payload")?;
    let length = u16::from_be_bytes([l0, l1]);
    // A length below 4 wraps to a value that is larger than every message, so `take` fails.
    let size = usize::from(length).wrapping_sub(PAYLOAD_HEADER_LEN);
    match r.take(size, "Payload Length") {
        Ok(body) => Ok(Payload {
            kind,
            critical: critical & 0x80 != 0,
            next_payload: PayloadType(next),
            offset,
            length,
            body,
        }),
        Err(_) => Err(length_error(offset)),
    }
}

#[cold]
fn length_error(payload: u32) -> ParseError {
    ParseError {
        kind: ErrorKind::MalformedPayload,
        field: "Payload Length",
        offset: payload.wrapping_add(2),
    }
}

/// The fault of an unknown payload with the Critical bit. Only types without a name in
/// IANA's table count, since a peer may know all others.
#[cold]
fn unknown_critical(payload: &Payload<'_>) -> ParseError {
    ParseError {
        kind: ErrorKind::UnknownCriticalPayload,
        field: "Critical",
        offset: payload.offset.wrapping_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::ExchangeType;
    use super::super::testing::{everything, sa_init, walk, MessageBuilder};
    use super::*;

    /// The results of the iteration as payload types and error kinds.
    fn outline(bytes: &[u8]) -> Vec<Result<PayloadType, ErrorKind>> {
        let message = RawMessage::parse(bytes).unwrap();
        let items = message.payloads();
        items.map(|item| item.map(|p| p.kind).map_err(|e| e.kind)).collect()
    }

    fn errors(bytes: &[u8]) -> Vec<ParseError> {
        let message = RawMessage::parse(bytes).unwrap();
        message.payloads().filter_map(Result::err).collect()
    }

    fn length_error(bytes: &[u8]) -> Option<(ErrorKind, u32)> {
        let error = RawMessage::parse(bytes).unwrap().length_error();
        error.map(|error| (error.kind, error.offset))
    }

    const BARE: ExchangeType = ExchangeType::INFORMATIONAL;

    #[test]
    fn payloads_are_returned_in_order() {
        let bytes = sa_init().build();
        let message = RawMessage::parse(&bytes).unwrap();
        assert_eq!((message.version_error(), message.length_error()), (None, None));
        let payloads: Vec<_> = message.payloads().map(Result::unwrap).collect();
        let kinds: Vec<_> = payloads.iter().map(|p| p.kind).collect();
        assert_eq!(
            kinds,
            [
                PayloadType::SA,
                PayloadType::KE,
                PayloadType::NONCE,
                PayloadType::NOTIFY,
                PayloadType::NOTIFY,
                PayloadType::VENDOR_ID
            ]
        );
        for payload in payloads {
            assert_eq!(usize::from(payload.length), payload.body.len() + 4);
            let at = payload.body_offset() as usize;
            assert_eq!(bytes.get(at..at + payload.body.len()), Some(payload.body));
        }
    }

    #[test]
    fn an_empty_chain_is_fine() {
        assert!(outline(&MessageBuilder::request(BARE).build()).is_empty());
    }

    #[test]
    fn a_minor_version_changes_nothing() {
        for minor in 0..16 {
            let bytes = sa_init().header(|h| h.version |= minor).build();
            assert_eq!(RawMessage::parse(&bytes).unwrap().version_error(), None);
            assert_eq!(outline(&bytes), outline(&sa_init().build()));
        }
    }

    #[test]
    fn trailing_bytes_are_reported_and_hide_nothing() {
        let mut bytes = sa_init().build();
        let end = bytes.len() as u32;
        bytes.extend([0; 7]);
        assert_eq!(length_error(&bytes), Some((ErrorKind::TrailingData, end)));
        assert_eq!(outline(&bytes), outline(&sa_init().build()));
    }

    #[test]
    fn a_short_datagram_or_another_version_is_a_typed_error() {
        let bytes = sa_init().build();
        for cut in 0..HEADER_LEN {
            let error = RawMessage::parse(&bytes[..cut]).unwrap_err();
            assert_eq!(error.kind, ErrorKind::MalformedHeader);
        }
        for major in [0, 1, 3, 15] {
            let bytes = sa_init().header(|h| h.version = major << 4).build();
            let error = RawMessage::parse(&bytes).unwrap().version_error().unwrap();
            assert_eq!(error.kind, ErrorKind::UnsupportedVersion);
            assert_eq!(error.offset, 17);
        }
    }

    #[test]
    fn a_short_vendor_id_does_not_hide_later_payloads() {
        for length in 0..9 {
            let bytes = sa_init().payload(PayloadType::VENDOR_ID, vec![9; length]);
            let bytes = bytes.payload(PayloadType::NOTIFY, [0; 4]).build();
            let kinds = outline(&bytes);
            assert_eq!(kinds.len(), 8);
            assert_eq!(kinds.last(), Some(&Ok(PayloadType::NOTIFY)));
        }
    }

    #[test]
    fn a_malformed_body_does_not_break_the_chain() {
        let bytes = MessageBuilder::request(BARE)
            .payload(PayloadType::SA, [1, 2, 3])
            .payload(PayloadType::KE, [])
            .payload(PayloadType::NOTIFY, [9])
            .payload(PayloadType::NONCE, [1; 16])
            .build();
        assert!(outline(&bytes).iter().all(Result::is_ok));
        assert_eq!(outline(&bytes).len(), 4);
    }

    #[test]
    fn a_wrong_header_length_is_reported_and_hides_nothing() {
        let truth = outline(&sa_init().build());
        let real = sa_init().build().len() as u32;
        for length in [0, 27, 28, 40, real - 1, real + 1, u32::MAX] {
            let bytes = sa_init().length(length).build();
            assert_eq!(outline(&bytes), truth, "length {length}");
            let expected = match length {
                0..=27 => (ErrorKind::MalformedHeader, 24),
                _ if length > real => (ErrorKind::LengthMismatch, 24),
                _ => (ErrorKind::TrailingData, length),
            };
            assert_eq!(length_error(&bytes), Some(expected));
        }
    }

    #[test]
    fn bytes_after_the_chain_are_reported_once() {
        let mut bytes = sa_init().build();
        let end = bytes.len() as u32;
        bytes.extend([1, 2, 3]);
        bytes[27] += 3;
        assert_eq!(length_error(&bytes), None);
        let errors = errors(&bytes);
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].kind, errors[0].offset), (ErrorKind::TrailingData, end));
    }

    #[test]
    fn a_payload_longer_than_the_message_ends_the_chain() {
        for length in [0_u16, 3, 6, 0xffff] {
            let mut bytes = MessageBuilder::request(BARE)
                .payload(PayloadType::NONCE, [])
                .payload(PayloadType::NOTIFY, [])
                .build();
            bytes[34..36].copy_from_slice(&length.to_be_bytes());
            let items = outline(&bytes);
            assert_eq!(items, [Ok(PayloadType::NONCE), Err(ErrorKind::MalformedPayload)]);
            let error = errors(&bytes)[0];
            assert_eq!((error.field, error.offset), ("Payload Length", 34));
        }
    }

    #[test]
    fn a_next_payload_without_a_payload_is_malformed() {
        let bytes = sa_init().last_next(PayloadType::NOTIFY).build();
        let error = errors(&bytes)[0];
        assert_eq!(error.kind, ErrorKind::MalformedPayload);
        assert_eq!(error.field, "Next Payload");
        assert_eq!(error.offset as usize, bytes.len());
    }

    #[test]
    fn the_chain_ends_at_the_last_payload_and_at_sk() {
        let bytes = MessageBuilder::request(BARE)
            .payload(PayloadType::SK, [1; 40])
            .last_next(PayloadType::IDI)
            .build();
        assert_eq!(outline(&bytes), [Ok(PayloadType::SK)]);
        let message = RawMessage::parse(&bytes).unwrap();
        let payload = message.payloads().next().unwrap().unwrap();
        assert_eq!(payload.next_payload, PayloadType::IDI);
    }

    #[test]
    fn nothing_may_follow_an_encrypted_payload() {
        for kind in [PayloadType::SK, PayloadType::SKF] {
            let bytes = MessageBuilder::request(BARE)
                .payload(kind, [1; 40])
                .payload(PayloadType::NOTIFY, [0; 4])
                .build();
            let trailing = Err(ErrorKind::PayloadAfterEncrypted);
            assert_eq!(outline(&bytes), [Ok(kind), trailing]);
        }
    }

    #[test]
    fn an_unknown_critical_payload_is_returned_and_reported() {
        let bytes = MessageBuilder::request(BARE)
            .critical(PayloadType(99), [1])
            .critical(PayloadType::NOTIFY, [0; 4])
            .payload(PayloadType(200), [])
            .build();
        assert_eq!(
            outline(&bytes),
            [
                Ok(PayloadType(99)),
                Err(ErrorKind::UnknownCriticalPayload),
                Ok(PayloadType::NOTIFY),
                Ok(PayloadType(200))
            ]
        );
    }

    #[test]
    fn the_number_of_payloads_is_bounded() {
        let mut builder = MessageBuilder::request(BARE);
        for _ in 0..MAX_PAYLOADS + 5 {
            builder = builder.payload(PayloadType::VENDOR_ID, []);
        }
        let items = outline(&builder.build());
        assert_eq!(items.len(), MAX_PAYLOADS + 1);
        assert_eq!(items.last(), Some(&Err(ErrorKind::TooManyPayloads)));
    }

    #[test]
    fn a_decrypted_chain_has_its_own_offset() {
        let plaintext = [PayloadType::NOTIFY.0, 0, 0, 4, 0, 0, 0, 4];
        let items: Vec<_> = Payloads::new(PayloadType::IDI, &plaintext, 48).collect();
        assert_eq!(items.len(), 2);
        assert_eq!(items[1].unwrap().offset, 52);
    }

    #[test]
    fn truncation_at_every_length_is_noticed() {
        let bytes = everything().build();
        assert_eq!(walk(&bytes).1, 0, "the sample itself has no fault");
        for cut in 0..bytes.len() {
            assert!(walk(&bytes[..cut]).1 > 0, "{cut} bytes");
        }
    }

    #[test]
    fn truncation_with_a_matching_length_terminates() {
        let bytes = everything().build();
        for cut in HEADER_LEN..bytes.len() {
            let mut bytes = bytes[..cut].to_vec();
            bytes[24..28].copy_from_slice(&(cut as u32).to_be_bytes());
            assert!(walk(&bytes).1 > 0, "{cut} bytes");
        }
    }

    #[test]
    fn every_byte_may_have_any_value() {
        let original = everything().build();
        for at in 0..original.len() {
            for value in [0, 0xff, !original[at], original[at] ^ 0x80] {
                let mut bytes = original.clone();
                bytes[at] = value;
                let (items, _) = walk(&bytes);
                assert!(items <= 4 * bytes.len(), "byte {at} as {value:#x}");
            }
        }
    }
}
