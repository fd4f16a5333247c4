//! What the record of an SA says beyond the state of the SA: what each peer is and can do, and
//! what happened during the SA's life.
//!
//! It is kept only if records of SAs are wanted ([`Limits::records`](super::Limits)). It is
//! small: names are numbers, capabilities are bits, and counts stop at their maximum.

use core::num::NonZeroU16;

use crate::message::fingerprint;
use crate::message::{Event, EventSet, Message, Scope};
use crate::named::{named, set_of};
use crate::policy::PostQuantum;
use crate::vendor::{self, Product};
use crate::wire::registry::{ExchangeType, NotifyType, PayloadType};

mod secret;

pub use secret::{CertificateSummary, DecryptedSummary, PeerIdentity};

use super::fragment;
use super::report::Outcome;

/// The maximum number of products that are kept of a peer. A peer rarely names more than two.
pub const MAX_PRODUCTS: usize = 4;

/// The maximum number of kinds of events that are counted for an SA.
pub const MAX_EVENT_KINDS: usize = 32;

named! {
    /// An extension that a peer announces with a notify.
    pub enum Capability: str {
        /// Fragmentation of messages (RFC 7383).
        Fragmentation = "fragmentation",
        /// MOBIKE (RFC 4555). It is announced in IKE_AUTH, so only keys show it.
        Mobike = "mobike",
        /// Redirect to another gateway (RFC 5685).
        Redirect = "redirect",
        /// Postquantum preshared keys in IKE_AUTH (RFC 8784).
        Ppk = "ppk",
        /// Postquantum preshared keys in IKE_INTERMEDIATE (RFC 9867).
        PpkIntermediate = "ppk_intermediate",
        /// IKE SAs without a child SA (RFC 6023).
        Childless = "childless",
        /// The exchange IKE_INTERMEDIATE (RFC 9242).
        Intermediate = "intermediate",
        /// Authentication of the whole of IKE_SA_INIT.
        FullTranscript = "full_transcript",
        /// Signatures of RFC 7427.
        SignatureHashes = "signature_hashes",
        /// Announced authentication methods (RFC 9593).
        AuthMethods = "auth_methods",
        /// More than one authentication (RFC 4739).
        MultipleAuth = "multiple_auth",
        /// EAP without a certificate of the responder (RFC 5998). Only keys show it.
        EapOnly = "eap_only",
        /// Session resumption (RFC 5723). Only keys show it.
        Resumption = "resumption",
        /// Quick crash detection (RFC 6290). Only keys show it.
        QuickCrashDetection = "quick_crash_detection",
        /// New Message IDs after a failover (RFC 6311). Only keys show it.
        MessageIdSync = "message_id_sync",
        /// Cloning of IKE SAs (RFC 7791). Only keys show it.
        CloneIkeSa = "clone_ike_sa",
    }
}

set_of! {
    /// A set of capabilities.
    pub struct Capabilities(u32) of Capability
}

impl Capability {
    /// The capability that a notify announces.
    fn of(kind: NotifyType) -> Option<Self> {
        Some(match kind {
            NotifyType::IKEV2_FRAGMENTATION_SUPPORTED => Self::Fragmentation,
            NotifyType::MOBIKE_SUPPORTED => Self::Mobike,
            NotifyType::REDIRECT_SUPPORTED | NotifyType::REDIRECTED_FROM => Self::Redirect,
            NotifyType::USE_PPK => Self::Ppk,
            NotifyType::USE_PPK_INT => Self::PpkIntermediate,
            NotifyType::CHILDLESS_IKEV2_SUPPORTED => Self::Childless,
            NotifyType::INTERMEDIATE_EXCHANGE_SUPPORTED => Self::Intermediate,
            NotifyType::IKE_SA_INIT_FULL_TRANSCRIPT_AUTH => Self::FullTranscript,
            NotifyType::SIGNATURE_HASH_ALGORITHMS => Self::SignatureHashes,
            NotifyType::SUPPORTED_AUTH_METHODS => Self::AuthMethods,
            NotifyType::MULTIPLE_AUTH_SUPPORTED => Self::MultipleAuth,
            NotifyType::EAP_ONLY_AUTHENTICATION => Self::EapOnly,
            NotifyType::TICKET_REQUEST | NotifyType::TICKET_LT_OPAQUE => Self::Resumption,
            NotifyType::QUICK_CRASH_DETECTION => Self::QuickCrashDetection,
            NotifyType::IKEV2_MESSAGE_ID_SYNC_SUPPORTED => Self::MessageIdSync,
            NotifyType::CLONE_IKE_SA_SUPPORTED => Self::CloneIkeSa,
            _ => return None,
        })
    }
}

/// What a peer is and can do, as far as its messages show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerSummary {
    /// The hash of the fingerprint of its message of IKE_SA_INIT, as bytes.
    pub fingerprint: Option<[u8; fingerprint::HASH_LENGTH / 2]>,
    products: [Option<Product>; MAX_PRODUCTS],
    /// The number of Vendor IDs without a known product.
    pub unknown_vendor_ids: u8,
    /// What its notifies announce.
    pub capabilities: Capabilities,
}

impl PeerSummary {
    /// Whether nothing is known of the peer.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The products of its Vendor IDs.
    pub fn products(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.products.into_iter().flatten().map(Product::name)
    }

    /// Reads a message of IKE_SA_INIT with proposals. A later one replaces it.
    fn read_init(&mut self, message: &Message) {
        self.fingerprint = message.fingerprint().map(fingerprint::Fingerprint::bytes);
        (self.products, self.unknown_vendor_ids) = Default::default();
        for payload in message.payloads_of(PayloadType::VENDOR_ID) {
            match vendor::product_of(payload.body) {
                Some(product) => self.add_product(product),
                None => self.unknown_vendor_ids = self.unknown_vendor_ids.saturating_add(1),
            }
        }
    }

    fn add_product(&mut self, product: Product) {
        let name = product.name();
        if self.products().all(|known| known != name) {
            if let Some(free) = self.products.iter_mut().find(|place| place.is_none()) {
                *free = Some(product);
            }
        }
    }

    fn add_capabilities(&mut self, message: &Message) {
        for capability in message.notifies().filter_map(|notify| Capability::of(notify.kind)) {
            self.capabilities.insert(capability);
        }
    }
}

/// How many messages of an SA had each event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// Few SAs have many kinds, so this has exactly the size that it needs.
    counts: Box<[(Event, NonZeroU16)]>,
}

impl EventCounts {
    fn add(&mut self, events: EventSet) {
        for event in events.iter() {
            if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| *known == event) {
                *count = count.saturating_add(1);
            } else if self.counts.len() < MAX_EVENT_KINDS {
                let mut counts = core::mem::take(&mut self.counts).into_vec();
                counts.reserve_exact(1);
                counts.push((event, NonZeroU16::MIN));
                self.counts = counts.into();
            }
        }
    }

    /// The events with the number of messages that had them. Those that say most come first.
    pub fn iter(&self) -> impl Iterator<Item = (Event, u16)> + '_ {
        let mut set = EventSet::default();
        self.counts.iter().for_each(|(event, _)| set.insert(*event));
        let count = |event| self.counts.iter().find(|(known, _)| *known == event);
        set.most_telling().filter_map(move |event| Some((event, count(event)?.1.get())))
    }

    fn heap_size(&self) -> usize {
        size_of_val(&*self.counts)
    }
}

/// What the record of an SA says beyond [`SaView`](super::SaView).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The initiator and the responder.
    pub peers: [PeerSummary; 2],
    /// The protection against quantum computers that the initiator offered.
    pub offered_post_quantum: Option<PostQuantum>,
    /// The protection that the responder chose.
    pub chosen_post_quantum: Option<PostQuantum>,
    /// The number of datagrams that were fragments of messages (RFC 7383).
    pub fragments: u16,
    /// The number of messages that were complete in fragments.
    pub fragmented_messages: u16,
    /// How many times the SA was rekeyed before: the number of its ancestors.
    pub ike_rekeys: u16,
    /// How many times its child SAs were rekeyed. Without keys, this is inferred.
    pub child_rekeys: u16,
    /// The initiator's SPI of the SA that replaces this one.
    pub(super) successor: Option<[u8; 8]>,
    /// The events of its messages.
    pub events: EventCounts,
    /// What only keys show. None without keys.
    pub decrypted: Option<Box<DecryptedSummary>>,
    /// The last record of the SA. None before the first.
    pub(super) reported: Option<Outcome>,
    /// The number of records of the SA.
    pub(super) reports: u8,
}

impl Summary {
    /// The id of the SA that replaces this one.
    pub fn successor_id(&self) -> Option<u64> {
        self.successor.map(super::table::id)
    }

    /// The number of bytes on the heap.
    pub(super) fn heap_size(&self) -> usize {
        let decrypted = self.decrypted.as_ref();
        let decrypted = decrypted.map_or(0, |it| size_of::<DecryptedSummary>() + it.heap_size());
        self.events.heap_size() + decrypted
    }

    /// What is known of the initiator. Another responder may answer it too.
    pub(super) fn of_initiator(&self) -> Box<Self> {
        let peers = [self.peers[0], PeerSummary::default()];
        let offered_post_quantum = self.offered_post_quantum;
        Box::new(Self { peers, offered_post_quantum, ..Self::default() })
    }

    /// Reads a message that is not a retransmission.
    pub(super) fn read(&mut self, message: &Message, from_initiator: bool, is_init: bool) {
        let peer = &mut self.peers[usize::from(!from_initiator)];
        if is_init || message.decrypted.is_some() {
            peer.add_capabilities(message);
        }
        if message.decrypted.is_some() && negotiates(message) {
            self.decrypted.get_or_insert_default().read(message, from_initiator);
        }
        if !is_init || message.proposals.is_empty() {
            return;
        }
        peer.read_init(message);
        let post_quantum = match message.scope() {
            Scope::Offered => &mut self.offered_post_quantum,
            Scope::Chosen => &mut self.chosen_post_quantum,
        };
        *post_quantum = message.post_quantum();
    }

    /// Counts the events of a message, and whether it is a fragment.
    pub(super) fn count(&mut self, events: EventSet, fragment: Option<&fragment::Status>) {
        self.events.add(events);
        if let Some(status) = fragment {
            let is_complete = status.conditions.contains(fragment::Condition::Complete)
                && !status.conditions.contains(fragment::Condition::Duplicate);
            self.fragments = self.fragments.saturating_add(1);
            self.fragmented_messages = self.fragmented_messages.saturating_add(is_complete.into());
        }
    }

    /// The summary of an SA that this one creates. The peers stay what they are.
    pub(super) fn of_successor(&self, same_initiator: bool, is_clone: bool) -> Box<Self> {
        let mut peers = self.peers;
        if !same_initiator {
            peers.reverse();
        }
        let ike_rekeys = self.ike_rekeys.saturating_add(u16::from(!is_clone));
        let decrypted = self.decrypted.as_ref();
        let decrypted = decrypted.map(|it| Box::new(it.of_successor(same_initiator)));
        Box::new(Self { peers, ike_rekeys, decrypted, ..Self::default() })
    }

    /// Adds what another record of the same SA has: its first requests, if they were parsed
    /// after later messages.
    pub(super) fn absorb(&mut self, request: &Self) {
        for (peer, other) in self.peers.iter_mut().zip(&request.peers) {
            if peer.fingerprint.is_none() && peer.products == [None; MAX_PRODUCTS] {
                let capabilities = peer.capabilities;
                *peer = *other;
                peer.capabilities.merge(capabilities);
            } else {
                peer.capabilities.merge(other.capabilities);
            }
        }
        self.offered_post_quantum = self.offered_post_quantum.or(request.offered_post_quantum);
        self.chosen_post_quantum = self.chosen_post_quantum.or(request.chosen_post_quantum);
        for (event, count) in request.events.iter() {
            let mut one = EventSet::default();
            one.insert(event);
            (0..count).for_each(|_| self.events.add(one));
        }
    }
}

/// Whether the message is of an exchange with identities or traffic selectors.
fn negotiates(message: &Message) -> bool {
    message.header.is_some_and(|header| {
        matches!(header.exchange_type, ExchangeType::IKE_AUTH | ExchangeType::CREATE_CHILD_SA)
    })
}
