//! Captures side by side in one file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};

use crate::capture;

/// When the first capture begins, and how much later each other one does. Many crafted ones
/// have the same SPIs: within some milliseconds their messages would be copies of each other.
const BEGIN: Duration = Duration::from_secs(1_704_067_200);
const APART: Duration = Duration::from_millis(100);

/// Lengths of headers, and where the addresses stand in those of IP.
const ETHERNET: usize = 14;
const ADDRESSES: [usize; 2] = [12, 16];
const ADDRESSES_V6: [usize; 2] = [8, 24];

/// What becomes of the packets of one capture among those of others: addresses of its
/// own, and the time of the others.
fn moved(number: u8, mut frame: Vec<u8>) -> Vec<u8> {
    let (version, places) = match frame[ETHERNET] >> 4 {
        4 => (4, ADDRESSES),
        6 => (6, ADDRESSES_V6),
        _ => return frame,
    };
    for place in places {
        // The addresses of a capture differ in their last two bytes and in their first.
        let address = &mut frame[ETHERNET + place..];
        let (start, end) = if version == 4 { (0, 1) } else { (2, 3) };
        (address[start], address[end]) = (address[start] & 0x0f | 0x50, number);
    }
    frame
}

/// Writes captures into one file: they begin shortly one after the other, and each has
/// addresses of its own.
pub(crate) fn merge(captures: &[PathBuf], file: &Path) {
    let mut packets = Vec::new();
    for (number, capture) in (0..=u8::MAX).zip(captures) {
        let all = capture::packets(capture);
        let first = all.first().map_or(Duration::ZERO, |(time, _)| *time);
        let begin = BEGIN + APART * u32::from(number);
        for (time, frame) in all {
            packets.push((begin + time.saturating_sub(first), moved(number, frame)));
        }
    }
    packets.sort_by_key(|(time, _)| *time);
    let output = File::create(file).expect("a file");
    let mut writer = PcapWriter::with_header(output, PcapHeader::default()).expect("a capture");
    for (time, data) in &packets {
        let length = u32::try_from(data.len()).expect("a frame is small");
        writer.write_packet(&PcapPacket::new(*time, length, data)).expect("a packet");
    }
}
