//! Keys and messages of all IKE SAs, shared by all threads.
//!
//! Keys may come after the messages that need them: peers use new keys at once, and
//! whoever writes them down comes later. So messages without keys are held, within
//! limits, until a later message of the same SA finds that there are keys now.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::key_table::{KeyTable, SaKeys, Spis};
use super::reassembly::{Progress, Reassembly};
use super::sealed::{DecryptError, Sealed};
use crate::message::{Message, Transport};
use crate::sa::fragment::MessageKey;
use crate::wire::registry::{ExchangeType, PayloadType};
use crate::wire::{Header, Payload};

/// The most messages of one SA that are held, each datagram one. A certificate may
/// make ten fragments of each of the first.
pub const MAX_PENDING: usize = 64;

/// The most bytes that held messages and fragments of all SAs take.
pub const MAX_PENDING_BYTES: usize = 16 << 20;

/// The most SAs of which something is held.
pub const MAX_PENDING_SAS: usize = 1 << 16;

/// Enough that threads seldom meet.
const SHARDS: usize = 64;

/// What a held datagram takes besides its bytes.
const OVERHEAD: usize = size_of::<PendingMessage>();

/// A message that waits for keys.
#[derive(Debug)]
pub struct PendingMessage {
    /// The datagram.
    pub datagram: Box<[u8]>,
    /// Where the message begins in it, in bytes.
    pub message_start: usize,
    /// What carried it.
    pub transport: Transport,
    /// How many sets of keys did not fit.
    tried: usize,
}

impl PendingMessage {
    fn new(message: &Message, tried: usize) -> Self {
        let datagram = message.datagram();
        Self {
            datagram: datagram.into(),
            message_start: datagram.len() - message.bytes().len(),
            transport: message.transport,
            tried,
        }
    }

    fn size(&self) -> usize {
        OVERHEAD + self.datagram.len()
    }
}

/// What became of an encrypted message.
#[derive(Debug, PartialEq, Eq)]
pub enum DecryptOutcome {
    /// There are no keys for it yet, or it was given up for want of room.
    NoKeys,
    /// It was not opened.
    Failed(DecryptError),
    /// A fragment that checks, of a message that is not complete or was before.
    Fragment,
    /// The message was decrypted: the type of the first decrypted payload, and the payloads.
    Plaintext(PayloadType, Vec<u8>),
}

/// Opens messages.
#[derive(Default)]
pub struct Decryptor {
    keys: RwLock<KeyTable>,
    shards: PendingShards,
    /// How many messages are held; mostly none, which spares a look.
    pending: AtomicUsize,
    /// How many sets of keys have come.
    keys_taken: AtomicUsize,
    /// How many held messages were given up.
    given_up: AtomicUsize,
}

struct PendingShards {
    shards: Box<[Mutex<PendingShard>]>,
    hasher: RandomState,
}

impl Default for PendingShards {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl PendingShards {
    fn of(&self, spis: &Spis) -> MutexGuard<'_, PendingShard> {
        let place = self.hasher.hash_one(spis) as usize % SHARDS;
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Decryptor {
    /// Takes keys; whether they were not there before.
    pub fn insert(&self, spis: Spis, keys: SaKeys) -> bool {
        let is_new = self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(spis, keys);
        if is_new {
            // Who sees the number sees the keys.
            self.keys_taken.fetch_add(1, Ordering::Release);
        }
        is_new
    }

    /// Gives up all messages and fragments that are held, and counts none of them. Keys stay.
    pub fn clear(&self) {
        for shard in &self.shards.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = PendingShard::default();
        }
        self.pending.store(0, Ordering::Relaxed);
        self.given_up.store(0, Ordering::Relaxed);
    }

    /// How many sets of keys have come; a change says that held messages may open.
    pub fn keys_taken(&self) -> usize {
        self.keys_taken.load(Ordering::Acquire)
    }

    /// How many SAs have keys.
    pub fn sas(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many messages are held.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// How many of these there are keys for: no packet has come since that they could be
    /// reported with. This looks at all SAs of which messages are held.
    pub fn unreported(&self) -> usize {
        let of_shard = |shard: &Mutex<PendingShard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.openable(|spis| self.epochs(spis).len())
        };
        if self.pending() == 0 {
            return 0;
        }
        self.shards.shards.iter().map(of_shard).sum()
    }

    /// How many messages were given up since the start though they waited for keys: there
    /// was no room for them.
    pub fn given_up(&self) -> usize {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Opens a message; none if nothing in it is encrypted. If there are no keys yet it is
    /// held.
    pub fn decrypt(&self, message: &Message) -> Option<DecryptOutcome> {
        let (header, payload) = encrypted(message)?;
        let spis = Spis::from(header);
        let epochs = self.epochs(&spis);
        let opening = self.decrypt_with(&epochs, message, header, &payload)?;
        if self.awaits_keys(&opening, &spis, header, epochs.len()) {
            self.keep(spis, PendingMessage::new(message, epochs.len()));
            return Some(DecryptOutcome::NoKeys);
        }
        Some(opening)
    }

    /// Opens one that was held. It is not held again.
    pub fn decrypt_late(&self, message: &Message) -> Option<DecryptOutcome> {
        let (header, payload) = encrypted(message)?;
        let epochs = self.epochs(&Spis::from(header));
        self.decrypt_with(&epochs, message, header, &payload)
    }

    /// The messages held of this one's SA that there are more keys for than when they
    /// came, in the order in which they came.
    pub fn take_pending(&self, message: &Message) -> Vec<PendingMessage> {
        if self.pending() == 0 {
            return Vec::new();
        }
        message.header.as_ref().map_or_else(Vec::new, |header| self.take_pending_of(&header.into()))
    }

    /// As [`Decryptor::take_pending`], of the SA with these SPIs.
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
        let inside = match Sealed::of(message.bytes(), header, payload)?.open(epochs) {
            Ok(inside) => inside,
            Err(DecryptError::NoKeys) => return Some(DecryptOutcome::NoKeys),
            Err(failure) => return Some(DecryptOutcome::Failed(failure)),
        };
        let spis = Spis::from(header);
        if header.exchange_type == ExchangeType::IKE_INTERMEDIATE {
            let changed = self.shards.of(&spis).note_rekeying(spis, header.message_id);
            self.count(changed);
        }
        let Some(fragment) = message.fragment() else {
            return Some(DecryptOutcome::Plaintext(payload.next_payload, inside));
        };
        let key = MessageKey::from(header);
        let (progress, changed) = self
            .shards
            .of(&spis)
            .put_together(spis, |reassembly| reassembly.add(key, &fragment, &inside));
        self.count(changed);
        Some(match progress {
            Progress::Complete(first, whole) => DecryptOutcome::Plaintext(first, whole),
            Progress::Incomplete | Progress::Ignored | Progress::Refused => {
                DecryptOutcome::Fragment
            }
        })
    }

    /// Whether keys may come for a message that was not opened: there are none, or not
    /// yet those of an additional key exchange (RFC 9242, 3.3).
    fn awaits_keys(
        &self,
        opening: &DecryptOutcome,
        spis: &Spis,
        header: &Header,
        keys: usize,
    ) -> bool {
        match opening {
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

    fn keep(&self, spis: Spis, message: PendingMessage) {
        let changed = self.shards.of(&spis).keep(spis, message);
        self.count(changed);
    }

    fn count(&self, changed: Changed) {
        self.pending.fetch_add(changed.added, Ordering::Relaxed);
        self.pending.fetch_sub(changed.dropped, Ordering::Relaxed);
        self.given_up.fetch_add(changed.dropped + changed.refused, Ordering::Relaxed);
    }
}

/// The encrypted payload and the header of a message that belongs to an IKE SA.
fn encrypted(message: &Message) -> Option<(&Header, Payload<'_>)> {
    let header = message.header.as_ref().filter(|header| header.resp_spi != [0; 8])?;
    let last = message.outer_payloads().last().filter(|entry| entry.kind.is_encrypted())?;
    Some((header, message.payload(last)))
}

/// How many messages are held now and were not before, and the other way round.
#[derive(Clone, Copy, Debug, Default)]
struct Changed {
    added: usize,
    dropped: usize,
    /// How many found no room.
    refused: usize,
}

/// What is kept of an SA between its messages.
#[derive(Debug, Default)]
struct Session {
    pending: Vec<PendingMessage>,
    reassembly: Reassembly,
    /// The last IKE_INTERMEDIATE that was opened; each may have given new keys.
    rekeyings: u32,
}

impl Session {
    fn size(&self) -> usize {
        self.pending.iter().map(PendingMessage::size).sum::<usize>() + self.reassembly.bytes()
    }
}

/// The SAs of which something is kept, and the bytes of all.
#[derive(Debug, Default)]
struct PendingShard {
    sessions: HashMap<Spis, Session>,
    /// The SAs in the order in which they came.
    order: VecDeque<Spis>,
    bytes: usize,
}

impl PendingShard {
    /// Works on an SA's part, and gives up the oldest SAs if there is too much then.
    fn with<T>(&mut self, spis: Spis, work: impl FnOnce(&mut Session) -> T) -> (T, Changed) {
        if !self.sessions.contains_key(&spis) {
            self.order.push_back(spis);
        }
        let session = self.sessions.entry(spis).or_default();
        let (size, held) = (session.size(), session.pending.len());
        let result = work(session);
        self.bytes = self.bytes - size + session.size();
        let mut changed = Changed::default();
        match session.pending.len() {
            now if now >= held => changed.added = now - held,
            now => changed.dropped = held - now,
        }
        while self.bytes > MAX_PENDING_BYTES / SHARDS
            || self.sessions.len() > MAX_PENDING_SAS / SHARDS
        {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(session) = self.sessions.remove(&oldest) {
                self.bytes -= session.size();
                changed.dropped += session.pending.len();
            }
        }
        (result, changed)
    }

    fn keep(&mut self, spis: Spis, message: PendingMessage) -> Changed {
        let (refused, mut changed) = self.with(spis, |session| {
            // The first tell most.
            let has_room = session.pending.len() < MAX_PENDING;
            if has_room {
                session.pending.push(message);
            }
            usize::from(!has_room)
        });
        changed.refused = refused;
        changed
    }

    /// How many held messages fewer sets of keys were tried on than `keys` has.
    fn openable(&self, keys: impl Fn(&Spis) -> usize) -> usize {
        let of_session = |(spis, session): (&Spis, &Session)| {
            let keys = if session.pending.is_empty() { 0 } else { keys(spis) };
            session.pending.iter().filter(|held| held.tried < keys).count()
        };
        self.sessions.iter().map(of_session).sum()
    }

    /// Takes what fewer sets of keys than these were tried on.
    fn take(&mut self, spis: &Spis, keys: usize) -> Vec<PendingMessage> {
        let Some(session) = self.sessions.get_mut(spis) else { return Vec::new() };
        let (taken, kept): (Vec<_>, _) =
            session.pending.drain(..).partition(|held| held.tried < keys);
        session.pending = kept;
        self.bytes -= taken.iter().map(PendingMessage::size).sum::<usize>();
        taken
    }

    fn put_together(
        &mut self,
        spis: Spis,
        add: impl FnOnce(&mut Reassembly) -> Progress,
    ) -> (Progress, Changed) {
        self.with(spis, |session| add(&mut session.reassembly))
    }

    fn note_rekeying(&mut self, spis: Spis, message_id: u32) -> Changed {
        self.with(spis, |session| session.rekeyings = session.rekeyings.max(message_id)).1
    }

    fn rekeyings(&self, spis: &Spis) -> u32 {
        self.sessions.get(spis).map_or(0, |session| session.rekeyings)
    }
}
