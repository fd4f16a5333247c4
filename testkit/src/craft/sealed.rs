//! Conversations that are encrypted, with the keys that open them: for what peers at hand
//! do not do.
//!
//! Encryption is NULL, so that nothing but a checksum has to be made.

use crate::flow::{Flow, FlowDatagram};
use crate::message::{MessageBuilder, PayloadBuilder};
use crate::proposal::{sa_body, ProposalBuilder};
use crate::registry::{AUTH, CERT, EAP, FOR_AH, FOR_ESP, IDI, IKE_AUTH, SA, TSI, TSR};
use crate::seal::{Keys, Suite};

const RSA_1024_SHA1: &[u8] = include_bytes!("../../../tests/certificates/rsa1024-sha1.der");
const RSA_2048_MD5: &[u8] = include_bytes!("../../../tests/certificates/rsa2048-md5.der");
const P_192: &[u8] = include_bytes!("../../../tests/certificates/p192-sha256.der");

const SUITE: Suite<'_> =
    Suite { encryption: "NULL [RFC2410]", integrity: "HMAC_SHA1_96 [RFC2404]" };

/// A conversation of one message, and the rules that need keys and fire on it.
pub struct SealedScenario {
    /// What is in the message.
    pub name: &'static str,
    /// The rules, on or off by default.
    pub fires: &'static [u32],
    /// The conversation.
    pub datagrams: Vec<FlowDatagram>,
}

/// All of them, and the key table that opens them.
pub fn sealed_scenarios() -> (Vec<SealedScenario>, String) {
    let (mut scenarios, mut table) = (Vec::new(), String::new());
    for (number, (name, fires, from_initiator, payloads)) in (1..).zip(messages()) {
        let message = seal(number, from_initiator, payloads);
        let datagram = match from_initiator {
            true => Flow::IKE.request(message),
            false => Flow::IKE.response(message),
        };
        scenarios.push(SealedScenario { name, fires, datagrams: vec![datagram] });
        let [first, second] = keys(number);
        table += &SUITE.line(spis(number), [&first, &second]);
        table += "\n";
    }
    (scenarios, table)
}

/// Name, rules, whether the initiator sends it, and its payloads.
type Contents = (&'static str, &'static [u32], bool, Vec<PayloadBuilder>);

fn messages() -> Vec<Contents> {
    let everything = [&[0, 0, 255, 255][..], &[0; 4], &[255; 4]].concat();
    let everything_v6 = [&[0, 0, 255, 255][..], &[0; 16], &[255; 16]].concat();
    let both = |kind, range: &[u8]| vec![selector(TSI, kind, range), selector(TSR, kind, range)];
    let certificate = |der: &[u8]| vec![PayloadBuilder::new(CERT, [&[4], der].concat())];
    let child = |protocol, transforms: &[_]| {
        let proposal = ProposalBuilder { protocol, ..ProposalBuilder::for_ike(transforms) };
        vec![PayloadBuilder::new(SA, sa_body(&[proposal.build()]))]
    };
    let identity = |identity: &[u8]| {
        let length = u8::try_from(5 + identity.len()).expect("it is short");
        vec![PayloadBuilder::new(EAP, [&[2, 1, 0, length, 1], identity].concat())]
    };
    let fetched =
        |url: &str| vec![PayloadBuilder::new(CERT, [&[12], &[7; 20][..], url.as_bytes()].concat())];
    let sha1_signature =
        [&[14, 0, 0, 0, 13, 0x30, 11, 6, 9][..], &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 5]];
    vec![
        ("any to any", &[7_296_510, 7_296_512], false, both(7, &everything)),
        ("any to any, IPv6", &[7_296_511, 7_296_512], false, both(8, &everything_v6)),
        ("asks for any to any", &[], true, both(7, &everything)),
        (
            "identity",
            &[7_296_520],
            true,
            vec![PayloadBuilder::new(IDI, b"\x02\0\0\0somebody.example")],
        ),
        ("RSA of 1024 bits", &[7_296_521, 7_296_530, 7_296_533], true, certificate(RSA_1024_SHA1)),
        ("signed with MD5", &[7_296_521, 7_296_532], true, certificate(RSA_2048_MD5)),
        ("curve of 192 bits", &[7_296_521, 7_296_531], false, certificate(P_192)),
        (
            "signature with SHA-1",
            &[7_296_534, 7_296_572],
            true,
            vec![PayloadBuilder::new(AUTH, sha1_signature.concat())],
        ),
        (
            "method NULL",
            &[7_296_551],
            true,
            vec![PayloadBuilder::new(AUTH, [13, 0, 0, 0, 1, 2, 3, 4])],
        ),
        ("EAP-MD5", &[7_296_553], false, vec![PayloadBuilder::new(EAP, [1, 1, 0, 7, 4, 1, 9])]),
        ("EAP-MD5 answered", &[], true, vec![PayloadBuilder::new(EAP, [2, 1, 0, 7, 4, 1, 9])]),
        (
            "child with 3DES",
            &[7_296_560],
            false,
            child(FOR_ESP, &[(1, 3, None), (3, 2, None), (5, 0, None)]),
        ),
        ("child with NULL", &[7_296_562], false, child(FOR_ESP, &[(1, 11, None), (3, 12, None)])),
        (
            "child with AES-GMAC",
            &[7_296_562],
            false,
            child(FOR_ESP, &[(1, 21, Some(128)), (5, 0, None)]),
        ),
        ("empty EAP identity", &[7_296_570], true, identity(b"")),
        ("EAP identity that becomes empty", &[7_296_570], true, identity(b"@#")),
        ("EAP identity that is empty but for its type", &[7_296_570], true, identity(b"keyid:#")),
        ("EAP identity", &[], true, identity(b"@example")),
        (
            "signature of RSA",
            &[7_296_571],
            true,
            vec![PayloadBuilder::new(AUTH, [1, 0, 0, 0, 9, 9])],
        ),
        (
            "certificate from this host",
            &[7_296_521, 7_296_573],
            true,
            fetched("http://localhost:8080/a"),
        ),
        (
            "certificate from a private address",
            &[7_296_521, 7_296_573],
            true,
            fetched("http://x@172.31.0.9/"),
        ),
        (
            "certificate from a loopback address",
            &[7_296_521, 7_296_573],
            true,
            fetched("HTTP://[::1]/a"),
        ),
        (
            "certificate from a mapped address",
            &[7_296_521, 7_296_573],
            true,
            fetched("http://[::ffff:10.0.0.1]:80/"),
        ),
        (
            "certificate from an address in hex",
            &[7_296_521, 7_296_573],
            true,
            fetched("http://0x7f000001/"),
        ),
        (
            "certificate from the metadata service",
            &[7_296_521, 7_296_573],
            true,
            fetched("http://169.254.169.254/latest"),
        ),
        (
            "certificate from elsewhere",
            &[7_296_521],
            true,
            fetched("http://10.example.com/172.16.0.1/localhost"),
        ),
        ("certificate from another address", &[7_296_521], true, fetched("http://192.0.2.10/cert")),
        ("child of AH", &[7_296_561], false, child(FOR_AH, &[(3, 12, None), (5, 0, None)])),
    ]
}

/// A payload with one traffic selector, for every protocol.
fn selector(payload: u8, kind: u8, range: &[u8]) -> PayloadBuilder {
    let length = u16::try_from(4 + range.len()).expect("a selector is small").to_be_bytes();
    PayloadBuilder::new(payload, [&[1, 0, 0, 0, kind, 0], &length[..], range].concat())
}

fn spis(number: u8) -> [[u8; 8]; 2] {
    [[0x51, 0, 0, 0, 0, 0, 0, number], [0x52, 0, 0, 0, 0, 0, 0, number]]
}

/// The keys of both, initiator first.
fn keys(number: u8) -> [Keys; 2] {
    [number, !number].map(|byte| Keys { encryption: vec![], integrity: vec![byte; 20] })
}

/// A message of IKE_AUTH with these payloads in SK: nothing is encrypted, no padding.
fn seal(number: u8, from_initiator: bool, payloads: Vec<PayloadBuilder>) -> Vec<u8> {
    let message = MessageBuilder::later(IKE_AUTH, payloads);
    let message = if from_initiator { message } else { message.answered() };
    let [init_spi, resp_spi] = spis(number);
    let [first, second] = keys(number);
    let keys = if from_initiator { first } else { second };
    SUITE.seal(&keys, &MessageBuilder { init_spi, resp_spi, ..message })
}
