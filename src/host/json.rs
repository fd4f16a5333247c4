//! The EVE logger: a transaction as text for the host's JSON builder.

use core::cell::RefCell;
use core::ffi::c_void;

use super::guard::guard;
use super::settings;
use super::state::{Content, HeldTransaction};
use crate::render::{render_compact, render_report, render_within, JsonText};
use crate::sa::SaReport;
use crate::sys;
use crate::tx::Transaction;

thread_local! {
    /// Used again for every record: the host's builder would be called for each field,
    /// and take most of the time that a message costs.
    static TEXT: RefCell<JsonText> = RefCell::default();
}

/// Writes a transaction as the object `ikev2` of a record: all of it in its own one, and
/// the compact form in those that the host writes of rules.
pub(super) unsafe extern "C" fn log_transaction(tx: *const c_void, builder: *mut c_void) -> bool {
    // SAFETY: the host passes a pointer that `get_tx` returned, which points to the
    // transaction's host part, and holds it for the call.
    let Some(held) = (unsafe { tx.cast::<HeldTransaction>().as_ref() }) else {
        return false;
    };
    guard(false, || {
        TEXT.with_borrow_mut(|text| {
            // SAFETY: the builder is valid while the logger runs.
            let own = unsafe { is_own(builder.cast()) };
            match &held.content {
                Content::Message(transaction) => write(transaction, own, text),
                Content::Sa(report, own_flow) => write_report(report, *own_flow, text),
            }
            let members = text.terminated().as_ptr();
            // SAFETY: the builder is valid while the logger runs; the text ends with a
            // zero and is copied.
            unsafe { sys::SCJbSetFormatted(builder.cast(), members.cast()) }
        })
    })
}

/// How far into a record its type is looked for: it stands behind the time, the flow's
/// number and the name of an interface.
const HEAD: usize = 1024;

/// What stands before the type, in two parts: the key `event_type`. In a name it would have a
/// `\` before each `"`.
const BEFORE: &[u8] = b"\"event";
const BEHIND: &[u8] = b"_type\":\"";

/// Whether the record that is being written is the message's own. The host calls the
/// same logger for alerts, and says nowhere but in the record what it is.
///
/// # Safety
/// The builder is the host's, valid for the call.
unsafe fn is_own(builder: *mut sys::SCJsonBuilder) -> bool {
    // SAFETY: see the function's contract. The text has so many bytes, and nobody writes
    // to it meanwhile.
    let written = unsafe {
        let (text, length) = (sys::SCJbPtr(builder), sys::SCJbLen(builder));
        if text.is_null() {
            return true;
        }
        core::slice::from_raw_parts(text, length.min(HEAD))
    };
    is_of_own_type(written)
}

/// Where no type is found the record is written whole.
fn is_of_own_type(written: &[u8]) -> bool {
    // Few keys have a `_`.
    let mut rest = written;
    while let Some(place) = rest.iter().position(|byte| *byte == b'_') {
        let (before, behind) = rest.split_at(place);
        if before.ends_with(BEFORE) {
            if let Some(kind) = behind.strip_prefix(BEHIND) {
                return kind.starts_with(b"ikev2\"");
            }
        }
        rest = &behind[1..];
    }
    true
}

fn write(transaction: &Transaction, own: bool, text: &mut JsonText) {
    text.clear();
    text.open_object(c"ikev2");
    if own {
        render_within(transaction, settings::get().max_record, text);
    } else {
        render_compact(transaction, text);
    }
    text.close();
}

fn write_report(report: &SaReport, own_flow: bool, text: &mut JsonText) {
    text.clear();
    text.open_object(c"ikev2");
    render_report(report, own_flow, settings::get().policy, text);
    text.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_records_type_tells_whose_it_is() {
        let own = |text: &str| is_of_own_type(text.as_bytes());
        assert!(own(r#"{"timestamp":"x","event_type":"ikev2","src_ip":"192.0.2.1""#));
        assert!(!own(r#"{"timestamp":"x","event_type":"alert","src_ip":"192.0.2.1""#));
        assert!(!own(r#"{"in_iface":"\"event_type\":\"ikev2\"","event_type":"drop","#));
        assert!(own("{"));
    }
}
