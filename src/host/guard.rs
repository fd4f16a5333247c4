//! No panic crosses into the host: every callback runs in [`guard`].

use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};

use super::log;

/// Runs a callback's work; a panic becomes `on_panic`, which says to the host
/// that this flow, rule or record is given up.
///
/// What the closure borrowed may be half changed after a panic. That is sound
/// here because every `on_panic` makes the host drop it without looking inside.
pub(super) fn guard<T>(on_panic: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(on_panic)
}

/// Makes a panic one line in Suricata's log. The hook belongs to the plugin's
/// own copy of the standard library, not to Suricata's.
pub(super) fn install_hook() {
    set_hook(Box::new(|panic| log::error(&format!("internal error, please report: {panic}"))));
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_becomes_the_callbacks_failure_value() {
        assert_eq!(guard(-1, || panic!("test of the guard")), -1);
        assert_eq!(guard(-1, || 7), 7);
    }
}
