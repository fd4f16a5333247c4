//! The decoded message: all that one IKEv2 message says, as plain owned data.
//!
//! A message owns one copy of its datagram, and its payloads are ranges of that copy. The
//! decrypted contents of an encrypted payload stand behind the datagram, so that decrypted
//! payloads are read in the same way as the others.
//!
//! [`Message::decode`] reads a datagram, [`Message::add_decrypted`] adds what keys opened.
//! Nothing here knows of other messages.

mod anomaly;
mod decode;
mod derived;
mod event;
mod judge;
mod origin;
mod payload;
mod prefilter;
#[cfg(test)]
pub(crate) mod testing;

use core::cell::OnceCell;
use core::ops::Range;
use std::sync::Arc;

pub use decode::MAX_NOTIFIES;
pub(crate) use derived::{Derived, Judgement};
pub use event::{Event, EventSet};
pub use origin::{Direction, Scope, Transport};
pub use payload::PayloadEntry;
pub use prefilter::{Prefilter, Remainders};

use crate::canonical;
use crate::digits::hex;
use crate::policy::{self, Finding, PostQuantum};
use crate::proposal::{Proposal, ProposalSet};
use crate::wire::registry::PayloadType;
pub use crate::wire::Role;
use crate::wire::{Delete, ErrorKind, Fragment, Header, KeyExchange, Notify, ParseError, Payload};

/// The most parse errors kept of one message; their events are never lost.
pub const MAX_ERRORS: usize = 8;

/// The generic header before every payload's body (RFC 7296, 3.2), in bytes.
const GENERIC_HEADER_LEN: usize = 4;

/// How the encrypted payload of a message was decrypted.
#[derive(Clone, Copy, Debug)]
pub struct Decrypted {
    /// Whether the keys came after the message.
    pub late: bool,
    /// How many of the message's payloads are outside the encrypted one.
    outer_payloads: usize,
    /// How many of its proposals are outside the encrypted payload.
    outer_proposals: usize,
}

/// All that one IKEv2 message says.
#[derive(Debug)]
pub struct Message {
    /// The datagram, and behind it what was decrypted.
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    /// The IKE header; none when the datagram was too short for one.
    pub header: Option<Header>,
    /// Both SPIs as 16 lower-case hex digits each.
    spi_text: [[u8; 16]; 2],
    /// The direction in the flow.
    pub direction: Direction,
    /// What carried it.
    pub transport: Transport,
    /// The payloads, in the order of the message; the decrypted ones last.
    pub payloads: Vec<PayloadEntry>,
    /// The proposals of its SA payloads.
    pub proposals: ProposalSet,
    /// How it was decrypted; none if it was not.
    pub decrypted: Option<Decrypted>,
    /// Whether it is a fragment that was decrypted, and does not complete its message.
    pub decrypted_in_part: bool,
    /// What was malformed: the first [`MAX_ERRORS`].
    pub errors: Vec<ParseError>,
    /// The events.
    pub events: EventSet,
    own: Derived,
    shared: Option<Arc<Derived>>,
    prefilter: OnceCell<Box<Prefilter>>,
}

impl Message {
    /// A message with nothing decoded yet. `start` is 4 behind a non-ESP marker
    /// (RFC 3948, 2.2), else 0.
    fn new(datagram: &[u8], start: usize, direction: Direction, transport: Transport) -> Self {
        Self {
            bytes: datagram.into(),
            start: start.min(datagram.len()),
            end: datagram.len(),
            header: None,
            spi_text: [[b'0'; 16]; 2],
            direction,
            transport,
            payloads: Vec::new(),
            proposals: ProposalSet::default(),
            decrypted: None,
            decrypted_in_part: false,
            errors: Vec::new(),
            events: EventSet::default(),
            own: Derived::default(),
            shared: None,
            prefilter: OnceCell::new(),
        }
    }

    /// Sets the header and the text of its SPIs.
    pub fn set_header(&mut self, header: Header) {
        self.spi_text = [hex(&header.init_spi), hex(&header.resp_spi)];
        self.header = Some(header);
    }

    /// Records a parse error and its events.
    pub fn report(&mut self, error: ParseError) {
        // A version that is not ours can be read, as far as it goes.
        if error.kind != ErrorKind::UnsupportedVersion {
            self.events.insert(Event::MalformedData);
        }
        self.events.insert(Event::of_error(error.kind));
        if error.kind == ErrorKind::TrailingData {
            self.events.insert(Event::PayloadExtraData);
        }
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    /// The datagram.
    pub fn datagram(&self) -> &[u8] {
        self.bytes.get(..self.end).unwrap_or(&[])
    }

    /// The bytes of the IKE message: the datagram behind the non-ESP marker.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or(&[])
    }

    /// Bytes of the message, or behind its end of what was decrypted.
    pub fn range(&self, range: Range<usize>) -> &[u8] {
        let all = self.bytes.get(self.start..).unwrap_or(&[]);
        all.get(range).unwrap_or(&[])
    }

    /// Puts decrypted contents behind the message. Payloads and proposals that are added
    /// from now on are decrypted ones. Returns where the contents begin, in bytes from the
    /// IKE header.
    fn append(&mut self, plaintext: &[u8], late: bool) -> usize {
        self.bytes = [self.datagram(), plaintext].concat().into();
        self.decrypted = Some(Decrypted {
            late,
            outer_payloads: self.payloads.len(),
            outer_proposals: self.proposals.proposals().len(),
        });
        (self.own, self.shared) = (Derived::default(), None);
        self.bytes().len()
    }

    /// The payloads outside the encrypted one, which is the last of them.
    pub fn outer_payloads(&self) -> &[PayloadEntry] {
        match &self.decrypted {
            None => &self.payloads,
            Some(decrypted) => self.payloads.get(..decrypted.outer_payloads).unwrap_or(&[]),
        }
    }

    /// The decrypted payloads; none if the message was not decrypted.
    pub fn decrypted_payloads(&self) -> &[PayloadEntry] {
        let outer = self.outer_payloads().len();
        self.payloads.get(outer..).unwrap_or(&[])
    }

    /// The decrypted proposals; none if the message was not decrypted.
    pub fn decrypted_proposals(&self) -> &[Proposal] {
        self.proposals.proposals().get(self.outer_proposals()..).unwrap_or(&[])
    }

    /// How many of the proposals are outside the encrypted payload.
    pub fn outer_proposals(&self) -> usize {
        let outer = self.decrypted.map(|decrypted| decrypted.outer_proposals);
        outer.unwrap_or(self.proposals.proposals().len())
    }

    /// Whether the non-ESP marker stood before the message.
    pub fn nat_t(&self) -> bool {
        self.start != 0
    }

    /// Whether the proposals are offers or a choice; requests offer.
    pub fn scope(&self) -> Scope {
        match self.header {
            Some(header) if header.flags.response() => Scope::Chosen,
            _ => Scope::Offered,
        }
    }

    /// Which end of its IKE SA sent the message; none without a header of IKEv2.
    pub fn role(&self) -> Option<Role> {
        let header = self.header.filter(|header| header.version.major() == 2)?;
        Some(header.role())
    }

    /// The initiator's SPI as 16 lower-case hex digits.
    pub fn init_spi_text(&self) -> Option<&[u8]> {
        self.header.is_some().then_some(&self.spi_text[0])
    }

    /// The responder's SPI as 16 lower-case hex digits.
    pub fn resp_spi_text(&self) -> Option<&[u8]> {
        self.header.is_some().then_some(&self.spi_text[1])
    }

    /// A payload with its body.
    pub fn payload(&self, entry: &PayloadEntry) -> Payload<'_> {
        let start = entry.offset as usize + GENERIC_HEADER_LEN;
        let end = start + entry.body_length as usize;
        Payload {
            kind: entry.kind,
            critical: entry.critical,
            next_payload: entry.next_payload,
            offset: entry.offset,
            length: entry.length,
            body: self.range(start..end),
        }
    }

    /// The payloads of a type, in the order of the message.
    pub fn payloads_of(&self, kind: PayloadType) -> impl Iterator<Item = Payload<'_>> {
        let of_kind = self.payloads.iter().filter(move |entry| entry.kind == kind);
        of_kind.map(|entry| self.payload(entry))
    }

    /// The notifies that can be read, in the order of the message.
    pub fn notifies(&self) -> impl Iterator<Item = Notify<'_>> {
        self.payloads_of(PayloadType::NOTIFY)
            .filter_map(|payload| Notify::parse(payload.body, payload.body_offset()).ok())
    }

    /// The Delete payloads that can be read, in the order of the message.
    pub fn deletes(&self) -> impl Iterator<Item = Delete<'_>> {
        self.payloads_of(PayloadType::DELETE)
            .filter_map(|payload| Delete::parse(payload.body, payload.body_offset()).ok())
    }

    /// The KE payloads that can be read; a well-formed message has at most one.
    pub fn key_exchanges(&self) -> impl Iterator<Item = KeyExchange<'_>> {
        self.payloads_of(PayloadType::KE)
            .filter_map(|payload| KeyExchange::parse(payload.body, payload.body_offset()).ok())
    }

    /// What the policy found in the proposals.
    pub fn findings(&self) -> &[Finding] {
        self.derived().judgement.get().map_or(&[], |judgement| &judgement.findings)
    }

    /// Takes what follows from the proposals from another message with the same ones.
    fn share(&mut self, derived: Arc<Derived>) {
        self.shared = Some(derived);
    }

    /// What follows from the proposals, if other messages have the same ones.
    pub(crate) fn shared(&self) -> Option<&Derived> {
        self.shared.as_deref()
    }

    /// What follows from the proposals.
    pub(crate) fn derived(&self) -> &Derived {
        self.shared().unwrap_or(&self.own)
    }

    /// The strength of the proposals in bits: of the strongest offered, or of the
    /// chosen one. None without proposals, and where none has an estimate.
    pub fn security_bits(&self) -> Option<u16> {
        *self.derived().security_bits.get_or_init(|| policy::security_bits(&self.proposals))
    }

    /// What the message may have, made when first asked for.
    pub fn prefilter(&self) -> &Prefilter {
        self.prefilter.get_or_init(|| Box::new(Prefilter::of(self)))
    }

    /// What the proposals and notifies say about quantum computers; none without
    /// proposals. Those of a child SA inside an encrypted payload say nothing without a
    /// key exchange, for its keys come from the IKE SA's then (RFC 7296, 2.17).
    pub fn post_quantum(&self) -> Option<PostQuantum> {
        let set = &self.proposals;
        let exchanges = || set.all_transforms().iter().any(|it| it.kind.is_key_exchange());
        let tells = !set.is_empty() && (self.outer_proposals() > 0 || exchanges());
        let notifies = self.notifies().map(|notify| notify.kind);
        tells.then(|| policy::post_quantum(set, notifies))
    }

    /// The canonical text of each proposal, made when first asked for.
    pub fn proposal_texts(&self) -> &[String] {
        self.derived().texts.get_or_init(|| {
            let text = |proposal| canonical::text(&self.proposals, proposal);
            self.proposals.proposals().iter().map(text).collect()
        })
    }

    /// The encrypted fragment, if the message is one (RFC 7383).
    pub fn fragment(&self) -> Option<Fragment<'_>> {
        let last = self.outer_payloads().last().filter(|it| it.kind == PayloadType::SKF)?;
        Fragment::parse(&self.payload(last)).ok()
    }

    /// The contents of the SK payload or of the fragment, initialization vector to
    /// checksum.
    pub fn encrypted(&self) -> Option<&[u8]> {
        let last = self.outer_payloads().last()?;
        match last.kind {
            PayloadType::SK => Some(self.payload(last).body),
            PayloadType::SKF => self.fragment().map(|fragment| fragment.body),
            _ => None,
        }
    }
}
