//! Messages for tests that need some message, or one with everything in it.

use crate::message::{notify_body, MessageBuilder};
use crate::proposal::{proposal, sa_body, transform};
use crate::registry::{
    AUTH, CERT, CERTREQ, CP, DELETE, EAP, FOR_IKE, IDI, IDR, IKE_SA_INIT, KE,
    NAT_DETECTION_SOURCE_IP, NONCE, NOTIFY, PS, SA, SIGNATURE_HASH_ALGORITHMS, SKF, TSI, TSR,
    UNASSIGNED_PAYLOAD, VENDOR_ID,
};

/// A common set of transforms for an IKE SA: AES-CBC-256, HMAC-SHA2-256 and one key exchange
/// method.
pub fn transforms(method: impl Into<u16>) -> Vec<Vec<u8>> {
    vec![
        transform(1, 12, Some(256)),
        transform(2, 5, None),
        transform(3, 12, None),
        transform(4, method.into(), None),
    ]
}

/// An IKE_SA_INIT request with two proposals and the usual payloads.
pub fn sa_init() -> MessageBuilder {
    let proposals = [
        proposal(1, FOR_IKE, &[], &transforms(31_u16)),
        proposal(2, FOR_IKE, &[], &transforms(14_u16)),
    ];
    MessageBuilder::request(IKE_SA_INIT)
        .payload(SA, sa_body(&proposals))
        .payload(KE, [&[0, 31, 0, 0], &[0x55; 32][..]].concat())
        .payload(NONCE, [0x77; 32])
        .payload(NOTIFY, notify_body(NAT_DETECTION_SOURCE_IP, &[1; 20]))
        .payload(NOTIFY, notify_body(SIGNATURE_HASH_ALGORITHMS, &[0, 1, 0, 2]))
        .payload(VENDOR_ID, *b"strongSwan")
}

/// One message with a payload of every type that has a parser, as a decrypted message might
/// have them.
pub fn everything() -> MessageBuilder {
    let ts = [&[1, 0, 0, 0, 7, 0, 0, 16, 0, 0, 255, 255][..], &[10, 0, 0, 1, 10, 0, 0, 9]].concat();
    sa_init()
        .payload(IDI, *b"\x02\0\0\0gw.example")
        .payload(IDR, [1, 0, 0, 0, 10, 0, 0, 1])
        .payload(CERT, [4, 0x30, 0x03])
        .payload(CERTREQ, [4; 21])
        .payload(AUTH, [2, 0, 0, 0, 9, 9, 9])
        .payload(DELETE, [3, 4, 0, 1, 1, 2, 3, 4])
        .payload(TSI, ts.clone())
        .payload(TSR, ts)
        .payload(CP, [1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 4, 9, 9, 9, 9])
        .payload(EAP, *b"\x02\x07\x00\x0a\x01alice")
        .payload(PS, [1, 2, 3])
        .payload(UNASSIGNED_PAYLOAD, [1, 2, 3])
        .payload(SKF, [0, 1, 0, 3, 1, 2, 3, 4])
}
