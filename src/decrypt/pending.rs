//! The IKE SAs of a flow whose messages wait for keys.

use super::decryptor::{Decryptor, PendingMessage};
use super::key_table::Spis;

/// The most SAs of a flow that are remembered; those that came last. Peers have one or,
/// while they rekey, two.
const MAX_SAS: usize = 8;

/// What a flow waits for.
///
/// A look at each of its packets, ESP too, has to cost next to nothing: it is one number
/// that is compared as long as no keys come.
#[derive(Clone, Debug, Default)]
pub struct PendingSas {
    spis: Vec<Spis>,
    /// How many sets of keys had come at the last look.
    keys_taken: usize,
}

impl PendingSas {
    /// A message of this SA is held.
    pub fn add(&mut self, spis: Spis) {
        if self.spis.contains(&spis) {
            return;
        }
        if self.spis.len() >= MAX_SAS {
            self.spis.remove(0);
        }
        self.spis.push(spis);
        // Keys may have come between the attempt to open it and now.
        self.keys_taken = 0;
    }

    /// The held messages that there are keys for now.
    pub fn take(&mut self, decryptor: &Decryptor) -> Vec<PendingMessage> {
        let mut held = Vec::new();
        if self.spis.is_empty() || decryptor.keys_taken() == self.keys_taken {
            return held;
        }
        self.keys_taken = decryptor.keys_taken();
        self.spis.retain(|spis| {
            let before = held.len();
            held.extend(decryptor.take_pending_of(spis));
            held.len() == before
        });
        held
    }
}
