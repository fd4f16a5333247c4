//! The plugin inside Suricata: registration and the host's callbacks.
//!
//! All `unsafe` of the crate is here and in `sys`. Suricata calls, in this order:
//! [`SCPluginRegister`] → [`initialise`] (configuration is there, no parser yet)
//! → the built-in parsers register → [`register_parser`] → [`register_keywords`]
//! → loggers → rules.

mod claim;
mod config;
mod flow;
mod guard;
mod json;
mod keyword;
mod log;
mod parser;
mod state;
mod tracking;

use core::ffi::{c_char, CStr};
use core::ptr;
use std::sync::atomic::{AtomicU16, Ordering};

use guard::guard;

use crate::sys;

/// The protocol's name in rules, in EVE and in the configuration.
const PROTOCOL: &CStr = c"ikev2";

/// Directions, as flags of the host (`STREAM_TOSERVER`, `STREAM_TOCLIENT`).
const TO_SERVER: u8 = 0x04;
const TO_CLIENT: u8 = 0x08;

/// The host's plugin interface (`SC_API_VERSION`) and the releases it stands for.
const API_VERSION: u64 = 0x0800;
const SUPPORTED: &CStr = c"8.0";

/// The number that the host gave the protocol.
static PROTOCOL_NUMBER: AtomicU16 = AtomicU16::new(0);

fn protocol() -> sys::AppProto {
    PROTOCOL_NUMBER.load(Ordering::Relaxed)
}

/// Structures of strings and functions that the host reads and never writes.
struct Shared<T>(T);

// SAFETY: the pointers inside are to constants and functions, and nobody writes.
unsafe impl<T> Sync for Shared<T> {}

static PLUGIN: Shared<sys::SCPlugin> = Shared(sys::SCPlugin {
    version: API_VERSION,
    suricata_version: SUPPORTED.as_ptr(),
    name: PROTOCOL.as_ptr(),
    plugin_version: concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast::<c_char>(),
    license: c"GPL-2.0-only".as_ptr(),
    author: c"the suricata-ikev2 team".as_ptr(),
    Init: Some(initialise),
});

/// The logger's name in the configuration is the built-in's: Suricata rewrites
/// `- ikev2` below `eve-log.types` to `- ike`, which every stock file has, and
/// so one entry switches both on.
static APP_LAYER: Shared<sys::SCAppLayerPlugin> = Shared(sys::SCAppLayerPlugin {
    name: PROTOCOL.as_ptr(),
    Register: Some(register_parser),
    KeywordsRegister: Some(register_keywords),
    logname: c"JsonIKEv2Log".as_ptr(),
    confname: c"eve-log.ike".as_ptr(),
    dir: LOG_PACKET_DIRECTION,
    Logger: Some(json::log_transaction),
});

/// Records show the addresses in the message's own direction (`LOG_DIR_PACKET`).
const LOG_PACKET_DIRECTION: u8 = 0;

/// Suricata's entry point into the plugin.
#[no_mangle]
#[allow(unreachable_pub)]
pub extern "C" fn SCPluginRegister() -> *const sys::SCPlugin {
    guard((), || {
        guard::install_hook();
        let running = running_version();
        if !is_supported(&running) {
            let version = env!("CARGO_PKG_VERSION");
            log::error(&format!(
                "suricata-ikev2 {version} is for Suricata 8.0.x and this is {running}: \
                 the plugin stays off"
            ));
        }
    });
    &PLUGIN.0
}

unsafe extern "C" fn initialise() {
    guard((), || {
        if !is_supported(&running_version()) {
            return; // `SCPluginRegister` has said so.
        }
        if config::get().mode == config::Mode::Off {
            let version = env!("CARGO_PKG_VERSION");
            return log::notice(&format!("suricata-ikev2 {version}: off by configuration"));
        }
        // Its settings are read here, so that `suricata -T` sees mistakes in them.
        tracking::table();
        parser::prepare_name();
        claim::prepare();
        // SAFETY: the structure is static and the host only reads it.
        if unsafe { sys::SCPluginRegisterAppLayer(ptr::from_ref(&APP_LAYER.0).cast_mut()) } != 0 {
            log::error("Suricata did not accept the parser: the plugin stays off");
        }
    });
}

fn running_version() -> String {
    // SAFETY: the host returns a zero-terminated constant.
    unsafe { CStr::from_ptr(sys::GetProgramVersion()) }.to_string_lossy().into_owned()
}

/// Structures of the host differ between minor versions, and the host's own
/// check compares less than the whole version.
fn is_supported(version: &str) -> bool {
    version.strip_prefix("8.0.").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

unsafe extern "C" fn register_parser() {
    guard((), parser::register);
}

unsafe extern "C" fn register_keywords() {
    guard((), || {
        keyword::register();
        parser::check_name();
        log::notice(&format!(
            "suricata-ikev2 {} in Suricata {}: parser {}, EVE records, {} keywords",
            env!("CARGO_PKG_VERSION"),
            running_version(),
            if config::get().mode == config::Mode::On { "on" } else { "for detection only" },
            keyword::count(),
        ));
    });
}

#[cfg(test)]
mod tests {
    use super::is_supported;

    #[test]
    fn only_releases_of_8_0_are_supported() {
        assert!(is_supported("8.0.0"));
        assert!(is_supported("8.0.8 RELEASE"));
        assert!(is_supported("8.0.9-dev"));
        for other in ["7.0.10 RELEASE", "8.1.0", "8.0", "9.0.0-dev", "18.0.1", ""] {
            assert!(!is_supported(other), "{other}");
        }
    }
}
