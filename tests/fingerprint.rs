//! Fingerprints of the peers in the project's own captures: what is the same for
//! a peer, what differs between peers, and what `docs/fingerprint.md` says.

use std::collections::{BTreeMap, BTreeSet};

use suricata_ikev2::message::fingerprint;
use suricata_ikev2::message::{Direction, Transport};
use suricata_ikev2::pipeline::{Engines, FlowContext};
use suricata_ikev2::tx::Transaction;
use suricata_ikev2::wire::{ExchangeType, NotifyType, PayloadType};
use testkit::capture::{datagrams, Datagram};

const DOCUMENT: &str = include_str!("../docs/fingerprint.md");

/// Captures of strongSwan 6.0.1 as it comes: no proposals of its own settings, no
/// certificate, no vendor id.
const DEFAULTS: &[&str] = &[
    "childless-port-500",
    "cookie",
    "esp-port-500",
    "ipv6",
    "liveness-delete",
    "mobike",
    "nat-esp-keepalive",
    "nat-masquerade",
    "port-5000-no-marker",
    "port-5500-marker",
    "ts-unacceptable",
    "two-sas-same-ports",
    "virtual-ip",
    "wrong-psk",
];

/// The fingerprints of every capture, once each, with how many messages have them.
type Found = BTreeMap<String, BTreeMap<String, usize>>;

fn transaction(datagram: &Datagram, data: &[u8]) -> Option<Transaction> {
    let transport = Transport::of_ports(datagram.source.port(), datagram.destination.port());
    let mut flow = FlowContext::new(transport);
    flow.on_datagram(&Engines::default(), &Direction::ToServer, data)?.own
}

fn fingerprints() -> Found {
    let mut found = Found::new();
    for datagram in datagrams() {
        let (name, _) = datagram.place.split_once(".pcap").expect("a capture's name");
        let text =
            transaction(&datagram, &datagram.data).and_then(|tx| fingerprint::string(tx.message()));
        if let Some(text) = text {
            *found.entry(name.to_owned()).or_default().entry(text).or_default() += 1;
        }
    }
    found
}

/// The only fingerprint of a role in a capture.
fn only<'a>(found: &'a Found, name: &str, role: &str) -> &'a str {
    let mut of_role = found[name].keys().filter(|text| text.starts_with(role));
    let text = of_role.next().unwrap_or_else(|| panic!("{name}: no {role}"));
    assert_eq!(of_role.next(), None, "{name}: more than one {role}");
    text
}

fn hash(text: &str) -> String {
    String::from_utf8(fingerprint::hash(text).to_vec()).expect("hex digits")
}

#[test]
fn the_same_peer_with_the_same_settings_has_the_same_in_every_capture() {
    let found = fingerprints();
    for role in ["i1:", "r1:"] {
        let values: BTreeSet<_> = DEFAULTS.iter().map(|name| only(&found, name, role)).collect();
        assert_eq!(values.len(), 1, "{values:#?}");
    }
}

#[test]
fn a_retry_has_the_same_as_the_first_request() {
    let found = fingerprints();
    for (name, requests) in [("cookie", 3), ("invalid-ke-retry", 2), ("weak-offered", 2)] {
        let text = only(&found, name, "i1:");
        assert_eq!(found[name][text], requests, "{name}");
    }
    assert_eq!(found["no-answer"][only(&found, "no-answer", "i1:")], 3);
}

#[test]
fn different_peers_and_settings_differ() {
    let found = fingerprints();
    let of = |names: &[&str], role| -> BTreeSet<_> {
        names.iter().map(|name| only(&found, name, role)).collect()
    };
    let requests = [
        "ipv6",
        "default-proposals-vendor-id",
        "libreswan-initiator",
        "ppk",
        "mlkem768-x25519",
        "aes-gcm256-ecp384",
    ];
    assert_eq!(of(&requests, "i1:").len(), requests.len());
    let responses =
        ["ipv6", "default-proposals-vendor-id", "libreswan-responder", "cert-ecdsa-p256"];
    assert_eq!(of(&responses, "r1:").len(), responses.len());
}

#[test]
fn the_same_request_has_the_same_whoever_answers() {
    let found = fingerprints();
    assert_eq!(
        only(&found, "libreswan-responder", "i1:"),
        only(&found, "default-proposals-vendor-id", "i1:")
    );
}

/// Where the volatile bytes of a message are: SPIs, KE, nonce, hashes.
fn volatile(tx: &Transaction) -> Vec<usize> {
    let mut places: Vec<usize> = (0..16).collect();
    for entry in &tx.message().payloads {
        let body = entry.offset as usize + 4;
        let end = body + entry.body_length as usize;
        let hashes = || {
            let kind = &tx.message().payload(entry).body[2..4];
            [NotifyType::NAT_DETECTION_SOURCE_IP, NotifyType::NAT_DETECTION_DESTINATION_IP]
                .iter()
                .any(|hash| kind == hash.0.to_be_bytes())
        };
        match entry.kind {
            PayloadType::KE | PayloadType::NONCE => places.extend(body..end),
            PayloadType::NOTIFY if hashes() => places.extend(body + 4..end),
            _ => {}
        }
    }
    places
}

#[test]
fn other_spis_nonces_keys_and_hashes_change_nothing() {
    let mut seen = 0;
    for datagram in datagrams() {
        let Some(tx) = transaction(&datagram, &datagram.data) else { continue };
        let first =
            tx.message().header.is_some_and(|h| h.exchange_type == ExchangeType::IKE_SA_INIT);
        if !first {
            continue;
        }
        let start = datagram.data.len() - tx.message().bytes().len();
        let mut data = datagram.data.clone();
        for place in volatile(&tx) {
            data[start + place] = data[start + place].wrapping_add(0x5b);
        }
        let changed = transaction(&datagram, &data).expect("still a message");
        assert_eq!(
            fingerprint::string(tx.message()),
            fingerprint::string(changed.message()),
            "{}",
            datagram.place
        );
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn other_exchanges_and_answers_without_proposals_have_none() {
    for datagram in datagrams() {
        let Some(tx) = transaction(&datagram, &datagram.data) else { continue };
        let first =
            tx.message().header.is_some_and(|h| h.exchange_type == ExchangeType::IKE_SA_INIT);
        let expected = first && tx.message().payloads_of(PayloadType::SA).next().is_some();
        assert_eq!(fingerprint::string(tx.message()).is_some(), expected, "{}", datagram.place);
    }
}

/// The code spans of a line.
fn spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_table_in_the_documentation_is_right() {
    let found = fingerprints();
    let mut rows = 0;
    let table = DOCUMENT.split("\n## Peers in captures\n").nth(1).expect("the section");
    for line in table.lines().take_while(|line| !line.starts_with("Two more")) {
        let [request, response, names @ ..] = &spans(line)[..] else { continue };
        for (role, value) in [("i1:", request), ("r1:", response)] {
            for name in names.iter().filter(|_| *value != "-") {
                assert_eq!(hash(only(&found, name, role)), **value, "{role} of {name}");
            }
        }
        rows += 1;
    }
    assert!(rows > 10, "{rows}");
}

#[test]
fn the_example_in_the_documentation_is_right() {
    let found = fingerprints();
    let text = only(&found, "aes-gcm256-ecp384", "i1:");
    assert!(DOCUMENT.contains(&format!("\n    {text}\n")), "{text}");
    assert!(DOCUMENT.contains(&format!("\n    {}\n", hash(text))), "{}", hash(text));
}
