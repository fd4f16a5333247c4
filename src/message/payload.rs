//! The payloads of a decoded message, as ranges of its bytes.

use crate::wire::registry::PayloadType;
use crate::wire::Payload;

/// A payload of the message: its generic header and where its body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadEntry {
    /// The payload's type.
    pub kind: PayloadType,
    /// The critical bit.
    pub critical: bool,
    /// Next Payload; of SK and SKF the first payload inside.
    pub next_payload: PayloadType,
    /// Payload Length as on the wire, generic header included.
    pub length: u16,
    /// Where the generic header begins, counted from the IKE header's first byte.
    pub offset: u32,
    /// How many bytes of the body are there.
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
