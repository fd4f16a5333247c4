//! The IKE SAs of a flow whose messages are pending: they wait for keys.

use super::decryptor::{Decryptor, PendingMessage};
use super::key_table::Spis;

/// The maximum number of pending SAs of a flow. The oldest is dropped first. A flow
/// normally has one IKE SA, or two during a rekeying.
const MAX_SAS: usize = 8;

/// The SAs of a flow that have pending messages.
///
/// The check for new keys runs for every packet of the flow, ESP included. It compares one
/// number as long as no keys are added.
#[derive(Clone, Debug, Default)]
pub struct PendingSas {
    spis: Vec<Spis>,
    /// The value of [`Decryptor::keys_added`] at the last check.
    keys_added: usize,
}

impl PendingSas {
    /// Records that a message of this SA is pending.
    pub fn add(&mut self, spis: Spis) {
        if self.spis.contains(&spis) {
            return;
        }
        if self.spis.len() >= MAX_SAS {
            self.spis.remove(0);
        }
        self.spis.push(spis);
        // Keys may have been added since the failed attempt to decrypt the message.
        self.keys_added = 0;
    }

    /// The value of [`Decryptor::keys_added`] at the last check. None if no message is pending.
    pub fn keys_checked(&self) -> Option<usize> {
        (!self.spis.is_empty()).then_some(self.keys_added)
    }

    /// Takes the pending messages that keys are available for now.
    pub fn take(&mut self, decryptor: &Decryptor) -> Vec<PendingMessage> {
        let mut taken = Vec::new();
        if self.spis.is_empty() || decryptor.keys_added() == self.keys_added {
            return taken;
        }
        self.keys_added = decryptor.keys_added();
        self.spis.retain(|spis| {
            let before = taken.len();
            taken.extend(decryptor.take_pending_of(spis));
            taken.len() == before
        });
        taken
    }
}
