//! The operator's keys: the decryptor that all threads share, and the files with the keys.

mod file;
mod watcher;

#[cfg(fuzzing)]
pub use file::read_key_table;
pub(super) use watcher::end_watching;

use std::path::PathBuf;
use std::sync::Mutex;

use lazy_static::lazy_static;

use super::counters::Counter;
use super::guard::{guard, lock};
use super::{log, settings};
use crate::decrypt::{Decryptor, SaKeys, Spis};
use file::{KeyFile, KeyListener};

/// The decryptor, and the files that its keys come from.
struct Decryption {
    decryptor: Decryptor,
    files: Mutex<Vec<KeyFile>>,
}

lazy_static! {
    static ref DECRYPTION: Option<Decryption> = set_up();
}

/// The decryptor; none if decryption is off. The first call, at the start, reads the key tables.
pub(super) fn decryptor() -> Option<&'static Decryptor> {
    DECRYPTION.as_ref().map(|decryption| &decryption.decryptor)
}

fn set_up() -> Option<Decryption> {
    let settings = settings::get();
    if !settings.decryption {
        return None;
    }
    // The working directory changes when Suricata becomes a daemon.
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let files = settings.key_tables.iter().map(absolute).map(KeyFile::new).collect();
    let decryption = Decryption { decryptor: Decryptor::default(), files: Mutex::new(files) };
    decryption.read_files();
    let count = decryption.decryptor.sas();
    log::notice(&format!("decryption is on, with keys of {count} IKE SAs"));
    Some(decryption)
}

impl Decryption {
    fn read_files(&self) {
        let mut receiver = KeyReceiver { decryptor: &self.decryptor, new: 0 };
        for file in lock(&self.files).iter_mut() {
            file.read(&mut receiver);
        }
        if receiver.new > 0 {
            log::info(&format!("the key tables have {} more lines with keys", receiver.new));
        }
    }
}

/// Gives keys to the decryptor, and mistakes to Suricata's log.
struct KeyReceiver<'a> {
    decryptor: &'a Decryptor,
    /// The number of keys that the decryptor did not have.
    new: usize,
}

impl KeyListener for KeyReceiver<'_> {
    fn keys(&mut self, spis: Spis, keys: SaKeys) {
        self.new += usize::from(self.decryptor.insert(spis, keys));
    }

    fn mistake(&mut self, text: String) {
        log::warning(&text);
    }
}

/// The counters in Suricata's stats; none if decryption is off.
pub(super) fn counters() -> &'static [Counter] {
    decryptor().map_or(&[], |_| COUNTERS)
}

const COUNTERS: &[Counter] = &[
    (c"ikev2.decryption.held", held),
    (c"ikev2.decryption.unreported", unreported),
    (c"ikev2.decryption.given_up", given_up),
];

fn count(which: fn(&Decryptor) -> usize) -> u64 {
    guard(0, || decryptor().map_or(0, |decryptor| which(decryptor) as u64))
}

unsafe extern "C" fn held() -> u64 {
    count(Decryptor::pending)
}

unsafe extern "C" fn unreported() -> u64 {
    count(Decryptor::unreported)
}

unsafe extern "C" fn given_up() -> u64 {
    count(Decryptor::given_up)
}

/// Removes the messages that wait for keys, because a new job begins. Keys stay. No packet thread runs
/// yet.
pub(super) fn forget() {
    if let Some(decryptor) = decryptor() {
        decryptor.clear();
    }
}

/// Starts to read the key tables again and again, if decryption is on.
pub(super) fn begin_watching() {
    if let Some(decryption) = DECRYPTION.as_ref() {
        watcher::begin_watching(|| decryption.read_files());
    }
}
