//! The section `app-layer.protocols.ikev2` of suricata.yaml.

use core::ffi::CStr;
use std::ffi::CString;

use lazy_static::lazy_static;

use super::log;
use crate::sys;

const SECTION: &str = "app-layer.protocols.ikev2";

/// The keys of the section.
const KEYS: &[&str] = &["enabled", "detection-ports", "max-tx", "policy"];

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
}

impl Default for Config {
    fn default() -> Self {
        Self { mode: Mode::On, max_tx: 256 }
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
    let mut config = Config::default();
    for (key, value) in children() {
        if let Err(mistake) = config.set(&key, value.as_deref()) {
            log::configuration_error(&mistake);
        }
    }
    config
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
            "policy" if shown != "rfc8247" => return Err(bad("a known policy (rfc8247)")),
            // Suricata itself reads the ports, and says what it does not understand.
            "policy" | "detection-ports" => {}
            _ => {
                let known = KEYS.join(", ");
                return Err(format!("{SECTION}.{key}: unknown key; known are {known}"));
            }
        }
        Ok(())
    }
}

/// The spellings that Suricata has for truth values.
fn mode(value: &str) -> Option<Mode> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(Mode::On),
        "0" | "no" | "false" | "off" => Some(Mode::Off),
        "detection-only" => Some(Mode::DetectionOnly),
        _ => None,
    }
}

/// The section's keys with their values; none of a value that is no scalar.
fn children() -> Vec<(String, Option<String>)> {
    let mut children = Vec::new();
    let section = CString::new(SECTION).unwrap_or_default();
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

fn text(string: *const core::ffi::c_char) -> Option<String> {
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
        assert_eq!(set("policy", "rfc8247"), Ok(Config::default()));
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
                "app-layer.protocols.ikev2.policy: \"lax\" is not a known policy (rfc8247); \
                 the default is used",
            ),
            (
                "max_tx",
                "1",
                "app-layer.protocols.ikev2.max_tx: unknown key; known are enabled, \
                 detection-ports, max-tx, policy",
            ),
        ] {
            assert_eq!(set(key, value), Err(message.to_owned()));
        }
    }
}
