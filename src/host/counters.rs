//! The plugin's counters in Suricata's stats.

use core::ffi::CStr;

use super::{decryption, tracking};
use crate::sys;

/// A counter: its name, and the function that says its value now.
pub(super) type Counter = (&'static CStr, unsafe extern "C" fn() -> u64);

/// Registers all counters. Each job needs this again, because Suricata removes all counters when
/// a job ends. It has prepared its own counters before it starts threads.
pub(super) fn register() {
    for (name, value) in [tracking::counters(), decryption::counters()].concat() {
        // SAFETY: the name is static, and the function has the form that Suricata calls. One
        // thread at a time is here, because Suricata starts its threads one after the other.
        unsafe { sys::StatsRegisterGlobalCounter(name.as_ptr(), Some(value)) };
    }
}
