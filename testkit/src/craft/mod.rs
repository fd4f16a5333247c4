//! Captures that no peer at hand would send, for cases of `tests/verify`, and conversations
//! for the rules.
//!
//! Every byte follows from these files, so a committed capture can be compared with what is
//! made here. With `CRAFT=1` in the environment it is written before:
//! `CRAFT=1 cargo test crafted`.

pub mod hidden;
pub mod keywords;
pub mod rules;
pub mod sealed;

mod encrypted;
mod endings;
mod flows;
mod malformed;

use std::{env, fs};

use crate::bytes::noise;
use crate::flow::capture_of;
use crate::message::{MessageBuilder, PayloadBuilder};
use crate::project::project;
use crate::proposal::STRONG;
use crate::registry::INFORMATIONAL;

const IKE: u16 = 500;
const NAT_T: u16 = 4500;
const OTHER: u16 = 1234;

/// The cases with a crafted capture, and what the capture is. Those of keywords are in
/// [`keywords`].
pub fn captures() -> Vec<(&'static str, Vec<u8>)> {
    let cases = malformed::cases().into_iter().chain(flows::cases());
    let cases = cases.chain(encrypted::cases()).chain(endings::cases());
    cases.map(|(case, datagrams)| (case, capture_of(&datagrams))).collect()
}

/// Whether the committed capture of a case is this one.
///
/// # Errors
///
/// When it is another.
///
/// # Panics
///
/// When `CRAFT` is set in the environment and the capture cannot be written.
pub fn compare(case: &str, capture: &[u8]) -> Result<(), String> {
    let folder = project().join("tests/verify").join(case);
    let file = folder.join("input.pcap");
    if env::var_os("CRAFT").is_some() {
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(&file, capture).expect("the project can be written");
    }
    match fs::read(&file) {
        Ok(committed) if committed == capture => Ok(()),
        _ => Err(format!("{} is not what testkit/src/craft makes", file.display())),
    }
}

/// What a peer could have sent.
fn good() -> Vec<u8> {
    MessageBuilder::offer(&STRONG).build()
}

/// A request of INFORMATIONAL with these payloads and the Message ID 0.
fn informational(payloads: Vec<PayloadBuilder>) -> MessageBuilder {
    MessageBuilder { message_id: 0, ..MessageBuilder::later(INFORMATIONAL, payloads) }
}

/// An ESP packet.
fn esp(spi: u8, sequence: u32) -> Vec<u8> {
    let sequence = sequence.to_be_bytes();
    [&[0xc0, 0, 0, spi][..], &sequence, &noise(sequence[3].into(), 92)].concat()
}
