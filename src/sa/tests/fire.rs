//! Correct handshakes in a table that an attacker fills with invented SAs.

use super::*;

/// More SAs than the table holds.
const FILL: u64 = 140_000;
/// The number of invented datagrams after each correct message.
const BETWEEN: u64 = 512;

/// Datagrams whose SPIs are changed for each SA. To decode each one would take most of the
/// time.
struct Forger {
    datagrams: Vec<Message>,
    sent: u64,
}

impl Forger {
    fn new(messages: &[MessageBuilder]) -> Self {
        let decode = |message: &MessageBuilder| decode(&message.build());
        Self { datagrams: messages.iter().map(decode).collect(), sent: 0 }
    }

    /// Sends the datagrams from one host to another, in either role. The time does not
    /// advance.
    fn send(&mut self, table: &SaTable, count: u64, time: u64) {
        let end = |last| Endpoint { address: IpAddr::from([198, 51, 100, last]), port: 500 };
        let ends = [end(10), end(20)];
        let kinds = self.datagrams.len() as u64;
        for _ in 0..count {
            let tx = &mut self.datagrams[(self.sent % kinds) as usize];
            let number = self.sent / kinds + 1;
            let mut header = tx.header.expect("a header");
            header.init_spi = number.to_be_bytes();
            if header.resp_spi != [0; 8] {
                header.resp_spi = (!number).to_be_bytes();
            }
            tx.set_header(header);
            let from_initiator = tx.role() == Some(Role::Initiator);
            let [from, to] = if from_initiator { ends } else { [ends[1], ends[0]] };
            table.observe(&Observation { message: tx, from, to, time });
            self.sent += 1;
        }
    }
}

/// A message of 61 bytes: a header of 28, a payload header of 4, and 29 bytes of contents.
fn small(exchange: ExchangeType, flags: u8) -> MessageBuilder {
    sk(exchange, flags, 1, PayloadType::IDI, 29)
}

/// The invented messages: of one end, and of both ends.
fn variants() -> [Vec<MessageBuilder>; 5] {
    use ExchangeType as T;
    [
        vec![small(T::INFORMATIONAL, INITIATOR)],
        vec![small(T::IKE_AUTH, ANSWER)],
        vec![accept()],
        vec![small(T::INFORMATIONAL, INITIATOR), small(T::INFORMATIONAL, ANSWER)],
        vec![small(T::IKE_AUTH, INITIATOR), small(T::IKE_AUTH, ANSWER)],
    ]
}

fn with_spi(message: MessageBuilder, number: u8) -> MessageBuilder {
    message.header(|header| {
        header.init_spi = [0xab, 1, 2, 3, 4, 5, 6, number];
    })
}

/// The rules for brute force and floods need 20 refused logins of one peer and 120 half-open
/// SAs of a responder. The counts are the same with and without the attack.
#[test]
fn refusals_and_floods_are_counted_under_fire() {
    for messages in variants() {
        let table = SaTable::new(Limits::default());
        let mut forger = Forger::new(&messages);
        let mut time = START;
        forger.send(&table, FILL, time);
        let mut send = |message: &MessageBuilder| {
            time += 10_000;
            let seen = observe(&table, message, 10, time).expect("an SA");
            forger.send(&table, BETWEEN, time);
            seen
        };
        for login in 1..=20 {
            send(&with_spi(sa_init(), login));
            assert_eq!(send(&with_spi(accept(), login)).0.state, State::InitDone);
            send(&with_spi(auth(1, PayloadType::IDI, LARGE), login));
            let refusal = auth_answer(1, PayloadType::NOTIFY, SMALL);
            let (view, events) = send(&with_spi(refusal, login));
            assert_eq!(events.iter().collect::<Vec<_>>(), [Event::AuthFailed]);
            assert_eq!((view.messages, view.auth_failures), (4, login.into()));
        }
        let mut last = SaView::default();
        for flood in 101..=220 {
            last = send(&with_spi(sa_init(), flood)).0;
        }
        assert_eq!((last.half_open, last.init_rate), (120, 140));
        assert!(table.counters().memuse <= Limits::default().memcap);
    }
}

/// SAs of which only one end was seen are removed before a handshake that has a response.
#[test]
fn one_sided_sas_do_not_replace_a_handshake() {
    for message in &variants()[..3] {
        let limits = Limits { memcap: 4 << 20, ..Limits::default() };
        let table = SaTable::new(limits);
        let mut forger = Forger::new(message);
        let handshakes = 200;
        for number in 0..handshakes {
            observe(&table, &with_spi(sa_init(), number), 10, START);
            observe(&table, &with_spi(accept(), number), 10, START);
        }
        forger.send(&table, 20_000, START + SECOND);
        assert!(table.counters().evicted > 10_000);
        for number in 0..handshakes {
            let message = with_spi(auth(1, PayloadType::IDI, LARGE), number);
            let (view, _) = observe(&table, &message, 10, START + SECOND).expect("an SA");
            assert_eq!(view.messages, 3);
        }
    }
}

/// A flood of first requests only replaces other first requests. SAs in use stay.
#[test]
fn first_requests_push_out_their_own() {
    let limits = Limits { memcap: 4 << 20, ..Limits::default() };
    let table = SaTable::new(limits);
    let mut forger = Forger::new(&[sa_init()]);
    for number in 0..200 {
        for message in [
            sa_init(),
            accept(),
            auth(1, PayloadType::IDI, LARGE),
            auth_answer(1, PayloadType::IDR, LARGE),
        ] {
            observe(&table, &with_spi(message, number), 10, START);
        }
    }
    forger.send(&table, 50_000, START + SECOND);
    for number in 0..200 {
        let message = with_spi(inform(INITIATOR, 2, PayloadType::NONE), number);
        assert_eq!(observe(&table, &message, 10, START + SECOND).expect("an SA").0.messages, 5);
    }
}
