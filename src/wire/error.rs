//! What is wrong with a message, and where.
//!
//! An inspection engine must be able to say *which* field was bad, not just
//! that parsing failed, so every error carries a kind, the field in the words
//! of [RFC 7296](https://www.rfc-editor.org/rfc/rfc7296) and an offset.

use core::fmt;

/// One fault of a message. Small, `Copy` and comparable; making one never
/// allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What sort of fault it is.
    pub kind: ErrorKind,
    /// The field at fault, as the RFC that defines it spells it, for instance
    /// `"Proposal Length"`.
    pub field: &'static str,
    /// Where that field begins, in bytes from the first byte of the IKE header
    /// (a non-ESP marker is not counted).
    pub offset: u32,
}

/// The sorts of fault this module tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// There are fewer than 28 bytes, or the header's own length says so.
    MalformedHeader,
    /// The major version is not 2.
    UnsupportedVersion,
    /// A payload does not have the form its type prescribes, or runs past the
    /// end of the message.
    MalformedPayload,
    /// The header announces more bytes than there are.
    LengthMismatch,
    /// Bytes that belong to no payload follow the last one.
    TrailingData,
    /// A payload of a type without a name demands to be understood (RFC 7296,
    /// section 2.5).
    UnknownCriticalPayload,
    /// Something follows an Encrypted (Fragment) payload, which has to be the
    /// last one (RFC 7296, section 3.14).
    PayloadAfterEncrypted,
    /// A transform's length does not fit its proposal or its attributes.
    BadTransformLength,
    /// Proposal numbers, the transform count or a Last Substruc field
    /// contradict what is there.
    ProposalCountMismatch,
    /// More than [`MAX_PAYLOADS`](super::MAX_PAYLOADS) payloads.
    TooManyPayloads,
    /// More than [`MAX_PROPOSALS`](super::MAX_PROPOSALS) proposals in one SA
    /// payload.
    TooManyProposals,
    /// More than [`MAX_TRANSFORMS`](super::MAX_TRANSFORMS) transforms in one
    /// proposal.
    TooManyTransforms,
}

impl ErrorKind {
    /// The kind in plain words, as [`fmt::Display`] prints it.
    pub const fn description(self) -> &'static str {
        match self {
            Self::MalformedHeader => "malformed header",
            Self::UnsupportedVersion => "unsupported version",
            Self::MalformedPayload => "malformed payload",
            Self::LengthMismatch => "length mismatch",
            Self::TrailingData => "trailing data",
            Self::UnknownCriticalPayload => "unknown critical payload",
            Self::PayloadAfterEncrypted => "payload after the encrypted one",
            Self::BadTransformLength => "bad transform length",
            Self::ProposalCountMismatch => "proposal count mismatch",
            Self::TooManyPayloads => "too many payloads",
            Self::TooManyProposals => "too many proposals",
            Self::TooManyTransforms => "too many transforms",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} at offset {}", self.kind, self.field, self.offset)
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_which_and_where() {
        let error =
            ParseError { kind: ErrorKind::MalformedPayload, field: "Proposal Length", offset: 34 };
        assert_eq!(error.to_string(), "malformed payload: Proposal Length at offset 34");
    }
}
