//! No panic leaves the plugin: every callback of Suricata runs in [`guard`].

use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::log;

/// Runs the work of a callback. After a panic it returns `on_panic`, which makes Suricata give up
/// the flow, rule or record.
///
/// A panic may leave what the closure borrowed half changed, in the bounds of safe code. So it must
/// not be used any more: Suricata gives it up, and the state of a flow takes no more data.
pub(super) fn guard<T, W: FnOnce() -> T>(on_panic: T, work: W) -> T {
    let work = || {
        #[cfg(feature = "fault-injection")]
        super::fault::strike::<W>();
        work()
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(on_panic)
}

/// The places in the source whose panics were logged.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The largest number of these places. An attacker must not fill the log.
const MAX_LOGGED: usize = 16;

/// Makes the first panic of each place one line in Suricata's log. The hook is one of the plugin's
/// own copy of the standard library. Suricata's copy has its own.
pub(super) fn install_hook() {
    set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        if is_new(&mut lock(&LOGGED), place) {
            log::error(&format!(
                "internal error, please report it (further errors at this place of the source are \
                 not logged): {panic}"
            ));
        }
    }));
}

/// Whether the panic of a place is to be logged. If it is, the place becomes one of `logged`.
fn is_new(logged: &mut Vec<String>, place: String) -> bool {
    let is_new = logged.len() < MAX_LOGGED && !logged.contains(&place);
    if is_new {
        logged.push(place);
    }
    is_new
}

/// Locks a mutex, also if a thread panicked while it had the lock. What the mutex protects may then
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
    fn each_place_is_logged_once_and_their_number_is_bounded() {
        let mut logged = Vec::new();
        assert!(is_new(&mut logged, "a.rs:1:1".to_owned()));
        assert!(!is_new(&mut logged, "a.rs:1:1".to_owned()));
        let new = (0..100).filter(|line| is_new(&mut logged, format!("b.rs:{line}:1")));
        assert_eq!(new.count(), MAX_LOGGED - 1);
    }
}
