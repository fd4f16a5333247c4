//! Captures, read and written: the project's own, those of others, and made-up ones.

use std::fs::File;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapReader, PcapWriter};
use pcap_file::pcapng::{Block, PcapNgReader};
use pcap_file::{DataLink, Endianness};

use crate::message::NON_ESP_MARKER;
use crate::project::{files, project};

/// 2024-01-01 00:00:00 UTC, when captures begin that are made up.
pub const BEGIN: Duration = Duration::from_secs(1_704_067_200);

// --- reading ----------------------------------------------------------------

/// A UDP datagram of a capture.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// The capture's file name and the number of the packet in it, from 1.
    pub place: String,
    /// The end that sent it.
    pub source: SocketAddr,
    /// The end that it was sent to.
    pub destination: SocketAddr,
    /// When it was captured, since the epoch.
    pub time: Duration,
    /// What stands behind the UDP header.
    pub data: Vec<u8>,
}

impl Datagram {
    /// Its data without the non-ESP marker, if it begins with one.
    pub fn unmarked(&self) -> &[u8] {
        self.data.strip_prefix(&NON_ESP_MARKER).unwrap_or(&self.data)
    }
}

/// The folder of the project's captures of real peers.
pub fn folder() -> PathBuf {
    project().join("tests/capture/pcap")
}

/// Every UDP datagram of every capture in [`folder`], in the order of file names.
///
/// # Panics
///
/// When a capture cannot be read.
pub fn datagrams() -> Vec<Datagram> {
    files(&folder(), "pcap").iter().flat_map(|path| read(path)).collect()
}

/// Every UDP datagram of the capture of this name in [`folder`].
///
/// # Panics
///
/// When the capture cannot be read.
pub fn datagrams_of(name: &str) -> Vec<Datagram> {
    read(&folder().join(name))
}

/// Every UDP datagram of a capture, pcap or pcapng. Of those in IP fragments there is none.
///
/// # Panics
///
/// When the capture cannot be read.
pub fn read(path: &Path) -> Vec<Datagram> {
    let (name, mut found) = (name_of(path), Vec::new());
    for (number, packet) in (1..).zip(packets(path)) {
        let Some((source, destination, data)) = packet.udp() else { continue };
        let (place, time) = (format!("{name}, packet {number}"), packet.time);
        found.push(Datagram { place, source, destination, time, data });
    }
    found
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().into_owned()
}

/// A packet of a capture.
#[derive(Clone, Debug)]
pub struct Packet {
    /// When it was captured, since the epoch.
    pub time: Duration,
    /// What its bytes begin with.
    link: DataLink,
    /// Its bytes, as many as were captured.
    pub data: Vec<u8>,
}

impl Packet {
    /// Its UDP datagram: source, destination and data.
    fn udp(&self) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        let sliced = match self.link {
            DataLink::ETHERNET => SlicedPacket::from_ethernet(&self.data),
            DataLink::LINUX_SLL => SlicedPacket::from_linux_sll(&self.data),
            DataLink::NULL => SlicedPacket::from_ip(self.data.get(4..)?),
            _ => SlicedPacket::from_ip(&self.data),
        };
        let sliced = sliced.ok()?;
        let (source, destination): (IpAddr, IpAddr) = match sliced.net? {
            NetSlice::Ipv4(ip) => {
                (ip.header().source_addr().into(), ip.header().destination_addr().into())
            }
            NetSlice::Ipv6(ip) => {
                (ip.header().source_addr().into(), ip.header().destination_addr().into())
            }
            NetSlice::Arp(_) => return None,
        };
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { return None };
        let source = SocketAddr::new(source, udp.source_port());
        let destination = SocketAddr::new(destination, udp.destination_port());
        Some((source, destination, udp.payload().to_vec()))
    }
}

/// Every packet of a capture, pcap or pcapng.
///
/// # Panics
///
/// When the capture cannot be read.
pub fn packets(path: &Path) -> Vec<Packet> {
    let name = name_of(path);
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if name.ends_with(".pcapng") {
        return packets_of_pcapng(PcapNgReader::new(file).expect("a capture"));
    }
    let mut reader = PcapReader::new(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    let link = reader.header().datalink;
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let number = packets.len() + 1;
        let packet = packet.unwrap_or_else(|error| panic!("{name}, packet {number}: {error}"));
        packets.push(Packet { time: packet.timestamp, link, data: packet.data.into_owned() });
    }
    packets
}

fn packets_of_pcapng(mut reader: PcapNgReader<File>) -> Vec<Packet> {
    let (mut links, mut packets) = (Vec::new(), Vec::new());
    while let Some(block) = reader.next_block() {
        match block.expect("a readable block") {
            Block::InterfaceDescription(interface) => links.push(interface.linktype),
            Block::EnhancedPacket(packet) => {
                let link = links[packet.interface_id as usize];
                let (time, data) = (packet.timestamp, packet.data.into_owned());
                packets.push(Packet { time, link, data });
            }
            _ => {}
        }
    }
    packets
}

// --- writing ----------------------------------------------------------------

/// An end of a datagram that is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The Ethernet address.
    pub mac: [u8; 6],
    /// IP address and UDP port.
    pub address: SocketAddr,
}

/// A UDP datagram as an Ethernet frame.
///
/// # Panics
///
/// When one end has an IPv4 address and the other an IPv6 address, or when the data does not
/// fit in a datagram.
pub fn frame(from: End, to: End, data: &[u8]) -> Vec<u8> {
    let ethernet = PacketBuilder::ethernet2(from.mac, to.mac);
    let ip = match (from.address.ip(), to.address.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
        (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
        ends => panic!("no packet goes between {ends:?}"),
    };
    let packet = ip.udp(from.address.port(), to.address.port());
    let mut frame = Vec::with_capacity(packet.size(data.len()));
    packet.write(&mut frame, data).expect("a datagram fits in a frame");
    frame
}

/// Writes a capture of Ethernet frames.
pub struct CaptureWriter<W: Write> {
    pcap: PcapWriter<W>,
    packets: u64,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a capture.
    ///
    /// # Panics
    ///
    /// When the output cannot be written; the other functions too.
    pub fn new(output: W) -> Self {
        let header = PcapHeader { endianness: Endianness::Little, ..PcapHeader::default() };
        let pcap = PcapWriter::with_header(output, header).expect("the output can be written");
        Self { pcap, packets: 0 }
    }

    /// Adds a frame with its time since the epoch, of whose seconds a file has 32 bits.
    pub fn write(&mut self, time: Duration, frame: &[u8]) {
        let length = u32::try_from(frame.len()).expect("a frame is small");
        let time = time.min(Duration::from_secs(u32::MAX.into()));
        let packet = PcapPacket::new(time, length, frame);
        self.pcap.write_packet(&packet).expect("the output can be written");
        self.packets += 1;
    }

    /// How many frames were written.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Ends the capture and gives the output back.
    pub fn finish(self) -> W {
        self.pcap.into_writer()
    }
}
