//! Anomalies of a single message: what no correct peer sends.
//!
//! The fields of these messages are not malformed. Each event has one meaning and names the
//! rule that is broken. Anomalies that need more than one message are found in [`crate::sa`].

use super::{Event, Message};
use crate::wire::known_secret::gives_known_secret;
use crate::wire::registry::{ExchangeType, NotifyType, PayloadType};
use crate::wire::{public_value_length, Header, KeyExchange, Nonce};

/// With this number of unencrypted payloads or more, the message may be an attack on a
/// parser's tables. Correct messages have fewer than 20. An exploit of libreswan exceeded its
/// limit of 30 (CVE-2026-12413).
const MANY_PAYLOADS: usize = 30;

/// The payload types of IKEv1 (RFC 2408 and the registry of ISAKMP).
const IKEV1_PAYLOADS: core::ops::RangeInclusive<u8> = 1..=13;

/// The fragment payload that Cisco used before RFC 7383.
const CISCO_FRAGMENT: u8 = 132;

/// Calls `found` with the event of each anomaly of the message.
pub(super) fn inspect(message: &Message, found: &mut impl FnMut(Event)) {
    let Some(header) = &message.header else { return };
    if header.init_spi == [0; 8] {
        found(Event::InvalidSpiZero);
    }
    if header.initiator_flag_is_wrong() {
        found(Event::InitiatorFlagWrong);
    }
    inspect_payload_types(message, found);
    inspect_key_exchange(message, header, found);
    if message.fragment().is_some_and(|fragment| !fragment.is_valid()) {
        found(Event::InvalidFragment);
    }
    if header.exchange_type == ExchangeType::IKE_SA_INIT {
        inspect_sa_init(message, header, found);
    }
}

fn inspect_payload_types(message: &Message, found: &mut impl FnMut(Event)) {
    if message.outer_payloads().len() >= MANY_PAYLOADS {
        found(Event::ManyPayloads);
    }
    if message.payloads.iter().any(|payload| IKEV1_PAYLOADS.contains(&payload.kind.0)) {
        found(Event::Ikev1Payload);
    }
    if message.payloads.iter().any(|payload| payload.kind.0 == CISCO_FRAGMENT) {
        found(Event::LegacyCiscoFragment);
    }
}

fn inspect_key_exchange(message: &Message, header: &Header, found: &mut impl FnMut(Event)) {
    for KeyExchange { method, data, .. } in message.key_exchanges() {
        let wanted = public_value_length(method, header.flags.response());
        if wanted.is_some_and(|wanted| wanted != data.len()) {
            found(Event::KeLengthWrong);
        }
        if !data.is_empty() && data.iter().all(|byte| *byte == 0) {
            found(Event::KeAllZero);
        }
        if gives_known_secret(method, data) {
            found(Event::KeKnownSecret);
        }
    }
    let mut nonces = message
        .payloads_of(PayloadType::NONCE)
        .filter_map(|payload| Nonce::parse(payload.body, payload.body_offset()).ok());
    if nonces.any(|nonce| !nonce.length_is_valid()) {
        found(Event::NonceLength);
    }
}

/// Checks IKE_SA_INIT (RFC 7296, 1.2, 2.2 and 2.6).
fn inspect_sa_init(message: &Message, header: &Header, found: &mut impl FnMut(Event)) {
    let request = !header.flags.response();
    if header.message_id != 0 {
        found(Event::SaInitMessageId);
    }
    if request && header.resp_spi != [0; 8] {
        found(Event::SaInitResponderSpi);
    }
    let is_error = |kind: NotifyType| kind.is_error() && kind != NotifyType(0);
    if request && message.notifies().any(|notify| is_error(notify.kind)) {
        found(Event::ErrorNotifyInRequest);
    }
    if message.errors.is_empty() && lacks_payloads(message, request) {
        found(Event::MissingPayload);
    }
}

/// Whether SA, KE or Nonce is missing. A response with none of the three has only notifies: a
/// cookie, a redirect or an error.
fn lacks_payloads(message: &Message, request: bool) -> bool {
    let has = |kind| message.payloads.iter().any(|payload| payload.kind == kind);
    let present = [PayloadType::SA, PayloadType::KE, PayloadType::NONCE].map(has);
    let is_notice = !request && present == [false; 3] && has(PayloadType::NOTIFY);
    present.contains(&false) && !is_notice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::testing::decode;
    use crate::message::EventSet;
    use crate::wire::testing::{sa_init, MessageBuilder};
    use crate::wire::Flags;

    fn events(message: &MessageBuilder) -> EventSet {
        decode(&message.clone().build()).events
    }

    #[test]
    fn an_honest_request_has_no_event() {
        assert_eq!(events(&sa_init()).iter().collect::<Vec<_>>(), []);
    }

    #[test]
    fn the_header_of_the_first_request_is_bound() {
        for (message, event) in [
            (sa_init().header(|h| h.message_id = 1), Event::SaInitMessageId),
            (sa_init().header(|h| h.resp_spi = [1; 8]), Event::SaInitResponderSpi),
            (sa_init().header(|h| h.init_spi = [0; 8]), Event::InvalidSpiZero),
            (sa_init().header(|h| h.flags = 0), Event::InitiatorFlagWrong),
        ] {
            assert_eq!(events(&message).iter().collect::<Vec<_>>(), [event]);
        }
    }

    #[test]
    fn payloads_of_attacks_are_found() {
        let error = [0, 0, 0, 14];
        for (message, event) in [
            (sa_init().payload(PayloadType(1), [0; 8]), Event::Ikev1Payload),
            (sa_init().payload(PayloadType(132), [0; 8]), Event::LegacyCiscoFragment),
            (sa_init().payload(PayloadType::NOTIFY, error), Event::ErrorNotifyInRequest),
            (sa_init().payload(PayloadType::NONCE, [7; 15]), Event::NonceLength),
            (sa_init().payload(PayloadType::NONCE, [7; 257]), Event::NonceLength),
        ] {
            assert_eq!(events(&message).iter().collect::<Vec<_>>(), [event]);
        }
    }

    #[test]
    fn a_key_exchange_fits_its_method_and_is_not_zero() {
        let curve25519 = |data: &[u8]| [&[0, 31, 0, 0], data].concat();
        let with = |data: &[u8]| events(&sa_init().payload(PayloadType::KE, curve25519(data)));
        assert_eq!(with(&[7; 32]).iter().collect::<Vec<_>>(), []);
        assert_eq!(with(&[7; 31]).iter().collect::<Vec<_>>(), [Event::KeLengthWrong]);
        assert_eq!(with(&[0; 32]).iter().collect::<Vec<_>>(), [Event::KeAllZero]);
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(with(&one).iter().collect::<Vec<_>>(), [Event::KeKnownSecret]);
    }

    #[test]
    fn a_response_of_notifies_alone_is_complete_and_a_request_is_not() {
        let cookie = [0, 0, 0x40, 6, 1, 2, 3, 4];
        let answer = MessageBuilder::response(ExchangeType::IKE_SA_INIT)
            .payload(PayloadType::NOTIFY, cookie)
            .header(|h| h.message_id = 0);
        assert!(!events(&answer).contains(Event::MissingPayload));
        let request = answer.header(|h| h.flags = Flags::INITIATOR);
        assert!(events(&request).contains(Event::MissingPayload));
    }

    #[test]
    fn thirty_outer_payloads_are_many() {
        let with = |count| {
            let add = |message: MessageBuilder, _| message.payload(PayloadType(255), [0; 4]);
            let message = MessageBuilder::request(ExchangeType::IKE_AUTH);
            events(&(0..count).fold(message, add))
        };
        assert!(!with(MANY_PAYLOADS - 1).contains(Event::ManyPayloads));
        assert!(with(MANY_PAYLOADS).contains(Event::ManyPayloads));
    }

    #[test]
    fn fragments_are_numbered_from_one_to_the_total() {
        let with = |number: u8, total: u8| {
            let body = [&[0, number, 0, total][..], &[0x5a; 40]].concat();
            let message = MessageBuilder::request(ExchangeType::IKE_AUTH);
            events(&message.payload(PayloadType::SKF, body)).contains(Event::InvalidFragment)
        };
        assert!(!with(1, 2) && !with(2, 2));
        assert!(with(0, 2) && with(3, 2) && with(1, 0));
    }
}
