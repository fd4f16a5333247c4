//! The EVE logger: a transaction through the host's JSON builder.

use core::ffi::{c_void, CStr};

use super::guard::guard;
use crate::render::{render, Sink};
use crate::sys;
use crate::tx::Transaction;

/// Suricata's JSON builder as the renderer's sink.
struct HostSink(*mut sys::SCJsonBuilder);

/// Lengths that the builder takes are 32 bits; records are bounded far below.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

impl Sink for HostSink {
    fn open_object(&mut self, key: &CStr) {
        // SAFETY: the builder is valid while the logger runs; the key ends with a zero.
        unsafe { sys::SCJbOpenObject(self.0, key.as_ptr()) };
    }

    fn start_object(&mut self) {
        // SAFETY: as in `open_object`.
        unsafe { sys::SCJbStartObject(self.0) };
    }

    fn open_array(&mut self, key: &CStr) {
        // SAFETY: as in `open_object`.
        unsafe { sys::SCJbOpenArray(self.0, key.as_ptr()) };
    }

    fn close(&mut self) {
        // SAFETY: as in `open_object`.
        unsafe { sys::SCJbClose(self.0) };
    }

    fn uint(&mut self, key: &CStr, value: u64) {
        // SAFETY: as in `open_object`.
        unsafe { sys::SCJbSetUint(self.0, key.as_ptr(), value) };
    }

    fn bool(&mut self, key: &CStr, value: bool) {
        // SAFETY: as in `open_object`.
        unsafe { sys::SCJbSetBool(self.0, key.as_ptr(), value) };
    }

    fn string(&mut self, key: &CStr, value: &[u8]) {
        let length = length(value);
        // SAFETY: as in `open_object`; pointer and length are those of a slice.
        unsafe { sys::SCJbSetStringFromBytes(self.0, key.as_ptr(), value.as_ptr(), length) };
    }

    fn hex(&mut self, key: &CStr, value: &[u8]) {
        let length = length(value);
        // SAFETY: as in `string`.
        unsafe { sys::SCJbSetHex(self.0, key.as_ptr(), value.as_ptr(), length) };
    }

    fn push_string(&mut self, value: &[u8]) {
        let length = length(value);
        // SAFETY: as in `string`.
        unsafe { sys::SCJbAppendStringFromBytes(self.0, value.as_ptr(), length) };
    }
}

/// Writes a transaction as the object `ikev2` of a record; also for alerts.
pub(super) unsafe extern "C" fn log_transaction(tx: *const c_void, builder: *mut c_void) -> bool {
    // SAFETY: the host passes a pointer that `get_tx` returned, which points to the
    // transaction's host part, and holds it for the call.
    let Some(held) = (unsafe { tx.cast::<super::state::HeldTransaction>().as_ref() }) else {
        return false;
    };
    let transaction: &Transaction = &held.transaction;
    guard(false, || {
        let mut sink = HostSink(builder.cast());
        sink.open_object(c"ikev2");
        render(transaction, &mut sink);
        sink.close();
        true
    })
}
