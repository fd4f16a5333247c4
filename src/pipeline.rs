//! The one place that joins the parts: a datagram of a flow becomes a transaction.

use core::cell::RefCell;
use std::sync::Arc;

use crate::anomaly;
use crate::cache::Cache;
use crate::decrypt::{Awaited, Decryptor, Failure, Held, Opening};
use crate::policy::{self, Finding, Policy, What};
use crate::proposal::{Proposal, ProposalSet, Transform};
use crate::sa::{Carrier as EspCarrier, Endpoint, InFlow, Observation, Table};
use crate::tx::{
    Derived, Direction, Event, EventSet, Judgement, PayloadEntry, Role, Scope, Transaction,
    Transport,
};
use crate::wire::registry::{Encr, ExchangeType, PayloadType, Protocol, TransformType};
use crate::wire::{
    auth, cert, certreq, cp, delete, eap, encrypted, id, ke, nonce, notify, ps, ts, vendor_id,
};
use crate::wire::{
    classify, detect_expected, Carrier, Datagram, ErrorKind, Message, ParseError, Payload,
    Payloads, Proposals, Sighting,
};

/// The most Notify payloads kept of one message.
pub const MAX_NOTIFIES: usize = 128;

/// How many payloads an IKE_SA_INIT usually has.
const USUAL_PAYLOADS: usize = 12;

/// What is known of a flow between its datagrams.
#[derive(Clone, Debug)]
pub struct FlowContext {
    transport: Transport,
    carrier: Carrier,
    /// The IKE SA of the flow's last message, for keepalives, which name none; one for
    /// which more than a single message speaks.
    last: Option<InFlow>,
    esp: EspCarrier,
    /// The IKE SAs of which messages are held that this flow carried.
    awaited: Awaited,
    policy: &'static Policy,
}

impl FlowContext {
    /// A flow between these ports, with the default policy.
    pub fn between(source: u16, destination: u16) -> Self {
        let carrier = carrier_between(source, destination);
        Self { carrier, ..Self::new(Transport::of_ports(source, destination)) }
    }

    /// A flow over this transport, with the default policy.
    pub fn new(transport: Transport) -> Self {
        Self {
            transport,
            policy: Policy::standard(),
            carrier: Carrier {
                port_500: transport == Transport::Udp500,
                encapsulated: transport == Transport::Udp4500,
            },
            last: None,
            esp: EspCarrier::default(),
            awaited: Awaited::default(),
        }
    }

    /// The same with another policy for its proposals.
    pub fn with_policy(self, policy: &'static Policy) -> Self {
        Self { policy, ..self }
    }
}

/// The port of G-IKEv2 (RFC 9838), which GDOI has too (RFC 6407); its messages are as on 500.
const G_IKEV2: u16 = 848;

/// Whether a flow between these ports is expected to carry IKE.
pub fn is_expected_between(source: u16, destination: u16) -> bool {
    [source, destination].iter().any(|port| matches!(*port, 500 | 4500 | G_IKEV2))
}

/// Finds a message that a peer may answer, as [`detect_expected`] does, in the form that the
/// ports have: without the non-ESP marker on 500 and 848, with it on 4500. What is a marker is
/// told by [`classify`], so that a message is decoded as it was found.
pub fn find_expected(source: u16, destination: u16, data: &[u8]) -> Option<Sighting> {
    let carrier = carrier_between(source, destination);
    let Datagram::Message { marker, .. } = classify(data, carrier) else { return None };
    let has_form = marker || carrier.port_500 || !carrier.encapsulated;
    has_form.then(|| detect_expected(data, marker)).flatten()
}

/// What the ports of a flow say of its datagrams.
fn carrier_between(source: u16, destination: u16) -> Carrier {
    let has_port = |port| source == port || destination == port;
    Carrier { port_500: has_port(500) || has_port(G_IKEV2), encapsulated: has_port(4500) }
}

/// Decodes a datagram of an IKE flow. ESP, keepalives and empty datagrams are
/// none of a transaction.
pub fn on_datagram(
    flow: &mut FlowContext,
    direction: Direction,
    data: &[u8],
) -> Option<Transaction> {
    match classify(data, flow.carrier) {
        Datagram::Message { marker, bytes } => {
            flow.carrier.encapsulated |= marker && !flow.carrier.port_500;
            Some(on_message(flow, direction, data, bytes))
        }
        Datagram::Esp { spi, .. } => {
            flow.esp.count(direction, spi, data.len());
            None
        }
        Datagram::Keepalive | Datagram::Empty => None,
    }
}

/// Decodes a message at the end of a datagram. Apart, so that ESP does not pay for its
/// stack frame.
#[inline(never)]
fn on_message(
    flow: &mut FlowContext,
    direction: Direction,
    data: &[u8],
    bytes: &[u8],
) -> Transaction {
    let start = data.len() - bytes.len();
    let mut tx = Transaction::new(data, start, direction, flow.transport);
    decode(bytes, &mut tx, flow.policy);
    tx
}

/// The IKE SA of a message, as its flow carries it.
fn in_flow(tx: &Transaction) -> Option<InFlow> {
    let (header, role) = tx.header.zip(tx.role())?;
    let from_client = tx.direction == Direction::ToServer;
    Some(InFlow {
        init_spi: header.init_spi,
        resp_spi: header.resp_spi,
        initiator_is_client: (role == Role::Initiator) == from_client,
    })
}

/// Hands what is no message to the IKE SA that it belongs to, behind
/// [`on_datagram`]: a NAT keepalive (RFC 3948, 2.3) to that of the flow's last message,
/// for only a peer that found itself behind a NAT sends them; ESP when enough has come.
pub fn track_other(flow: &mut FlowContext, direction: Direction, data: &[u8], table: &Table) {
    if data == [0xff] {
        if let Some(sa) = flow.last {
            let from_initiator = sa.initiator_is_client == (direction == Direction::ToServer);
            table.keep_alive(sa.init_spi, sa.resp_spi, from_initiator);
        }
    } else if flow.esp.is_due() {
        track_esp(flow, table);
    }
}

/// Counts the flow's ESP into its IKE SA. A flow that ends does so for the last time.
pub fn track_esp(flow: &mut FlowContext, table: &Table) {
    if let Some((sa, esp)) = flow.esp.take() {
        table.carry(&sa, &esp);
    }
}

/// Counts a message of the flow into its IKE SA; what is known of the SA, and the events
/// that only the sequence shows, become the transaction's.
pub fn track(
    flow: &mut FlowContext,
    tx: &mut Transaction,
    table: &Table,
    from: Endpoint,
    to: Endpoint,
    time: u64,
) {
    track_esp(flow, table);
    let observation = Observation { tx, from, to, time };
    let Some((mut view, events)) = table.observe(&observation) else { return };
    if let Some((sa, header)) = in_flow(tx).zip(tx.header) {
        flow.esp.follow(sa, header.exchange_type, &view);
        // What the flow carried before is the SA's from now on.
        if let Some((sa, esp)) = flow.esp.take() {
            table.carry(&sa, &esp);
            view.esp.add(&esp);
        }
        // One message can be sent by anybody, and by whoever turns a flag round.
        let is_known = flow.last.is_some_and(|last| last.is_same(&sa));
        if !is_known && (view.mutual || view.messages > 1) {
            flow.last = Some(sa);
        }
    }
    tx.sa = Some(view);
    tx.events.merge(events);
}

/// Opens a message with the operator's keys, behind [`late`].
pub fn decrypt(flow: &mut FlowContext, tx: &mut Transaction, decryptor: &Decryptor) {
    let Some(opening) = decryptor.open(tx) else { return };
    if let (Opening::NoKeys, Some(header)) = (&opening, &tx.header) {
        flow.awaited.add(header.into());
    }
    take_opening(opening, tx, false, flow.policy);
}

/// The messages that keys have come for since they went by, opened, as transactions of
/// their own: those of the SA of a message at hand, and those that the flow carried,
/// whatever its packet is. What is found in them is found now. The host inspects a
/// transaction with the packet at hand, so they have its direction; who sent them their
/// headers tell.
pub fn late(
    flow: &mut FlowContext,
    direction: Direction,
    tx: Option<&Transaction>,
    decryptor: &Decryptor,
) -> Vec<Transaction> {
    let mut held = flow.awaited.take(decryptor);
    held.extend(tx.into_iter().flat_map(|tx| decryptor.take_held(tx)));
    let late = held.iter().filter_map(|held| {
        let mut late = decode_again(held, direction, flow.policy);
        let opening = decryptor.open_late(&late)?;
        let tells = matches!(opening, Opening::Open(..) | Opening::Failed(_));
        take_opening(opening, &mut late, true, flow.policy);
        tells.then_some(late)
    });
    late.collect()
}

/// Tells the IKE SA of a late message what it says; what is known of the SA then, and the
/// events that follow, become the transaction's.
pub fn track_late(tx: &mut Transaction, table: &Table, time: u64) {
    let Some((view, events)) = table.learn(tx, time) else { return };
    tx.sa = Some(view);
    tx.events.merge(events);
}

/// A message that was held, without what was reported when it went by.
fn decode_again(held: &Held, direction: Direction, policy: &'static Policy) -> Transaction {
    let mut tx = Transaction::new(&held.datagram, held.message_start, direction, held.transport);
    let message = held.datagram.get(held.message_start..).unwrap_or(&[]);
    decode(message, &mut tx, policy);
    tx.events = EventSet::default();
    tx.errors.clear();
    tx
}

fn take_opening(opening: Opening, tx: &mut Transaction, late: bool, policy: &'static Policy) {
    match opening {
        Opening::Open(first, inside) => decode_inside(first, &inside, tx, late, policy),
        Opening::Failed(Failure::Form) => tx.report(ParseError {
            kind: ErrorKind::MalformedPayload,
            field: "Padding",
            offset: tx.outer_payloads().last().map_or(0, |payload| payload.offset),
        }),
        Opening::Failed(_) => tx.events.insert(Event::IntegrityFailed),
        Opening::Part => tx.opened_in_part = true,
        Opening::NoKeys => {}
    }
}

/// Decodes a chain of payloads as what is inside an encrypted message: for fuzz targets,
/// which cannot seal.
#[cfg(fuzzing)]
pub fn open_as(first: PayloadType, inside: &[u8], tx: &mut Transaction) {
    decode_inside(first, inside, tx, false, Policy::standard());
}

fn decode_inside(
    first: PayloadType,
    inside: &[u8],
    tx: &mut Transaction,
    late: bool,
    policy: &'static Policy,
) {
    let offset = u32::try_from(tx.open(inside, late)).unwrap_or(u32::MAX);
    decode_payloads(Payloads::new(first, inside, offset), tx);
    judge(tx, policy);
}

fn decode(bytes: &[u8], tx: &mut Transaction, policy: &'static Policy) {
    let message = match Message::parse(bytes) {
        Ok(message) => message,
        Err(error) => return tx.report(error),
    };
    tx.set_header(message.header);
    if let Some(error) = message.version_error() {
        return match message.header.version.major() {
            1 => tx.events.insert(Event::Ikev1Seen),
            _ => tx.report(error),
        };
    }
    if let Some(error) = message.length_error() {
        tx.report(error);
    }
    if message.header.exchange_type == ExchangeType::IKE_SA_INIT {
        // Other exchanges have one payload outside the encrypted one: that one.
        tx.payloads.reserve(USUAL_PAYLOADS);
    }
    decode_payloads(message.payloads(), tx);
    judge(tx, policy);
}

/// What can be said of the message once all its payloads are there.
fn judge(tx: &mut Transaction, policy: &'static Policy) {
    judge_proposals(tx, policy);
    let mut events = tx.events;
    anomaly::inspect(tx, &mut |event| events.insert(event));
    tx.events = events;
}

fn decode_payloads(payloads: Payloads<'_>, tx: &mut Transaction) {
    let mut notifies = 0;
    for payload in payloads {
        let payload = match payload {
            Ok(payload) => payload,
            Err(error) => {
                tx.report(error);
                continue;
            }
        };
        if payload.kind == PayloadType::NOTIFY {
            notifies += 1;
            if notifies > MAX_NOTIFIES {
                tx.events.insert(Event::TooManyNotifies);
                continue;
            }
        }
        tx.payloads.push(PayloadEntry::from(&payload));
        if payload.kind == PayloadType::SA {
            decode_proposals(&payload, tx);
        } else if let Err(error) = check_body(&payload) {
            tx.report(error);
        }
    }
}

fn decode_proposals(payload: &Payload<'_>, tx: &mut Transaction) {
    let mut set = core::mem::take(&mut tx.proposals);
    let proposals = Proposals::new(payload.body, payload.body_offset());
    set.add(proposals, &mut |error| tx.report(error));
    tx.proposals = set;
}

/// Whether a payload's body can be read and is sound, for those that are read on demand only.
fn check_body(payload: &Payload<'_>) -> Result<(), ParseError> {
    let (body, offset) = (payload.body, payload.body_offset());
    match payload.kind {
        PayloadType::KE => ke::KeyExchange::parse(body, offset).map(drop),
        PayloadType::IDI | PayloadType::IDR | PayloadType::IDG => {
            id::Identification::parse(body, offset).and_then(|it| sound(it.fault(offset)))
        }
        PayloadType::CERT => cert::Certificate::parse(body, offset).map(drop),
        PayloadType::CERTREQ => {
            certreq::CertificateRequest::parse(body, offset).and_then(|it| sound(it.fault(offset)))
        }
        PayloadType::AUTH => {
            auth::Authentication::parse(body, offset).and_then(|it| sound(it.fault(offset)))
        }
        PayloadType::NONCE => nonce::Nonce::parse(body, offset).map(drop),
        PayloadType::NOTIFY => {
            notify::Notify::parse(body, offset).and_then(|notify| notify.known().map(drop))
        }
        PayloadType::DELETE => delete::Delete::parse(body, offset).map(drop),
        PayloadType::VENDOR_ID => vendor_id::VendorId::parse(body, offset).map(drop),
        PayloadType::TSI | PayloadType::TSR => {
            ts::TrafficSelectors::parse(body, offset).and_then(|it| sound(it.fault()))
        }
        PayloadType::CP => cp::Configuration::parse(body, offset).and_then(|it| sound(it.fault())),
        PayloadType::EAP => eap::Eap::parse(body, offset).and_then(|it| sound(it.fault)),
        PayloadType::SK => encrypted::Encrypted::parse(payload).map(drop),
        PayloadType::SKF => encrypted::Fragment::parse(payload).map(drop),
        PayloadType::PS => ps::PuzzleSolution::parse(body, offset).map(drop),
        _ => Ok(()),
    }
}

/// What could be read is kept, whatever is wrong with it.
fn sound(fault: Option<ParseError>) -> Result<(), ParseError> {
    fault.map_or(Ok(()), Err)
}

thread_local! {
    /// What follows from SA payloads that come again and again.
    static OFFERS: RefCell<Cache<Arc<Derived>>> = RefCell::default();
}

fn judge_proposals(tx: &mut Transaction, policy: &'static Policy) {
    if tx.proposals.is_empty() {
        return;
    }
    if let Some(derived) = shared(tx, policy) {
        tx.share(derived);
    }
    let judge = || judgement(&tx.proposals, tx.scope(), policy);
    let events = tx.derived().judgement.get_or_init(judge).events;
    tx.events.merge(events);
}

/// What follows from the message's proposals, if its only SA payload came before.
fn shared(tx: &Transaction, policy: &'static Policy) -> Option<Arc<Derived>> {
    let mut payloads = tx.payloads_of(PayloadType::SA);
    let payload = payloads.next()?;
    if payloads.next().is_some() || tx.decrypted.is_some() {
        return None;
    }
    // A policy is known by its address, for it is static, and no address is odd.
    let context =
        core::ptr::from_ref(policy).addr() as u64 | u64::from(tx.scope() == Scope::Chosen);
    OFFERS.with_borrow_mut(|offers| offers.get(context, payload.body, Arc::default))
}

fn judgement(set: &ProposalSet, scope: Scope, policy: &Policy) -> Judgement {
    let findings = policy::assess(set, policy);
    let mut events = EventSet::default();
    for finding in &findings {
        events.insert(event_of(finding));
    }
    if set.proposals().iter().any(|proposal| lacks_encryption(set, proposal)) {
        events.insert(Event::NoEncryption);
    }
    if set.all_transforms().iter().any(|transform| transform.name().is_none()) {
        events.insert(Event::UnknownProposal);
    }
    if has_invalid_transform(set) {
        events.insert(Event::InvalidProposal);
    }
    if scope == Scope::Chosen && set.proposals().len() > 1 {
        events.insert(Event::MultipleServerProposal);
    }
    Judgement { findings, events }
}

/// A proposal that is put together against RFC 7296 is invalid, whatever the
/// algorithms; only that something is left out has events of its own.
fn event_of(finding: &Finding) -> Event {
    match finding.what {
        What::NoDh => Event::WeakCryptoNoDh,
        What::NoInteg => Event::WeakCryptoNoAuth,
        _ if finding.composition => Event::InvalidProposal,
        What::KeyLength => Event::WeakCryptoEnc,
        What::Esn => Event::InvalidProposal,
        What::Encr => Event::WeakCryptoEnc,
        What::Prf => Event::WeakCryptoPrf,
        What::Integ => Event::WeakCryptoAuth,
        What::Dh => Event::WeakCryptoDh,
    }
}

/// AH, and ESP with a cipher that is none (RFC 2410, RFC 4543), be it one of several.
fn lacks_encryption(set: &ProposalSet, proposal: &Proposal) -> bool {
    let is_none = |transform: &Transform| {
        transform.kind == TransformType::ENCR
            && matches!(Encr(transform.id), Encr::ENCR_NULL | Encr::ENCR_NULL_AUTH_AES_GMAC)
    };
    match proposal.protocol {
        Protocol::AH => true,
        Protocol::ESP => set.transforms(proposal).iter().any(is_none),
        _ => false,
    }
}

/// PRF 0 is reserved, and an IKE SA cannot do without a key exchange
/// (RFC 7296, 3.3.2 and 3.3.3).
fn has_invalid_transform(set: &ProposalSet) -> bool {
    set.proposals().iter().filter(|proposal| proposal.protocol == Protocol::IKE).any(|proposal| {
        set.transforms(proposal).iter().any(|transform| {
            transform.id == 0 && matches!(transform.kind, TransformType::PRF | TransformType::KE)
        })
    })
}

#[cfg(test)]
mod tests;
