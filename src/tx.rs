//! The transaction: all that is known of one IKEv2 message, as plain owned data.
//!
//! The pipeline makes it complete; keywords and the logger only read it. It owns
//! one copy of the datagram, and payloads are ranges of that copy. What was decrypted
//! stands behind the message, so that payloads inside are like those outside.

mod derived;
mod listed;

use core::cell::{Cell, OnceCell};
use core::ops::Range;
use std::sync::Arc;

pub(crate) use derived::{Derived, Judgement};
use listed::Listed;

use crate::canonical;
use crate::digits::hex;
use crate::inner::Texts;
use crate::named::{named, set_of};
use crate::policy::{self, Finding, PostQuantum};
use crate::proposal::{Proposal, ProposalSet};
use crate::sa::SaView;
use crate::sieve::Sieve;
use crate::wire::registry::PayloadType;
pub use crate::wire::Role;
use crate::wire::{Delete, ErrorKind, Fragment, Header, KeyExchange, Notify, ParseError, Payload};

/// The most parse errors kept of one message; their events are never lost.
pub const MAX_ERRORS: usize = 8;

/// The generic header before every payload's body (RFC 7296, 3.2), in bytes.
const GENERIC_HEADER_LEN: usize = 4;

/// The direction of a message in its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the flow's client to its server.
    ToServer,
    /// From the flow's server to its client.
    ToClient,
}

/// What carried a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP with port 500 on either side.
    Udp500,
    /// UDP with port 4500 on either side.
    Udp4500,
    /// UDP between other ports.
    Udp,
}

impl Transport {
    /// What these UDP ports mean; 500 counts before 4500.
    pub fn of_ports(source: u16, destination: u16) -> Self {
        match (source, destination) {
            (500, _) | (_, 500) => Self::Udp500,
            (4500, _) | (_, 4500) => Self::Udp4500,
            _ => Self::Udp,
        }
    }

    /// The name in records and rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp500 => "udp500",
            Self::Udp4500 => "udp4500",
            Self::Udp => "udp",
        }
    }
}

/// Whether algorithms are an offer (requests) or a choice (responses).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A request's proposals: what the sender would accept.
    Offered,
    /// A response's proposal: what the responder took.
    Chosen,
}

impl Scope {
    /// The name in records and rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Chosen => "chosen",
        }
    }
}

named! {
    /// What rules match with `app-layer-event:ikev2.NAME`.
    ///
    /// Numbers are the order here and appear in rules' compiled form only.
    pub enum Event: core::ffi::CStr {
        /// Anything malformed; always beside an event that says what.
        MalformedData = c"malformed_data",
        /// A proposal for AH, or for ESP with NULL or AES-GMAC: integrity without encryption.
        NoEncryption = c"no_encryption",
        /// An encryption algorithm that the policy calls weak.
        WeakCryptoEnc = c"weak_crypto_enc",
        /// A pseudorandom function that the policy calls weak.
        WeakCryptoPrf = c"weak_crypto_prf",
        /// A key exchange method that the policy calls weak.
        WeakCryptoDh = c"weak_crypto_dh",
        /// An integrity algorithm that the policy calls weak.
        WeakCryptoAuth = c"weak_crypto_auth",
        /// An IKE proposal without a key exchange method.
        WeakCryptoNoDh = c"weak_crypto_no_dh",
        /// Encryption without integrity: neither an AEAD nor an integrity algorithm.
        WeakCryptoNoAuth = c"weak_crypto_no_auth",
        /// A proposal with an algorithm that must not stand there.
        InvalidProposal = c"invalid_proposal",
        /// A proposal with a transform type or algorithm that no registry has.
        UnknownProposal = c"unknown_proposal",
        /// Bytes behind the end of a payload's or the message's contents.
        PayloadExtraData = c"payload_extra_data",
        /// A response with more than one proposal.
        MultipleServerProposal = c"multiple_server_proposal",
        /// The IKE header is short or its length is impossible.
        MalformedHeader = c"malformed_header",
        /// A payload cannot be read.
        MalformedPayload = c"malformed_payload",
        /// The header's length is more than the bytes there are.
        LengthMismatch = c"length_mismatch",
        /// Bytes behind the message or behind its last payload.
        TrailingData = c"trailing_data",
        /// A payload of unknown type with the critical bit.
        UnknownCriticalPayload = c"unknown_critical_payload",
        /// Bytes behind the encrypted payload, which is always the last.
        PayloadAfterSk = c"payload_after_sk",
        /// A transform whose length is impossible.
        BadTransformLength = c"bad_transform_length",
        /// Numbers or counts of proposals and transforms that do not fit.
        ProposalCountMismatch = c"proposal_count_mismatch",
        /// More payloads than are kept of a message.
        TooManyPayloads = c"too_many_payloads",
        /// More proposals than are kept of a payload.
        TooManyProposals = c"too_many_proposals",
        /// More transforms than are kept of a message.
        TooManyTransforms = c"too_many_transforms",
        /// More notifies than are kept of a message.
        TooManyNotifies = c"too_many_notifies",
        /// A message of IKEv1 among those of IKEv2.
        Ikev1Seen = c"ikev1_seen",
        /// A major version other than 1 and 2.
        UnsupportedVersion = c"unsupported_version",
        /// An IKE SA initiator's SPI of zero (RFC 7296, 3.1).
        InvalidSpiZero = c"invalid_spi_zero",
        /// A key exchange whose length is not its method's.
        KeLengthWrong = c"ke_length_wrong",
        /// A key exchange of zero bytes only.
        KeAllZero = c"ke_all_zero",
        /// A nonce shorter than 16 or longer than 256 bytes (RFC 7296, 3.9).
        NonceLength = c"nonce_length",
        /// An IKE_SA_INIT that lacks SA, KE or Nonce.
        MissingPayload = c"missing_payload",
        /// A payload type of IKEv1 in a message of IKEv2.
        Ikev1Payload = c"ikev1_payload",
        /// The fragment payload (132) that Cisco used before RFC 7383.
        LegacyCiscoFragment = c"legacy_cisco_fragment",
        /// A notify of an error in a request of IKE_SA_INIT.
        ErrorNotifyInRequest = c"error_notify_in_request",
        /// An IKE_SA_INIT whose Message ID is not zero (RFC 7296, 2.2).
        SaInitMessageId = c"sa_init_message_id",
        /// A request of IKE_SA_INIT whose responder SPI is not zero (RFC 7296, 2.6).
        SaInitResponderSpi = c"sa_init_responder_spi",
        /// Thirty or more payloads outside the encrypted one.
        ManyPayloads = c"many_payloads",
        /// A fragment numbered 0 or above its total, or a total of 0 (RFC 7383, 2.5).
        InvalidFragment = c"invalid_fragment",
        /// A message that was sent before, byte for byte.
        Retransmission = c"retransmission",
        /// A message with the Message ID of another one but other bytes (RFC 7296, 2.1).
        ReplayChanged = c"replay_changed",
        /// A response to a request that was not sent.
        ResponseWithoutRequest = c"response_without_request",
        /// A request whose Message ID leaves out others (RFC 7296, 2.2).
        MessageIdGap = c"message_id_gap",
        /// CREATE_CHILD_SA or INFORMATIONAL right after IKE_SA_INIT, before IKE_AUTH.
        OutOfOrderExchange = c"out_of_order_exchange",
        /// A further IKE_AUTH for an SA that is authenticated.
        AuthTwice = c"auth_twice",
        /// A message of an SA after its delete was answered.
        MessageAfterDelete = c"message_after_delete",
        /// Authentication was refused, as the size of the answer tells.
        AuthFailed = c"auth_failed",
        /// The handshake ended with an error in clear or without an answer.
        HandshakeFailed = c"handshake_failed",
        /// A choice that is none of those offered (RFC 7296, 2.7).
        ChosenNotOffered = c"chosen_not_offered",
        /// A choice of more than one proposal (RFC 7296, 2.7).
        MultipleChosen = c"multiple_chosen",
        /// A key exchange of a method that was not offered or not chosen.
        KeGroupNotOffered = c"ke_group_not_offered",
        /// INVALID_KE_PAYLOAD that asks for a weaker method than the initiator came with.
        DowngradeKe = c"downgrade_ke",
        /// A further request of IKE_SA_INIT that offers less than the first.
        DowngradeRetry = c"downgrade_retry",
        /// Peers that settle for less than they did the last time.
        DowngradePeers = c"downgrade_peers",
        /// Two fragments of the same number and message with other bytes.
        FragmentConflict = c"fragment_conflict",
        /// A fragment whose total is another than that of those before.
        FragmentTotalChanged = c"fragment_total_changed",
        /// The same message in one piece and in fragments.
        FragmentMixed = c"fragment_mixed",
        /// Fragments of a message that was not complete in time.
        FragmentTimeout = c"fragment_timeout",
        /// More fragments, or fragmented messages at once, than are followed.
        TooManyFragments = c"too_many_fragments",
        /// ESP in UDP of a size that no peer sends, since the SA's last message.
        AbnormalEspSize = c"abnormal_esp_size",
        /// More messages at once than `max-tx` allows; the oldest were given up.
        TooManyTransactions = c"too_many_transactions",
        /// The operator's keys for the IKE SA do not open the message: it was changed on the
        /// way, forged, or the keys are not its own.
        IntegrityFailed = c"integrity_failed",
        /// A message of the handshake whose Initiator flag is not that of its sender: set in
        /// a response, or not set in a request (RFC 7296, 3.1).
        InitiatorFlagWrong = c"initiator_flag_wrong",
        /// A key exchange whose value gives a secret that everybody knows (RFC 6989, 2.1).
        KeKnownSecret = c"ke_known_secret",
    }
}

impl Event {
    /// Whether it speaks of weak algorithms, which honest peers offer and choose.
    pub fn is_weakness(self) -> bool {
        matches!(
            self,
            Self::NoEncryption
                | Self::WeakCryptoEnc
                | Self::WeakCryptoPrf
                | Self::WeakCryptoDh
                | Self::WeakCryptoAuth
                | Self::WeakCryptoNoDh
                | Self::WeakCryptoNoAuth
                | Self::UnknownProposal
        )
    }

    /// The event of a parse error.
    pub fn of_error(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::MalformedHeader => Self::MalformedHeader,
            ErrorKind::UnsupportedVersion => Self::UnsupportedVersion,
            ErrorKind::MalformedPayload => Self::MalformedPayload,
            ErrorKind::LengthMismatch => Self::LengthMismatch,
            ErrorKind::TrailingData => Self::TrailingData,
            ErrorKind::UnknownCriticalPayload => Self::UnknownCriticalPayload,
            ErrorKind::PayloadAfterEncrypted => Self::PayloadAfterSk,
            ErrorKind::BadTransformLength => Self::BadTransformLength,
            ErrorKind::ProposalCountMismatch => Self::ProposalCountMismatch,
            ErrorKind::TooManyPayloads => Self::TooManyPayloads,
            ErrorKind::TooManyProposals => Self::TooManyProposals,
            ErrorKind::TooManyTransforms => Self::TooManyTransforms,
        }
    }
}

set_of! {
    /// A set of events: one bit each.
    pub struct EventSet(u128) of Event
}

/// What another event of the same message says more exactly, or many messages have.
const LEAST_TELLING: [Event; 13] = [
    Event::InvalidProposal,
    Event::UnknownProposal,
    Event::NoEncryption,
    Event::WeakCryptoNoDh,
    Event::WeakCryptoNoAuth,
    Event::WeakCryptoEnc,
    Event::WeakCryptoDh,
    Event::WeakCryptoAuth,
    Event::WeakCryptoPrf,
    Event::ManyPayloads,
    Event::Retransmission,
    Event::PayloadExtraData,
    Event::MalformedData,
];

impl EventSet {
    /// The events with the most telling one first: those of the list come last, in its order.
    pub fn most_telling(self) -> impl Iterator<Item = Event> {
        let first = self.iter().filter(|event| !LEAST_TELLING.contains(event));
        first.chain(LEAST_TELLING.into_iter().filter(move |event| self.contains(*event)))
    }
}

/// A payload of the message: its generic header and where its body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadEntry {
    /// The payload's type.
    pub kind: PayloadType,
    /// The critical bit.
    pub critical: bool,
    /// Next Payload; of SK and SKF the first payload inside.
    pub next_payload: PayloadType,
    /// Payload Length as on the wire, generic header included.
    pub length: u16,
    /// Where the generic header begins, counted from the IKE header's first byte.
    pub offset: u32,
    /// How many bytes of the body are there.
    pub body_length: u32,
}

impl From<&Payload<'_>> for PayloadEntry {
    fn from(payload: &Payload<'_>) -> Self {
        Self {
            kind: payload.kind,
            critical: payload.critical,
            next_payload: payload.next_payload,
            length: payload.length,
            offset: payload.offset,
            body_length: u32::try_from(payload.body.len()).unwrap_or(u32::MAX),
        }
    }
}

/// What tells an implementation from others: see [`crate::fingerprint`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The readable form.
    pub string: String,
    /// Its hash as lower-case hex digits.
    pub hash: [u8; 32],
}

/// How a message's encrypted payload was opened.
#[derive(Debug, Default)]
pub struct Decrypted {
    /// Whether the keys came after the message.
    pub late: bool,
    /// How many of the transaction's payloads are outside.
    outer_payloads: usize,
    /// How many of its proposals are outside.
    outer_proposals: usize,
    texts: OnceCell<Texts>,
}

/// All that is known of one IKEv2 message.
#[derive(Debug)]
pub struct Transaction {
    /// The datagram, and behind it what was decrypted.
    bytes: Box<[u8]>,
    message_start: usize,
    message_end: usize,
    /// The IKE header; none when the datagram was too short for one.
    pub header: Option<Header>,
    /// Both SPIs as 16 lower-case hex digits each.
    spi_text: [[u8; 16]; 2],
    /// The direction in the flow.
    pub direction: Direction,
    /// What carried it.
    pub transport: Transport,
    /// The payloads, in the order of the message; those inside the encrypted one last.
    pub payloads: Vec<PayloadEntry>,
    /// The proposals of its SA payload.
    pub proposals: ProposalSet,
    /// How it was opened; none if it was not.
    pub decrypted: Option<Box<Decrypted>>,
    /// Whether it is a fragment that was opened, and does not complete its message.
    pub opened_in_part: bool,
    /// What was malformed: the first [`MAX_ERRORS`].
    pub errors: Vec<ParseError>,
    /// The events.
    pub events: EventSet,
    /// What is known of its IKE SA; none when SAs are not tracked.
    pub sa: Option<SaView>,
    own: Derived,
    shared: Option<Arc<Derived>>,
    fingerprint: OnceCell<Option<Fingerprint>>,
    sieve: OnceCell<Box<Sieve>>,
    listed: OnceCell<Box<Listed>>,
    /// Groups of rules of which one has matched, a bit each.
    taken: Cell<u8>,
}

impl Transaction {
    /// A transaction with nothing decoded yet. `message_start` is 4 behind a
    /// non-ESP marker (RFC 3948, 2.2), else 0.
    pub fn new(
        datagram: &[u8],
        message_start: usize,
        direction: Direction,
        transport: Transport,
    ) -> Self {
        Self {
            bytes: datagram.into(),
            message_start: message_start.min(datagram.len()),
            message_end: datagram.len(),
            header: None,
            spi_text: [[b'0'; 16]; 2],
            direction,
            transport,
            payloads: Vec::new(),
            proposals: ProposalSet::default(),
            decrypted: None,
            opened_in_part: false,
            errors: Vec::new(),
            events: EventSet::default(),
            sa: None,
            own: Derived::default(),
            shared: None,
            fingerprint: OnceCell::new(),
            sieve: OnceCell::new(),
            listed: OnceCell::new(),
            taken: Cell::new(0),
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
        self.bytes.get(..self.message_end).unwrap_or(&[])
    }

    /// The IKE message: the datagram behind the marker.
    pub fn message(&self) -> &[u8] {
        self.bytes.get(self.message_start..self.message_end).unwrap_or(&[])
    }

    /// Bytes of the message, or behind its end of what was decrypted.
    pub fn range(&self, range: Range<usize>) -> &[u8] {
        let all = self.bytes.get(self.message_start..).unwrap_or(&[]);
        all.get(range).unwrap_or(&[])
    }

    /// Puts what was decrypted behind the message. Payloads and proposals that are added
    /// from now on are inside. Where it begins, in bytes from the IKE header.
    pub fn open(&mut self, inside: &[u8], late: bool) -> usize {
        self.bytes = [self.datagram(), inside].concat().into();
        self.decrypted = Some(Box::new(Decrypted {
            late,
            outer_payloads: self.payloads.len(),
            outer_proposals: self.proposals.proposals().len(),
            texts: OnceCell::new(),
        }));
        (self.own, self.shared) = (Derived::default(), None);
        self.listed = OnceCell::new();
        self.message().len()
    }

    /// The payloads outside the encrypted one, which is the last of them.
    pub fn outer_payloads(&self) -> &[PayloadEntry] {
        match &self.decrypted {
            None => &self.payloads,
            Some(decrypted) => self.payloads.get(..decrypted.outer_payloads).unwrap_or(&[]),
        }
    }

    /// The payloads inside the encrypted one, if it was opened.
    pub fn inner_payloads(&self) -> &[PayloadEntry] {
        let outer = self.outer_payloads().len();
        self.payloads.get(outer..).unwrap_or(&[])
    }

    /// The texts of what is inside, made when first asked for; none if it was not opened.
    pub fn texts(&self) -> Option<&Texts> {
        let decrypted = self.decrypted.as_ref()?;
        Some(decrypted.texts.get_or_init(|| Texts::of(self)))
    }

    /// The proposals inside the encrypted payload, if it was opened.
    pub fn inner_proposals(&self) -> &[Proposal] {
        self.proposals.proposals().get(self.outer_proposals()..).unwrap_or(&[])
    }

    /// How many of the proposals are outside the encrypted payload.
    pub fn outer_proposals(&self) -> usize {
        let of_outside = self.decrypted.as_ref().map(|decrypted| decrypted.outer_proposals);
        of_outside.unwrap_or(self.proposals.proposals().len())
    }

    /// Whether the non-ESP marker stood before the message.
    pub fn nat_t(&self) -> bool {
        self.message_start != 0
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
    pub(crate) fn share(&mut self, derived: Arc<Derived>) {
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
    pub fn sieve(&self) -> &Sieve {
        self.sieve.get_or_init(|| Box::new(Sieve::of(self)))
    }

    /// Where the values are that rules look at one after the other, found when first asked.
    pub(crate) fn listed(&self) -> &Listed {
        self.listed.get_or_init(|| Box::new(Listed::of(self)))
    }

    /// Takes a group of rules for the first that asks; whether it is the first.
    pub(crate) fn take(&self, group: usize) -> bool {
        let (taken, own) = (self.taken.get(), 1 << group);
        self.taken.set(taken | own);
        taken & own == 0
    }

    /// A notify by its number among those that can be read.
    pub fn notify(&self, number: usize) -> Option<Notify<'_>> {
        let entry = self.payloads.get(*self.listed().notifies.get(number)?)?;
        let payload = self.payload(entry);
        Notify::parse(payload.body, payload.body_offset()).ok()
    }

    /// A Vendor ID by its number.
    pub fn vendor_id(&self, number: usize) -> Option<&[u8]> {
        let entry = self.payloads.get(*self.listed().vendor_ids.get(number)?)?;
        Some(self.payload(entry).body)
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

    /// The fingerprint of the sender, made by `make` when first asked for.
    pub(crate) fn fingerprint_or(
        &self,
        make: impl FnOnce() -> Option<Fingerprint>,
    ) -> Option<&Fingerprint> {
        self.fingerprint.get_or_init(make).as_ref()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_bit_and_a_name_of_its_own() {
        assert!(Event::ALL.len() <= 128);
        let mut names: Vec<_> = Event::ALL.iter().map(|event| event.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Event::ALL.len());
    }

    #[test]
    fn the_builtin_parsers_twelve_names_are_kept() {
        let ours: Vec<_> = Event::ALL.iter().map(|event| event.name().to_str()).collect();
        for name in [
            "malformed_data",
            "no_encryption",
            "weak_crypto_enc",
            "weak_crypto_prf",
            "weak_crypto_dh",
            "weak_crypto_auth",
            "weak_crypto_no_dh",
            "weak_crypto_no_auth",
            "invalid_proposal",
            "unknown_proposal",
            "payload_extra_data",
            "multiple_server_proposal",
        ] {
            assert!(ours.contains(&Ok(name)), "{name}");
        }
    }

    #[test]
    fn a_set_holds_what_was_inserted_and_nothing_else() {
        let mut set = EventSet::default();
        set.insert(Event::TrailingData);
        set.insert(Event::MalformedData);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Event::MalformedData, Event::TrailingData]);
    }
}
