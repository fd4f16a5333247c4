//! The section `app-layer.protocols.ikev2` of suricata.yaml.

use core::ffi::{c_char, c_int, CStr};
use core::ptr;
use std::ffi::CString;

use lazy_static::lazy_static;

use super::{compat, log};
use crate::policy::{CustomPolicy, Policy};
use crate::render::MAX_RECORD;
use crate::sys;

pub(super) const SECTION: &str = "app-layer.protocols.ikev2";

/// The keys of the section.
const KEYS: &[&str] = &[
    "enabled",
    "detection-ports",
    "max-tx",
    "policy",
    "custom-policy",
    "sa-tracking",
    "decryption",
    "max-record-size",
];

/// How much of the plugin is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Detection and parsing.
    On,
    /// Flows are named `ikev2` and not parsed.
    DetectionOnly,
    /// Nothing: IKEv2 stays with the built-in parser.
    Off,
}

/// The validated configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Config {
    /// `enabled`
    pub(super) mode: Mode,
    /// `max-tx`: the most transactions of a flow that are kept at once.
    pub(super) max_tx: usize,
    /// `max-record-size`: the most bytes of a message in a record.
    pub(super) max_record: usize,
    /// `policy`: what judges the proposals of every message.
    pub(super) policy: &'static Policy,
    /// `custom-policy`: what the name `custom` means; none without lists.
    pub(super) custom: Option<&'static Policy>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::On,
            max_tx: 256,
            max_record: MAX_RECORD,
            policy: Policy::standard(),
            custom: None,
        }
    }
}

lazy_static! {
    static ref CONFIG: Config = read();
}

/// The configuration. The first call, at start-up, reads it and tells mistakes
/// with key, value and what is allowed.
pub(super) fn get() -> &'static Config {
    &CONFIG
}

fn read() -> Config {
    let mut config = Config { custom: custom(), ..Config::default() };
    for (key, value) in children(SECTION) {
        if let Err(mistake) = config.set(&key, value.as_deref()) {
            log::configuration_error(&mistake);
        }
    }
    config
}

/// The lists of `custom-policy`. A policy lives as long as the configuration.
fn custom() -> Option<&'static Policy> {
    let section = format!("{SECTION}.custom-policy");
    let mut lists = CustomPolicy::default();
    for (kind, value) in children(&section) {
        let key = format!("{section}.{kind}");
        let mut names: Vec<_> = children(&key).into_iter().filter_map(|it| it.1).collect();
        names.extend(value);
        if names.is_empty() {
            log::configuration_error(&format!("{key}: it lists nothing; the kind is not judged"));
        }
        for name in names {
            if let Err(mistake) = lists.allow(&kind, &name) {
                log::configuration_error(&format!("{key}: {mistake} (it is left out)"));
            }
        }
    }
    (!lists.is_empty()).then(|| &*Box::leak(Box::new(Policy::custom(lists))))
}

impl Config {
    /// Takes one key over. The error names key, value and what is allowed.
    fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), String> {
        let shown = value.unwrap_or("");
        let bad = |allowed: &str| {
            format!("{SECTION}.{key}: \"{shown}\" is not {allowed}; the default is used")
        };
        match key {
            "enabled" => {
                self.mode = mode(shown).ok_or_else(|| bad("yes, no or detection-only"))?;
            }
            "max-tx" => {
                self.max_tx = shown
                    .parse()
                    .ok()
                    .filter(|limit| (1..=65535).contains(limit))
                    .ok_or_else(|| bad("a number from 1 to 65535"))?;
            }
            "max-record-size" => {
                self.max_record = shown
                    .parse()
                    .ok()
                    .filter(|bytes| (2048..=1_048_576).contains(bytes))
                    .ok_or_else(|| bad("a number of bytes from 2048 to 1048576"))?;
            }
            "policy" => {
                self.policy = Policy::named(shown, self.custom)
                    .map_err(|error| format!("{SECTION}.{key}: {error}; the default is used"))?;
            }
            // Suricata itself reads the ports, and says what it does not understand.
            // The lists are read before all else, and these sections by modules of their own.
            "detection-ports" | "custom-policy" | "sa-tracking" | "decryption" => {}
            _ => {
                let known = KEYS.join(", ");
                return Err(format!("{SECTION}.{key}: unknown key; known are {known}"));
            }
        }
        Ok(())
    }
}

/// The spellings that Suricata has for truth values.
pub(super) fn mode(value: &str) -> Option<Mode> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(Mode::On),
        "0" | "no" | "false" | "off" => Some(Mode::Off),
        "detection-only" => Some(Mode::DetectionOnly),
        _ => None,
    }
}

/// A section's keys with their values; none of a value that is no scalar. The keys
/// of a list are numbers.
pub(super) fn children(section: &str) -> Vec<(String, Option<String>)> {
    let mut children = Vec::new();
    let section = CString::new(section).unwrap_or_default();
    // SAFETY: the name is zero-terminated; the host returns null or a node of its
    // configuration, which lives until Suricata ends.
    let section = unsafe { sys::SCConfGetNode(section.as_ptr()) };
    if section.is_null() {
        return children;
    }
    // SAFETY: the section is a node of the host.
    let mut child = unsafe { sys::SCConfGetFirstNode(section) };
    // SAFETY: null or a node of the host.
    while let Some(node) = unsafe { child.as_ref() } {
        if let Some(name) = text(node.name) {
            children.push((name, text(node.val)));
        }
        // SAFETY: the child is a node of the host.
        child = unsafe { sys::SCConfGetNextNode(child) };
    }
    children
}

/// Whether `app-layer.protocols.ikev2.enabled` leaves the plugin on; asked of any Suricata,
/// also of one that the plugin is not for.
pub(super) fn asks_for_plugin() -> bool {
    let value = scalar(c"app-layer.protocols.ikev2.enabled");
    value.and_then(|value| mode(&value)) != Some(Mode::Off)
}

/// Whether Suricata ends with an error of its start: `engine.init-failure-fatal`, which `-T`
/// and `--init-errors-fatal` set. Asked as [`asks_for_plugin`] is.
pub(super) fn failures_are_fatal() -> bool {
    scalar(c"engine.init-failure-fatal").is_some_and(|value| mode(&value) == Some(Mode::On))
}

/// The host's function for one value, as 8 and 7 call it. It has been the same since long.
const GET_VALUE: [&CStr; 2] = [c"SCConfGet", c"ConfGet"];
type GetValue = unsafe extern "C" fn(*const c_char, *mut *const c_char) -> c_int;

/// A value of the configuration, by a function that is looked up: the running Suricata may
/// lack what the bindings have.
fn scalar(key: &CStr) -> Option<String> {
    let address = GET_VALUE.iter().find_map(|name| compat::look_up(name))?;
    // SAFETY: a function of this name has this form in every release.
    let get: GetValue = unsafe { core::mem::transmute(address.as_ptr()) };
    let mut value = ptr::null();
    // SAFETY: the key is zero-terminated and the place is valid for writing; a value lives
    // until Suricata ends.
    (unsafe { get(key.as_ptr(), &mut value) } == 1).then(|| text(value))?
}

fn text(string: *const c_char) -> Option<String> {
    if string.is_null() {
        return None;
    }
    // SAFETY: strings of configuration nodes are null or zero-terminated.
    Some(unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: &str) -> Result<Config, String> {
        let mut config = Config::default();
        config.set(key, Some(value)).map(|()| config)
    }

    #[test]
    fn known_values_are_taken() {
        assert_eq!(set("enabled", "NO").map(|config| config.mode), Ok(Mode::Off));
        assert_eq!(set("max-tx", "12").map(|config| config.max_tx), Ok(12));
        assert_eq!(set("max-record-size", "4096").map(|config| config.max_record), Ok(4096));
        assert!(set("max-record-size", "100").is_err());
        assert_eq!(set("policy", "rfc8247"), Ok(Config::default()));
        assert_eq!(set("policy", "anssi").map(|config| config.policy.name()), Ok("anssi"));
    }

    #[test]
    fn mistakes_name_key_value_and_what_is_allowed() {
        for (key, value, message) in [
            (
                "enabled",
                "maybe",
                "app-layer.protocols.ikev2.enabled: \"maybe\" is not yes, no or detection-only; \
                 the default is used",
            ),
            (
                "max-tx",
                "0",
                "app-layer.protocols.ikev2.max-tx: \"0\" is not a number from 1 to 65535; \
                 the default is used",
            ),
            (
                "policy",
                "lax",
                "app-layer.protocols.ikev2.policy: \"lax\" is not a known policy (rfc8247, \
                 nist-sp800-77r1, bsi-tr-02102-3, anssi, cnsa-1, cnsa-2, custom); the default \
                 is used",
            ),
            (
                "max_tx",
                "1",
                "app-layer.protocols.ikev2.max_tx: unknown key; known are enabled, \
                 detection-ports, max-tx, policy, custom-policy, sa-tracking, decryption, \
                 max-record-size",
            ),
        ] {
            assert_eq!(set(key, value), Err(message.to_owned()));
        }
    }
}
