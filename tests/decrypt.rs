//! Opening messages: real ones with the keys of their captures, and ones that `openssl`
//! sealed.
//!
//! Wireshark's captures are not part of the project; they are looked for beside it, in
//! `../shared/pcaps`. Where that folder is missing the test says so.

mod encrypted;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use encrypted::{encrypted, sealed, table};
use suricata_ikev2::decrypt::decryptor::{MAX_PENDING, MAX_PENDING_BYTES, MAX_PENDING_SAS};
use suricata_ikev2::decrypt::key_table::parse_line;
use suricata_ikev2::decrypt::suite::{ENCRYPTIONS, INTEGRITIES};
use suricata_ikev2::decrypt::{
    DecryptError, Decryptor, KeyTable, Progress, Reassembly, Sealed, Spis,
};
use suricata_ikev2::message::{Direction, Event, EventSet, Transport};
use suricata_ikev2::pipeline::{Engines, FlowContext};
use suricata_ikev2::sa::fragment::MessageKey;
use suricata_ikev2::tx::Transaction;
use suricata_ikev2::wire::{Fragment, PayloadType, Payloads, RawMessage};
use testkit::capture::{datagrams_of, read, Datagram};
use testkit::keys::{self, captures};
use testkit::project::project;
use testkit::seal;

/// What came of the encrypted messages of a capture.
#[derive(Default)]
struct Tally {
    messages: usize,
    opened: usize,
    /// Fragmented messages that were put together.
    complete: usize,
    faults: Vec<String>,
}

impl Tally {
    fn of(datagrams: &[Datagram], table: &KeyTable) -> Self {
        let mut tally = Self::default();
        let mut reassembly = Reassembly::default();
        for datagram in datagrams {
            let Some((message, payload)) = encrypted(datagram) else { continue };
            tally.messages += 1;
            let header = &message.header;
            let epochs = table.get(&Spis(header.init_spi, header.resp_spi));
            let inside = match sealed(&message, &payload).decrypt(epochs) {
                Ok(inside) => inside,
                Err(failure) => {
                    tally.faults.push(format!("{}: {failure:?}", datagram.place));
                    continue;
                }
            };
            tally.opened += 1;
            if payload.kind == PayloadType::SK {
                tally.walk(payload.next_payload, &inside, &datagram.place);
                continue;
            }
            let fragment = Fragment::parse(&payload).expect("a fragment");
            let progress = reassembly.add(MessageKey::from(header), &fragment, &inside);
            if let Progress::Complete(first, inside) = progress {
                tally.complete += 1;
                tally.walk(first, &inside, &datagram.place);
            }
        }
        tally
    }

    /// The payloads inside are a chain without faults.
    fn walk(&mut self, first: PayloadType, inside: &[u8], place: &str) {
        for error in Payloads::new(first, inside, 0).filter_map(Result::err) {
            self.faults.push(format!("{place}: {error}"));
        }
    }
}

#[test]
fn every_message_of_the_captures_opens() {
    let (mut messages, mut complete) = (0, 0);
    for (capture, files) in captures() {
        let tally = Tally::of(&datagrams_of(&capture), &table(&files));
        assert_eq!(tally.faults, Vec::<String>::new());
        assert!(tally.opened > 0 && tally.opened == tally.messages, "{capture}");
        messages += tally.messages;
        complete += tally.complete;
    }
    println!("{messages} messages opened, {complete} of fragments put together");
    assert!(messages > 500 && complete > 5, "{messages} messages, {complete} of fragments");
}

#[test]
fn every_message_of_wiresharks_captures_opens() {
    let folder = project().join("../shared/pcaps");
    let keys = folder.join("wireshark-ikev2_decryption_table");
    if !keys.exists() {
        println!("skipped: there is no folder ../shared/pcaps beside the project");
        return;
    }
    let table = table([&keys]);
    for name in ["3des-sha1_160.pcap", "aes128ccm12.pcap", "aes256cbc.pcapng", "aes256gcm16.pcap"] {
        let tally = Tally::of(&read(&folder.join(format!("wireshark-decrypt-{name}"))), &table);
        assert_eq!(tally.faults, Vec::<String>::new());
        assert!(tally.opened > 0 && tally.opened == tally.messages, "{name}");
    }
}

/// A capture, the file of its keys, and of one of its messages whether the responder sent
/// it, the beginning of its AUTH data, and who authenticates.
type Found = (&'static str, bool, &'static str, &'static str);

/// AUTH data as Wireshark's own tests of these captures expect it.
const FOUND: &[Found] = &[
    ("3des-sha1_160.pcap", false, "02f7a0d5f1fdc8ea81039818c65bb9bd", "192.168.1.14"),
    ("aes128ccm12.pcap", true, "c2104394299e1ffe7908ea720ad5d137", "192.168.1.14"),
    ("aes256cbc.pcapng", false, "e1a8d550064201a7ec024a85758d0673", "192.168.1.2"),
    ("aes256gcm16.pcap", true, "9ab71f14ab553cad873a1aa70b99df15", "192.168.1.14"),
];

#[test]
fn what_is_inside_wiresharks_captures_is_what_wireshark_finds() {
    let folder = project().join("../shared/pcaps");
    let keys = folder.join("wireshark-ikev2_decryption_table");
    if !keys.exists() {
        println!("skipped: there is no folder ../shared/pcaps beside the project");
        return;
    }
    let decryptor = Decryptor::default();
    give(&decryptor, &keys);
    for (name, response, auth, identity) in FOUND {
        let datagrams = read(&folder.join(format!("wireshark-decrypt-{name}")));
        let all = transactions(&datagrams, &decryptor);
        let is_wanted = |tx: &&Transaction| {
            tx.message().header.is_some_and(|header| header.flags.response() == *response)
                && tx.message().payloads_of(PayloadType::AUTH).next().is_some()
        };
        let tx = all.iter().find(is_wanted).expect("an AUTH payload");
        let data = tx.message().payloads_of(PayloadType::AUTH).next().expect("AUTH").body;
        let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(digits.starts_with(&format!("02000000{auth}")), "{name}: {digits}");
        let texts = tx.texts().expect("texts");
        assert_eq!(texts.ids[usize::from(*response)].as_deref(), Some(*identity), "{name}");
        let ends =
            ["192.168.1.2", "192.168.1.14"].map(|end| format!("{end}-{end} proto 0 ports 0-65535"));
        for selectors in &texts.selectors {
            let text = &selectors.first().expect("a selector").text;
            assert!(ends.contains(text), "{name}: {text}");
        }
    }
}

/// The first encrypted message of each capture that has keys, and these.
fn samples() -> Vec<(Datagram, KeyTable)> {
    let first = |capture: &str| {
        datagrams_of(capture).into_iter().find(|datagram| encrypted(datagram).is_some())
    };
    let sample = |(capture, files): (String, _)| Some((first(&capture)?, table(&files)));
    captures().into_iter().filter_map(sample).collect()
}

/// One of each suite.
fn suites() -> Vec<(Datagram, KeyTable)> {
    let mut seen = BTreeSet::new();
    let mut samples = samples();
    samples.retain(|(datagram, table)| {
        let (message, _) = encrypted(datagram).expect("encrypted");
        let header = &message.header;
        let keys = table.get(&Spis(header.init_spi, header.resp_spi)).last().expect("keys");
        seen.insert(keys.suite())
    });
    assert!(samples.len() >= 15, "only {} suites", samples.len());
    samples
}

#[test]
fn a_wrong_bit_anywhere_opens_nothing() {
    for (datagram, table) in suites() {
        let (message, payload) = encrypted(&datagram).expect("encrypted");
        let header = &message.header;
        let epochs = table.get(&Spis(header.init_spi, header.resp_spi));
        assert!(sealed(&message, &payload).decrypt(epochs).is_ok());
        for bit in 0..message.bytes().len() * 8 {
            let mut changed = message.bytes().to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            // The same keys, even if the SPIs are others now.
            let changed = RawMessage::parse(&changed).expect("a header");
            let Some(last) = changed.payloads().flatten().last() else { continue };
            let Some(sealed) = Sealed::of(changed.bytes(), &changed.header, &last) else {
                continue;
            };
            assert_eq!(sealed.decrypt(epochs), Err(DecryptError::Integrity), "bit {bit}");
        }
    }
}

#[test]
fn cut_short_it_does_not_open() {
    for (datagram, table) in suites() {
        let (message, payload) = encrypted(&datagram).expect("encrypted");
        let header = &message.header;
        let epochs = table.get(&Spis(header.init_spi, header.resp_spi));
        for length in 1..payload.body.len() {
            let cut = suricata_ikev2::wire::Payload { body: &payload.body[..length], ..payload };
            if let Some(sealed) = Sealed::of(message.bytes(), header, &cut) {
                assert_eq!(sealed.decrypt(epochs), Err(DecryptError::Integrity), "{length} bytes");
            }
        }
    }
}

#[test]
fn keys_of_others_open_nothing() {
    let samples = samples();
    for (datagram, _) in &samples {
        let (message, payload) = encrypted(datagram).expect("encrypted");
        let spis = Spis(message.header.init_spi, message.header.resp_spi);
        let sealed = sealed(&message, &payload);
        assert_eq!(sealed.decrypt(&[]), Err(DecryptError::NoKeys));
        for (other, table) in &samples {
            let (other, _) = encrypted(other).expect("encrypted");
            let theirs = Spis(other.header.init_spi, other.header.resp_spi);
            if theirs != spis {
                assert_eq!(sealed.decrypt(table.get(&theirs)), Err(DecryptError::Integrity));
            }
        }
    }
}

fn flow_of(datagram: &Datagram) -> FlowContext {
    FlowContext::new(Transport::of_ports(datagram.source.port(), datagram.destination.port()))
}

/// The transactions of a datagram of the client.
fn take_in(flow: &mut FlowContext, data: &[u8], decryptor: &Decryptor) -> Vec<Transaction> {
    let engines = Engines { decryptor: Some(decryptor), ..Engines::default() };
    flow.on_datagram(&engines, &Direction::ToServer, data).into_iter().flatten().collect()
}

fn transactions(datagrams: &[Datagram], decryptor: &Decryptor) -> Vec<Transaction> {
    let mut all = Vec::new();
    for datagram in datagrams {
        let mut flow = flow_of(datagram);
        all.extend(take_in(&mut flow, &datagram.data, decryptor));
    }
    all
}

/// Gives the keys of a file to what opens messages.
fn give(decryptor: &Decryptor, file: &Path) {
    for (spis, keys) in keys::read([file], parse_line) {
        decryptor.insert(spis, keys);
    }
}

/// Message ID, exchange, whether a request, and whether it was opened late or at once.
fn outline(all: &[Transaction]) -> Vec<(u32, u8, bool, Option<bool>)> {
    let outline = |tx: &Transaction| {
        let header = tx.message().header.expect("a header");
        let late = tx.message().decrypted.as_ref().map(|decrypted| decrypted.late);
        (header.message_id, header.exchange_type.0, !header.flags.response(), late)
    };
    all.iter().map(outline).collect()
}

#[test]
fn keys_that_come_late_open_what_was_held() {
    let datagrams = datagrams_of("aes-gcm256-ecp384.pcap");
    let decryptor = Decryptor::default();
    let (before, after) = datagrams.split_at(4);
    assert!(transactions(before, &decryptor).iter().all(|tx| tx.message().decrypted.is_none()));
    assert_eq!(decryptor.pending(), 2);
    give(&decryptor, &keys::table("aes-gcm256-ecp384"));
    let all = transactions(after, &decryptor);
    assert_eq!(decryptor.pending(), 0);
    assert_eq!(
        outline(&all),
        [
            (1, 35, true, Some(true)),
            (1, 35, false, Some(true)),
            (2, 37, true, Some(false)),
            (2, 37, false, Some(false)),
        ]
    );
    assert!(all
        .iter()
        .all(|tx| tx.message().events == EventSet::default() && tx.message().errors.is_empty()));
    assert!(all[0].message().payloads_of(PayloadType::IDI).next().is_some());
}

/// Its IKE_AUTH does not fit the keys from before IKE_INTERMEDIATE. That is no fault as
/// long as those from after it may come.
#[test]
fn keys_of_an_additional_exchange_may_come_late() {
    let datagrams = datagrams_of("mlkem768-x25519.pcap");
    let decryptor = Decryptor::default();
    give(&decryptor, &keys::table("mlkem768-x25519.first"));
    let is_auth = |datagram: &Datagram| {
        encrypted(datagram).is_some_and(|(message, _)| message.header.message_id == 2)
    };
    let auth = datagrams.iter().position(is_auth).expect("IKE_AUTH");
    let all = transactions(&datagrams[..=auth], &decryptor);
    assert!(all.iter().all(|tx| !tx.message().events.contains(Event::IntegrityFailed)));
    assert_eq!(decryptor.pending(), 1);
    give(&decryptor, &keys::table("mlkem768-x25519"));
    let rest = transactions(&datagrams[auth + 1..], &decryptor);
    assert!(rest.iter().all(|tx| !tx.message().events.contains(Event::IntegrityFailed)));
    assert_eq!(outline(&rest)[0], (2, 35, true, Some(true)));
    assert_eq!(decryptor.pending(), 0);
    // With all keys, nothing is awaited any more.
    let mut changed = datagrams[auth].data.clone();
    *changed.last_mut().expect("bytes") ^= 1;
    let forged = Datagram { data: changed, ..datagrams_of("mlkem768-x25519.pcap").remove(auth) };
    let all = transactions(&[forged], &decryptor);
    assert!(
        all[0].message().events.contains(Event::IntegrityFailed)
            && all[0].message().decrypted.is_none()
    );
}

#[test]
fn what_is_held_is_bounded() {
    let datagrams = datagrams_of("aes-gcm256-ecp384.pcap");
    let decryptor = Decryptor::default();
    let auth = &datagrams[2];
    for spi in 0..300_000_u32 {
        let mut data = auth.data.clone();
        data[4..8].copy_from_slice(&spi.to_be_bytes());
        let mut flow = flow_of(auth);
        assert_eq!(take_in(&mut flow, &data, &decryptor).len(), 1);
    }
    assert!(
        decryptor.pending() <= MAX_PENDING_SAS
            && decryptor.pending() * auth.data.len() <= MAX_PENDING_BYTES
    );
    let many = vec![(); 3 * MAX_PENDING];
    let before = decryptor.pending();
    for () in many {
        let mut flow = flow_of(auth);
        assert_eq!(take_in(&mut flow, &auth.data, &decryptor).len(), 1);
    }
    assert!(decryptor.pending() <= before + MAX_PENDING);
    assert_eq!(decryptor.pending() + decryptor.given_up(), 300_000 + 3 * MAX_PENDING);
}

/// What is held can be had with any packet of its flow, and until then it is counted.
#[test]
fn what_is_held_comes_with_the_next_packet_of_the_flow() {
    let datagrams = datagrams_of("aes-gcm256-ecp384.pcap");
    let decryptor = Decryptor::default();
    let mut flow = flow_of(&datagrams[2]);
    for datagram in &datagrams[2..4] {
        assert_eq!(take_in(&mut flow, &datagram.data, &decryptor).len(), 1);
    }
    let mut other = flow_of(&datagrams[2]);
    let engines = Engines { decryptor: Some(&decryptor), ..Engines::default() };
    let on_packet = |flow: &mut FlowContext| -> Vec<_> {
        let all = flow.on_datagram(&engines, &Direction::ToClient, &[]);
        all.into_iter().flatten().collect()
    };
    assert_eq!(on_packet(&mut flow).len(), 0);
    assert_eq!((decryptor.pending(), decryptor.unreported()), (2, 0));
    give(&decryptor, &keys::table("aes-gcm256-ecp384"));
    assert_eq!((decryptor.pending(), decryptor.unreported()), (2, 2));
    assert_eq!(on_packet(&mut other).len(), 0);
    let late = on_packet(&mut flow);
    assert_eq!(outline(&late), [(1, 35, true, Some(true)), (1, 35, false, Some(true))]);
    assert!(late.iter().all(|tx| tx.message().direction == Direction::ToClient));
    assert_eq!((decryptor.pending(), decryptor.unreported(), decryptor.given_up()), (0, 0, 0));
    assert_eq!(on_packet(&mut flow).len(), 0);
}

/// Every encryption and every integrity algorithm, sealed by others: `None` without them.
fn sealed_by_others() -> Option<Vec<seal::Sample>> {
    if !seal::has_openssl() {
        println!("skipped: there is no openssl in version 3");
        return None;
    }
    let named = |name: &str, row: &str| row.split(' ').next() == Some(name);
    let hmac = INTEGRITIES.iter().find(|row| named("HMAC_SHA2_256_128", row.name)).expect("HMAC");
    let aes = ENCRYPTIONS.iter().find(|row| named("AES-CBC-128", row.name)).expect("AES");
    let encryptions =
        ENCRYPTIONS.iter().map(|row| (row, if row.is_aead() { &INTEGRITIES[0] } else { hmac }));
    let integrities = INTEGRITIES[1..].iter().map(|row| (aes, row));
    let all = encryptions.chain(integrities);
    Some(all.map(|(one, other)| seal::sample(one.name, other.name)).collect())
}

/// A message to the plugin that has the keys of a line.
fn with_keys(line: &str, message: &[u8]) -> Transaction {
    let decryptor = Decryptor::default();
    let (spis, keys) = parse_line(line.as_bytes()).expect("a line").expect("keys");
    decryptor.insert(spis, keys);
    let mut flow = FlowContext::new(Transport::Udp500);
    take_in(&mut flow, message, &decryptor).pop().expect("a message")
}

#[test]
fn what_others_seal_opens() {
    for sample in sealed_by_others().unwrap_or_default() {
        let tx = with_keys(&sample.line, &sample.message);
        let message = tx.message();
        let found = (message.events, message.errors.len());
        assert_eq!(found, (EventSet::default(), 0), "{}", sample.line);
        let (start, length) = (sample.message.len(), sample.decrypted.len());
        assert_eq!(message.range(start..start + length), sample.decrypted, "{}", sample.line);
        let payloads = message.decrypted_payloads();
        assert!(matches!(payloads, [only] if only.kind == PayloadType::NOTIFY));
    }
}

/// Where another bit does more than to break the checksum.
const SPIS: Range<usize> = 0..16;
const NEXT_PAYLOAD_AND_VERSION: Range<usize> = 16..18;
const LENGTHS: [Range<usize>; 2] = [24..28, 30..32];

#[test]
fn a_wrong_bit_anywhere_is_an_event_and_nothing_is_decoded() {
    for sample in sealed_by_others().unwrap_or_default() {
        for bit in 0..sample.message.len() * 8 {
            let (byte, mut changed) = (bit / 8, sample.message.clone());
            changed[byte] ^= 1 << (bit % 8);
            let tx = with_keys(&sample.line, &changed);
            let place = format!("bit {bit}: {}", sample.line);
            assert!(
                tx.message().decrypted.is_none() && tx.message().decrypted_payloads().is_empty(),
                "{place}"
            );
            if SPIS.contains(&byte) {
                // Another IKE SA, of which there are no keys.
                assert_eq!(tx.message().events, EventSet::default(), "{place}");
            } else if LENGTHS.iter().any(|length| length.contains(&byte)) {
                assert!(tx.message().events != EventSet::default(), "{place}");
            } else if !NEXT_PAYLOAD_AND_VERSION.contains(&byte) {
                let events: Vec<_> = tx.message().events.iter().collect();
                assert_eq!(events, [Event::IntegrityFailed], "{place}");
            }
        }
    }
}
