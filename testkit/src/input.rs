//! The form of the fuzz targets' inputs, which tests of corpora read and write too.

use std::net::{IpAddr, SocketAddr};

use crate::message::MessageBuilder;
use crate::registry::{CREATE_CHILD_SA, IKE_AUTH, INFORMATIONAL, INITIATOR, RESPONSE};

/// The flows of a sequence: what an input's byte names.
pub const FLOWS: [InputFlow; 4] = [
    InputFlow { client_port: 500, server_port: 500, ipv6: false },
    InputFlow { client_port: 4500, server_port: 4500, ipv6: false },
    InputFlow { client_port: 40_000, server_port: 4500, ipv6: true },
    InputFlow { client_port: 40_001, server_port: 1234, ipv6: true },
];

/// What a datagram's flow looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputFlow {
    /// The client's port.
    pub client_port: u16,
    /// The server's port.
    pub server_port: u16,
    /// Whether the hosts have IPv6 addresses.
    pub ipv6: bool,
}

/// A datagram, and how it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Its place in [`FLOWS`].
    pub flow: usize,
    /// Whether the server sends it.
    pub to_client: bool,
    /// How often it is sent, each time with another initiator's SPI: a flood.
    pub times: u64,
    /// Microseconds since the datagram before; the clock may be set back.
    pub pause: i64,
    /// The datagram.
    pub data: &'a [u8],
}

impl Step<'_> {
    /// The ports of its flow, the client's first.
    pub fn ports(&self) -> (u16, u16) {
        (FLOWS[self.flow].client_port, FLOWS[self.flow].server_port)
    }

    /// Where it comes from and where it goes to.
    pub fn ends(&self) -> (SocketAddr, SocketAddr) {
        let flow = &FLOWS[self.flow];
        let address = |host| match flow.ipv6 {
            true => IpAddr::from([0, 0, 0, 0, 0, 0, 0, host]),
            false => IpAddr::from([192, 0, 2, host as u8]),
        };
        let client = SocketAddr::new(address(10), flow.client_port);
        let server = SocketAddr::new(address(20), flow.server_port);
        if self.to_client {
            (server, client)
        } else {
            (client, server)
        }
    }
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Pauses around every time limit of the tracking.
pub const PAUSES: [i64; 16] = [
    0,
    1_000,
    10_000,
    100_000,
    SECOND,
    5 * SECOND,
    29 * SECOND,
    31 * SECOND,
    61 * SECOND,
    121 * SECOND,
    DAY - SECOND,
    DAY + SECOND,
    -1_000,
    -SECOND,
    -DAY,
    i64::MAX,
];

/// How often a datagram is sent.
const TIMES: [u64; 4] = [1, 2, 16, 256];

/// The bytes before a datagram: two of flags and two of its length.
const HEAD: usize = 4;

/// The datagrams of a sequence. The last may be shorter than its length says.
pub fn steps(mut input: &[u8]) -> impl Iterator<Item = Step<'_>> {
    core::iter::from_fn(move || {
        let ([kind, pause, length @ ..], rest) = input.split_first_chunk::<HEAD>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (data, rest) = rest.split_at(length);
        input = rest;
        Some(Step {
            flow: usize::from(kind & 3),
            to_client: kind & 4 != 0,
            times: TIMES[usize::from(kind >> 3 & 3)],
            pause: PAUSES[usize::from(pause & 15)],
            data,
        })
    })
}

/// Adds a datagram, sent once, to a sequence. None if it is too long for one.
pub fn push_step(
    input: &mut Vec<u8>,
    flow: usize,
    to_client: bool,
    pause: usize,
    data: &[u8],
) -> Option<()> {
    let length = u16::try_from(data.len()).ok()?;
    input.extend([flow as u8 | u8::from(to_client) << 2, pause as u8]);
    input.extend(length.to_be_bytes());
    input.extend(data);
    Some(())
}

/// The decrypted payloads of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decrypted<'a> {
    /// Whether the message is a response.
    pub response: bool,
    /// Its exchange type.
    pub exchange: u8,
    /// The type of the first payload.
    pub first: u8,
    /// The payloads with their generic headers.
    pub payloads: &'a [u8],
}

/// Exchanges with encrypted messages; the last is IKE_INTERMEDIATE.
const EXCHANGES: [u8; 4] = [IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL, 43];

/// The decrypted payloads that an input stands for: direction and exchange are in the first
/// byte, the type of the first payload is the second.
pub fn decrypted(input: &[u8]) -> Option<Decrypted<'_>> {
    let ([kind, first], payloads) = input.split_first_chunk()?;
    let exchange = EXCHANGES[usize::from(kind >> 1 & 3)];
    Some(Decrypted { response: kind & 1 != 0, exchange, first: *first, payloads })
}

impl Decrypted<'_> {
    /// The input that it is read from; none of another exchange.
    pub fn input(&self) -> Option<Vec<u8>> {
        let exchange = EXCHANGES.iter().position(|it| *it == self.exchange)?;
        let kind = (exchange << 1) as u8 | u8::from(self.response);
        Some([&[kind, self.first], self.payloads].concat())
    }

    /// The message with these payloads in clear, of which the first has this type.
    pub fn message(&self, first: u8, payloads: &[u8]) -> Vec<u8> {
        MessageBuilder {
            init_spi: [1; 8],
            resp_spi: [1; 8],
            flags: if self.response { RESPONSE } else { INITIATOR },
            ..MessageBuilder::request(self.exchange)
        }
        .build_with(first, payloads)
    }
}

/// A key table or a log: where it is cut in two stands in front, in parts of 256.
pub fn pieces(input: &[u8]) -> Option<[&[u8]; 2]> {
    let (cut, text) = input.split_first()?;
    let (first, second) = text.split_at(text.len() * usize::from(*cut) / 256);
    Some([first, second])
}

/// A single datagram: its flow and direction are in the first byte.
pub fn datagram(input: &[u8]) -> Option<Step<'_>> {
    let (kind, data) = input.split_first()?;
    let (flow, to_client) = (usize::from(kind & 3), kind & 4 != 0);
    Some(Step { flow, to_client, times: 1, pause: 0, data })
}
