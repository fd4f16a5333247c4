//! The operator's keys: the settings of `decryption`, and the thread that reads them.

mod file;
mod watcher;

#[cfg(fuzzing)]
pub use file::read_key_table;
pub(super) use watcher::end_watching;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lazy_static::lazy_static;

use super::config::{self, children, Mode};
use super::counters::Counter;
use super::guard::guard;
use super::log;
use crate::decrypt::{Decryptor, SaKeys, Spis};
use file::{KeyFile, Listener};

/// The keys of `decryption`.
const KEYS: &[&str] = &["enabled", "key-table"];

/// The settings of `decryption`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Settings {
    on: bool,
    key_tables: Vec<PathBuf>,
}

/// What decryption works with.
struct Decryption {
    decryptor: Decryptor,
    files: Mutex<Vec<KeyFile>>,
}

lazy_static! {
    static ref DECRYPTION: Option<Decryption> = set_up();
}

/// What opens messages; none when decryption is off. The first call, at start-up, reads
/// settings and keys.
pub(super) fn decryptor() -> Option<&'static Decryptor> {
    DECRYPTION.as_ref().map(|decryption| &decryption.decryptor)
}

fn set_up() -> Option<Decryption> {
    let section = format!("{}.decryption", config::SECTION);
    let mut settings = Settings::default();
    for (key, value) in children(&section) {
        let values = match value {
            Some(value) => vec![value],
            None => {
                children(&format!("{section}.{key}")).into_iter().filter_map(|it| it.1).collect()
            }
        };
        if let Err(mistake) = settings.set(&key, values) {
            log::configuration_error(&format!("{section}.{key}: {mistake}"));
        }
    }
    if !settings.on {
        return None;
    }
    if settings.key_tables.is_empty() {
        log::configuration_error(&format!("{section}.key-table: no file; nothing is decrypted"));
        return None;
    }
    // A daemon has another working directory than who started it.
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let files = settings.key_tables.into_iter().map(|path| KeyFile::new(absolute(path))).collect();
    let decryption = Decryption { decryptor: Decryptor::default(), files: Mutex::new(files) };
    decryption.read_files();
    let count = decryption.decryptor.sas();
    log::notice(&format!("decryption on, with keys of {count} IKE SAs"));
    Some(decryption)
}

impl Settings {
    /// Takes one key over. The error names the value and what is allowed.
    fn set(&mut self, key: &str, values: Vec<String>) -> Result<(), String> {
        match key {
            "enabled" => {
                let value = values.join(", ");
                self.on = match config::mode(&value) {
                    Some(Mode::On) => true,
                    Some(Mode::Off) => false,
                    _ => return Err(format!("\"{value}\" is not yes or no; the default is used")),
                }
            }
            "key-table" => self.key_tables = values.into_iter().map(PathBuf::from).collect(),
            _ => return Err(format!("unknown key; known are {}", KEYS.join(", "))),
        }
        Ok(())
    }
}

impl Decryption {
    fn read_files(&self) {
        let mut listener = Reporter { decryptor: &self.decryptor, found: 0 };
        for file in lock(&self.files).iter_mut() {
            file.read(&mut listener);
        }
        if listener.found > 0 {
            log::info(&format!("{} more lines with keys", listener.found));
        }
    }
}

struct Reporter<'a> {
    decryptor: &'a Decryptor,
    found: usize,
}

impl Listener for Reporter<'_> {
    fn keys(&mut self, spis: Spis, keys: SaKeys) {
        self.found += usize::from(self.decryptor.insert(spis, keys));
    }

    fn mistake(&mut self, text: String) {
        log::warning(&text);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The counters in Suricata's stats; none when decryption is off.
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

/// A new job begins, and no packet thread runs: what was held of another's SAs is over. Keys
/// stay.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, values: &[&str]) -> Result<Settings, String> {
        let mut settings = Settings::default();
        let values = values.iter().map(|&value| value.to_owned()).collect();
        settings.set(key, values).map(|()| settings)
    }

    #[test]
    fn known_values_are_taken() {
        assert_eq!(set("enabled", &["yes"]).map(|settings| settings.on), Ok(true));
        assert_eq!(set("enabled", &["no"]), Ok(Settings::default()));
        let tables = set("key-table", &["one", "two"]).map(|settings| settings.key_tables);
        assert_eq!(tables, Ok(vec!["one".into(), "two".into()]));
    }

    #[test]
    fn mistakes_name_the_value_and_what_is_allowed() {
        for (key, message) in [
            ("enabled", "\"maybe\" is not yes or no; the default is used"),
            ("keys", "unknown key; known are enabled, key-table"),
        ] {
            assert_eq!(set(key, &["maybe"]), Err(message.to_owned()));
        }
    }
}
