//! Conversations that are encrypted, with the keys that open them: for what peers at hand
//! do not do.
//!
//! Encryption is NULL, so that nothing but a checksum has to be made. It is made here, with
//! none of the project's code.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::craft_message::{
    Datagram, Flow, Message, Payload, Proposal, FOR_AH, HEADER, IDI, IKE_AUTH, LENGTH, SA, SK,
};

const CERT: u8 = 37;
const AUTH: u8 = 39;
const TSI: u8 = 44;
const TSR: u8 = 45;
const EAP: u8 = 48;
const FOR_ESP: u8 = 3;

const RSA_1024_SHA1: &[u8] = include_bytes!("../certificates/rsa1024-sha1.der");
const RSA_2048_MD5: &[u8] = include_bytes!("../certificates/rsa2048-md5.der");
const P_192: &[u8] = include_bytes!("../certificates/p192-sha256.der");

/// The checksum of HMAC_SHA1_96 in bytes.
const CHECKSUM: usize = 12;

/// A conversation of one message, and the rules that need keys and fire on it, on or off by
/// default.
pub(crate) struct SealedScenario {
    pub(crate) name: &'static str,
    pub(crate) fires: &'static [u32],
    pub(crate) datagrams: Vec<Datagram>,
}

/// All of them, and the key table that opens them.
pub(crate) fn sealed_scenarios() -> (Vec<SealedScenario>, String) {
    let (mut scenarios, mut table) = (Vec::new(), String::new());
    for (number, (name, fires, from_initiator, inside)) in (1..).zip(messages()) {
        let message = seal(number, from_initiator, &inside);
        let datagram = match from_initiator {
            true => Flow::IKE.request(message),
            false => Flow::IKE.response(message),
        };
        scenarios.push(SealedScenario { name, fires, datagrams: vec![datagram] });
        table += &line(number);
    }
    (scenarios, table)
}

/// Name, rules, whether the initiator sends it, and what is inside.
type Inside = (&'static str, &'static [u32], bool, Vec<Payload>);

fn messages() -> Vec<Inside> {
    let everything = [&[0, 0, 255, 255][..], &[0; 4], &[255; 4]].concat();
    let everything_v6 = [&[0, 0, 255, 255][..], &[0; 16], &[255; 16]].concat();
    let both = |kind, range: &[u8]| vec![selector(TSI, kind, range), selector(TSR, kind, range)];
    let certificate = |der: &[u8]| vec![Payload::new(CERT, [&[4], der].concat())];
    let child = |protocol, transforms: &[_]| {
        let transforms = transforms.to_vec();
        let proposals = [Proposal { number: 1, protocol, transforms }];
        vec![Message::of_sa(&proposals).payloads.into_iter().find(|it| it.kind == SA).expect("SA")]
    };
    let identity = |identity: &[u8]| {
        let length = u8::try_from(5 + identity.len()).expect("it is short");
        vec![Payload::new(EAP, [&[2, 1, 0, length, 1], identity].concat())]
    };
    let fetched =
        |url: &str| vec![Payload::new(CERT, [&[12], &[7; 20][..], url.as_bytes()].concat())];
    let sha1_signature =
        [&[14, 0, 0, 0, 13, 0x30, 11, 6, 9][..], &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 5]];
    vec![
        ("any to any", &[7_296_510, 7_296_512], false, both(7, &everything)),
        ("any to any, IPv6", &[7_296_511, 7_296_512], false, both(8, &everything_v6)),
        ("asks for any to any", &[], true, both(7, &everything)),
        ("identity", &[7_296_520], true, vec![Payload::new(IDI, b"\x02\0\0\0somebody.example")]),
        ("RSA of 1024 bits", &[7_296_521, 7_296_530, 7_296_533], true, certificate(RSA_1024_SHA1)),
        ("signed with MD5", &[7_296_521, 7_296_532], true, certificate(RSA_2048_MD5)),
        ("curve of 192 bits", &[7_296_521, 7_296_531], false, certificate(P_192)),
        (
            "signature with SHA-1",
            &[7_296_534, 7_296_572],
            true,
            vec![Payload::new(AUTH, sha1_signature.concat())],
        ),
        ("method NULL", &[7_296_551], true, vec![Payload::new(AUTH, [13, 0, 0, 0, 1, 2, 3, 4])]),
        ("EAP-MD5", &[7_296_553], false, vec![Payload::new(EAP, [1, 1, 0, 7, 4, 1, 9])]),
        ("EAP-MD5 answered", &[], true, vec![Payload::new(EAP, [2, 1, 0, 7, 4, 1, 9])]),
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
        ("signature of RSA", &[7_296_571], true, vec![Payload::new(AUTH, [1, 0, 0, 0, 9, 9])]),
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
fn selector(payload: u8, kind: u8, range: &[u8]) -> Payload {
    let length = u16::try_from(4 + range.len()).expect("a selector is small").to_be_bytes();
    Payload::new(payload, [&[1, 0, 0, 0, kind, 0], &length[..], range].concat())
}

fn spis(number: u8) -> [[u8; 8]; 2] {
    [[0x51, 0, 0, 0, 0, 0, 0, number], [0x52, 0, 0, 0, 0, 0, 0, number]]
}

/// The integrity keys of both, initiator first.
fn keys(number: u8) -> [[u8; 20]; 2] {
    [[number; 20], [!number; 20]]
}

fn line(number: u8) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|it| format!("{it:02x}")).collect::<String>();
    let ([init, resp], [first, second]) = (spis(number), keys(number));
    let front = format!("{},{},,,\"NULL [RFC2410]\"", hex(&init), hex(&resp));
    format!("{front},{},{},\"HMAC_SHA1_96 [RFC2404]\"\n", hex(&first), hex(&second))
}

/// A message of IKE_AUTH with these payloads in SK: nothing is encrypted, no padding.
fn seal(number: u8, from_initiator: bool, inside: &[Payload]) -> Vec<u8> {
    let chain = Message { payloads: inside.to_vec(), ..Message::of_sa(&[]) }.bytes();
    let contents = [&chain[HEADER..], &[0], &[0; CHECKSUM]].concat();
    let sealed = Payload { inner: inside[0].kind, ..Payload::new(SK, contents) };
    let outer = Message::later(IKE_AUTH, vec![sealed]);
    let outer = if from_initiator { outer } else { outer.answered() };
    let [init_spi, resp_spi] = spis(number);
    let mut bytes = Message { init_spi, resp_spi, ..outer }.bytes();
    let end = bytes.len() - CHECKSUM;
    assert_eq!(bytes[LENGTH + 3], (bytes.len() % 256) as u8);
    let key = keys(number)[usize::from(!from_initiator)];
    let mac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes any key");
    let full = mac.chain_update(&bytes[..end]).finalize().into_bytes();
    bytes[end..].copy_from_slice(&full[..CHECKSUM]);
    bytes
}
