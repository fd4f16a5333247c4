//! What is asked of any Suricata, before it is known that the plugin can run in it.
//!
//! The functions that give values are looked up by name, because the running Suricata may lack
//! what the bindings have.

use core::ffi::{c_char, c_int, CStr};
use core::ptr;

use super::form::truth;
use super::node::text;
use crate::host::compat;

/// Suricata's function for one value, as releases 8 and 7 call it. Its form is the same in all
/// releases that load plugins.
const GET_VALUE: [&CStr; 2] = [c"SCConfGet", c"ConfGet"];
type GetValue = unsafe extern "C" fn(*const c_char, *mut *const c_char) -> c_int;

/// Whether `app-layer.protocols.ikev2.enabled` leaves the plugin on.
pub(in crate::host) fn is_plugin_wanted() -> bool {
    value(c"app-layer.protocols.ikev2.enabled").and_then(|it| truth(&it)) != Some(false)
}

/// Whether errors at its start end Suricata: `engine.init-failure-fatal`, which `-T` and
/// `--init-errors-fatal` set.
pub(in crate::host) fn failures_are_fatal() -> bool {
    value(c"engine.init-failure-fatal").and_then(|it| truth(&it)) == Some(true)
}

fn value(key: &CStr) -> Option<String> {
    let address = GET_VALUE.iter().find_map(|name| compat::look_up(name))?;
    // SAFETY: a function with this name has this form in every release that loads plugins.
    let get: GetValue = unsafe { core::mem::transmute(address.as_ptr()) };
    let mut value = ptr::null();
    // SAFETY: the key ends with a zero, and the place is valid for writing.
    if unsafe { get(key.as_ptr(), &mut value) } != 1 {
        return None;
    }
    // SAFETY: Suricata returned null or a value of its configuration, which ends with a zero and
    // stays until Suricata ends.
    unsafe { text(value) }
}
