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
use super::open::{Failure, Sealed};
use super::reassembly::{Progress, Reassembly};
use crate::sa::fragment::MessageKey;
use crate::tx::{Transaction, Transport};
use crate::wire::registry::{ExchangeType, PayloadType};
use crate::wire::{Header, Payload};

/// The most messages of one SA that are held, each datagram one. A certificate may
/// make ten fragments of each of the first.
pub const MAX_HELD: usize = 64;

/// The most bytes that held messages and fragments of all SAs take.
pub const MAX_HELD_BYTES: usize = 16 << 20;

/// The most SAs of which something is held.
pub const MAX_HELD_SAS: usize = 1 << 16;

/// Enough that threads seldom meet.
const SHARDS: usize = 64;

/// What a held datagram takes besides its bytes.
const OVERHEAD: usize = size_of::<Held>();

/// A message that waits for keys.
#[derive(Debug)]
pub struct Held {
    /// The datagram.
    pub datagram: Box<[u8]>,
    /// Where the message begins in it, in bytes.
    pub message_start: usize,
    /// What carried it.
    pub transport: Transport,
    /// How many sets of keys did not fit.
    tried: usize,
}

impl Held {
    fn new(tx: &Transaction, tried: usize) -> Self {
        let datagram = tx.datagram();
        Self {
            datagram: datagram.into(),
            message_start: datagram.len() - tx.message().len(),
            transport: tx.transport,
            tried,
        }
    }

    fn size(&self) -> usize {
        OVERHEAD + self.datagram.len()
    }
}

/// What became of an encrypted message.
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    /// There are no keys for it yet, or it was given up for want of room.
    NoKeys,
    /// It was not opened.
    Failed(Failure),
    /// A fragment that checks, of a message that is not complete or was before.
    Part,
    /// It was opened: the type of the first payload inside, and the payloads.
    Open(PayloadType, Vec<u8>),
}

/// Opens messages.
#[derive(Default)]
pub struct Decryptor {
    keys: RwLock<KeyTable>,
    shards: Shards,
    /// How many messages are held; mostly none, which spares a look.
    held: AtomicUsize,
    /// How many sets of keys have come.
    keys_taken: AtomicUsize,
    /// How many held messages were given up.
    given_up: AtomicUsize,
}

struct Shards {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

impl Default for Shards {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl Shards {
    fn of(&self, spis: &Spis) -> MutexGuard<'_, Shard> {
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
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
        self.held.store(0, Ordering::Relaxed);
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
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// How many of these there are keys for: no packet has come since that they could be
    /// reported with. This looks at all SAs of which messages are held.
    pub fn unreported(&self) -> usize {
        let of_shard = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.openable(|spis| self.epochs(spis).len())
        };
        if self.held() == 0 {
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
    pub fn open(&self, tx: &Transaction) -> Option<Opening> {
        let (header, payload) = encrypted(tx)?;
        let spis = Spis::from(header);
        let epochs = self.epochs(&spis);
        let opening = self.open_with(&epochs, tx, header, &payload)?;
        if self.awaits_keys(&opening, &spis, header, epochs.len()) {
            self.hold(spis, Held::new(tx, epochs.len()));
            return Some(Opening::NoKeys);
        }
        Some(opening)
    }

    /// Opens one that was held. It is not held again.
    pub fn open_late(&self, tx: &Transaction) -> Option<Opening> {
        let (header, payload) = encrypted(tx)?;
        let epochs = self.epochs(&Spis::from(header));
        self.open_with(&epochs, tx, header, &payload)
    }

    /// The messages held of this one's SA that there are more keys for than when they
    /// came, in the order in which they came.
    pub fn take_held(&self, tx: &Transaction) -> Vec<Held> {
        if self.held() == 0 {
            return Vec::new();
        }
        tx.header.as_ref().map_or_else(Vec::new, |header| self.take_held_of(&header.into()))
    }

    /// As [`Decryptor::take_held`], of the SA with these SPIs.
    pub fn take_held_of(&self, spis: &Spis) -> Vec<Held> {
        let keys = self.epochs(spis).len();
        let taken = self.shards.of(spis).take(spis, keys);
        self.held.fetch_sub(taken.len(), Ordering::Relaxed);
        taken
    }

    fn epochs(&self, spis: &Spis) -> Vec<Arc<SaKeys>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(spis).to_vec()
    }

    fn open_with(
        &self,
        epochs: &[Arc<SaKeys>],
        tx: &Transaction,
        header: &Header,
        payload: &Payload<'_>,
    ) -> Option<Opening> {
        let inside = match Sealed::of(tx.message(), header, payload)?.open(epochs) {
            Ok(inside) => inside,
            Err(Failure::NoKeys) => return Some(Opening::NoKeys),
            Err(failure) => return Some(Opening::Failed(failure)),
        };
        let spis = Spis::from(header);
        if header.exchange_type == ExchangeType::IKE_INTERMEDIATE {
            let changed = self.shards.of(&spis).note_rekeying(spis, header.message_id);
            self.count(changed);
        }
        let Some(fragment) = tx.fragment() else {
            return Some(Opening::Open(payload.next_payload, inside));
        };
        let key = MessageKey::from(header);
        let (progress, changed) = self
            .shards
            .of(&spis)
            .put_together(spis, |reassembly| reassembly.add(key, &fragment, &inside));
        self.count(changed);
        Some(match progress {
            Progress::Complete(first, whole) => Opening::Open(first, whole),
            Progress::Incomplete | Progress::Ignored | Progress::Refused => Opening::Part,
        })
    }

    /// Whether keys may come for a message that was not opened: there are none, or not
    /// yet those of an additional key exchange (RFC 9242, 3.3).
    fn awaits_keys(&self, opening: &Opening, spis: &Spis, header: &Header, keys: usize) -> bool {
        match opening {
            Opening::NoKeys => true,
            Opening::Failed(Failure::Integrity) => {
                let handshake = matches!(
                    header.exchange_type,
                    ExchangeType::IKE_INTERMEDIATE | ExchangeType::IKE_AUTH
                );
                handshake && keys as u64 <= self.shards.of(spis).rekeyings(spis).into()
            }
            _ => false,
        }
    }

    fn hold(&self, spis: Spis, message: Held) {
        let changed = self.shards.of(&spis).hold(spis, message);
        self.count(changed);
    }

    fn count(&self, changed: Changed) {
        self.held.fetch_add(changed.added, Ordering::Relaxed);
        self.held.fetch_sub(changed.dropped, Ordering::Relaxed);
        self.given_up.fetch_add(changed.dropped + changed.refused, Ordering::Relaxed);
    }
}

/// The encrypted payload and the header of a message that belongs to an IKE SA.
fn encrypted(tx: &Transaction) -> Option<(&Header, Payload<'_>)> {
    let header = tx.header.as_ref().filter(|header| header.resp_spi != [0; 8])?;
    let last = tx.outer_payloads().last().filter(|entry| entry.kind.is_encrypted())?;
    Some((header, tx.payload(last)))
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
    held: Vec<Held>,
    reassembly: Reassembly,
    /// The last IKE_INTERMEDIATE that was opened; each may have given new keys.
    rekeyings: u32,
}

impl Session {
    fn size(&self) -> usize {
        self.held.iter().map(Held::size).sum::<usize>() + self.reassembly.bytes()
    }
}

/// The SAs of which something is kept, and the bytes of all.
#[derive(Debug, Default)]
struct Shard {
    sessions: HashMap<Spis, Session>,
    /// The SAs in the order in which they came.
    order: VecDeque<Spis>,
    bytes: usize,
}

impl Shard {
    /// Works on an SA's part, and gives up the oldest SAs if there is too much then.
    fn with<T>(&mut self, spis: Spis, work: impl FnOnce(&mut Session) -> T) -> (T, Changed) {
        if !self.sessions.contains_key(&spis) {
            self.order.push_back(spis);
        }
        let session = self.sessions.entry(spis).or_default();
        let (size, held) = (session.size(), session.held.len());
        let result = work(session);
        self.bytes = self.bytes - size + session.size();
        let mut changed = Changed::default();
        match session.held.len() {
            now if now >= held => changed.added = now - held,
            now => changed.dropped = held - now,
        }
        while self.bytes > MAX_HELD_BYTES / SHARDS || self.sessions.len() > MAX_HELD_SAS / SHARDS {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(session) = self.sessions.remove(&oldest) {
                self.bytes -= session.size();
                changed.dropped += session.held.len();
            }
        }
        (result, changed)
    }

    fn hold(&mut self, spis: Spis, message: Held) -> Changed {
        let (refused, mut changed) = self.with(spis, |session| {
            // The first tell most.
            let has_room = session.held.len() < MAX_HELD;
            if has_room {
                session.held.push(message);
            }
            usize::from(!has_room)
        });
        changed.refused = refused;
        changed
    }

    /// How many held messages fewer sets of keys were tried on than `keys` has.
    fn openable(&self, keys: impl Fn(&Spis) -> usize) -> usize {
        let of_session = |(spis, session): (&Spis, &Session)| {
            let keys = if session.held.is_empty() { 0 } else { keys(spis) };
            session.held.iter().filter(|held| held.tried < keys).count()
        };
        self.sessions.iter().map(of_session).sum()
    }

    /// Takes what fewer sets of keys than these were tried on.
    fn take(&mut self, spis: &Spis, keys: usize) -> Vec<Held> {
        let Some(session) = self.sessions.get_mut(spis) else { return Vec::new() };
        let (taken, kept): (Vec<_>, _) = session.held.drain(..).partition(|held| held.tried < keys);
        session.held = kept;
        self.bytes -= taken.iter().map(Held::size).sum::<usize>();
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
