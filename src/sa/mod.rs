//! IKE SA tracking: what a message is in the sequence of its SA.
//!
//! A message alone does not tell whether its handshake succeeded, who retries, who
//! floods. The [`Table`] keeps a record of each IKE SA within a fixed memory, and
//! [`Table::observe`] returns what is known of the message's SA once the message is
//! counted in, with the events that only the sequence shows.
//!
//! ```text
//! Message ─→ exchange::Facts ─→ table ─→ record ─→ SaView, events
//!  addresses      what counts of    which    exchange: pairing; step: states
//!  packet time    the message       SA       outcome:  success without keys
//!                                            pressure: counts by address
//! ```
//!
//! Nothing here has a clock: time is the packets', in microseconds since the epoch,
//! and may run backwards. What was not seen is absent. An SA that is first seen in
//! its middle has no handshake time, no algorithms and no order to keep. If two
//! threads parse an SA's flows in another order than they were sent, its state,
//! algorithms, times and counts come out the same in the end; docs/sa-tracking.md says
//! what depends on who came first, and tests/run_modes.rs compares.
#![forbid(unsafe_code)]

use std::net::IpAddr;

use crate::message::Message;
use crate::named::named;
use crate::wire::registry::NotifyType;

mod child_pfs;
mod clock;
mod copies;
mod esp;
mod exchange;
pub mod fragment;
mod known;
mod limits;
mod lineage;
pub mod nat;
pub mod negotiation;
mod outcome;
mod place;
mod pressure;
mod record;
mod slab;
mod step;
mod table;
#[cfg(test)]
mod tests;
mod transcript;

pub use esp::{Esp, FlowEsp, InFlow, Sent};
pub use limits::Limits;
pub use lineage::MAX_CHILDREN;
pub use nat::Nat;
pub use negotiation::Chosen;
pub use table::{Counters, Table};
pub use transcript::FullTranscript;

/// One end of a datagram's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Its address.
    pub address: IpAddr,
    /// Its UDP port.
    pub port: u16,
}

/// A message, and what carried it when.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The message.
    pub message: &'a Message,
    /// The datagram's source.
    pub from: Endpoint,
    /// The datagram's destination.
    pub to: Endpoint,
    /// The packet's time in microseconds since the epoch.
    pub time: u64,
}

named! {
    /// Where an IKE SA stands.
    #[derive(Default)]
    pub enum State: str {
        /// IKE_SA_INIT was sent and not answered, or only asked for once more.
        #[default]
        HalfOpen = "half_open",
        /// The responder asked for a cookie (RFC 7296, 2.6).
        Cookie = "cookie",
        /// IKE_SA_INIT is complete.
        InitDone = "init_done",
        /// IKE_AUTH is under way.
        Authenticating = "authenticating",
        /// Both peers are authenticated, or an SA was first seen in use.
        Established = "established",
        /// The handshake ended without an SA.
        Failed = "failed",
        /// The SA was deleted.
        Closed = "closed",
    }
}

impl State {
    /// Whether the handshake is not over: the responder keeps state for a peer that
    /// it does not know yet.
    pub fn is_half_open(self) -> bool {
        matches!(self, Self::HalfOpen | Self::Cookie | Self::InitDone | Self::Authenticating)
    }
}

/// Why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The responder said so in clear, with this notify.
    Notify(NotifyType),
    /// A peer said so in a message that was opened, with this notify.
    Decrypted(NotifyType),
    /// EAP failed, as a message says that was opened.
    EapFailure,
    /// The responder refused the initiator's authentication.
    RefusedByResponder,
    /// The initiator refused the responder's authentication, or gave up EAP.
    RefusedByInitiator,
    /// The request was repeated for as long as a half-open SA lasts.
    NoAnswer,
}

impl Reason {
    /// The name in records; a notify that is not assigned has none of its own.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notify(kind) | Self::Decrypted(kind) => kind.name().unwrap_or("unknown_notify"),
            Self::EapFailure => "eap_failure",
            Self::RefusedByResponder => "refused_by_responder",
            Self::RefusedByInitiator => "refused_by_initiator",
            Self::NoAnswer => "no_answer",
        }
    }

    /// Whether a peer did not accept the other's authentication.
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::RefusedByResponder
                | Self::RefusedByInitiator
                | Self::EapFailure
                | Self::Decrypted(NotifyType::AUTHENTICATION_FAILED)
        )
    }

    /// Whether sizes and times tell, rather than what the peers said.
    pub fn is_inferred(self) -> bool {
        matches!(self, Self::RefusedByResponder | Self::RefusedByInitiator | Self::NoAnswer)
    }
}

/// How a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// Whether sizes and times tell, rather than what the peers said.
    pub inferred: bool,
}

/// What opened messages tell of other SAs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineageView {
    /// The id of the IKE SA that this one took the place of, or was cloned from.
    pub parent: Option<u64>,
    /// Whether it was cloned (RFC 7791): the other goes on, with its children.
    pub is_clone: bool,
    /// The SPIs of its children, those of both ends; none once it is not established.
    pub child_spis: Vec<u32>,
}

/// What is known of an SA after a message of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaView {
    /// The same for all messages of an SA and in every run: made from the
    /// initiator's SPI alone, as the responder's is not known at first.
    pub id: u64,
    /// Where it stands.
    pub state: State,
    /// Whether what followed the handshake proves that it is established; until then a
    /// round of EAP may follow.
    pub confirmed: bool,
    /// The original initiator, where it was seen last.
    pub initiator: Option<Endpoint>,
    /// The original responder, where it was seen last.
    pub responder: Option<Endpoint>,
    /// When its first message was seen, in microseconds since the epoch.
    pub started: u64,
    /// Seconds since then.
    pub age_s: u32,
    /// Its messages, each datagram one.
    pub messages: u32,
    /// Those that were sent before, byte for byte.
    pub retransmissions: u32,
    /// Copies of its messages that a tap made, which count nowhere else.
    pub duplicates: u32,
    /// Whether both peers take part.
    pub mutual: bool,
    /// From the last request that was answered at once to its response.
    pub round_trip_us: Option<u32>,
    /// From the first IKE_SA_INIT to the response that established the SA.
    pub handshake_ms: Option<u32>,
    /// Who is behind a NAT.
    pub nat: Nat,
    /// The algorithms of the IKE SA.
    pub chosen: Option<Chosen>,
    /// Who announced to authenticate the whole of IKE_SA_INIT.
    pub full_transcript: Option<FullTranscript>,
    /// What became of the fragments of the message.
    pub fragments: Option<fragment::Status>,
    /// Why the handshake failed, in state `failed`.
    pub failure: Option<Failure>,
    /// ESP in UDP of its flows.
    pub esp: Esp,
    /// What only opened messages tell.
    pub lineage: Option<Box<LineageView>>,
    /// Half-open SAs of this responder.
    pub half_open: u32,
    /// Refused authentications of this initiator within the window.
    pub auth_failures: u32,
    /// Requests of IKE_SA_INIT of this initiator within the window, repeated ones not
    /// counted again.
    pub init_rate: u32,
}
