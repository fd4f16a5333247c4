//! The contents of encrypted messages as text and numbers for rules and records: identities,
//! certificates, authentication, traffic selectors, configuration and EAP.
//!
//! There is one file for each payload. [`crate::wire`] decodes the payloads, and this module
//! gives their meaning as text. It does not judge them. Unknown forms are shown as hex digits.
#![forbid(unsafe_code)]

pub mod auth;
pub mod cert;
pub mod cp;
pub mod eap;
pub mod id;
mod oid;
pub mod ts;

use crate::digits::Digits;
use crate::message::Message;
use crate::wire::registry::PayloadType;
use crate::wire::{Certificate, Configuration, Identification, TrafficSelectors};

pub use cert::CertificateText;
pub use cp::AttributeText;
pub use ts::SelectorText;

/// The maximum number of certificates of a message that are decoded.
pub const MAX_CERTIFICATES: usize = 16;

/// The maximum number of traffic selectors of a payload, and of configuration attributes of a
/// message, that have a text.
pub const MAX_TEXTS: usize = 64;

/// The texts of the decrypted payloads of a message.
#[derive(Debug, Default)]
pub struct PayloadTexts {
    /// The identities of the initiator, of the responder and of the group (RFC 9838).
    pub ids: [Option<String>; 3],
    /// The certificates, in the order of the message.
    pub certificates: Vec<CertificateText>,
    /// The traffic selectors of the initiator and of the responder.
    pub selectors: [Vec<SelectorText>; 2],
    /// The configuration attributes.
    pub attributes: Vec<AttributeText>,
    /// The algorithm of the authentication's signature, if the payload contains it.
    pub signature: Option<String>,
}

impl PayloadTexts {
    /// The texts of the decrypted payloads.
    pub fn of(message: &Message) -> Self {
        let mut texts = Self::default();
        for entry in message.decrypted_payloads() {
            let payload = message.payload(entry);
            let (body, offset) = (payload.body, payload.body_offset());
            match payload.kind {
                PayloadType::IDI | PayloadType::IDR | PayloadType::IDG => {
                    let id = &mut texts.ids[match payload.kind {
                        PayloadType::IDI => 0,
                        PayloadType::IDR => 1,
                        _ => 2,
                    }];
                    if let (None, Ok(found)) = (&id, Identification::parse(body, offset)) {
                        *id = Some(id::text(&found));
                    }
                }
                PayloadType::CERT if texts.certificates.len() < MAX_CERTIFICATES => {
                    let certificate = Certificate::parse(body, offset).ok();
                    texts.certificates.extend(certificate.as_ref().map(CertificateText::of));
                }
                PayloadType::TSI | PayloadType::TSR => {
                    let side = usize::from(payload.kind == PayloadType::TSR);
                    let selectors = TrafficSelectors::parse(body, offset).ok();
                    let selectors = selectors.iter().flat_map(TrafficSelectors::selectors);
                    let selectors = selectors.flatten().map(|it| SelectorText::of(&it));
                    texts.selectors[side].extend(selectors.take(MAX_TEXTS));
                }
                PayloadType::CP => {
                    let configuration = Configuration::parse(body, offset).ok();
                    let all = configuration.iter().flat_map(Configuration::attributes);
                    let all = all.flatten().map(|it| AttributeText::of(&it));
                    texts.attributes.extend(all.take(MAX_TEXTS));
                }
                PayloadType::AUTH => texts.signature = auth::signature(body, offset),
                _ => {}
            }
        }
        texts
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    text.hex(bytes);
    // Hex digits are always UTF-8.
    String::from_utf8(text).unwrap_or_default()
}

/// An IPv4 or IPv6 address, depending on the length.
pub(crate) fn address(bytes: &[u8]) -> Option<std::net::IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(Into::into),
        16 => <[u8; 16]>::try_from(bytes).ok().map(Into::into),
        _ => None,
    }
}

/// The text, or hex digits if it is not UTF-8 or has control characters.
pub(crate) fn text_or_hex(bytes: &[u8]) -> String {
    match core::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => hex(bytes),
    }
}
