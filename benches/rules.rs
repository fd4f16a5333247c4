//! What 1,000 rules cost in the real Suricata: `cargo bench --bench rules`.
//!
//! The demo's capture, as 5,000 handshakes of different peers, is read with one
//! rule, with 1,000 rules of integer keywords and with 1,000 rules of a buffer,
//! which Suricata's pattern matcher sorts out before they are looked at. Times are
//! of this machine and this run: compare them with each other only.

#![allow(dead_code)]

#[path = "../tests/support/suricata.rs"]
mod suricata;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use pcap_file::pcap::{PcapPacket, PcapReader, PcapWriter};
use suricata::{project, target, Suricata};

const HANDSHAKES: u16 = 5000;
const RULES: u32 = 1000;

fn main() {
    let folder = target().join("bench-rules");
    fs::create_dir_all(&folder).expect("a folder of the build");
    let capture = folder.join("handshakes.pcap");
    fs::write(&capture, handshakes()).expect("the capture can be written");
    println!("{:<40} {:>16}", format!("{HANDSHAKES} handshakes, rules"), "user seconds");
    for (name, rules) in [
        ("one", one_rule()),
        ("1,000 of integer keywords", integer_rules()),
        ("1,000 of a buffer", buffer_rules()),
    ] {
        let file = folder.join("bench.rules");
        fs::write(&file, rules).expect("the rules can be written");
        println!("{name:<40} {:>16}", user_seconds(&folder, &capture, &file));
    }
}

/// The demo's capture, again and again with other addresses and SPIs.
fn handshakes() -> Vec<u8> {
    let path = project().join("tests/capture/pcap/aes-cbc-sha1-modp1024.pcap");
    let bytes = fs::read(path).expect("the demo's capture");
    let mut reader = PcapReader::new(&bytes[..]).expect("a capture");
    let header = reader.header();
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        packets.push(packet.expect("a whole capture").into_owned());
    }
    let mut writer = PcapWriter::with_header(Vec::new(), header).expect("memory");
    for number in 0..HANDSHAKES {
        for packet in &packets {
            let data = readdress(packet, number.to_be_bytes());
            let copy = PcapPacket::new(packet.timestamp, packet.orig_len, &data);
            writer.write_packet(&copy).expect("memory");
        }
    }
    writer.into_writer()
}

/// Ethernet and IPv4 without options: addresses at 26 and 30, ports at 34, UDP
/// payload at 42. Checksums become wrong and are not looked at.
fn readdress(packet: &PcapPacket<'_>, number: [u8; 2]) -> Vec<u8> {
    let mut data = packet.data.to_vec();
    data[27..29].copy_from_slice(&number);
    data[31..33].copy_from_slice(&number);
    let marker = if data[42..46] == [0; 4] { 4 } else { 0 };
    data[42 + marker..44 + marker].copy_from_slice(&number);
    data
}

fn one_rule() -> String {
    rule(1, "ikev2.exchange_type:200;")
}

fn integer_rules() -> String {
    let options = |number: u32| match number % 4 {
        0 => format!("ikev2.exchange_type:{};", 100 + number % 100),
        1 => format!("ikev2.dh_group:{},offered;", 1000 + number),
        2 => format!("ikev2.notify.type:{};", 40_000 + number),
        _ => format!("ikev2.offered.encr:{};", 2000 + number),
    };
    (1..=RULES).map(|number| rule(number, &options(number))).collect()
}

fn buffer_rules() -> String {
    let options = |number| format!("ikev2.payload.data; content:\"absent{number:06}\";");
    (1..=RULES).map(|number| rule(number, &options(number))).collect()
}

fn rule(sid: u32, options: &str) -> String {
    let mut rule = String::new();
    let _ = writeln!(rule, "alert ikev2 any any -> any any (msg:\"{sid}\"; {options} sid:{sid};)");
    rule
}

/// Runs Suricata in one thread under bash, which knows the time of its children.
fn user_seconds(folder: &Path, capture: &Path, rules: &Path) -> String {
    let suricata = Suricata::get();
    let mut command = Command::new("bash");
    command
        .args(["-c", "TIMEFORMAT=%U; time \"$@\" >/dev/null 2>&1", "bash"])
        .arg(suricata.binary())
        .args(["-k", "none", "--runmode", "single", "-c"])
        .arg(suricata.configuration())
        .arg("-S")
        .arg(rules)
        .arg("-r")
        .arg(capture)
        .arg("-l")
        .arg(folder)
        .args(suricata.file_options());
    let output = command.output().expect("bash runs");
    let _ = fs::remove_file(folder.join("eve.json"));
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
