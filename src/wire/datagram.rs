//! Which part of IKE's traffic a datagram of an IKE flow is.
//!
//! UDP port 500 carries bare IKE messages. On port 4500 they share the port
//! with ESP and keepalives, and begin with a non-ESP marker of four zero bytes
//! ([RFC 3948](https://www.rfc-editor.org/rfc/rfc3948)); peers behind unusual
//! port numbers do the same.

use super::detect::{is_expected, plausible};

/// The four zero bytes that tell an IKE message from ESP, whose SPI is never
/// zero.
pub const NON_ESP_MARKER: [u8; 4] = [0; 4];

/// What is known about the flow a datagram belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carrier {
    /// One of the ports is 500, or 848 of G-IKEv2, where no marker is used.
    pub port_500: bool,
    /// One of the ports is 4500, or the flow between other ports has shown a non-ESP marker
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
/// Between the ports 500 and 4500 either form may come: ESP is what does not even resemble
/// a message.
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
        _ if !carrier.encapsulated => bare(data),
        _ if plausible(data).is_some() => bare(data),
        _ if carrier.port_500 && is_expected(data).is_some() => bare(data),
        _ => esp(data).unwrap_or_else(|| bare(data)),
    }
}

/// Four zero bytes: a marker, or the initiator's SPI.
fn marked<'a>(data: &'a [u8], behind: &'a [u8], carrier: Carrier) -> Datagram<'a> {
    let possible = !carrier.port_500 || carrier.encapsulated || plausible(behind).is_some();
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
}
