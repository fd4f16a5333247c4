//! Datagrams of conversations that are made up, and captures of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::bytes::noise;
use crate::capture::{frame, CaptureWriter, End, BEGIN};
use crate::message::marked;

/// What lies between two datagrams, unless they say otherwise.
const PAUSE: Duration = Duration::from_millis(1);

/// The ports of a flow, and whether its messages stand behind a non-ESP marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The port that the first datagram is sent from.
    pub client_port: u16,
    /// The port that the first datagram is sent to.
    pub server_port: u16,
    /// Whether messages stand behind the non-ESP marker.
    pub marker: bool,
}

impl Flow {
    /// IKE on its first port.
    pub const IKE: Self = Self { client_port: 500, server_port: 500, marker: false };
    /// IKE on the port of NAT traversal.
    pub const NAT_T: Self = Self { client_port: 4500, server_port: 4500, marker: true };
    /// IKE on ports that are nobody's.
    pub const OTHER: Self = Self { client_port: 40_000, server_port: 5_555, marker: false };

    /// A datagram with a message from the client.
    pub fn request(self, message: impl AsRef<[u8]>) -> FlowDatagram {
        self.datagram(true, message.as_ref())
    }

    /// A datagram with a message from the server.
    pub fn response(self, message: impl AsRef<[u8]>) -> FlowDatagram {
        self.datagram(false, message.as_ref())
    }

    /// ESP from the client or from the server; `length` counts from the SPI on.
    pub fn esp(self, to_server: bool, spi: u32, length: usize) -> FlowDatagram {
        let mut data = [&spi.to_be_bytes(), &noise(spi, length)[..]].concat();
        data.truncate(length);
        FlowDatagram { data, ..self.datagram(to_server, &[]) }
    }

    fn datagram(self, to_server: bool, message: &[u8]) -> FlowDatagram {
        let data = if self.marker { marked(message) } else { message.to_vec() };
        FlowDatagram { flow: self, to_server, time: Time::After(PAUSE), data }
    }
}

/// When a datagram is captured.
#[derive(Clone, Copy, Debug)]
enum Time {
    /// So long after the one before.
    After(Duration),
    /// So long after the beginning of the capture.
    At(Duration),
}

/// A UDP datagram between client and server, whose addresses come with the capture.
#[derive(Clone, Debug)]
pub struct FlowDatagram {
    flow: Flow,
    to_server: bool,
    time: Time,
    data: Vec<u8>,
}

impl FlowDatagram {
    /// Bytes of the client between two equal ports.
    pub fn to_server(port: u16, data: Vec<u8>) -> Self {
        Self::from_port(port, port, data)
    }

    /// Bytes of the client from one port to another.
    pub fn from_port(client_port: u16, server_port: u16, data: Vec<u8>) -> Self {
        Flow { client_port, server_port, marker: false }.request(data)
    }

    /// The datagram as one of the server, on the same path back.
    pub fn by_server(self) -> Self {
        Self { to_server: false, ..self }
    }

    /// The datagram as one of the client or one of the server.
    pub fn directed(self, to_server: bool) -> Self {
        Self { to_server, ..self }
    }

    /// The datagram so many seconds after the one before.
    pub fn after(self, seconds: u64) -> Self {
        Self { time: Time::After(Duration::from_secs(seconds)), ..self }
    }

    /// The datagram so many seconds after the beginning, even if one before it is later.
    pub fn at(self, seconds: u64) -> Self {
        Self { time: Time::At(Duration::from_secs(seconds)), ..self }
    }

    /// The datagram half a second after the one before: a timer's, where one that comes at
    /// once would be a copy that a tap makes.
    pub fn timed(self) -> Self {
        Self { time: Time::After(Duration::from_millis(500)), ..self }
    }

    /// A datagram on the same path as this one, with another message.
    pub fn carrying(&self, message: impl AsRef<[u8]>) -> Self {
        self.flow.datagram(self.to_server, message.as_ref())
    }

    /// Whether both are of one flow.
    pub fn is_of_flow_of(&self, other: &Self) -> bool {
        let ports = |one: &Self| (one.flow.client_port, one.flow.server_port);
        ports(self) == ports(other)
    }

    /// The datagram as one of another SA: SPIs that are not zero are changed by a number.
    pub fn of_sa(mut self, number: u8) -> Self {
        let start = if self.flow.marker { 4 } else { 0 };
        let spis = self.data.get_mut(start..start + 16).unwrap_or_default();
        for spi in spis.chunks_exact_mut(8).filter(|spi| spi.iter().any(|byte| *byte != 0)) {
            spi[0] ^= number;
        }
        self
    }

    fn frame(&self, hosts: [Host; 2]) -> Vec<u8> {
        let ports = [self.flow.client_port, self.flow.server_port];
        let [client, server] = [0, 1].map(|place| hosts[place].end(ports[place]));
        match self.to_server {
            true => frame(client, server, &self.data),
            false => frame(server, client, &self.data),
        }
    }
}

/// One of two hosts.
#[derive(Clone, Copy)]
struct Host {
    mac: [u8; 6],
    address: Ipv4Addr,
}

impl Host {
    fn end(self, port: u16) -> End {
        End { mac: self.mac, address: SocketAddr::new(self.address.into(), port) }
    }
}

/// A capture of datagrams between two hosts, which have addresses for documentation
/// (RFC 5737).
pub fn capture_of(datagrams: &[FlowDatagram]) -> Vec<u8> {
    let hosts = [10, 20]
        .map(|host| Host { mac: [2, 0, 0, 0, 0, host], address: Ipv4Addr::new(192, 0, 2, host) });
    written(datagrams.iter().map(|datagram| (hosts, datagram)))
}

/// A capture of several conversations, which differ in the third byte of their addresses (of
/// those for benchmarks, RFC 2544).
///
/// # Panics
///
/// When there are more than 256.
pub fn capture(conversations: &[&[FlowDatagram]]) -> Vec<u8> {
    assert!(conversations.len() <= 256, "addresses for 256 conversations");
    let of_all = (0..=u8::MAX).zip(conversations).flat_map(|(number, datagrams)| {
        let hosts = [1, 2].map(|host| Host {
            mac: [2, 0, 0, 18, number, host],
            address: Ipv4Addr::new(198, 18, number, host),
        });
        datagrams.iter().map(move |datagram| (hosts, datagram))
    });
    written(of_all)
}

/// The number of the conversation that an address of [`capture`] belongs to.
pub fn conversation(address: &str) -> Option<usize> {
    let address: Ipv4Addr = address.parse().ok()?;
    let [198, 18, number, _] = address.octets() else { return None };
    Some(number.into())
}

fn written<'a>(datagrams: impl Iterator<Item = ([Host; 2], &'a FlowDatagram)>) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new());
    let mut time = BEGIN.saturating_sub(PAUSE);
    for (hosts, datagram) in datagrams {
        time = match datagram.time {
            Time::After(pause) => time + pause,
            Time::At(offset) => BEGIN + offset,
        };
        writer.write(time, &datagram.frame(hosts));
    }
    writer.finish()
}
