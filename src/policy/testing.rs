//! Proposals for tests, built from numbers.

pub(crate) use testkit::proposal::{
    Transform as TransformNumbers, AES_CBC_256 as AES, AES_GCM_256 as GCM, ECP_256 as ECP,
    HMAC_SHA2_256 as SHA, PRF_SHA2_256 as PRF_SHA,
};
pub(crate) use testkit::registry::{FOR_AH as AH, FOR_ESP as ESP, FOR_IKE as IKE};

use testkit::proposal::{sa_body, ProposalBuilder};

use crate::proposal::ProposalSet;
use crate::wire::Proposals;

pub(crate) const GIKE_UPDATE: u8 = 6;

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
    let numbered = (1..).zip(proposals);
    let proposals = numbered.map(|(number, (protocol, transforms))| {
        let proposal = ProposalBuilder::for_ike(transforms);
        ProposalBuilder { number, protocol: *protocol, ..proposal }.build()
    });
    sa_body(&proposals.collect::<Vec<_>>())
}
