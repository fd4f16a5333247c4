//! The decrypted payloads of a message, through the pipeline, its record and all keywords.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::message::{Direction, Message, PayloadEntry, Transport};
use suricata_ikev2::payload_text::{PayloadTexts, MAX_CERTIFICATES, MAX_TEXTS};
use suricata_ikev2::policy::Policy;
use suricata_ikev2::render::render;
use suricata_ikev2::render::JsonText;
use suricata_ikev2::tx::Transaction;
use suricata_ikev2::wire::registry::PayloadType;
use suricata_ikev2_fuzz::{invariants, memory};
use testkit::input::{self, Decrypted};

/// The most that a message may take: a part that is the same for all, and one that grows
/// with its length. The smallest parts of a certificate take the most for their bytes.
const FIXED: usize = 64 << 10;
const A_BYTE: usize = 128;

/// An empty payload SK, which cannot be opened: what is decrypted is given.
const SEALED: [u8; 4] = [0, 0, 0, 4];

fuzz_target!(|data: &[u8]| {
    let Some(decrypted) = input::decrypted(data) else { return };
    let message = decrypted.message(PayloadType::SK.0, &SEALED);
    let (tx, peak) = memory::peak_of(|| {
        let mut message = decode(&message);
        let first = PayloadType(decrypted.first);
        message.add_decrypted(first, decrypted.payloads, false, Policy::standard());
        let tx = Transaction::new(message, None);
        render(&tx, &mut JsonText::default());
        tx
    });
    let length = decrypted.payloads.len();
    assert!(peak <= FIXED + A_BYTE * length, "{peak} bytes for {length}");
    invariants::check(&tx);
    check_payloads(&tx, &decrypted);
    check_texts(tx.texts().expect("texts"), tx.message().decrypted_payloads());
});

fn decode(message: &[u8]) -> Message {
    let policy = Policy::standard();
    Message::decode(message, 0, Direction::ToServer, Transport::Udp500, policy)
}

/// Decrypted payloads are what they would be in clear.
fn check_payloads(tx: &Transaction, decrypted: &Decrypted<'_>) {
    assert_eq!(tx.message().outer_payloads().len(), 1);
    let plain = decode(&decrypted.message(decrypted.first, decrypted.payloads));
    assert_eq!(tx.message().decrypted_payloads().len(), plain.payloads.len());
    for (one, other) in tx.message().decrypted_payloads().iter().zip(&plain.payloads) {
        assert_eq!((one.kind, one.length), (other.kind, other.length));
        assert_eq!(tx.message().payload(one).body, plain.payload(other).body);
    }
}

fn check_texts(texts: &PayloadTexts, payloads: &[PayloadEntry]) {
    let count = |kind| payloads.iter().filter(|it| it.kind == kind).count();
    assert!(texts.certificates.len() <= MAX_CERTIFICATES.min(count(PayloadType::CERT)));
    assert!(texts.attributes.len() <= MAX_TEXTS * count(PayloadType::CP));
    for (selectors, kind) in texts.selectors.iter().zip([PayloadType::TSI, PayloadType::TSR]) {
        assert!(selectors.len() <= MAX_TEXTS * count(kind));
        for selector in selectors {
            check_text(&selector.text);
            assert!(selector.width.is_none_or(|width| width <= 128));
        }
    }
    texts.ids.iter().flatten().chain(&texts.signature).for_each(|text| check_text(text));
    texts.attributes.iter().for_each(|it| check_text(&it.value));
    for certificate in &texts.certificates {
        assert_eq!(certificate.sha256.len(), 64);
        certificate.url.iter().for_each(|url| check_text(url));
        if let Some(x509) = &certificate.x509 {
            let all = [&x509.subject, &x509.issuer, &x509.serial, &x509.key_type, &x509.signature];
            all.into_iter().chain(&x509.names).for_each(|text| check_text(text));
        }
    }
}

/// A text is one line that can be printed.
fn check_text(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
