//! The datagrams of the project's own captures.

use std::fs::{self, File};
use std::path::PathBuf;

use etherparse::{SlicedPacket, TransportSlice};
use pcap_file::pcap::PcapReader;
use suricata_ikev2::tx::Transport;

/// A UDP datagram of a capture.
pub(crate) struct Datagram {
    /// The capture's file name and the number of the packet in it, from 1.
    pub(crate) place: String,
    pub(crate) transport: Transport,
    pub(crate) data: Vec<u8>,
}

/// Every UDP datagram of every capture in `tests/capture/pcap`, in the order of
/// file names.
pub(crate) fn datagrams() -> Vec<Datagram> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .expect("the project's captures are in tests/capture/pcap")
        .map(|entry| entry.expect("readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .collect();
    files.sort();
    files.iter().flat_map(read).collect()
}

/// Every UDP datagram of one of these captures.
#[allow(dead_code)] // Not every test that shares this file asks for one.
pub(crate) fn datagrams_of(name: &str) -> Vec<Datagram> {
    read(&folder().join(name))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/capture/pcap")
}

fn read(path: &PathBuf) -> Vec<Datagram> {
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let mut reader = PcapReader::new(File::open(path).expect("readable capture"))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut found = Vec::new();
    let mut number = 0;
    while let Some(packet) = reader.next_packet() {
        number += 1;
        let packet = packet.unwrap_or_else(|error| panic!("{name}, packet {number}: {error}"));
        let Ok(sliced) = SlicedPacket::from_ethernet(&packet.data) else { continue };
        // Fragments of IP packets have no UDP header of their own.
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { continue };
        found.push(Datagram {
            place: format!("{name}, packet {number}"),
            transport: Transport::of_ports(udp.source_port(), udp.destination_port()),
            data: udp.payload().to_vec(),
        });
    }
    found
}
