//! Captures of the fuzz targets' corpora: on IKE's ports and others, with the non-ESP
//! marker and without, over IPv4 and IPv6, in both directions.

use std::fs;
use std::time::Duration;

use etherparse::PacketBuilder;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::Endianness;

use crate::input::{self, Flow, Step, FLOWS};
use crate::suricata::project;

/// 2024-01-01 00:00:00 UTC, in microseconds.
const BEGIN: u64 = 1_704_067_200_000_000;

/// The most that a datagram of a flood is sent here: Suricata sees each of them.
const MOST_TIMES: u64 = 8;

/// What a single datagram is sent as: ports, and whether a marker is put in front.
const FORMS: [(u16, u16, bool); 6] = [
    (500, 500, false),
    (4500, 4500, false),
    (4500, 4500, true),
    (40_000, 4500, true),
    (40_001, 1234, false),
    (40_001, 1234, true),
];

/// The inputs of a target's committed corpus.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = project().join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("the corpora are in fuzz/corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a readable file")).collect()
}

/// A capture of every `share`th input, and how many packets it has.
pub(crate) fn of_corpora(share: usize) -> (Vec<u8>, usize) {
    let mut capture = Capture::new();
    let datagrams = [corpus("datagram"), corpus("probe")].concat();
    let datagrams: Vec<_> = datagrams.iter().filter_map(|it| input::datagram(it)).collect();
    for (place, step) in datagrams.iter().enumerate().step_by(share) {
        let answer = &datagrams[(place + 1) % datagrams.len()];
        capture.exchange(step.data, answer.data);
    }
    for sequence in corpus("sequence").iter().step_by(share) {
        capture.hosts += 1;
        capture.time = BEGIN + u64::from(capture.hosts) * 1_000_000;
        input::steps(sequence).for_each(|step| capture.play(&step));
    }
    (capture.writer.into_writer(), capture.packets)
}

/// A capture of so many IKE_SA_INITs, each of another SA, and their number.
pub(crate) fn flood(count: u64) -> (Vec<u8>, u64) {
    let request = |number: u64| {
        let header = [&(number + 1).to_be_bytes()[..], &[0; 8], &[40, 0x20, 34, 8, 0, 0, 0, 0]];
        let nonce = [0, 0, 0, 20, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7];
        [&header.concat(), &[0, 0, 0, 48][..], &nonce].concat()
    };
    let mut capture = Capture::new();
    for number in 0..count {
        capture.time += 100;
        capture.send(&FLOWS[0], false, &request(number));
    }
    (capture.writer.into_writer(), count)
}

/// A capture of so many IKE_SA_INIT requests of one SA in one flow, each with its own nonce
/// and the same proposal of many transforms.
pub(crate) fn one_flow(count: u64) -> Vec<u8> {
    /// Transforms of a request: half of the payload's room for them.
    const TRANSFORMS: u8 = 120;
    let transform = |number| {
        let more = if number + 1 == TRANSFORMS { 0 } else { 3 };
        [more, 0, 0, 8, 4, 0, 4, number]
    };
    let transforms: Vec<u8> = (0..TRANSFORMS).flat_map(transform).collect();
    let length = |length: usize| u16::try_from(length).expect("it fits").to_be_bytes();
    let [sa, proposal] = [12, 8].map(|front| length(front + transforms.len()));
    let payload = [&[40, 0][..], &sa, &[0, 0], &proposal, &[1, 1, 0, TRANSFORMS], &transforms];
    let payload = payload.concat();
    let mut capture = Capture::new();
    for number in 0..count {
        let header = [&[9; 8][..], &[0; 8], &[33, 0x20, 34, 8, 0, 0, 0, 0]].concat();
        let size = (28 + payload.len() + 20) as u32;
        let nonce = [&[0, 0, 0, 20, 7, 7, 7, 7, 7, 7, 7, 7][..], &number.to_be_bytes()].concat();
        let message = [&header[..], &size.to_be_bytes(), &payload, &nonce].concat();
        capture.time += 100;
        capture.send(&FLOWS[0], false, &message);
    }
    capture.writer.into_writer()
}

struct Capture {
    writer: PcapWriter<Vec<u8>>,
    packets: usize,
    /// Microseconds since the epoch.
    time: u64,
    /// The number of the pair of hosts that talks.
    hosts: u32,
}

impl Capture {
    fn new() -> Self {
        let header = PcapHeader { endianness: Endianness::Little, ..PcapHeader::default() };
        let writer = PcapWriter::with_header(Vec::new(), header).expect("memory can be written");
        Self { writer, packets: 0, time: BEGIN, hosts: 0 }
    }

    /// Two datagrams, one each way, in every form.
    fn exchange(&mut self, datagram: &[u8], answer: &[u8]) {
        self.hosts += 1;
        for (client_port, server_port, marker) in FORMS {
            let marked = |data: &[u8]| [if marker { &[0; 4][..] } else { &[] }, data].concat();
            for ipv6 in [false, true] {
                let flow = Flow { client_port, server_port, ipv6 };
                self.time += 1_000;
                self.send(&flow, false, &marked(datagram));
                self.send(&flow, true, &marked(answer));
            }
        }
    }

    fn play(&mut self, step: &Step<'_>) {
        self.time = self.time.saturating_add_signed(step.pause);
        for number in 0..step.times.min(MOST_TIMES) {
            let mut data = step.data.to_vec();
            if let Some(spi) = data.get_mut(2..4).filter(|_| number > 0) {
                spi.copy_from_slice(&(number as u16).to_be_bytes());
            }
            self.send(&FLOWS[step.flow], step.to_client, &data);
        }
    }

    fn send(&mut self, flow: &Flow, to_client: bool, data: &[u8]) {
        let frame = frame(flow, self.hosts, to_client, data);
        // A capture file has 32 bits for the seconds.
        let time = Duration::from_micros(self.time).min(Duration::from_secs(u32::MAX.into()));
        let length = u32::try_from(frame.len()).expect("a frame is small");
        let packet = PcapPacket::new(time, length, &frame);
        self.writer.write_packet(&packet).expect("memory can be written");
        self.packets += 1;
    }
}

/// The pairs of hosts have addresses for documentation and for benchmarks (RFC 2544,
/// 3849).
fn frame(flow: &Flow, hosts: u32, to_client: bool, data: &[u8]) -> Vec<u8> {
    let [_, _, high, low] = hosts.to_be_bytes();
    let address = |host| {
        let mut address = [0; 16];
        address[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        address[13..].copy_from_slice(&[high, low, host]);
        address
    };
    let (mut from, mut to) = ((flow.client_port, 18), (flow.server_port, 19));
    if to_client {
        (from, to) = (to, from);
    }
    let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, from.1], [2, 0, 0, 0, 0, to.1]);
    let ip = if flow.ipv6 {
        ethernet.ipv6(address(from.1), address(to.1), 64)
    } else {
        ethernet.ipv4([198, from.1, high, low], [198, to.1, high, low], 64)
    };
    let packet = ip.udp(from.0, to.0);
    let mut frame = Vec::with_capacity(packet.size(data.len()));
    packet.write(&mut frame, data).expect("a datagram fits in a frame");
    frame
}
