//! The proposals of Security Association payloads, as owned data.
//!
//! The wire module decodes the bytes. This module keeps what rules, the policy and records
//! need, in two flat vectors for any number of proposals.

use core::ops::Range;

use crate::wire::registry::{transform_name, Protocol, TransformType};
use crate::wire::sa::{self, Proposals};
use crate::wire::{ErrorKind, ParseError};

/// The maximum number of transforms that are kept of a message.
pub const MAX_TRANSFORMS: usize = 1024;

/// A transform: one algorithm of a proposal (RFC 7296, 3.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transform {
    /// The type of the algorithm.
    pub kind: TransformType,
    /// The identifier of the algorithm in the IANA registry of its type.
    pub id: u16,
    /// The Key Length attribute in bits, if there is one.
    pub key_length: Option<u16>,
}

impl Transform {
    /// The name of the algorithm in its registry.
    pub fn name(&self) -> Option<&'static str> {
        transform_name(self.kind, self.id)
    }
}

/// A proposal: a set of alternatives for one protocol (RFC 7296, 3.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Proposal Num. In an offer it begins with 1.
    pub number: u8,
    /// IKE, AH or ESP.
    pub protocol: Protocol,
    /// The position of the SPI, in bytes from the beginning of the IKE header.
    pub spi: Range<usize>,
    /// Whether all transforms were decoded and kept.
    pub whole: bool,
    /// Whether no transform has attributes other than Key Length.
    pub(crate) plain: bool,
    transforms: Range<usize>,
}

/// All proposals of a message.
#[derive(Clone, Debug, Default)]
pub struct ProposalSet {
    proposals: Vec<Proposal>,
    transforms: Vec<Transform>,
}

impl ProposalSet {
    /// No proposals.
    pub const fn new() -> Self {
        Self { proposals: Vec::new(), transforms: Vec::new() }
    }

    /// One proposal for an IKE SA with these transforms.
    pub fn of_ike(transforms: Vec<Transform>) -> Self {
        let all = 0..transforms.len();
        let proposal = Proposal {
            number: 1,
            protocol: Protocol::IKE,
            spi: 0..0,
            whole: true,
            plain: false,
            transforms: all,
        };
        Self { proposals: vec![proposal], transforms }
    }

    /// Adds the proposals of an SA payload. `report` is called with each parse error.
    ///
    /// A proposal or transform that cannot be decoded is left out. The others are kept.
    pub fn add(&mut self, payload: Proposals<'_>, report: &mut impl FnMut(ParseError)) {
        for proposal in payload {
            match proposal {
                Ok(proposal) => self.add_proposal(&proposal, report),
                Err(error) => report(error),
            }
        }
    }

    fn add_proposal(
        &mut self,
        proposal: &sa::RawProposal<'_>,
        report: &mut impl FnMut(ParseError),
    ) {
        let first = self.transforms.len();
        self.transforms.reserve(proposal.transform_count.into());
        let (mut whole, mut plain) = (true, true);
        let mut fault = |error| {
            whole = false;
            report(error);
        };
        for transform in proposal.transforms() {
            match transform {
                Ok(_) if self.transforms.len() >= MAX_TRANSFORMS => {
                    fault(too_many_transforms(proposal.spi_offset));
                    break;
                }
                Ok(transform) => {
                    plain &= transform.is_plain();
                    self.transforms.push(Transform {
                        kind: transform.kind,
                        id: transform.id,
                        key_length: transform.key_length,
                    });
                }
                Err(error) => fault(error),
            }
        }
        let spi = proposal.spi_offset as usize;
        self.proposals.push(Proposal {
            number: proposal.number,
            protocol: proposal.protocol,
            spi: spi..spi + proposal.spi.len(),
            whole,
            plain,
            transforms: first..self.transforms.len(),
        });
    }

    /// The proposals, in the order of the message.
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// The transforms of one of these proposals, in the order of the message.
    pub fn transforms(&self, proposal: &Proposal) -> &[Transform] {
        self.transforms.get(proposal.transforms.clone()).unwrap_or(&[])
    }

    /// The transforms of all proposals.
    pub fn all_transforms(&self) -> &[Transform] {
        &self.transforms
    }

    /// Whether the message has no proposals.
    pub fn is_empty(&self) -> bool {
        self.proposals.is_empty()
    }
}

fn too_many_transforms(offset: u32) -> ParseError {
    ParseError { kind: ErrorKind::TooManyTransforms, field: "Transforms", offset }
}
