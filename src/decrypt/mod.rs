//! Decryption of IKE messages with keys that the operator supplies.
//!
//! The keys come from a key table in the format of Wireshark's `ikev2_decryption_table`
//! ([`key_table`]): one line for each IKE SA. The plaintext of a payload is used only if
//! the integrity check succeeds ([`Sealed::decrypt`]). If there are several sets of keys
//! for the same SPIs, each is tried. The fragments of a message are decrypted one by one
//! and then reassembled ([`reassembly`]). All threads share one [`Decryptor`].
//!
//! ```text
//! key table ─→ KeyTable ─┐
//! message ─→ Sealed ─────┴→ decrypt ─→ SK: payloads
//!                                   └→ SKF: reassembly ─→ payloads
//! ```
//!
//! The code in this module reads no clock and does no input or output. Keys are wiped from
//! memory when they are dropped. The types that hold keys do not implement `Debug` or
//! `Display`, so that no key gets into a log.
#![forbid(unsafe_code)]

mod cipher;
mod clean_line;
pub mod decryptor;
pub mod key_table;
pub mod log;
mod mac;
mod pending;
pub mod reassembly;
pub mod sealed;
pub mod suite;

pub use decryptor::{DecryptOutcome, Decryptor, PendingMessage};
pub use key_table::{KeyTable, LineError, SaKeys, Spis};
pub use pending::PendingSas;
pub use reassembly::{Progress, Reassembly};
pub use sealed::{DecryptError, Sealed};
