//! Decryption encrypted messages with keys that the operator gives.
//!
//! Keys come from a table in the form of Wireshark's `ikev2_decryption_table`
//! ([`key_table`]), one line an IKE SA. What is encrypted is believed only when its
//! integrity checks ([`open`]); of several sets of keys for the same SPIs the one that
//! fits is taken. Fragments are put together again when each of them was opened
//! ([`reassembly`]). The [`Decryptor`] is what all threads share.
//!
//! ```text
//! key table ─→ KeyTable ─┐
//! message ─→ Sealed ─────┴→ open ─→ SK: payloads
//!                                └→ SKF: reassembly ─→ payloads
//! ```
//!
//! Nothing here has a clock or does input or output. Keys are wiped when they are
//! dropped, and no type that holds them can be printed.
#![forbid(unsafe_code)]

mod cipher;
pub mod decryptor;
pub mod key_table;
pub mod log;
mod mac;
mod pending;
mod plain;
pub mod reassembly;
pub mod sealed;
pub mod suite;

pub use decryptor::{DecryptOutcome, Decryptor, PendingMessage};
pub use key_table::{KeyTable, LineError, SaKeys, Spis};
pub use pending::PendingSas;
pub use reassembly::{Progress, Reassembly};
pub use sealed::{DecryptError, Sealed};
