//! The object `ikev2` in Suricata's own records: which IKE SAs a flow belongs to.
//!
//! Suricata calls [`on_record`] for each EVE record, before it is closed. Records of flows and
//! alerts get the object if the flow carried messages of IKEv2, or if it is native ESP between
//! peers of a known IKE SA. Which SAs a flow carried is kept in a flow storage, because
//! Suricata has no function that returns the parser's state of a flow.

use core::cell::RefCell;
use core::ffi::{c_uint, c_void};
use core::mem::size_of;
use core::ptr;
use core::slice;
use std::sync::atomic::{AtomicI32, Ordering};

use super::flow::Flow;
use super::guard::guard;
use super::{log, tracking};
use crate::render::{render_flow, JsonText};
use crate::sa::{FlowSas, SaOfFlow};
use crate::sys;
use crate::tx::Transaction;

/// The number of the flow storage; negative if there is none.
static STORAGE: AtomicI32 = AtomicI32::new(NO_STORAGE);
const NO_STORAGE: i32 = -1;

/// The records that get the object. Others have it from the logger of the message, or are not
/// about a flow.
const KINDS: [&[u8]; 3] = [b"flow\"", b"netflow\"", b"alert\""];

/// What stands before the type of a record, and how far into the record it is looked for.
const TYPE: &[u8] = b"\"event_type\":\"";
const HEAD: usize = 1024;

/// The key of the object. In a text of the record, each `"` has a `\` before it.
const KEY: &[u8] = b",\"ikev2\":{";

thread_local! {
    static TEXT: RefCell<JsonText> = RefCell::default();
}

/// Registers the flow storage and the callback. Without them, records of flows have no object.
pub(super) fn register() {
    if tracking::table().is_none() {
        return;
    }
    // SAFETY: the name is static. Storage of the size of a pointer needs no function to allocate.
    // The callback has the form that Suricata calls, and needs no user data.
    let registered = unsafe {
        let storage = sys::FlowStorageRegister(
            c"ikev2-sas".as_ptr(),
            size_of::<*mut c_void>() as c_uint,
            None,
            Some(free_sas),
        );
        STORAGE.store(storage.id, Ordering::Relaxed);
        storage.id >= 0 && sys::SCEveRegisterCallback(Some(on_record), ptr::null_mut())
    };
    if !registered {
        log::warning(
            "Suricata did not accept a callback for records: records of flows do not say \
                      which IKE SA a flow belongs to",
        );
    }
}

fn storage() -> Option<sys::FlowStorageId> {
    let id = STORAGE.load(Ordering::Relaxed);
    (id >= 0).then_some(sys::FlowStorageId { id })
}

/// Notes the SA of a message of the flow.
pub(super) fn note(flow: Flow, transaction: &Transaction) {
    let Some((storage, (header, sa))) =
        storage().zip(transaction.message().header.zip(transaction.sa()))
    else {
        return;
    };
    if sas(flow, storage).is_none() {
        let new = Box::into_raw(Box::<FlowSas>::default());
        // SAFETY: the flow is locked, and its storage is empty. Suricata gives the pointer to
        // `free_sas` when the flow ends.
        unsafe { sys::FlowSetStorageById(flow.as_ptr(), storage, new.cast()) };
    }
    if let Some(sas) = sas(flow, storage) {
        sas.note(&header, sa);
    }
}

fn sas<'a>(flow: Flow, storage: sys::FlowStorageId) -> Option<&'a mut FlowSas> {
    // SAFETY: the storage has null or a pointer that `note` made. The flow's lock makes this the
    // only reference.
    unsafe { sys::FlowGetStorageById(flow.as_ptr(), storage).cast::<FlowSas>().as_mut() }
}

unsafe extern "C" fn free_sas(sas: *mut c_void) {
    guard((), || {
        if !sas.is_null() {
            // SAFETY: `note` made the pointer, and Suricata frees it once.
            drop(unsafe { Box::from_raw(sas.cast::<FlowSas>()) });
        }
    });
}

/// Suricata calls this for each record of each flow. So it has to be short for other flows.
unsafe extern "C" fn on_record(
    _thread: *mut sys::ThreadVars,
    _packet: *const sys::Packet,
    flow: *mut sys::Flow,
    builder: *mut sys::SCJsonBuilder,
    _user: *mut c_void,
) {
    if flow.is_null() {
        return;
    }
    // SAFETY: Suricata passes a locked flow, whose head has its IP protocol.
    let flow = unsafe { Flow::new(flow) };
    if !flow.is_udp() && !flow.is_esp() {
        return;
    }
    guard((), || {
        // SAFETY: the builder is valid for the call.
        unsafe { add_object(flow, builder) };
    });
}

/// Adds the object to a record of a flow that belongs to an SA.
///
/// # Safety
/// The builder is Suricata's and valid for the call.
unsafe fn add_object(flow: Flow, builder: *mut sys::SCJsonBuilder) {
    let all = sas_of(flow);
    // SAFETY: the function demands a valid builder.
    if all.is_empty() || !unsafe { is_wanted(builder) } {
        return;
    }
    TEXT.with_borrow_mut(|text| {
        text.clear();
        text.open_object(c"ikev2");
        render_flow(&all, text);
        text.close();
        let members = text.terminated().as_ptr();
        // SAFETY: the builder is valid; the text ends with a zero and is copied.
        unsafe { sys::SCJbSetFormatted(builder, members.cast()) };
    });
}

/// The SAs of a flow, as they are now.
fn sas_of(flow: Flow) -> Vec<SaOfFlow> {
    let (Some(storage), Some(table)) = (storage(), tracking::table()) else { return Vec::new() };
    if flow.is_udp() {
        return sas(flow, storage).map_or_else(Vec::new, |sas| sas.now(table));
    }
    match flow.addresses() {
        Some((source, destination)) => table.between(source, destination, flow.esp_spi()),
        None => Vec::new(),
    }
}

/// Whether a record is of a kind that gets the object, and does not have it yet.
///
/// # Safety
/// The builder is Suricata's and valid for the call.
unsafe fn is_wanted(builder: *mut sys::SCJsonBuilder) -> bool {
    // SAFETY: see the function's contract. The text has so many bytes, and nobody writes to it
    // meanwhile.
    let written = unsafe {
        let (text, length) = (sys::SCJbPtr(builder), sys::SCJbLen(builder));
        if text.is_null() {
            return false;
        }
        slice::from_raw_parts(text, length)
    };
    is_kind(written)
}

fn is_kind(written: &[u8]) -> bool {
    let head = &written[..written.len().min(HEAD)];
    let place = head.windows(TYPE.len()).position(|part| part == TYPE);
    let kind = place.and_then(|place| written.get(place + TYPE.len()..));
    kind.is_some_and(|kind| {
        KINDS.iter().any(|wanted| kind.starts_with(wanted))
            && !(kind.starts_with(b"alert") && kind.windows(KEY.len()).any(|part| part == KEY))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_records_of_flows_and_alerts_without_the_object_get_it() {
        let wanted = |text: &str| is_kind(text.as_bytes());
        for kind in ["flow", "netflow", "alert"] {
            assert!(wanted(&format!(r#"{{"timestamp":"x","event_type":"{kind}","src_ip":""#)));
        }
        for kind in ["ikev2", "anomaly", "flowbits", "stats"] {
            assert!(!wanted(&format!(r#"{{"timestamp":"x","event_type":"{kind}","src_ip":""#)));
        }
        assert!(!wanted(r#"{"event_type":"alert","alert":{},"ikev2":{"type":"message"}"#));
        assert!(wanted(r#"{"event_type":"alert","payload_printable":",\"ikev2\":{""#));
        assert!(!wanted("{"));
    }
}
