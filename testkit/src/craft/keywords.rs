//! Captures for the cases of keywords for which no peer at hand sends what is needed.

use crate::bytes::noise;
use crate::flow::{capture, Flow, FlowDatagram};
use crate::message::{MessageBuilder, PayloadBuilder};
use crate::proposal::{
    ProposalBuilder, Transform, AES_CBC_256, AES_GCM_256, ECP_256, HMAC_SHA2_256, PRF_SHA2_256,
    STRONG,
};
use crate::registry::{
    COOKIE, IDR, IKE_AUTH, IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, INFORMATIONAL, NO_PROPOSAL_CHOSEN, SK,
    USE_PPK, VENDOR_ID,
};

const ML_KEM_768: u16 = 36;

/// A sound proposal with AEAD.
const AEAD: [Transform; 3] = [AES_GCM_256, PRF_SHA2_256, ECP_256];

fn and(transforms: &[Transform], more: &[Transform]) -> Vec<Transform> {
    [transforms, more].concat()
}

/// Minor version 0 and 1, and a later major version.
fn versions() -> Vec<FlowDatagram> {
    let version = |version| MessageBuilder { version, ..MessageBuilder::offer(&STRONG) }.build();
    let answer = MessageBuilder::choice(&STRONG).build();
    let flow = Flow::IKE;
    let requests = [0x20, 0x21, 0x30].map(|number| flow.request(version(number)));
    [requests.to_vec(), vec![flow.response(answer)]].concat()
}

/// Flags of the original initiator and of the responder, in requests and responses, and
/// the Version flag.
fn flags() -> Vec<FlowDatagram> {
    let with = |flags, message: MessageBuilder| MessageBuilder { flags, ..message }.build();
    let request = |flags| Flow::IKE.request(with(flags, MessageBuilder::offer(&STRONG)));
    let response = |flags| Flow::IKE.response(with(flags, MessageBuilder::choice(&STRONG)));
    vec![request(0x08), response(0x20), response(0x30), request(0x18), response(0x28)]
}

/// Both ends begin an SA in one flow; the responder asks and the initiator answers; a response
/// has the Initiator flag, which it may not have; a message of IKEv1 has neither end.
fn roles() -> Vec<FlowDatagram> {
    let message = |message: MessageBuilder, flags, spi| {
        MessageBuilder { flags, init_spi: [spi; 8], ..message }.build()
    };
    let (request, response) = (MessageBuilder::offer(&STRONG), MessageBuilder::choice(&STRONG));
    let check =
        || MessageBuilder::later(INFORMATIONAL, vec![PayloadBuilder::new(SK, noise(3, 48))]);
    let ikev1 = MessageBuilder { version: 0x10, ..MessageBuilder::offer(&STRONG) };
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
fn transports() -> Vec<Vec<FlowDatagram>> {
    let between = Flow { client_port: 4500, server_port: 500, marker: false };
    let flows =
        [Flow::IKE, Flow::NAT_T, between, Flow::OTHER, Flow { marker: true, ..Flow::OTHER }];
    let sent = |flow: Flow| {
        let (request, response) = (MessageBuilder::offer(&STRONG), MessageBuilder::choice(&STRONG));
        vec![flow.request(request.build()), flow.response(response.build())]
    };
    flows.map(sent).into()
}

/// A request that offers all Sequence Numbers transforms, in three proposals of ESP, and
/// a response that takes one.
fn sequence_numbers() -> Vec<FlowDatagram> {
    let esp = |id| ProposalBuilder {
        protocol: 3,
        ..ProposalBuilder::for_ike(&[AES_GCM_256, (5, id, None)])
    };
    let offered = [0, 1, 2].map(esp);
    let request =
        MessageBuilder::sa_init(&[&[ProposalBuilder::for_ike(&AEAD)], &offered[..]].concat());
    let response = MessageBuilder::sa_init(&[esp(1)]).answered();
    vec![Flow::IKE.request(request.build()), Flow::IKE.response(response.build())]
}

/// Vendor IDs with an unknown one among them.
fn vendor_ids() -> Vec<FlowDatagram> {
    let with = |mut message: MessageBuilder, ids: &[&[u8]]| {
        let ids = ids.iter().map(|id| PayloadBuilder::new(VENDOR_ID, *id));
        message.payloads.extend(ids);
        message.build()
    };
    let strongswan = 0x882f_e56d_6fd2_0dbc_2251_613b_2ebe_5beb_u128.to_be_bytes();
    let windows = 0x1e2b_5169_0599_1c7d_7c96_fcbf_b587_e461_u128.to_be_bytes();
    let windows_8 = [&windows[..], &[0, 0, 0, 9]].concat();
    let request: [&[u8]; 3] = [&strongswan, b"nobody's vendor id", b"OE-Libreswan-5.2"];
    let response: [&[u8]; 2] = [b"FLEXVPN-SUPPORTED", &windows_8];
    vec![
        Flow::IKE.request(with(MessageBuilder::offer(&STRONG), &request)),
        Flow::IKE.response(with(MessageBuilder::choice(&STRONG), &response)),
    ]
}

/// Every state of post-quantum protection in an offer and in its answer, and a message
/// without proposals.
fn post_quantum() -> Vec<Vec<FlowDatagram>> {
    let hybrid = and(&AEAD, &[(6, ML_KEM_768, None)]);
    let pure = [AES_GCM_256, PRF_SHA2_256, (4, ML_KEM_768, None)];
    let ppk = |message: MessageBuilder| message.with(PayloadBuilder::notify(USE_PPK, &[]));
    let messages = |transforms: &[Transform]| {
        [MessageBuilder::offer(transforms), MessageBuilder::choice(transforms)]
    };
    let sent = |[request, response]: [MessageBuilder; 2]| {
        vec![Flow::IKE.request(request.build()), Flow::IKE.response(response.build())]
    };
    let declined = [MessageBuilder::offer(&hybrid), MessageBuilder::choice(&AEAD)];
    let notify = vec![PayloadBuilder::notify(NO_PROPOSAL_CHOSEN, &[])];
    let refusal = MessageBuilder { payloads: notify, ..MessageBuilder::choice(&AEAD) };
    let refused = [MessageBuilder::offer(&AEAD), refusal];
    let all = [messages(&AEAD), messages(&hybrid), messages(&pure), messages(&AEAD).map(ppk)];
    all.into_iter().chain([declined, refused]).map(sent).collect()
}

/// Handshakes in which IKE_SA_INIT_FULL_TRANSCRIPT_AUTH is announced by nobody, by either and
/// by both, and a demand for a cookie, which says nothing.
fn full_transcript() -> Vec<Vec<FlowDatagram>> {
    let announced = |message: MessageBuilder, so| match so {
        true => message.with(PayloadBuilder::notify(IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, &[])),
        false => message,
    };
    let handshake = |(spi, (initiator, responder)): (u8, _)| {
        let of_sa =
            |message: MessageBuilder| MessageBuilder { init_spi: [spi; 8], ..message }.build();
        let request = announced(MessageBuilder::offer(&STRONG), initiator);
        let response = announced(MessageBuilder::choice(&STRONG), responder);
        vec![Flow::IKE.request(of_sa(request)), Flow::IKE.response(of_sa(response))]
    };
    let cookie = vec![PayloadBuilder::notify(COOKIE, &[1; 16])];
    let cookie = MessageBuilder { payloads: cookie, ..MessageBuilder::choice(&STRONG) };
    let all = [(false, false), (true, false), (false, true), (true, true)];
    (0xe1..).zip(all).map(handshake).chain([vec![Flow::IKE.response(cookie.build())]]).collect()
}

/// Offers that are sound but for their composition, each with another fault.
fn compositions() -> Vec<Vec<FlowDatagram>> {
    let no_key_length = [(1, 12, None), PRF_SHA2_256, HMAC_SHA2_256, ECP_256];
    let esn = and(&STRONG, &[(5, 1, None)]);
    let offers: [&[Transform]; 6] = [
        &STRONG,
        &no_key_length,
        &esn,
        &[AES_CBC_256, PRF_SHA2_256, HMAC_SHA2_256],
        &[AES_CBC_256, PRF_SHA2_256, ECP_256],
        &[AES_CBC_256, HMAC_SHA2_256, ECP_256],
    ];
    offers.map(|offer| vec![Flow::IKE.request(MessageBuilder::offer(offer).build())]).into()
}

/// A handshake whose first IKE_AUTH comes in fragments of every kind: the second is a
/// copy, the fourth has other bytes, then the message is cut anew. Behind it a fragment
/// of a message that came whole and was answered.
fn fragments() -> Vec<FlowDatagram> {
    let numbers =
        [(1, 3), (1, 3), (2, 3), (2, 3), (1, 4), (2, 4), (3, 4), (4, 4), (0, 4), (5, 4), (0, 0)];
    let seeds = [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let fragment =
        |number, total, seed| PayloadBuilder::fragment_of(number, total, &noise(seed, 48));
    let auth = |payload| MessageBuilder::later(IKE_AUTH, vec![payload]);
    let cut = numbers.into_iter().zip(seeds);
    let cut = cut.map(|((number, total), seed)| auth(fragment(number, total, seed)));
    let second = |payload| MessageBuilder { message_id: 2, ..auth(payload) };
    let whole = second(PayloadBuilder::new(SK, noise(11, 48)));
    let answer = Flow::IKE.response(whole.clone().answered().build());
    let whole = [Flow::IKE.request(whole.build()), answer];
    let late = [second(fragment(1, 2, 12)), second(fragment(1, 300, 13))];
    let init = [MessageBuilder::offer(&AEAD).build(), MessageBuilder::choice(&AEAD).build()];
    let [request, response] = init;
    let handshake = [Flow::IKE.request(request), Flow::IKE.response(response)];
    let sent = |message: MessageBuilder| Flow::IKE.request(message.build());
    handshake.into_iter().chain(cut.map(sent)).chain(whole).chain(late.map(sent)).collect()
}

/// A handshake with NAT traversal, and behind it ESP: three packets of each end as they
/// should be, then packets that are too small, odd and too large, with a liveness check
/// behind each kind.
fn abnormal_esp() -> Vec<FlowDatagram> {
    let flow = Flow::NAT_T;
    let both = |message: MessageBuilder| {
        [flow.request(message.build()), flow.response(message.answered().build())]
    };
    let encrypted = |exchange, message_id, inner, length| {
        let payloads = vec![PayloadBuilder::encrypted(inner, length)];
        both(MessageBuilder { message_id, ..MessageBuilder::later(exchange, payloads) })
    };
    let check = |message_id| encrypted(INFORMATIONAL, message_id, 0, 25);
    let init = [
        flow.request(MessageBuilder::offer(&AEAD).build()),
        flow.response(MessageBuilder::choice(&AEAD).build()),
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

/// The cases of keywords with a crafted capture, by the end of their names, and what the
/// capture is.
pub fn captures() -> Vec<(&'static str, Vec<u8>)> {
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
    let file = |conversations: &Vec<Vec<FlowDatagram>>| {
        capture(&conversations.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    conversations.iter().map(|(case, conversations)| (*case, file(conversations))).collect()
}
