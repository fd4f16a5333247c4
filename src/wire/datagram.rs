//! Which part of IKE's traffic a datagram is, and whether it is IKE at all.
//!
//! UDP port 500 carries bare IKE messages. On port 4500 they share the port
//! with ESP and keepalives, and begin with a non-ESP marker of four zero bytes
//! ([RFC 3948](https://www.rfc-editor.org/rfc/rfc3948)); peers behind unusual
//! port numbers do the same.

use super::error::{ErrorKind, ParseError};
use super::header::{Header, HEADER_LEN};
use super::message::Payloads;
use super::registry::{ExchangeType, PayloadType};

/// The offset of the version byte in the header.
const VERSION_OFFSET: usize = 17;

/// The four zero bytes that tell an IKE message from ESP, whose SPI is never
/// zero.
pub const NON_ESP_MARKER: [u8; 4] = [0; 4];

/// The lengths that a message in one UDP datagram can have.
const SHORTEST: u32 = HEADER_LEN as u32;
const LONGEST: u32 = u16::MAX as u32;

/// What is known about the flow a datagram belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carrier {
    /// One of the ports is 500, where no marker is used.
    pub port_500: bool,
    /// One of the ports is 4500, or the flow has shown a non-ESP marker
    /// before: ESP and keepalives are to be expected.
    pub encapsulated: bool,
}

/// A datagram of a flow that carries IKE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// An IKE message, possibly a malformed one.
    Message {
        /// Whether a non-ESP marker stood before it.
        marker: bool,
        /// The message, without the marker.
        bytes: &'a [u8],
    },
    /// An ESP packet (RFC 4303).
    Esp {
        /// Security Parameters Index.
        spi: u32,
        /// Sequence Number.
        sequence: u32,
    },
    /// A NAT keepalive: one byte of 0xff (RFC 3948, section 2.3).
    Keepalive,
    /// No data at all.
    Empty,
}

/// Tells what a datagram is, for a flow that is known to carry IKE.
///
/// | begins with | port 500 | ESP may occur | else |
/// |---|---|---|---|
/// | a plausible IKEv2 header | bare message | bare message | bare message |
/// | four zero bytes | marker, if a plausible header follows | marker | marker |
/// | anything else | bare message | ESP | bare message |
///
/// The first row comes first because an initiator SPI may have four leading
/// zero bytes. What is neither plausible nor ESP is a message all the same,
/// whose parser will say what is wrong with it; that includes data too short
/// for the two fixed fields of ESP.
#[inline]
pub fn classify(data: &[u8], carrier: Carrier) -> Datagram<'_> {
    match data {
        [] => Datagram::Empty,
        [0xff] => Datagram::Keepalive,
        [0, 0, 0, 0, behind @ ..] => marked(data, behind, carrier),
        _ if carrier.port_500 || !carrier.encapsulated => bare(data),
        _ if plausible(data).is_some() => bare(data),
        _ => esp(data).unwrap_or_else(|| bare(data)),
    }
}

/// Four zero bytes: a marker, or the initiator's SPI.
fn marked<'a>(data: &'a [u8], behind: &'a [u8], carrier: Carrier) -> Datagram<'a> {
    let possible = !carrier.port_500 || plausible(behind).is_some();
    if possible && plausible(data).is_none() {
        Datagram::Message { marker: true, bytes: behind }
    } else {
        bare(data)
    }
}

fn bare(bytes: &[u8]) -> Datagram<'_> {
    Datagram::Message { marker: false, bytes }
}

/// By far most datagrams of a tunnel come here.
fn esp(data: &[u8]) -> Option<Datagram<'_>> {
    let [a, b, c, d, e, f, g, h] = *data.first_chunk()?;
    let spi = u32::from_be_bytes([a, b, c, d]);
    Some(Datagram::Esp { spi, sequence: u32::from_be_bytes([e, f, g, h]) })
}

/// An IKE message found by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whether a non-ESP marker stood before it.
    pub marker: bool,
    /// Whether it is a response: the flow then began unseen.
    pub response: bool,
}

/// Finds an IKEv2 message in the first datagram of an unknown UDP flow, with or
/// without a non-ESP marker, by its content alone.
///
/// Certain in every sighting: the major version is 2 (any minor version), the
/// exchange type is not one of IKEv1's, the header's length lies within the
/// datagram, and the first payload lies within that length. Of the following, at
/// most one is not as it should be:
///
/// - the initiator's SPI is not zero;
/// - the length is that of the datagram, without trailing bytes;
/// - IANA has assigned the exchange type;
/// - the reserved flags are clear;
/// - IANA has assigned the first payload's type;
/// - SPIs, Message ID and flags fit the exchange (RFC 7296, sections 2.2, 2.6
///   and 3.1);
/// - the chain of payloads ends exactly where the length says.
///
/// So a peer cannot hide by using one thing a receiver has to ignore or a
/// number assigned after this was written. Against uniformly random bytes each
/// combination leaves at least 50 bits to chance, mostly the length's 32 and
/// the payload lengths' 16: less than one false sighting in 10^15 datagrams.
pub fn detect(data: &[u8]) -> Option<Sighting> {
    let sighting = |marker, header: Header| Sighting { marker, response: header.flags.response() };
    if let Some(header) = plausible(data) {
        return Some(sighting(false, header));
    }
    let behind = data.strip_prefix(&NON_ESP_MARKER)?;
    plausible(behind).map(|header| sighting(true, header))
}

/// As [`detect`], for a datagram on a port that is IKE's, where a damaged first
/// message is worth more than elsewhere, and where it is known whether it has the
/// non-ESP marker: the length need only be one that UDP could carry, and the
/// payloads are not looked at.
///
/// Certain are the major version and an exchange type that is not one of IKEv1's.
/// Of an initiator's SPI, an assigned exchange type, an assigned first payload and
/// clear reserved flags, at most one is missing. Random bytes pass once in
/// 10^8 datagrams.
pub fn detect_damaged(data: &[u8], marker: bool) -> Option<Sighting> {
    let bytes = if marker { data.strip_prefix(&NON_ESP_MARKER)? } else { data };
    let header = resembles(bytes)?;
    Some(Sighting { marker, response: header.flags.response() })
}

fn resembles(bytes: &[u8]) -> Option<Header> {
    let header = Header::parse(bytes).ok()?;
    let is_ikev2 = header.version.major() == 2
        && header.exchange_type.0 >= ExchangeType::IKE_SA_INIT.0
        && (SHORTEST..=LONGEST).contains(&header.length);
    let oddities = [
        header.init_spi == [0; 8],
        header.exchange_type.name().is_none(),
        header.flags.reserved() != 0,
        header.next_payload.name().is_none(),
    ];
    (is_ikev2 && oddities.iter().filter(|odd| **odd).count() <= 1).then_some(header)
}

/// The header of `bytes`, if it can be no chance that it looks like one. What
/// that takes is described at [`detect`].
#[inline]
fn plausible(bytes: &[u8]) -> Option<Header> {
    // By far most of what is not IKEv2 fails here.
    if bytes.get(VERSION_OFFSET)? >> 4 != 2 {
        return None;
    }
    plausible_header(bytes)
}

/// Apart, so that the rest of [`plausible`] is small enough to be inlined for ESP.
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
        !chain_closes(header.next_payload, payloads)?,
    ];
    (oddities.iter().filter(|odd| **odd).count() <= 1).then_some(header)
}

/// Whether SPIs, Message ID and flags are what the exchange demands. The
/// exchanges that begin an IKE SA have Message ID 0, and their first request
/// comes from the initiator to a responder that has no SPI yet; in every other
/// exchange both SPIs are known.
fn fits_exchange(header: &Header) -> bool {
    let no_responder = header.resp_spi == [0; 8];
    match header.exchange_type {
        ExchangeType::IKE_SA_INIT | ExchangeType::IKE_SESSION_RESUME => {
            let roles_differ = header.flags.initiator() != header.flags.response();
            let request_is_first = header.flags.response() || no_responder;
            header.message_id == 0 && roles_differ && request_is_first
        }
        _ => !no_responder,
    }
}

/// Whether the chain ends where its bytes end; `None` if not even its first
/// payload lies within them.
fn chain_closes(first: PayloadType, bytes: &[u8]) -> Option<bool> {
    let intact = |payload: Result<_, ParseError>| match payload {
        Ok(_) => true,
        Err(error) => error.kind == ErrorKind::UnknownCriticalPayload,
    };
    let mut payloads = Payloads::new(first, bytes, 0);
    match payloads.next() {
        Some(Err(_)) => None,
        _ => Some(payloads.all(intact)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::Flags;
    use super::super::testing::{sa_init, MessageBuilder, INIT_SPI};
    use super::*;

    const PORT_500: Carrier = Carrier { port_500: true, encapsulated: false };
    const PORT_4500: Carrier = Carrier { port_500: false, encapsulated: true };
    const OTHER: Carrier = Carrier { port_500: false, encapsulated: false };

    fn marked_with(message: &[u8]) -> Vec<u8> {
        [&NON_ESP_MARKER, message].concat()
    }

    fn sk(exchange: ExchangeType) -> MessageBuilder {
        MessageBuilder::request(exchange).payload(PayloadType::SK, [0x5a; 60])
    }

    fn message(marker: bool, bytes: &[u8]) -> Datagram<'_> {
        Datagram::Message { marker, bytes }
    }

    #[test]
    fn w1_classifies_messages_on_every_port() {
        let plain = sa_init().build();
        let marked = marked_with(&plain);
        for carrier in [PORT_500, PORT_4500, OTHER] {
            assert_eq!(classify(&plain, carrier), message(false, &plain));
            assert_eq!(classify(&marked, carrier), message(true, &plain));
        }
    }

    #[test]
    fn w3_keepalives_and_empty_datagrams_are_no_messages() {
        for carrier in [PORT_500, PORT_4500, OTHER] {
            assert_eq!(classify(&[], carrier), Datagram::Empty);
            assert_eq!(classify(&[0xff], carrier), Datagram::Keepalive);
        }
        let two = [0xff, 0xff];
        assert_eq!(classify(&two, PORT_4500), message(false, &two));
    }

    #[test]
    fn esp_is_told_from_messages_where_it_may_occur() {
        let packet = [0xc0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3];
        let esp = Datagram::Esp { spi: 0xc000_0001, sequence: 9 };
        assert_eq!(classify(&packet, PORT_4500), esp);
        assert_eq!(classify(&packet, PORT_500), message(false, &packet));
        assert_eq!(classify(&packet, OTHER), message(false, &packet));
        for short in 2..8 {
            let bytes = &packet[..short];
            assert_eq!(classify(bytes, PORT_4500), message(false, bytes));
        }
    }

    #[test]
    fn four_zero_bytes_of_an_spi_are_not_a_marker() {
        let bytes = sa_init().header(|h| h.init_spi = [0, 0, 0, 0, 1, 2, 3, 4]).build();
        for carrier in [PORT_500, PORT_4500, OTHER] {
            assert_eq!(classify(&bytes, carrier), message(false, &bytes));
        }
        let malformed = &bytes[..40];
        assert_eq!(classify(malformed, PORT_500), message(false, malformed));
    }

    #[test]
    fn a_marker_is_seen_before_malformed_messages_too() {
        for length in 0..40 {
            let bytes = marked_with(&vec![7; length]);
            assert_eq!(classify(&bytes, PORT_4500), message(true, &bytes[4..]));
        }
    }

    #[test]
    fn w1_detects_with_and_without_marker() {
        for (builder, response) in [
            (sa_init(), false),
            (sk(ExchangeType::IKE_AUTH), false),
            (MessageBuilder::response(ExchangeType::INFORMATIONAL), true),
        ] {
            let plain = builder.build();
            let sighting = |marker| Some(Sighting { marker, response });
            assert_eq!(detect(&plain), sighting(false));
            assert_eq!(detect(&marked_with(&plain)), sighting(true));
        }
    }

    #[test]
    fn w2_detects_every_minor_version_and_exchange() {
        for minor in 0..16 {
            let bytes = sa_init().header(|h| h.version.0 |= minor).build();
            assert!(detect(&bytes).is_some(), "minor {minor}");
        }
        for exchange in (34..=44).chain([45, 100, 240, 255]) {
            let bytes = sk(ExchangeType(exchange)).build();
            assert!(detect(&bytes).is_some(), "exchange {exchange}");
        }
    }

    #[test]
    fn w2_detects_despite_any_one_oddity() {
        let mut trailing = sa_init().build();
        trailing.extend([0; 100]);
        let mut broken_chain = sa_init().build();
        broken_chain.truncate(130);
        broken_chain[27] = 130;
        broken_chain[26] = 0;
        let odd = [
            trailing,
            broken_chain,
            sa_init().header(|h| h.flags.0 |= 0x40).build(),
            sa_init().header(|h| h.init_spi = [0; 8]).build(),
            sa_init().header(|h| h.message_id = 7).build(),
            sa_init().header(|h| h.flags = Flags(0)).build(),
            MessageBuilder::request(ExchangeType::IKE_AUTH)
                .payload(PayloadType(99), [1; 9])
                .build(),
        ];
        for (index, bytes) in odd.iter().enumerate() {
            assert!(detect(bytes).is_some(), "case {index}");
        }
    }

    #[test]
    fn two_oddities_are_no_chance() {
        let mut bytes = sk(ExchangeType(99)).build();
        assert!(detect(&bytes).is_some());
        bytes.push(0);
        assert_eq!(detect(&bytes), None);
    }

    #[test]
    fn a_damaged_message_is_detected_where_ike_is_expected() {
        let whole = sa_init().build();
        let mut too_long = whole.clone();
        too_long[26] += 1;
        for bytes in
            [whole[..60].to_vec(), too_long, sa_init().header(|h| h.flags = Flags(0xff)).build()]
        {
            assert_eq!(detect(&bytes), None);
            assert!(detect_damaged(&bytes, false).is_some_and(|sighting| !sighting.marker));
            let marked = marked_with(&bytes);
            assert!(detect_damaged(&marked, true).is_some_and(|sighting| sighting.marker));
            assert_eq!(detect_damaged(&marked, false), None);
            assert_eq!(detect_damaged(&bytes, true), None);
        }
        assert_eq!(detect_damaged(&whole[..HEADER_LEN - 1], false), None);
        let mut two_oddities = whole;
        two_oddities[16] = 200;
        two_oddities[19] = 0xff;
        assert_eq!(detect_damaged(&two_oddities, false), None);
    }

    #[test]
    fn other_major_versions_are_not_ours() {
        for major in [0, 1, 3, 15] {
            let bytes = sa_init().header(|h| h.version.0 = major << 4).build();
            assert_eq!(detect(&bytes), None, "major {major}");
        }
    }

    #[test]
    fn truncation_at_every_length_is_not_detected() {
        let bytes = sa_init().build();
        for cut in 0..bytes.len() {
            assert_eq!(detect(&bytes[..cut]), None, "{cut} bytes");
        }
    }

    /// The first bytes of a datagram, filled up to `length` with `fill`.
    fn padded(start: &[u8], length: usize, fill: u8) -> Vec<u8> {
        let mut bytes = start.to_vec();
        bytes.resize(length, fill);
        bytes
    }

    /// Datagrams of other protocols, hand-made after their specifications.
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

    #[test]
    fn other_protocols_are_never_taken() {
        for (name, bytes) in foreign() {
            assert_eq!(detect(&bytes), None, "{name}");
            assert_eq!(detect(&marked_with(&bytes)), None, "{name} behind a marker");
        }
    }

    #[test]
    fn other_protocols_are_not_taken_even_with_our_version_and_exchange() {
        for (name, mut bytes) in foreign() {
            for at in [17, 21] {
                if let Some(place) = bytes.get_mut(at..at + 2) {
                    place.copy_from_slice(&[0x20, 0x22]);
                }
                assert_eq!(detect(&bytes), None, "{name}");
            }
        }
    }

    /// A xorshift generator: the same datagrams on every run.
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
    fn noise_is_never_taken() {
        let mut noise = Noise(0x1234_5678_9abc_def1);
        let mut buffer = [0; 160];
        for round in 0..1_000_000 {
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
        }
    }

    #[test]
    fn noise_behind_a_perfect_header_is_rarely_taken() {
        let mut noise = Noise(0xfeed_beef_dead_c0de);
        let mut bytes = sk(ExchangeType::IKE_SA_INIT).build();
        let mut taken = 0;
        for _ in 0..100_000 {
            noise.fill(&mut bytes[HEADER_LEN..]);
            bytes[16] = (noise.next() & 0xff) as u8;
            taken += usize::from(detect(&bytes).is_some());
        }
        // The header alone is worth more than 45 bits; the chain adds some.
        assert!(taken < 100, "{taken}");
    }
}
