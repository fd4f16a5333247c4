//! Faults in decrypted payloads are reported, and the fields are still shown.

use serde_json::Value;

use crate::message::testing::decode;
use crate::message::Event;
use crate::policy::Policy;
use crate::render::render;
use crate::render::JsonText;
use crate::tx::Transaction;
use crate::wire::registry::{
    Encr, ExchangeType, Integ, NotifyType, PayloadType, Protocol, TransformType,
};
use crate::wire::testing::{notify_body, proposal, sa_body, sa_init, transform, MessageBuilder};

/// A message of IKE_AUTH with one decrypted payload.
fn message_with(kind: PayloadType, body: &[u8]) -> Transaction {
    let message = MessageBuilder::request(ExchangeType::IKE_AUTH);
    let message = message.payload(PayloadType::SK, [0x5a; 40]).last_next(kind).build();
    let mut message = decode(&message);
    let length = u16::try_from(4 + body.len()).expect("a payload").to_be_bytes();
    let plaintext = [&[0, 0], &length[..], body].concat();
    message.add_decrypted(kind, &plaintext, false, Policy::standard());
    Transaction::new(message, None)
}

fn record(tx: &Transaction) -> Value {
    let mut text = JsonText::default();
    render(tx, &mut text);
    serde_json::from_slice(&[b"{", text.as_bytes(), b"}"].concat()).expect("JSON")
}

/// The decrypted part of the record, and the faulty field if there is one.
fn decrypted(kind: PayloadType, body: &[u8]) -> (Value, Option<String>) {
    let tx = message_with(kind, body);
    let record = record(&tx);
    let field = record["errors"][0]["field"].as_str().map(str::to_owned);
    assert_eq!(tx.message().events.contains(Event::MalformedPayload), field.is_some());
    assert_eq!(tx.message().events.contains(Event::MalformedData), field.is_some());
    (record["decrypted"].clone(), field)
}

fn fault(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or("")
}

#[test]
fn an_identity_of_a_wrong_length_is_shown() {
    for (kind, key) in [(PayloadType::IDI, "id_initiator"), (PayloadType::IDR, "id_responder")] {
        let (shown, field) = decrypted(kind, &[1, 0, 0, 0, 10, 0, 0, 1, 9]);
        assert_eq!(fault(&field), "Identification Data");
        assert_eq!(shown[key]["name"], "ID_IPV4_ADDR");
        assert_eq!(shown[key]["text"], "0a00000109");
        let (shown, field) = decrypted(kind, &[1, 0, 0, 0, 10, 0, 0, 1]);
        assert_eq!((shown[key]["text"].as_str(), field), (Some("10.0.0.1"), None));
    }
    let (shown, field) = decrypted(PayloadType::IDI, &[&[5, 0, 0, 0][..], &[1; 15]].concat());
    assert_eq!(
        (fault(&field), shown["id_initiator"]["type"].as_u64()),
        ("Identification Data", Some(5))
    );
}

#[test]
fn selectors_of_a_wrong_length_or_count_are_shown() {
    const SELECTOR: [u8; 16] = [7, 0, 0, 16, 0, 0, 255, 255, 10, 0, 0, 0, 10, 0, 0, 255];
    let text = "10.0.0.0-10.0.0.255 proto 0 ports 0-65535";
    for (kind, key) in [(PayloadType::TSI, "ts_initiator"), (PayloadType::TSR, "ts_responder")] {
        for length in [0, 3, 12, 17, 200] {
            let mut body = [&[1, 0, 0, 0][..], &SELECTOR].concat();
            body[7] = length;
            let (shown, field) = decrypted(kind, &body);
            assert_eq!((fault(&field), &shown[key][0]["text"]), ("Selector Length", &text.into()));
        }
        for count in [0, 2, 3] {
            let (shown, field) = decrypted(kind, &[&[count, 0, 0, 0][..], &SELECTOR].concat());
            assert_eq!((fault(&field), &shown[key][0]["text"]), ("Number of TSs", &text.into()));
        }
        let cut = [&[1, 0, 0, 0][..], &SELECTOR[..12]].concat();
        let (shown, field) = decrypted(kind, &cut);
        assert_eq!(fault(&field), "Selector Length");
        assert_eq!(shown[key][0]["text"], "10.0.0.0-? proto 0 ports 0-65535");
    }
}

#[test]
fn attributes_of_a_wrong_length_are_shown() {
    let attribute = |kind: u8, length: u8, value: &[u8]| {
        let body = [&[2, 0, 0, 0, 0, kind, 0, length][..], value].concat();
        let (shown, field) = decrypted(PayloadType::CP, &body);
        (shown["cp"]["attributes"][0]["value"].as_str().map(str::to_owned), field)
    };
    let (value, field) = attribute(1, 200, &[10, 0, 0, 1]);
    assert_eq!((value.as_deref(), fault(&field)), (Some("10.0.0.1"), "Length"));
    let (value, field) = attribute(1, 5, &[10, 0, 0, 1, 9]);
    assert_eq!((value.as_deref(), fault(&field)), (Some("0a00000109"), "Length"));
    let (value, field) = attribute(13, 4, &[10, 0, 0, 0]);
    assert_eq!((value.as_deref(), fault(&field)), (Some("0a000000"), "Length"));
    let (value, field) = attribute(1, 4, &[10, 0, 0, 1]);
    assert_eq!((value.as_deref(), field), (Some("10.0.0.1"), None));
}

#[test]
fn requests_for_certificates_have_whole_hashes() {
    let (shown, field) = decrypted(PayloadType::CERTREQ, &[&[4][..], &[7; 30]].concat());
    assert_eq!(fault(&field), "Certification Authority");
    assert_eq!(shown["certificate_requests"][0]["authorities"], 1);
    let (_, field) = decrypted(PayloadType::CERTREQ, &[&[4][..], &[7; 40]].concat());
    assert_eq!(field, None);
}

#[test]
fn a_signature_with_a_wrong_length_has_its_algorithm() {
    // The identifier of Ed25519, which has 7 bytes.
    let body =
        |length| [&[14, 0, 0, 0, length, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70][..], &[9; 64]].concat();
    for wrong in [8, 72, 255] {
        let (shown, field) = decrypted(PayloadType::AUTH, &body(wrong));
        assert_eq!(
            (fault(&field), &shown["auth"]["signature"]),
            ("ASN.1 Length", &"Ed25519".into())
        );
    }
    let (shown, field) = decrypted(PayloadType::AUTH, &body(7));
    assert_eq!((field, &shown["auth"]["signature"]), (None, &"Ed25519".into()));
}

#[test]
fn what_a_record_has_no_room_for_is_counted() {
    let (shown, _) = decrypted(PayloadType::AUTH, &[&[1, 0, 0, 0][..], &[9; 512]].concat());
    assert_eq!(shown["auth"]["data"].as_str().map(str::len), Some(512));
    assert_eq!(shown["auth"]["data_bytes"], 512);
    let (shown, _) = decrypted(PayloadType::AUTH, &[&[1, 0, 0, 0][..], &[9; 256]].concat());
    assert_eq!(shown["auth"]["data_bytes"], Value::Null);
    let notify = notify_body(NotifyType(16_500), &[7; 300]);
    let (shown, _) = decrypted(PayloadType::NOTIFY, &notify);
    assert_eq!(shown["notify"][0]["data_bytes"], 300);
    let (shown, _) = decrypted(PayloadType::VENDOR_ID, &[7; 300]);
    assert_eq!(shown["vendor_ids"][0]["hex_bytes"], 300);
}

#[test]
fn eap_that_ends_is_four_bytes() {
    for code in [3, 4] {
        let (shown, field) = decrypted(PayloadType::EAP, &[code, 1, 0, 5, 0]);
        assert_eq!((fault(&field), shown["eap"]["code"].as_u64()), ("Length", Some(code.into())));
        assert_eq!(decrypted(PayloadType::EAP, &[code, 1, 0, 4]).1, None);
    }
    let (shown, field) = decrypted(PayloadType::EAP, b"\x02\x07\x00\x20\x01alice");
    assert_eq!((fault(&field), &shown["eap"]["identity"]), ("Length", &"alice".into()));
}

#[test]
fn notifies_of_a_wrong_length_are_shown() {
    for (kind, data, field_at_fault) in [
        (NotifyType::COOKIE, &[7; 65][..], "Notification Data"),
        (NotifyType::COOKIE2, &[7; 65], "Notification Data"),
        (NotifyType::REDIRECT, &[1, 5, 10, 0, 0, 1, 9], "GW Ident Len"),
        (NotifyType::REDIRECT, &[2, 4, 10, 0, 0, 1], "GW Ident Len"),
        (NotifyType::REDIRECT, &[1, 200, 10, 0, 0, 1], "GW Ident Len"),
    ] {
        let (shown, field) = decrypted(PayloadType::NOTIFY, &notify_body(kind, data));
        assert_eq!(fault(&field), field_at_fault, "{kind}");
        assert_eq!(shown["notify"][0]["data"].as_str().map(str::len), Some(2 * data.len()));
    }
}

#[test]
fn spis_that_do_not_fit_are_shown() {
    for (count, spis) in [(3, 2), (1, 2)] {
        let (shown, field) =
            decrypted(PayloadType::DELETE, &[3, 4, 0, count, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(fault(&field), "Num of SPIs");
        assert_eq!(shown["delete"][0]["spis"].as_array().map(Vec::len), Some(spis));
    }
    let (shown, field) = decrypted(PayloadType::NOTIFY, &[3, 200, 0x40, 9, 1, 2, 3, 4]);
    assert_eq!(fault(&field), "SPI Size");
    assert_eq!(
        (&shown["notify"][0]["name"], &shown["notify"][0]["spi"]),
        (&"REKEY_SA".into(), &"01020304".into())
    );
}

#[test]
fn reserved_flags_are_shown() {
    let flags = |flags| {
        let message = sa_init().header(|h| h.flags = flags).build();
        record(&Transaction::new(decode(&message), None))["reserved_flags"].clone()
    };
    assert_eq!(flags(0x08), Value::Null);
    assert_eq!(flags(0x08 | 0x80 | 0x01), 0x81);
    assert_eq!(flags(0xff), 0xc7);
}

#[test]
fn a_child_that_does_not_encrypt_is_found() {
    let finds = |protocol, transforms: &[Vec<u8>]| {
        let body = sa_body(&[proposal(1, protocol, &[1, 2, 3, 4], transforms)]);
        message_with(PayloadType::SA, &body).message().events.contains(Event::NoEncryption)
    };
    let encr = |encr: Encr, bits| transform(TransformType::ENCR, encr.0, bits);
    let sha1 = transform(TransformType::INTEG, Integ::AUTH_HMAC_SHA1_96.0, None);
    let esn = transform(TransformType::SN, 0, None);
    for (found, cipher) in [
        (true, encr(Encr::ENCR_NULL, None)),
        (true, encr(Encr::ENCR_NULL_AUTH_AES_GMAC, Some(128))),
        (false, encr(Encr::ENCR_AES_CBC, Some(128))),
    ] {
        let transforms = [cipher, sha1.clone(), esn.clone()];
        assert_eq!(finds(Protocol::ESP, &transforms), found);
    }
    assert!(finds(Protocol::AH, &[sha1, esn]));
}
