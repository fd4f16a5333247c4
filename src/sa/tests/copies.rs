//! Copies that a tap makes, and retransmissions.

use super::*;

/// How a table classifies the same message at each of these times, in microseconds: `d` for a
/// duplicate, `r` for a retransmission, `-` for neither.
fn classify(times: &[u64]) -> String {
    let play = Play::new().established();
    let message = inform(INITIATOR, 2, PayloadType::NONE);
    let mut before = (0, 0);
    let class = |time: &u64| {
        let (view, events) = observe(&play.table, &message, 10, START + SECOND + time).unwrap();
        let now = (view.duplicates, view.retransmissions);
        let [duplicates, again] = [now.0 - before.0, now.1 - before.1];
        assert_eq!(events.contains(Event::Retransmission), again == 1);
        before = now;
        match (duplicates, again) {
            (1, 0) => 'd',
            (0, 1) => 'r',
            _ => '-',
        }
    };
    times.iter().map(class).collect()
}

#[test]
fn a_copy_is_closer_than_any_timer_sends_again() {
    assert_eq!(classify(&[0, 20, 200, 8_000]), "-ddd");
    // The timers of libreswan and strongSwan, and a timer of 100 ms.
    assert_eq!(classify(&[0, 500_000, 500_020]), "-rd");
    assert_eq!(classify(&[0, 20, 4_000_000, 4_000_020]), "-drd");
    assert_eq!(classify(&[0, 100_000, 200_000]), "-rr");
    // The first copy may be captured after the second.
    assert_eq!(classify(&[5_000, 0]), "-d");
}

#[test]
fn what_is_sent_on_and_on_is_no_copy() {
    let times: Vec<u64> = (0..100).map(|number| number * 1_000).collect();
    assert_eq!(classify(&times).matches('r').count(), 4);
}

#[test]
fn a_handshake_of_which_a_tap_copies_everything_is_like_any_other() {
    let mut play = Play::new();
    let messages = [
        sa_init(),
        accept(),
        auth(1, PayloadType::IDI, LARGE),
        auth_answer(1, PayloadType::IDR, LARGE),
        inform(INITIATOR, 2, PayloadType::NONE),
        inform(ANSWER, 2, PayloadType::NONE),
    ];
    for (place, message) in messages.iter().enumerate() {
        for copies in 0..3 {
            let (view, events) = play.send(message);
            assert_eq!(events.iter().collect::<Vec<_>>(), []);
            assert_eq!((view.messages, view.retransmissions), (place as u32 + 1, 0));
            assert_eq!(view.duplicates, place as u32 * 2 + copies);
        }
    }
    let view = play.view(&inform(INITIATOR, 3, PayloadType::NONE));
    assert_eq!((view.state, view.init_rate), (State::Established, 1));
}

/// Three wrong messages: a response without a request, an id after a gap, and other bytes with
/// a used id. Their copies have no events.
#[test]
fn a_copy_of_a_wrong_message_has_no_event() {
    let mut play = Play::new().established();
    play.send(&inform(INITIATOR, 2, PayloadType::NONE));
    for (message, event) in [
        (inform(ANSWER, 9, PayloadType::NONE), Event::ResponseWithoutRequest),
        (inform(INITIATOR, 66, PayloadType::NONE), Event::MessageIdGap),
        (inform(INITIATOR, 2, PayloadType::DELETE), Event::ReplayChanged),
    ] {
        assert_eq!(play.events(&message), [event]);
        assert_eq!(play.events(&message), []);
    }
}

fn fragment(number: u8, total: u8) -> MessageBuilder {
    let body = [&[0, number, 0, total][..], &[number; 100]].concat();
    let first_payload = if number == 1 { PayloadType::IDI } else { PayloadType::NONE };
    MessageBuilder::request(ExchangeType::IKE_AUTH)
        .header(|header| header.message_id = 1)
        .payload(PayloadType::SKF, body)
        .last_next(first_payload)
}

#[test]
fn fragments_are_copied_too() {
    // Each fragment directly before its copy, or all fragments before all copies.
    for order in [[1, 1, 2, 2, 3, 3], [1, 2, 3, 1, 2, 3]] {
        let mut play = Play::new().begin();
        for number in order {
            assert_eq!(play.events(&fragment(number, 3)), []);
        }
        play.time += 4 * SECOND;
        let again: Vec<_> = order.map(|number| play.events(&fragment(number, 3))).concat();
        assert_eq!(again, [Event::Retransmission]);
        let view = play.view(&auth_answer(1, PayloadType::IDR, LARGE));
        assert_eq!((view.duplicates, view.retransmissions), (6, 1));
        assert_eq!(view.state, State::Established);
    }
}

/// A tap on both sides of a NAT, which changes 192.0.2.10 to 192.0.2.110.
#[test]
fn both_sides_of_a_nat_are_one_sa_that_does_not_move() {
    let table = SaTable::new(Limits::default());
    let mut time = START;
    let mut places = Vec::new();
    for (number, message) in [
        sa_init(),
        accept(),
        auth(1, PayloadType::IDI, LARGE),
        auth_answer(1, PayloadType::IDR, LARGE),
        inform(INITIATOR, 2, PayloadType::NONE),
        inform(ANSWER, 2, PayloadType::NONE),
        inform(INITIATOR, 3, PayloadType::NONE),
    ]
    .iter()
    .enumerate()
    {
        let sides = if number % 2 == 0 { [10, 110] } else { [110, 10] };
        for (copy, side) in sides.into_iter().enumerate() {
            time += 2_000;
            let (view, events) = observe(&table, message, side, time).unwrap();
            assert_eq!(events.iter().collect::<Vec<_>>(), [], "message {number}, copy {copy}");
            if number > 1 {
                places.push(view.initiator.map(|end| end.address));
                assert_eq!(view.messages, number as u32 + 1);
                assert_eq!(
                    (view.duplicates, view.half_open),
                    ((number + copy) as u32, u32::from(number == 2))
                );
            }
        }
        time += 100_000;
    }
    places.dedup();
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(table.counters().active, 1);
}

/// The same message from other ports of one address is a flood, not copies of a tap.
#[test]
fn other_ports_of_one_address_make_no_copies() {
    let table = SaTable::new(Limits::default());
    let responder = Endpoint { address: IpAddr::from([192, 0, 2, 20]), port: 500 };
    let data = sa_init().build();
    let tx = decode(&data);
    for port in 1..=100 {
        let from = Endpoint { address: IpAddr::from([192, 0, 2, 10]), port };
        let observation = Observation { message: &tx, from, to: responder, time: START };
        let (view, _) = table.observe(&observation).expect("an SA");
        assert_eq!((view.retransmissions, view.duplicates), (u32::from(port) - 1, 0));
    }
}

#[test]
fn who_really_moves_is_followed() {
    let mut play = Play::new().established();
    for (id, initiator) in [(2, 10), (3, 11), (4, 11)] {
        play.time += SECOND;
        let message = inform(INITIATOR, id, PayloadType::NONE);
        let (view, _) = observe(&play.table, &message, initiator, play.time).unwrap();
        assert_eq!(
            view.initiator.map(|end| end.address),
            Some(IpAddr::from([192, 0, 2, initiator]))
        );
    }
}

/// A busy responder got the request twice and answers it twice at the same time.
#[test]
fn two_answers_to_two_requests_are_no_copies_unless_others_were_copied() {
    for (copied, retransmissions) in [(false, 2), (true, 1)] {
        let mut play = Play::new().established();
        let [request, answer] =
            [INITIATOR, ANSWER].map(|flags| inform(flags, 2, PayloadType::NONE));
        play.send(&request);
        if copied {
            play.send(&request);
        }
        play.time += SECOND;
        assert_eq!(play.events(&request), [Event::Retransmission]);
        play.send(&answer);
        let view = play.view(&answer);
        assert_eq!(view.retransmissions, retransmissions);
    }
}
