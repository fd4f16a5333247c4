//! Parsers for bytes from the network: datagrams, IKEv2 messages, payloads, and the IANA
//! registries.
//!
//! All values borrow from the datagram. The code copies nothing, allocates no memory, keeps
//! no state and never panics. Numbers that IANA has not assigned are normal values.
//! [`ParseError`]s describe the faults of a message. They do not replace the values that
//! could be parsed.
//!
//! To parse a datagram, call [`classify`], then [`RawMessage::parse`], then
//! [`RawMessage::payloads`], and then the parser for each payload's type:
//!
//! ```
//! use suricata_ikev2::wire::{classify, Carrier, Datagram, Notify, PayloadType, RawMessage};
//!
//! let datagram = [
//!     0, 0, 0, 0, // non-ESP marker
//!     1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, // SPIs
//!     41, 0x20, 34, 0x20, 0, 0, 0, 0, 0, 0, 0, 38, // a response of 38 bytes
//!     0, 0, 0, 10, 0, 0, 0, 17, 0, 31, // Notify: INVALID_KE_PAYLOAD
//! ];
//! let Datagram::Message { marker: true, bytes } = classify(&datagram, Carrier::default()) else {
//!     panic!("not an IKE message");
//! };
//! let message = RawMessage::parse(bytes)?;
//! assert_eq!(message.length_error(), None);
//! for payload in message.payloads() {
//!     let payload = payload?;
//!     assert_eq!(payload.kind, PayloadType::NOTIFY);
//!     let notify = Notify::parse(payload.body, payload.body_offset())?;
//!     assert_eq!(notify.kind.to_string(), "INVALID_KE_PAYLOAD");
//!     assert_eq!(notify.data, [0, 31]);
//! }
//! # Ok::<(), suricata_ikev2::wire::ParseError>(())
//! ```
#![forbid(unsafe_code)]

mod macros;

pub mod auth;
pub mod cert;
pub mod certreq;
pub mod cp;
pub mod datagram;
pub mod delete;
pub mod detect;
pub mod eap;
pub mod encrypted;
pub mod error;
pub mod header;
pub mod id;
pub mod ke;
pub mod known_secret;
pub mod message;
pub mod nonce;
pub mod notify;
pub mod ps;
pub mod reader;
pub mod registry;
pub mod sa;
pub mod ts;
pub mod vendor_id;

#[cfg(test)]
pub(crate) mod testing;

pub use auth::Authentication;
pub use cert::Certificate;
pub use certreq::CertificateRequest;
pub use cp::{Configuration, ConfigurationAttribute};
pub use datagram::{classify, Carrier, Datagram};
pub use delete::Delete;
pub use detect::{detect, detect_expected, detect_if_known, DetectedMessage};
pub use eap::Eap;
pub use encrypted::{Encrypted, Fragment};
pub use error::{ErrorKind, ParseError};
pub use header::{Flags, Header, Role, Version, HEADER_LEN};
pub use id::Identification;
pub use ke::{public_value_length, KeyExchange};
pub use message::{Payload, Payloads, RawMessage, MAX_PAYLOADS};
pub use nonce::Nonce;
pub use notify::{Notify, NotifyData};
pub use ps::PuzzleSolution;
pub use reader::Reader;
pub use registry::{
    transform_name, AttributeType, AuthMethod, CertEncoding, CfgAttribute, CfgType, EapCode,
    EapMethod, Encr, ExchangeType, GatewayIdType, GcAuth, HashAlgorithm, IdType, Integ,
    IpcompTransform, KeyExchangeMethod, KeyWrap, NotifyType, PayloadType, PpkIdType, Prf, Protocol,
    SecurePasswordMethod, SequenceNumbers, TransformType, TsType,
};
pub use sa::{
    Attribute, AttributeValue, Proposals, RawProposal, RawTransform, Transforms, MAX_PROPOSALS,
    MAX_TRANSFORMS,
};
pub use ts::{AddressRange, TrafficSelector, TrafficSelectors};
pub use vendor_id::VendorId;
