//! Rekeying without keys: what the sizes and the order of encrypted messages show.
//!
//! A request of CREATE_CHILD_SA that rekeys a child SA begins with the notify REKEY_SA in all
//! captures of real peers (RFC 7296, 1.3.3). A request that rekeys the IKE SA begins with the SA
//! payload. The response to it has an SA payload with the chosen algorithms, a nonce and a KE
//! payload (1.3.2). Peers choose the same algorithms again, so the size of the response is known
//! but for the length of the nonce.
//!
//! The new SA has new SPIs. Its first message has Message ID 0 (2.2), so it is recognized as the
//! first one. It is linked to the SA that it replaced if exactly one SA between the same
//! addresses was deleted right after such a response.

use crate::wire::ke::public_value_length;
use crate::wire::registry::{Encr, KeyExchangeMethod, TransformType};

use super::negotiation::Chosen;
use super::outcome::Sizes;

/// Nonces have 16 to 256 bytes (RFC 7296, 2.10). Peers use 32, some up to 64.
const NONCES: [usize; 2] = [16, 64];

/// The sizes of the SA payload without transforms, for a proposal with an SPI of 8 bytes, and of
/// a payload's header.
const SA_AND_PROPOSAL: usize = 4 + 8 + 8;
const PAYLOAD_HEADER: usize = 4;
/// The fields before the public value in a KE payload.
const KE_FIELDS: usize = 4;
/// The size of a transform without attributes, and of the Key Length attribute.
const TRANSFORM: usize = 8;
const KEY_LENGTH: usize = 4;

/// Whether the response of CREATE_CHILD_SA to a request that begins with an SA payload may rekey
/// the IKE SA with the same algorithms. `length` is the size of its encrypted contents.
pub(super) fn fits(chosen: &Chosen, sizes: Sizes, length: u32) -> bool {
    let Some(method) = chosen.dh().filter(|method| *method != KeyExchangeMethod::NONE) else {
        return false;
    };
    // Additional key exchanges follow in exchanges of their own (RFC 9370).
    let is_single = chosen.transforms().all(|it| it.kind.0 < TransformType::ADDKE1.0);
    let Some(value) = public_value_length(method, true).filter(|_| is_single) else {
        return false;
    };
    let transforms: usize =
        chosen.transforms().map(|it| TRANSFORM + it.key_length.map_or(0, |_| KEY_LENGTH)).sum();
    let fixed = SA_AND_PROPOSAL + transforms + 2 * PAYLOAD_HEADER + KE_FIELDS + value;
    let [least, most] = NONCES.map(|nonce| sizes.encrypted(fixed + nonce));
    (least..=most).contains(&length)
}

/// Whether the algorithms say how long encrypted messages are.
pub(super) fn sizes(chosen: &Chosen) -> Option<Sizes> {
    Sizes::of(chosen.encr().filter(|encr| *encr != Encr::ENCR_NULL)?, chosen.integ())
}
