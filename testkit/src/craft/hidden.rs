//! Handshakes that hide from who looks for IKEv2: in the flow of another protocol, or by what a
//! peer overlooks.

use crate::bytes::noise;
use crate::flow::{Flow, FlowDatagram};
use crate::message::{MessageBuilder, PayloadBuilder, HEADER, LENGTH};
use crate::proposal::STRONG;
use crate::registry::{IDI, IDR, IKE_AUTH, UNASSIGNED_PAYLOAD};

/// A way to hide, and the datagrams of one conversation.
pub struct Hideout {
    /// The way, and the ports.
    pub name: String,
    /// How many datagrams at the front are no messages of IKEv2; all others are.
    pub before: usize,
    /// The conversation.
    pub datagrams: Vec<FlowDatagram>,
}

/// The ways to hide, each on IKE's ports and on others, with the marker and without.
pub fn hideouts() -> Vec<Hideout> {
    let flows = [
        ("500", Flow::IKE),
        ("4500", Flow::NAT_T),
        ("5555", Flow::OTHER),
        ("5555 with a marker", Flow { marker: true, ..Flow::OTHER }),
    ];
    let mut all = Vec::new();
    for (ports, flow) in flows {
        let mut add = |name: &str, before: &[Vec<u8>], messages: [Vec<u8>; 4]| {
            let name = format!("{name}, {ports}");
            all.push(Hideout {
                name,
                before: before.len(),
                datagrams: sent(flow, before, messages),
            });
        };
        add("in the open", &[], handshake(|_| {}));
        for (name, bytes) in foreign() {
            add(name, &[bytes], handshake(|_| {}));
        }
        let noise = [1, 2, 3, 4].map(|seed| noise(seed, 100));
        add("behind noise both ways", &noise, handshake(|_| {}));
        for spi in [b"BYE sip:", b"REGISTER", b"INVITE s", b"CANCEL s", b"MESSAGE ", b"PUBLISH "] {
            add("behind an SPI of SIP", &[], handshake(|message| message.init_spi = *spi));
        }
        for length in [0, 27, 70_000, u32::MAX] {
            let messages = handshake(|_| {}).map(|message| with_length(message, length));
            add("behind a Length", &[], messages);
        }
        add("behind two oddities", &[], odd());
        add("behind two oddities and a byte", &[], odd().map(|it| [it, vec![0]].concat()));
        add("behind a minor version", &[], handshake(|message| message.version = 0x2f));
    }
    all
}

/// First datagrams that another parser takes, or none.
fn foreign() -> [(&'static str, Vec<u8>); 4] {
    let ikev1 = MessageBuilder { version: 0x10, exchange_type: 2, flags: 0, ..first() };
    let dht = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
    [
        ("behind SIP", b"BYE sip:a@example.com SIP/2.0\r\n\r\n".to_vec()),
        ("behind DHT", dht.to_vec()),
        ("behind IKEv1", ikev1.build()),
        ("behind one byte", vec![0x01]),
    ]
}

fn first() -> MessageBuilder {
    MessageBuilder::offer(&STRONG)
}

/// A handshake, each message of which is changed.
fn handshake(change: impl Fn(&mut MessageBuilder)) -> [Vec<u8>; 4] {
    let auth = |first| MessageBuilder::later(IKE_AUTH, vec![PayloadBuilder::encrypted(first, 256)]);
    let messages = [first(), first().answered(), auth(IDI), auth(IDR).answered()];
    messages.map(|mut message| {
        change(&mut message);
        message.build()
    })
}

/// A handshake with a reserved flag in each message and a private payload at the front.
fn odd() -> [Vec<u8>; 4] {
    handshake(|message| {
        message.flags |= 0x40;
        message.payloads.insert(0, PayloadBuilder::new(UNASSIGNED_PAYLOAD, [1; 4]));
    })
}

fn with_length(mut message: Vec<u8>, length: u32) -> Vec<u8> {
    message[LENGTH..HEADER].copy_from_slice(&length.to_be_bytes());
    message
}

/// The datagrams in their order: what is before goes both ways in turn and has no marker.
fn sent(flow: Flow, before: &[Vec<u8>], messages: [Vec<u8>; 4]) -> Vec<FlowDatagram> {
    let way = |flow: Flow, place: usize, bytes: &Vec<u8>| match place % 2 {
        0 => flow.request(bytes),
        _ => flow.response(bytes),
    };
    let bare = Flow { marker: false, ..flow };
    let before = before.iter().enumerate().map(|(place, bytes)| way(bare, place, bytes));
    let messages = messages.iter().enumerate().map(|(place, bytes)| way(flow, place, bytes));
    before.chain(messages).collect()
}
