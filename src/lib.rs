//! suricata-ikev2: a plugin that makes Suricata 8 understand IKEv2.
//!
//! Data goes one way:
//!
//! ```text
//! datagram ─→ wire ─→ message ─→ decrypt ─→ sa ─→ Transaction ─→ keywords, EVE logger
//!             bytes   what it    with keys  what   read only
//!                     says                  sequences show
//!             └────────── pipeline: FlowContext::on_datagram ─┘  └───── host ─────┘
//! ```
//!
//! Imports go one way too: `wire` → `proposal` → `policy` → `message` → `sa`, `decrypt`,
//! `payload_text` → `tx` → `pipeline`, `render` → `host`. All `unsafe` is in
//! `host` and `sys`.
#![deny(unsafe_code)]

mod cache;
pub mod canonical;
pub mod decrypt;
mod digits;
mod keyed_hash;
pub mod message;
mod named;
pub mod payload_text;
pub mod pipeline;
pub mod policy;
pub mod proposal;
pub mod render;
pub mod sa;
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
}
#[allow(unsafe_code)]
mod host;
#[allow(unsafe_code)]
mod sys;
