//! The keys and the pending messages of all IKE SAs. All threads share them.
//!
//! Keys may arrive after the messages that need them: peers use new keys immediately, and
//! the program that writes the keys to a file takes longer. A message without keys
//! therefore becomes pending. Its size and number are limited. When a later packet arrives
//! and keys have been added, the pending messages are decrypted.

use core::hash::BuildHasher;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::key_table::{KeyTable, SaKeys, Spis};
use super::reassembly::{Progress, Reassembly};
use super::sealed::{DecryptError, Sealed};
use crate::keyed_hash::KeyedHash;
use crate::message::{Message, Transport};
use crate::sa::fragment::MessageKey;
use crate::wire::registry::{ExchangeType, PayloadType};
use crate::wire::{Header, Payload};

/// The maximum number of pending messages of one SA. Each fragment counts as a message.
/// With certificates, each of the first messages may have ten fragments.
pub const MAX_PENDING: usize = 64;

/// The maximum memory for pending messages and fragments of all SAs, in bytes.
pub const MAX_PENDING_BYTES: usize = 16 << 20;

/// The maximum number of SAs that have pending messages or fragments.
pub const MAX_PENDING_SAS: usize = 1 << 16;

/// The number of shards, each with its own lock. With this many, threads rarely wait for
/// each other.
const SHARDS: usize = 64;

/// The memory for a pending message besides its bytes.
const OVERHEAD: usize = size_of::<PendingMessage>();

/// A message that waits for keys.
#[derive(Debug)]
pub struct PendingMessage {
    /// The whole datagram.
    pub datagram: Box<[u8]>,
    /// The offset of the message in the datagram, in bytes.
    pub message_start: usize,
    /// The transport of the datagram.
    pub transport: Transport,
    /// The number of key sets that have been tried without success.
    keys_tried: usize,
}

impl PendingMessage {
    fn new(message: &Message, keys_tried: usize) -> Self {
        let datagram = message.datagram();
        Self {
            datagram: datagram.into(),
            message_start: datagram.len() - message.bytes().len(),
            transport: message.transport,
            keys_tried,
        }
    }

    fn size(&self) -> usize {
        OVERHEAD + self.datagram.len()
    }
}

/// The result of decrypting a message.
#[derive(Debug, PartialEq, Eq)]
pub enum DecryptOutcome {
    /// There are no keys for the message yet. It is pending, or it was dropped because
    /// there was no room.
    NoKeys,
    /// The message could not be decrypted.
    Failed(DecryptError),
    /// A fragment was decrypted. Its message is not complete yet, or was completed before.
    Fragment,
    /// The message was decrypted: the type of the first decrypted payload, and all
    /// decrypted payloads.
    Plaintext(PayloadType, Vec<u8>),
}

/// Decrypts messages.
#[derive(Default)]
pub struct Decryptor {
    keys: RwLock<KeyTable>,
    shards: PendingShards,
    /// The number of pending messages. It is usually 0, and then no shard has to be locked.
    pending: AtomicUsize,
    /// The number of key sets that have been added.
    keys_added: AtomicUsize,
    /// The number of pending messages that were dropped.
    given_up: AtomicUsize,
}

struct PendingShards {
    shards: Box<[Mutex<PendingShard>]>,
    hasher: KeyedHash,
}

impl Default for PendingShards {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: KeyedHash::new() }
    }
}

impl PendingShards {
    fn of(&self, spis: &Spis) -> MutexGuard<'_, PendingShard> {
        let place = self.hasher.hash_one(spis) as usize % SHARDS;
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Decryptor {
    /// Adds a set of keys. Returns whether it is new.
    pub fn insert(&self, spis: Spis, keys: SaKeys) -> bool {
        let is_new = self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(spis, keys);
        if is_new {
            // `Release`: a thread that reads this number also sees the keys.
            self.keys_added.fetch_add(1, Ordering::Release);
        }
        is_new
    }

    /// Drops all pending messages and fragments without counting them. The keys stay.
    pub fn clear(&self) {
        for shard in &self.shards.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = PendingShard::default();
        }
        self.pending.store(0, Ordering::Relaxed);
        self.given_up.store(0, Ordering::Relaxed);
    }

    /// The number of key sets that have been added so far. If it changes, pending messages
    /// may have keys now.
    pub fn keys_added(&self) -> usize {
        self.keys_added.load(Ordering::Acquire)
    }

    /// The number of SAs with keys.
    pub fn sas(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The number of pending messages.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// The number of pending messages that keys are available for. They are reported with
    /// the next packet of their flow. This visits all SAs with pending messages.
    pub fn unreported(&self) -> usize {
        let of_shard = |shard: &Mutex<PendingShard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.decryptable(|spis| self.epochs(spis).len())
        };
        if self.pending() == 0 {
            return 0;
        }
        self.shards.shards.iter().map(of_shard).sum()
    }

    /// The number of pending messages that have been dropped since the start because there
    /// was no room.
    pub fn given_up(&self) -> usize {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Decrypts a message. If there are no keys yet, the message becomes pending. `None` if
    /// the message has no encrypted payload.
    pub fn decrypt(&self, message: &Message) -> Option<DecryptOutcome> {
        let (header, payload) = encrypted(message)?;
        let spis = Spis::from(header);
        let epochs = self.epochs(&spis);
        let outcome = self.decrypt_with(&epochs, message, header, &payload)?;
        if self.waits_for_keys(&outcome, &spis, header, epochs.len()) {
            self.add_pending(spis, PendingMessage::new(message, epochs.len()));
            return Some(DecryptOutcome::NoKeys);
        }
        Some(outcome)
    }

    /// Decrypts a message that was pending. It does not become pending again.
    pub fn decrypt_late(&self, message: &Message) -> Option<DecryptOutcome> {
        let (header, payload) = encrypted(message)?;
        let epochs = self.epochs(&Spis::from(header));
        self.decrypt_with(&epochs, message, header, &payload)
    }

    /// Takes the pending messages of this message's SA that keys have been added for since
    /// they were stored. They are in the order of their arrival.
    pub fn take_pending(&self, message: &Message) -> Vec<PendingMessage> {
        if self.pending() == 0 {
            return Vec::new();
        }
        message.header.as_ref().map_or_else(Vec::new, |header| self.take_pending_of(&header.into()))
    }

    /// As [`Decryptor::take_pending`], for the SA with these SPIs.
    pub fn take_pending_of(&self, spis: &Spis) -> Vec<PendingMessage> {
        let keys = self.epochs(spis).len();
        let taken = self.shards.of(spis).take(spis, keys);
        self.pending.fetch_sub(taken.len(), Ordering::Relaxed);
        taken
    }

    fn epochs(&self, spis: &Spis) -> Vec<Arc<SaKeys>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(spis).to_vec()
    }

    fn decrypt_with(
        &self,
        epochs: &[Arc<SaKeys>],
        message: &Message,
        header: &Header,
        payload: &Payload<'_>,
    ) -> Option<DecryptOutcome> {
        let plaintext = match Sealed::of(message.bytes(), header, payload)?.decrypt(epochs) {
            Ok(plaintext) => plaintext,
            Err(DecryptError::NoKeys) => return Some(DecryptOutcome::NoKeys),
            Err(failure) => return Some(DecryptOutcome::Failed(failure)),
        };
        let spis = Spis::from(header);
        if header.exchange_type == ExchangeType::IKE_INTERMEDIATE {
            let changed = self.shards.of(&spis).note_rekeying(spis, header.message_id);
            self.count(changed);
        }
        let Some(fragment) = message.fragment() else {
            return Some(DecryptOutcome::Plaintext(payload.next_payload, plaintext));
        };
        let key = MessageKey::from(header);
        let (progress, changed) = self
            .shards
            .of(&spis)
            .reassemble(spis, |reassembly| reassembly.add(key, &fragment, &plaintext));
        self.count(changed);
        Some(match progress {
            Progress::Complete(first, whole) => DecryptOutcome::Plaintext(first, whole),
            Progress::Incomplete | Progress::Ignored | Progress::Refused => {
                DecryptOutcome::Fragment
            }
        })
    }

    /// Whether the keys for a message may still arrive. Either the SA has no keys at all,
    /// or the keys of an additional key exchange are missing (RFC 9242, 3.3).
    fn waits_for_keys(
        &self,
        outcome: &DecryptOutcome,
        spis: &Spis,
        header: &Header,
        keys: usize,
    ) -> bool {
        match outcome {
            DecryptOutcome::NoKeys => true,
            DecryptOutcome::Failed(DecryptError::Integrity) => {
                let handshake = matches!(
                    header.exchange_type,
                    ExchangeType::IKE_INTERMEDIATE | ExchangeType::IKE_AUTH
                );
                handshake && keys as u64 <= self.shards.of(spis).rekeyings(spis).into()
            }
            _ => false,
        }
    }

    fn add_pending(&self, spis: Spis, message: PendingMessage) {
        let changed = self.shards.of(&spis).add_pending(spis, message);
        self.count(changed);
    }

    fn count(&self, changed: PendingChange) {
        self.pending.fetch_add(changed.added, Ordering::Relaxed);
        self.pending.fetch_sub(changed.dropped, Ordering::Relaxed);
        self.given_up.fetch_add(changed.dropped + changed.refused, Ordering::Relaxed);
    }
}

/// The header and the encrypted payload of a message that belongs to an IKE SA.
fn encrypted(message: &Message) -> Option<(&Header, Payload<'_>)> {
    let header = message.header.as_ref().filter(|header| header.resp_spi != [0; 8])?;
    let last = message.outer_payloads().last().filter(|entry| entry.kind.is_encrypted())?;
    Some((header, message.payload(last)))
}

/// How the number of pending messages has changed.
#[derive(Clone, Copy, Debug, Default)]
struct PendingChange {
    added: usize,
    dropped: usize,
    /// The number of messages that were not stored because there was no room.
    refused: usize,
}

/// What is stored for an SA from one message to the next.
#[derive(Debug, Default)]
struct DecryptState {
    pending: Vec<PendingMessage>,
    reassembly: Reassembly,
    /// The Message ID of the last decrypted IKE_INTERMEDIATE message. Each such exchange
    /// may have changed the keys.
    rekeyings: u32,
}

impl DecryptState {
    fn size(&self) -> usize {
        self.pending.iter().map(PendingMessage::size).sum::<usize>() + self.reassembly.bytes()
    }
}

/// A part of all SAs, with the memory that they use.
#[derive(Debug, Default)]
struct PendingShard {
    states: HashMap<Spis, DecryptState>,
    /// The SAs in the order of insertion.
    order: VecDeque<Spis>,
    bytes: usize,
}

impl PendingShard {
    /// Updates the state of an SA. Drops the oldest SAs if the limits are exceeded
    /// afterwards.
    fn update<T>(
        &mut self,
        spis: Spis,
        work: impl FnOnce(&mut DecryptState) -> T,
    ) -> (T, PendingChange) {
        if !self.states.contains_key(&spis) {
            self.order.push_back(spis);
        }
        let state = self.states.entry(spis).or_default();
        let (size, before) = (state.size(), state.pending.len());
        let result = work(state);
        self.bytes = self.bytes - size + state.size();
        let mut changed = PendingChange::default();
        match state.pending.len() {
            now if now >= before => changed.added = now - before,
            now => changed.dropped = before - now,
        }
        while self.bytes > MAX_PENDING_BYTES / SHARDS
            || self.states.len() > MAX_PENDING_SAS / SHARDS
        {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(state) = self.states.remove(&oldest) {
                self.bytes -= state.size();
                changed.dropped += state.pending.len();
            }
        }
        (result, changed)
    }

    fn add_pending(&mut self, spis: Spis, message: PendingMessage) -> PendingChange {
        let (refused, mut changed) = self.update(spis, |state| {
            // The first messages of an SA are the most useful ones, so later ones are
            // refused.
            let has_room = state.pending.len() < MAX_PENDING;
            if has_room {
                state.pending.push(message);
            }
            usize::from(!has_room)
        });
        changed.refused = refused;
        changed
    }

    /// The number of pending messages whose SA has more key sets than have been tried.
    /// `keys` returns the number of key sets of an SA.
    fn decryptable(&self, keys: impl Fn(&Spis) -> usize) -> usize {
        let of_state = |(spis, state): (&Spis, &DecryptState)| {
            let keys = if state.pending.is_empty() { 0 } else { keys(spis) };
            state.pending.iter().filter(|message| message.keys_tried < keys).count()
        };
        self.states.iter().map(of_state).sum()
    }

    /// Takes the pending messages for which fewer than `keys` key sets have been tried.
    fn take(&mut self, spis: &Spis, keys: usize) -> Vec<PendingMessage> {
        let Some(state) = self.states.get_mut(spis) else { return Vec::new() };
        let (taken, kept): (Vec<_>, _) =
            state.pending.drain(..).partition(|message| message.keys_tried < keys);
        state.pending = kept;
        self.bytes -= taken.iter().map(PendingMessage::size).sum::<usize>();
        taken
    }

    fn reassemble(
        &mut self,
        spis: Spis,
        add: impl FnOnce(&mut Reassembly) -> Progress,
    ) -> (Progress, PendingChange) {
        self.update(spis, |state| add(&mut state.reassembly))
    }

    fn note_rekeying(&mut self, spis: Spis, message_id: u32) -> PendingChange {
        self.update(spis, |state| state.rekeyings = state.rekeyings.max(message_id)).1
    }

    fn rekeyings(&self, spis: &Spis) -> u32 {
        self.states.get(spis).map_or(0, |state| state.rekeyings)
    }
}
