//! The plugin inside Suricata: registration and the host's callbacks.
//!
//! All `unsafe` of the crate is here and in `sys`. Suricata calls, in this order:
//! [`SCPluginRegister`] → [`initialise`] (configuration is there, no parser yet)
//! → the built-in parsers register → [`register_parser`] → [`register_keywords`]
//! → loggers → rules.

mod compat;
mod config;
mod decryption;
mod detection;
#[cfg(feature = "fault-injection")]
mod fault;
mod flow;
mod guard;
mod job;
mod json;
mod keyword;
mod late_detection;
#[cfg(all(target_env = "gnu", not(debug_assertions)))]
mod listing;
mod log;
mod packet;
mod parser;
mod state;
mod tracking;

#[cfg(fuzzing)]
pub use decryption::read_key_table;
#[cfg(fuzzing)]
pub(crate) use keyword::fuzzing;

use core::ffi::CStr;
use core::ptr;
use std::sync::atomic::{AtomicU16, Ordering};

use guard::guard;

use crate::sys;

/// The protocol's name in rules, in EVE and in the configuration.
const PROTOCOL: &CStr = c"ikev2";

/// The IP protocol that carries IKE.
const UDP: u8 = libc::IPPROTO_UDP as u8;

/// Directions, as flags of the host (`STREAM_TOSERVER`, `STREAM_TOCLIENT`).
const TO_SERVER: u8 = 0x04;
const TO_CLIENT: u8 = 0x08;

/// The number that the host gave the protocol.
static PROTOCOL_NUMBER: AtomicU16 = AtomicU16::new(0);

fn protocol() -> sys::AppProto {
    PROTOCOL_NUMBER.load(Ordering::Relaxed)
}

/// Structures of strings and functions that the host reads and never writes.
struct Shared<T>(T);

// SAFETY: the pointers inside are to constants and functions, and nobody writes.
unsafe impl<T> Sync for Shared<T> {}

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
    let plugin = guard(None, || {
        guard::install_hook();
        compat::tell();
        Some(compat::plugin())
    });
    conclude(plugin.is_some());
    plugin.unwrap_or(ptr::from_ref(&compat::PLUGIN.0))
}

unsafe extern "C" fn initialise() {
    let done = guard(false, || {
        if !compat::is_supported() {
            return true; // `SCPluginRegister` has said so.
        }
        if config::get().mode == config::Mode::Off {
            let version = env!("CARGO_PKG_VERSION");
            log::notice(&format!("suricata-ikev2 {version}: off by configuration"));
            return true;
        }
        // Its settings are read here, so that `suricata -T` sees mistakes in them.
        tracking::table();
        if config::get().mode == config::Mode::On {
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

fn register_with_host() {
    parser::prepare_name();
    // SAFETY: the structure is static and the host only reads it.
    if unsafe { sys::SCPluginRegisterAppLayer(ptr::from_ref(&APP_LAYER.0).cast_mut()) } != 0 {
        log::failed_to_start(
            "Suricata did not accept the parser, most likely for want of memory: the plugin \
             stays off",
        );
    }
}

/// A counter in Suricata's stats: its name and what it is now.
type Counter = (&'static CStr, unsafe extern "C" fn() -> u64);

/// Adds the counters to the host's, for each job anew: the host lets go of all counters when
/// one ends. It has set its own up before it starts threads, and not long before that.
fn register_counters() {
    for (name, counter) in [tracking::counters(), decryption::counters()].concat() {
        // SAFETY: the name is static; the function has the host's form. One thread at a time
        // is here, while the host starts its threads one by one.
        unsafe { sys::StatsRegisterGlobalCounter(name.as_ptr(), Some(counter)) };
    }
}

/// Signals are for the threads that Suricata made.
fn block_signals() {
    // SAFETY: a set of signals is plain data, which `sigfillset` fills; the mask is that
    // of the calling thread alone.
    unsafe {
        let mut all = core::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, ptr::null_mut());
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
            if config::get().mode == config::Mode::On { "on" } else { "for detection only" },
            keyword::count(),
        ));
        true
    });
    conclude(done);
}
