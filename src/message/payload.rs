//! The payloads of a decoded message, as ranges of its bytes.

use crate::wire::registry::PayloadType;
use crate::wire::Payload;

/// A payload: its generic header and the position of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadEntry {
    /// The type of the payload.
    pub kind: PayloadType,
    /// The critical bit.
    pub critical: bool,
    /// Next Payload. In SK and SKF payloads, this is the type of the first encrypted payload.
    pub next_payload: PayloadType,
    /// Payload Length as in the message, with the generic header.
    pub length: u16,
    /// The position of the generic header, in bytes from the beginning of the IKE header.
    pub offset: u32,
    /// The number of captured bytes of the body.
    pub body_length: u32,
}

impl From<&Payload<'_>> for PayloadEntry {
    fn from(payload: &Payload<'_>) -> Self {
        Self {
            kind: payload.kind,
            critical: payload.critical,
            next_payload: payload.next_payload,
            length: payload.length,
            offset: payload.offset,
            body_length: u32::try_from(payload.body.len()).unwrap_or(u32::MAX),
        }
    }
}
