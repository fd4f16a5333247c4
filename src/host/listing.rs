//! `suricata --list-keywords` for the plugin's keywords.
//!
//! Suricata 8.0 lists keywords without reading its configuration, and so without
//! loading plugins. A plugin that the operator preloads is there all the same:
//!
//! ```text
//! LD_PRELOAD=/usr/local/lib/suricata/ikev2.so suricata --list-keywords=ikev2.dh_group
//! ```
//!
//! The loader then runs [`on_load`] before Suricata's `main`, as it does when
//! Suricata loads a plugin that its configuration names; there the option is missing
//! and nothing is done.
//!
//! Not in debug builds: what calls the host from here would be linked into tests,
//! and only in a plugin that is optimised as a whole are all references weak.

use core::ffi::{c_char, c_int, CStr};

use super::compat;
use super::guard::guard;
use super::start::register_with_host;

const OPTION: &[u8] = b"--list-keywords";

#[used]
#[link_section = ".init_array"]
static ON_LOAD: unsafe extern "C" fn(c_int, *const *const c_char) = on_load;

/// The loader of the GNU C library passes what `main` gets, to each program that
/// is started: a wrapper's shell is not the one that is asked.
unsafe extern "C" fn on_load(count: c_int, arguments: *const *const c_char) {
    guard((), || {
        // SAFETY: the loader passes the program's argument vector.
        let lists = unsafe { asks_for_keywords(count, arguments) };
        if !lists || !compat::is_suricata() {
            return;
        }
        match compat::obstacle() {
            None => register_with_host(),
            Some(message) => eprintln!("{message}"),
        }
    });
}

/// # Safety
/// `arguments` points to `count` zero-terminated strings.
unsafe fn asks_for_keywords(count: c_int, arguments: *const *const c_char) -> bool {
    (1..usize::try_from(count).unwrap_or(0)).any(|index| {
        // SAFETY: see the function's contract.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) };
        argument.to_bytes().starts_with(OPTION)
    })
}
