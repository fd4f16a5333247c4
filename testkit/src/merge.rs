//! Captures side by side in one file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::capture::{packets, CaptureWriter, BEGIN};

/// How much later than the one before a capture begins. Many crafted ones have the same
/// SPIs: within some milliseconds their messages would be copies of each other.
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

/// Writes captures of Ethernet into one file, 256 at most: they begin shortly one after the
/// other, and each has addresses of its own.
///
/// # Panics
///
/// When there are more, when a capture cannot be read or the file cannot be written.
pub fn merge(captures: &[PathBuf], file: &Path) {
    assert!(captures.len() <= 256, "addresses for 256 captures");
    let mut all = Vec::new();
    for (number, capture) in (0..=u8::MAX).zip(captures) {
        let packets = packets(capture);
        let first = packets.first().map_or(Duration::ZERO, |packet| packet.time);
        let begin = BEGIN + APART * u32::from(number);
        for packet in packets {
            let time = begin + packet.time.saturating_sub(first);
            all.push((time, moved(number, packet.data)));
        }
    }
    all.sort_by_key(|(time, _)| *time);
    let mut writer = CaptureWriter::new(File::create(file).expect("a file"));
    all.iter().for_each(|(time, frame)| writer.write(*time, frame));
}
