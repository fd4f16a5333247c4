//! The table of IKE SAs, which all threads of Suricata share, and its counters.

use lazy_static::lazy_static;

use super::counters::Counter;
use super::guard::guard;
use super::settings;
use crate::sa::{Counters, Limits, SaTable};

lazy_static! {
    static ref TABLE: Option<SaTable> = {
        let settings = settings::get();
        let limits = Limits { records: true, ..settings.sa_limits };
        settings.sa_tracking.then(|| SaTable::new(limits))
    };
}

/// The table, which all threads share; none if tracking is off.
pub(super) fn table() -> Option<&'static SaTable> {
    TABLE.as_ref()
}

/// Removes all SAs, because a new job begins. No packet thread runs yet.
pub(super) fn forget() {
    if let Some(table) = table() {
        table.clear();
    }
}

/// Counts the record of an SA that could not be written.
pub(super) fn count_lost_report() {
    if let Some(table) = table() {
        table.lose_report();
    }
}

/// The counters in Suricata's stats; none if tracking is off.
pub(super) fn counters() -> &'static [Counter] {
    table().map_or(&[], |_| COUNTERS)
}

const COUNTERS: &[Counter] = &[
    (c"ikev2.sa.active", active),
    (c"ikev2.sa.half_open", half_open),
    (c"ikev2.sa.memuse", memuse),
    (c"ikev2.sa.evicted", evicted),
    (c"ikev2.sa.unanswered", unanswered),
    (c"ikev2.sa.unfinished", unfinished),
    (c"ikev2.sa.records_waiting", records_waiting),
    (c"ikev2.sa.records_lost", records_lost),
];

fn count(which: fn(Counters) -> u64) -> u64 {
    guard(0, || table().map_or(0, |table| which(table.counters())))
}

unsafe extern "C" fn active() -> u64 {
    count(|counters| counters.active)
}

unsafe extern "C" fn half_open() -> u64 {
    count(|counters| counters.half_open)
}

unsafe extern "C" fn memuse() -> u64 {
    count(|counters| counters.memuse)
}

unsafe extern "C" fn evicted() -> u64 {
    count(|counters| counters.evicted)
}

unsafe extern "C" fn unanswered() -> u64 {
    count(|counters| counters.unanswered)
}

unsafe extern "C" fn unfinished() -> u64 {
    count(|counters| counters.unfinished)
}

unsafe extern "C" fn records_waiting() -> u64 {
    count(|counters| counters.reports_waiting)
}

unsafe extern "C" fn records_lost() -> u64 {
    count(|counters| counters.reports_lost)
}
