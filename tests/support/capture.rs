//! The datagrams of the project's own captures.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::{Block, PcapNgReader};
use suricata_ikev2::message::Transport;

/// A UDP datagram of a capture.
#[allow(dead_code)] // Not every test that shares this file asks for all of it.
pub(crate) struct Datagram {
    /// The capture's file name and the number of the packet in it, from 1.
    pub(crate) place: String,
    pub(crate) transport: Transport,
    pub(crate) source: SocketAddr,
    /// When it was seen, since the epoch.
    pub(crate) time: Duration,
    pub(crate) data: Vec<u8>,
}

/// Every UDP datagram of every capture in `tests/capture/pcap`, in the order of
/// file names.
#[allow(dead_code)] // Not every test that shares this file asks for them.
pub(crate) fn datagrams() -> Vec<Datagram> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .expect("the project's captures are in tests/capture/pcap")
        .map(|entry| entry.expect("readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .collect();
    files.sort();
    files.iter().flat_map(|path| read(path)).collect()
}

/// Every UDP datagram of one of these captures.
#[allow(dead_code)] // Not every test that shares this file asks for one.
pub(crate) fn datagrams_of(name: &str) -> Vec<Datagram> {
    read(&folder().join(name))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/capture/pcap")
}

/// Every UDP datagram of a capture, in either form of files.
#[allow(dead_code)] // Not every test that shares this file asks for them.
pub(crate) fn read(path: &Path) -> Vec<Datagram> {
    let name = name_of(path);
    let mut found = Vec::new();
    for (index, (time, packet)) in packets(path).iter().enumerate() {
        let Ok(sliced) = SlicedPacket::from_ethernet(packet) else { continue };
        // Fragments of IP packets have no UDP header of their own.
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { continue };
        let source = match sliced.net {
            Some(NetSlice::Ipv4(ip)) => IpAddr::V4(ip.header().source_addr()),
            Some(NetSlice::Ipv6(ip)) => IpAddr::V6(ip.header().source_addr()),
            _ => continue,
        };
        found.push(Datagram {
            place: format!("{name}, packet {}", index + 1),
            transport: Transport::of_ports(udp.source_port(), udp.destination_port()),
            source: SocketAddr::new(source, udp.source_port()),
            time: *time,
            data: udp.payload().to_vec(),
        });
    }
    found
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().into_owned()
}

/// A packet with its time.
pub(crate) type Packet = (Duration, Vec<u8>);

/// Every packet of a capture.
#[allow(dead_code)] // Not every test that shares this file asks for them.
pub(crate) fn packets(path: &Path) -> Vec<Packet> {
    let name = name_of(path);
    let file = File::open(path).expect("readable capture");
    if name.ends_with(".pcapng") {
        return packets_of_pcapng(PcapNgReader::new(file).expect("a capture"));
    }
    let mut reader = PcapReader::new(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let number = packets.len() + 1;
        let packet = packet.unwrap_or_else(|error| panic!("{name}, packet {number}: {error}"));
        packets.push((packet.timestamp, packet.data.into_owned()));
    }
    packets
}

fn packets_of_pcapng(mut reader: PcapNgReader<File>) -> Vec<Packet> {
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.expect("a readable block") {
            packets.push((packet.timestamp, packet.data.into_owned()));
        }
    }
    packets
}
