//! The decoded message: all fields of one IKEv2 message, as owned data.
//!
//! A message owns one copy of its datagram, and its payloads are ranges of that copy.
//! Decrypted contents are appended to the datagram, so decrypted payloads are read in the same
//! way as the others.
//!
//! [`Message::decode`] decodes a datagram. [`Message::add_decrypted`] adds decrypted contents.
//! This module only looks at one message at a time.

mod anomaly;
mod decode;
mod derived;
mod event;
pub mod fingerprint;
mod judge;
mod origin;
mod packed;
mod payload;
mod prefilter;
#[cfg(test)]
pub(crate) mod testing;

use core::cell::OnceCell;
use core::ops::Range;
use std::sync::Arc;

pub use decode::MAX_NOTIFIES;
pub use derived::MessageProposals;
pub(crate) use derived::{Derived, Judgement};
pub use event::{Event, EventSet};
pub use origin::{Direction, Scope, Transport};
pub use packed::{method_bits, OfferStrength, PackedOffer};
pub use payload::PayloadEntry;
pub use prefilter::{Prefilter, Remainders};

use self::fingerprint::Fingerprint;
use crate::canonical;
use crate::digits::hex;
use crate::policy::{self, Finding, PostQuantum};
use crate::proposal::Proposal;
use crate::wire::message::PAYLOAD_HEADER_LEN;
use crate::wire::registry::PayloadType;
pub use crate::wire::Role;
use crate::wire::{Delete, ErrorKind, Fragment, Header, KeyExchange, Notify, ParseError, Payload};

/// The maximum number of parse errors that are kept of a message. Events are kept for all.
pub const MAX_ERRORS: usize = 8;

/// How a message was decrypted.
#[derive(Clone, Copy, Debug)]
pub struct Decrypted {
    /// Whether the keys came after the message.
    pub late: bool,
    /// The number of unencrypted payloads, including the encrypted payload itself.
    outer_payloads: usize,
    /// The number of unencrypted proposals.
    outer_proposals: usize,
}

/// A decoded IKEv2 message.
#[derive(Debug)]
pub struct Message {
    /// The datagram, followed by the decrypted contents.
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    /// The IKE header. None if the datagram was too short for it.
    pub header: Option<Header>,
    /// Both SPIs, each as 16 lower-case hex digits.
    spi_text: [[u8; 16]; 2],
    /// The direction in the flow.
    pub direction: Direction,
    /// The transport that carried the message.
    pub transport: Transport,
    /// The payloads in the order of the message. Decrypted payloads come last.
    pub payloads: Vec<PayloadEntry>,
    /// The proposals of the SA payloads.
    pub proposals: MessageProposals,
    /// How the message was decrypted. None if it was not.
    pub decrypted: Option<Decrypted>,
    /// Whether the message is a decrypted fragment, and other fragments are still missing.
    pub decrypted_in_part: bool,
    /// The first [`MAX_ERRORS`] parse errors.
    pub errors: Vec<ParseError>,
    /// The events.
    pub events: EventSet,
    fingerprint: OnceCell<Option<Box<Fingerprint>>>,
}

impl Message {
    /// A message without decoded fields. `start` is 4 after a non-ESP marker (RFC 3948, 2.2),
    /// otherwise 0.
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
            proposals: MessageProposals::default(),
            decrypted: None,
            decrypted_in_part: false,
            errors: Vec::new(),
            events: EventSet::default(),
            fingerprint: OnceCell::new(),
        }
    }

    /// Sets the header and the text of its SPIs.
    pub fn set_header(&mut self, header: Header) {
        self.spi_text = [hex(&header.init_spi), hex(&header.resp_spi)];
        self.header = Some(header);
    }

    /// Adds a parse error and its events.
    pub fn report(&mut self, error: ParseError) {
        // A message of an unsupported version is not malformed.
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

    /// The bytes of the IKE message: the datagram without the non-ESP marker.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or(&[])
    }

    /// A range of the message, or of the decrypted contents after its end.
    pub fn range(&self, range: Range<usize>) -> &[u8] {
        let all = self.bytes.get(self.start..).unwrap_or(&[]);
        all.get(range).unwrap_or(&[])
    }

    /// Appends decrypted contents to the message. Payloads and proposals that are added later
    /// count as decrypted. Returns the position of the contents, in bytes from the IKE header.
    fn append(&mut self, plaintext: &[u8], late: bool) -> usize {
        self.bytes = [self.datagram(), plaintext].concat().into();
        self.decrypted = Some(Decrypted {
            late,
            outer_payloads: self.payloads.len(),
            outer_proposals: self.proposals.proposals().len(),
        });
        self.proposals.reset();
        self.bytes().len()
    }

    /// The unencrypted payloads. The last one is the encrypted payload itself, if there is
    /// one.
    pub fn outer_payloads(&self) -> &[PayloadEntry] {
        match &self.decrypted {
            None => &self.payloads,
            Some(decrypted) => self.payloads.get(..decrypted.outer_payloads).unwrap_or(&[]),
        }
    }

    /// The decrypted payloads. Empty if the message was not decrypted.
    pub fn decrypted_payloads(&self) -> &[PayloadEntry] {
        let outer = self.outer_payloads().len();
        self.payloads.get(outer..).unwrap_or(&[])
    }

    /// The decrypted proposals. Empty if the message was not decrypted.
    pub fn decrypted_proposals(&self) -> &[Proposal] {
        self.proposals.proposals().get(self.outer_proposals()..).unwrap_or(&[])
    }

    /// The number of unencrypted proposals.
    pub fn outer_proposals(&self) -> usize {
        let outer = self.decrypted.map(|decrypted| decrypted.outer_proposals);
        outer.unwrap_or(self.proposals.proposals().len())
    }

    /// Whether the message had a non-ESP marker.
    pub fn nat_t(&self) -> bool {
        self.start != 0
    }

    /// Whether the proposals are offered (requests) or chosen (responses).
    pub fn scope(&self) -> Scope {
        match self.header {
            Some(header) if header.flags.response() => Scope::Chosen,
            _ => Scope::Offered,
        }
    }

    /// The role of the sender in the IKE SA. None without a header of IKEv2.
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
        let start = entry.offset as usize + PAYLOAD_HEADER_LEN;
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

    /// The notifies without parse errors, in the order of the message.
    pub fn notifies(&self) -> impl Iterator<Item = Notify<'_>> {
        self.payloads_of(PayloadType::NOTIFY)
            .filter_map(|payload| Notify::parse(payload.body, payload.body_offset()).ok())
    }

    /// The Delete payloads without parse errors, in the order of the message.
    pub fn deletes(&self) -> impl Iterator<Item = Delete<'_>> {
        self.payloads_of(PayloadType::DELETE)
            .filter_map(|payload| Delete::parse(payload.body, payload.body_offset()).ok())
    }

    /// The KE payloads without parse errors. A correct message has at most one.
    pub fn key_exchanges(&self) -> impl Iterator<Item = KeyExchange<'_>> {
        self.payloads_of(PayloadType::KE)
            .filter_map(|payload| KeyExchange::parse(payload.body, payload.body_offset()).ok())
    }

    /// The findings of the policy.
    pub fn findings(&self) -> &[Finding] {
        self.derived().judgement.get().map_or(&[], |judgement| &judgement.findings)
    }

    /// The derived values that the message shares with others. None if it shares none.
    pub(crate) fn shared(&self) -> Option<&Derived> {
        self.proposals.shared()
    }

    /// The values derived from the proposals.
    pub(crate) fn derived(&self) -> &Derived {
        self.proposals.derived()
    }

    /// The strength of the proposals in bits: of the strongest offered one, or of the chosen
    /// one. None without proposals, or without an estimate.
    pub fn security_bits(&self) -> Option<u16> {
        *self.derived().security_bits.get_or_init(|| policy::security_bits(&self.proposals))
    }

    /// The proposals as they are kept until they are answered.
    pub fn packed_offer(&self) -> Arc<PackedOffer> {
        let pack = || Arc::new(PackedOffer::of(&self.proposals, self.security_bits()));
        self.derived().packed.get_or_init(pack).clone()
    }

    /// The prefilter of the proposals, computed when it is first needed.
    pub fn prefilter(&self) -> &Prefilter {
        self.derived().prefilter.get_or_init(|| Box::new(Prefilter::of(&self.proposals)))
    }

    /// The fingerprint of the sender, computed when it is first needed. None if
    /// [`fingerprint::string`] has none for this message.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        let compute = || fingerprint::of(self).map(Box::new);
        self.fingerprint.get_or_init(compute).as_deref()
    }

    /// What the proposals and notifies say about protection against quantum computers. None
    /// without proposals. The encrypted proposals of a child SA without a key exchange method
    /// say nothing, because then its keys come from the IKE SA (RFC 7296, 2.17).
    pub fn post_quantum(&self) -> Option<PostQuantum> {
        let set = &self.proposals;
        let exchanges = || set.all_transforms().iter().any(|it| it.kind.is_key_exchange());
        let tells = !set.is_empty() && (self.outer_proposals() > 0 || exchanges());
        let notifies = self.notifies().map(|notify| notify.kind);
        tells.then(|| policy::post_quantum(set, notifies))
    }

    /// The canonical text of each proposal, computed when it is first needed.
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

    /// The contents of the SK or SKF payload, from the initialization vector to the checksum.
    pub fn encrypted(&self) -> Option<&[u8]> {
        let last = self.outer_payloads().last()?;
        match last.kind {
            PayloadType::SK => Some(self.payload(last).body),
            PayloadType::SKF => self.fragment().map(|fragment| fragment.body),
            _ => None,
        }
    }
}
