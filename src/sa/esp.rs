//! ESP in UDP: the ESP packets in the flows of an IKE SA, and what they prove.
//!
//! Packets are counted in the flow, without access to the table of SAs. [`FlowEsp`] keeps the
//! counts of a flow until there are enough to add them to the SA. A packet costs some
//! additions.

use crate::message::Direction;
use crate::wire::registry::ExchangeType;

use super::{exchange, SaTable, SaView, State};

/// The smallest ESP packet in bytes (RFC 4303, 2). It has SPI and Sequence Number (8), and
/// then one of two: the shortest initialization vector and ciphertext of a cipher (8 and 8),
/// or the shortest contents with a checksum of 96 bits and no cipher (4 and 12).
const SMALLEST: usize = 24;

/// The largest ESP packet in bytes. Its contents are the largest jumbo frame in use, 9,216
/// bytes. ESP adds at most a header of 8, an initialization vector of 16, padding of 16 and a
/// checksum of 32 bytes.
const LARGEST: usize = 9216 + 72;

/// Contents with padding, and the checksum, are each a multiple of this (RFC 4303, 2.4 and
/// 2.8).
const UNIT: usize = 4;

/// The maximum number of packets in a flow that are not yet added to the SA.
const MOST_WAITING: u32 = 1024;

/// Whether no correct peer sends ESP packets of this length in bytes.
pub(crate) fn is_abnormal(length: usize) -> bool {
    !(SMALLEST..=LARGEST).contains(&length) || !length.is_multiple_of(UNIT)
}

/// The ESP packets that one end sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SentEsp {
    /// The number of packets.
    pub packets: u32,
    /// The number of bytes, from the SPI on.
    pub bytes: u64,
}

impl core::ops::Add for SentEsp {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            packets: self.packets.saturating_add(other.packets),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// The counts of ESP packets in both directions. Arrays need less space than two of
/// [`SentEsp`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EspCounts {
    /// The bytes that each end sent.
    bytes: [u64; 2],
    /// The packets that each end sent.
    packets: [u32; 2],
    /// The packets of abnormal size, from both ends.
    abnormal: u32,
}

impl EspCounts {
    /// The packets of the initiator.
    pub fn from_initiator(&self) -> SentEsp {
        SentEsp { packets: self.packets[0], bytes: self.bytes[0] }
    }

    /// The packets of the responder.
    pub fn from_responder(&self) -> SentEsp {
        SentEsp { packets: self.packets[1], bytes: self.bytes[1] }
    }

    /// The number of packets that are smaller than ESP can be, larger than a link can carry,
    /// or of a length that is not a multiple of 4. Both directions together.
    pub fn abnormal(&self) -> u32 {
        self.abnormal
    }

    /// Whether there was no packet.
    pub fn is_empty(&self) -> bool {
        self.packets == [0; 2]
    }

    pub(crate) fn add(&mut self, more: &Self) {
        for end in [0, 1] {
            self.bytes[end] = self.bytes[end].saturating_add(more.bytes[end]);
            self.packets[end] = self.packets[end].saturating_add(more.packets[end]);
        }
        self.abnormal = self.abnormal.saturating_add(more.abnormal);
    }

    pub(super) fn count(&mut self, end: usize, length: usize) {
        self.bytes[end] = self.bytes[end].saturating_add(length as u64);
        self.packets[end] = self.packets[end].saturating_add(1);
        self.abnormal = self.abnormal.saturating_add(is_abnormal(length).into());
    }

    /// The same counts with the ends swapped.
    fn turned(mut self) -> Self {
        self.bytes.reverse();
        self.packets.reverse();
        self
    }
}

/// An IKE SA in a flow.
#[derive(Clone, Copy, Debug)]
pub struct FlowSa {
    /// The initiator's SPI.
    pub init_spi: [u8; 8],
    /// The responder's SPI.
    pub resp_spi: [u8; 8],
    /// Whether the initiator is the client of the flow.
    pub initiator_is_client: bool,
}

impl FlowSa {
    /// Whether both are the same SA.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.init_spi, self.resp_spi) == (other.init_spi, other.resp_spi)
    }
}

/// The evidence that an SA is real. Anybody who knows the addresses of a flow can send a
/// single message from one end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    /// One message.
    #[default]
    OneMessage,
    /// Several messages of one end.
    OneSided,
    /// Messages of both ends.
    Mutual,
}

impl Evidence {
    fn of(view: &SaView) -> Self {
        match view.mutual {
            true => Self::Mutual,
            false if view.messages > 1 => Self::OneSided,
            false => Self::OneMessage,
        }
    }
}

/// The ESP packets of a flow that are not yet added to an SA. The client's count is first.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowEsp {
    /// The SA to which the ESP packets of the flow belong. None before its first message.
    owner: Option<FlowSa>,
    /// The highest evidence for the owner so far.
    evidence: Evidence,
    waiting: EspCounts,
    /// The number of packets that may wait. It is small at first, so that a successful
    /// handshake is recognized soon.
    patience: u32,
    /// The last ESP SPI in each direction.
    spis: [u32; 2],
    /// The ESP SPIs that the flow had before its owner began. They belong to an SA that ended
    /// or was not seen. 0 for none, as no SPI is 0.
    strays: [u32; 2],
}

impl FlowEsp {
    /// Counts a packet.
    pub fn count(&mut self, direction: Direction, spi: u32, length: usize) {
        let end = usize::from(direction == Direction::ToClient);
        self.spis[end] = spi;
        if self.strays[end] != spi {
            self.waiting.count(end, length);
        }
    }

    /// Whether there are enough packets to add them to the SA.
    pub fn is_due(&self) -> bool {
        let [one, other] = self.waiting.packets;
        self.owner.is_some() && one.saturating_add(other) > self.patience
    }

    /// Returns the counts with their SA and resets them. The initiator's count is first. None
    /// if there are no packets.
    pub fn hand_over(&mut self) -> Option<(FlowSa, EspCounts)> {
        let owner = self.owner.filter(|_| !self.waiting.is_empty())?;
        self.patience = (self.patience * 2 + 1).min(MOST_WAITING);
        let waiting = core::mem::take(&mut self.waiting);
        Some((owner, if owner.initiator_is_client { waiting } else { waiting.turned() }))
    }

    /// Adds the counts to their SA.
    pub fn report(&mut self, table: &SaTable) {
        if let Some((sa, esp)) = self.hand_over() {
            table.count_esp(&sa, &esp);
        }
    }

    /// Whether the last ESP packet in this direction had this SPI.
    pub fn is_last_spi(&self, direction: Direction, spi: u32) -> bool {
        self.spis[usize::from(direction == Direction::ToClient)] == spi
    }

    /// Whether the flow has carried ESP.
    pub fn has_spi(&self) -> bool {
        self.spis != [0; 2]
    }

    /// Updates the owner of the flow's ESP from the SA of a message. An established SA becomes
    /// the owner if there is as much evidence for it as for the present owner. An SA in its
    /// handshake becomes the owner only if there is none.
    pub fn follow(&mut self, sa: FlowSa, exchange: ExchangeType, view: &SaView) {
        let refused = view.failure.is_some_and(|failure| failure.reason.is_refusal());
        if view.state == State::Closed || refused {
            if self.is_of(&sa) {
                *self = Self { spis: self.spis, ..Self::default() };
            }
            return;
        }
        let evidence = Evidence::of(view);
        let is_in_use = view.state == State::Established;
        let may_own = evidence > Evidence::OneMessage
            && evidence >= self.evidence
            && (is_in_use || self.owner.is_none() && sa.resp_spi != [0; 8]);
        if self.is_of(&sa) {
            self.evidence = self.evidence.max(evidence);
        } else if may_own {
            self.set_owner(sa, is_in_use && exchange::is_use(exchange));
            self.evidence = evidence;
        }
    }

    fn is_of(&self, sa: &FlowSa) -> bool {
        self.owner.is_some_and(|owner| owner.is_same(sa))
    }

    /// Sets the owner. Earlier ESP packets cannot belong to an SA that is in its handshake,
    /// only to an SA in use.
    fn set_owner(&mut self, sa: FlowSa, in_use: bool) {
        if self.owner.is_none() && !in_use {
            (self.waiting, self.strays) = (EspCounts::default(), self.spis);
        }
        self.patience = 0;
        self.owner = Some(sa);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{ToClient, ToServer};

    const SA: FlowSa = FlowSa { init_spi: [1; 8], resp_spi: [2; 8], initiator_is_client: true };
    const OTHER: FlowSa = FlowSa { init_spi: [3; 8], ..SA };
    const AUTH: ExchangeType = ExchangeType::IKE_AUTH;
    const CHECK: ExchangeType = ExchangeType::INFORMATIONAL;

    fn view(state: State) -> SaView {
        SaView { state, mutual: true, messages: 2, ..SaView::default() }
    }

    /// The view of an SA of which one end alone has sent this number of messages.
    fn one_sided(messages: u32) -> SaView {
        SaView { mutual: false, messages, ..view(State::Established) }
    }

    fn owned(sa: FlowSa) -> FlowEsp {
        let mut flow = FlowEsp::default();
        flow.follow(sa, AUTH, &view(State::Established));
        flow
    }

    #[test]
    fn sizes_are_those_of_esp() {
        for length in [24, 28, 100, 1400, 9288] {
            assert!(!is_abnormal(length), "{length}");
        }
        for length in [0, 8, 20, 23, 25, 26, 1401, 9292, 65_507] {
            assert!(is_abnormal(length), "{length}");
        }
    }

    #[test]
    fn the_ends_are_those_of_the_sa_and_not_of_the_flow() {
        for (initiator_is_client, ends) in [(true, [1, 2]), (false, [2, 1])] {
            let mut flow = owned(FlowSa { initiator_is_client, ..SA });
            flow.count(ToServer, 7, 100);
            flow.count(ToClient, 8, 60);
            flow.count(ToClient, 8, 61);
            let (_, esp) = flow.hand_over().expect("counts");
            let sent = [esp.from_initiator(), esp.from_responder()];
            assert_eq!(sent.map(|sent| sent.packets), ends);
            assert_eq!(sent.map(|sent| sent.bytes), ends.map(|end| [0, 100, 121][end as usize]));
            assert_eq!(esp.abnormal(), 1);
            assert!(flow.hand_over().is_none());
        }
    }

    #[test]
    fn counts_wait_longer_and_longer() {
        let mut flow = owned(SA);
        let mut handed_over = Vec::new();
        for packet in 1..=5000 {
            flow.count(ToServer, 7, 100);
            if flow.is_due() {
                flow.hand_over();
                handed_over.push(packet);
            }
        }
        assert_eq!(handed_over[..6], [1, 3, 7, 15, 31, 63]);
        assert_eq!(handed_over.len(), 13);
    }

    #[test]
    fn what_a_flow_carried_before_a_handshake_is_not_its() {
        let mut flow = FlowEsp::default();
        flow.count(ToServer, 7, 100);
        flow.follow(SA, AUTH, &view(State::Authenticating));
        flow.count(ToServer, 7, 100);
        assert!(flow.hand_over().is_none());
        flow.count(ToServer, 9, 100);
        assert_eq!(flow.hand_over().map(|(_, esp)| esp.from_initiator().packets), Some(1));
    }

    #[test]
    fn what_a_flow_carried_before_an_sa_in_use_is_its() {
        let mut flow = FlowEsp::default();
        flow.count(ToServer, 7, 100);
        assert!(!flow.is_due() && flow.hand_over().is_none());
        flow.follow(SA, CHECK, &view(State::Established));
        flow.count(ToServer, 7, 100);
        assert_eq!(flow.hand_over().map(|(_, esp)| esp.from_initiator().packets), Some(2));
    }

    #[test]
    fn an_sa_carries_on_until_another_is_established_or_it_ends() {
        let owner = |flow: &FlowEsp| flow.owner.map(|sa| sa.init_spi[0]);
        let mut flow = owned(SA);
        flow.follow(OTHER, AUTH, &view(State::Authenticating));
        assert_eq!(owner(&flow), Some(1));
        flow.follow(OTHER, AUTH, &view(State::Established));
        assert_eq!(owner(&flow), Some(3));
        flow.follow(SA, CHECK, &view(State::Closed));
        assert_eq!(owner(&flow), Some(3));
        flow.follow(OTHER, CHECK, &view(State::Closed));
        assert_eq!(owner(&flow), None);
        let unnamed = FlowSa { resp_spi: [0; 8], ..SA };
        flow.follow(unnamed, AUTH, &view(State::HalfOpen));
        assert_eq!(owner(&flow), None);
    }

    #[test]
    fn one_message_takes_no_esp() {
        let owner = |flow: &FlowEsp| flow.owner.map(|sa| sa.init_spi[0]);
        let mut flow = FlowEsp::default();
        flow.count(ToServer, 7, 100);
        flow.follow(OTHER, CHECK, &one_sided(1));
        assert_eq!(owner(&flow), None);
        flow.follow(SA, CHECK, &view(State::Established));
        for messages in [1, 2, 100] {
            flow.follow(OTHER, CHECK, &one_sided(messages));
            assert_eq!(owner(&flow), Some(1));
        }
        assert_eq!(flow.hand_over().map(|(_, esp)| esp.from_initiator().packets), Some(1));
    }

    #[test]
    fn where_one_end_is_seen_a_second_message_takes_the_esp() {
        let owner = |flow: &FlowEsp| flow.owner.map(|sa| sa.init_spi[0]);
        let mut flow = FlowEsp::default();
        flow.follow(SA, CHECK, &one_sided(2));
        assert_eq!(owner(&flow), Some(1));
        flow.follow(OTHER, CHECK, &one_sided(1));
        assert_eq!(owner(&flow), Some(1));
        flow.follow(OTHER, CHECK, &one_sided(2));
        assert_eq!(owner(&flow), Some(3));
    }

    #[test]
    fn a_wrong_flag_does_not_turn_the_ends_round() {
        let mut flow = owned(SA);
        let turned = FlowSa { initiator_is_client: false, ..SA };
        flow.follow(turned, CHECK, &view(State::Established));
        flow.count(ToServer, 7, 100);
        assert_eq!(flow.hand_over().map(|(_, esp)| esp.from_initiator().packets), Some(1));
    }

    #[test]
    fn sums_stay_at_their_top() {
        let most = EspCounts { bytes: [u64::MAX; 2], packets: [u32::MAX; 2], abnormal: u32::MAX };
        let mut sum = most;
        sum.add(&most);
        sum.count(0, 1);
        assert_eq!(sum, most);
        assert_eq!((most.from_initiator() + most.from_responder()).packets, u32::MAX);
    }
}
