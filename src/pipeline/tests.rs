//! What datagrams of a flow give, whatever their order.

use std::net::IpAddr;

use super::*;
use crate::message::Direction::{ToClient, ToServer};
use crate::sa::Limits;
use crate::wire::testing::sa_init;

const ESP: [u8; 64] = [0xc0; 64];
const KEEPALIVE: [u8; 1] = [0xff];

fn marked(message: &[u8]) -> Vec<u8> {
    [&[0; 4], message].concat()
}

fn packet(time: u64) -> CapturedPacket {
    let end = |last| Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 4500 };
    CapturedPacket { direction: ToServer, source: end(10), destination: end(20), time }
}

#[test]
fn only_messages_give_transactions() {
    let table = SaTable::new(Limits::default());
    let engines = Engines { sa_table: Some(&table), ..Engines::default() };
    let mut flow = FlowContext::new(Transport::Udp4500);
    for data in [&ESP[..], &KEEPALIVE, &[]] {
        assert!(flow.on_datagram(&engines, &packet(1), data).is_none());
    }
    let all = flow.on_datagram(&engines, &packet(2), &marked(&sa_init().build()));
    let all: Vec<_> = all.expect("transactions").into_iter().collect();
    let [tx] = &all[..] else { panic!("{all:?}") };
    assert!(tx.message().nat_t() && tx.message().errors.is_empty());
    assert_eq!(tx.sa().map(|sa| sa.messages), Some(1));
    assert_eq!(table.counters().active, 1);
}

#[test]
fn a_message_shows_that_a_flow_carries_ike() {
    let engines = Engines::default();
    let mut flow = FlowContext::between(40_000, 4500);
    let noise = marked(&[0x5a; 60]);
    assert!(flow.on_datagram(&engines, &ToServer, &noise).is_none());
    let message = marked(&sa_init().build());
    for (direction, is_first) in [(ToServer, true), (ToClient, false)] {
        let all = flow.on_datagram(&engines, &direction, &message).expect("transactions");
        assert_eq!((all.is_first, all.late.len()), (is_first, 0));
        assert_eq!(all.own.map(|tx| tx.message().direction), Some(direction));
    }
    // From now on, what may be a message is one, however odd it is.
    let all = flow.on_datagram(&engines, &ToServer, &noise).expect("transactions");
    assert!(all.own.is_some_and(|tx| !tx.message().errors.is_empty()));
}

#[test]
fn without_addresses_nothing_is_tracked() {
    let table = SaTable::new(Limits::default());
    let engines = Engines { sa_table: Some(&table), ..Engines::default() };
    let mut flow = FlowContext::new(Transport::Udp500);
    let all = flow.on_datagram(&engines, &ToServer, &sa_init().build());
    assert!(all.and_then(|all| all.own).is_some_and(|tx| tx.sa().is_none()));
    assert_eq!(table.counters().active, 0);
}
