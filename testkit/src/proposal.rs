//! Proposals of an SA payload as bytes: [`ProposalBuilder`] for those that a peer could
//! send, and the functions below it for parts that a test puts together itself.

use crate::bytes::{length_16, length_8};
use crate::registry::FOR_IKE;

/// A transform as type, ID and key length in bits.
pub type Transform = (u8, u16, Option<u16>);

/// Encryption by AES-CBC with a key of 256 bits.
pub const AES_CBC_256: Transform = (1, 12, Some(256));
/// Encryption by AES-GCM with a key of 256 bits and a checksum of 16 bytes.
pub const AES_GCM_256: Transform = (1, 20, Some(256));
/// PRF by HMAC with SHA2-256.
pub const PRF_SHA2_256: Transform = (2, 5, None);
/// PRF by HMAC with SHA2-384.
pub const PRF_SHA2_384: Transform = (2, 6, None);
/// Integrity by HMAC with SHA2-256, cut to 128 bits.
pub const HMAC_SHA2_256: Transform = (3, 12, None);
/// Key exchange by the 256-bit random ECP group.
pub const ECP_256: Transform = (4, 19, None);
/// Key exchange by the 384-bit random ECP group.
pub const ECP_384: Transform = (4, 20, None);
/// Key exchange by the 2048-bit MODP group.
pub const MODP_2048: Transform = (4, 14, None);
/// A complete offer for an IKE SA that nobody calls weak.
pub const STRONG: [Transform; 4] = [AES_CBC_256, PRF_SHA2_256, HMAC_SHA2_256, ECP_256];

/// [`STRONG`] with one transform in the place of another.
pub fn strong_but(place: usize, transform: Transform) -> Vec<Transform> {
    let mut transforms = STRONG.to_vec();
    transforms[place] = transform;
    transforms
}

/// A proposal, field by field. Lengths and counts follow from its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalBuilder {
    /// Proposal Num.
    pub number: u8,
    /// Protocol ID.
    pub protocol: u8,
    /// The SPI, which a first offer for IKE does not have.
    pub spi: Vec<u8>,
    /// The transforms in their order.
    pub transforms: Vec<Transform>,
}

impl ProposalBuilder {
    /// The first proposal for an IKE SA, without SPI.
    pub fn for_ike(transforms: &[Transform]) -> Self {
        let transforms = transforms.to_vec();
        Self { number: 1, protocol: FOR_IKE, spi: Vec::new(), transforms }
    }

    /// The bytes of the proposal, as if others followed it: [`sa_body`] mends the last.
    pub fn build(&self) -> Vec<u8> {
        let bytes = |(kind, id, key_length): &Transform| transform(*kind, *id, *key_length);
        let transforms: Vec<_> = self.transforms.iter().map(bytes).collect();
        proposal(self.number, self.protocol, &self.spi, &transforms)
    }
}

/// A transform as bytes, as if others followed it: [`proposal`] mends the last.
pub fn transform(kind: impl Into<u8>, id: u16, key_length: Option<u16>) -> Vec<u8> {
    let attribute = key_length.map(|bits| [0x800e, bits].map(u16::to_be_bytes).concat());
    let attribute = attribute.unwrap_or_default();
    let mut bytes = vec![3, 0];
    bytes.extend(length_16(8 + attribute.len()));
    bytes.extend([kind.into(), 0]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(attribute);
    bytes
}

/// A proposal of such transforms as bytes, as if others followed it: [`sa_body`] mends the
/// last.
pub fn proposal(
    number: u8,
    protocol: impl Into<u8>,
    spi: &[u8],
    transforms: &[Vec<u8>],
) -> Vec<u8> {
    // More transforms than the field can count are malformed on purpose.
    let count = transforms.len() as u8;
    let transforms = with_last_marked(transforms);
    let mut bytes = vec![2, 0];
    bytes.extend(length_16(8 + spi.len() + transforms.len()));
    bytes.extend([number, protocol.into(), length_8(spi.len()), count]);
    bytes.extend(spi);
    bytes.extend(transforms);
    bytes
}

/// The body of an SA payload of such proposals.
pub fn sa_body(proposals: &[Vec<u8>]) -> Vec<u8> {
    with_last_marked(proposals)
}

/// The parts one behind the other, with Last Substruc of the last one set to 0.
fn with_last_marked(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut parts = parts.to_vec();
    if let Some(last) = parts.last_mut() {
        last[0] = 0;
    }
    parts.concat()
}
