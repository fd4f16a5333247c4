//! Passive fingerprints of the two messages of an IKE_SA_INIT exchange.
//!
//! A fingerprint contains what the implementation and its configuration decide. It does not
//! contain what is random, or what depends on addresses or retries. `docs/fingerprint.md` has
//! the grammar, an example, and the reason for each omission.

use core::cell::RefCell;

use sha2::{Digest, Sha256};

use super::Message;
use crate::cache::Cache;
use crate::digits::{self, Digits};
use crate::proposal::{Proposal, ProposalSet, Transform};
use crate::wire::registry::{AttributeType, ExchangeType, NotifyType, PayloadType, TransformType};
use crate::wire::sa::{Attribute, AttributeValue, Proposals, RawTransform};
use crate::wire::{Notify, Payload, Protocol};

/// The number of bytes of a vendor ID in a fingerprint: a digest of 16 bytes and a version of
/// 4, or a digest of 20. Later bytes may be the date of a build or a name.
pub const VENDOR_ID_BYTES: usize = 20;

/// The maximum number of transforms in a fingerprint. No peer offers so many. Without this
/// limit a sender could make each message expensive to hash.
pub const MAX_TRANSFORMS: usize = 256;

/// The maximum number of payloads in a fingerprint, for the same reason.
pub const MAX_PAYLOADS: usize = 64;

/// The usual number of bytes in a fingerprint.
const USUAL_LENGTH: usize = 512;

/// The number of characters in a hash.
pub const HASH_LENGTH: usize = 32;

thread_local! {
    static HASHES: RefCell<Cache<[u8; HASH_LENGTH]>> = RefCell::default();
}

/// The fingerprint of an implementation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The readable form.
    pub string: String,
    /// The hash of the readable form, as lower-case hex digits.
    pub hash: [u8; HASH_LENGTH],
}

impl Fingerprint {
    /// The hash as bytes.
    pub fn bytes(&self) -> [u8; HASH_LENGTH / 2] {
        let digit = |digit: u8| (digit as char).to_digit(16).unwrap_or(0) as u8;
        core::array::from_fn(|at| digit(self.hash[2 * at]) << 4 | digit(self.hash[2 * at + 1]))
    }
}

/// The fingerprint of a message. None if [`string`] returns none.
pub fn of(message: &Message) -> Option<Fingerprint> {
    let string = string(message)?;
    let hash = known_hash(&string);
    Some(Fingerprint { string, hash })
}

/// The fingerprint of an IKE_SA_INIT message with proposals, as text. None for other messages,
/// such as a response that has only an error or a cookie.
pub fn string(message: &Message) -> Option<String> {
    let header =
        message.header.filter(|header| header.exchange_type == ExchangeType::IKE_SA_INIT)?;
    if !message.payloads.iter().any(|payload| payload.kind == PayloadType::SA) {
        return None;
    }
    let role = if header.flags.response() { b'r' } else { b'i' };
    let proposals = message.shared().and_then(|shared| shared.fingerprint.get());
    let out = Vec::with_capacity(USUAL_LENGTH + proposals.map_or(0, Vec::len));
    let mut writer = Writer { message, out, transforms: MAX_TRANSFORMS, source: false };
    writer.out.extend_from_slice(&[role, b'1', b':']);
    writer.out.hex(&[header.version.0]);
    writer.out.push(b'.');
    writer.out.hex(&[header.flags.0]);
    for entry in message.payloads.iter().take(MAX_PAYLOADS) {
        writer.payload(&message.payload(entry));
    }
    // The text is ASCII.
    String::from_utf8(writer.out).ok()
}

/// The first half of the SHA-256 hash of a fingerprint's text, as lower-case hex digits.
pub fn hash(string: &str) -> [u8; HASH_LENGTH] {
    digits::hex(&Sha256::digest(string.as_bytes()))
}

/// The same hash, from the cache if the text was seen before.
fn known_hash(string: &str) -> [u8; HASH_LENGTH] {
    let known = HASHES.with_borrow_mut(|it| it.get(0, string.as_bytes(), || hash(string)));
    known.unwrap_or_else(|| hash(string))
}

struct Writer<'a> {
    message: &'a Message,
    out: Vec<u8>,
    /// The number of transforms that may still be written.
    transforms: usize,
    /// Whether the previous item was a NAT_DETECTION_SOURCE_IP.
    source: bool,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, before: &str, number: impl Into<u64>) {
        self.text(before);
        self.out.decimal(number.into());
    }

    fn payload(&mut self, payload: &Payload<'_>) {
        if payload.kind == PayloadType::NOTIFY {
            return self.notify(payload);
        }
        // A retry with a cookie may have the solution of a puzzle (RFC 8019).
        if payload.kind == PayloadType::PS {
            return;
        }
        self.begin(payload);
        match payload.kind {
            PayloadType::SA => self.sa(payload),
            PayloadType::KE => self.text("ke"),
            PayloadType::NONCE => self.number("nonce=", payload.body.len() as u64),
            PayloadType::VENDOR_ID => self.vendor_id(payload.body),
            other => self.number("p", other.0),
        }
    }

    fn begin(&mut self, payload: &Payload<'_>) {
        self.source = false;
        self.text(if payload.critical { "/!" } else { "/" });
    }

    fn notify(&mut self, payload: &Payload<'_>) {
        let Ok(notify) = Notify::parse(payload.body, payload.body_offset()) else {
            self.begin(payload);
            return self.text("n?");
        };
        // A sender with several addresses sends one notify for each (RFC 7296, 2.23).
        let source = notify.kind == NotifyType::NAT_DETECTION_SOURCE_IP;
        if notify.kind == NotifyType::COOKIE || (source && self.source) {
            return;
        }
        self.begin(payload);
        self.source = source;
        let kind = match notify.kind {
            // A redirected peer sends this instead of the other notify (RFC 5685).
            NotifyType::REDIRECTED_FROM => NotifyType::REDIRECT_SUPPORTED,
            kind => kind,
        };
        self.number("n", kind.0);
        if notify.protocol.0 != 0 || !notify.spi.is_empty() {
            self.number(".", notify.protocol.0);
            self.number(".", notify.spi.len() as u64);
        }
        self.methods(&notify);
    }

    /// Writes the data of notifies that list the abilities of the sender.
    fn methods(&mut self, notify: &Notify<'_>) {
        let lists = [NotifyType::SIGNATURE_HASH_ALGORITHMS, NotifyType::SECURE_PASSWORD_METHODS];
        if !lists.contains(&notify.kind) {
            return;
        }
        let mut before = "=";
        for number in notify.data.chunks_exact(2) {
            self.number(before, u16::from_be_bytes([number[0], number[1]]));
            before = ".";
        }
    }

    fn vendor_id(&mut self, id: &[u8]) {
        self.text("v");
        self.out.hex(id.get(..VENDOR_ID_BYTES).unwrap_or(id));
        if id.len() > VENDOR_ID_BYTES {
            self.number(".", id.len() as u64);
        }
    }

    /// Writes the SA payload. Only if it is the only one, the derived values are shared.
    fn sa(&mut self, payload: &Payload<'_>) {
        let Some(shared) = self.message.shared() else { return self.proposals(payload) };
        if let Some(known) = shared.fingerprint.get() {
            return self.out.extend_from_slice(known);
        }
        let start = self.out.len();
        self.proposals(payload);
        shared.fingerprint.get_or_init(|| self.out.get(start..).unwrap_or(&[]).to_vec());
    }

    /// Writes the proposals of an SA payload. If a peer repeats its request with another key
    /// exchange method, it may move this method to the front of each proposal, and the
    /// proposals with this method to the front of the list. Therefore the proposals are sorted
    /// by their methods. Proposals with the same methods keep their order, which is the same
    /// in every retry.
    fn proposals(&mut self, payload: &Payload<'_>) {
        let mut texts = match self.decoded() {
            Some(set) => texts_of(set, &mut self.transforms),
            None => self.raw_texts(payload),
        };
        texts.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut before = "=";
        self.text("sa");
        for (_, text) in texts {
            self.text(before);
            self.out.extend_from_slice(&text);
            before = "+";
        }
    }
}

/// The methods of a proposal, and its text.
type SortableText = (Vec<u16>, Vec<u8>);

impl<'a> Writer<'a> {
    /// The decoded proposals, if they say all that a fingerprint has of the SA payload: it is
    /// the only one, and no transform has attributes other than Key Length.
    fn decoded(&self) -> Option<&'a ProposalSet> {
        let message = self.message;
        let is_only_one = message.decrypted.is_none()
            && message.payloads.iter().filter(|it| it.kind == PayloadType::SA).count() == 1;
        let is_plain = || message.proposals.proposals().iter().all(|proposal| proposal.plain);
        (is_only_one && is_plain()).then(|| &*message.proposals)
    }

    /// The texts of the proposals in the bytes of a payload.
    fn raw_texts(&mut self, payload: &Payload<'_>) -> Vec<SortableText> {
        let proposals = Proposals::new(payload.body, payload.body_offset());
        let mut texts = Vec::new();
        for proposal in proposals.filter_map(Result::ok) {
            let count = proposal.transform_count.into();
            let mut text = ProposalText::of(proposal.protocol, proposal.spi.len(), count);
            for transform in proposal.transforms().filter_map(Result::ok).take(self.transforms) {
                self.transforms -= 1;
                let RawTransform { kind, id, key_length, .. } = transform;
                let odd = (!transform.is_plain()).then_some(transform);
                text.add(Transform { kind, id, key_length }, odd);
            }
            texts.push(text.finish());
        }
        texts
    }
}

/// The texts of decoded proposals with at most `left` transforms.
fn texts_of(set: &ProposalSet, left: &mut usize) -> Vec<SortableText> {
    let text_of = |proposal: &Proposal| {
        let transforms = set.transforms(proposal);
        let transforms = transforms.get(..*left).unwrap_or(transforms);
        *left -= transforms.len();
        let mut text = ProposalText::of(proposal.protocol, proposal.spi.len(), transforms.len());
        transforms.iter().for_each(|transform| text.add(*transform, None));
        text.finish()
    };
    set.proposals().iter().map(text_of).collect()
}

/// The text of a proposal in progress.
struct ProposalText<'a> {
    text: Vec<u8>,
    /// The key exchange methods so far.
    methods: Vec<u16>,
    /// The type of the previous transform.
    kind: Option<TransformType>,
    /// The last key exchange transforms in a row. They are sorted before they are written.
    run: Vec<(Transform, Option<RawTransform<'a>>)>,
}

impl<'a> ProposalText<'a> {
    fn of(protocol: Protocol, spi_length: usize, count: usize) -> Self {
        // A transform needs a few digits, and most transforms have no attribute.
        let mut text = Vec::with_capacity(8 * (count + 1));
        text.decimal(protocol.0.into());
        text.push(b'.');
        text.decimal(spi_length as u64);
        Self { text, methods: Vec::new(), kind: None, run: Vec::new() }
    }

    /// Adds a transform. If it has attributes other than Key Length, `odd` has them.
    #[inline]
    fn add(&mut self, transform: Transform, odd: Option<RawTransform<'a>>) {
        let begins = self.kind.replace(transform.kind) != Some(transform.kind);
        if begins {
            self.write_run();
        }
        if transform.kind == TransformType::KE {
            self.methods.push(transform.id);
            self.run.push((transform, odd));
        } else {
            self.write(transform, odd, begins);
        }
    }

    fn write_run(&mut self) {
        if self.run.is_empty() {
            return;
        }
        let mut run = core::mem::take(&mut self.run);
        run.sort_by_key(|(transform, _)| transform.id);
        for (place, (transform, odd)) in run.iter().enumerate() {
            self.write(*transform, *odd, place == 0);
        }
        // Its memory is used again.
        run.clear();
        self.run = run;
    }

    #[inline]
    fn write(&mut self, transform: Transform, odd: Option<RawTransform<'_>>, begins: bool) {
        if begins {
            self.text.push(b',');
            self.text.decimal(transform.kind.0.into());
        }
        self.text.push(if begins { b'=' } else { b'.' });
        self.text.decimal(transform.id.into());
        match (odd, transform.key_length) {
            (Some(odd), _) => {
                odd.attributes().for_each(|it| write_attribute(it.ok(), &mut self.text));
            }
            (None, Some(bits)) => write_key_length(bits, &mut self.text),
            (None, None) => {}
        }
    }

    /// The key exchange methods in ascending order, and the text.
    fn finish(mut self) -> SortableText {
        self.write_run();
        self.methods.sort_unstable();
        (self.methods, self.text)
    }
}

#[inline]
fn write_key_length(bits: u16, text: &mut Vec<u8>) {
    match bits {
        128 => text.extend_from_slice(b"-128"),
        256 => text.extend_from_slice(b"-256"),
        _ => {
            text.push(b'-');
            text.decimal(bits.into());
        }
    }
}

fn write_attribute(attribute: Option<Attribute<'_>>, text: &mut Vec<u8>) {
    match attribute {
        Some(Attribute { kind: AttributeType::KEY_LENGTH, value: AttributeValue::Short(bits) }) => {
            write_key_length(bits, text);
        }
        Some(other) => {
            text.push(b'~');
            text.decimal(other.kind.0.into());
        }
        None => text.extend_from_slice(b"~?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::testing::decode;
    use crate::wire::registry::KeyExchangeMethod;
    use crate::wire::testing::{
        notify_body, proposal, sa_body, sa_init, transform, transforms, MessageBuilder,
    };

    const OFFER: &str = "sa=1.0,1=12-256,2=5,3=12,4=14+1.0,1=12-256,2=5,3=12,4=31";

    fn of(message: &MessageBuilder) -> Option<String> {
        string(&decode(&message.build()))
    }

    fn request() -> MessageBuilder {
        MessageBuilder::request(ExchangeType::IKE_SA_INIT)
    }

    fn offer(method: KeyExchangeMethod) -> Vec<u8> {
        sa_body(&[proposal(1, Protocol::IKE, &[], &transforms(method))])
    }

    /// The item of a message with an empty SA payload and this payload.
    fn item(kind: PayloadType, body: &[u8]) -> String {
        let text = of(&request().payload(PayloadType::SA, []).payload(kind, body)).unwrap();
        text.strip_prefix("i1:20.08/sa").unwrap().to_owned()
    }

    #[test]
    fn a_request() {
        let tail = "/ke/nonce=32/n16388/n16431=1.2/v7374726f6e675377616e";
        assert_eq!(of(&sa_init()), Some(format!("i1:20.08/{OFFER}{tail}")));
    }

    #[test]
    fn a_response_is_another_role() {
        let response = MessageBuilder::response(ExchangeType::IKE_SA_INIT)
            .payload(PayloadType::SA, offer(KeyExchangeMethod::MODP_2048))
            .payload(PayloadType::NONCE, [1; 20]);
        let expected = "r1:20.20/sa=1.0,1=12-256,2=5,3=12,4=14/nonce=20";
        assert_eq!(of(&response).as_deref(), Some(expected));
    }

    #[test]
    fn messages_without_proposals_and_other_exchanges_have_none() {
        let notify = notify_body(NotifyType::COOKIE, &[1; 20]);
        assert_eq!(of(&request().payload(PayloadType::NOTIFY, notify)), None);
        let rekeying = MessageBuilder::request(ExchangeType::CREATE_CHILD_SA)
            .payload(PayloadType::SA, offer(KeyExchangeMethod::MODP_2048));
        assert_eq!(of(&rekeying), None);
    }

    #[test]
    fn what_chance_decides_does_not_count() {
        let build = |byte: u8, group: u8, key: usize| {
            let sources = usize::from(byte % 3) + 1;
            let mut message = request().header(|header| header.init_spi = [byte; 8]);
            message = message
                .payload(PayloadType::SA, offer(KeyExchangeMethod::MODP_2048))
                .payload(PayloadType::KE, [&[0, group, 0, 0], &vec![byte; key][..]].concat())
                .payload(PayloadType::NONCE, [byte; 32]);
            for address in 0..sources {
                let data = [byte.wrapping_add(address as u8); 20];
                let body = notify_body(NotifyType::NAT_DETECTION_SOURCE_IP, &data);
                message = message.payload(PayloadType::NOTIFY, body);
            }
            let body = notify_body(NotifyType::NAT_DETECTION_DESTINATION_IP, &[byte; 20]);
            of(&message.payload(PayloadType::NOTIFY, body)).unwrap()
        };
        let first = build(1, 14, 256);
        assert!(first.ends_with("/ke/nonce=32/n16388/n16389"), "{first}");
        assert_eq!(first, build(2, 14, 256));
        assert_eq!(first, build(255, 31, 32));
    }

    #[test]
    fn a_cookie_and_a_puzzles_solution_are_left_out_wherever_they_are() {
        let base = request().payload(PayloadType::SA, offer(KeyExchangeMethod::MODP_2048));
        let cookie = notify_body(NotifyType::COOKIE, &[1; 64]);
        let retry = request()
            .payload(PayloadType::NOTIFY, cookie)
            .payload(PayloadType::SA, offer(KeyExchangeMethod::MODP_2048))
            .payload(PayloadType::PS, [7; 30]);
        assert_eq!(of(&base), of(&retry));
    }

    #[test]
    fn a_redirected_peer_is_the_same() {
        let first = item(PayloadType::NOTIFY, &notify_body(NotifyType::REDIRECT_SUPPORTED, &[]));
        let body = notify_body(NotifyType::REDIRECTED_FROM, &[1, 4, 192, 0, 2, 1]);
        assert_eq!(first, item(PayloadType::NOTIFY, &body));
    }

    #[test]
    fn methods_and_proposals_moved_to_the_front_for_a_retry_do_not_count() {
        let row = |encr, methods: [u16; 2]| {
            let mut rows = vec![transform(TransformType::ENCR, encr, None)];
            rows.extend(methods.map(|id| transform(TransformType::KE, id, None)));
            proposal(1, Protocol::IKE, &[], &rows)
        };
        let text = |proposals: &[Vec<u8>]| {
            of(&request().payload(PayloadType::SA, sa_body(proposals))).unwrap()
        };
        let first = text(&[row(12, [14, 19]), row(20, [14, 19]), row(13, [19, 20])]);
        assert_eq!(first, "i1:20.08/sa=1.0,1=12,4=14.19+1.0,1=20,4=14.19+1.0,1=13,4=19.20");
        assert_eq!(first, text(&[row(13, [20, 19]), row(12, [14, 19]), row(20, [14, 19])]));
        assert_ne!(first, text(&[row(20, [14, 19]), row(12, [14, 19]), row(13, [19, 20])]));
    }

    #[test]
    fn what_an_implementation_decides_counts() {
        let plain = of(&sa_init());
        let sa = offer(KeyExchangeMethod::MODP_2048);
        let others = [
            of(&sa_init().header(|header| header.version = 0x21)),
            of(&sa_init().header(|header| header.flags = 0x18)),
            of(&sa_init().critical(PayloadType::VENDOR_ID, [1])),
            of(&sa_init().payload(PayloadType::VENDOR_ID, [1])),
            of(&request()
                .payload(PayloadType::NONCE, [1; 32])
                .payload(PayloadType::SA, sa.clone())),
            of(&request()
                .payload(PayloadType::SA, sa.clone())
                .payload(PayloadType::NONCE, [1; 32])),
            of(&request().payload(PayloadType::SA, sa).payload(PayloadType::NONCE, [1; 33])),
        ];
        for (i, other) in others.iter().enumerate() {
            assert!(*other != plain && !others[..i].contains(other), "{i}");
        }
    }

    #[test]
    fn items_of_every_kind() {
        let notify = PayloadType::NOTIFY;
        assert_eq!(item(notify, &[1, 4, 0x40, 0x2e, 9, 9, 9, 9]), "/n16430.1.4");
        assert_eq!(item(notify, &[0, 0, 0x40, 0x2f]), "/n16431");
        assert_eq!(item(notify, &[0, 0, 0x40, 0x28, 0, 3, 0, 1]), "/n16424=3.1");
        assert_eq!(item(notify, &[0]), "/n?");
        assert_eq!(item(PayloadType::CERTREQ, &[4]), "/p38");
        assert_eq!(item(PayloadType(200), &[]), "/p200");
        assert_eq!(item(PayloadType::VENDOR_ID, &[]), "/v");
        let id = format!("/v{}", "2a".repeat(20));
        assert_eq!(item(PayloadType::VENDOR_ID, &[0x2a; 20]), id);
        assert_eq!(item(PayloadType::VENDOR_ID, &[0x2a; 40]), id + ".40");
    }

    #[test]
    fn attributes_that_are_no_plain_key_length_are_marked() {
        let with = |attributes: &[u8]| {
            let mut row = transform(TransformType::ENCR, 12, None);
            row.extend(attributes);
            row[3] += attributes.len() as u8;
            let body = sa_body(&[proposal(1, Protocol::IKE, &[], &[row])]);
            of(&request().payload(PayloadType::SA, body)).unwrap()
        };
        assert!(with(&[0x80, 14, 1, 0]).ends_with("1=12-256"));
        assert!(with(&[0, 14, 0, 2, 1, 0]).ends_with("1=12~14"));
        assert!(with(&[0x80, 18, 0, 1, 0x80, 14, 0, 128]).ends_with("1=12~18-128"));
        assert!(with(&[0x80]).ends_with("1=12~?"));
    }

    #[test]
    fn a_hash_is_half_a_sha_256() {
        assert_eq!(&hash(""), b"e3b0c44298fc1c149afbf4c8996fb924");
        assert_eq!(&hash("abc"), b"ba7816bf8f01cfea414140de5dae2223");
    }

    #[test]
    fn the_number_of_payloads_is_bounded() {
        let add = |message: MessageBuilder, _| message.payload(PayloadType::VENDOR_ID, *b"id");
        let text = of(&(0..100).fold(request().payload(PayloadType::SA, []), add)).unwrap();
        assert_eq!(text.matches("/v6964").count(), MAX_PAYLOADS - 1);
    }

    #[test]
    fn the_number_of_transforms_is_bounded() {
        let rows = vec![transform(TransformType::ENCR, 12, None); 255];
        let body =
            sa_body(&(1..=6).map(|i| proposal(i, Protocol::IKE, &[], &rows)).collect::<Vec<_>>());
        let text = of(&request().payload(PayloadType::SA, body)).unwrap();
        assert_eq!(text.matches("12").count(), MAX_TRANSFORMS);
    }
}
