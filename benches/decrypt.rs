//! Instructions of opening a message, for each suite of the captures, and of putting
//! fragments together: `cargo bench --bench decrypt` (needs valgrind).
//!
//! Keys are looked up, the integrity is checked and the contents are decrypted; what is
//! inside is not looked at. The processor's instructions for AES count, those for
//! SHA do not: valgrind does not have them.

#[path = "support/callgrind.rs"]
mod callgrind;
#[path = "../tests/support/capture.rs"]
mod capture;
#[path = "../tests/support/keys.rs"]
mod keys;

use std::collections::BTreeMap;
use std::hint::black_box;

use callgrind::{instructions, is_there};
use capture::{datagrams_of, Datagram};
use keys::{captures, encrypted, sealed, table};
use suricata_ikev2::decrypt::{KeyTable, Progress, Reassembly, Spis};
use suricata_ikev2::sa::fragment::MessageKey;
use suricata_ikev2::wire::{Fragment, PayloadType};

/// The capture whose fragments are put together.
const FRAGMENTED: &str = "cert-rsa4096-fragmented.pcap";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[1..] {
        [run, what, capture, times] if run == "run" => {
            let times = times.parse().expect("a number");
            let table = table(&captures()[capture]);
            match what.as_str() {
                "open" => open(&first(capture), &table, times),
                _ => put_together(&table, times),
            }
        }
        _ if is_there() => measure(),
        _ => eprintln!("skipped: valgrind is not installed"),
    }
}

fn measure() {
    let mut suites = BTreeMap::new();
    for (capture, files) in captures() {
        let datagram = first(&capture);
        suites.entry(suite(&datagram, &table(&files))).or_insert((capture, datagram));
    }
    for (suite, (capture, datagram)) in suites {
        let count = instructions(&["open", &capture]);
        let bytes = datagram.data.len();
        println!("{suite:<75} {bytes:>6} bytes {count:>8} instructions");
    }
    let (fragments, bytes) = fragments(&table(&captures()[FRAGMENTED]));
    let count = instructions(&["put together", FRAGMENTED]);
    let what = format!("{} fragments put together", fragments.len());
    println!("{what:<75} {bytes:>6} bytes {count:>8} instructions");
}

/// The first encrypted message of a capture.
fn first(capture: &str) -> Datagram {
    let mut datagrams = datagrams_of(capture).into_iter();
    datagrams.find(|datagram| encrypted(datagram).is_some()).expect("an encrypted message")
}

fn suite(datagram: &Datagram, table: &KeyTable) -> String {
    let (message, _) = encrypted(datagram).expect("encrypted");
    let spis = Spis(message.header.init_spi, message.header.resp_spi);
    let (encryption, integrity) = table.get(&spis).last().expect("keys").suite();
    format!("{encryption}, {integrity}")
}

fn open(datagram: &Datagram, table: &KeyTable, times: u64) {
    let (message, payload) = encrypted(datagram).expect("encrypted");
    for _ in 0..times {
        let spis = Spis(message.header.init_spi, message.header.resp_spi);
        let epochs = table.get(black_box(&spis));
        black_box(sealed(&message, &payload).open(epochs)).expect("it opens");
    }
}

/// The fragments of the first message of the capture, their contents, and the bytes.
type Opened = Vec<(MessageKey, PayloadType, u16, u16, Vec<u8>)>;

fn fragments(table: &KeyTable) -> (Opened, usize) {
    let mut opened = Opened::new();
    for datagram in datagrams_of(FRAGMENTED) {
        let Some((message, payload)) = encrypted(&datagram) else { continue };
        let Ok(fragment) = Fragment::parse(&payload) else { continue };
        let key = MessageKey::from(&message.header);
        if payload.kind != PayloadType::SKF || opened.first().is_some_and(|it| it.0 != key) {
            continue;
        }
        let spis = Spis(message.header.init_spi, message.header.resp_spi);
        let inside = sealed(&message, &payload).open(table.get(&spis)).expect("it opens");
        opened.push((key, fragment.first_inner, fragment.number, fragment.total, inside));
    }
    let bytes = opened.iter().map(|it| it.4.len()).sum();
    (opened, bytes)
}

fn put_together(table: &KeyTable, times: u64) {
    let (fragments, _) = fragments(table);
    for _ in 0..times {
        let mut reassembly = Reassembly::default();
        let mut last = Progress::Ignored;
        for (key, first_inner, number, total, inside) in black_box(&fragments) {
            let (first_inner, number, total) = (*first_inner, *number, *total);
            let fragment = Fragment { first_inner, number, total, body: &[] };
            last = reassembly.add(*key, &fragment, inside);
        }
        assert!(matches!(black_box(last), Progress::Complete(..)));
    }
}
