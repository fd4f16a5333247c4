//! The only entry point: a datagram of a flow becomes transactions.
//!
//! [`FlowContext::on_datagram`] calls the parts in the only correct order:
//!
//! 1. Distinguish messages from ESP and keepalives.
//! 2. Decode the message.
//! 3. Decrypt earlier messages if their keys have come since.
//! 4. Decrypt the message itself.
//! 5. Track the message in its IKE SA.
//!
//! Most datagrams of a tunnel are ESP. They are only counted in the flow, so they cost little.

use crate::decrypt::{DecryptError, DecryptOutcome, Decryptor, PendingMessage, PendingSas};
use crate::message::{Direction, Event, EventSet, Message, Role, Transport};
use crate::policy::Policy;
use crate::sa::{
    is_abnormal_esp, Endpoint, FlowEsp, FlowSa, Observation, SaReport, SaTable, SaView,
};
use crate::tx::Transaction;
use crate::wire::{
    classify, detect, detect_expected, detect_if_known, Carrier, Datagram, DetectedMessage,
    ErrorKind, ParseError,
};

mod bypass;

pub use bypass::LentEsp;

/// The parts that all flows share.
#[derive(Clone, Copy)]
pub struct Engines<'a> {
    /// The policy that judges proposals.
    pub policy: &'static Policy,
    /// The table of IKE SAs. None if SAs are not tracked.
    pub sa_table: Option<&'a SaTable>,
    /// The decryptor with the operator's keys. None if nothing is decrypted.
    pub decryptor: Option<&'a Decryptor>,
}

impl Default for Engines<'_> {
    /// The default policy, without tracking and without keys.
    fn default() -> Self {
        Self { policy: Policy::standard(), sa_table: None, decryptor: None }
    }
}

/// The packet that carried a datagram. The methods are called only if the value is needed.
pub trait Packet {
    /// The direction in the flow.
    fn direction(&self) -> Direction;
    /// The source and the destination. None without IP addresses.
    fn endpoints(&self) -> Option<(Endpoint, Endpoint)>;
    /// The capture time in microseconds since the epoch.
    fn time(&self) -> u64;
    /// The packet carries ESP, which only its receiver can read. `is_answered` says whether messages
    /// of both ends were seen in the flow.
    fn on_esp(&self, _is_answered: bool) {}
}

/// A packet whose values are all known.
#[derive(Clone, Copy, Debug)]
pub struct CapturedPacket {
    /// The direction in the flow.
    pub direction: Direction,
    /// The source.
    pub source: Endpoint,
    /// The destination.
    pub destination: Endpoint,
    /// The capture time in microseconds since the epoch.
    pub time: u64,
}

impl Packet for CapturedPacket {
    fn direction(&self) -> Direction {
        self.direction
    }

    fn endpoints(&self) -> Option<(Endpoint, Endpoint)> {
        Some((self.source, self.destination))
    }

    fn time(&self) -> u64 {
        self.time
    }
}

/// A packet with a direction and nothing else. Its messages are not tracked.
impl Packet for Direction {
    fn direction(&self) -> Direction {
        *self
    }

    fn endpoints(&self) -> Option<(Endpoint, Endpoint)> {
        None
    }

    fn time(&self) -> u64 {
        0
    }
}

/// The transactions of one datagram.
#[derive(Debug)]
pub struct Transactions {
    /// Earlier messages that were decrypted now, in the order of their packets.
    pub late: Vec<Transaction>,
    /// The message of the datagram. None if the datagram has no message.
    pub own: Option<Transaction>,
    /// Reports of SAs that are written with this datagram. Most are of other flows.
    pub ended: Vec<Box<SaReport>>,
    /// The report of the message's own SA.
    pub report: Option<Box<SaReport>>,
    /// Whether this is the first message of a flow that was not known to carry IKE.
    pub is_first: bool,
}

/// The maximum number of reports that are taken for one datagram. A message removes at most
/// this number of SAs, except when all of them are searched.
const REPORTS_AT_ONCE: usize = 4;

impl Transactions {
    /// Late messages and reports alone. This is inline so that nothing is copied for ESP.
    #[inline]
    fn of_late(engines: &Engines<'_>, late: Vec<Transaction>) -> Option<Self> {
        let ended = reports(engines);
        match late.is_empty() && ended.is_empty() {
            true => None,
            false => Some(Self { late, own: None, ended, report: None, is_first: false }),
        }
    }
}

/// Reports that wait for a packet.
#[inline]
#[expect(clippy::vec_box, reason = "a report is large and moves on to the host")]
fn reports(engines: &Engines<'_>) -> Vec<Box<SaReport>> {
    let Some(table) = engines.sa_table else { return Vec::new() };
    core::iter::from_fn(|| table.take_report()).take(REPORTS_AT_ONCE).collect()
}

impl IntoIterator for Transactions {
    type Item = Transaction;
    type IntoIter =
        std::iter::Chain<std::vec::IntoIter<Transaction>, std::option::IntoIter<Transaction>>;

    fn into_iter(self) -> Self::IntoIter {
        self.late.into_iter().chain(self.own)
    }
}

/// The state of a flow between its datagrams.
#[derive(Clone, Debug)]
pub struct FlowContext {
    transport: Transport,
    carrier: Carrier,
    /// The carrier that the ports alone show.
    ports: Carrier,
    /// Whether the flow is known to carry IKE. Until then it may be ESP of other peers.
    is_ike: bool,
    /// Whether a message was seen from the client, and from the server.
    heard: [bool; 2],
    /// The IKE SA of the flow's last message. A keepalive has no SPI, so it belongs to this
    /// SA. An SA with a single message from one end is not stored here.
    last: Option<FlowSa>,
    esp: FlowEsp,
    /// The IKE SAs of the flow with messages that wait for keys.
    pending: PendingSas,
}

impl FlowContext {
    /// A flow between these ports. It is not known whether the flow carries IKE, so a message
    /// is accepted only if [`find_message`] finds it.
    pub fn between(source: u16, destination: u16) -> Self {
        let carrier = carrier_between(source, destination);
        let transport = Transport::of_ports(source, destination);
        Self { carrier, ports: carrier, is_ike: false, ..Self::new(transport) }
    }

    /// A flow over this transport that is known to carry IKE.
    pub fn new(transport: Transport) -> Self {
        let carrier = Carrier {
            port_500: transport == Transport::Udp500,
            encapsulated: transport == Transport::Udp4500,
        };
        Self {
            transport,
            carrier,
            ports: carrier,
            is_ike: true,
            heard: [false; 2],
            last: None,
            esp: FlowEsp::default(),
            pending: PendingSas::default(),
        }
    }

    /// The same flow, known to carry IKE. Every datagram that may be a message is decoded.
    pub fn carrying_ike(self) -> Self {
        Self { is_ike: true, ..self }
    }

    /// Handles a datagram of the flow. None if there is no transaction: for ESP, a keepalive,
    /// an empty datagram, or data that is not IKE.
    #[inline]
    pub fn on_datagram(
        &mut self,
        engines: &Engines<'_>,
        packet: &impl Packet,
        data: &[u8],
    ) -> Option<Transactions> {
        match classify(data, self.carrier) {
            Datagram::Message { marker, bytes } => {
                let start = data.len() - bytes.len();
                if self.is_ike || self.begins(engines, data) {
                    return Some(self.on_message(engines, packet, data, start, marker));
                }
            }
            Datagram::Esp { spi, .. } => {
                self.esp.count(packet.direction(), spi, data.len());
                if !is_abnormal_esp(data.len()) {
                    packet.on_esp(self.is_answered());
                }
            }
            Datagram::Keepalive => return self.on_keepalive(engines, packet),
            Datagram::Empty => {}
        }
        let late = self.late_alone(engines, packet);
        if self.esp.is_due() {
            self.finish(engines);
        }
        Transactions::of_late(engines, late)
    }

    /// Ends the flow. Its last ESP packets are counted in its IKE SA.
    pub fn finish(&mut self, engines: &Engines<'_>) {
        if let Some(table) = engines.sa_table {
            self.esp.report(table);
        }
    }

    /// Whether a message shows that the flow carries IKE. A flow of ESP may belong to other
    /// peers, so nothing is reported for it before.
    #[inline(never)]
    fn begins(&self, engines: &Engines<'_>, data: &[u8]) -> bool {
        find_message(self.ports, data, engines.sa_table).is_some()
    }

    /// Handles a message that begins at `start` of the datagram. This is a separate function
    /// so that ESP does not pay for its stack frame.
    #[inline(never)]
    fn on_message(
        &mut self,
        engines: &Engines<'_>,
        packet: &impl Packet,
        data: &[u8],
        start: usize,
        marker: bool,
    ) -> Transactions {
        let is_first = !self.is_ike;
        self.is_ike = true;
        self.carrier.encapsulated |= marker && !self.carrier.port_500;
        let direction = packet.direction();
        let mut message = Message::decode(data, start, direction, self.transport, engines.policy);
        self.heard[usize::from(direction == Direction::ToClient)] |= message.header.is_some();
        let mut late = Vec::new();
        if let Some(decryptor) = engines.decryptor {
            late = self.decrypt_late(engines, packet, decryptor, Some(&message));
            self.decrypt(&mut message, decryptor, engines.policy);
        }
        let mut sa = engines.sa_table.and_then(|table| self.track(&mut message, table, packet));
        let report = sa.as_mut().and_then(|sa| sa.report.take());
        let (own, ended) = (Some(Transaction::new(message, sa)), reports(engines));
        Transactions { late, own, ended, report, is_first }
    }

    /// Reports a NAT keepalive (RFC 3948, 2.3) to the IKE SA of the flow's last message. Only
    /// a peer that has found that it is behind a NAT sends keepalives.
    #[inline(never)]
    fn on_keepalive(
        &mut self,
        engines: &Engines<'_>,
        packet: &impl Packet,
    ) -> Option<Transactions> {
        let late = self.late_alone(engines, packet);
        if let Some((sa, table)) = self.last.zip(engines.sa_table) {
            let from_initiator =
                sa.initiator_is_client == (packet.direction() == Direction::ToServer);
            table.observe_keepalive(sa.init_spi, sa.resp_spi, from_initiator);
        }
        Transactions::of_late(engines, late)
    }

    /// Earlier messages that can be decrypted now, if the datagram has no message of its own.
    #[inline]
    fn late_alone(&mut self, engines: &Engines<'_>, packet: &impl Packet) -> Vec<Transaction> {
        match engines.decryptor {
            Some(decryptor) => self.decrypt_late(engines, packet, decryptor, None),
            None => Vec::new(),
        }
    }

    /// Counts a message in its IKE SA and adds the events of the sequence. Returns the state
    /// of the SA.
    fn track(
        &mut self,
        message: &mut Message,
        table: &SaTable,
        packet: &impl Packet,
    ) -> Option<SaView> {
        let (from, to) = packet.endpoints()?;
        self.esp.report(table);
        let observation = Observation { message, from, to, time: packet.time() };
        let (mut view, events) = table.observe(&observation)?;
        if let Some((sa, header)) = in_flow(message).zip(message.header) {
            self.esp.follow(sa, header.exchange_type, &view);
            // ESP packets that the flow carried before now belong to the SA.
            if let Some((sa, esp)) = self.esp.hand_over() {
                table.count_esp(&sa, &esp);
                view.esp.add(&esp);
            }
            // Anybody can send a single message, also one with the opposite Initiator flag.
            let is_known = self.last.is_some_and(|last| last.is_same(&sa));
            if !is_known && (view.mutual || view.messages > 1) {
                self.last = Some(sa);
            }
        }
        message.events.merge(events);
        Some(view)
    }

    /// Decrypts a message, or stores its SA if there are no keys yet.
    fn decrypt(&mut self, message: &mut Message, decryptor: &Decryptor, policy: &'static Policy) {
        let Some(decryption) = decryptor.decrypt(message) else { return };
        if let (DecryptOutcome::NoKeys, Some(header)) = (&decryption, &message.header) {
            self.pending.add(header.into());
        }
        add_decryption(decryption, message, false, policy);
    }

    /// Decrypts messages for which keys have come since their packets. These are messages of
    /// the same SA, and messages that the same flow carried. The host inspects a transaction
    /// with the current packet, so the messages get its direction. Their headers say who sent
    /// them.
    fn decrypt_late(
        &mut self,
        engines: &Engines<'_>,
        packet: &impl Packet,
        decryptor: &Decryptor,
        message: Option<&Message>,
    ) -> Vec<Transaction> {
        let mut pending = self.pending.take(decryptor);
        pending.extend(message.into_iter().flat_map(|message| decryptor.take_pending(message)));
        let decrypt = |pending: &PendingMessage| {
            decrypt_pending(pending, packet.direction(), decryptor, engines.policy)
        };
        let messages: Vec<_> = pending.iter().filter_map(decrypt).collect();
        let track = |mut message: Message| {
            let sa = engines.sa_table.and_then(|table| track_late(&mut message, table, packet));
            Transaction::new(message, sa)
        };
        messages.into_iter().map(track).collect()
    }
}

/// Decrypts a message that waited for keys. None if there is nothing new. What was reported
/// with its packet is not reported again.
fn decrypt_pending(
    pending: &PendingMessage,
    direction: Direction,
    decryptor: &Decryptor,
    policy: &'static Policy,
) -> Option<Message> {
    let PendingMessage { datagram, message_start, transport, .. } = pending;
    let mut message = Message::decode(datagram, *message_start, direction, *transport, policy);
    message.events = EventSet::default();
    message.errors.clear();
    let decryption = decryptor.decrypt_late(&message)?;
    let is_new = matches!(decryption, DecryptOutcome::Plaintext(..) | DecryptOutcome::Failed(_));
    add_decryption(decryption, &mut message, true, policy);
    is_new.then_some(message)
}

/// Reports a late message to its IKE SA and adds the events that follow.
fn track_late(message: &mut Message, table: &SaTable, packet: &impl Packet) -> Option<SaView> {
    let (mut view, events) = table.observe_late(message, packet.time())?;
    table.keep_report(view.report.take());
    message.events.merge(events);
    Some(view)
}

fn add_decryption(
    decryption: DecryptOutcome,
    message: &mut Message,
    late: bool,
    policy: &'static Policy,
) {
    match decryption {
        DecryptOutcome::Plaintext(first, plaintext) => {
            message.add_decrypted(first, &plaintext, late, policy);
        }
        DecryptOutcome::Failed(DecryptError::Malformed) => message.report(ParseError {
            kind: ErrorKind::MalformedPayload,
            field: "Padding",
            offset: message.outer_payloads().last().map_or(0, |payload| payload.offset),
        }),
        DecryptOutcome::Failed(_) => message.events.insert(Event::IntegrityFailed),
        DecryptOutcome::Fragment => message.decrypted_in_part = true,
        DecryptOutcome::NoKeys => {}
    }
}

/// The IKE SA of a message, and which end of the flow is its initiator.
fn in_flow(message: &Message) -> Option<FlowSa> {
    let (header, role) = message.header.zip(message.role())?;
    let from_client = message.direction == Direction::ToServer;
    Some(FlowSa {
        init_spi: header.init_spi,
        resp_spi: header.resp_spi,
        initiator_is_client: (role == Role::Initiator) == from_client,
    })
}

/// The port of G-IKEv2 (RFC 9838). GDOI uses it too (RFC 6407). Messages have the same form as
/// on port 500.
const G_IKEV2: u16 = 848;

/// Whether a flow between these ports is expected to carry IKE.
pub fn is_expected_between(source: u16, destination: u16) -> bool {
    [source, destination].iter().any(|port| matches!(*port, 500 | 4500 | G_IKEV2))
}

/// Finds a message in a flow that may carry IKE: one that proves itself, one that a peer may
/// answer, or one of an SA that is known, which is too odd to be certain otherwise.
pub fn find_message(
    ports: Carrier,
    data: &[u8],
    table: Option<&SaTable>,
) -> Option<DetectedMessage> {
    let sighting = detect(data).or_else(|| find_expected(ports, data));
    sighting.or_else(|| find_known(data, table?))
}

/// Finds a message of an IKE SA that is known.
pub fn find_known(data: &[u8], table: &SaTable) -> Option<DetectedMessage> {
    let (sighting, init_spi, resp_spi) = detect_if_known(data)?;
    table.contains(init_spi, resp_spi).then_some(sighting)
}

/// Finds a message that a peer may answer, as [`detect_expected`] does, in the form that the
/// ports have: without the non-ESP marker on 500 and 848, with it on 4500. [`classify`] tells
/// what is a marker, so that a message is decoded as it was found.
pub fn find_expected(ports: Carrier, data: &[u8]) -> Option<DetectedMessage> {
    let Datagram::Message { marker, .. } = classify(data, ports) else { return None };
    let has_form = marker || ports.port_500 || !ports.encapsulated;
    has_form.then(|| detect_expected(data, marker)).flatten()
}

/// What the ports of a flow say about the form of its datagrams.
pub fn carrier_between(source: u16, destination: u16) -> Carrier {
    let has_port = |port| source == port || destination == port;
    Carrier { port_500: has_port(500) || has_port(G_IKEV2), encapsulated: has_port(4500) }
}

#[cfg(test)]
mod tests;
