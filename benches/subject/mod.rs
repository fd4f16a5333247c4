//! What is measured of a message, by instructions and by times.

use std::hint::black_box;

use ipsec_parser::{parse_ikev2_header, parse_ikev2_payload_list};
use suricata_ikev2::message::Direction;
use suricata_ikev2::message::Transport;
use suricata_ikev2::pipeline::{Engines, FlowContext};
use suricata_ikev2::render::render;
use suricata_ikev2::render::JsonText;
use suricata_ikev2::tx::Transaction;
use suricata_ikev2::wire::{detect, ExchangeType, Payload, PayloadType, Proposals, RawMessage};
use suricata_ikev2::wire::{KeyExchange, Nonce, Notify};
use testkit::capture::{datagrams, Datagram};

/// A name, and the work that it is for a datagram.
pub(crate) type Subject = (&'static str, fn(&Datagram));

/// Everything that is measured. A column more is the work of the one before, too.
pub(crate) const SUBJECTS: [Subject; 5] = [
    ("detection", |datagram| {
        black_box(detect(&datagram.data));
    }),
    ("parsing", parse),
    ("ipsec-parser", parse_by_ipsec_parser),
    ("pipeline", |datagram| {
        black_box(decode(datagram));
    }),
    ("with record", |datagram| {
        let mut text = JsonText::default();
        if let Some(tx) = decode(datagram) {
            render(&tx, &mut text);
        }
        black_box(text.as_bytes());
    }),
];

fn decode(datagram: &Datagram) -> Option<Transaction> {
    let transport = Transport::of_ports(datagram.source.port(), datagram.destination.port());
    let mut flow = FlowContext::new(transport);
    flow.on_datagram(&Engines::default(), &Direction::ToServer, &datagram.data)?.own
}

/// Reads header, payloads, proposals, transforms and their attributes, and the bodies
/// that ipsec-parser reads too.
fn parse(datagram: &Datagram) {
    let Ok(message) = RawMessage::parse(datagram.unmarked()) else { return };
    for payload in message.payloads().flatten() {
        parse_body(&payload);
    }
}

fn parse_body(payload: &Payload<'_>) {
    let (body, offset) = (payload.body, payload.body_offset());
    match payload.kind {
        PayloadType::SA => {
            for proposal in Proposals::new(body, offset).flatten() {
                proposal.transforms().flatten().for_each(|transform| {
                    black_box(transform);
                });
            }
        }
        PayloadType::KE => drop(black_box(KeyExchange::parse(body, offset))),
        PayloadType::NONCE => drop(black_box(Nonce::parse(body, offset))),
        PayloadType::NOTIFY => drop(black_box(Notify::parse(body, offset))),
        _ => drop(black_box(*payload)),
    }
}

/// As the built-in parser calls it.
fn parse_by_ipsec_parser(datagram: &Datagram) {
    let Ok((rest, header)) = parse_ikev2_header(datagram.unmarked()) else { return };
    let _ = black_box(parse_ikev2_payload_list(rest, header.next_payload));
}

/// The first message of each exchange and direction in the captures, the largest offer,
/// and an ESP packet.
pub(crate) fn samples() -> Vec<(String, Datagram)> {
    let mut samples: Vec<(String, Datagram)> = Vec::new();
    let mut largest: Option<(usize, Datagram)> = None;
    for datagram in datagrams() {
        let Some(tx) = decode(&datagram) else {
            let label = "ESP".to_owned();
            if datagram.data.len() > 1 && !samples.iter().any(|(known, _)| *known == label) {
                samples.push((label, datagram));
            }
            continue;
        };
        let transforms = tx.message().proposals.all_transforms().len();
        let label = label(&tx);
        match label.filter(|label| !samples.iter().any(|(known, _)| known == label)) {
            Some(label) => samples.push((label, datagram)),
            None if largest.as_ref().is_none_or(|(most, _)| transforms > *most) => {
                largest = Some((transforms, datagram));
            }
            None => {}
        }
    }
    samples.extend(largest.map(|(most, datagram)| (format!("offer of {most}"), datagram)));
    samples
}

fn label(tx: &Transaction) -> Option<String> {
    let header = tx.message().header?;
    let exchange = header.exchange_type;
    let direction = if header.flags.response() { "response" } else { "request" };
    let known = exchange.name().is_some() && exchange != ExchangeType::default();
    known.then(|| format!("{exchange} {direction}"))
}
