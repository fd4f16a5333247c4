//! What the tests, benches and fuzz targets of suricata-ikev2 share.
//!
//! | to | modules |
//! |---|---|
//! | build messages | [`message`], [`proposal`], [`registry`], [`sample`], [`bytes`] |
//! | encrypt messages | `seal` |
//! | read and write captures | `capture`, `merge`, `flow` |
//! | find the keys of captures | [`keys`] |
//! | make the captures and conversations that no peer would send | `craft` |
//! | run Suricata | [`suricata`], [`running`] |
//! | read what it writes | `eve`, [`record`], [`tshark`] for what tshark writes |
//! | run the cases of `tests/verify` | `case`, `yaml` |
//! | read the rules, and the inputs of fuzz targets | [`rules`], [`input`] |
//! | use all cores, count instructions, find folders | [`work`], [`callgrind`], [`project`] |
//!
//! Nothing here uses the plugin: its unit tests use this crate, and would have two copies of
//! its types.

pub mod bytes;
pub mod callgrind;
pub mod input;
pub mod keys;
pub mod message;
pub mod project;
pub mod proposal;
pub mod record;
pub mod registry;
pub mod rules;
pub mod running;
pub mod sample;
pub mod suricata;
pub mod tshark;
pub mod work;

#[cfg(feature = "full")]
pub mod capture;
#[cfg(feature = "full")]
pub mod case;
#[cfg(feature = "full")]
mod check;
#[cfg(feature = "full")]
pub mod craft;
#[cfg(feature = "full")]
pub mod eve;
#[cfg(feature = "full")]
pub mod flow;
#[cfg(feature = "full")]
pub mod merge;
#[cfg(feature = "full")]
pub mod seal;
#[cfg(feature = "full")]
pub mod yaml;
