//! The start of the plugin.
//!
//! Suricata calls, in this order: [`SCPluginRegister`] → [`initialise`] (the configuration is
//! loaded, no parser is registered yet) → the built-in parsers register → [`register_parser`] →
//! [`register_keywords`] → loggers → rules.

use core::ptr;

use super::guard::{self, guard};
use super::host_static::HostStatic;
use super::settings::{self, Mode};
use super::{compat, decryption, json, keyword, late_detection, log, parser, protocol, tracking};
use crate::sys;

/// The logger's name in the configuration is the built-in's: Suricata rewrites
/// `- ikev2` below `eve-log.types` to `- ike`, which every stock file has, and
/// so one entry switches both on.
static APP_LAYER: HostStatic<sys::SCAppLayerPlugin> = HostStatic(sys::SCAppLayerPlugin {
    name: protocol::NAME.as_ptr(),
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
    let plugin = guard(None, || {
        guard::install_hook();
        compat::tell();
        Some(compat::plugin())
    });
    conclude(plugin.is_some());
    plugin.unwrap_or(ptr::from_ref(&compat::PLUGIN.0))
}

pub(super) unsafe extern "C" fn initialise() {
    let done = guard(false, || {
        if !compat::is_supported() {
            return true; // `SCPluginRegister` has said so.
        }
        if settings::get().mode == Mode::Off {
            let version = env!("CARGO_PKG_VERSION");
            log::notice(&format!("suricata-ikev2 {version}: off by configuration"));
            return true;
        }
        // Its settings are read here, so that `suricata -T` sees mistakes in them.
        tracking::table();
        if settings::get().mode == Mode::On {
            decryption::decryptor();
        }
        // Keywords of one copy must not read what another one has made.
        if late_detection::prepare() {
            register_with_host();
        } else {
            log::failed_to_start(
                "another copy of the plugin is loaded: this one stays off; name the plugin once \
                 below \"plugins\" in suricata.yaml",
            );
        }
        true
    });
    conclude(done);
}

/// Says so when a step of the start ended in a panic, which the hook has told.
fn conclude(done: bool) {
    if !done {
        log::failed_to_start(
            "a step of the start failed, as told before: not all of the plugin is there; take it \
             out of \"plugins\" in suricata.yaml until that is mended",
        );
    }
}

pub(super) fn register_with_host() {
    parser::prepare_name();
    // SAFETY: the structure is static and the host only reads it.
    if unsafe { sys::SCPluginRegisterAppLayer(ptr::from_ref(&APP_LAYER.0).cast_mut()) } != 0 {
        log::failed_to_start(
            "Suricata did not accept the parser, most likely for want of memory: the plugin \
             stays off",
        );
    }
}

unsafe extern "C" fn register_parser() {
    conclude(guard(false, parser::register));
}

unsafe extern "C" fn register_keywords() {
    let done = guard(false, || {
        let keywords = keyword::register();
        for obstacle in parser::obstacle().into_iter().chain(keywords.err()) {
            log::failed_to_start(&obstacle);
        }
        log::notice(&format!(
            "suricata-ikev2 {} in Suricata {}: parser {}, EVE records, {} keywords",
            env!("CARGO_PKG_VERSION"),
            compat::running_version(),
            if settings::get().mode == Mode::On { "on" } else { "for detection only" },
            keyword::count(),
        ));
        true
    });
    conclude(done);
}
