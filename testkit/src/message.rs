//! IKE messages as bytes, built field by field.
//!
//! Nothing here keeps a test from building nonsense: every field can be set to what no peer
//! would send. Every byte follows from the caller, so a message is the same at every run.
//!
//! Numbers are plain ones. Where a function takes `impl Into<u8>` or `impl Into<u16>`, the
//! plugin's unit tests pass the types of its registries.

use crate::bytes::{length_16, length_32, noise};
use crate::proposal::{sa_body, ProposalBuilder, Transform};
use crate::registry::{IKE_SA_INIT, INITIATOR, KE, NONCE, NOTIFY, RESPONSE, SA, SK, SKF};

/// The initiator's SPI in every message, unless a test sets another.
pub const INIT_SPI: [u8; 8] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
/// The responder's SPI, where there is one.
pub const RESP_SPI: [u8; 8] = [0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00];

/// The bytes of the header.
pub const HEADER: usize = 28;
/// The offset of the header's Next Payload.
pub const NEXT_PAYLOAD: usize = 16;
/// The offset of the header's Version.
pub const VERSION: usize = 17;
/// The offset of the header's Flags.
pub const FLAGS: usize = 19;
/// The offset of the header's Length.
pub const LENGTH: usize = 24;

/// The four zero bytes before a message on port 4500.
pub const NON_ESP_MARKER: [u8; 4] = [0; 4];

/// A message behind the non-ESP marker.
pub fn marked(message: &[u8]) -> Vec<u8> {
    [&NON_ESP_MARKER, message].concat()
}

/// The body of a Notify payload about no SA.
pub fn notify_body(kind: impl Into<u16>, data: &[u8]) -> Vec<u8> {
    [&[0, 0], &kind.into().to_be_bytes()[..], data].concat()
}

/// A payload without its generic header, which follows from the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadBuilder {
    /// Its type.
    pub kind: u8,
    /// The Critical bit.
    pub critical: bool,
    /// What Next Payload names when no payload follows: of SK and SKF the first one that is
    /// encrypted.
    pub next: u8,
    /// What stands behind the generic header.
    pub body: Vec<u8>,
}

impl PayloadBuilder {
    /// A payload of this type with this body.
    pub fn new(kind: impl Into<u8>, body: impl Into<Vec<u8>>) -> Self {
        Self { kind: kind.into(), critical: false, next: 0, body: body.into() }
    }

    /// The same with the Critical bit.
    pub fn critical(kind: impl Into<u8>, body: impl Into<Vec<u8>>) -> Self {
        Self { critical: true, ..Self::new(kind, body) }
    }

    /// The key exchange of a method.
    pub fn ke(method: u16, data: impl AsRef<[u8]>) -> Self {
        Self::new(KE, [&method.to_be_bytes(), &[0, 0][..], data.as_ref()].concat())
    }

    /// A notify about no SA.
    pub fn notify(kind: u16, data: &[u8]) -> Self {
        Self::new(NOTIFY, notify_body(kind, data))
    }

    /// A fragment with 48 encrypted bytes.
    pub fn fragment(number: u16, total: u16) -> Self {
        Self::fragment_of(number, total, &noise(4, 48))
    }

    /// A fragment with these bytes, initialization vector to checksum.
    pub fn fragment_of(number: u16, total: u16, contents: &[u8]) -> Self {
        let numbers = [number, total].map(u16::to_be_bytes).concat();
        Self::new(SKF, [&numbers, contents].concat())
    }

    /// An encrypted payload with these bytes, initialization vector to checksum; `first` is
    /// the type of the first payload in it.
    pub fn sk(first: u8, contents: impl Into<Vec<u8>>) -> Self {
        Self { next: first, ..Self::new(SK, contents) }
    }

    /// An encrypted payload with so many bytes.
    pub fn encrypted(first: u8, length: usize) -> Self {
        Self::sk(first, noise(3, length))
    }
}

/// An IKE message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageBuilder {
    /// The initiator's SPI.
    pub init_spi: [u8; 8],
    /// The responder's SPI.
    pub resp_spi: [u8; 8],
    /// Major version in the high four bits, minor version in the low ones.
    pub version: u8,
    /// Exchange type.
    pub exchange_type: u8,
    /// All eight flags.
    pub flags: u8,
    /// Message ID.
    pub message_id: u32,
    /// The header's Length where it lies; otherwise it is that of the message.
    pub length: Option<u32>,
    /// The payloads in their order.
    pub payloads: Vec<PayloadBuilder>,
}

impl MessageBuilder {
    /// A request of the initiator without payloads: the first of IKE_SA_INIT, or one of
    /// another exchange behind it.
    pub fn request(exchange_type: impl Into<u8>) -> Self {
        let exchange_type = exchange_type.into();
        let is_first = exchange_type == IKE_SA_INIT;
        Self {
            init_spi: INIT_SPI,
            resp_spi: if is_first { [0; 8] } else { RESP_SPI },
            version: 0x20,
            exchange_type,
            flags: INITIATOR,
            message_id: u32::from(!is_first),
            length: None,
            payloads: Vec::new(),
        }
    }

    /// The response to [`request`](Self::request).
    pub fn response(exchange_type: impl Into<u8>) -> Self {
        Self::request(exchange_type).answered()
    }

    /// A request of IKE_SA_INIT: these proposals, a key of group 19 and a nonce.
    pub fn sa_init(proposals: &[ProposalBuilder]) -> Self {
        let proposals: Vec<_> = proposals.iter().map(ProposalBuilder::build).collect();
        Self::request(IKE_SA_INIT)
            .payload(SA, sa_body(&proposals))
            .with(PayloadBuilder::ke(19, noise(1, 64)))
            .payload(NONCE, noise(2, 32))
    }

    /// A request of IKE_SA_INIT with one proposal for IKE.
    pub fn offer(transforms: &[Transform]) -> Self {
        Self::sa_init(&[ProposalBuilder::for_ike(transforms)])
    }

    /// A response of IKE_SA_INIT with one proposal for IKE.
    pub fn choice(transforms: &[Transform]) -> Self {
        Self::offer(transforms).answered()
    }

    /// A request of a later exchange, with these payloads.
    pub fn later(exchange_type: impl Into<u8>, payloads: Vec<PayloadBuilder>) -> Self {
        Self { payloads, ..Self::request(exchange_type) }
    }

    /// The message as a response of the responder.
    pub fn answered(self) -> Self {
        Self { resp_spi: RESP_SPI, flags: RESPONSE, ..self }
    }

    /// The message with changed fields.
    pub fn header(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The message with a Length that lies.
    pub fn length(self, length: u32) -> Self {
        Self { length: Some(length), ..self }
    }

    /// The message with a payload more, behind the others.
    pub fn with(mut self, payload: PayloadBuilder) -> Self {
        self.payloads.push(payload);
        self
    }

    /// The message with a payload of this type and body more.
    pub fn payload(self, kind: impl Into<u8>, body: impl Into<Vec<u8>>) -> Self {
        self.with(PayloadBuilder::new(kind, body))
    }

    /// The message with a payload more that has the Critical bit.
    pub fn critical(self, kind: impl Into<u8>, body: impl Into<Vec<u8>>) -> Self {
        self.with(PayloadBuilder::critical(kind, body))
    }

    /// The message with this in Next Payload of the last payload.
    ///
    /// # Panics
    ///
    /// When there is no payload.
    pub fn last_next(mut self, next: impl Into<u8>) -> Self {
        self.payloads.last_mut().expect("a payload").next = next.into();
        self
    }

    /// The message with a payload in the place of the first one of its type.
    ///
    /// # Panics
    ///
    /// When there is none of its type.
    pub fn replacing(mut self, payload: PayloadBuilder) -> Self {
        let place = self.payloads.iter().position(|other| other.kind == payload.kind);
        self.payloads[place.expect("a payload of the type")] = payload;
        self
    }

    /// The message on the wire.
    pub fn build(&self) -> Vec<u8> {
        let first = self.payloads.first().map_or(0, |payload| payload.kind);
        self.build_with(first, &self.chain())
    }

    /// The header with these bytes behind it, in the place of the payloads; `first` stands in
    /// Next Payload.
    pub fn build_with(&self, first: u8, chain: &[u8]) -> Vec<u8> {
        let length = self.length.map_or_else(|| length_32(HEADER + chain.len()), u32::to_be_bytes);
        let mut bytes = [self.init_spi, self.resp_spi].concat();
        bytes.extend([first, self.version, self.exchange_type, self.flags]);
        bytes.extend(self.message_id.to_be_bytes());
        bytes.extend(length);
        bytes.extend(chain);
        bytes
    }

    /// The message on the wire with one byte changed.
    pub fn patched(&self, offset: usize, byte: u8) -> Vec<u8> {
        let mut bytes = self.build();
        bytes[offset] = byte;
        bytes
    }

    /// The payloads with their generic headers.
    pub fn chain(&self) -> Vec<u8> {
        let mut chain = Vec::new();
        for (place, payload) in self.payloads.iter().enumerate() {
            let next = self.payloads.get(place + 1).map_or(payload.next, |next| next.kind);
            chain.extend([next, u8::from(payload.critical) << 7]);
            chain.extend(length_16(4 + payload.body.len()));
            chain.extend(&payload.body);
        }
        chain
    }
}
