//! Captures of the fuzz targets' corpora: on IKE's ports and others, with the non-ESP
//! marker and without, over IPv4 and IPv6, in both directions.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use testkit::capture::{frame, CaptureWriter, End};
use testkit::input::{self, InputFlow, Step, FLOWS};
use testkit::message::{marked, MessageBuilder};
use testkit::project::{entries, project};
use testkit::proposal::{sa_body, ProposalBuilder};
use testkit::registry::{IKE_SA_INIT, NONCE, SA};

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
    entries(&folder).iter().map(|path| fs::read(path).expect("a readable file")).collect()
}

/// A capture of every `share`th input, and how many packets it has.
pub(crate) fn of_corpora(share: usize) -> (Vec<u8>, u64) {
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
    capture.finish()
}

/// A capture of so many IKE_SA_INITs, each of another SA, and their number.
pub(crate) fn flood(count: u64) -> (Vec<u8>, u64) {
    let request = |number: u64| {
        let message = MessageBuilder::request(IKE_SA_INIT).payload(NONCE, [7; 16]);
        MessageBuilder { init_spi: (number + 1).to_be_bytes(), ..message }.build()
    };
    let mut capture = Capture::new();
    for number in 0..count {
        capture.time += 100;
        capture.send(&FLOWS[0], false, &request(number));
    }
    capture.finish()
}

/// A capture of so many IKE_SA_INIT requests of one SA in one flow, each with its own nonce
/// and the same proposal of many transforms.
pub(crate) fn one_flow(count: u64) -> Vec<u8> {
    /// Transforms of a request: half of the payload's room for them.
    const TRANSFORMS: u16 = 120;
    let transforms: Vec<_> = (0..TRANSFORMS).map(|number| (4, 0x400 + number, None)).collect();
    let sa = sa_body(&[ProposalBuilder::for_ike(&transforms).build()]);
    let request = MessageBuilder::request(IKE_SA_INIT).payload(SA, sa);
    let request = MessageBuilder { init_spi: [9; 8], ..request };
    let mut capture = Capture::new();
    for number in 0..count {
        let nonce = [[7; 8], number.to_be_bytes()].concat();
        let message = request.clone().payload(NONCE, nonce);
        capture.time += 100;
        capture.send(&FLOWS[0], false, &message.build());
    }
    capture.finish().0
}

struct Capture {
    writer: CaptureWriter<Vec<u8>>,
    /// Microseconds since the epoch.
    time: u64,
    /// The number of the pair of hosts that talks.
    hosts: u32,
}

impl Capture {
    fn new() -> Self {
        Self { writer: CaptureWriter::new(Vec::new()), time: BEGIN, hosts: 0 }
    }

    /// The capture, and how many packets it has.
    fn finish(self) -> (Vec<u8>, u64) {
        let packets = self.writer.packets();
        (self.writer.finish(), packets)
    }

    /// Two datagrams, one each way, in every form.
    fn exchange(&mut self, datagram: &[u8], answer: &[u8]) {
        self.hosts += 1;
        for (client_port, server_port, marker) in FORMS {
            let on_wire = |data: &[u8]| if marker { marked(data) } else { data.to_vec() };
            for ipv6 in [false, true] {
                let flow = InputFlow { client_port, server_port, ipv6 };
                self.time += 1_000;
                self.send(&flow, false, &on_wire(datagram));
                self.send(&flow, true, &on_wire(answer));
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

    fn send(&mut self, flow: &InputFlow, to_client: bool, data: &[u8]) {
        let mut ends = ends(flow, self.hosts);
        if to_client {
            ends.reverse();
        }
        self.writer.write(Duration::from_micros(self.time), &frame(ends[0], ends[1], data));
    }
}

/// Client and server. The pairs of hosts have addresses for documentation and for benchmarks
/// (RFC 2544, 3849).
fn ends(flow: &InputFlow, hosts: u32) -> [End; 2] {
    let [_, _, high, low] = hosts.to_be_bytes();
    [(18, flow.client_port), (19, flow.server_port)].map(|(host, port)| {
        let mut address = [0; 16];
        address[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        address[13..].copy_from_slice(&[high, low, host]);
        let address = match flow.ipv6 {
            true => IpAddr::from(address),
            false => IpAddr::from([198, host, high, low]),
        };
        End { mac: [2, 0, 0, 0, 0, host], address: SocketAddr::new(address, port) }
    })
}
