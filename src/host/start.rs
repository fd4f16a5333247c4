//! The start of the plugin.
//!
//! Suricata calls, in this order: [`SCPluginRegister`] → [`initialise`] (the configuration is
//! loaded, no parser is registered yet) → the built-in parsers register → [`register_parser`] →
//! [`register_keywords`] → loggers → rules.

use core::ptr;

use super::guard::{self, guard};
use super::host_static::HostStatic;
use super::settings::{self, Mode};
use super::{
    compat, decryption, flow_records, json, keyword, late_detection, log, parser, protocol,
    tracking,
};
use crate::sys;

/// The description of the parser for Suricata.
///
/// In the configuration the logger has the name of the built-in one, so that one entry switches both
/// on. Suricata changes an entry `- ikev2` below `eve-log.types` to `- ike`, and every stock
/// suricata.yaml has the entry `- ike`.
static APP_LAYER: HostStatic<sys::SCAppLayerPlugin> = HostStatic(sys::SCAppLayerPlugin {
    name: protocol::NAME.as_ptr(),
    Register: Some(register_parser),
    KeywordsRegister: Some(register_keywords),
    logname: c"JsonIKEv2Log".as_ptr(),
    confname: c"eve-log.ike".as_ptr(),
    dir: LOG_PACKET_DIRECTION,
    Logger: Some(json::log_transaction),
});

/// Records have the addresses in the direction of the message (`LOG_DIR_PACKET`).
const LOG_PACKET_DIRECTION: u8 = 0;

/// Suricata calls this first.
#[no_mangle]
#[allow(unreachable_pub)]
pub extern "C" fn SCPluginRegister() -> *const sys::SCPlugin {
    let plugin = guard(None, || {
        guard::install_hook();
        compat::log_obstacle();
        Some(compat::plugin())
    });
    report_failed_step(plugin.is_some());
    plugin.unwrap_or(ptr::from_ref(&compat::PLUGIN.0))
}

pub(super) unsafe extern "C" fn initialise() {
    let done = guard(false, || {
        if !compat::is_supported() {
            return true; // `SCPluginRegister` has logged it.
        }
        if settings::get().mode == Mode::Off {
            let version = env!("CARGO_PKG_VERSION");
            log::notice(&format!("suricata-ikev2 {version}: off by configuration"));
            return true;
        }
        // The key tables are read now, so that `suricata -T` reports mistakes in them.
        tracking::table();
        if settings::get().mode == Mode::On {
            decryption::decryptor();
        }
        // With two copies, the keywords of one would read the transactions of the other.
        if late_detection::register() {
            flow_records::register();
            register_with_suricata();
        } else {
            log::failed_to_start(
                "another copy of the plugin is loaded: this one stays off; name the plugin once \
                 below \"plugins\" in suricata.yaml",
            );
        }
        true
    });
    report_failed_step(done);
}

/// Logs that a step of the start ended in a panic, which the hook has logged.
fn report_failed_step(done: bool) {
    if !done {
        log::failed_to_start(
            "the plugin did not start completely, because of the error above; remove it \
             from \"plugins\" in suricata.yaml until the error is fixed",
        );
    }
}

pub(super) fn register_with_suricata() {
    parser::prepare_name();
    // SAFETY: the structure is static, and Suricata only reads it.
    if unsafe { sys::SCPluginRegisterAppLayer(ptr::from_ref(&APP_LAYER.0).cast_mut()) } != 0 {
        log::failed_to_start(
            "Suricata did not accept the parser, probably because memory is short: the plugin \
             stays off",
        );
    }
}

unsafe extern "C" fn register_parser() {
    report_failed_step(guard(false, parser::register));
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
    report_failed_step(done);
}
