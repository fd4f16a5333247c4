//! What Suricata reads: captures, generated on disk as they are larger than memory
//! may be, and rules.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use testkit::bytes::noise;
use testkit::capture::CaptureWriter;

use crate::handshake::{Handshake, Peers, MESSAGES};

/// The packets of a tunnel behind its handshake.
const PACKETS: u32 = 1000;

/// The sizes of ESP packets, in turn: data, and acknowledgements of it.
const ESP_SIZES: [usize; 2] = [1400, 132];

/// Between two packets.
const STEP: Duration = Duration::from_micros(250);
/// When captures begin.
const BEGIN: Duration = Duration::from_secs(1_700_000_000);

/// A capture that is being written.
pub(crate) struct Writer {
    capture: CaptureWriter<BufWriter<File>>,
    time: Duration,
}

impl Writer {
    pub(crate) fn create(path: &Path) -> Self {
        let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { capture: CaptureWriter::new(BufWriter::with_capacity(1 << 20, file)), time: BEGIN }
    }

    /// Writes a frame a moment after the one before.
    pub(crate) fn write(&mut self, frame: &[u8]) {
        self.capture.write(self.time, frame);
        self.time += STEP;
    }

    /// The next frame is this long after the begin of the capture, unless the time has passed.
    pub(crate) fn at(&mut self, time: Duration) {
        self.time = self.time.max(BEGIN + time);
    }
}

/// Handshakes one after the other, each between other peers. Returns how many packets
/// they are.
pub(crate) fn handshakes(path: &Path, handshake: &Handshake, count: u32, nat: bool) -> u64 {
    let mut writer = Writer::create(path);
    for number in 0..count {
        let peers = Peers::new(number, nat);
        handshake.frames(&peers).for_each(|frame| writer.write(&frame));
    }
    assert_eq!(writer.capture.packets(), u64::from(count) * MESSAGES as u64);
    writer.capture.packets()
}

/// About so many bytes of ESP in UDP, in tunnels that begin with a handshake, of which
/// so many are up at a time. Returns how many packets they are.
pub(crate) fn esp(path: &Path, handshake: &Handshake, bytes: u64, tunnels: u32) -> u64 {
    let mut writer = Writer::create(path);
    let of_pair: usize = ESP_SIZES.iter().sum();
    let round = of_pair as u64 / 2 * u64::from(PACKETS * tunnels);
    for round in 0..bytes.div_ceil(round) as u32 {
        let numbers = round * tunnels..(round + 1) * tunnels;
        let up: Vec<_> = numbers.map(|number| Peers::new(number, true)).collect();
        for peers in &up {
            handshake.frames(peers).for_each(|frame| writer.write(&frame));
        }
        for sequence in 1..=PACKETS / 2 {
            for peers in &up {
                write_pair(&mut writer, peers, sequence);
            }
        }
    }
    writer.capture.packets()
}

fn write_pair(writer: &mut Writer, peers: &Peers, sequence: u32) {
    for (size, to_responder) in ESP_SIZES.into_iter().zip([false, true]) {
        let spi = 0xc000_0000 | u32::from(to_responder);
        let mut packet = [spi.to_be_bytes(), sequence.to_be_bytes()].concat();
        // Encrypted bytes look like chance.
        packet.extend(noise(spi ^ sequence, size - packet.len()));
        writer.write(&peers.frame(to_responder, true, &packet));
    }
}

/// Rules that look at integers and none of which matches, each for its own number.
pub(crate) fn integer_rules(count: u32) -> String {
    let options = |number: u32| match number % 4 {
        0 => format!("ikev2.exchange_type:{};", 100 + number % 100),
        1 => format!("ikev2.dh_group:{},offered;", 1000 + number),
        2 => format!("ikev2.notify.type:{};", 40_000 + number),
        _ => format!("ikev2.offered.encr:{};", 2000 + number),
    };
    rules("ikev2", count, options)
}

/// The same as [`integer_rules`] for the built-in parser, as far as it has keywords.
pub(crate) fn built_in_rules(count: u32) -> String {
    rules("ike", count, |number| match number % 2 {
        0 => format!("ike.exchtype:{};", 100 + number % 100),
        _ => format!("ike.key_exchange_payload_length:>{};", 10_000 + number),
    })
}

fn rules(protocol: &str, count: u32, options: impl Fn(u32) -> String) -> String {
    let mut rules = String::new();
    for sid in 1..=count {
        let options = options(sid);
        let _ = writeln!(
            rules,
            "alert {protocol} any any -> any any (msg:\"{sid}\"; {options} sid:{sid};)"
        );
    }
    rules
}
