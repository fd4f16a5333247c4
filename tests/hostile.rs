//! Damaged messages: each one of the captures cut at every length and with every byte
//! changed, through the whole pipeline, its record and the tracking of its SA.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::thread;

use suricata_ikev2::message::{Direction, Event, Transport};
use suricata_ikev2::pipeline::{CapturedPacket, Engines, FlowContext};
use suricata_ikev2::render::{render, JsonText, MAX_ELEMENTS, MAX_TEXT};
use suricata_ikev2::sa::{Endpoint, Limits, SaTable};
use suricata_ikev2::tx::Transaction;
use suricata_ikev2::wire::{detect, PayloadType, HEADER_LEN};
use testkit::capture::{datagrams, Datagram};
use testkit::record::{self, Most};

fn transport(datagram: &Datagram) -> Transport {
    Transport::of_ports(datagram.source.port(), datagram.destination.port())
}

fn decode(datagram: &Datagram, data: &[u8]) -> Option<Transaction> {
    let mut flow = FlowContext::new(transport(datagram));
    flow.on_datagram(&Engines::default(), &Direction::ToServer, data)?.own
}

/// Renders a transaction and checks the record.
fn check_record(tx: &Transaction) {
    let mut text = JsonText::default();
    render(tx, &mut text);
    record::check(text.as_bytes(), Most { elements: MAX_ELEMENTS, text: MAX_TEXT });
}

/// The parts of a message that the parser does not look into: SPIs but for their first
/// byte, keys, nonces, the data of notifies and what is encrypted.
fn opaque(tx: &Transaction) -> Vec<Range<usize>> {
    use PayloadType as P;
    let mut parts = vec![1..8, 9..16];
    for payload in &tx.message().payloads {
        let read = match payload.kind {
            P::KE | P::SKF => 4,
            P::NONCE | P::SK => 0,
            P::NOTIFY => 8,
            _ => continue,
        };
        let start = payload.offset as usize + 4;
        let end = start + payload.body_length as usize;
        parts.push((start + read).min(end)..end);
    }
    parts
}

/// Whether every message is damaged in every way. A build for debugging takes minutes for
/// that: there messages that differ in opaque parts only are one, bytes of these parts are
/// changed in one way, and the records are made but not read. `cargo test --release --test hostile` does it all.
const ALL: bool = !cfg!(debug_assertions);

/// The datagrams that are whole IKEv2 messages.
fn messages() -> Vec<Datagram> {
    let mut messages = BTreeMap::new();
    for datagram in datagrams() {
        if detect(&datagram.data).is_some() {
            let tx = decode(&datagram, &datagram.data).expect("it is a message");
            let mut outline = tx.message().bytes().to_vec();
            opaque(&tx).into_iter().filter(|_| !ALL).for_each(|part| outline[part].fill(0));
            let place = ALL.then(|| datagram.place.clone());
            let key = (transport(&datagram).name(), tx.message().nat_t(), outline, place);
            messages.entry(key).or_insert(datagram);
        }
    }
    assert!(messages.len() > 200, "only {} messages in the captures", messages.len());
    messages.into_values().collect()
}

#[test]
fn whole_messages_have_no_malformed_event() {
    for message in datagrams().iter().filter(|datagram| detect(&datagram.data).is_some()) {
        let tx = decode(message, &message.data).expect("decoded before");
        check_record(&tx);
        assert!(tx.message().errors.is_empty(), "{}: {:?}", message.place, tx.message().errors);
        assert!(!tx.message().events.contains(Event::MalformedData), "{}", message.place);
    }
}

#[test]
fn a_message_cut_at_any_length_is_malformed_and_keeps_what_came_before() {
    for message in messages() {
        let whole = decode(&message, &message.data).expect("decoded before");
        let marker = if whole.message().nat_t() { 4 } else { 0 };
        // Shorter ones on a NAT traversal port are no message.
        for length in marker + 1..message.data.len() {
            let data = &message.data[..length];
            if data == [0xff] {
                continue; // That is a keepalive.
            }
            let place = format!("{} cut to {length}", message.place);
            let tx = decode(&message, data).unwrap_or_else(|| panic!("{place}: no transaction"));
            assert!(tx.message().events.contains(Event::MalformedData), "{place}: no event");
            assert_eq!(tx.message().header.is_some(), length >= marker + HEADER_LEN, "{place}");
            let kept = tx.message().payloads.len().saturating_sub(1);
            assert_eq!(tx.message().payloads[..kept], whole.message().payloads[..kept], "{place}");
        }
    }
}

#[test]
fn a_message_with_any_byte_changed_or_cut_at_any_length_is_decoded_and_tracked() {
    let messages = messages();
    let (one, other) = messages.split_at(messages.len() / 2);
    thread::scope(|scope| {
        scope.spawn(|| one.iter().for_each(damage));
        scope.spawn(|| other.iter().for_each(damage));
    });
}

/// Sends a message with every byte changed and cut at every length into one table.
fn damage(message: &Datagram) {
    let limits = Limits { memcap: 1 << 20, ..Limits::default() };
    let table = SaTable::new(limits);
    let send = |data: &[u8]| {
        let mut flow = FlowContext::new(transport(message));
        let end = |host| Endpoint { address: IpAddr::from([192, 0, 2, host]), port: 500 };
        let packet = CapturedPacket {
            direction: Direction::ToServer,
            source: end(10),
            destination: end(20),
            time: message.time.as_micros() as u64,
        };
        let engines = Engines { sa_table: Some(&table), ..Engines::default() };
        for tx in flow.on_datagram(&engines, &packet, data).into_iter().flatten() {
            if ALL {
                check_record(&tx);
            } else {
                render(&tx, &mut JsonText::default());
            }
        }
    };
    let whole = decode(message, &message.data).expect("it is a message");
    let (start, opaque) = (if whole.message().nat_t() { 4 } else { 0 }, opaque(&whole));
    for place in 0..message.data.len() {
        let mut data = message.data.clone();
        let byte = data[place];
        let is_opaque = opaque.iter().any(|part| part.contains(&place.wrapping_sub(start)));
        let changes = if is_opaque && !ALL { 1 } else { 4 };
        for changed in &[!byte, 0x00, 0xff, byte ^ 1][..changes] {
            data[place] = *changed;
            send(&data);
        }
        send(&message.data[..place]);
    }
    let counters = table.counters();
    assert!(counters.memuse <= limits.memcap, "{}: {counters:?}", message.place);
}
