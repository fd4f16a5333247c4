//! No panic crosses into the host: every callback runs in [`guard`].

use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::log;

/// Runs a callback's work; a panic becomes `on_panic`, which says to the host
/// that this flow, rule or record is given up.
///
/// What the closure borrowed may be half changed after a panic, in the bounds of safe
/// code. So the host is told to let go of it, and a flow's state takes in nothing more.
pub(super) fn guard<T, W: FnOnce() -> T>(on_panic: T, work: W) -> T {
    let work = || {
        #[cfg(feature = "fault-injection")]
        super::fault::strike::<W>();
        work()
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(on_panic)
}

/// Where panics were, as far as they have been told.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The most places whose panics are told: an attacker must not fill the log.
const MOST_TOLD: usize = 16;

/// Makes the first panic of each place one line in Suricata's log. The hook belongs to
/// the plugin's own copy of the standard library, not to Suricata's.
pub(super) fn install_hook() {
    set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        if is_new(&mut lock(&TOLD), place) {
            log::error(&format!(
                "internal error, please report; not told again for this place: {panic}"
            ));
        }
    }));
}

/// Whether a place is none of those told, and may be; then it is one from now on.
fn is_new(told: &mut Vec<String>, place: String) -> bool {
    let is_new = told.len() < MOST_TOLD && !told.contains(&place);
    if is_new {
        told.push(place);
    }
    is_new
}

/// Locks a mutex, also one whose owner panicked while it had the lock. What it protects may then
/// be half changed, in the bounds of safe code.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_callbacks_failure_value() {
        assert_eq!(guard(-1, || panic!("test of the guard")), -1);
        assert_eq!(guard(-1, || 7), 7);
    }

    #[test]
    fn a_place_is_told_once_and_places_are_not_without_end() {
        let mut told = Vec::new();
        assert!(is_new(&mut told, "a.rs:1:1".to_owned()));
        assert!(!is_new(&mut told, "a.rs:1:1".to_owned()));
        let new = (0..100).filter(|line| is_new(&mut told, format!("b.rs:{line}:1")));
        assert_eq!(new.count(), MOST_TOLD - 1);
    }
}
