//! Whether the plugin can run in the Suricata that loads it.
//!
//! The references to Suricata's functions are weak (see `build.rs`), so each Suricata that has
//! plugins can load this one. Where it cannot run, it logs why and what to do, and calls nothing
//! else. Suricata goes on, or ends if errors at its start do so.

use core::ffi::{c_char, c_void, CStr};
use core::ptr::{self, NonNull};

use lazy_static::lazy_static;

use super::host_static::HostStatic;
use super::keyword::prefilter;
use super::start::initialise;
use super::{log, protocol, settings};
use crate::sys;

/// The version of Suricata's plugin interface (`SC_API_VERSION`), and the releases that have it.
const API_VERSION: u64 = 0x0800;
const SUPPORTED: &CStr = c"8.0";

const LICENSE: &CStr = c"GPL-2.0-only";
const AUTHOR: &CStr = c"the suricata-ikev2 team";

/// Functions that every release with plugins has. They are enough to log what is wrong.
const ALWAYS_THERE: [&CStr; 3] = [c"GetProgramVersion", c"SCLogGetLogLevel", c"SCLogMessage"];

/// The description of the plugin for Suricata.
pub(super) static PLUGIN: HostStatic<sys::SCPlugin> = HostStatic(sys::SCPlugin {
    version: API_VERSION,
    suricata_version: SUPPORTED.as_ptr(),
    name: protocol::NAME.as_ptr(),
    plugin_version: concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast::<c_char>(),
    license: LICENSE.as_ptr(),
    author: AUTHOR.as_ptr(),
    Init: Some(initialise),
});

/// The form of the description before Suricata 8.
#[repr(C)]
struct OldPlugin {
    name: *const c_char,
    license: *const c_char,
    author: *const c_char,
    init: unsafe extern "C" fn(),
}

static OLD_PLUGIN: HostStatic<OldPlugin> = HostStatic(OldPlugin {
    name: protocol::NAME.as_ptr(),
    license: LICENSE.as_ptr(),
    author: AUTHOR.as_ptr(),
    init: initialise,
});

/// The description of the plugin in the form that the running Suricata reads.
pub(super) fn plugin() -> *const sys::SCPlugin {
    if matches!(major(&running_version()), Some(..=7)) {
        ptr::from_ref(&OLD_PLUGIN.0).cast()
    } else {
        &PLUGIN.0
    }
}

/// Whether the program is a Suricata at all.
pub(super) fn is_suricata() -> bool {
    is_there(ALWAYS_THERE[0])
}

/// Whether the plugin can run here.
pub(super) fn is_supported() -> bool {
    obstacle().is_none()
}

/// Logs why the plugin cannot run here, if it cannot. This is an error, unless the configuration
/// turns the plugin off.
pub(super) fn log_obstacle() {
    let Some(message) = obstacle() else { return };
    if !ALWAYS_THERE.iter().all(|name| is_there(name)) {
        eprintln!("{message}");
    } else if settings::is_plugin_wanted() {
        log::failed_to_start(message);
    } else {
        log::notice(message);
    }
}

lazy_static! {
    static ref OBSTACLE: Option<String> = find_obstacle();
}

/// Why the plugin cannot run here and what to do; none if it can run.
pub(super) fn obstacle() -> Option<&'static str> {
    OBSTACLE.as_deref()
}

fn find_obstacle() -> Option<String> {
    let running = running_version();
    let (why, advice) = if !is_release_of_8_0(&running) {
        (format!("this is {running}"), "install the release of the plugin for this Suricata")
    } else {
        let is_needed = |name: &&&CStr| !prefilter::FUNCTIONS.contains(name);
        let missing = sys::FUNCTIONS.iter().filter(is_needed).find(|name| !is_there(name))?;
        let missing = missing.to_string_lossy();
        (format!("this {running} does not have {missing}"), "use an unchanged release of Suricata")
    };
    let version = env!("CARGO_PKG_VERSION");
    Some(format!(
        "suricata-ikev2 {version} is for Suricata 8.0.x and {why}: the plugin stays off; \
         {advice}, or take the plugin out of \"plugins\" in suricata.yaml"
    ))
}

/// Whether the running program has a function.
pub(super) fn is_there(name: &CStr) -> bool {
    look_up(name).is_some()
}

/// The address of a function that the running program may have.
pub(super) fn look_up(name: &CStr) -> Option<NonNull<c_void>> {
    // SAFETY: the name ends with a zero. `dlsym` looks it up in what is loaded and does nothing else.
    NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) })
}

/// The version of the Suricata that loads the plugin, such as `8.0.8 RELEASE`.
pub(super) fn running_version() -> String {
    if !is_suricata() {
        return "of an unknown version".to_owned();
    }
    // SAFETY: Suricata has the function, as was just tested. It returns a constant string that ends
    // with a zero.
    unsafe { CStr::from_ptr(sys::GetProgramVersion()) }.to_string_lossy().into_owned()
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// Suricata's structures differ between minor versions. Suricata itself compares only a part of the
/// version when it loads a plugin.
fn is_release_of_8_0(version: &str) -> bool {
    version.strip_prefix("8.0.").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{is_release_of_8_0, major};

    #[test]
    fn only_releases_of_8_0_are_supported() {
        assert!(is_release_of_8_0("8.0.0"));
        assert!(is_release_of_8_0("8.0.8 RELEASE"));
        assert!(is_release_of_8_0("8.0.9-dev"));
        for other in ["7.0.10 RELEASE", "8.1.0", "8.0", "9.0.0-dev", "18.0.1", ""] {
            assert!(!is_release_of_8_0(other), "{other}");
        }
    }

    #[test]
    fn the_form_of_the_description_goes_by_the_major_version() {
        assert_eq!(major("7.0.10 RELEASE"), Some(7));
        assert_eq!(major("10.0.0-dev"), Some(10));
        assert_eq!(major("of an unknown version"), None);
    }
}
