//! suricata-ikev2: a plugin that makes Suricata 8 understand IKEv2.
//!
//! Data goes one way:
//!
//! ```text
//! datagram ─→ wire ─→ policy ─→ Transaction ─→ keywords, EVE logger
//!             bytes   findings  plain data     read only
//!             └──────── pipeline ───────┘      └── host ──┘
//! ```
//!
//! Imports go one way too: `wire` → `proposal` → `policy` → `tx` → `anomaly` → `pipeline`,
//! `render` → `json` → `host`. All `unsafe` is in `host` and `sys`. [`decrypt`] opens encrypted
//! messages with keys, and [`inner`] says what is inside.
#![deny(unsafe_code)]

pub mod anomaly;
mod cache;
pub mod canonical;
pub mod decrypt;
mod digits;
pub mod fingerprint;
pub mod inner;
pub mod json;
mod named;
pub mod pipeline;
pub mod policy;
pub mod proposal;
pub mod render;
pub mod sa;
pub mod sieve;
pub mod tx;
pub mod vendor;
pub mod wire;

#[cfg(test)]
mod documentation;
/// What the fuzz targets call of the host's part, as far as it needs no host.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::host::fuzzing::{look, read_option};
    pub use crate::host::read_key_table;
    pub use crate::pipeline::open_as;
}
#[allow(unsafe_code)]
mod host;
#[allow(unsafe_code)]
mod sys;
