//! For each rule of the pack a conversation that fires it.

use core::ops::Range;

use crate::bytes::noise;
use crate::flow::{Flow, FlowDatagram};
use crate::message::{MessageBuilder, PayloadBuilder, FLAGS, HEADER, LENGTH, VERSION};
use crate::proposal::{
    strong_but, ProposalBuilder, Transform, AES_CBC_256, AES_GCM_256, ECP_256, ECP_384,
    HMAC_SHA2_256, MODP_2048, PRF_SHA2_256, PRF_SHA2_384, STRONG,
};
use crate::registry::{
    COOKIE, CREATE_CHILD_SA, DELETE, FOR_AH, IDI, IDR, IKE_AUTH, IKE_SA_INIT, INFORMATIONAL,
    INITIAL_CONTACT, INVALID_KE_PAYLOAD, KE, NAT_DETECTION_DESTINATION_IP, NAT_DETECTION_SOURCE_IP,
    NONCE, NOTIFY, NO_PROPOSAL_CHOSEN, RESPONSE, SA, SK, UNASSIGNED_PAYLOAD, VENDOR_ID,
};

/// A conversation and the rules that it is made to fire.
pub struct Scenario {
    /// What is in it.
    pub name: &'static str,
    /// The rules: of those that are on by default exactly these, of the others at least these.
    pub fires: Vec<u32>,
    /// The rules that may not fire even when they are off by default.
    pub quiet: Range<u32>,
    /// The conversation.
    pub datagrams: Vec<FlowDatagram>,
}

impl Scenario {
    fn new(name: &'static str, fires: &[u32], datagrams: Vec<FlowDatagram>) -> Self {
        Self { name, fires: fires.to_vec(), quiet: 0..0, datagrams }
    }
}

impl Scenario {
    /// The conversation in flows that a response of another SA has begun: whoever sends the
    /// requests is then the server of the flow. So it is too where the other gateway has begun
    /// the flow and this one begins an SA in it.
    pub fn turned_round(mut self, number: u8) -> Self {
        let forged = |flow: usize| {
            let [high, low] = u16::try_from(flow).expect("few flows").to_be_bytes();
            let init_spi = [0x66, 1, 1, 1, 1, 1, high, low];
            let payloads = vec![PayloadBuilder::new(SK, noise(3, 48))];
            MessageBuilder { init_spi, ..MessageBuilder::later(INFORMATIONAL, payloads).answered() }
        };
        let mut first: Vec<FlowDatagram> = Vec::new();
        for datagram in &self.datagrams {
            if !first.iter().any(|other| other.is_of_flow_of(datagram)) {
                let forged = forged(first.len()).build();
                first.push(datagram.carrying(forged).of_sa(number));
            }
        }
        self.datagrams.splice(0..0, first);
        self
    }
}

/// All conversations, each with SAs of its own.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = vec![honest()];
    all.extend(malformed());
    all.extend(proposals_of_the_builtin_rules());
    all.extend(weak());
    all.extend(policies());
    all.extend(vulnerabilities());
    all.extend(fragments_of_cisco());
    all.extend(anomalies());
    all.extend(policy());
    all.extend(elsewhere());
    all.extend(sequences());
    all.extend(negotiations());
    all.extend(pressure());
    all.extend(fragments());
    all.extend(translated());
    all.extend(hidden());
    for (number, scenario) in (0..=u8::MAX).zip(&mut all) {
        let datagrams = scenario.datagrams.drain(..).map(|datagram| datagram.of_sa(number));
        scenario.datagrams = datagrams.collect();
    }
    all
}

/// What Suricata itself lets nobody reach with a capture, and why.
pub const UNREACHABLE: &[(u32, &str)] =
    &[(7_296_028, "Suricata lets go of each message before it takes the next of the flow")];

const ADDITIONAL_ML_KEM_1024: Transform = (6, 37, None);

/// What a peer could have sent first.
fn good() -> MessageBuilder {
    MessageBuilder::offer(&STRONG)
}

const CISCO_FRAGMENT: u8 = 132;

/// One message of the client, with nothing before it.
fn first(name: &'static str, fires: &[u32], message: &MessageBuilder) -> Scenario {
    Scenario::new(name, fires, vec![Flow::IKE.request(message.build())])
}

/// Bytes of the client, in a flow that has begun well with another SA.
fn second(name: &'static str, fires: &[u32], bytes: Vec<u8>) -> Scenario {
    let before = MessageBuilder { init_spi: [0x77; 8], ..good() };
    let datagrams = vec![Flow::IKE.request(before.build()), Flow::IKE.request(bytes)];
    Scenario::new(name, fires, datagrams)
}

/// Bytes of the server, behind a good request of another SA: nobody knows what was offered.
fn answer(name: &'static str, fires: &[u32], bytes: Vec<u8>) -> Scenario {
    let before = MessageBuilder { init_spi: [0x77; 8], ..good() };
    let datagrams = vec![Flow::IKE.request(before.build()), Flow::IKE.response(bytes)];
    Scenario::new(name, fires, datagrams)
}

/// strongSwan's Vendor ID, the MD5 of its name.
const STRONGSWAN: [u8; 16] = [
    0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b, 0xeb,
];

/// Nothing that any rule minds: strong and hybrid, from a known peer.
fn honest() -> Scenario {
    let transforms = [AES_GCM_256, PRF_SHA2_384, ECP_384, ADDITIONAL_ML_KEM_1024];
    let request = MessageBuilder::offer(&transforms)
        .replacing(PayloadBuilder::ke(20, noise(1, 96)))
        .with(PayloadBuilder::new(VENDOR_ID, STRONGSWAN));
    let later = MessageBuilder::later(IKE_AUTH, vec![PayloadBuilder::new(SK, noise(3, 48))]);
    let datagrams = vec![
        Flow::IKE.request(request.build()),
        Flow::IKE.response(request.answered().build()),
        Flow::NAT_T.request(later.build()),
        Flow::NAT_T.response(later.answered().build()),
    ];
    Scenario { quiet: 7_296_000..7_297_000, ..Scenario::new("honest", &[], datagrams) }
}

const MALFORMED: u32 = 7_296_000;
const MALFORMED_ANSWER: u32 = 7_296_001;
const MANY_PAYLOADS: u32 = 7_296_260;
/// The key of a message is of a method that the message does not offer.
const OTHER_METHOD: u32 = 7_296_416;
const MISSING_PAYLOAD: u32 = 7_296_254;

/// A way to be malformed each.
fn malformed() -> Vec<Scenario> {
    let short = MessageBuilder::later(INFORMATIONAL, vec![PayloadBuilder::new(KE, [0, 19])]);
    let critical = PayloadBuilder::critical(UNASSIGNED_PAYLOAD, [1, 2, 3]);
    let critical = MessageBuilder::later(INFORMATIONAL, vec![critical]).build();
    let encrypted = PayloadBuilder::new(SK, noise(3, 48));
    let behind = vec![encrypted, PayloadBuilder::notify(INITIAL_CONTACT, &[])];
    let behind = MessageBuilder::later(INFORMATIONAL, behind).build();
    let trailing = [good().build(), vec![0; 3]].concat();
    let hybrid = MessageBuilder::offer(&[&STRONG[..], &[ADDITIONAL_ML_KEM_1024]].concat());
    // The first proposal's count of transforms, and the last byte of the fifth one's length,
    // behind one of 12 bytes and three of 8.
    let (transform_count, transform_length) = (HEADER + 4 + 7, HEADER + 4 + 8 + 36 + 3);
    vec![
        second("header-length-20", &[MALFORMED, 7_296_015], good().patched(LENGTH + 3, 20)),
        answer(
            "short-ke-in-answer",
            &[MALFORMED_ANSWER, 7_296_016],
            short.clone().answered().build(),
        ),
        second("short-ke", &[MALFORMED, 7_296_016], short.build()),
        second("trailing-bytes", &[MALFORMED, 7_296_014, 7_296_029], trailing),
        second("length-too-large", &[MALFORMED, 7_296_017], good().patched(LENGTH + 1, 1)),
        second("unknown-critical", &[MALFORMED, 7_296_018], critical),
        second("payload-behind-sk", &[MALFORMED, 7_296_019], behind),
        second("transform-length-7", &[MALFORMED, 7_296_020], hybrid.patched(transform_length, 7)),
        second("transform-count-5", &[MALFORMED, 7_296_021], good().patched(transform_count, 5)),
        second("version-3", &[7_296_027], good().patched(VERSION, 0x30)),
        second("version-1", &[7_296_026], good().patched(VERSION, 0x10)),
        second("initiator-flag-not-set", &[7_296_030], good().patched(FLAGS, 0)),
    ]
    .into_iter()
    .chain(too_many())
    .collect()
}

fn too_many() -> Vec<Scenario> {
    let of = |count, payload: PayloadBuilder| {
        MessageBuilder::later(INFORMATIONAL, vec![payload; count]).build()
    };
    let numbered = |count, transforms: &[Transform]| {
        let proposal = |number| ProposalBuilder { number, ..ProposalBuilder::for_ike(transforms) };
        MessageBuilder::sa_init(&(1..=count).map(proposal).collect::<Vec<_>>()).build()
    };
    let payloads = of(257, PayloadBuilder::new(VENDOR_ID, [7]));
    let notifies = of(129, PayloadBuilder::notify(INITIAL_CONTACT, &[]));
    let transforms = [STRONG.to_vec(), vec![PRF_SHA2_256; 251]].concat();
    vec![
        second("257-payloads", &[MALFORMED, 7_296_022, MANY_PAYLOADS], payloads),
        second("65-proposals", &[MALFORMED, 7_296_023], numbered(65, &STRONG)),
        second("1275-transforms", &[MALFORMED, 7_296_024], numbered(5, &transforms)),
        second("129-notifies", &[7_296_025, MANY_PAYLOADS], notifies),
    ]
}

/// The events about proposals that the built-in parser has too.
fn proposals_of_the_builtin_rules() -> Vec<Scenario> {
    let ah =
        ProposalBuilder { protocol: FOR_AH, ..ProposalBuilder::for_ike(&[HMAC_SHA2_256, ECP_256]) };
    let two = [1, 2].map(|number| ProposalBuilder { number, ..ProposalBuilder::for_ike(&STRONG) });
    let no_method = strong_but(3, (4, 0, None));
    let unknown = [STRONG.to_vec(), vec![(60, 1, None)]].concat();
    let mixed = MessageBuilder::offer(&[&[AES_GCM_256], &STRONG[..]].concat());
    let chosen = |transforms: &[Transform]| MessageBuilder::choice(transforms).build();
    vec![
        answer("ah-chosen", &[7_296_008], MessageBuilder::sa_init(&[ah]).answered().build()),
        first(
            "method-0-offered",
            &[7_296_009, 7_296_105, 7_296_211, OTHER_METHOD],
            &MessageBuilder::offer(&no_method),
        ),
        answer("method-0-chosen", &[7_296_010, 7_296_006, 7_296_112], chosen(&no_method)),
        first("gcm-and-cbc-offered", &[7_296_009, 7_296_102], &mixed),
        first("type-60-offered", &[7_296_011], &MessageBuilder::offer(&unknown)),
        answer("type-60-chosen", &[7_296_012], chosen(&unknown)),
        answer("two-chosen", &[7_296_013], MessageBuilder::sa_init(&two).answered().build()),
    ]
}

/// Something weak each, in an offer and in a choice.
fn weak() -> Vec<Scenario> {
    let des = strong_but(0, (1, 2, None));
    let prf_md5 = strong_but(1, (2, 1, None));
    let md5 = strong_but(2, (3, 1, None));
    let modp_768 = strong_but(3, (4, 1, None));
    let key_64 = strong_but(0, (1, 12, Some(64)));
    let no_dh = &STRONG[..3];
    let no_integ = [AES_CBC_256, PRF_SHA2_256, ECP_256];
    let esn = [STRONG.to_vec(), vec![(5, 1, None)]].concat();
    let offered = |name, fires: &[u32], offer: &[Transform]| {
        first(name, fires, &MessageBuilder::offer(offer))
    };
    let chosen = |name, fires: &[u32], choice: &[Transform]| {
        answer(name, fires, MessageBuilder::choice(choice).build())
    };
    vec![
        offered("des-offered", &[7_296_100], &des),
        offered("prf-md5-offered", &[7_296_101], &prf_md5),
        offered("md5-offered", &[7_296_102], &md5),
        offered("modp768-offered", &[7_296_103, OTHER_METHOD], &modp_768),
        offered("key-of-64-offered", &[7_296_104, 7_296_009], &key_64),
        offered("no-method-offered", &[7_296_105, 7_296_211], no_dh),
        offered("no-integrity-offered", &[7_296_106], &no_integ),
        offered("esn-offered", &[7_296_114, 7_296_009], &esn),
        chosen("des-chosen", &[7_296_107, 7_296_002], &des),
        chosen("prf-md5-chosen", &[7_296_108, 7_296_003, 7_296_210], &prf_md5),
        chosen("md5-chosen", &[7_296_109, 7_296_004], &md5),
        chosen("modp768-chosen", &[7_296_110, 7_296_005], &modp_768),
        chosen("key-of-64-chosen", &[7_296_111, 7_296_010], &key_64),
        chosen("no-method-chosen", &[7_296_112, 7_296_006], no_dh),
        chosen("no-integrity-chosen", &[7_296_113, 7_296_007], &no_integ),
        chosen("esn-chosen", &[7_296_115, 7_296_010], &esn),
        chosen("xcbc-chosen", &[7_296_212], &strong_but(2, (3, 5, None))),
    ]
}

/// What no policy allows, and what only some do.
fn policies() -> Vec<Scenario> {
    let transforms = [(1, 2, None), (2, 1, None), (3, 1, None), (4, 1, None)];
    let offered: Vec<_> = (7_296_100..=7_296_103)
        .chain(7_296_120..=7_296_125)
        .chain([7_296_140, OTHER_METHOD])
        .collect();
    let chosen: Vec<_> = (7_296_107..=7_296_110)
        .chain(7_296_130..=7_296_135)
        .chain(7_296_002..=7_296_005)
        .chain([7_296_141, 7_296_210])
        .collect();
    let some = |name, fires: &[u32], quiet| {
        let both = answer(name, fires, MessageBuilder::choice(&STRONG).build());
        Scenario { quiet, ..both }
    };
    vec![
        first("forbidden-offered", &offered, &MessageBuilder::offer(&transforms)),
        answer("forbidden-chosen", &chosen, MessageBuilder::choice(&transforms).build()),
        some("p256-offered", &[7_296_124, 7_296_125], 7_296_120..7_296_124),
        some("p256-chosen", &[7_296_134, 7_296_135], 7_296_130..7_296_134),
    ]
}

/// The MD5 of "MSFT IPsec Security Realm Id", and some bytes behind it.
fn security_realm(behind: usize) -> PayloadBuilder {
    let digest = [
        0x68, 0x6a, 0x8c, 0xbd, 0xfe, 0x63, 0x4b, 0x40, 0x51, 0x46, 0xfb, 0x2b, 0xaf, 0x33, 0xe9,
        0xe8,
    ];
    PayloadBuilder::new(VENDOR_ID, [&digest[..], &noise(9, behind)].concat())
}

fn vulnerabilities() -> Vec<Scenario> {
    let realm = good().with(security_realm(16));
    let fragment = MessageBuilder::later(IKE_AUTH, vec![PayloadBuilder::fragment(1, 1)]).build();
    let then = |flow: Flow| vec![Flow::IKE.request(realm.build()), flow.request(&fragment)];
    let step = |name, rule, flow| Scenario::new(name, &[7_296_201, rule], then(flow));
    let command = PayloadBuilder::new(NOTIFY, [&[1, 0, 0, 14][..], b"\";id;echo -n \""].concat());
    let injection = MessageBuilder { payloads: vec![command], ..good() };
    let mut full = vec![PayloadBuilder::new(255, [0; 4]); 29];
    full.push(PayloadBuilder::fragment(1, 2));
    vec![
        first("cve-2022-21849", &[7_296_201, 7_296_200], &good().with(security_realm(0x100))),
        first("security-realm", &[7_296_201], &realm),
        step("cve-2026-33824", 7_296_202, Flow::IKE),
        step("cve-2026-33824-4500", 7_296_203, Flow::NAT_T),
        second("single-fragment", &[], fragment.clone()),
        first("cve-2023-28771", &[7_296_207, 7_296_257, MISSING_PAYLOAD], &injection),
        first(
            "cve-2026-12413",
            &[7_296_208, MANY_PAYLOADS],
            &MessageBuilder::later(IKE_AUTH, full),
        ),
        first(
            "cve-2014-9221",
            &[7_296_209, OTHER_METHOD],
            &good().replacing(PayloadBuilder::ke(1025, noise(1, 64))),
        ),
    ]
}

/// Fragments of the form before RFC 7383: a header of 8 bytes, then the beginning of
/// the message.
fn fragments_of_cisco() -> Vec<Scenario> {
    const ANY: u32 = 7_296_256;
    let message = |body: Vec<u8>| {
        MessageBuilder::later(IKE_AUTH, vec![PayloadBuilder::new(CISCO_FRAGMENT, body)])
    };
    let sound = [vec![0, 1, 1, 1], good().build()].concat();
    let mut absurd = sound.clone();
    absurd[4 + LENGTH] = 0x80;
    let no_length = message(vec![]).patched(HEADER + 3, 0);
    let no_length = Scenario::new(
        "cve-2016-1287-length-0",
        &[7_296_205, MALFORMED, 7_296_016],
        vec![Flow::IKE.request(no_length)],
    );
    vec![
        first("cisco-fragment", &[ANY], &message(sound)),
        first("cve-2016-1287", &[7_296_204, ANY], &message(vec![0, 1])),
        no_length,
        first("cve-2016-6381", &[7_296_206, ANY], &message(absurd)),
    ]
}

fn anomalies() -> Vec<Scenario> {
    let zero_spi = MessageBuilder { init_spi: [0; 8], ..good() };
    let error = PayloadBuilder::notify(NO_PROPOSAL_CHOSEN, &[]);
    let no_nonce = MessageBuilder { payloads: good().payloads[..2].to_vec(), ..good() };
    let ikev1 = good().with(PayloadBuilder::new(1, [0; 8]));
    let many = vec![PayloadBuilder::new(UNASSIGNED_PAYLOAD, [0; 4]); 30];
    let nonce = |length| good().replacing(PayloadBuilder::new(NONCE, noise(2, length)));
    let ke = |data| good().replacing(PayloadBuilder::ke(19, data));
    let of_2048 = |data: Vec<u8>| {
        MessageBuilder::offer(&strong_but(3, MODP_2048)).replacing(PayloadBuilder::ke(14, data))
    };
    let one = [vec![0; 255], vec![1]].concat();
    let fragment = MessageBuilder::later(IKE_AUTH, vec![PayloadBuilder::fragment(3, 2)]);
    vec![
        second("spi-zero", &[7_296_250], zero_spi.build()),
        first("ke-length-63", &[7_296_251], &ke(noise(1, 63))),
        first("ke-zero", &[7_296_252], &ke(vec![0; 64])),
        first("ke-one", &[7_296_262], &of_2048(one)),
        first("ke-above-prime", &[7_296_262], &of_2048(vec![0xff; 256])),
        first("nonce-15", &[7_296_253], &nonce(15)),
        first("nonce-257", &[7_296_253], &nonce(257)),
        first("no-nonce", &[MISSING_PAYLOAD], &no_nonce),
        first("ikev1-payload", &[7_296_255], &ikev1),
        first("error-in-request", &[7_296_257], &good().with(error)),
        first("message-id-1", &[7_296_258], &MessageBuilder { message_id: 1, ..good() }),
        first("responder-spi", &[7_296_259], &MessageBuilder { resp_spi: [7; 8], ..good() }),
        first("30-payloads", &[MANY_PAYLOADS], &MessageBuilder::later(INFORMATIONAL, many)),
        first("fragment-3-of-2", &[7_296_261], &fragment),
    ]
}

fn policy() -> Vec<Scenario> {
    let vendor = good().with(PayloadBuilder::new(VENDOR_ID, *b"nobody's product"));
    let cookie =
        MessageBuilder { payloads: vec![PayloadBuilder::notify(COOKIE, &noise(8, 16))], ..good() };
    let from = |client_port| Flow { client_port, ..Flow::IKE }.request(good().build());
    let flood = (10_000..10_120).map(from).collect();
    vec![
        first("unknown-vendor", &[7_296_300], &vendor),
        Scenario::new("port-5555", &[7_296_301], vec![Flow::OTHER.request(good().build())]),
        answer("classical", &[7_296_302, 7_296_303], MessageBuilder::choice(&STRONG).build()),
        answer("cookie", &[7_296_304], cookie.answered().build()),
        Scenario::new("flood", &[7_296_305, 7_296_433], flood),
    ]
}

/// What fires on port 500 fires on every other, with a marker or without.
fn elsewhere() -> Vec<Scenario> {
    let zero = good().replacing(PayloadBuilder::ke(19, [0; 64]));
    let realm = good().with(security_realm(0x100));
    let des = MessageBuilder::offer(&strong_but(0, (1, 2, None)));
    let without = good().payloads.into_iter().filter(|payload| payload.kind != SA).collect();
    let without = MessageBuilder { payloads: without, ..good() };
    let marked = Flow { marker: true, ..Flow::OTHER };
    let one = |name, fires: &[u32], flow: Flow, message: &MessageBuilder| {
        Scenario::new(name, fires, vec![flow.request(message.build())])
    };
    vec![
        one("ke-zero-4500", &[7_296_252], Flow::NAT_T, &zero),
        one("ke-zero-other", &[7_296_252, 7_296_301], Flow::OTHER, &zero),
        one("ke-zero-other-marker", &[7_296_252, 7_296_301], marked, &zero),
        one("cve-2022-21849-4500", &[7_296_201, 7_296_200], Flow::NAT_T, &realm),
        one("cve-2022-21849-other", &[7_296_201, 7_296_200], Flow::OTHER, &realm),
        one("des-offered-4500", &[7_296_100], Flow::NAT_T, &des),
        one("des-offered-other", &[7_296_100], marked, &des),
        one("no-sa-4500", &[MISSING_PAYLOAD], Flow::NAT_T, &without),
        one("no-sa-other", &[MISSING_PAYLOAD], Flow::OTHER, &without),
    ]
}

/// A message on the way of a handshake: the server's if it is a response.
fn datagram(message: &MessageBuilder) -> FlowDatagram {
    let flow = if message.message_id == 0 { Flow::IKE } else { Flow::NAT_T };
    match message.flags & RESPONSE {
        0 => flow.request(message.build()),
        _ => flow.response(message.build()),
    }
}

fn datagrams(messages: &[MessageBuilder]) -> Vec<FlowDatagram> {
    messages.iter().map(datagram).collect()
}

/// A later message of the initiator, under encryption.
fn request(exchange: u8, message_id: u32, first: u8, length: usize) -> MessageBuilder {
    let payloads = vec![PayloadBuilder::encrypted(first, length)];
    MessageBuilder { message_id, ..MessageBuilder::later(exchange, payloads) }
}

/// A responder's answer to such a message.
fn response(exchange: u8, message_id: u32, first: u8, length: usize) -> MessageBuilder {
    request(exchange, message_id, first, length).answered()
}

/// IKE_SA_INIT, complete.
fn init() -> [MessageBuilder; 2] {
    [good(), MessageBuilder::choice(&STRONG)]
}

/// The sizes that one notify or delete, and nothing at all, have by AES-CBC with HMAC-SHA2-256:
/// initialization vector, one block and checksum; by AES-GCM they are exact.
const ALONE: usize = 16 + 16 + 16;
const DELETE_BY_GCM: usize = 8 + 9 + 16;
const NOTHING_BY_GCM: usize = 8 + 1 + 16;

/// A handshake that succeeds.
fn handshake() -> Vec<MessageBuilder> {
    let auth = [request(IKE_AUTH, 1, IDI, 256), response(IKE_AUTH, 1, IDR, 208)];
    [init(), auth].concat()
}

/// A handshake that the responder ends: it refuses the initiator.
fn refusal() -> Vec<MessageBuilder> {
    let auth = [request(IKE_AUTH, 1, IDI, 256), response(IKE_AUTH, 1, NOTIFY, ALONE)];
    [init(), auth].concat()
}

/// The same conversation for many SAs.
fn repeated(messages: &[MessageBuilder], sas: u16) -> Vec<MessageBuilder> {
    let of_sa = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let change = move |mut spi: [u8; 8]| {
            if spi != [0; 8] {
                (spi[6], spi[7]) = (high, low);
            }
            spi
        };
        let change = move |message: &MessageBuilder| MessageBuilder {
            init_spi: change(message.init_spi),
            resp_spi: change(message.resp_spi),
            ..message.clone()
        };
        messages.iter().map(change).collect::<Vec<_>>()
    };
    (0..sas).flat_map(of_sa).collect()
}

fn sequence(name: &'static str, fires: &[u32], messages: &[MessageBuilder]) -> Scenario {
    Scenario::new(name, fires, datagrams(messages))
}

/// The same with a timer's time between the datagrams.
fn timed(scenario: Scenario) -> Scenario {
    let datagrams = scenario.datagrams.into_iter().map(FlowDatagram::timed).collect();
    Scenario { datagrams, ..scenario }
}

/// A handshake, and what comes behind it.
fn behind(name: &'static str, fires: &[u32], messages: &[MessageBuilder]) -> Scenario {
    sequence(name, fires, &[&handshake(), messages].concat())
}

const OUT_OF_ORDER: u32 = 7_296_404;

/// What is wrong in the order of messages.
fn sequences() -> Vec<Scenario> {
    let other = good().replacing(PayloadBuilder::new(NONCE, noise(9, 32)));
    let [asked, answered] = init();
    let early =
        |exchange, first| [asked.clone(), answered.clone(), request(exchange, 1, first, 80)];
    let error = PayloadBuilder::notify(NO_PROPOSAL_CHOSEN, &[]);
    let refused = MessageBuilder { payloads: vec![error], ..MessageBuilder::choice(&STRONG) };
    let gcm = [AES_GCM_256, PRF_SHA2_384, ECP_256];
    let deleted = [
        MessageBuilder::offer(&gcm),
        MessageBuilder::choice(&gcm),
        request(IKE_AUTH, 1, IDI, 256),
        response(IKE_AUTH, 1, IDR, 208),
        request(INFORMATIONAL, 2, DELETE, DELETE_BY_GCM),
        response(INFORMATIONAL, 2, 0, NOTHING_BY_GCM),
        request(INFORMATIONAL, 3, 0, NOTHING_BY_GCM),
    ];
    let mut slow = datagrams(&handshake());
    slow[2] = slow[2].clone().after(12);
    let slow = Scenario::new("slow-handshake", &[7_296_435], slow);
    let check = |id| [request(INFORMATIONAL, id, 0, ALONE), response(INFORMATIONAL, id, 0, ALONE)];
    vec![
        timed(sequence("sent-twice", &[7_296_400], &[good(), good()])),
        sequence("sent-twice-changed", &[7_296_401], &[asked.clone(), answered.clone(), other]),
        behind("answer-to-nothing", &[7_296_402], &[response(INFORMATIONAL, 7, 0, ALONE)]),
        behind("gap", &[7_296_403], &check(9)),
        Scenario { quiet: SEQUENCES, ..behind("check", &[], &check(2)) },
        sequence("informational-early", &[OUT_OF_ORDER], &early(INFORMATIONAL, 0)),
        sequence("create-child-early", &[OUT_OF_ORDER], &early(CREATE_CHILD_SA, SA)),
        behind("auth-twice", &[7_296_405], &[request(IKE_AUTH, 2, IDI, 256)]),
        deleted_by_cbc(),
        sequence("after-delete", &[7_296_406], &deleted),
        Scenario { quiet: SEQUENCES, ..sequence("deleted", &[], &deleted[..6]) },
        Scenario { quiet: 7_296_408..7_296_500, ..sequence("refused", &[7_296_407], &refusal()) },
        sequence("no-proposal", &[7_296_408], &[good(), refused]),
        slow,
    ]
}

/// Choices and requests that do not fit what was offered.
fn negotiations() -> Vec<Scenario> {
    let none = MessageBuilder::choice(&[AES_GCM_256, PRF_SHA2_256, ECP_256]);
    let two = [1, 2].map(|number| ProposalBuilder { number, ..ProposalBuilder::for_ike(&STRONG) });
    let other_ke =
        |message: MessageBuilder| message.replacing(PayloadBuilder::ke(20, noise(1, 96)));
    let modp = [&STRONG[..], &[MODP_2048]].concat();
    let weaker = PayloadBuilder::notify(INVALID_KE_PAYLOAD, &14_u16.to_be_bytes());
    let weaker = MessageBuilder { payloads: vec![weaker], ..MessageBuilder::choice(&[]) };
    let unnamed = MessageBuilder { resp_spi: [0; 8], ..weaker.clone() };
    let ecp_384 = [&STRONG[..], &[ECP_384]].concat();
    let strong_first = other_ke(MessageBuilder::offer(&ecp_384));
    let agreed = |spi: u8, transforms: &[Transform], ke: &PayloadBuilder| {
        let of = |message: MessageBuilder| MessageBuilder { init_spi: [spi; 8], ..message };
        let ke = |message: MessageBuilder| of(message.replacing(ke.clone()));
        let mut messages =
            vec![ke(MessageBuilder::offer(transforms)), ke(MessageBuilder::choice(transforms))];
        messages.extend([request(IKE_AUTH, 1, IDI, 256), response(IKE_AUTH, 1, IDR, 208)].map(of));
        messages
    };
    let ecp = agreed(1, &strong_but(3, ECP_384), &PayloadBuilder::ke(20, noise(1, 96)));
    let less = agreed(2, &strong_but(3, MODP_2048), &PayloadBuilder::ke(14, noise(1, 256)));
    let retried = [
        strong_first.clone(),
        unnamed.clone(),
        MessageBuilder::offer(&strong_but(3, MODP_2048))
            .replacing(PayloadBuilder::ke(14, noise(1, 256))),
    ];
    vec![
        sequence("not-offered", &[7_296_414], &[good(), none]),
        sequence(
            "two-answered",
            &[7_296_013, 7_296_415],
            &[MessageBuilder::sa_init(&two), MessageBuilder::sa_init(&two).answered()],
        ),
        sequence("other-group", &[OTHER_METHOD], &[other_ke(good())]),
        sequence(
            "other-group-answered",
            &[OTHER_METHOD],
            &[MessageBuilder::offer(&ecp_384), other_ke(MessageBuilder::choice(&STRONG))],
        ),
        sequence("weaker-group", &[7_296_417], &[MessageBuilder::offer(&modp), unnamed]),
        sequence("weaker-retry", &[OTHER_METHOD, 7_296_417, 7_296_418], &retried),
        sequence("weaker-than-before", &[7_296_419], &[&ecp[..], &less[..]].concat()),
        sequence("stronger-than-before", &[], &[less, ecp].concat()),
    ]
}

/// A delete that by its size may be that of a child, and a request behind it that nobody
/// answers.
fn deleted_by_cbc() -> Scenario {
    let delete = [request(INFORMATIONAL, 2, DELETE, ALONE), response(INFORMATIONAL, 2, 0, ALONE)];
    let check = request(INFORMATIONAL, 3, 0, ALONE);
    let messages = [&handshake()[..], &delete, &[check.clone(), check]].concat();
    let mut datagrams = datagrams(&messages);
    datagrams[7] = datagrams[7].clone().after(11);
    Scenario::new("after-delete-by-cbc", &[7_296_400, 7_296_406], datagrams)
}

/// The sids of the rules about sequences.
const SEQUENCES: Range<u32> = 7_296_400..7_296_500;

/// Too much of something, and as a counterpart as much as is allowed.
fn pressure() -> Vec<Scenario> {
    let refusals = |count| repeated(&refusal(), count);
    let again = [&init()[..], &vec![request(IKE_AUTH, 1, IDI, 256); 51]].concat();
    let answers = [vec![good()], vec![MessageBuilder::choice(&STRONG); 11]].concat();
    vec![
        sequence("refused-4-times", &[7_296_407], &refusals(4)),
        sequence("refused-5-times", &[7_296_407, 7_296_430], &refusals(5)),
        sequence("refused-30-times", &[7_296_407, 7_296_430, 7_296_431], &refusals(30)),
        sequence("99-half-open", &[], &repeated(&[good()], 99)),
        sequence("100-half-open", &[7_296_305, 7_296_432, 7_296_436], &repeated(&[good()], 100)),
        timed(sequence("sent-50-times", &[7_296_400], &again[..again.len() - 1])),
        timed(sequence("sent-51-times", &[7_296_400, 7_296_433], &again)),
        timed(sequence("answered-10-times", &[7_296_400], &answers[..answers.len() - 1])),
        timed(sequence("answered-11-times", &[7_296_400, 7_296_434], &answers)),
        // Copies that a tap makes.
        sequence("copied-19-times", &[], &again[..again.len().min(20)]),
    ]
}

/// A fragment of the first request of IKE_AUTH.
fn part(number: u16, total: u16, seed: u32, length: usize) -> MessageBuilder {
    let next = if number == 1 { IDI } else { 0 };
    let fragment = PayloadBuilder::fragment_of(number, total, &noise(seed, length));
    MessageBuilder::later(IKE_AUTH, vec![PayloadBuilder { next, ..fragment }])
}

fn fragments() -> Vec<Scenario> {
    let of = |name, fires: &[u32], parts: &[MessageBuilder]| {
        sequence(name, fires, &[&init()[..], parts].concat())
    };
    let late = [init().to_vec(), vec![part(1, 2, 1, 400), part(1, 2, 1, 400)]].concat();
    let mut late = datagrams(&late);
    late[3] = late[3].clone().after(31);
    let tiny: Vec<_> = (1..=16).map(|number| part(number, 16, number.into(), 64)).collect();
    let whole: Vec<_> = (1..=15).map(|number| part(number, 15, number.into(), 64)).collect();
    let opened = [&init()[..], &[part(1, 2, 1, 400)]].concat();
    let two = [part(1, 2, 1, 400), part(2, 2, 2, 200)];
    let mixed = [two[0].clone(), request(IKE_AUTH, 1, IDI, 256)];
    let changed = [1, 7, 8, 9].map(|seed| part(1, 2, seed, 400));
    vec![
        Scenario { quiet: SEQUENCES, ..of("two-fragments", &[], &two) },
        timed(of("fragment-twice", &[7_296_400], &[two[0].clone(), two[0].clone()])),
        of("fragment-changed", &[7_296_409], &[two[0].clone(), part(1, 2, 9, 400)]),
        of("fragment-total-changed", &[7_296_410], &[two[0].clone(), part(1, 3, 1, 400)]),
        of("fragment-and-whole", &[7_296_411], &mixed),
        of("fragment-0", &[7_296_261], &[part(0, 2, 1, 400)]),
        of("fragment-changed-twice", &[7_296_409], &changed[..3]),
        of("fragment-changed-3-times", &[7_296_409, 7_296_440], &changed),
        Scenario::new("fragment-late", &[7_296_412], late),
        of("300-fragments", &[7_296_413], &[part(1, 300, 1, 400)]),
        of("16-tiny-fragments", &[7_296_441], &tiny),
        of("15-tiny-fragments", &[], &whole),
        sequence("99-incomplete", &[], &repeated(&opened, 99)),
        sequence("100-incomplete", &[7_296_432, 7_296_436, 7_296_442], &repeated(&opened, 100)),
    ]
}

/// Handshakes whose hashes fit neither end's address, and messages of odd sizes.
fn translated() -> Vec<Scenario> {
    let notified = |message: MessageBuilder| {
        let hash = |kind, seed| PayloadBuilder::notify(kind, &noise(seed, 20));
        message.with(hash(NAT_DETECTION_SOURCE_IP, 5)).with(hash(NAT_DETECTION_DESTINATION_IP, 6))
    };
    let with = |name, fires: &[u32], length| {
        let mut messages = init().map(notified).to_vec();
        messages.push(request(IKE_AUTH, 1, IDI, length));
        sequence(name, fires, &messages)
    };
    // The header and that of the payload are 32 bytes.
    let large = 16_384 - 32;
    let direct = [&init()[..], &[request(IKE_AUTH, 1, IDI, large + 1)]].concat();
    let esp = |name, fires: &[u32], sizes: &[usize]| {
        let sent = |message: &MessageBuilder| match message.flags & RESPONSE {
            0 => Flow::NAT_T.request(message.build()),
            _ => Flow::NAT_T.response(message.build()),
        };
        let packets = sizes.iter().map(|size| Flow::NAT_T.esp(true, 0xc001_0203, *size));
        let check = request(INFORMATIONAL, 2, 0, ALONE);
        let datagrams = handshake().iter().map(sent).collect::<Vec<_>>();
        Scenario::new(
            name,
            fires,
            datagrams.into_iter().chain(packets).chain([sent(&check)]).collect(),
        )
    };
    vec![
        Scenario { quiet: SEQUENCES, ..esp("esp", &[], &[24, 100, 1400]) },
        esp("esp-too-small", &[7_296_420], &[20, 100]),
        esp("esp-odd", &[7_296_420], &[101]),
        esp("esp-99-too-large", &[7_296_420], &[9292; 99]),
        esp("esp-100-too-large", &[7_296_420, 7_296_452], &[9292; 100]),
        with("nat-small", &[7_296_451], 16),
        Scenario { quiet: SEQUENCES, ..with("nat-smallest", &[], 17) },
        Scenario { quiet: SEQUENCES, ..with("nat-largest", &[], large) },
        with("nat-large", &[7_296_450], large + 1),
        Scenario { quiet: SEQUENCES, ..sequence("large-without-nat", &[], &direct) },
    ]
}

/// Bytes that are IKEv2 by their header alone, on a port of DNS: no Length that fits and no
/// payload that ends. Nobody may take a flow on that.
fn unclaimed(message: &MessageBuilder, marker: bool) -> FlowDatagram {
    let mut bytes = message.build();
    bytes.truncate(LENGTH);
    bytes.extend([0; 4]);
    bytes.extend([0xff; 8]);
    Flow { client_port: 40_000, server_port: 53, marker }.request(bytes)
}

/// Messages that the plugin does not have, with the marker and without.
fn hidden() -> Vec<Scenario> {
    let begins = |exchange_type| MessageBuilder { exchange_type, ..good() };
    let later = |exchange_type: u8| MessageBuilder::later(exchange_type, vec![]);
    let minor = |message| MessageBuilder { version: 0x25, ..message };
    let messages = [
        (["hidden-sa-init", "hidden-sa-init-marker"], 7_296_600, begins(IKE_SA_INIT)),
        (["hidden-answer", "hidden-answer-marker"], 7_296_602, begins(IKE_SA_INIT).answered()),
        (["hidden-resume", "hidden-resume-marker"], 7_296_604, begins(38)),
        (["hidden-resumed", "hidden-resumed-marker"], 7_296_606, begins(38).answered()),
        (["hidden-minor", "hidden-minor-marker"], 7_296_608, minor(begins(IKE_SA_INIT))),
        (["hidden-auth", "hidden-auth-marker"], 7_296_620, later(IKE_AUTH)),
        (["hidden-child", "hidden-child-marker"], 7_296_622, later(CREATE_CHILD_SA)),
        (["hidden-info", "hidden-info-marker"], 7_296_624, later(INFORMATIONAL).answered()),
        (["hidden-gsa-auth", "hidden-gsa-auth-marker"], 7_296_626, later(39)),
        (["hidden-gsa-reg", "hidden-gsa-reg-marker"], 7_296_628, later(40)),
        (["hidden-gsa-rekey", "hidden-gsa-rekey-marker"], 7_296_630, later(41)),
        (["hidden-intermediate", "hidden-intermediate-marker"], 7_296_632, later(43)),
        (["hidden-followup", "hidden-followup-marker"], 7_296_634, later(44)),
        (["hidden-later-minor", "hidden-later-minor-marker"], 7_296_650, minor(later(44))),
    ];
    let scenarios = messages.into_iter().flat_map(|(names, sid, message)| {
        [false, true].map(|marker| {
            let (place, datagram) = (usize::from(marker), unclaimed(&message, marker));
            Scenario::new(names[place], &[sid + u32::from(marker)], vec![datagram])
        })
    });
    scenarios.chain([not_hidden()]).collect()
}

/// What no peer answers, in flows that nobody has.
fn not_hidden() -> Scenario {
    let messages = [
        MessageBuilder { resp_spi: [7; 8], ..good() },
        MessageBuilder { message_id: 1, ..good() },
        MessageBuilder { version: 0x10, ..good() },
        MessageBuilder { version: 0x30, ..good() },
        MessageBuilder { exchange_type: 33, ..good() },
        MessageBuilder { resp_spi: [0; 8], ..MessageBuilder::later(IKE_AUTH, vec![]) },
        MessageBuilder { message_id: 256, ..MessageBuilder::later(INFORMATIONAL, vec![]) },
        MessageBuilder {
            version: 0x21,
            message_id: 16,
            ..MessageBuilder::later(INFORMATIONAL, vec![])
        },
    ];
    let both = messages.iter().flat_map(|one| [false, true].map(|marker| unclaimed(one, marker)));
    Scenario::new("not-hidden", &[], both.collect())
}
