//! Panics on demand, in builds for tests only (feature `fault-injection`).
//!
//! `SURICATA_IKEV2_FAULT=NAME` makes the callback with this function name panic each time it is
//! called. `NAME/1` makes it panic the first time only.

use std::any::type_name;
use std::env;
use std::sync::atomic::{AtomicU64, Ordering};

use lazy_static::lazy_static;

/// A callback that has to panic.
struct Fault {
    /// The name of its function.
    name: String,
    /// How many times it still has to panic.
    left: AtomicU64,
}

lazy_static! {
    static ref FAULT: Option<Fault> = {
        let wanted = env::var("SURICATA_IKEV2_FAULT").ok()?;
        let (name, times) = match wanted.split_once('/') {
            Some((name, times)) => (name, times.parse().unwrap_or(0)),
            None => (&*wanted, u64::MAX),
        };
        Some(Fault { name: name.to_owned(), left: AtomicU64::new(times) })
    };
}

/// Panics if `W` is the work of the callback that has to panic. The name of a closure's type is
/// `…::FUNCTION::{{closure}}`, with the type arguments of the function.
pub(super) fn strike<W>() {
    let Some(fault) = FAULT.as_ref() else { return };
    let name = type_name::<W>().trim_end_matches("::{{closure}}");
    let name = name.split('<').next().unwrap_or(name);
    if name.rsplit("::").next() != Some(&fault.name) {
        return;
    }
    let one_less = |left: u64| left.checked_sub(1);
    if fault.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
        panic!("fault injected into {}", fault.name);
    }
}
