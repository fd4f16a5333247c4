//! Messages of few and of very many SAs, for benchmarks of the table.

use std::hint::black_box;
use std::net::IpAddr;

use suricata_ikev2::message::{Direction, Message, Transport};
use suricata_ikev2::policy::Policy;
use suricata_ikev2::sa::{Endpoint, Limits, Observation, SaTable};
use testkit::message::{MessageBuilder, PayloadBuilder};
use testkit::registry::{
    DELETE, IKE_SA_INIT, INFORMATIONAL, NAT_DETECTION_DESTINATION_IP, NAT_DETECTION_SOURCE_IP,
    NONCE,
};

/// How many SAs apart the messages of known ones are.
const SPREAD: u64 = 1_000;

/// When every message is seen, in microseconds since the epoch.
pub(crate) const TIME: u64 = 1_700_000_000_000_000;

pub(crate) type Subject = (&'static str, fn(u64, u64) -> Message);

/// What is measured, by name: the message number `n`, with `total` SAs in the table.
pub(crate) const SUBJECTS: &[Subject] = &[
    // Spread over all SAs, so that no record is warm.
    ("known SA", |n, total| informational(n * (total / SPREAD) % total, 1 + (n / SPREAD) as u32)),
    ("new SA", |n, total| sa_init(total + n)),
];

/// A table with so many SAs.
pub(crate) fn table_of(total: u64) -> SaTable {
    let table = SaTable::new(Limits { memcap: 1 << 30, ..Limits::default() });
    for spi in 0..total {
        observe(&table, &informational(spi, 0));
    }
    assert_eq!(table.counters().active, total);
    table
}

/// Counts a message in.
pub(crate) fn observe(table: &SaTable, message: &Message) {
    let observation = Observation { message, from: end(10), to: end(20), time: TIME };
    black_box(table.observe(black_box(&observation)));
}

/// One of the two peers.
pub(crate) fn end(last: u8) -> Endpoint {
    Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 4500 }
}

/// A request of the initiator in an SA that is in use.
pub(crate) fn informational(spi: u64, id: u32) -> Message {
    let sk = PayloadBuilder::sk(DELETE, [id as u8; 32]);
    let message = MessageBuilder::later(INFORMATIONAL, vec![sk]);
    of_sa(spi, MessageBuilder { resp_spi: (!spi).to_be_bytes(), message_id: id, ..message })
}

/// The request of a new SA: KE, nonce, two notifies.
fn sa_init(spi: u64) -> Message {
    let message = MessageBuilder::request(IKE_SA_INIT)
        .with(PayloadBuilder::ke(31, [1; 32]))
        .payload(NONCE, [2; 32])
        .with(PayloadBuilder::notify(NAT_DETECTION_SOURCE_IP, &[3; 20]))
        .with(PayloadBuilder::notify(NAT_DETECTION_DESTINATION_IP, &[4; 20]));
    of_sa(spi, message)
}

fn of_sa(spi: u64, message: MessageBuilder) -> Message {
    // No initiator's SPI is zero.
    let message = MessageBuilder { init_spi: (spi + 1).to_be_bytes(), ..message };
    let policy = Policy::standard();
    Message::decode(&message.build(), 0, Direction::ToServer, Transport::Udp500, policy)
}
