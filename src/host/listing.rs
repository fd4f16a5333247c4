//! `suricata --list-keywords` with the plugin's keywords.
//!
//! To list keywords, Suricata 8.0 does not read its configuration, so it loads no plugins. The
//! operator can preload the plugin instead:
//!
//! ```text
//! LD_PRELOAD=/usr/local/lib/suricata/ikev2.so suricata --list-keywords=ikev2.dh_group
//! ```
//!
//! The dynamic loader then runs [`on_load`] before Suricata's `main`. It runs it too when Suricata
//! loads the plugin that its configuration names. There the option is missing, and nothing is done.
//!
//! Debug builds do not have this: it would link calls of Suricata's functions into tests, and these
//! references are weak only in a plugin that is optimised as a whole.

use core::ffi::{c_char, c_int, CStr};

use super::compat;
use super::guard::guard;
use super::start::register_with_suricata;

const OPTION: &[u8] = b"--list-keywords";

#[used]
#[link_section = ".init_array"]
static ON_LOAD: unsafe extern "C" fn(c_int, *const *const c_char) = on_load;

/// The loader of the GNU C library calls this with the arguments of `main`, in each program that is
/// started. One of them may be the shell of a wrapper script, which is not Suricata.
unsafe extern "C" fn on_load(count: c_int, arguments: *const *const c_char) {
    guard((), || {
        // SAFETY: the loader passes the number of the program's arguments and the arguments.
        let lists = unsafe { asks_for_keywords(count, arguments) };
        if !lists || !compat::is_suricata() {
            return;
        }
        match compat::obstacle() {
            None => register_with_suricata(),
            Some(message) => eprintln!("{message}"),
        }
    });
}

/// Whether the option is one of the arguments.
///
/// # Safety
/// `arguments` points to `count` strings that end with a zero.
unsafe fn asks_for_keywords(count: c_int, arguments: *const *const c_char) -> bool {
    (1..usize::try_from(count).unwrap_or(0)).any(|index| {
        // SAFETY: the function demands as many strings, and the index is below their number.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) };
        argument.to_bytes().starts_with(OPTION)
    })
}
