//! A million IKE SAs, and honest ones among a million that are forged. These tests
//! have a process of their own: one of them measures its memory.

use std::fs;
use std::net::IpAddr;

use suricata_ikev2::message::{Direction, Message, Transport};
use suricata_ikev2::policy::Policy;
use suricata_ikev2::sa::{Endpoint, Limits, Observation, SaTable, SaView, State};
use testkit::message::{MessageBuilder, PayloadBuilder};
use testkit::proposal::{sa_body, ProposalBuilder, AES_CBC_256, HMAC_SHA2_256, PRF_SHA2_256};
use testkit::registry::{IDI, IDR, IKE_AUTH, IKE_SA_INIT, KE, NONCE, SA};

const MILLION: u64 = 1_000_000;
const SECOND: u64 = 1_000_000;
const START: u64 = 1_700_000_000 * SECOND;
/// The most bytes an SA may take on average.
const BYTES_AN_SA: u64 = 512;

/// The four messages of a handshake: one of each, of which the SPIs are changed for
/// every SA. Decoding a message for each would be most of the time.
struct Handshake([Message; 4]);

impl Handshake {
    fn new() -> Self {
        let transforms = [AES_CBC_256, PRF_SHA2_256, HMAC_SHA2_256, (4, 31, None)];
        let proposal = ProposalBuilder::for_ike(&transforms).build();
        let ke = [&[0, 31, 0, 0], &[7; 32][..]].concat();
        let request = MessageBuilder::request(IKE_SA_INIT)
            .payload(SA, sa_body(&[proposal]))
            .payload(KE, ke)
            .payload(NONCE, [8; 32]);
        let auth = |first, byte| {
            MessageBuilder::later(IKE_AUTH, vec![PayloadBuilder::sk(first, [byte; 160])])
        };
        let response = request.clone().answered();
        let messages = [request, response, auth(IDI, 1), auth(IDR, 2).answered()];
        Self(messages.map(|message| decode(&message)))
    }

    /// Plays one message for the SA with this number.
    fn play(&mut self, table: &SaTable, step: usize, sa: u64, time: u64) -> Option<SaView> {
        let message = &mut self.0[step];
        let mut header = message.header.expect("a header");
        header.init_spi = (sa + 1).to_be_bytes();
        header.resp_spi = if step == 0 { [0; 8] } else { (!sa).to_be_bytes() };
        message.set_header(header);
        let initiator = Endpoint { address: IpAddr::from((sa as u32).to_be_bytes()), port: 500 };
        let responder = Endpoint { address: IpAddr::from([192, 0, 2, 20]), port: 500 };
        let (from, to) =
            if step.is_multiple_of(2) { (initiator, responder) } else { (responder, initiator) };
        table.observe(&Observation { message, from, to, time }).map(|(view, _)| view)
    }
}

fn decode(message: &MessageBuilder) -> Message {
    let (bytes, policy) = (message.build(), Policy::standard());
    let message = Message::decode(&bytes, 0, Direction::ToServer, Transport::Udp500, policy);
    assert!(message.errors.is_empty(), "{:?}", message.errors);
    message
}

/// The memory of this process in bytes, as the kernel counts it.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux system");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    let kilobytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    kilobytes.expect("a number") * 1024
}

/// One test, as both would otherwise run at the same time and in the same memory.
#[test]
fn a_million_sas() {
    a_million_sas_fit_into_512_bytes_each();
    a_thousand_honest_sas_survive_a_million_forged_requests();
}

/// Requests alone have an offer besides, until it is answered; of a million SAs few
/// are in that state, unless they are forged, and then the memcap holds.
fn a_million_sas_fit_into_512_bytes_each() {
    let table = SaTable::new(Limits { memcap: 1 << 30, ..Limits::default() });
    let mut handshake = Handshake::new();
    let fixed = table.counters().memuse;
    let before = resident();
    for sa in 0..MILLION {
        // A whole handshake now and then; of the others the answer alone, as the
        // requests do not change what a record takes.
        if sa % 8 == 0 {
            (0..4).for_each(|step| assert!(handshake.play(&table, step, sa, START).is_some()));
        } else {
            handshake.play(&table, 1, sa, START);
        }
    }
    let counters = table.counters();
    let (counted, real) = (counters.memuse - fixed, resident() - before);
    eprintln!("{} bytes an SA counted, {} real", counted / MILLION, real / MILLION);
    assert_eq!((counters.active, counters.evicted), (MILLION, 0));
    assert!(counted <= BYTES_AN_SA * MILLION, "{counted}");
    assert!(real <= BYTES_AN_SA * MILLION, "{real}");
    assert!(counted.abs_diff(real) < real / 10, "{counted} counted, {real} real");
}

fn a_thousand_honest_sas_survive_a_million_forged_requests() {
    const HONEST: u64 = 1_000;
    let limits = Limits::default();
    let table = SaTable::new(limits);
    let mut handshake = Handshake::new();
    let honest = |number| MILLION + number;
    // Half of them are established when the flood begins.
    for number in 0..HONEST / 2 {
        for step in 0..4 {
            handshake.play(&table, step, honest(number), START);
        }
    }
    // The others come up meanwhile: a message now and then.
    let pause = MILLION / (HONEST / 2 * 4);
    for forged in 0..MILLION {
        let time = START + forged * 10;
        handshake.play(&table, 0, forged, time);
        if forged % pause == 0 {
            let message = forged / pause;
            let (number, step) = (HONEST / 2 + message / 4, message as usize % 4);
            handshake.play(&table, step, honest(number), time);
        }
        assert!(table.counters().memuse <= limits.memcap);
    }
    let right = (0..HONEST).filter(|number| {
        // The last message once more: it is known only if its SA still is.
        let view = handshake.play(&table, 3, honest(*number), START + 11 * SECOND);
        view.is_some_and(|view| {
            (view.state, view.messages, view.retransmissions) == (State::Established, 5, 1)
        })
    });
    let right = right.count() as u64;
    let counters = table.counters();
    eprintln!("{right} of {HONEST} honest SAs are still right; {counters:?}");
    assert_eq!(right, HONEST);
    assert!(counters.evicted > MILLION / 2);
}
