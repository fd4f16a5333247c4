//! An SA payload with its transforms in another order, so that it is one that nobody has sent.

/// The header of a proposal, before its SPI.
const PROPOSAL: usize = 8;

/// Puts the transforms of each proposal into an order that follows from the seed. Those of one
/// type change places with each other, so the types keep their order, as in real offers.
pub(crate) fn shuffle(body: &mut [u8], seed: u32) {
    let mut state = u64::from(seed);
    let mut rest = body;
    while !rest.is_empty() {
        let (proposal, behind) = rest.split_at_mut(length(rest));
        let begin = PROPOSAL + usize::from(proposal[6]);
        shuffle_transforms(&mut proposal[begin..], &mut state);
        rest = behind;
    }
}

fn shuffle_transforms(bytes: &mut [u8], state: &mut u64) {
    let mut transforms: Vec<Vec<u8>> = Vec::new();
    let mut rest = &*bytes;
    while !rest.is_empty() {
        let (transform, behind) = rest.split_at(length(rest));
        transforms.push(transform.to_vec());
        rest = behind;
    }
    for group in transforms.chunk_by_mut(|one, next| one[4] == next[4]) {
        for place in (1..group.len()).rev() {
            group.swap(place, below(place + 1, state));
        }
    }
    let last = transforms.len().saturating_sub(1);
    for (place, transform) in transforms.iter_mut().enumerate() {
        // Last Substruc: 3 before another transform.
        transform[0] = if place == last { 0 } else { 3 };
    }
    bytes.copy_from_slice(&transforms.concat());
}

/// The length of the proposal or transform that begins here.
fn length(bytes: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))
}

/// A number below `limit`, which follows from those before.
fn below(limit: usize, state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % limit
}
