//! The EVE logger: a transaction as text for the host's JSON builder.

use core::cell::RefCell;
use core::ffi::c_void;

use super::guard::guard;
use super::state::HeldTransaction;
use crate::json::Text;
use crate::render::{render, Sink};
use crate::sys;
use crate::tx::Transaction;

thread_local! {
    /// Used again for every record: the host's builder would be called for each field,
    /// and take most of the time that a message costs.
    static TEXT: RefCell<Text> = RefCell::default();
}

/// Writes a transaction as the object `ikev2` of a record; also for alerts.
pub(super) unsafe extern "C" fn log_transaction(tx: *const c_void, builder: *mut c_void) -> bool {
    // SAFETY: the host passes a pointer that `get_tx` returned, which points to the
    // transaction's host part, and holds it for the call.
    let Some(held) = (unsafe { tx.cast::<HeldTransaction>().as_ref() }) else {
        return false;
    };
    guard(false, || {
        TEXT.with_borrow_mut(|text| {
            write(&held.transaction, text);
            let members = text.terminated().as_ptr();
            // SAFETY: the builder is valid while the logger runs; the text ends with a
            // zero and is copied.
            unsafe { sys::SCJbSetFormatted(builder.cast(), members.cast()) }
        })
    })
}

fn write(transaction: &Transaction, text: &mut Text) {
    text.clear();
    text.open_object(c"ikev2");
    render(transaction, text);
    text.close();
}
