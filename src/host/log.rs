//! Messages in Suricata's log.

use core::ffi::CStr;
use std::ffi::CString;

use super::settings;
use crate::sys;

const MODULE: &CStr = c"ikev2";

/// Logs something that the operator must fix.
pub(super) fn error(message: &str) {
    write(sys::SC_LOG_ERROR, message);
}

/// Logs that the plugin cannot do what it was loaded for. Ends Suricata too, if errors at its start
/// do so (`suricata -T`, `--init-errors-fatal`). To be called at the start only.
pub(super) fn failed_to_start(message: &str) {
    error(message);
    if settings::failures_are_fatal() {
        // SAFETY: `exit` ends the process as Suricata's own `FatalError` does. No other thread
        // runs yet.
        unsafe { libc::exit(libc::EXIT_FAILURE) }
    }
}

/// Logs something that the operator should look at.
pub(super) fn warning(message: &str) {
    write(sys::SC_LOG_WARNING, message);
}

/// Logs something that every operator wants to see.
pub(super) fn notice(message: &str) {
    write(sys::SC_LOG_NOTICE, message);
}

/// Logs something for operators who want to know more.
pub(super) fn info(message: &str) {
    write(sys::SC_LOG_INFO, message);
}

/// Logs a mistake in the configuration as a warning. Ends Suricata instead, if
/// `engine.init-failure-fatal` says so. Suricata does the same with mistakes in its own sections.
pub(super) fn configuration_error(message: &str) {
    let message = c_string(message);
    // SAFETY: the message ends with a zero. Suricata formats it with "%s" and keeps no pointer to it.
    unsafe { sys::SCFatalErrorOnInitStatic(message.as_ptr()) }
}

fn write(level: sys::SCLogLevel, message: &str) {
    let message = c_string(message);
    // SAFETY: the function has no argument, and Suricata prepares its log before it loads plugins.
    if unsafe { sys::SCLogGetLogLevel() } < level {
        return;
    }
    // SAFETY: all strings end with a zero, and Suricata copies what it keeps.
    unsafe {
        sys::SCLogMessage(
            level,
            c"suricata-ikev2".as_ptr(),
            0,
            MODULE.as_ptr(),
            MODULE.as_ptr(),
            message.as_ptr(),
        );
    }
}

/// The text as a string of C. Zero bytes, which would end it, are left out.
fn c_string(text: &str) -> CString {
    let bytes: Vec<u8> = text.bytes().filter(|byte| *byte != 0).collect();
    CString::new(bytes).unwrap_or_default()
}
