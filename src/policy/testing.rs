//! Proposals for tests, made of numbers.

use crate::proposal::ProposalSet;
use crate::wire::Proposals;

/// A transform as type, identifier and key length in bits.
pub(crate) type TransformNumbers = (u8, u16, Option<u16>);

pub(crate) const IKE: u8 = 1;
pub(crate) const AH: u8 = 2;
pub(crate) const ESP: u8 = 3;
pub(crate) const GIKE_UPDATE: u8 = 6;

pub(crate) const AES: TransformNumbers = (1, 12, Some(256));
pub(crate) const GCM: TransformNumbers = (1, 20, Some(256));
pub(crate) const SHA: TransformNumbers = (3, 12, None);
pub(crate) const PRF_SHA: TransformNumbers = (2, 5, None);
pub(crate) const ECP: TransformNumbers = (4, 19, None);

/// The proposals of one message, each a protocol and its transforms.
pub(crate) fn set(proposals: &[(u8, &[TransformNumbers])]) -> ProposalSet {
    let mut set = ProposalSet::default();
    if !proposals.is_empty() {
        set.add(Proposals::new(&bytes(proposals), 0), &mut |error| panic!("{error}"));
    }
    set
}

/// The same as the body of an SA payload.
pub(crate) fn bytes(proposals: &[(u8, &[TransformNumbers])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (number, (protocol, transforms)) in (1..).zip(proposals) {
        let more = if usize::from(number) < proposals.len() { 2 } else { 0 };
        body.extend(proposal(more, number, *protocol, transforms));
    }
    body
}

fn proposal(more: u8, number: u8, protocol: u8, transforms: &[TransformNumbers]) -> Vec<u8> {
    let mut body = Vec::new();
    for (index, (kind, id, key_length)) in transforms.iter().enumerate() {
        let more = if index + 1 < transforms.len() { 3 } else { 0 };
        let length: u8 = if key_length.is_some() { 12 } else { 8 };
        body.extend([more, 0, 0, length, *kind, 0]);
        body.extend(id.to_be_bytes());
        if let Some(bits) = key_length {
            body.extend([0x80, 14]);
            body.extend(bits.to_be_bytes());
        }
    }
    let length = u16::try_from(body.len() + 8).unwrap().to_be_bytes();
    let count = u8::try_from(transforms.len()).unwrap();
    [&[more, 0, length[0], length[1], number, protocol, 0, count][..], &body].concat()
}
