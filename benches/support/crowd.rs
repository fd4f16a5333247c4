//! Messages of few and of very many SAs, for benchmarks of the table.

use std::hint::black_box;
use std::net::IpAddr;

use suricata_ikev2::message::{Direction, Message, Transport};
use suricata_ikev2::policy::Policy;
use suricata_ikev2::sa::{Endpoint, Limits, Observation, SaTable};

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
    let mut bytes = header(spi, !spi, [46, 0x20, 37, 0x08], id);
    bytes.extend([42, 0, 0, 36]);
    bytes.extend([id as u8; 32]);
    message(bytes)
}

/// The request of a new SA: KE, nonce, two notifies.
fn sa_init(spi: u64) -> Message {
    let mut bytes = header(spi, 0, [34, 0x20, 34, 0x08], 0);
    bytes.extend([40, 0, 0, 40, 0, 31, 0, 0]);
    bytes.extend([1; 32]);
    bytes.extend([41, 0, 0, 36]);
    bytes.extend([2; 32]);
    bytes.extend([41, 0, 0, 28, 0, 0, 0x40, 4]);
    bytes.extend([3; 20]);
    bytes.extend([0, 0, 0, 28, 0, 0, 0x40, 5]);
    bytes.extend([4; 20]);
    message(bytes)
}

fn header(init_spi: u64, resp_spi: u64, fields: [u8; 4], id: u32) -> Vec<u8> {
    // No initiator's SPI is zero.
    let mut bytes = (init_spi + 1).to_be_bytes().to_vec();
    bytes.extend(resp_spi.to_be_bytes());
    bytes.extend(fields);
    bytes.extend(id.to_be_bytes());
    bytes.extend([0; 4]);
    bytes
}

fn message(mut bytes: Vec<u8>) -> Message {
    let length = bytes.len() as u32;
    bytes[24..28].copy_from_slice(&length.to_be_bytes());
    let policy = Policy::standard();
    Message::decode(&bytes, 0, Direction::ToServer, Transport::Udp500, policy)
}
