//! Parse errors: what is wrong with a message, and where.
//!
//! An inspection engine must report which field is wrong, not only that parsing failed. So
//! every error has a kind, the field's name in [RFC
//! 7296](https://www.rfc-editor.org/rfc/rfc7296), and an offset.

use core::fmt;

/// One fault of a message. Creating one allocates no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The kind of the fault.
    pub kind: ErrorKind,
    /// The field with the fault, spelled as in the RFC that defines it, for example
    /// `"Proposal Length"`.
    pub field: &'static str,
    /// The offset of that field in bytes from the start of the IKE header. A non-ESP marker
    /// is not counted.
    pub offset: u32,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The message has fewer than 28 bytes, or the header's length is below 28.
    MalformedHeader,
    /// The major version is not 2.
    UnsupportedVersion,
    /// A payload does not have the form of its type, or exceeds the message.
    MalformedPayload,
    /// The header's length is larger than the message.
    LengthMismatch,
    /// The last payload is followed by bytes that belong to no payload.
    TrailingData,
    /// A payload of an unassigned type has the Critical bit (RFC 7296, section 2.5).
    UnknownCriticalPayload,
    /// An Encrypted or Encrypted Fragment payload is not the last payload (RFC 7296,
    /// section 3.14).
    PayloadAfterEncrypted,
    /// The length of a transform does not fit its proposal or its attributes.
    BadTransformLength,
    /// Proposal numbers, the transform count or a Last Substruc field do not match the
    /// content.
    ProposalCountMismatch,
    /// The message has more than [`MAX_PAYLOADS`](super::MAX_PAYLOADS) payloads.
    TooManyPayloads,
    /// An SA payload has more than [`MAX_PROPOSALS`](super::MAX_PROPOSALS) proposals.
    TooManyProposals,
    /// A proposal has more than [`MAX_TRANSFORMS`](super::MAX_TRANSFORMS) transforms.
    TooManyTransforms,
}

impl ErrorKind {
    /// A description of the kind in words. [`fmt::Display`] prints it.
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
    fn an_error_names_kind_field_and_offset() {
        let error =
            ParseError { kind: ErrorKind::MalformedPayload, field: "Proposal Length", offset: 34 };
        assert_eq!(error.to_string(), "malformed payload: Proposal Length at offset 34");
    }
}
