//! Clusters that synchronize Message IDs after a failover (RFC 6311).

use super::*;

const SYNC: PayloadType = PayloadType::NOTIFY;

/// A message with this id. Its bytes depend on `seed`.
fn message(flags: u8, id: u32, first_payload: PayloadType, seed: u8) -> MessageBuilder {
    MessageBuilder::request(ExchangeType::INFORMATIONAL)
        .header(|header| (header.flags, header.message_id) = (flags, id))
        .payload(PayloadType::SK, vec![seed; SMALL])
        .last_next(first_payload)
}

/// The events of exchanges, each begun by the responder or by the initiator.
fn exchanges(play: &mut Play, exchanges: &[(u8, u32, PayloadType)]) -> Vec<Event> {
    let mut events = Vec::new();
    for (place, (asks, id, first_payload)) in exchanges.iter().enumerate() {
        play.time += SECOND;
        let answers = Flags::RESPONSE | (INITIATOR ^ asks);
        for flags in [*asks, answers] {
            events.extend(play.events(&message(flags, *id, *first_payload, place as u8 + flags)));
        }
    }
    events
}

#[test]
fn after_a_failover_ids_jump_and_0_comes_again() {
    let quiet = PayloadType::NONE;
    for asks in [RESPONDER, INITIATOR] {
        let mut play = Play::new().established();
        let events = exchanges(
            &mut play,
            &[
                (INITIATOR, 2, quiet),
                (asks, 0, SYNC),
                (RESPONDER, 40, quiet),
                (INITIATOR, 60, quiet),
                (RESPONDER, 41, quiet),
                (INITIATOR, 61, quiet),
                (asks, 0, SYNC),
                (INITIATOR, 90, quiet),
                (RESPONDER, 70, quiet),
            ],
        );
        assert_eq!(events, []);
        // A later gap is reported again.
        let events = exchanges(&mut play, &[(RESPONDER, 99, quiet), (INITIATOR, 99, quiet)]);
        assert_eq!(events, [Event::MessageIdGap; 2]);
    }
}

#[test]
fn a_request_that_waits_when_the_cluster_fails_over_is_no_fault() {
    let mut play = Play::new().established();
    for id in 2..6 {
        play.send(&inform(INITIATOR, id, PayloadType::NONE));
    }
    let events = exchanges(
        &mut play,
        &[
            (RESPONDER, 0, SYNC),
            (INITIATOR, 33, PayloadType::NONE),
            (INITIATOR, 34, PayloadType::NONE),
        ],
    );
    assert_eq!(events, []);
}

#[test]
fn a_synchronization_is_sent_again_like_any_message() {
    let mut play = Play::new().established();
    exchanges(&mut play, &[(RESPONDER, 0, PayloadType::NONE)]);
    let sync = message(RESPONDER, 0, SYNC, 77);
    assert_eq!(play.events(&sync), []);
    assert_eq!((play.events(&sync), play.view(&sync).duplicates), (vec![], 2));
    play.time += SECOND;
    assert_eq!(play.events(&sync), [Event::Retransmission]);
}

/// An empty message and a Delete synchronize nothing.
#[test]
fn another_message_with_id_0_is_a_changed_one() {
    for first_payload in [PayloadType::NONE, PayloadType::DELETE] {
        let mut play = Play::new().established();
        exchanges(&mut play, &[(RESPONDER, 0, PayloadType::NONE)]);
        assert_eq!(play.events(&message(RESPONDER, 0, first_payload, 99)), [Event::ReplayChanged]);
        let events = exchanges(&mut play, &[(RESPONDER, 40, PayloadType::NONE)]);
        assert_eq!(events, [Event::MessageIdGap]);
    }
}

/// During a handshake nothing is synchronized.
#[test]
fn before_authentication_an_id_of_0_is_no_synchronization() {
    let mut play = Play::new().begin();
    let events = play.events(&message(INITIATOR, 0, SYNC, 99));
    assert_eq!(events, [Event::ReplayChanged]);
}

/// After a forged synchronization, messages of the real peers do not look old.
#[test]
fn a_forged_synchronization_hides_nothing_that_follows() {
    let mut play = Play::new().established();
    play.send(&message(INITIATOR, 0, SYNC, 99));
    play.send(&message(INITIATOR, 4_000_000_000, SYNC, 98));
    let events = exchanges(&mut play, &[(INITIATOR, 2, PayloadType::NONE)]);
    assert_eq!(events, []);
    play.send(&inform(INITIATOR, 3, PayloadType::DELETE));
    assert_eq!(play.view(&inform(ANSWER, 3, PayloadType::NONE)).state, State::Closed);
}
