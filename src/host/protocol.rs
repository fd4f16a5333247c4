//! The protocol `ikev2`: its name, its number and the constants of Suricata that go with it.

use core::ffi::CStr;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::sys;

/// The protocol's name in rules, in EVE records and in the configuration.
pub(super) const NAME: &CStr = c"ikev2";

/// The IP protocol that carries IKE.
pub(super) const UDP: u8 = libc::IPPROTO_UDP as u8;

/// The directions of a flow, as flags of Suricata (`STREAM_TOSERVER`, `STREAM_TOCLIENT`).
pub(super) const TO_SERVER: u8 = 0x04;
pub(super) const TO_CLIENT: u8 = 0x08;

/// The number of a flow whose protocol is not known yet (`ALPROTO_UNKNOWN`).
pub(super) const UNKNOWN: sys::AppProto = 0;

/// The number of a flow in which detection found no protocol (`ALPROTO_FAILED`).
pub(super) const FAILED: sys::AppProto = 1;

/// Whether a number is that of a protocol, so that a parser has the flow.
pub(super) fn has_parser(number: sys::AppProto) -> bool {
    !matches!(number, UNKNOWN | FAILED)
}

/// The number that Suricata gave to `ikev2`.
static NUMBER: AtomicU16 = AtomicU16::new(UNKNOWN);

/// The number that Suricata gave to `ikev2`; [`UNKNOWN`] before the registration.
pub(super) fn number() -> sys::AppProto {
    NUMBER.load(Ordering::Relaxed)
}

/// Keeps the number that the registration returned.
pub(super) fn set_number(number: sys::AppProto) {
    NUMBER.store(number, Ordering::Relaxed);
}
