//! What one forged datagram may change in a flow of correct peers.

use Direction::{ToClient, ToServer};

use super::*;
use crate::pipeline::{CapturedPacket, Engines, FlowContext};
use crate::tx::Transaction;

/// The flow between 192.0.2.10 and 192.0.2.20 on port 4500.
struct Conversation {
    table: SaTable,
    flow: FlowContext,
    time: u64,
}

impl Conversation {
    fn new() -> Self {
        let flow = FlowContext::new(Transport::Udp4500);
        Self { table: SaTable::new(Limits::default()), flow, time: START }
    }

    fn engines(table: &SaTable) -> Engines<'_> {
        Engines { sa_table: Some(table), ..Engines::default() }
    }

    fn receive(&mut self, direction: Direction, data: &[u8]) -> Option<Transaction> {
        let end = |last| Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 4500 };
        let mut ends = [end(10), end(20)];
        if direction == ToClient {
            ends.reverse();
        }
        let [source, destination] = ends;
        let packet = CapturedPacket { direction, source, destination, time: self.time };
        self.flow.on_datagram(&Self::engines(&self.table), &packet, data)?.own
    }

    fn send(&mut self, direction: Direction, message: &MessageBuilder) -> SaView {
        let data = [&[0; 4][..], &message.build()].concat();
        self.time += SECOND;
        let tx = self.receive(direction, &data).expect("a message");
        tx.sa().expect("an SA").clone()
    }

    /// Sends ESP packets. They are counted at once, as at the end of the flow.
    fn esp(&mut self, direction: Direction, packets: u8) {
        for number in 0..packets {
            let data = [&[7, 7, 7, direction as u8, 0, 0, 0, number][..], &[1; 56]].concat();
            assert!(self.receive(direction, &data).is_none());
        }
        self.flow.finish(&Self::engines(&self.table));
    }

    fn exchange(&mut self, id: u32) -> SaView {
        self.send(ToServer, &inform(INITIATOR, id, PayloadType::NONE));
        self.send(ToClient, &inform(ANSWER, id, PayloadType::NONE))
    }
}

/// A message with other SPIs. It looks like a message of an SA in use, or of a handshake.
fn forged(exchange: ExchangeType, flags: u8) -> MessageBuilder {
    sk(exchange, flags, 1, PayloadType::IDI, LARGE).header(|header| {
        (header.init_spi, header.resp_spi) = ([0xee; 8], [0xdd; 8]);
    })
}

fn all_forged() -> impl Iterator<Item = (Direction, MessageBuilder)> {
    let exchanges =
        [ExchangeType::INFORMATIONAL, ExchangeType::CREATE_CHILD_SA, ExchangeType::IKE_AUTH];
    let ways =
        [(ToServer, INITIATOR), (ToServer, RESPONDER), (ToClient, RESPONDER), (ToClient, ANSWER)];
    exchanges.into_iter().flat_map(move |exchange| {
        ways.map(|(direction, flags)| (direction, forged(exchange, flags)))
    })
}

#[test]
fn one_datagram_takes_no_esp_of_an_honest_sa() {
    for (direction, message) in all_forged() {
        let mut conversation = Conversation::new();
        conversation.exchange(2);
        let before = conversation.send(direction, &message);
        conversation.esp(ToServer, 10);
        conversation.esp(ToClient, 10);
        let view = conversation.exchange(3);
        let esp = [view.esp.from_initiator(), view.esp.from_responder()];
        assert_eq!(esp.map(|sent| sent.packets), [10, 10]);
        let view = conversation.send(direction, &message);
        assert_eq!((view.state, view.confirmed), (before.state, false));
        assert!(view.esp.is_empty());
    }
}

/// The flow begins with ESP, and the forged datagram comes before the correct messages.
#[test]
fn one_datagram_takes_no_esp_that_was_there_before() {
    for (direction, message) in all_forged() {
        let mut conversation = Conversation::new();
        conversation.esp(ToServer, 10);
        let before = conversation.send(direction, &message);
        conversation.esp(ToServer, 10);
        conversation.esp(ToClient, 20);
        let view = conversation.exchange(2);
        assert!(view.confirmed);
        conversation.esp(ToServer, 1);
        let view = conversation.exchange(3);
        let esp = [view.esp.from_initiator(), view.esp.from_responder()];
        assert_eq!(esp.map(|sent| sent.packets), [21, 20]);
        let view = conversation.send(direction, &message);
        assert_eq!((view.state, view.confirmed), (before.state, false));
        assert!(view.esp.is_empty());
    }
}

/// A datagram with the SPIs of the correct SA and the opposite Initiator flag.
#[test]
fn one_datagram_does_not_turn_the_ends_of_esp_round() {
    let mut conversation = Conversation::new();
    conversation.exchange(2);
    conversation.send(ToServer, &inform(RESPONDER, 9, PayloadType::NONE));
    conversation.esp(ToServer, 10);
    let view = conversation.exchange(3);
    assert_eq!(view.esp.from_initiator().packets, 10);
}

/// If a tap sees only one end, the second message of that end is enough.
#[test]
fn esp_of_one_end_counts_where_only_that_end_is_seen() {
    let mut conversation = Conversation::new();
    for id in [2, 3] {
        conversation.send(ToServer, &inform(INITIATOR, id, PayloadType::NONE));
        conversation.esp(ToServer, 10);
    }
    let view = conversation.send(ToServer, &inform(INITIATOR, 4, PayloadType::NONE));
    assert_eq!((view.esp.from_initiator().packets, view.confirmed), (20, true));
}
