//! IKE SA tracking: what a message means in the sequence of its SA.
//!
//! One message alone does not show whether its handshake succeeded, who retries or who floods.
//! The [`SaTable`] keeps a record of each IKE SA within a fixed amount of memory.
//! [`SaTable::observe`] counts a message and returns the state of the message's SA, with the
//! events that only the sequence of messages shows.
//!
//! ```text
//! Message ─→ MessageFacts ─→ table ─→ record ─→ SaView, events
//!  addresses     what the      which    exchange: pairs requests and responses
//!  packet time   tracking      SA       step:     changes of state
//!                needs                  outcome:  success or failure without keys
//!                                       pressure: counts by address
//! ```
//!
//! No code in this module reads a clock. Time is the time of the packets, in microseconds
//! since the epoch, and it may run backwards.
//!
//! Fields from messages that were not captured are omitted. If the capture begins in the
//! middle of an SA, the view has no handshake time and no algorithms, and the order of
//! exchanges is not checked.
//!
//! Two threads may parse the flows of an SA in another order than the packets were sent. The
//! state, algorithms, times and counts of the SA are the same in the end. docs/sa-tracking.md
//! lists what does depend on the order, and tests/run_modes.rs compares the results.
#![forbid(unsafe_code)]

use std::net::IpAddr;

use crate::message::Message;
use crate::named::named;
use crate::wire::registry::NotifyType;

mod child_pfs;
mod clock;
mod copies;
mod decrypted_content;
mod esp;
mod exchange;
pub mod fragment;
mod limits;
mod lineage;
mod location;
pub mod nat;
pub mod negotiation;
mod of_flow;
mod outcome;
mod pressure;
mod record;
mod rekeying;
mod report;
mod slab;
mod step;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod transcript;

pub(crate) use esp::is_abnormal as is_abnormal_esp;
pub use esp::{EspCounts, FlowEsp, FlowSa, SentEsp};
pub use limits::Limits;
pub use lineage::MAX_CHILDREN;
pub use nat::Nat;
pub use negotiation::Chosen;
pub use of_flow::{FlowSas, Joined, SaOfFlow};
pub use report::{Outcome, SaReport};
pub use summary::{
    Capabilities, Capability, CertificateSummary, DecryptedSummary, EventCounts, PeerIdentity,
    PeerSummary, Summary, MAX_EVENT_KINDS, MAX_PRODUCTS,
};
pub use table::{Counters, SaTable};
pub use transcript::FullTranscript;

/// The address and port of one end of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The IP address.
    pub address: IpAddr,
    /// The UDP port.
    pub port: u16,
}

/// A message with the addresses and the time of its packet.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The message.
    pub message: &'a Message,
    /// The source of the datagram.
    pub from: Endpoint,
    /// The destination of the datagram.
    pub to: Endpoint,
    /// The time of the packet in microseconds since the epoch.
    pub time: u64,
}

named! {
    /// The state of an IKE SA.
    #[derive(Default)]
    pub enum State: str {
        /// IKE_SA_INIT was sent. It was not answered, or the responder asked for another key
        /// exchange method.
        #[default]
        HalfOpen = "half_open",
        /// The responder asked for a cookie (RFC 7296, 2.6).
        Cookie = "cookie",
        /// IKE_SA_INIT is complete.
        InitDone = "init_done",
        /// IKE_AUTH has begun.
        Authenticating = "authenticating",
        /// Both peers are authenticated, or the first captured message belongs to an SA in
        /// use.
        Established = "established",
        /// The handshake ended without an SA.
        Failed = "failed",
        /// The SA was deleted.
        Closed = "closed",
    }
}

impl State {
    /// Whether the handshake is still in progress. In these states the responder keeps state
    /// for a peer that it has not authenticated.
    pub fn is_half_open(self) -> bool {
        matches!(self, Self::HalfOpen | Self::Cookie | Self::InitDone | Self::Authenticating)
    }
}

/// The reason why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The responder sent this notify unencrypted.
    Notify(NotifyType),
    /// A peer sent this notify in a message that was decrypted.
    Decrypted(NotifyType),
    /// EAP failed, as a decrypted message says.
    EapFailure,
    /// The responder refused the authentication of the initiator.
    RefusedByResponder,
    /// The initiator refused the authentication of the responder, or gave up EAP.
    RefusedByInitiator,
    /// The initiator repeated its request for as long as a half-open SA is kept, or its last
    /// request had no answer.
    NoAnswer,
    /// The initiator had an answer and did not continue.
    Abandoned,
}

impl Reason {
    /// The name in records. A notify without an assigned name is `unknown_notify`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notify(kind) | Self::Decrypted(kind) => kind.name().unwrap_or("unknown_notify"),
            Self::EapFailure => "eap_failure",
            Self::RefusedByResponder => "refused_by_responder",
            Self::RefusedByInitiator => "refused_by_initiator",
            Self::NoAnswer => "no_answer",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether one peer did not accept the authentication of the other.
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::RefusedByResponder
                | Self::RefusedByInitiator
                | Self::EapFailure
                | Self::Decrypted(NotifyType::AUTHENTICATION_FAILED)
        )
    }

    /// Whether the reason is concluded from sizes and times, not read in a message.
    pub fn is_inferred(self) -> bool {
        matches!(
            self,
            Self::RefusedByResponder | Self::RefusedByInitiator | Self::NoAnswer | Self::Abandoned
        )
    }
}

/// The failure of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason.
    pub reason: Reason,
    /// Whether the reason is concluded from sizes and times, not read in a message.
    pub inferred: bool,
}

/// The relations of an IKE SA to other SAs, known from decrypted messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineageView {
    /// The id of the IKE SA that this one replaced or was cloned from.
    pub parent: Option<u64>,
    /// Whether this SA is a clone (RFC 7791). Then the parent stays in use with its child SAs.
    pub is_clone: bool,
    /// Whether the parent is concluded from sizes and times. Then the algorithms are the
    /// parent's.
    pub inferred: bool,
    /// The SPIs of the child SAs, from both ends. Empty if the SA is not established.
    pub child_spis: Vec<u32>,
}

/// The state of an SA after one of its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaView {
    /// The id, the same for all messages of the SA and in every run. It is made from the
    /// initiator's SPI alone, because the responder's SPI is not known at first.
    pub id: u64,
    /// The state.
    pub state: State,
    /// Whether a message after the handshake proves that the SA is established. Until then
    /// another round of EAP may follow.
    pub confirmed: bool,
    /// The last known address of the original initiator.
    pub initiator: Option<Endpoint>,
    /// The last known address of the original responder.
    pub responder: Option<Endpoint>,
    /// The time of the first message, in microseconds since the epoch.
    pub started: u64,
    /// The seconds since the first message.
    pub age_s: u32,
    /// The number of messages. Each datagram counts as one.
    pub messages: u32,
    /// The number of messages that are byte for byte the same as an earlier one.
    pub retransmissions: u32,
    /// The number of copies that the tap made. They are not in any other count.
    pub duplicates: u32,
    /// Whether messages of both peers were seen.
    pub mutual: bool,
    /// The microseconds from the last request that was sent once to its response.
    pub round_trip_us: Option<u32>,
    /// The milliseconds from the first IKE_SA_INIT to the response that established the SA.
    pub handshake_ms: Option<u32>,
    /// Which peers are behind a NAT.
    pub nat: Nat,
    /// The chosen algorithms of the IKE SA.
    pub chosen: Option<Chosen>,
    /// Which peers announced that they authenticate the whole of IKE_SA_INIT.
    pub full_transcript: Option<FullTranscript>,
    /// The status of the fragments, if the message is a fragment.
    pub fragments: Option<fragment::Status>,
    /// The failure, in state `failed`.
    pub failure: Option<Failure>,
    /// The ESP packets in UDP of the SA's flows.
    pub esp: EspCounts,
    /// The relations to other SAs. None without keys.
    pub lineage: Option<Box<LineageView>>,
    /// The number of half-open SAs of this responder.
    pub half_open: u32,
    /// The number of refused authentications of this initiator within the window.
    pub auth_failures: u32,
    /// The number of IKE_SA_INIT requests of this initiator within the window. Retransmissions
    /// do not count.
    pub init_rate: u32,
    /// The report of the SA, if the message settled or ended it and SAs have reports.
    pub report: Option<Box<SaReport>>,
}
