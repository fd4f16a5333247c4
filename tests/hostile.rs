//! Damaged messages: each real one cut at every length and with every byte
//! changed, through the whole pipeline.

#[path = "support/capture.rs"]
mod capture;

use capture::{datagrams, Datagram};
use suricata_ikev2::json::Text;
use suricata_ikev2::pipeline::{on_datagram, FlowContext};
use suricata_ikev2::render::render;
use suricata_ikev2::tx::{Direction, Event, Transaction};
use suricata_ikev2::wire::{detect, HEADER_LEN};

/// Decodes and renders, which must not panic either.
fn decode(datagram: &Datagram, data: &[u8]) -> Option<Transaction> {
    let mut flow = FlowContext::new(datagram.transport);
    let tx = on_datagram(&mut flow, Direction::ToServer, data)?;
    render(&tx, &mut Text::default());
    Some(tx)
}

/// The datagrams that are whole IKEv2 messages.
fn messages() -> Vec<Datagram> {
    let messages: Vec<_> =
        datagrams().into_iter().filter(|datagram| detect(&datagram.data).is_some()).collect();
    assert!(messages.len() > 20, "only {} messages in the captures", messages.len());
    messages
}

#[test]
fn whole_messages_have_no_malformed_event() {
    for message in messages() {
        let tx = decode(&message, &message.data).expect("decoded before");
        assert!(tx.errors.is_empty(), "{}: {:?}", message.place, tx.errors);
        assert!(!tx.events.contains(Event::MalformedData), "{}", message.place);
    }
}

#[test]
fn a_message_cut_at_any_length_is_malformed_and_keeps_what_came_before() {
    for message in messages() {
        let whole = decode(&message, &message.data).expect("decoded before");
        let marker = if whole.nat_t() { 4 } else { 0 };
        // Shorter ones on a NAT traversal port are no message.
        for length in marker + 1..message.data.len() {
            let data = &message.data[..length];
            if data == [0xff] {
                continue; // That is a keepalive.
            }
            let place = format!("{} cut to {length}", message.place);
            let tx = decode(&message, data).unwrap_or_else(|| panic!("{place}: no transaction"));
            assert!(tx.events.contains(Event::MalformedData), "{place}: no event");
            assert_eq!(tx.header.is_some(), length >= marker + HEADER_LEN, "{place}");
            let kept = tx.payloads.len().saturating_sub(1);
            assert_eq!(tx.payloads[..kept], whole.payloads[..kept], "{place}");
        }
    }
}

#[test]
fn a_message_with_any_byte_changed_is_decoded_without_a_panic() {
    for message in messages() {
        for place in 0..message.data.len() {
            for change in [|_| 0x00, |_| 0xff, |byte: u8| !byte, |byte: u8| byte ^ 1] {
                let mut data = message.data.clone();
                data[place] = change(data[place]);
                decode(&message, &data);
            }
        }
    }
}
