//! The plugin inside Suricata: registration and the callbacks that Suricata calls.
//!
//! All `unsafe` of the crate is here and in `sys`. The modules:
//!
//! ```text
//! start, compat, listing      the start, and whether the plugin can run in this Suricata
//! settings, log, guard        for all others: settings, log messages, no panic leaves the plugin
//! protocol, host_static       for all others: constants and statics of Suricata's interface
//! detection, late_detection   which flows are IKE's
//! flow, packet, layout        what Suricata knows of a flow and of the packet at hand
//! bypass                      which packets Suricata skips
//! parser, state               datagrams in, transactions out
//! tracking, decryption        the table of IKE SAs and the keys, as all threads share them
//! keyword, json               keywords in rules, EVE records
//! flow_records                which IKE SAs a flow belongs to, in Suricata's own records
//! job, counters               what begins and ends with a job; counters in Suricata's stats
//! ```
//!
//! A static that can be made when the plugin is compiled is a plain `static`. One that depends on
//! the running Suricata is made with `lazy_static!` when it is used first.

mod bypass;
mod compat;
mod counters;
mod decryption;
mod detection;
#[cfg(feature = "fault-injection")]
mod fault;
mod flow;
mod flow_records;
mod guard;
mod host_static;
mod job;
mod json;
mod keyword;
mod late_detection;
mod layout;
#[cfg(all(target_env = "gnu", not(debug_assertions)))]
mod listing;
mod log;
mod packet;
mod parser;
mod protocol;
mod records;
mod settings;
mod start;
mod state;
mod tracking;

#[cfg(fuzzing)]
pub use decryption::read_key_table;
#[cfg(fuzzing)]
pub(crate) use keyword::fuzzing;
