//! Detects IKEv2 messages in datagrams of unknown flows.
//!
//! There are two levels. On any UDP port, the structure of the datagram must prove that it
//! is a message: [`detect`]. On the ports of IKE, every message that a peer might answer is
//! accepted, even if it is unusual: [`detect_expected`]. What is unusual about it becomes
//! an event when the message is decoded.
//!
//! Both functions estimate how likely the same bytes occur by chance. They do not rely on
//! single fields, because an attacker can freely set each field that a receiver ignores:
//! reserved flags, the minor version, the types of payloads that are skipped and, with many
//! implementations, the header's Length.

use super::datagram::NON_ESP_MARKER;
use super::error::{ErrorKind, ParseError};
use super::header::{Header, HEADER_LEN};
use super::message::{Payload, Payloads, RawMessage};
use super::reader::byte_count;
use super::registry::{ExchangeType, PayloadType, Protocol};
use super::sa::{Proposals, RawProposal};

/// The offset of the version byte in the header.
const VERSION_OFFSET: usize = 17;

/// The values of the header's Length that are possible in one UDP datagram.
const POSSIBLE_LENGTHS: core::ops::RangeInclusive<u32> = HEADER_LEN as u32..=u16::MAX as u32;

/// The Message IDs that an SA normally reaches. Each exchange uses one.
const USUAL_MESSAGE_IDS: core::ops::Range<u32> = 0..1 << 16;

/// The size of the fixed fields of a proposal in bytes.
const PROPOSAL_HEADER: usize = 8;

/// An IKE message that was detected by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetectedMessage {
    /// Whether a non-ESP marker precedes the message.
    pub marker: bool,
    /// Whether the message is a response. Then the start of the flow was not captured.
    pub response: bool,
}

impl DetectedMessage {
    fn new(marker: bool, header: &Header) -> Self {
        Self { marker, response: header.flags.response() }
    }
}

/// Detects an IKEv2 message in a datagram of any UDP flow by its content alone, with or
/// without a non-ESP marker.
///
/// The major version must be 2 (with any minor version). The exchange type must not be one
/// of IKEv1. At least one payload is required. In addition, one of the following conditions
/// must hold:
///
/// - The first payload lies within the length, and at most one of these conditions is
///   false: the initiator's SPI is not zero; the header's length is the length of the
///   datagram (with a larger value this condition fails); IANA has assigned the exchange type and
///   the type of the first payload; the reserved flags are zero; SPIs, Message ID and flags
///   fit the exchange (RFC 7296, sections 2.2, 2.6 and 3.1); the chain of payloads ends
///   exactly at the length.
/// - The exchange creates an IKE SA, and the chain has an SA payload with a proposal for
///   IKE. The proposal may be truncated. Other header fields, and the type of the first
///   payload, do not matter.
/// - The chain has an encrypted payload that ends at the end of the datagram or at the
///   header's length, or close to both. Exchange type, SPIs and Message ID are usual. Other
///   header fields do not matter.
///
/// For uniformly random bytes, each condition has a probability of at most 2^-48: less than
/// one false detection in 10^14 datagrams.
pub fn detect(data: &[u8]) -> Option<DetectedMessage> {
    if let Some(header) = certain(data) {
        return Some(DetectedMessage::new(false, &header));
    }
    let message = data.strip_prefix(&NON_ESP_MARKER)?;
    certain(message).map(|header| DetectedMessage::new(true, &header))
}

/// Detects a message that [`detect`] cannot prove and cannot exclude. Returns also the SPIs
/// of initiator and responder. The message is accepted if an IKE SA with these SPIs is
/// known.
pub fn detect_if_known(data: &[u8]) -> Option<(DetectedMessage, [u8; 8], [u8; 8])> {
    let marked = data.strip_prefix(&NON_ESP_MARKER);
    let bare = marked.unwrap_or(data);
    if bare.get(VERSION_OFFSET)? >> 4 != 2 {
        return None;
    }
    let header = Header::parse(bare).ok().filter(has_spis)?;
    Some((DetectedMessage::new(marked.is_some(), &header), header.init_spi, header.resp_spi))
}

/// As [`detect`], but for a datagram on a port of IKE, where fewer proofs are needed.
/// `marker` says whether the non-ESP marker is required.
///
/// Each field that fits a message counts as many bits as its probability by chance. A sum
/// of 28 bits is enough. Random bytes are therefore accepted about once in 10^8 datagrams.
/// A message with an exchange type of IKEv1 needs more bits. A message with a major version
/// other than 2 needs many more, because peers answer it with INVALID_MAJOR_VERSION. Major
/// version 1 is never accepted.
pub fn detect_expected(data: &[u8], marker: bool) -> Option<DetectedMessage> {
    let bytes = if marker { data.strip_prefix(&NON_ESP_MARKER)? } else { data };
    is_expected(bytes).map(|header| DetectedMessage::new(marker, &header))
}

/// The header of `bytes`, if they can be a message on a port of IKE.
pub(super) fn is_expected(bytes: &[u8]) -> Option<Header> {
    const ENOUGH: u32 = 28;
    const FOR_EXCHANGES_OF_IKEV1: u32 = 40;
    const FOR_OTHER_VERSIONS: u32 = 56;
    let header = Header::parse(bytes).ok()?;
    let is_ikev2 = header.exchange_type.0 >= ExchangeType::IKE_SA_INIT.0;
    let wanted = match header.version.major() {
        1 => return None,
        2 if is_ikev2 => ENOUGH,
        2 => FOR_EXCHANGES_OF_IKEV1,
        _ => FOR_OTHER_VERSIONS,
    };
    (weight(&header, bytes) >= wanted).then_some(header)
}

/// The weight of the evidence for a message, in bits. Zero bytes are common in other
/// protocols, so zeros in the responder's SPI and the Message ID count less.
fn weight(header: &Header, bytes: &[u8]) -> u32 {
    let length = header.length;
    let payloads = || RawMessage::parse(bytes).map(|message| message.payloads());
    let closes = || payloads().is_ok_and(|it| chain_closes(it) == Some(true));
    let has_payload = header.next_payload != PayloadType::NONE;
    let evidence = [
        (4, header.version.minor() == 0),
        (4, header.exchange_type.name().is_some()),
        (5, header.flags.reserved() == 0),
        (3, header.next_payload.name().is_some()),
        (10, header.init_spi != [0; 8] && is_first_request(header)),
        (10, header.message_id == 0 || USUAL_MESSAGE_IDS.contains(&header.message_id)),
        (14, POSSIBLE_LENGTHS.contains(&length)),
        (12, usize::try_from(length) == Ok(bytes.len())),
        (16, has_payload && closes()),
        (24, begins_sa(header, bytes)),
    ];
    evidence.iter().filter(|(_, there)| *there).map(|(bits, _)| bits).sum()
}

/// Whether this is the first request of an IKE SA: the responder has no SPI yet.
fn is_first_request(header: &Header) -> bool {
    can_begin_sa(header.exchange_type) && header.resp_spi == [0; 8] && !header.flags.response()
}

/// Whether this exchange can be the first of an IKE SA.
fn can_begin_sa(exchange: ExchangeType) -> bool {
    matches!(exchange, ExchangeType::IKE_SA_INIT | ExchangeType::IKE_SESSION_RESUME)
}

/// The header of `bytes`, if they are certainly a message. The conditions are described at
/// [`detect`].
fn certain(bytes: &[u8]) -> Option<Header> {
    // Most datagrams of other protocols end here.
    if bytes.get(VERSION_OFFSET)? >> 4 != 2 {
        return None;
    }
    let has_payload = |header: &Header| header.next_payload != PayloadType::NONE;
    plausible_header(bytes).filter(has_payload).or_else(|| proven_header(bytes))
}

/// The header of `bytes`, if the payloads prove that it is one.
fn proven_header(bytes: &[u8]) -> Option<Header> {
    let header = Header::parse(bytes).ok()?;
    (begins_sa(&header, bytes) || ends_encrypted(&header, bytes)).then_some(header)
}

/// The header of `bytes`, if it does not resemble a header just by chance.
#[inline]
pub(super) fn plausible(bytes: &[u8]) -> Option<Header> {
    if bytes.get(VERSION_OFFSET)? >> 4 != 2 {
        return None;
    }
    plausible_header(bytes).or_else(|| proven_header(bytes))
}

/// A separate function, so that [`plausible`] is small enough to be inlined for ESP.
#[inline(never)]
fn plausible_header(bytes: &[u8]) -> Option<Header> {
    let header = Header::parse(bytes).ok()?;
    let message = bytes.get(..usize::try_from(header.length).ok()?)?;
    let payloads = message.get(HEADER_LEN..)?;
    if header.exchange_type.0 < ExchangeType::IKE_SA_INIT.0 {
        return None;
    }
    let oddities = [
        header.init_spi == [0; 8],
        message.len() != bytes.len(),
        header.exchange_type.name().is_none(),
        header.flags.reserved() != 0,
        header.next_payload.name().is_none(),
        !fits_exchange(&header),
        !chain_closes(Payloads::new(header.next_payload, payloads, 0))?,
    ];
    (oddities.iter().filter(|odd| **odd).count() <= 1).then_some(header)
}

/// Whether SPIs, Message ID and flags fit the exchange. An exchange that creates an IKE SA
/// has Message ID 0, and in its first request the responder's SPI is zero. All other
/// exchanges have both SPIs.
fn fits_exchange(header: &Header) -> bool {
    let no_responder = header.resp_spi == [0; 8];
    if can_begin_sa(header.exchange_type) {
        let roles_differ = header.flags.initiator() != header.flags.response();
        let request_is_first = header.flags.response() || no_responder;
        header.message_id == 0 && roles_differ && request_is_first
    } else {
        !no_responder
    }
}

/// Whether the chain of payloads ends where the bytes end. `None` if the first payload is
/// longer than the bytes.
fn chain_closes(mut payloads: Payloads<'_>) -> Option<bool> {
    let intact = |payload: Result<_, ParseError>| match payload {
        Ok(_) => true,
        Err(error) => error.kind == ErrorKind::UnknownCriticalPayload,
    };
    match payloads.next() {
        Some(Err(_)) => None,
        _ => Some(payloads.all(intact)),
    }
}

/// Whether the message offers or chooses an IKE SA: any payload of the chain is an SA
/// payload with a proposal for IKE. The header's length and the type of the first payload
/// do not matter, because peers ignore them too.
fn begins_sa(header: &Header, bytes: &[u8]) -> bool {
    if !can_begin_sa(header.exchange_type) || header.init_spi == [0; 8] {
        return false;
    }
    let first = match header.next_payload {
        PayloadType::NONE => PayloadType::SA,
        other => other,
    };
    let payloads = bytes.get(HEADER_LEN..).unwrap_or_default();
    let (mut kind, mut at) = (first, 0);
    for payload in Payloads::new(first, payloads, 0) {
        match payload {
            Ok(payload) => {
                let may_be_sa = payload.kind == PayloadType::SA || payload.offset == 0;
                if may_be_sa && proposes_ike(payload.body) {
                    return true;
                }
                (kind, at) = (payload.next_payload, payload.offset + u32::from(payload.length));
            }
            Err(error) if error.kind == ErrorKind::UnknownCriticalPayload => {}
            Err(_) => break,
        }
    }
    // The chain cannot be followed further. Check for an SA payload that is truncated or
    // has a wrong length.
    let rest = usize::try_from(at).ok().and_then(|at| payloads.get(at..));
    let Some([next, reserved, _, _, body @ ..]) = rest else { return false };
    let is_first = at == 0 && *reserved == 0 && PayloadType(*next).name().is_some();
    let is_cut = is_first && body.len() < PROPOSAL_HEADER && is_plain_request(header);
    kind == PayloadType::SA && (is_cut || proposes_ike(body))
}

/// Whether a header is that of a normal first request. Reserved flags and Length do not
/// matter.
fn is_plain_request(header: &Header) -> bool {
    is_first_request(header)
        && header.next_payload == PayloadType::SA
        && header.version.minor() == 0
        && header.flags.initiator()
        && header.message_id == 0
}

/// Whether the first proposal in the body of an SA payload is for IKE: its fixed fields are
/// plausible, and it has transforms and a possible length.
fn proposes_ike(body: &[u8]) -> bool {
    const LAST_OR_MORE: [u8; 2] = [0, 2];
    const MOST_TRANSFORMS: u8 = 128;
    let mut proposals = Proposals::new(body, 0).filter_map(Result::ok);
    let is_whole = |proposal: RawProposal<'_>| {
        proposal.protocol == Protocol::IKE
            && proposal.transforms().next().is_some_and(|transform| transform.is_ok())
    };
    if proposals.any(is_whole) {
        return true;
    }
    let Some([last, reserved, _, _, number, protocol, spi_size, transforms]) =
        body.first_chunk::<PROPOSAL_HEADER>()
    else {
        return false;
    };
    LAST_OR_MORE.contains(last)
        && (*reserved, *number, *spi_size) == (0, 1, 0)
        && *protocol == Protocol::IKE.0
        && (1..=MOST_TRANSFORMS).contains(transforms)
}

/// Whether the chain leads to an encrypted payload in an exchange with both SPIs. The
/// payload must end exactly at the end of the datagram or at the header's length, or all
/// three ends must be close to each other.
fn ends_encrypted(header: &Header, bytes: &[u8]) -> bool {
    const NEAR: u32 = 64;
    if !is_usual(header) {
        return false;
    }
    let payloads = bytes.get(HEADER_LEN..).unwrap_or_default();
    let of_known_end = |payload: &Result<Payload<'_>, ParseError>| match payload {
        Ok(_) => true,
        Err(error) => error.kind == ErrorKind::UnknownCriticalPayload,
    };
    let mut payloads = Payloads::new(header.next_payload, payloads, HEADER_LEN as u32)
        .take_while(of_known_end)
        .filter_map(Result::ok);
    let Some(encrypted) = payloads.find(|payload| payload.kind.is_encrypted()) else {
        return false;
    };
    let end = encrypted.offset.saturating_add(encrypted.length.into());
    let (length, there) = (header.length, byte_count(bytes));
    end == length
        || end == there
        || (end.abs_diff(length) <= NEAR && length.abs_diff(there) <= NEAR)
}

/// Whether exchange type, SPIs and Message ID are usual for a message of an established SA.
fn is_usual(header: &Header) -> bool {
    has_spis(header) && header.exchange_type.name().is_some() && !can_begin_sa(header.exchange_type)
}

/// Whether both SPIs are set and the Message ID is a usual one.
fn has_spis(header: &Header) -> bool {
    header.init_spi != [0; 8]
        && header.resp_spi != [0; 8]
        && USUAL_MESSAGE_IDS.contains(&header.message_id)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{sa_init, MessageBuilder, INIT_SPI};
    use super::*;

    fn marked_with(message: &[u8]) -> Vec<u8> {
        [&NON_ESP_MARKER, message].concat()
    }

    fn sk(exchange: ExchangeType) -> MessageBuilder {
        MessageBuilder::request(exchange).payload(PayloadType::SK, [0x5a; 60])
    }

    #[test]
    fn finds_messages_with_and_without_marker() {
        for (builder, response) in [
            (sa_init(), false),
            (sk(ExchangeType::IKE_AUTH), false),
            (
                MessageBuilder::response(ExchangeType::INFORMATIONAL)
                    .payload(PayloadType::SK, [0x5a; 60]),
                true,
            ),
        ] {
            let plain = builder.build();
            let sighting = |marker| Some(DetectedMessage { marker, response });
            assert_eq!(detect(&plain), sighting(false));
            assert_eq!(detect(&marked_with(&plain)), sighting(true));
        }
    }

    #[test]
    fn finds_every_minor_version_and_exchange() {
        for minor in 0..16 {
            let bytes = sa_init().header(|h| h.version |= minor).build();
            assert!(detect(&bytes).is_some(), "minor {minor}");
        }
        for exchange in (34..=44).chain([45, 100, 240, 255]) {
            let bytes = sk(ExchangeType(exchange)).build();
            assert!(detect(&bytes).is_some(), "exchange {exchange}");
        }
    }

    #[test]
    fn finds_messages_with_one_unusual_field() {
        let mut trailing = sa_init().build();
        trailing.extend([0; 100]);
        let mut broken_chain = sa_init().build();
        broken_chain.truncate(130);
        broken_chain[27] = 130;
        broken_chain[26] = 0;
        let odd = [
            trailing,
            broken_chain,
            sa_init().header(|h| h.flags |= 0x40).build(),
            sa_init().header(|h| h.init_spi = [0; 8]).build(),
            sa_init().header(|h| h.message_id = 7).build(),
            sa_init().header(|h| h.flags = 0).build(),
            MessageBuilder::request(ExchangeType::IKE_AUTH)
                .payload(PayloadType(99), [1; 9])
                .build(),
        ];
        for (index, bytes) in odd.iter().enumerate() {
            assert!(detect(bytes).is_some(), "case {index}");
        }
    }

    /// A copy with changed bytes at these offsets.
    fn patched(bytes: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (offset, value) in changes {
            bytes[*offset] = *value;
        }
        bytes
    }

    /// The first request, with an additional first payload of a private type.
    fn with_private_first() -> Vec<u8> {
        let plain = sa_init().build();
        let private = [plain[16], 0, 0, 8, 1, 2, 3, 4];
        let mut bytes = [&plain[..HEADER_LEN], &private, &plain[HEADER_LEN..]].concat();
        bytes[16] = 200;
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[24..28].copy_from_slice(&length.to_be_bytes());
        bytes
    }

    #[test]
    fn finds_the_first_request_with_any_other_header_fields() {
        let reserved = patched(&with_private_first(), &[(19, 0xc8)]);
        let trailing = [&with_private_first()[..], &[0]].concat();
        let minor = patched(&trailing, &[(17, 0x27), (19, 0xc8), (23, 9)]);
        for bytes in [reserved, trailing, minor] {
            assert!(detect(&bytes).is_some_and(|it| !it.marker && !it.response));
            assert!(detect(&marked_with(&bytes)).is_some_and(|it| it.marker));
        }
    }

    #[test]
    fn finds_messages_with_a_wrong_length() {
        let (plain, sealed) = (sa_init().build(), sk(ExchangeType::IKE_AUTH).build());
        for length in [0, 1, 27, 28, 29, 70_000, 0x7fff_ffff, u32::MAX] {
            for bytes in [&plain, &sealed] {
                let mut bytes = bytes.clone();
                bytes[24..28].copy_from_slice(&u32::to_be_bytes(length));
                assert!(detect(&bytes).is_some(), "length {length}");
                assert!(detect(&marked_with(&bytes)).is_some(), "length {length}");
                assert!(detect_expected(&bytes, false).is_some(), "length {length}");
            }
        }
    }

    #[test]
    fn finds_later_messages_whose_ends_are_close() {
        let sealed = sk(ExchangeType::IKE_AUTH).build();
        let bytes = patched(&[&sealed[..], &[0; 7]].concat(), &[(27, sealed[27] + 3), (19, 0xc8)]);
        assert!(detect(&bytes).is_some());
        let far = [&bytes[..], &[0; 100]].concat();
        assert_eq!(detect(&far), None);
        let known = detect_if_known(&far).map(|(_, init_spi, _)| init_spi);
        assert_eq!(known, Some(INIT_SPI));
    }

    #[test]
    fn an_exchange_type_of_ikev1_does_not_hide_a_message_where_ike_is_expected() {
        let bytes = patched(&sk(ExchangeType::IKE_AUTH).build(), &[(18, 4), (19, 0x48)]);
        assert_eq!(detect(&bytes), None);
        assert!(detect_expected(&bytes, false).is_some());
        assert!(detect_if_known(&bytes).is_some());
    }

    #[test]
    fn two_unusual_fields_without_proof_are_not_enough() {
        let mut bytes = sk(ExchangeType(99)).build();
        assert!(detect(&bytes).is_some());
        bytes.push(0);
        assert_eq!(detect(&bytes), None);
    }

    #[test]
    fn a_header_alone_is_a_message_only_on_ike_ports() {
        for exchange in [ExchangeType::IKE_SA_INIT, ExchangeType::INFORMATIONAL] {
            let bytes = MessageBuilder::request(exchange).build();
            assert_eq!(bytes.len(), HEADER_LEN);
            assert_eq!(detect(&bytes), None);
            assert_eq!(detect(&marked_with(&bytes)), None);
            assert!(detect_expected(&bytes, false).is_some());
        }
    }

    #[test]
    fn unusual_messages_are_found_on_ike_ports() {
        let whole = sa_init().build();
        let header_of_two = patched(&whole, &[(16, 200), (19, 0xc8)]);
        for bytes in [
            whole[..60].to_vec(),
            patched(&whole, &[(26, whole[26] + 1)]),
            patched(&whole, &[(19, 0xff)]),
            patched(&whole, &[(24, 0xff), (25, 0xff), (26, 0xff), (27, 0xff), (19, 0xc8)]),
            patched(&whole[..HEADER_LEN], &[(24, 0), (25, 0), (26, 0), (27, 0)]),
            header_of_two[..60].to_vec(),
        ] {
            assert!(detect_expected(&bytes, false).is_some_and(|it| !it.marker), "{bytes:02x?}");
            let marked = marked_with(&bytes);
            assert!(detect_expected(&marked, true).is_some_and(|it| it.marker));
            assert_eq!(detect_expected(&bytes, true), None);
        }
        assert_eq!(detect_expected(&whole[..HEADER_LEN - 1], false), None);
    }

    #[test]
    fn a_higher_major_version_needs_more_proof_and_version_1_is_refused() {
        let whole = sa_init().build();
        for major in [0, 3, 15] {
            let bytes = patched(&whole, &[(17, major << 4)]);
            assert!(detect_expected(&bytes, false).is_some(), "major {major}");
            assert_eq!(detect_expected(&bytes[..HEADER_LEN], false), None, "major {major}");
        }
        assert_eq!(detect_expected(&patched(&whole, &[(17, 0x10)]), false), None);
    }

    #[test]
    fn other_major_versions_are_not_detected() {
        for major in [0, 1, 3, 15] {
            let bytes = sa_init().header(|h| h.version = major << 4).build();
            assert_eq!(detect(&bytes), None, "major {major}");
        }
    }

    #[test]
    fn a_truncated_request_is_detected_once_its_sa_payload_begins() {
        let bytes = sa_init().build();
        for cut in 0..bytes.len() {
            let is_certain = cut >= HEADER_LEN + 4;
            assert_eq!(detect(&bytes[..cut]).is_some(), is_certain, "{cut} bytes");
        }
        let sealed = sk(ExchangeType::IKE_AUTH).build();
        // The encrypted part is truncated, which the payload's length shows.
        for cut in 0..sealed.len() {
            assert_eq!(detect(&sealed[..cut]), None, "{cut} bytes");
        }
    }

    /// The first bytes of a datagram, padded to `length` with `fill`.
    fn padded(start: &[u8], length: usize, fill: u8) -> Vec<u8> {
        let mut bytes = start.to_vec();
        bytes.resize(length, fill);
        bytes
    }

    /// Datagrams of other protocols, built from their specifications.
    fn foreign() -> Vec<(&'static str, Vec<u8>)> {
        let dns = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01";
        let answer = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x07example\x03com\0\0\x01\0\x01\
            \xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\x5d\xb8\xd8\x22";
        let mdns = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x05_http\x04_tcp\x05local\0\0\x0c\0\x01";
        let sip = b"OPTIONS sip:gw.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\n\r\n";
        let snmp = b"\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04\x12\x34\x56\x78\x02\x01\0\
            \x02\x01\0\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x05\0";
        let stun = b"\0\x01\0\x08\x21\x12\xa4\x42abcdefghijkl\x80\x22\0\x04test";
        let classic_stun = b"\0\x01\0\x08abcdefghijklmnop\0\x03\0\x04\0\0\0\0";
        let quic = b"\xc3\0\0\0\x01\x08abcdefgh\x08\x20\x22\x20\x08\0\0\0\0\0\0\x04\x9c";
        let quic_versions = b"\x80\0\0\0\0\x08abcdefgh\0\0\0\0\x01\x6b\x33\x43\xcf";
        let dtls = b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x38\x01\0\0\x2c\0\0\0\0\0\0\0\x2c\xfe\xfd";
        let ikev1 = [
            &INIT_SPI[..],
            &[0; 8],
            &[1, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 84],
            &[0, 0, 0, 56, 0, 0, 0, 1],
        ];
        vec![
            ("DNS query", dns.to_vec()),
            ("DNS answer", answer.to_vec()),
            ("mDNS", mdns.to_vec()),
            ("QUIC initial", padded(quic, 1200, 0x22)),
            ("QUIC version negotiation", quic_versions.to_vec()),
            ("QUIC short header", padded(&[0x45; 9], 300, 0x2e)),
            ("STUN of RFC 5389", stun.to_vec()),
            ("STUN of RFC 3489", classic_stun.to_vec()),
            ("WireGuard initiation", padded(&[1, 0, 0, 0], 148, 0x20)),
            ("WireGuard response", padded(&[2, 0, 0, 0], 92, 0x22)),
            ("WireGuard cookie", padded(&[3, 0, 0, 0], 64, 0x2f)),
            ("WireGuard data", padded(&[4, 0, 0, 0], 128, 0)),
            ("RTP", padded(b"\x80\0\x12\x34\0\0\x01\0\xde\xad\xbe\xef", 172, 0x22)),
            ("RTCP", padded(b"\x80\xc8\0\x06\xde\xad\xbe\xef", 28, 0x20)),
            ("NTP client", padded(&[0x23, 0, 6, 0xec], 48, 0)),
            ("NTP server", padded(&[0x24, 1, 0, 0xec], 48, 0x21)),
            ("SIP", sip.to_vec()),
            ("DTLS client hello", padded(dtls, 69, 0x20)),
            ("DTLS data", padded(b"\x17\xfe\xfd\0\x01\0\0\0\0\0\x01\0\x20", 45, 0x22)),
            ("TFTP request", b"\0\x01pxelinux.0\0octet\0blksize\x001428\0".to_vec()),
            ("TFTP data", padded(&[0, 3, 0, 1], 516, 0x20)),
            ("SNMP", snmp.to_vec()),
            ("OpenVPN reset", padded(b"\x38abcdefgh\0\0\0\0\0", 14, 0)),
            ("OpenVPN tls-crypt", padded(b"\x50abcdefgh\0\0\0\x01", 54, 0x28)),
            ("VXLAN", padded(&[8, 0, 0, 0, 0, 0, 42, 0], 64, 0)),
            ("GTP-U", padded(&[0x30, 0xff, 0, 0x40, 0, 0, 0, 1, 0x45], 72, 0x22)),
            ("GTP-C version 2", padded(&[0x48, 32, 0, 60, 0, 0, 0, 0], 64, 0x2b)),
            ("RADIUS", padded(&[1, 7, 0, 44], 44, 0x20)),
            ("DHCP", padded(&[1, 1, 6, 0], 300, 0)),
            ("L2TP", padded(&[0xc8, 2, 0, 20, 0, 0, 0, 0], 20, 0)),
            ("syslog", b"<34>Oct 11 22:14:15 gateway su: authentication failure".to_vec()),
            ("SSDP", b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n".to_vec()),
            ("NetFlow 5", padded(&[0, 5, 0, 1], 72, 0)),
            ("IKEv1 main mode", padded(&ikev1.concat(), 84, 0)),
            ("ESP", padded(&[0xc0, 0, 0, 1, 0, 0, 0, 9], 120, 0x22)),
            ("zeros", vec![0; 200]),
            ("spaces", vec![0x20; 200]),
            ("quotes", vec![0x22; 200]),
        ]
    }

    /// More datagrams of the same protocols: later messages with other contents.
    fn more_foreign() -> Vec<(&'static str, Vec<u8>)> {
        let dns = b"\xab\xcd\x01\x20\0\x01\0\0\0\0\0\x01\x04_ike\x04_udp\x07example\0\0\x10\0\x01\
            \0\0\x29\x10\0\0\0\x80\0\0\0";
        let answer =
            b"\xab\xcd\x85\x83\0\x01\0\0\0\x01\0\0\x02no\x07example\0\0\x1c\0\x01\xc0\x0f\0\x06\
            \0\x01\0\0\x02\x58\0\x22\x02ns\xc0\x0f\x05admin\xc0\x0f";
        let mdns = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x05_http\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x02";
        let sip = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nCSeq: 1 OPTIONS\r\n\r\n";
        let snmp = b"\x30\x3a\x02\x01\x03\x30\x0f\x02\x02\x22\x20\x02\x03\0\xff\xe3\x04\x01\x04\x02\x01\x03\x04\
            \x10\x30\x0e\x04\0\x02\x01\0\x02\x01\0\x04\0\x04\0\x04\0\x30\x12";
        let stun =
            b"\x01\x01\0\x0c\x21\x12\xa4\x42lkjihgfedcba\0\x20\0\x08\0\x01\xa1\x47\xe1\x12\xa6\x43";
        let allocate =
            b"\0\x03\0\x08\x21\x12\xa4\x42\x20\x22\x20\x22\x20\x22\x20\x22\0\x19\0\x04\x11\0\0\0";
        let quic = b"\xe2\0\0\0\x01\x08abcdefgh\x08\x22\x20\x22\x20\x22\x20\x22\x20\x40\x75";
        let quic2 =
            b"\xd0\x6b\x33\x43\xcf\x08\x20\x22\x20\x22\x20\x22\x20\x22\x08hgfedcba\0\x44\x9c";
        let dtls = b"\x16\xfe\xff\0\0\0\0\0\0\0\x01\0\x61\x02\0\0\x55\0\x01\0\0\0\0\0\x55\xfe\xfd";
        let quick = [&[0x22; 8][..], &[0x20; 8], &[8, 0x10, 32, 1, 0x20, 0x22, 0, 1, 0, 0, 0, 100]];
        let aggressive = [&[0x22; 8][..], &[0; 8], &[1, 0x11, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0]];
        vec![
            ("DNS query with EDNS", dns.to_vec()),
            ("DNS refusal", answer.to_vec()),
            ("mDNS answer", mdns.to_vec()),
            ("QUIC handshake", padded(quic, 300, 0x20)),
            ("QUIC version 2", padded(quic2, 1200, 0x21)),
            ("QUIC short header", padded(&[0x5f; 9], 60, 0x22)),
            ("STUN answer", stun.to_vec()),
            ("TURN allocate", allocate.to_vec()),
            ("WireGuard initiation", padded(&[1, 0, 0, 0, 0x22, 0x20], 148, 0x22)),
            ("WireGuard response", padded(&[2, 0, 0, 0, 1, 2, 3, 4], 92, 0x20)),
            ("WireGuard cookie", padded(&[3, 0, 0, 0, 9, 9], 64, 0x22)),
            ("WireGuard data", padded(&[4, 0, 0, 0, 0, 0, 0, 1, 9], 1452, 0x22)),
            ("RTP video", padded(b"\x90\xe0\x20\x22\0\0\x20\x22\xde\xad\xbe\xef", 1200, 0x21)),
            ("RTCP report", padded(b"\x81\xc9\0\x07\0\0\0\x22", 32, 0x22)),
            ("NTP symmetric", padded(&[0x19, 2, 10, 0xe9], 68, 0x22)),
            ("NTP control", padded(&[0x16, 2, 0x20, 0x22], 12, 0)),
            ("SIP answer", sip.to_vec()),
            ("DTLS server hello", padded(dtls, 109, 0x22)),
            ("DTLS 1.3 data", padded(b"\x2e\x20\x22\0\x40", 69, 0x22)),
            ("TFTP answer", b"\0\x06blksize\x001428\0tsize\x00203040\0".to_vec()),
            ("SNMP version 3", snmp.to_vec()),
            ("OpenVPN data", padded(b"\x48\0\0\x01\x20\x22", 120, 0x22)),
            ("VXLAN", padded(&[8, 0, 0, 0, 0x22, 0x20, 0x22, 0], 120, 0x22)),
            ("GTP-U", padded(&[0x32, 0xff, 0, 0x40, 0x22, 0x20, 0x22, 0x20, 0, 1], 76, 0x20)),
            ("GTP-C answer", padded(&[0x48, 33, 0, 60, 0, 0, 0, 9], 64, 0x22)),
            ("RADIUS accounting", padded(&[4, 0x20, 0, 60], 60, 0x22)),
            ("DHCP offer", padded(&[2, 1, 6, 0, 0x20, 0x22, 0x20, 0x22], 300, 0x20)),
            ("L2TP data", padded(&[0x40, 2, 0, 60, 0, 1, 0, 1], 60, 0x22)),
            ("NetFlow 9", padded(&[0, 9, 0, 1, 0x20, 0x22], 80, 0x22)),
            (
                "BitTorrent",
                b"d1:ad2:id20:\x22\x20\x22\x20\x22\x20\x22\x20e1:q4:ping1:y1:qe".to_vec(),
            ),
            ("IKEv1 quick mode", padded(&quick.concat(), 100, 0x22)),
            ("IKEv1 aggressive mode", padded(&aggressive.concat(), 256, 0x20)),
            ("ESP", padded(&[0x22, 0x20, 0x22, 0x20, 0, 0, 0x20, 0x22], 80, 0x21)),
            ("ones", vec![1; 300]),
            ("twos", vec![2; 300]),
            ("0x21", vec![0x21; 300]),
            ("0x2b", vec![0x2b; 300]),
        ]
    }

    fn all_foreign() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
        foreign().into_iter().chain(more_foreign())
    }

    #[test]
    fn other_protocols_are_never_detected() {
        for (name, bytes) in all_foreign() {
            assert_eq!(detect(&bytes), None, "{name}");
            assert_eq!(detect(&marked_with(&bytes)), None, "{name} after a marker");
            assert_eq!(detect_expected(&bytes, false), None, "{name} on port 500");
            assert_eq!(detect_expected(&bytes, true), None, "{name} on port 4500");
            let marked = marked_with(&bytes);
            assert_eq!(detect_expected(&marked, true), None, "{name} after a marker on 4500");
        }
    }

    #[test]
    fn other_protocols_are_not_detected_with_our_version_and_exchange() {
        for (name, mut bytes) in all_foreign() {
            for at in [17, 21] {
                if let Some(place) = bytes.get_mut(at..at + 2) {
                    place.copy_from_slice(&[0x20, 0x22]);
                }
                assert_eq!(detect(&bytes), None, "{name}");
            }
        }
    }

    /// A xorshift generator. It produces the same datagrams in every run.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn fill(&mut self, bytes: &mut [u8]) {
            for chunk in bytes.chunks_mut(8) {
                let noise = self.next().to_le_bytes();
                chunk.copy_from_slice(&noise[..chunk.len()]);
            }
        }
    }

    #[test]
    fn random_bytes_are_never_detected() {
        let mut noise = Noise(0x1234_5678_9abc_def1);
        let mut buffer = [0; 160];
        for round in 0..2_000_000 {
            let length = (noise.next() % 160) as usize;
            let bytes = &mut buffer[..length];
            noise.fill(bytes);
            let at = match round % 4 {
                0 => 160,
                1 => 21,
                _ => 17,
            };
            if let Some(place) = bytes.get_mut(at..at + 2) {
                place.copy_from_slice(&[0x20, 0x22]);
            }
            if let (1, [a, b, c, d, ..]) = (round % 4, &mut *bytes) {
                (*a, *b, *c, *d) = (0, 0, 0, 0);
            }
            assert_eq!(detect(bytes), None, "{bytes:02x?}");
            if round % 4 == 0 {
                assert_eq!(detect_expected(bytes, false), None, "{bytes:02x?}");
            }
        }
    }

    #[test]
    fn random_bytes_after_a_valid_header_are_rarely_detected() {
        let mut noise = Noise(0xfeed_beef_dead_c0de);
        let mut bytes = sk(ExchangeType::IKE_SA_INIT).build();
        let mut taken = 0;
        for _ in 0..100_000 {
            noise.fill(&mut bytes[HEADER_LEN..]);
            bytes[16] = (noise.next() & 0xff) as u8;
            taken += usize::from(detect(&bytes).is_some());
        }
        // The header alone gives more than 45 bits. The chain adds some.
        assert!(taken < 100, "{taken}");
    }
}
