//! The table of IKE SAs in the host: its settings and its counters.

use std::ffi::CString;

use lazy_static::lazy_static;

use super::config::{self, children, Mode};
use super::counters::Counter;
use super::log;
use crate::sa::{Counters, Limits, Table};
use crate::sys;

/// The keys of `sa-tracking`.
const KEYS: &[&str] =
    &["enabled", "memcap", "half-open-timeout", "established-timeout", "closed-timeout", "window"];

/// The longest time that can be set: four weeks, in seconds.
const LONGEST: u32 = 28 * 86_400;

/// The settings of `sa-tracking`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Settings {
    off: bool,
    limits: Limits,
}

lazy_static! {
    static ref TABLE: Option<Table> = read();
}

/// The table that all of the host's threads share; none when tracking is off.
pub(super) fn table() -> Option<&'static Table> {
    TABLE.as_ref()
}

/// A new job begins, and no packet thread runs: what was known of another's SAs is over.
pub(super) fn forget() {
    if let Some(table) = table() {
        table.clear();
    }
}

fn read() -> Option<Table> {
    let section = format!("{}.sa-tracking", config::SECTION);
    let mut settings = Settings::default();
    for (key, value) in children(&section) {
        if let Err(mistake) = settings.set(&key, value.as_deref().unwrap_or(""), size) {
            log::configuration_error(&format!("{section}.{key}: {mistake}"));
        }
    }
    (!settings.off).then(|| Table::new(settings.limits))
}

impl Settings {
    /// Takes one key over. The error names the value and what is allowed.
    fn set(
        &mut self,
        key: &str,
        value: &str,
        size: impl Fn(&str) -> Option<u64>,
    ) -> Result<(), String> {
        let bad = |allowed: &str| format!("\"{value}\" is not {allowed}; the default is used");
        let seconds = || {
            let number = value.parse().ok().filter(|number| (1..=LONGEST).contains(number));
            number.ok_or_else(|| bad(&format!("a number of seconds from 1 to {LONGEST}")))
        };
        match key {
            "enabled" => {
                self.off = match config::mode(value) {
                    Some(Mode::On) => false,
                    Some(Mode::Off) => true,
                    _ => return Err(bad("yes or no")),
                }
            }
            "memcap" => {
                self.limits.memcap = size(value)
                    .filter(|bytes| *bytes >= SMALLEST_MEMCAP)
                    .ok_or_else(|| bad("a size of at least 1mb, such as 64mb"))?;
            }
            "half-open-timeout" => self.limits.half_open_timeout = seconds()?,
            "established-timeout" => self.limits.established_timeout = seconds()?,
            "closed-timeout" => self.limits.closed_timeout = seconds()?,
            "window" => self.limits.window = seconds()?,
            _ => return Err(format!("unknown key; known are {}", KEYS.join(", "))),
        }
        Ok(())
    }
}

/// Below, the table's own structure would take most of the memory.
const SMALLEST_MEMCAP: u64 = 1 << 20;

/// A size in Suricata's notation, in bytes.
fn size(text: &str) -> Option<u64> {
    let text = CString::new(text).ok()?;
    let mut bytes = 0;
    // SAFETY: the string ends with a zero; the place is valid for writing.
    let result = unsafe { sys::ParseSizeStringU64(text.as_ptr(), &mut bytes) };
    (result == 0).then_some(bytes)
}

/// The counters in Suricata's stats; none when tracking is off.
pub(super) fn counters() -> &'static [Counter] {
    table().map_or(&[], |_| COUNTERS)
}

const COUNTERS: &[Counter] = &[
    (c"ikev2.sa.active", active),
    (c"ikev2.sa.half_open", half_open),
    (c"ikev2.sa.memuse", memuse),
    (c"ikev2.sa.evicted", evicted),
    (c"ikev2.sa.unanswered", unanswered),
    (c"ikev2.sa.unfinished", unfinished),
];

fn count(which: fn(Counters) -> u64) -> u64 {
    super::guard::guard(0, || table().map_or(0, |table| which(table.counters())))
}

unsafe extern "C" fn active() -> u64 {
    count(|counters| counters.active)
}

unsafe extern "C" fn half_open() -> u64 {
    count(|counters| counters.half_open)
}

unsafe extern "C" fn memuse() -> u64 {
    count(|counters| counters.memuse)
}

unsafe extern "C" fn evicted() -> u64 {
    count(|counters| counters.evicted)
}

unsafe extern "C" fn unanswered() -> u64 {
    count(|counters| counters.unanswered)
}

unsafe extern "C" fn unfinished() -> u64 {
    count(|counters| counters.unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: &str) -> Result<Settings, String> {
        let mut settings = Settings::default();
        let size = |text: &str| text.strip_suffix("mb")?.parse::<u64>().ok().map(|it| it << 20);
        settings.set(key, value, size).map(|()| settings)
    }

    #[test]
    fn known_values_are_taken() {
        assert_eq!(set("enabled", "no").map(|settings| settings.off), Ok(true));
        assert_eq!(set("memcap", "2mb").map(|settings| settings.limits.memcap), Ok(2 << 20));
        assert_eq!(set("window", "9").map(|settings| settings.limits.window), Ok(9));
    }

    #[test]
    fn mistakes_name_the_value_and_what_is_allowed() {
        for (key, value, message) in [
            ("enabled", "detection-only", "\"detection-only\" is not yes or no"),
            ("memcap", "many", "\"many\" is not a size of at least 1mb"),
            ("window", "0", "\"0\" is not a number of seconds from 1 to 2419200"),
            ("timeout", "1", "unknown key; known are enabled, memcap, half-open-timeout"),
        ] {
            let error = set(key, value).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
