//! Flows that begin as another protocol's, messages that hide behind what peers ignore, and
//! what only looks like IKE.

use super::{esp, good, informational, IKE, NAT_T, OTHER};
use crate::bytes::{length_32, noise};
use crate::flow::FlowDatagram;
use crate::message::{
    marked, MessageBuilder, PayloadBuilder, FLAGS, HEADER, LENGTH, NEXT_PAYLOAD, VERSION,
};
use crate::registry::{INITIATOR, RESPONSE, SK};

/// The cases with their datagrams.
pub(super) fn cases() -> Vec<(&'static str, Vec<FlowDatagram>)> {
    vec![
        ("clock-steps-back", clock_steps_back()),
        ("esp-500-to-4500", esp_500_to_4500()),
        ("flow-of-another-protocol", flow_of_another_protocol()),
        ("foreign-spi", foreign_spi()),
        ("given-back", given_back()),
        ("ikev1-beside-ikev2", ikev1_beside_ikev2()),
        ("ikev1-nat-t", ikev1_nat_t()),
        ("not-esp", not_esp()),
        ("odd-headers", odd_headers()),
    ]
}

const DNS: u16 = 53;

/// A request with an initiator's SPI of its own.
fn request(number: u8) -> Vec<u8> {
    let mut message = good();
    message[7] = number;
    message
}

/// In the form that the port has.
fn on_port(port: u16, message: &[u8]) -> Vec<u8> {
    if port == NAT_T {
        marked(message)
    } else {
        message.to_vec()
    }
}

fn dns(id: u8) -> Vec<u8> {
    [&[0x12, id][..], b"\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01"].concat()
}

fn dns_answer(id: u8) -> Vec<u8> {
    let mut answer = dns(id);
    (answer[2], answer[3], answer[7]) = (0x81, 0x80, 1);
    answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\xc0\0\x02\x01");
    answer
}

/// A message of IKEv1 in the clear: a header with a payload that is not looked at.
fn ikev1() -> Vec<u8> {
    let mut message = vec![0x19; 8];
    message.extend([0; 8]);
    message.extend([1, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 56]);
    message.extend([0, 0, 0, 28, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 16, 0, 1, 0, 0]);
    message.extend([0; 8]);
    message
}

/// What may come first in a flow.
fn foreign() -> Vec<Vec<u8>> {
    vec![
        b"BYE".to_vec(),
        b"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\nCall-ID: 1\r\n\r\n".to_vec(),
        b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe".to_vec(),
        ikev1(),
        dns(1),
        noise(9, 5),
        noise(10, 60),
    ]
}

/// A foreign datagram, then a request; and one in each direction before it.
fn flow_of_another_protocol() -> Vec<FlowDatagram> {
    let mut datagrams = Vec::new();
    for (number, first) in (0..).zip(foreign()) {
        for (group, port) in (1..).zip([IKE, NAT_T, DNS, OTHER]) {
            let client_port = 10_000 + u16::from(number) * 10 + group;
            let later = on_port(port, &request(number));
            let datagram = |to_server, data| {
                FlowDatagram::from_port(client_port, port, data).directed(to_server)
            };
            datagrams.push(datagram(true, first.clone()));
            if number % 2 == 1 {
                datagrams.push(datagram(false, first.clone()));
            }
            datagrams.push(datagram(true, later));
        }
    }
    datagrams
}

/// Initiators' SPIs that begin as other protocols do.
fn foreign_spi() -> Vec<FlowDatagram> {
    let begins = [
        "ACK sip:",
        "BYE sip:",
        "CANCEL s",
        "INFO sip",
        "INVITE s",
        "MESSAGE ",
        "NOTIFY s",
        "OPTIONS ",
        "PRACK si",
        "PUBLISH ",
        "REFER si",
        "REGISTER",
        "SUBSCRIB",
        "UPDATE s",
        "SIP/2.0 ",
        "d1:ad2:i",
        "\u{4}\0abcdef",
    ];
    let message = |spi: &str| [spi.as_bytes(), &good()[8..]].concat();
    let ports = [IKE, NAT_T, OTHER];
    let flow = |(number, spi): (u16, &str)| {
        ports.map(|port| {
            FlowDatagram::from_port(10_000 + number, port, on_port(port, &message(spi)))
        })
    };
    (0..).zip(begins).flat_map(flow).collect()
}

/// A length that lies, and two things that peers ignore, each the first of a flow.
fn odd_headers() -> Vec<FlowDatagram> {
    let mut odd = Vec::new();
    for length in [0, 1, 27, 29, 70_000, u32::MAX] {
        let mut message = good();
        message[LENGTH..HEADER].copy_from_slice(&u32::to_be_bytes(length));
        odd.push(message);
    }
    let chain = &good()[HEADER..];
    let private = [&good()[..HEADER], &[good()[NEXT_PAYLOAD], 0, 0, 8, 1, 2, 3, 4], chain].concat();
    let mut private = private;
    private[NEXT_PAYLOAD] = 200;
    private[LENGTH..HEADER].copy_from_slice(&length_32(HEADER + 8 + chain.len()));
    let mut reserved = private.clone();
    reserved[FLAGS] |= 0xc0;
    let mut minor = reserved.clone();
    minor[VERSION] = 0x2f;
    odd.extend([[&private[..], &[0]].concat(), reserved, minor]);
    let mut datagrams = Vec::new();
    for (number, mut message) in (0..).zip(odd) {
        for (group, port) in (0..).zip([IKE, NAT_T, OTHER]) {
            (message[6], message[7]) = (group, number as u8);
            datagrams.push(FlowDatagram::from_port(10_000 + number, port, on_port(port, &message)));
        }
    }
    datagrams
}

/// DNS behind a header alone, behind a whole request, and around one.
fn given_back() -> Vec<FlowDatagram> {
    let mut header = good()[..HEADER].to_vec();
    header[NEXT_PAYLOAD] = 0;
    header[LENGTH..].copy_from_slice(&[0, 0, 0, 28]);
    let flows = [
        vec![header, dns(1), dns(2)],
        vec![request(1), dns(3), dns(4), request(1), dns(5)],
        vec![dns(6), request(2), dns(7)],
    ];
    let datagrams = (10_000..).zip(flows).flat_map(|(port, flow)| {
        flow.into_iter().map(move |data| FlowDatagram::from_port(port, DNS, data))
    });
    let answer = FlowDatagram::from_port(10_000, DNS, dns_answer(2)).by_server();
    datagrams.chain([answer, FlowDatagram::from_port(10_000, DNS, dns(8))]).collect()
}

/// Gateways that speak both versions between port 500 and port 500, by turns.
fn ikev1_beside_ikev2() -> Vec<FlowDatagram> {
    let both = |number| {
        [FlowDatagram::to_server(IKE, ikev1()), FlowDatagram::to_server(IKE, request(number))]
    };
    (1..=5).flat_map(both).collect()
}

/// IKEv1 on 4500: first seen with ESP; with a keepalive behind its first message; and with
/// IKEv2 between the same ports later.
fn ikev1_nat_t() -> Vec<FlowDatagram> {
    let flow = |client_port: u16, data: Vec<Vec<u8>>| {
        data.into_iter().map(move |data| FlowDatagram::from_port(client_port, NAT_T, data))
    };
    let message = || marked(&ikev1());
    let esp = |number| esp(1, number);
    let middle = flow(10_000, vec![esp(1), esp(2), esp(3), message(), esp(4), esp(5), message()]);
    let start = flow(10_001, vec![message(), vec![0xff], esp(1), esp(2), message(), vec![0xff]]);
    let both = flow(10_002, vec![esp(1), esp(2), message(), esp(3), marked(&request(3)), esp(4)]);
    middle.chain(start).chain(both).collect()
}

/// What is not ESP on 4500: constants and counters, keepalives, noise.
fn not_esp() -> Vec<FlowDatagram> {
    let counted = |number: u32, rest: &[u8]| {
        [&[0x0a, 0x0b, 0x0c, 0x0d][..], &number.to_be_bytes(), rest].concat()
    };
    let mut datagrams = Vec::new();
    for number in 0..30 {
        let each = [
            counted(number, &[0x11; 40]),
            counted(number, format!("state=ok; users={number:015}").as_bytes()),
            counted(number, &noise(77, 40)),
            vec![0xff],
            noise(number, 60),
        ];
        let flow = (10_000..).zip(each);
        datagrams.extend(flow.map(|(port, data)| FlowDatagram::from_port(port, NAT_T, data)));
    }
    datagrams
}

/// A peer that sends from port 500 to 4500, with ESP both ways behind its request.
fn esp_500_to_4500() -> Vec<FlowDatagram> {
    let datagram = |to_server, data| FlowDatagram::from_port(IKE, NAT_T, data).directed(to_server);
    let message = |message_id, flags| {
        let message = informational(vec![PayloadBuilder::new(SK, noise(7, 48))]);
        marked(&MessageBuilder { flags, message_id, ..message }.build())
    };
    let mut datagrams =
        vec![datagram(true, message(0, INITIATOR)), datagram(false, message(0, RESPONSE))];
    for number in 1..=5 {
        datagrams.push(datagram(true, esp(1, number)));
        datagrams.push(datagram(false, esp(2, number)));
    }
    datagrams.push(datagram(true, message(1, INITIATOR)));
    datagrams
}

/// Two requests between the same ports, the second captured by a clock that was set back an
/// hour.
fn clock_steps_back() -> Vec<FlowDatagram> {
    let at = |seconds, data| FlowDatagram::to_server(IKE, data).at(seconds);
    vec![at(7200, request(1)), at(3600, request(2)), at(3601, request(3))]
}
