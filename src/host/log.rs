//! Messages in Suricata's log.

use core::ffi::CStr;
use std::ffi::CString;

use super::settings;
use crate::sys;

const MODULE: &CStr = c"ikev2";

/// Something the operator must mend.
pub(super) fn error(message: &str) {
    write(sys::SC_LOG_ERROR, message);
}

/// The plugin cannot do what it was loaded for: an error, which also ends Suricata where it
/// ends with errors of its start (`suricata -T`, `--init-errors-fatal`). Only of use then.
pub(super) fn failed_to_start(message: &str) {
    error(message);
    if settings::failures_are_fatal() {
        // SAFETY: ends the process as the host's own `FatalError` does; no other thread is
        // there yet.
        unsafe { libc::exit(libc::EXIT_FAILURE) }
    }
}

/// Something the operator should look at.
pub(super) fn warning(message: &str) {
    write(sys::SC_LOG_WARNING, message);
}

/// Something every operator wants to see.
pub(super) fn notice(message: &str) {
    write(sys::SC_LOG_NOTICE, message);
}

/// Something that who wants to know more reads.
pub(super) fn info(message: &str) {
    write(sys::SC_LOG_INFO, message);
}

/// A configuration mistake: ends Suricata where `engine.init-failure-fatal`
/// says so, else warns, as Suricata does with mistakes of its own sections.
pub(super) fn configuration_error(message: &str) {
    let message = c_string(message);
    // SAFETY: the host formats the string with "%s" and keeps no pointer to it.
    unsafe { sys::SCFatalErrorOnInitStatic(message.as_ptr()) }
}

fn write(level: sys::SCLogLevel, message: &str) {
    let message = c_string(message);
    // SAFETY: no argument; the host's log is set up before plugins are loaded.
    if unsafe { sys::SCLogGetLogLevel() } < level {
        return;
    }
    // SAFETY: all strings are zero-terminated and the host copies what it keeps.
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

/// The text as the host wants it; zero bytes, which it could not show, are left out.
fn c_string(text: &str) -> CString {
    let bytes: Vec<u8> = text.bytes().filter(|byte| *byte != 0).collect();
    CString::new(bytes).unwrap_or_default()
}
