//! The transaction: what Suricata holds for a message.
//!
//! It joins a [`Message`] with the state of its IKE SA at that time. Keywords and the logger
//! only read it. Texts are created when they are first needed.

mod positions;

use core::cell::{Cell, OnceCell};

use positions::Positions;

use crate::message::fingerprint::Fingerprint;
use crate::message::{Event, Message};
use crate::payload_text::PayloadTexts;
use crate::sa::SaView;
use crate::wire::Notify;

/// A message with the state of its IKE SA.
#[derive(Debug)]
pub struct Transaction {
    message: Message,
    sa: Option<SaView>,
    texts: OnceCell<Box<PayloadTexts>>,
    positions: OnceCell<Box<Positions>>,
    /// The groups of rules of which one has matched, one bit each.
    matched_groups: Cell<u8>,
}

impl Transaction {
    /// A transaction for a message. `sa` is none if IKE SAs are not tracked.
    pub fn new(message: Message, sa: Option<SaView>) -> Self {
        Self {
            message,
            sa,
            texts: OnceCell::new(),
            positions: OnceCell::new(),
            matched_groups: Cell::new(0),
        }
    }

    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The state of the message's IKE SA. None if SAs are not tracked.
    pub fn sa(&self) -> Option<&SaView> {
        self.sa.as_ref()
    }

    /// Adds an event of the host. Only allowed before keywords and the logger read the
    /// transaction.
    pub fn add_event(&mut self, event: Event) {
        self.message.events.insert(event);
    }

    /// The texts of the decrypted payloads, created when they are first needed. None if the
    /// message was not decrypted.
    pub fn texts(&self) -> Option<&PayloadTexts> {
        self.message.decrypted?;
        Some(self.texts.get_or_init(|| Box::new(PayloadTexts::of(&self.message))))
    }

    /// The fingerprint of the sender, see [`Message::fingerprint`].
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        self.message.fingerprint()
    }

    /// The positions of values that rules read one after the other, found when first needed.
    pub(crate) fn positions(&self) -> &Positions {
        self.positions.get_or_init(|| Box::new(Positions::of(self)))
    }

    /// Marks a group of rules as matched. Returns whether no rule of the group matched before.
    pub(crate) fn match_group(&self, group: usize) -> bool {
        let (matched, own) = (self.matched_groups.get(), 1 << group);
        self.matched_groups.set(matched | own);
        matched & own == 0
    }

    /// The notify with this number, counted among those without parse errors.
    pub fn notify(&self, number: usize) -> Option<Notify<'_>> {
        let entry = self.message.payloads.get(*self.positions().notifies.get(number)?)?;
        let payload = self.message.payload(entry);
        Notify::parse(payload.body, payload.body_offset()).ok()
    }

    /// The body of the Vendor ID with this number.
    pub fn vendor_id(&self, number: usize) -> Option<&[u8]> {
        let entry = self.message.payloads.get(*self.positions().vendor_ids.get(number)?)?;
        Some(self.message.payload(entry).body)
    }
}
