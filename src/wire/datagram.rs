//! The kinds of datagrams in an IKE flow.
//!
//! UDP port 500 carries IKE messages without a marker. Port 4500 carries IKE, ESP and
//! keepalives. There, each IKE message begins with a non-ESP marker of four zero bytes
//! ([RFC 3948](https://www.rfc-editor.org/rfc/rfc3948)). Peers on other ports do the same.

use super::detect::{is_expected, plausible};

/// The four zero bytes before an IKE message. ESP begins with its SPI, which is never zero.
pub const NON_ESP_MARKER: [u8; 4] = [0; 4];

/// What is known about the flow of a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carrier {
    /// One of the ports is 500, or 848 for G-IKEv2. No marker is used there.
    pub port_500: bool,
    /// The flow may carry ESP and keepalives: one of the ports is 4500, or a non-ESP marker
    /// has been seen on other ports.
    pub encapsulated: bool,
}

/// A datagram of an IKE flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// An IKE message. It may be malformed.
    Message {
        /// Whether a non-ESP marker precedes the message.
        marker: bool,
        /// The message, without the marker.
        bytes: &'a [u8],
    },
    /// An ESP packet (RFC 4303).
    Esp {
        /// The Security Parameters Index field.
        spi: u32,
        /// The Sequence Number field.
        sequence: u32,
    },
    /// A NAT keepalive: one byte of 0xff (RFC 3948, section 2.3).
    Keepalive,
    /// A datagram without data.
    Empty,
}

/// Returns the kind of a datagram. The flow must be known to carry IKE.
///
/// | begins with | port 500 | ESP may occur | else |
/// |---|---|---|---|
/// | a plausible IKEv2 header | bare message | bare message | bare message |
/// | four zero bytes | marker, if a plausible header follows | marker | marker |
/// | anything else | bare message | ESP | bare message |
///
/// Between the ports 500 and 4500, messages with and without marker occur. There, a
/// datagram is ESP only if it does not resemble a message at all.
///
/// The first row has priority, because an initiator's SPI may begin with four zero bytes. A
/// datagram that is neither plausible nor ESP is returned as a message, so that the parser
/// reports its fault. This includes data that is too short for the two fixed fields of ESP.
#[inline]
pub fn classify(data: &[u8], carrier: Carrier) -> Datagram<'_> {
    match data {
        [] => Datagram::Empty,
        [0xff] => Datagram::Keepalive,
        [0, 0, 0, 0, rest @ ..] => marked(data, rest, carrier),
        _ if !carrier.encapsulated => bare(data),
        _ if plausible(data).is_some() => bare(data),
        _ if carrier.port_500 && is_expected(data).is_some() => bare(data),
        _ => esp(data).unwrap_or_else(|| bare(data)),
    }
}

/// Decides whether four zero bytes are a marker or a part of the initiator's SPI.
fn marked<'a>(data: &'a [u8], rest: &'a [u8], carrier: Carrier) -> Datagram<'a> {
    let possible = !carrier.port_500 || carrier.encapsulated || plausible(rest).is_some();
    if possible && plausible(data).is_none() {
        Datagram::Message { marker: true, bytes: rest }
    } else {
        bare(data)
    }
}

fn bare(bytes: &[u8]) -> Datagram<'_> {
    Datagram::Message { marker: false, bytes }
}

/// Most datagrams of an IPsec connection end here.
fn esp(data: &[u8]) -> Option<Datagram<'_>> {
    let [a, b, c, d, e, f, g, h] = *data.first_chunk()?;
    let spi = u32::from_be_bytes([a, b, c, d]);
    Some(Datagram::Esp { spi, sequence: u32::from_be_bytes([e, f, g, h]) })
}

#[cfg(test)]
mod tests {
    use super::super::testing::sa_init;
    use super::*;

    const PORT_500: Carrier = Carrier { port_500: true, encapsulated: false };
    const PORT_4500: Carrier = Carrier { port_500: false, encapsulated: true };
    const OTHER: Carrier = Carrier { port_500: false, encapsulated: false };

    fn marked_with(message: &[u8]) -> Vec<u8> {
        [&NON_ESP_MARKER, message].concat()
    }

    fn message(marker: bool, bytes: &[u8]) -> Datagram<'_> {
        Datagram::Message { marker, bytes }
    }

    #[test]
    fn classifies_messages_on_every_port() {
        let plain = sa_init().build();
        let marked = marked_with(&plain);
        for carrier in [PORT_500, PORT_4500, OTHER] {
            assert_eq!(classify(&plain, carrier), message(false, &plain));
            assert_eq!(classify(&marked, carrier), message(true, &plain));
        }
    }

    #[test]
    fn keepalives_and_empty_datagrams_are_no_messages() {
        for carrier in [PORT_500, PORT_4500, OTHER] {
            assert_eq!(classify(&[], carrier), Datagram::Empty);
            assert_eq!(classify(&[0xff], carrier), Datagram::Keepalive);
        }
        let two = [0xff, 0xff];
        assert_eq!(classify(&two, PORT_4500), message(false, &two));
    }

    #[test]
    fn esp_is_distinguished_from_messages_where_it_may_occur() {
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
    fn a_marker_is_recognized_before_malformed_messages() {
        for length in 0..40 {
            let bytes = marked_with(&vec![7; length]);
            assert_eq!(classify(&bytes, PORT_4500), message(true, &bytes[4..]));
        }
    }
}
