//! Messages for tests: a builder that can also build wrong ones, samples, and a
//! walk that touches everything a parser offers.

use super::*;

/// The initiator's SPI in every built message.
pub(crate) const INIT_SPI: [u8; 8] = [0xa1, 2, 3, 4, 5, 6, 7, 8];
/// The responder's SPI, where there is one.
pub(crate) const RESP_SPI: [u8; 8] = [0xb1, 2, 3, 4, 5, 6, 7, 8];

/// Builds one IKE message.
#[derive(Clone)]
pub(crate) struct MessageBuilder {
    header: Header,
    length: Option<u32>,
    last_next: PayloadType,
    payloads: Vec<(PayloadType, bool, Vec<u8>)>,
}

impl MessageBuilder {
    /// A request of the initiator.
    pub(crate) fn request(exchange_type: ExchangeType) -> Self {
        let first = exchange_type == ExchangeType::IKE_SA_INIT;
        Self {
            header: Header {
                init_spi: INIT_SPI,
                resp_spi: if first { [0; 8] } else { RESP_SPI },
                next_payload: PayloadType::NONE,
                version: Version(0x20),
                exchange_type,
                flags: Flags(Flags::INITIATOR),
                message_id: u32::from(!first),
                length: 0,
            },
            length: None,
            last_next: PayloadType::NONE,
            payloads: Vec::new(),
        }
    }

    /// The answer to [`request`](Self::request).
    pub(crate) fn response(exchange_type: ExchangeType) -> Self {
        let mut builder = Self::request(exchange_type);
        builder.header.resp_spi = RESP_SPI;
        builder.header.flags = Flags(Flags::RESPONSE);
        builder
    }

    /// Changes the header; `length` and `next_payload` are filled in later.
    pub(crate) fn header(mut self, change: impl FnOnce(&mut Header)) -> Self {
        change(&mut self.header);
        self
    }

    /// Makes the header's length lie.
    pub(crate) fn length(mut self, length: u32) -> Self {
        self.length = Some(length);
        self
    }

    /// The Next Payload field of the last payload.
    pub(crate) fn last_next(mut self, next: PayloadType) -> Self {
        self.last_next = next;
        self
    }

    /// Adds a payload.
    pub(crate) fn payload(mut self, kind: PayloadType, body: impl Into<Vec<u8>>) -> Self {
        self.payloads.push((kind, false, body.into()));
        self
    }

    /// Adds a payload with the Critical bit.
    pub(crate) fn critical(mut self, kind: PayloadType, body: impl Into<Vec<u8>>) -> Self {
        self.payloads.push((kind, true, body.into()));
        self
    }

    /// The bytes of the message.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut kinds = self.payloads.iter().map(|(kind, ..)| *kind);
        let first = kinds.next().unwrap_or(PayloadType::NONE);
        let mut body = Vec::new();
        for (_, critical, data) in &self.payloads {
            let next = kinds.next().unwrap_or(self.last_next);
            body.extend([next.0, u8::from(*critical) << 7]);
            body.extend((data.len() as u16 + 4).to_be_bytes());
            body.extend(data);
        }
        let length = self.length.unwrap_or((HEADER_LEN + body.len()) as u32);
        let mut bytes = header_bytes(&Header { next_payload: first, length, ..self.header });
        bytes.extend(body);
        bytes
    }
}

/// A header as bytes.
pub(crate) fn header_bytes(header: &Header) -> Vec<u8> {
    let mut bytes = [header.init_spi, header.resp_spi].concat();
    bytes.extend([header.next_payload.0, header.version.0, header.exchange_type.0, header.flags.0]);
    bytes.extend(header.message_id.to_be_bytes());
    bytes.extend(header.length.to_be_bytes());
    bytes
}

/// A transform as bytes, not yet knowing whether another one follows.
pub(crate) fn transform(kind: TransformType, id: u16, key_length: Option<u16>) -> Vec<u8> {
    let mut attributes = Vec::new();
    if let Some(bits) = key_length {
        attributes.extend([0x80, 14]);
        attributes.extend(bits.to_be_bytes());
    }
    let mut bytes = vec![3, 0];
    bytes.extend((attributes.len() as u16 + 8).to_be_bytes());
    bytes.extend([kind.0, 0]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(attributes);
    bytes
}

/// A proposal as bytes, not yet knowing whether another one follows.
pub(crate) fn proposal(
    number: u8,
    protocol: Protocol,
    spi: &[u8],
    transforms: &[Vec<u8>],
) -> Vec<u8> {
    let mut transforms = transforms.to_vec();
    if let Some(last) = transforms.last_mut() {
        last[0] = 0;
    }
    let count = transforms.len() as u8;
    let transforms = transforms.concat();
    let mut bytes = vec![2, 0];
    bytes.extend((8 + spi.len() as u16 + transforms.len() as u16).to_be_bytes());
    bytes.extend([number, protocol.0, spi.len() as u8, count]);
    bytes.extend(spi);
    bytes.extend(transforms);
    bytes
}

/// The body of an SA payload with correct Last Substruc fields.
pub(crate) fn sa_body(proposals: &[Vec<u8>]) -> Vec<u8> {
    let mut proposals = proposals.to_vec();
    if let Some(last) = proposals.last_mut() {
        last[0] = 0;
    }
    proposals.concat()
}

/// The body of a Notify payload without SPI.
pub(crate) fn notify_body(kind: NotifyType, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(kind.0.to_be_bytes());
    bytes.extend(data);
    bytes
}

/// A common set of transforms for an IKE SA: AES-CBC-256, HMAC-SHA2-256 and one
/// key exchange method.
pub(crate) fn transforms(method: KeyExchangeMethod) -> Vec<Vec<u8>> {
    vec![
        transform(TransformType::ENCR, Encr::ENCR_AES_CBC.0, Some(256)),
        transform(TransformType::PRF, Prf::PRF_HMAC_SHA2_256.0, None),
        transform(TransformType::INTEG, Integ::AUTH_HMAC_SHA2_256_128.0, None),
        transform(TransformType::KE, method.0, None),
    ]
}

/// An IKE_SA_INIT request with two proposals and the usual payloads.
pub(crate) fn sa_init() -> MessageBuilder {
    let proposals = [
        proposal(1, Protocol::IKE, &[], &transforms(KeyExchangeMethod::CURVE25519)),
        proposal(2, Protocol::IKE, &[], &transforms(KeyExchangeMethod::MODP_2048)),
    ];
    let mut ke = vec![0, 31, 0, 0];
    ke.extend([0x55; 32]);
    MessageBuilder::request(ExchangeType::IKE_SA_INIT)
        .payload(PayloadType::SA, sa_body(&proposals))
        .payload(PayloadType::KE, ke)
        .payload(PayloadType::NONCE, [0x77; 32])
        .payload(PayloadType::NOTIFY, notify_body(NotifyType::NAT_DETECTION_SOURCE_IP, &[1; 20]))
        .payload(
            PayloadType::NOTIFY,
            notify_body(NotifyType::SIGNATURE_HASH_ALGORITHMS, &[0, 1, 0, 2]),
        )
        .payload(PayloadType::VENDOR_ID, *b"strongSwan")
}

/// One message with a payload of every type that has a parser, as the inside of
/// an Encrypted payload might have them.
pub(crate) fn everything() -> MessageBuilder {
    let ts = [&[1, 0, 0, 0, 7, 0, 0, 16, 0, 0, 255, 255][..], &[10, 0, 0, 1, 10, 0, 0, 9]].concat();
    sa_init()
        .payload(PayloadType::IDI, *b"\x02\0\0\0gw.example")
        .payload(PayloadType::IDR, [1, 0, 0, 0, 10, 0, 0, 1])
        .payload(PayloadType::CERT, [4, 0x30, 0x03])
        .payload(PayloadType::CERTREQ, [4; 21])
        .payload(PayloadType::AUTH, [2, 0, 0, 0, 9, 9, 9])
        .payload(PayloadType::DELETE, [3, 4, 0, 1, 1, 2, 3, 4])
        .payload(PayloadType::TSI, ts.clone())
        .payload(PayloadType::TSR, ts)
        .payload(PayloadType::CP, [1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 4, 9, 9, 9, 9])
        .payload(PayloadType::EAP, *b"\x02\x07\x00\x0a\x01alice")
        .payload(PayloadType::PS, [1, 2, 3])
        .payload(PayloadType(200), [1, 2, 3])
        .payload(PayloadType::SKF, [0, 1, 0, 3, 1, 2, 3, 4])
}

/// Looks at everything in a message and returns the number of items met and of
/// faults among them.
pub(crate) fn walk(bytes: &[u8]) -> (usize, usize) {
    let mut tally = WalkTally::default();
    let Ok(message) = RawMessage::parse(bytes) else {
        return (1, 1);
    };
    tally.fault(message.version_error());
    tally.fault(message.length_error());
    for payload in message.payloads() {
        if let Some(payload) = tally.note(payload) {
            walk_body(&payload, &mut tally);
        }
    }
    (tally.items, tally.faults)
}

#[derive(Default)]
struct WalkTally {
    items: usize,
    faults: usize,
}

impl WalkTally {
    fn note<T>(&mut self, result: Result<T, ParseError>) -> Option<T> {
        self.items += 1;
        let value = result.inspect_err(|error| assert!(!error.to_string().is_empty()));
        self.faults += usize::from(value.is_err());
        value.ok()
    }

    fn all<T>(&mut self, items: impl Iterator<Item = Result<T, ParseError>>) {
        for item in items {
            self.note(item);
        }
    }

    fn fault(&mut self, error: Option<ParseError>) {
        self.faults += usize::from(error.is_some());
    }
}

fn walk_body(payload: &Payload<'_>, tally: &mut WalkTally) {
    let (body, at) = (payload.body, payload.body_offset());
    match payload.kind {
        PayloadType::SA => walk_proposals(Proposals::new(body, at), tally),
        PayloadType::KE => drop(tally.note(KeyExchange::parse(body, at))),
        PayloadType::NONCE => drop(tally.note(Nonce::parse(body, at))),
        PayloadType::VENDOR_ID => drop(tally.note(VendorId::parse(body, at))),
        PayloadType::CERT => drop(tally.note(Certificate::parse(body, at))),
        PayloadType::AUTH => {
            let auth = tally.note(Authentication::parse(body, at));
            tally.fault(auth.and_then(|auth| auth.fault(at)));
        }
        PayloadType::EAP => {
            let eap = tally.note(Eap::parse(body, at));
            tally.fault(eap.and_then(|eap| eap.fault));
        }
        PayloadType::PS => drop(tally.note(PuzzleSolution::parse(body, at))),
        PayloadType::SK => drop(tally.note(Encrypted::parse(payload))),
        PayloadType::NOTIFY => {
            if let Some(notify) = tally.note(Notify::parse(body, at)) {
                tally.note(notify.known());
            }
        }
        PayloadType::DELETE => {
            let delete = tally.note(Delete::parse(body, at));
            tally.items += delete.map_or(0, |delete| delete.spis().count());
        }
        PayloadType::IDI | PayloadType::IDR | PayloadType::IDG => {
            let id = tally.note(Identification::parse(body, at));
            tally.fault(id.and_then(|id| id.fault(at)));
        }
        PayloadType::CERTREQ => {
            let request = tally.note(CertificateRequest::parse(body, at));
            tally.items += request.map_or(0, |request| request.hashes().count());
            tally.fault(request.and_then(|request| request.fault(at)));
        }
        PayloadType::TSI | PayloadType::TSR => {
            if let Some(ts) = tally.note(TrafficSelectors::parse(body, at)) {
                tally.fault(ts.fault());
                tally.all(ts.selectors());
            }
        }
        PayloadType::CP => {
            if let Some(cp) = tally.note(Configuration::parse(body, at)) {
                tally.fault(cp.fault());
                tally.all(cp.attributes());
            }
        }
        PayloadType::SKF => {
            let fragment = tally.note(Fragment::parse(payload));
            tally.items += usize::from(fragment.is_some_and(|fragment| fragment.is_valid()));
        }
        _ => {}
    }
}

fn walk_proposals(proposals: Proposals<'_>, tally: &mut WalkTally) {
    for proposal in proposals {
        let Some(proposal) = tally.note(proposal) else {
            continue;
        };
        for transform in proposal.transforms() {
            if let Some(transform) = tally.note(transform) {
                tally.all(transform.attributes());
            }
        }
    }
}
