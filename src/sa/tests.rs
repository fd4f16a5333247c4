//! Handshakes played message by message: correct ones and others.

use std::net::IpAddr;

mod copies;
mod failover;
mod fire;
mod forged;

use super::*;
use crate::message::testing::decode;
use crate::message::{Direction, Event, EventSet, Message, Role, Transport};
use crate::wire::registry::{Encr, ExchangeType, Integ, KeyExchangeMethod, Protocol};
use crate::wire::registry::{PayloadType, TransformType};
use crate::wire::testing::{
    notify_body, proposal, sa_body, sa_init, transform, transforms, MessageBuilder, INIT_SPI,
    RESP_SPI,
};
use crate::wire::Flags;

const SECOND: u64 = 1_000_000;
const START: u64 = 1_700_000_000 * SECOND;

/// Contents of up to 15 bytes, or none, encrypted with AES-CBC and HMAC-SHA2-256-128.
const SMALL: usize = 16 + 16 + 16;
const LARGE: usize = 160;

const INITIATOR: u8 = Flags::INITIATOR;
const RESPONDER: u8 = 0;
const ANSWER: u8 = Flags::RESPONSE;

/// A table and a clock that advances by one millisecond for each message.
struct Play {
    table: SaTable,
    time: u64,
}

impl Play {
    fn new() -> Self {
        Self { table: SaTable::new(Limits::default()), time: START }
    }

    /// Sends a message between the SA's initiator 192.0.2.10 and its responder 192.0.2.20.
    fn send(&mut self, message: &MessageBuilder) -> (SaView, EventSet) {
        self.time += 1000;
        observe(&self.table, message, 10, self.time).expect("a message of an SA")
    }

    fn view(&mut self, message: &MessageBuilder) -> SaView {
        self.send(message).0
    }

    fn events(&mut self, message: &MessageBuilder) -> Vec<Event> {
        self.send(message).1.iter().collect()
    }

    /// Sends the request and the response of IKE_SA_INIT.
    fn begin(mut self) -> Self {
        assert_eq!(self.view(&sa_init()).state, State::HalfOpen);
        assert_eq!(self.view(&accept()).state, State::InitDone);
        self
    }

    /// Also sends an IKE_AUTH exchange with a pre-shared key.
    fn established(self) -> Self {
        let mut play = self.begin();
        assert_eq!(play.view(&auth(1, PayloadType::IDI, LARGE)).state, State::Authenticating);
        assert_eq!(play.view(&auth_answer(1, PayloadType::IDR, LARGE)).state, State::Established);
        play
    }
}

fn observe(
    table: &SaTable,
    message: &MessageBuilder,
    initiator: u8,
    time: u64,
) -> Option<(SaView, EventSet)> {
    let end = |last| Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 500 };
    let tx = decode(&message.build());
    let from_initiator = tx.role() == Some(Role::Initiator);
    let (from, to) = if from_initiator { (initiator, 20) } else { (20, initiator) };
    table.observe(&Observation { message: &tx, from: end(from), to: end(to), time })
}

fn accept() -> MessageBuilder {
    let chosen = proposal(1, Protocol::IKE, &[], &transforms(KeyExchangeMethod::CURVE25519));
    accept_with(chosen)
}

fn accept_with(chosen: Vec<u8>) -> MessageBuilder {
    MessageBuilder::response(ExchangeType::IKE_SA_INIT)
        .header(|header| header.message_id = 0)
        .payload(PayloadType::SA, sa_body(&[chosen]))
        .payload(PayloadType::KE, [&[0, 31, 0, 0], &[7; 32][..]].concat())
        .payload(PayloadType::NONCE, [8; 32])
}

/// A response of IKE_SA_INIT with a single notify.
fn notice(kind: NotifyType, data: &[u8]) -> MessageBuilder {
    MessageBuilder::response(ExchangeType::IKE_SA_INIT)
        .header(|header| (header.message_id, header.resp_spi) = (0, [0; 8]))
        .payload(PayloadType::NOTIFY, notify_body(kind, data))
}

/// An encrypted message. Its bytes depend on its id, contents and size.
fn sk(
    exchange: ExchangeType,
    flags: u8,
    id: u32,
    first_payload: PayloadType,
    size: usize,
) -> MessageBuilder {
    let byte = id as u8 ^ flags ^ first_payload.0;
    MessageBuilder::request(exchange)
        .header(|header| (header.flags, header.message_id) = (flags, id))
        .payload(PayloadType::SK, vec![byte; size])
        .last_next(first_payload)
}

fn auth(id: u32, first_payload: PayloadType, size: usize) -> MessageBuilder {
    sk(ExchangeType::IKE_AUTH, INITIATOR, id, first_payload, size)
}

fn auth_answer(id: u32, first_payload: PayloadType, size: usize) -> MessageBuilder {
    sk(ExchangeType::IKE_AUTH, ANSWER, id, first_payload, size)
}

fn inform(flags: u8, id: u32, first_payload: PayloadType) -> MessageBuilder {
    sk(ExchangeType::INFORMATIONAL, flags, id, first_payload, SMALL)
}

#[test]
fn a_handshake_is_timed_and_its_events_are_none() {
    let mut play = Play::new().established();
    let (view, events) = play.send(&inform(INITIATOR, 2, PayloadType::NONE));
    assert_eq!(events.iter().collect::<Vec<_>>(), []);
    assert_eq!((view.messages, view.retransmissions), (5, 0));
    assert_eq!((view.handshake_ms, view.round_trip_us), (Some(3), Some(1000)));
    assert_eq!(view.chosen.and_then(|chosen| chosen.encr()), Some(Encr::ENCR_AES_CBC));
    assert_eq!(view.started, START + 1000);
    assert_eq!(view.initiator.map(|end| end.address), Some(IpAddr::from([192, 0, 2, 10])));
}

#[test]
fn a_cookie_and_another_group_are_no_failure() {
    let mut play = Play::new();
    play.send(&sa_init());
    assert_eq!(play.view(&notice(NotifyType::COOKIE, &[1; 8])).state, State::Cookie);
    let cookie = sa_init().payload(PayloadType::NOTIFY, notify_body(NotifyType::COOKIE, &[1; 8]));
    assert_eq!(play.view(&cookie).state, State::HalfOpen);
    let group = notice(NotifyType::INVALID_KE_PAYLOAD, &[0, 19]);
    assert_eq!(play.view(&group).state, State::HalfOpen);
    assert_eq!(play.events(&cookie.payload(PayloadType(200), [])), []);
    let (view, events) = play.send(&accept());
    assert_eq!((view.state, view.failure), (State::InitDone, None));
    assert_eq!(events, EventSet::default());
}

#[test]
fn another_group_for_the_second_time_is_a_failure() {
    let mut play = Play::new();
    play.send(&sa_init());
    play.send(&notice(NotifyType::INVALID_KE_PAYLOAD, &[0, 14]));
    play.send(&sa_init().payload(PayloadType(200), []));
    let (view, events) = play.send(&notice(NotifyType::INVALID_KE_PAYLOAD, &[0, 31]));
    let reason = Reason::Notify(NotifyType::INVALID_KE_PAYLOAD);
    assert_eq!(view.failure, Some(Failure { reason, inferred: false }));
    assert_eq!(events.iter().collect::<Vec<_>>(), [Event::HandshakeFailed]);
}

#[test]
fn another_group_that_the_initiator_does_not_come_with_is_a_failure() {
    let mut play = Play::new();
    play.send(&sa_init());
    play.send(&notice(NotifyType::INVALID_KE_PAYLOAD, &[0, 14]));
    for seconds in [4, 7, 13] {
        play.time += seconds * SECOND;
        assert_eq!(play.view(&sa_init()).state, State::HalfOpen);
    }
    play.time += 23 * SECOND;
    let (view, events) = play.send(&sa_init());
    let reason = Reason::Notify(NotifyType::INVALID_KE_PAYLOAD);
    assert_eq!(view.failure, Some(Failure { reason, inferred: false }));
    assert!(events.contains(Event::HandshakeFailed));
}

#[test]
fn handshakes_that_fall_silent_are_counted() {
    let mut play = Play::new();
    for spi in 1..=50 {
        play.send(&sa_init().header(|header| header.init_spi = [spi; 8]));
    }
    for spi in 1..=20 {
        play.send(&accept().header(|header| header.init_spi = [spi; 8]));
    }
    play.time += 200 * SECOND;
    for _ in 0..2000 {
        play.send(&inform(INITIATOR, 2, PayloadType::NONE));
    }
    let counters = play.table.counters();
    assert_eq!((counters.unanswered, counters.unfinished), (30, 20));
}

#[test]
fn a_refusal_in_clear_may_be_forged_so_the_handshake_can_go_on() {
    let mut play = Play::new();
    play.send(&sa_init());
    let (view, events) = play.send(&notice(NotifyType::NO_PROPOSAL_CHOSEN, &[]));
    assert_eq!(view.state, State::Failed);
    assert_eq!(view.failure.map(|failure| failure.reason.name()), Some("NO_PROPOSAL_CHOSEN"));
    assert_eq!(events.iter().collect::<Vec<_>>(), [Event::HandshakeFailed]);
    let view = play.view(&accept());
    assert_eq!((view.state, view.failure), (State::InitDone, None));
}

#[test]
fn a_lone_notify_in_answer_to_ike_auth_is_a_refusal() {
    let mut play = Play::new().begin();
    play.send(&auth(1, PayloadType::IDI, LARGE));
    let (view, events) = play.send(&auth_answer(1, PayloadType::NOTIFY, SMALL));
    assert_eq!(view.state, State::Failed);
    assert_eq!(view.failure, Some(Failure { reason: Reason::RefusedByResponder, inferred: true }));
    assert_eq!(view.auth_failures, 1);
    assert_eq!(events.iter().collect::<Vec<_>>(), [Event::AuthFailed]);
}

#[test]
fn eap_has_rounds_and_its_success_is_no_refusal() {
    let mut play = Play::new().begin();
    play.send(&auth(1, PayloadType::IDI, LARGE));
    play.send(&auth_answer(1, PayloadType::IDR, LARGE));
    for round in 2..5 {
        let (view, events) = play.send(&auth(round, PayloadType::EAP, SMALL));
        assert_eq!((view.state, events), (State::Authenticating, EventSet::default()));
        let (view, events) = play.send(&auth_answer(round, PayloadType::EAP, SMALL));
        assert_eq!((view.state, events), (State::Authenticating, EventSet::default()));
        assert_eq!(view.handshake_ms, None);
    }
    play.send(&auth(5, PayloadType::AUTH, LARGE));
    let view = play.view(&auth_answer(5, PayloadType::AUTH, LARGE));
    assert_eq!((view.state, view.handshake_ms), (State::Established, Some(11)));
    assert_eq!(play.events(&auth(6, PayloadType::EAP, SMALL)), [Event::AuthTwice]);
}

#[test]
fn an_initiator_that_gives_up_eap_was_refused() {
    let mut play = Play::new().begin();
    play.send(&auth(1, PayloadType::IDI, LARGE));
    play.send(&auth_answer(1, PayloadType::IDR, LARGE));
    play.send(&auth(2, PayloadType::EAP, SMALL));
    play.send(&auth_answer(2, PayloadType::EAP, LARGE));
    let (view, events) = play.send(&inform(INITIATOR, 3, PayloadType::NOTIFY));
    let failure = Failure { reason: Reason::RefusedByInitiator, inferred: true };
    assert_eq!((view.state, view.failure), (State::Failed, Some(failure)));
    assert_eq!(events.iter().collect::<Vec<_>>(), [Event::AuthFailed]);
    assert_eq!(play.view(&inform(ANSWER, 3, PayloadType::NONE)).state, State::Failed);
}

#[test]
fn a_notify_in_an_sa_in_use_is_no_refusal() {
    let mut play = Play::new().established();
    play.send(&inform(INITIATOR, 2, PayloadType::NONE));
    play.send(&inform(ANSWER, 2, PayloadType::NONE));
    assert_eq!(play.view(&inform(INITIATOR, 3, PayloadType::NOTIFY)).state, State::Established);
}

#[test]
fn nobody_answers() {
    let mut play = Play::new();
    play.send(&sa_init());
    for seconds in [4, 7, 13] {
        play.time += seconds * SECOND;
        let (view, events) = play.send(&sa_init());
        assert_eq!(view.state, State::HalfOpen);
        assert_eq!(events.iter().collect::<Vec<_>>(), [Event::Retransmission]);
    }
    play.time += 23 * SECOND;
    let (view, events) = play.send(&sa_init());
    assert_eq!(view.failure, Some(Failure { reason: Reason::NoAnswer, inferred: true }));
    assert!(events.contains(Event::HandshakeFailed));
    assert_eq!(play.view(&accept()).state, State::InitDone);
}

#[test]
fn use_before_authentication_is_out_of_order() {
    for exchange in [ExchangeType::CREATE_CHILD_SA, ExchangeType::INFORMATIONAL] {
        let mut play = Play::new().begin();
        let request = sk(exchange, INITIATOR, 1, PayloadType::SA, LARGE);
        assert_eq!(play.events(&request), [Event::OutOfOrderExchange]);
        let answer = sk(exchange, ANSWER, 1, PayloadType::SA, LARGE);
        assert_eq!(play.view(&answer).state, State::InitDone);
    }
    let mut play = Play::new().begin();
    let from_responder = inform(RESPONDER, 0, PayloadType::NONE);
    assert_eq!(play.events(&from_responder), [Event::OutOfOrderExchange]);
}

#[test]
fn a_missed_ike_auth_is_a_gap_and_not_out_of_order() {
    let mut play = Play::new().begin();
    assert_eq!(play.events(&inform(INITIATOR, 2, PayloadType::NONE)), [Event::MessageIdGap]);
    let view = play.view(&inform(ANSWER, 2, PayloadType::NONE));
    assert_eq!(view.state, State::Established);
    assert_eq!(play.events(&inform(INITIATOR, 3, PayloadType::NONE)), []);
}

#[test]
fn authentication_in_an_sa_in_use_is_twice() {
    let mut play = Play::new().established();
    play.send(&inform(INITIATOR, 2, PayloadType::NONE));
    play.send(&inform(ANSWER, 2, PayloadType::NONE));
    let (view, events) = play.send(&auth(3, PayloadType::IDI, LARGE));
    assert_eq!(events.iter().collect::<Vec<_>>(), [Event::AuthTwice]);
    assert_eq!(view.state, State::Established);
}

#[test]
fn a_delete_with_a_stream_cipher_is_certain() {
    let gcm = [
        transform(TransformType::ENCR, Encr::ENCR_AES_GCM_16.0, Some(256)),
        transform(TransformType::PRF, 5, None),
        transform(TransformType::KE, 31, None),
    ];
    let mut play = Play::new();
    play.send(&sa_init());
    play.send(&accept_with(proposal(1, Protocol::IKE, &[], &gcm)));
    play.send(&auth(1, PayloadType::IDI, LARGE));
    play.send(&auth_answer(1, PayloadType::IDR, LARGE));
    let exchange = ExchangeType::INFORMATIONAL;
    let size = |contents: usize| 8 + contents + 1 + 16;
    // A delete of a child SA that the other end no longer has does not end the IKE SA.
    play.send(&sk(exchange, INITIATOR, 2, PayloadType::DELETE, size(12)));
    let view = play.view(&sk(exchange, ANSWER, 2, PayloadType::NONE, size(0)));
    assert_eq!(view.state, State::Established);
    play.send(&sk(exchange, INITIATOR, 3, PayloadType::DELETE, size(8)));
    let view = play.view(&sk(exchange, ANSWER, 3, PayloadType::NONE, size(0)));
    assert_eq!(view.state, State::Closed);
    let repeated = sk(exchange, INITIATOR, 3, PayloadType::DELETE, size(8));
    play.time += SECOND;
    assert_eq!(play.events(&repeated), [Event::Retransmission]);
    let (view, events) = play.send(&sk(exchange, INITIATOR, 4, PayloadType::NONE, size(0)));
    assert_eq!(events.iter().collect::<Vec<_>>(), [Event::MessageAfterDelete]);
    assert_eq!(view.state, State::Closed);
}

#[test]
fn a_request_behind_a_probable_delete_that_nobody_answers_is_after_it() {
    let mut play = Play::new().established();
    play.send(&inform(INITIATOR, 2, PayloadType::DELETE));
    assert_eq!(play.view(&inform(ANSWER, 2, PayloadType::NONE)).state, State::Closed);
    let check = inform(INITIATOR, 3, PayloadType::NONE);
    assert_eq!(play.events(&check), []);
    play.time += 4 * SECOND;
    assert_eq!(play.events(&check), [Event::Retransmission]);
    play.time += 7 * SECOND;
    assert_eq!(play.events(&check), [Event::Retransmission, Event::MessageAfterDelete]);
    let unknown = MessageBuilder::response(ExchangeType::INFORMATIONAL)
        .header(|header| header.message_id = 3)
        .payload(PayloadType::NOTIFY, notify_body(NotifyType::INVALID_IKE_SPI, &[]));
    let (view, events) = play.send(&unknown);
    assert_eq!(events.iter().collect::<Vec<_>>(), [Event::MessageAfterDelete]);
    assert_eq!(view.state, State::Closed);
}

#[test]
fn a_delete_with_a_block_cipher_is_taken_back_when_the_sa_goes_on() {
    let mut play = Play::new().established();
    play.send(&inform(RESPONDER, 0, PayloadType::DELETE));
    let answer = Flags::INITIATOR | Flags::RESPONSE;
    assert_eq!(play.view(&inform(answer, 0, PayloadType::NONE)).state, State::Closed);
    assert_eq!(play.events(&inform(INITIATOR, 2, PayloadType::NONE)), []);
    assert_eq!(play.view(&inform(ANSWER, 2, PayloadType::NONE)).state, State::Established);
}

#[test]
fn an_sa_seen_from_its_middle_has_no_order_to_keep() {
    let mut play = Play::new();
    let (view, events) = play.send(&inform(ANSWER, 7, PayloadType::NONE));
    assert_eq!((view.state, events), (State::Established, EventSet::default()));
    assert_eq!((view.chosen, view.handshake_ms, view.round_trip_us), (None, None, None));
    assert_eq!(play.events(&inform(INITIATOR, 9, PayloadType::NONE)), []);
    assert_eq!(play.events(&inform(RESPONDER, 300, PayloadType::NONE)), []);
    assert_eq!(play.events(&auth(10, PayloadType::IDI, LARGE)), []);
}

#[test]
fn what_another_thread_parsed_too_late_is_made_up_for() {
    let mut play = Play::new();
    let early = play.time;
    play.time += SECOND;
    play.send(&auth(1, PayloadType::IDI, LARGE));
    let view = play.view(&auth_answer(1, PayloadType::NOTIFY, SMALL));
    assert_eq!(view.state, State::Authenticating, "the algorithms are not known");
    play.time = early;
    play.send(&sa_init());
    let (view, events) = play.send(&accept());
    assert_eq!(view.state, State::Failed);
    assert_eq!(events.iter().collect::<Vec<_>>(), [Event::AuthFailed]);
    assert_eq!((view.messages, view.started), (4, early + 1000));
    assert_eq!(play.table.counters().active, 1);
}

#[test]
fn requests_of_both_peers_have_ids_of_their_own() {
    let mut play = Play::new().established();
    assert_eq!(play.events(&inform(RESPONDER, 0, PayloadType::NONE)), []);
    assert_eq!(play.events(&inform(INITIATOR, 2, PayloadType::NONE)), []);
    let answer = Flags::INITIATOR | Flags::RESPONSE;
    assert_eq!(play.events(&inform(answer, 0, PayloadType::NONE)), []);
    assert_eq!(play.events(&inform(ANSWER, 2, PayloadType::NONE)), []);
    assert_eq!(play.events(&inform(RESPONDER, 2, PayloadType::NONE)), [Event::MessageIdGap]);
    assert_eq!(play.events(&inform(answer, 9, PayloadType::NONE)), [Event::ResponseWithoutRequest]);
}

#[test]
fn the_same_again_is_a_retransmission_and_other_bytes_are_not() {
    let mut play = Play::new().established();
    let request = inform(INITIATOR, 2, PayloadType::NONE);
    assert_eq!(play.events(&request), []);
    play.time += SECOND;
    assert_eq!(play.events(&request), [Event::Retransmission]);
    assert_eq!(play.events(&inform(INITIATOR, 2, PayloadType::DELETE)), [Event::ReplayChanged]);
    let (view, _) = play.send(&inform(ANSWER, 2, PayloadType::NONE));
    assert_eq!(view.retransmissions, 1);
    // The response was sent twice, so its time is not used.
    assert_eq!(view.round_trip_us, Some(1000));
    play.time += SECOND;
    assert_eq!(play.events(&inform(ANSWER, 2, PayloadType::NONE)), [Event::Retransmission]);
}

#[test]
fn ids_at_the_top_of_the_range_are_ids() {
    let mut play = Play::new().established();
    let last = inform(INITIATOR, u32::MAX, PayloadType::NONE);
    assert_eq!(play.events(&last), [Event::MessageIdGap]);
    // A forged request does not hide the correct ones that follow.
    assert_eq!(play.events(&inform(INITIATOR, 2, PayloadType::NONE)), []);
    assert_eq!(play.view(&inform(ANSWER, 2, PayloadType::NONE)).round_trip_us, Some(1000));
    assert_eq!(play.events(&inform(ANSWER, u32::MAX, PayloadType::NONE)), []);
    assert_eq!(play.events(&inform(INITIATOR, 3, PayloadType::NONE)), []);
}

#[test]
fn a_second_responder_spi_is_another_sa() {
    let mut play = Play::new().begin();
    let other = accept().header(|header| header.resp_spi = [0xee; 8]);
    assert_eq!(play.events(&other), [Event::ReplayChanged]);
    // Another response of the first responder does not change the second SA.
    play.time += SECOND;
    assert_eq!(play.view(&accept()).messages, 3);
    assert_eq!(play.view(&other).messages, 4);
    assert_eq!(play.table.counters().active, 2);
    assert_eq!(play.events(&auth(1, PayloadType::IDI, LARGE)), []);
    assert_eq!(play.view(&auth_answer(1, PayloadType::IDR, LARGE)).state, State::Established);
}

#[test]
fn a_request_or_a_refusal_names_no_responder_spi() {
    let mut play = Play::new();
    play.send(&sa_init().header(|header| header.resp_spi = [0xee; 8]));
    play.send(&notice(NotifyType::COOKIE, &[1; 8]).header(|header| header.resp_spi = [0xdd; 8]));
    assert_eq!(play.events(&accept()), []);
    assert_eq!(play.view(&auth(1, PayloadType::IDI, LARGE)).messages, 4);
    assert_eq!(play.table.counters().active, 1);
}

#[test]
fn the_same_spi_of_two_initiators_is_two_sas() {
    let table = SaTable::new(Limits::default());
    for initiator in [10, 11] {
        let (view, events) = observe(&table, &sa_init(), initiator, START).expect("an SA");
        assert_eq!((view.messages, events), (1, EventSet::default()));
    }
    assert_eq!(table.counters().active, 2);
}

#[test]
fn silence_ends_an_sa_and_a_clock_that_runs_backwards_does_not() {
    let mut play = Play::new();
    play.send(&sa_init());
    play.time -= 10 * SECOND;
    assert_eq!(play.events(&sa_init()), [Event::Retransmission]);
    play.time += 41 * SECOND;
    let (view, events) = play.send(&sa_init());
    assert_eq!((view.messages, events), (1, EventSet::default()));
    let mut play = Play::new().established();
    play.time += 86_000 * SECOND;
    assert_eq!(play.view(&inform(INITIATOR, 2, PayloadType::NONE)).messages, 5);
    play.time += 90_000 * SECOND;
    assert_eq!(play.view(&inform(INITIATOR, 2, PayloadType::NONE)).messages, 1);
    assert_eq!(play.table.counters().active, 1);
}

#[test]
fn packets_with_a_wrong_time_end_no_other_sa() {
    let mut play = Play::new().begin();
    let honest = play.time;
    for spi in 1..=u8::MAX {
        play.time = if spi % 8 == 0 { honest + 3600 * SECOND } else { honest };
        play.send(&sa_init().header(|header| header.init_spi = [spi; 8]));
    }
    play.time = honest;
    assert_eq!(play.view(&auth(1, PayloadType::IDI, LARGE)).messages, 3);
}

#[test]
fn other_shards_are_tidied_up_by_and_by() {
    let mut play = Play::new();
    for spi in 1..=100 {
        play.send(&sa_init().header(|header| header.init_spi = [spi; 8]));
    }
    assert_eq!(play.table.counters().half_open, 100);
    play.time += 60 * SECOND;
    for _ in 0..2000 {
        play.send(&inform(INITIATOR, 2, PayloadType::NONE));
    }
    let counters = play.table.counters();
    assert_eq!((counters.active, counters.half_open), (1, 0));
}

#[test]
fn what_belongs_to_no_sa_has_no_record() {
    let table = SaTable::new(Limits::default());
    for message in [
        sa_init().header(|header| header.init_spi = [0; 8]),
        MessageBuilder::response(ExchangeType::INFORMATIONAL)
            .payload(PayloadType::NOTIFY, notify_body(NotifyType::INVALID_IKE_SPI, &[])),
        sk(ExchangeType(200), INITIATOR, 1, PayloadType::NONE, SMALL),
        inform(INITIATOR, 1, PayloadType::NONE).header(|header| header.resp_spi = [0; 8]),
    ] {
        assert_eq!(observe(&table, &message, 10, START), None);
    }
    assert_eq!(table.counters().active, 0);
}

/// Counts ESP packets of the initiator and of the responder.
fn count_esp(play: &Play, packets: [u32; 2]) {
    let sa = FlowSa { init_spi: INIT_SPI, resp_spi: RESP_SPI, initiator_is_client: true };
    let mut esp = EspCounts::default();
    for (end, packets) in packets.into_iter().enumerate() {
        (0..packets).for_each(|_| esp.count(end, 100));
    }
    play.table.count_esp(&sa, &esp);
}

#[test]
fn esp_of_both_ends_shows_success_where_sizes_do_not() {
    let unknown =
        [transform(TransformType::ENCR, 1024, None), transform(TransformType::PRF, 5, None)];
    let mut play = Play::new();
    play.send(&sa_init());
    play.send(&accept_with(proposal(1, Protocol::IKE, &[], &unknown)));
    play.send(&auth(1, PayloadType::IDI, LARGE));
    let undecided = play.view(&auth_answer(1, PayloadType::NOTIFY, SMALL));
    assert_eq!((undecided.state, undecided.half_open), (State::Authenticating, 1));
    count_esp(&play, [5, 0]);
    let again = auth_answer(1, PayloadType::NOTIFY, SMALL);
    assert_eq!(play.view(&again).state, State::Authenticating);
    count_esp(&play, [0, 1]);
    assert_eq!(play.table.counters().half_open, 0);
    let view = play.view(&inform(INITIATOR, 2, PayloadType::NONE));
    assert_eq!((view.state, view.confirmed, view.half_open), (State::Established, true, 0));
    assert_eq!(view.handshake_ms, None);
    assert_eq!((view.esp.from_initiator().packets, view.esp.from_responder().bytes), (5, 100));
}

#[test]
fn esp_is_no_proof_against_a_refusal() {
    let mut play = Play::new().begin();
    play.send(&auth(1, PayloadType::IDI, LARGE));
    play.send(&auth_answer(1, PayloadType::NOTIFY, SMALL));
    count_esp(&play, [1, 1]);
    let view = play.view(&auth_answer(1, PayloadType::NOTIFY, SMALL));
    assert_eq!((view.state, view.auth_failures), (State::Failed, 1));
}

#[test]
fn esp_overrules_a_failure_in_clear() {
    let mut play = Play::new().begin();
    play.send(&auth(1, PayloadType::IDI, LARGE));
    let forged = MessageBuilder::response(ExchangeType::IKE_AUTH)
        .payload(PayloadType::NOTIFY, notify_body(NotifyType::INVALID_SYNTAX, &[]));
    assert_eq!(play.view(&forged).state, State::Failed);
    count_esp(&play, [1, 1]);
    let view = play.view(&inform(INITIATOR, 2, PayloadType::NONE));
    assert_eq!((view.state, view.failure), (State::Established, None));
}

#[test]
fn esp_of_abnormal_size_is_reported_once_with_the_next_message() {
    let mut play = Play::new().established();
    let sa = FlowSa { init_spi: INIT_SPI, resp_spi: RESP_SPI, initiator_is_client: true };
    let mut esp = EspCounts::default();
    esp.count(0, 21);
    play.table.count_esp(&sa, &esp);
    assert_eq!(play.events(&inform(INITIATOR, 2, PayloadType::NONE)), [Event::AbnormalEspSize]);
    let (view, events) = play.send(&inform(ANSWER, 2, PayloadType::NONE));
    assert_eq!((view.esp.abnormal(), events), (1, EventSet::default()));
}

#[test]
fn an_sa_is_confirmed_by_what_follows() {
    let mut play = Play::new().established();
    let check = inform(INITIATOR, 2, PayloadType::NONE);
    assert!(!play.view(&check).confirmed);
    assert!(play.view(&inform(ANSWER, 2, PayloadType::NONE)).confirmed);
    let mut play = Play::new().begin();
    play.send(&auth(1, PayloadType::IDI, LARGE));
    assert!(!play.view(&auth_answer(1, PayloadType::IDR, LARGE)).confirmed);
    play.send(&auth(2, PayloadType::EAP, SMALL));
    play.send(&auth_answer(2, PayloadType::EAP, SMALL));
    play.send(&auth(3, PayloadType::AUTH, LARGE));
    assert!(play.view(&auth_answer(3, PayloadType::AUTH, LARGE)).confirmed);
}

#[test]
fn an_sa_is_half_open_again_when_eap_goes_on() {
    let mut play = Play::new().begin();
    assert_eq!(play.view(&auth(1, PayloadType::IDI, LARGE)).half_open, 1);
    assert_eq!(play.view(&auth_answer(1, PayloadType::IDR, LARGE)).half_open, 0);
    assert_eq!(play.view(&auth(2, PayloadType::EAP, SMALL)).half_open, 1);
    assert_eq!(play.view(&auth_answer(2, PayloadType::AUTH, LARGE)).half_open, 0);
}

#[test]
fn a_request_that_is_sent_again_is_no_further_one() {
    let mut play = Play::new();
    assert_eq!(play.view(&sa_init()).init_rate, 1);
    assert_eq!(play.view(&sa_init()).init_rate, 1);
    let changed = sa_init().payload(PayloadType(200), []);
    assert_eq!(play.view(&changed).init_rate, 2);
    let other = sa_init().header(|header| header.init_spi = [9; 8]);
    assert_eq!(play.view(&other).init_rate, 3);
}

#[test]
fn keepalives_are_of_the_sa_with_the_spis() {
    let mut play = Play::new().established();
    play.table.observe_keepalive(INIT_SPI, [9; 8], true);
    play.table.observe_keepalive(INIT_SPI, RESP_SPI, true);
    assert_eq!(play.view(&inform(INITIATOR, 2, PayloadType::NONE)).nat, Nat::Unknown);
    assert_eq!(play.table.counters().active, 1);
}

#[test]
fn ids_follow_from_the_spi_alone() {
    let mut play = Play::new();
    let first = play.view(&sa_init()).id;
    assert_eq!(Play::new().view(&inform(INITIATOR, 2, PayloadType::NONE)).id, first);
    assert_ne!(u64::from_be_bytes(INIT_SPI), first);
    let other = sa_init().header(|header| header.init_spi = RESP_SPI);
    assert_ne!(play.view(&other).id, first);
    assert_eq!(
        play.view(&accept()).chosen.and_then(|it| it.integ()),
        Some(Integ::AUTH_HMAC_SHA2_256_128)
    );
}

#[test]
fn threads_share_a_table_and_its_sums_stay_right() {
    let table = SaTable::new(Limits { memcap: 4 << 20, ..Limits::default() });
    let handshake = |thread: u8| {
        for sa in 0..=u8::MAX {
            let spi = [thread + 1, sa, 1, 1, 1, 1, 1, 1];
            let of_sa = |message: MessageBuilder| message.header(|header| header.init_spi = spi);
            for message in [sa_init(), accept(), auth(1, PayloadType::IDI, LARGE)] {
                observe(&table, &of_sa(message), thread, START);
            }
            let answer = of_sa(auth_answer(1, PayloadType::IDR, LARGE));
            let (view, _) = observe(&table, &answer, thread, START).expect("an SA");
            assert_eq!((view.state, view.messages), (State::Established, 4));
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || handshake(thread));
        }
    });
    let counters = table.counters();
    assert_eq!((counters.active, counters.half_open, counters.evicted), (4 * 256, 0, 0));
}

#[test]
fn a_memcap_for_no_sa_tracks_none() {
    let table = SaTable::new(Limits { memcap: 1, ..Limits::default() });
    assert_eq!(observe(&table, &sa_init(), 10, START), None);
    assert_eq!(table.counters().active, 0);
}
