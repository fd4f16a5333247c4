//! What fuzzing has found, each with the input that showed it.

use std::net::IpAddr;

use suricata_ikev2::message::{Direction, Transport};
use suricata_ikev2::pipeline::{
    carrier_between, find_expected, CapturedPacket, Engines, FlowContext,
};
use suricata_ikev2::render::JsonText;
use suricata_ikev2::render::{render, MAX_TEXT};
use suricata_ikev2::sa::{Endpoint, Limits, SaTable};
use suricata_ikev2::tx::Transaction;
use testkit::capture;

const CLIENT: Endpoint = endpoint(10);
const SERVER: Endpoint = endpoint(20);

const fn endpoint(host: u8) -> Endpoint {
    Endpoint { address: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, host)), port: 500 }
}

/// A message of the client in a new flow, counted into its SA.
fn observe(table: &SaTable, data: &[u8], time: u64) -> Transaction {
    observe_between(table, data, (CLIENT, SERVER), time)
}

fn observe_between(
    table: &SaTable,
    data: &[u8],
    (from, to): (Endpoint, Endpoint),
    time: u64,
) -> Transaction {
    let mut flow = FlowContext::new(Transport::Udp500);
    let direction = Direction::ToServer;
    let packet = CapturedPacket { direction, source: from, destination: to, time };
    let engines = Engines { sa_table: Some(table), ..Engines::default() };
    let all = flow.on_datagram(&engines, &packet, data);
    all.and_then(|all| all.own).expect("a message")
}

/// A packet's time behind the year 9999, as a capture file of 64-bit times may have it,
/// made the record of its SA panic.
#[test]
fn a_time_that_no_calendar_has_is_written_as_the_last_that_it_has() {
    let request = [
        &[1; 8][..], // initiator's SPI
        &[0; 8],     // responder's SPI
        &[0, 0x20, 34, 8, 0, 0, 0, 0, 0, 0, 0, 28],
    ];
    for (time, written) in [
        (u64::MAX, "9999-12-31T23:59:59.999999+0000"),
        (1_700_000_000_000_001, "2023-11-14T22:13:20.000001+0000"),
    ] {
        let tx = observe(&SaTable::new(Limits::default()), &request.concat(), time);
        let mut record = JsonText::default();
        render(&tx, &mut record);
        let record = String::from_utf8_lossy(record.as_bytes()).into_owned();
        assert!(record.contains(&format!("\"started\":\"{written}\"")), "{record}");
    }
}

/// On a port that is not IKE's, probing saw a message in four zero bytes and 24 more,
/// and the parser saw a marker and too little behind it.
#[test]
fn four_zero_bytes_on_another_port_are_a_marker_to_the_probe_too() {
    let data = [
        0, 0, 0, 0, 0x5d, 0x5e, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b, 6, 0x27, 0x27, 0x27, 0x0b, 0, 0, 0,
        0, 0, 0, 0, 0x23,
    ];
    assert_eq!(find_expected(carrier_between(40_000, 1234), &data), None);
    assert!(find_expected(carrier_between(500, 500), &data).is_some());
}

/// On port 500 probing saw a message that begins with four zero bytes, and the parser saw a
/// marker and a header alone behind it.
#[test]
fn what_is_found_on_port_500_is_decoded_as_it_was_found() {
    let data = [
        0, 0, 0, 0, 0x10, 0, 0, 0, 0x26, 0, 0, 0x19, 0x26, 0, 0, 0x5d, 0x21, 0x20, 0x26, 8, 0,
        0x26, 0xc6, 0, 0, 0, 0x26, 0, 0, 0, 0, 0x1c,
    ];
    let sighting = find_expected(carrier_between(500, 500), &data);
    let mut flow = FlowContext::between(500, 500).carrying_ike();
    let all = flow.on_datagram(&Engines::default(), &Direction::ToServer, &data);
    let tx = all.and_then(|all| all.own);
    assert!(sighting.is_none_or(|it| Some(it.marker) == tx.map(|tx| tx.message().nat_t())));
}

/// A record that grew went over the memcap where it was alone in its shard, and those
/// searched had none to give up for it.
#[test]
fn the_memcap_holds_when_a_record_grows() {
    let first = |name| capture::datagrams_of(name).swap_remove(0).data;
    let (few, many) = (first("aes-gcm256-ecp384.pcap"), first("many-proposals.pcap"));
    let requests =
        [few, many].into_iter().flat_map(|it| (1..100_u64).map(move |n| (it.clone(), n)));
    let fixed = SaTable::new(Limits { memcap: 0, ..Limits::default() }).counters().memuse;
    for room in (44_000..54_000).step_by(200) {
        let limits = Limits { memcap: fixed + room, ..Limits::default() };
        let table = SaTable::new(limits);
        for (mut data, number) in requests.clone() {
            data[..8].copy_from_slice(&number.to_be_bytes());
            observe(&table, &data, 1_700_000_000_000_000);
            let counters = table.counters();
            assert!(counters.memuse <= limits.memcap, "{number}: {counters:?}, {limits:?}");
        }
    }
}

/// Where two responders answered the same request, which one of them forged, a repeated
/// answer of one took the other's record away and counted its messages as its own.
#[test]
fn a_repeated_answer_does_not_take_another_responders_record() {
    let capture = capture::datagrams_of("aes-gcm256-ecp384.pcap");
    let (request, answer) = (&capture[0].data, &capture[1].data);
    let table = SaTable::new(Limits::default());
    let mut time = 1_700_000_000_000_000;
    let mut answer_of = |responder: u8| {
        let mut data = answer.clone();
        data[8..16].fill(responder);
        time += 1_000_000;
        let tx = observe_between(&table, &data, (SERVER, CLIENT), time);
        tx.sa().expect("it is tracked").messages
    };
    observe(&table, request, 1_700_000_000_000_000);
    // The second record begins with the messages of the first.
    assert_eq!((answer_of(1), answer_of(2)), (2, 3));
    assert_eq!((answer_of(1), answer_of(2)), (3, 4));
    assert_eq!(table.counters().active, 2);
}

/// A notify with some thousand hash algorithms (RFC 7427) made a fingerprint, and with it
/// a record, that nothing bounded.
#[test]
fn a_fingerprint_in_a_record_is_bounded() {
    let mut data = capture::datagrams_of("aes-gcm256-ecp384.pcap").swap_remove(0).data;
    let numbers: Vec<u8> = (0..3000_u16).flat_map(u16::to_be_bytes).collect();
    let length = u16::try_from(8 + numbers.len()).expect("a payload");
    let notify = [&[data[16], 0][..], &length.to_be_bytes(), &[0, 0, 0x40, 0x2f], &numbers];
    data.splice(28..28, notify.concat());
    data[16] = 41;
    let length = u32::try_from(data.len()).expect("a message");
    data[24..28].copy_from_slice(&length.to_be_bytes());

    let tx = observe(&SaTable::new(Limits::default()), &data, 0);
    let mut record = JsonText::default();
    render(&tx, &mut record);
    let record = [b"{", record.as_bytes(), b"}"].concat();
    let record: serde_json::Value = serde_json::from_slice(&record).expect("a record");
    let text = record["fingerprint"]["string"].as_str().expect("a text");
    assert!(text.starts_with("i1:20.08/n16431=0.1.2."), "{text}");
    assert!(text.len() <= MAX_TEXT, "{}", text.len());
}
