//! Captures for the cases of keywords for which no peer at hand sends what is needed.

use crate::craft_message::{
    capture, noise, Datagram, Flow, Message, Payload, Proposal, Transform, IDR, IKE_AUTH,
    INFORMATIONAL, SK, SKF, VENDOR_ID,
};

const AES_CBC: Transform = (1, 12, Some(256));
const AES_GCM: Transform = (1, 20, Some(256));
const SHA2: Transform = (2, 5, None);
const HMAC_SHA2: Transform = (3, 12, None);
const ECP_256: Transform = (4, 19, None);
const ML_KEM_768: u16 = 36;
const NO_PROPOSAL_CHOSEN: u16 = 14;
const COOKIE: u16 = 16390;
const USE_PPK: u16 = 16435;
const FULL_TRANSCRIPT_AUTH: u16 = 16447;

/// A sound proposal, and one with AEAD.
const SOUND: [Transform; 4] = [AES_CBC, SHA2, HMAC_SHA2, ECP_256];
const AEAD: [Transform; 3] = [AES_GCM, SHA2, ECP_256];

fn and(transforms: &[Transform], more: &[Transform]) -> Vec<Transform> {
    [transforms, more].concat()
}

/// Minor version 0 and 1, and a later major version.
fn versions() -> Vec<Datagram> {
    let version = |version| Message { version, ..Message::request(&SOUND) }.bytes();
    let answer = Message::response(&SOUND).bytes();
    let flow = Flow::IKE;
    let requests = [0x20, 0x21, 0x30].map(|number| flow.request(version(number)));
    [requests.to_vec(), vec![flow.response(answer)]].concat()
}

/// Flags of the original initiator and of the responder, in requests and responses, and
/// the Version flag.
fn flags() -> Vec<Datagram> {
    let with = |flags, message: Message| Message { flags, ..message }.bytes();
    let request = |flags| Flow::IKE.request(with(flags, Message::request(&SOUND)));
    let response = |flags| Flow::IKE.response(with(flags, Message::response(&SOUND)));
    vec![request(0x08), response(0x20), response(0x30), request(0x18), response(0x28)]
}

/// Both ends begin an SA in one flow; the responder asks and the initiator answers; a response
/// has the Initiator flag, which it may not have; a message of IKEv1 has neither end.
fn roles() -> Vec<Datagram> {
    let message =
        |message: Message, flags, spi| Message { flags, init_spi: [spi; 8], ..message }.bytes();
    let (request, response) = (Message::request(&SOUND), Message::response(&SOUND));
    let check = || Message::later(INFORMATIONAL, vec![Payload::new(SK, noise(3, 48))]);
    let ikev1 = Message { version: 0x10, ..Message::request(&SOUND) };
    vec![
        Flow::IKE.request(message(request.clone(), 0x08, 1)),
        Flow::IKE.response(message(response.clone(), 0x20, 1)),
        Flow::IKE.response(message(request.clone(), 0x08, 2)),
        Flow::IKE.request(message(response.clone(), 0x20, 2)),
        Flow::IKE.response(message(check(), 0, 1)),
        Flow::IKE.request(message(check(), 0x28, 1)),
        Flow::IKE.request(message(request, 0x08, 3)),
        Flow::IKE.response(message(response, 0x28, 3)),
        Flow::IKE.request(message(ikev1, 0x08, 4)),
    ]
}

/// Conversations on and between the ports.
fn transports() -> Vec<Vec<Datagram>> {
    let between = Flow { client_port: 4500, server_port: 500, marker: false };
    let flows =
        [Flow::IKE, Flow::NAT_T, between, Flow::OTHER, Flow { marker: true, ..Flow::OTHER }];
    let sent = |flow: Flow| {
        let (request, response) = (Message::request(&SOUND), Message::response(&SOUND));
        vec![flow.request(request.bytes()), flow.response(response.bytes())]
    };
    flows.map(sent).into()
}

/// A request that offers all Sequence Numbers transforms, in three proposals of ESP, and
/// a response that takes one.
fn sequence_numbers() -> Vec<Datagram> {
    let esp = |id| Proposal { protocol: 3, ..Proposal::for_ike(&[AES_GCM, (5, id, None)]) };
    let offered = [0, 1, 2].map(esp);
    let request = Message::of_sa(&[&[Proposal::for_ike(&AEAD)], &offered[..]].concat());
    let response = Message::of_sa(&[esp(1)]).answered();
    vec![Flow::IKE.request(request.bytes()), Flow::IKE.response(response.bytes())]
}

/// Vendor IDs with an unknown one among them.
fn vendor_ids() -> Vec<Datagram> {
    let with = |mut message: Message, ids: &[&[u8]]| {
        let ids = ids.iter().map(|id| Payload::new(VENDOR_ID, *id));
        message.payloads.extend(ids);
        message.bytes()
    };
    let strongswan = 0x882f_e56d_6fd2_0dbc_2251_613b_2ebe_5beb_u128.to_be_bytes();
    let windows = 0x1e2b_5169_0599_1c7d_7c96_fcbf_b587_e461_u128.to_be_bytes();
    let windows_8 = [&windows[..], &[0, 0, 0, 9]].concat();
    let request: [&[u8]; 3] = [&strongswan, b"nobody's vendor id", b"OE-Libreswan-5.2"];
    let response: [&[u8]; 2] = [b"FLEXVPN-SUPPORTED", &windows_8];
    vec![
        Flow::IKE.request(with(Message::request(&SOUND), &request)),
        Flow::IKE.response(with(Message::response(&SOUND), &response)),
    ]
}

/// Every state of post-quantum protection in an offer and in its answer, and a message
/// without proposals.
fn post_quantum() -> Vec<Vec<Datagram>> {
    let hybrid = and(&AEAD, &[(6, ML_KEM_768, None)]);
    let pure = [AES_GCM, SHA2, (4, ML_KEM_768, None)];
    let ppk = |message: Message| message.with(Payload::notify(USE_PPK, &[]));
    let messages =
        |transforms: &[Transform]| [Message::request(transforms), Message::response(transforms)];
    let sent = |[request, response]: [Message; 2]| {
        vec![Flow::IKE.request(request.bytes()), Flow::IKE.response(response.bytes())]
    };
    let declined = [Message::request(&hybrid), Message::response(&AEAD)];
    let notify = vec![Payload::notify(NO_PROPOSAL_CHOSEN, &[])];
    let refusal = Message { payloads: notify, ..Message::response(&AEAD) };
    let refused = [Message::request(&AEAD), refusal];
    let all = [messages(&AEAD), messages(&hybrid), messages(&pure), messages(&AEAD).map(ppk)];
    all.into_iter().chain([declined, refused]).map(sent).collect()
}

/// Handshakes in which IKE_SA_INIT_FULL_TRANSCRIPT_AUTH is announced by nobody, by either and
/// by both, and a demand for a cookie, which says nothing.
fn full_transcript() -> Vec<Vec<Datagram>> {
    let announced = |message: Message, so| match so {
        true => message.with(Payload::notify(FULL_TRANSCRIPT_AUTH, &[])),
        false => message,
    };
    let handshake = |(spi, (initiator, responder)): (u8, _)| {
        let of_sa = |message: Message| Message { init_spi: [spi; 8], ..message }.bytes();
        let request = announced(Message::request(&SOUND), initiator);
        let response = announced(Message::response(&SOUND), responder);
        vec![Flow::IKE.request(of_sa(request)), Flow::IKE.response(of_sa(response))]
    };
    let cookie = vec![Payload::notify(COOKIE, &[1; 16])];
    let cookie = Message { payloads: cookie, ..Message::response(&SOUND) };
    let all = [(false, false), (true, false), (false, true), (true, true)];
    (0xe1..).zip(all).map(handshake).chain([vec![Flow::IKE.response(cookie.bytes())]]).collect()
}

/// Offers that are sound but for their composition, each with another fault.
fn compositions() -> Vec<Vec<Datagram>> {
    let no_key_length = [(1, 12, None), SHA2, HMAC_SHA2, ECP_256];
    let esn = and(&SOUND, &[(5, 1, None)]);
    let offers: [&[Transform]; 6] = [
        &SOUND,
        &no_key_length,
        &esn,
        &[AES_CBC, SHA2, HMAC_SHA2],
        &[AES_CBC, SHA2, ECP_256],
        &[AES_CBC, HMAC_SHA2, ECP_256],
    ];
    offers.map(|offer| vec![Flow::IKE.request(Message::request(offer).bytes())]).into()
}

/// A fragment with the same bytes in it for the same seed.
fn fragment(number: u16, total: u16, seed: u32) -> Payload {
    let numbers = [number, total].map(u16::to_be_bytes).concat();
    Payload::new(SKF, [numbers, noise(seed, 48)].concat())
}

/// A handshake whose first IKE_AUTH comes in fragments of every kind: the second is a
/// copy, the fourth has other bytes, then the message is cut anew. Behind it a fragment
/// of a message that came whole and was answered.
fn fragments() -> Vec<Datagram> {
    let numbers =
        [(1, 3), (1, 3), (2, 3), (2, 3), (1, 4), (2, 4), (3, 4), (4, 4), (0, 4), (5, 4), (0, 0)];
    let seeds = [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let auth = |payload| Message::later(IKE_AUTH, vec![payload]);
    let cut = numbers.into_iter().zip(seeds);
    let cut = cut.map(|((number, total), seed)| auth(fragment(number, total, seed)));
    let second = |payload| Message { message_id: 2, ..auth(payload) };
    let whole = second(Payload::new(SK, noise(11, 48)));
    let answer = Flow::IKE.response(whole.clone().answered().bytes());
    let whole = [Flow::IKE.request(whole.bytes()), answer];
    let late = [second(fragment(1, 2, 12)), second(fragment(1, 300, 13))];
    let init = [Message::request(&AEAD).bytes(), Message::response(&AEAD).bytes()];
    let [request, response] = init;
    let handshake = [Flow::IKE.request(request), Flow::IKE.response(response)];
    let sent = |message: Message| Flow::IKE.request(message.bytes());
    handshake.into_iter().chain(cut.map(sent)).chain(whole).chain(late.map(sent)).collect()
}

/// A handshake with NAT traversal, and behind it ESP: three packets of each end as they
/// should be, then packets that are too small, odd and too large, with a liveness check
/// behind each kind.
fn abnormal_esp() -> Vec<Datagram> {
    let flow = Flow::NAT_T;
    let both = |message: Message| {
        [flow.request(message.bytes()), flow.response(message.answered().bytes())]
    };
    let encrypted = |exchange, message_id, inner, length| {
        let payloads = vec![Payload::encrypted(inner, length)];
        both(Message { message_id, ..Message::later(exchange, payloads) })
    };
    let check = |message_id| encrypted(INFORMATIONAL, message_id, 0, 25);
    let init = [
        flow.request(Message::request(&AEAD).bytes()),
        flow.response(Message::response(&AEAD).bytes()),
    ];
    let auth = encrypted(IKE_AUTH, 1, IDR, 208);
    let sizes = |sizes: &[usize]| {
        let ends = [(true, 0xc001_0203), (false, 0xc00a_0b0c)];
        let packets =
            |length: &usize| ends.map(|(to_server, spi)| flow.esp(to_server, spi, *length));
        sizes.iter().flat_map(packets).collect::<Vec<_>>()
    };
    let parts = [
        [init, auth].concat(),
        sizes(&[24, 100, 9288]),
        check(2).to_vec(),
        sizes(&[20]),
        check(3).to_vec(),
        sizes(&[1399]),
        check(4).to_vec(),
        sizes(&[9292]),
        check(5).to_vec(),
    ];
    parts.concat()
}

/// The cases with a crafted capture, and what the capture is.
pub(crate) fn crafted() -> Vec<(&'static str, Vec<u8>)> {
    let conversations = [
        ("version", vec![versions()]),
        ("flags", vec![flags()]),
        ("role", vec![roles()]),
        ("transport", transports()),
        ("offered-esn", vec![sequence_numbers()]),
        ("chosen-esn", vec![sequence_numbers()]),
        ("vendor-id", vec![vendor_ids()]),
        ("vendor", vec![vendor_ids()]),
        ("pq", post_quantum()),
        ("sa-full-transcript-auth", full_transcript()),
        ("weak-proposal-composition", compositions()),
        ("fragment-status", vec![fragments()]),
        ("esp-abnormal", vec![abnormal_esp()]),
    ];
    let file = |conversations: &Vec<Vec<Datagram>>| {
        capture(&conversations.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    conversations.iter().map(|(case, conversations)| (*case, file(conversations))).collect()
}
