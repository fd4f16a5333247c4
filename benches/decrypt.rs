//! Instructions of opening a message, for each suite of the captures, and of putting
//! fragments together: `cargo bench --bench decrypt` (needs valgrind).
//!
//! Keys are looked up, the integrity is checked and the contents are decrypted; what is
//! decrypted is not parsed. The processor's instructions for AES count, those for
//! SHA do not: valgrind does not have them.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::PathBuf;

use suricata_ikev2::decrypt::key_table::parse_line;
use suricata_ikev2::decrypt::{KeyTable, Progress, Reassembly, Sealed, Spis};
use suricata_ikev2::sa::fragment::MessageKey;
use suricata_ikev2::wire::{Fragment, Payload, PayloadType, RawMessage};
use testkit::callgrind::{instructions, is_there};
use testkit::capture::{datagrams_of, Datagram};
use testkit::keys::{self, captures};

/// How often a message is opened under callgrind.
const REPETITIONS: u64 = 1000;

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
        let count = instructions(&["open", &capture], REPETITIONS);
        let bytes = datagram.data.len();
        println!("{suite:<75} {bytes:>6} bytes {count:>8} instructions");
    }
    let (fragments, bytes) = fragments(&table(&captures()[FRAGMENTED]));
    let count = instructions(&["put together", FRAGMENTED], REPETITIONS);
    let what = format!("{} fragments put together", fragments.len());
    println!("{what:<75} {bytes:>6} bytes {count:>8} instructions");
}

/// The keys of files.
fn table(files: &[PathBuf]) -> KeyTable {
    let mut table = KeyTable::default();
    for (spis, keys) in keys::read(files, parse_line) {
        table.insert(spis, keys);
    }
    table
}

/// A datagram's message with its encrypted payload, if it has one.
fn encrypted(datagram: &Datagram) -> Option<(RawMessage<'_>, Payload<'_>)> {
    let message = RawMessage::parse(datagram.unmarked()).ok()?;
    let last = message.payloads().flatten().last()?;
    let is_encrypted = message.version_error().is_none() && last.kind.is_encrypted();
    is_encrypted.then_some((message, last))
}

/// The encrypted payload as what can be opened.
fn sealed<'a>(message: &RawMessage<'a>, payload: &Payload<'_>) -> Sealed<'a> {
    Sealed::of(message.bytes(), &message.header, payload).expect("an encrypted payload")
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
        black_box(sealed(&message, &payload).decrypt(epochs)).expect("it decrypts");
    }
}

/// The fragments of the first message of the capture, their contents, and the bytes.
type DecryptedFragments = Vec<(MessageKey, PayloadType, u16, u16, Vec<u8>)>;

fn fragments(table: &KeyTable) -> (DecryptedFragments, usize) {
    let mut decrypted = DecryptedFragments::new();
    for datagram in datagrams_of(FRAGMENTED) {
        let Some((message, payload)) = encrypted(&datagram) else { continue };
        let Ok(fragment) = Fragment::parse(&payload) else { continue };
        let key = MessageKey::from(&message.header);
        if payload.kind != PayloadType::SKF || decrypted.first().is_some_and(|it| it.0 != key) {
            continue;
        }
        let spis = Spis(message.header.init_spi, message.header.resp_spi);
        let plaintext = sealed(&message, &payload).decrypt(table.get(&spis)).expect("it decrypts");
        decrypted.push((key, fragment.first_payload, fragment.number, fragment.total, plaintext));
    }
    let bytes = decrypted.iter().map(|it| it.4.len()).sum();
    (decrypted, bytes)
}

fn put_together(table: &KeyTable, times: u64) {
    let (fragments, _) = fragments(table);
    for _ in 0..times {
        let mut reassembly = Reassembly::default();
        let mut last = Progress::Ignored;
        for (key, first_payload, number, total, plaintext) in black_box(&fragments) {
            let (first_payload, number, total) = (*first_payload, *number, *total);
            let fragment = Fragment { first_payload, number, total, body: &[] };
            last = reassembly.add(*key, &fragment, plaintext);
        }
        assert!(matches!(black_box(last), Progress::Complete(..)));
    }
}
