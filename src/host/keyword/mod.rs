//! Keywords in rules: the table, and the callbacks that every row shares.
//!
//! The host's callbacks carry no user data where a rule is set up, so each row
//! is a type and the callbacks are generic over it.

mod args;
mod decrypted;
#[cfg(test)]
mod docs;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod kind;
mod matcher;
mod stretches;
mod table;

use core::ffi::{c_char, c_int, c_void, CStr};
use core::ptr;
use std::sync::atomic::{AtomicI32, AtomicU16, Ordering};

use kind::{Keyword, Kind};

use self::matcher::Matcher;
use super::guard::guard;
use super::log;
use super::protocol::{self, TO_CLIENT, TO_SERVER};
use super::state::HeldTransaction;
use crate::sys;

/// The numbers that the host gave a keyword.
struct HostIds {
    keyword: AtomicU16,
    list: AtomicI32,
}

impl HostIds {
    const fn new() -> Self {
        Self { keyword: AtomicU16::new(0), list: AtomicI32::new(-1) }
    }
}

/// A row of the table as a type.
trait KeywordRow {
    const KEYWORD: Keyword;
    fn ids() -> &'static HostIds;
}

type Setup =
    unsafe extern "C" fn(*mut sys::DetectEngineCtx, *mut sys::Signature, *const c_char) -> c_int;

/// A row with its instances of the shared callbacks.
struct Registration {
    keyword: &'static Keyword,
    ids: fn() -> &'static HostIds,
    setup: Setup,
    buffer: sys::InspectionSingleBufferGetDataPtr,
    multi_buffer: sys::InspectionMultiBufferGetDataPtr,
}

impl Registration {
    const fn of<R: KeywordRow>() -> Self {
        Self {
            keyword: &R::KEYWORD,
            ids: R::ids,
            setup: setup::<R>,
            buffer: Some(single_buffer::<R>),
            multi_buffer: Some(multi_buffer::<R>),
        }
    }
}

/// Turns rows into types and lists them in `TABLE`.
macro_rules! keywords {
    ($($row:ident { $($field:ident: $value:expr,)+ })+) => {
        $(
            struct $row;

            impl super::KeywordRow for $row {
                const KEYWORD: Keyword = Keyword { $($field: $value,)+ };

                fn ids() -> &'static super::HostIds {
                    static IDS: super::HostIds = super::HostIds::new();
                    &IDS
                }
            }
        )+

        /// Every keyword with its callbacks.
        pub(super) const TABLE: &[super::Registration] =
            &[$(super::Registration::of::<$row>(),)+];

        /// Every keyword. Tests use it: they have no host that the callbacks could call.
        pub(super) const KEYWORDS: &[&Keyword] = &[$(&<$row as super::KeywordRow>::KEYWORD,)+];
    };
}
use keywords;

/// Rules without a buffer are all inspected in one pass over this list.
const TRANSACTION_LIST: &CStr = c"ikev2.transaction";

/// Rules come to this list last, for it stands last in them: a group is taken by a rule that
/// matches in all else.
const ONCE_LIST: &CStr = c"ikev2.once";

/// `SIGMATCH_*` flags of `detect.h`.
const NO_OPTION: u16 = 1 << 0;
const OPTIONAL_OPTION: u16 = 1 << 4;
const STICKY_BUFFER: u16 = 1 << 9;

/// Every keyword, in the order of the documentation.
fn all() -> impl Iterator<Item = &'static Keyword> {
    table::KEYWORDS.iter().chain(decrypted::KEYWORDS).copied()
}

/// How many keywords there are.
pub(super) fn count() -> usize {
    all().count()
}

/// What the host gives in place of a keyword's number when it has no room for it.
const NO_KEYWORD: u16 = u16::MAX;

/// Registers every row of the table. The error names those that the host did not take.
pub(super) fn register() -> Result<(), String> {
    let mut refused = Vec::new();
    let directions = TO_SERVER | TO_CLIENT;
    // SAFETY: the name is static; the host calls this while it sets up detection.
    let shared_list = unsafe {
        sys::SCDetectHelperBufferRegister(TRANSACTION_LIST.as_ptr(), protocol::number(), directions)
    };
    // SAFETY: as above.
    let once_list = unsafe {
        sys::SCDetectHelperBufferRegister(ONCE_LIST.as_ptr(), protocol::number(), directions)
    };
    for row in table::TABLE.iter().chain(decrypted::TABLE) {
        let list = match row.keyword.kind {
            Kind::Buffer(_) => register_buffer(row, directions),
            Kind::MultiBuffer(_) => register_multi_buffer(row, directions),
            Kind::Once(_) => once_list,
            _ => shared_list,
        };
        let ids = (row.ids)();
        ids.list.store(list, Ordering::Relaxed);
        let keyword = register_keyword(row);
        ids.keyword.store(keyword, Ordering::Relaxed);
        if list < 0 || keyword == NO_KEYWORD {
            refused.push(row.keyword.name.to_string_lossy());
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(format!("Suricata did not take the keywords {}: no rule can have them", refused.join(", ")))
}

fn register_buffer(row: &Registration, directions: u8) -> c_int {
    let Keyword { name, summary, .. } = row.keyword;
    // SAFETY: the strings are static; the callback is an instance of `single_buffer`.
    unsafe {
        sys::SCDetectHelperBufferMpmRegister(
            name.as_ptr(),
            summary.as_ptr(),
            protocol::number(),
            directions,
            row.buffer,
        )
    }
}

fn register_multi_buffer(row: &Registration, directions: u8) -> c_int {
    let Keyword { name, summary, .. } = row.keyword;
    // SAFETY: the strings are static; the callback is an instance of `multi_buffer`.
    unsafe {
        sys::SCDetectHelperMultiBufferMpmRegister(
            name.as_ptr(),
            summary.as_ptr(),
            protocol::number(),
            directions,
            row.multi_buffer,
        )
    }
}

fn register_keyword(row: &Registration) -> u16 {
    let sticky = row.keyword.kind.is_buffer();
    let flags = match row.keyword.kind {
        Kind::Buffer(_) | Kind::MultiBuffer(_) => NO_OPTION | STICKY_BUFFER,
        Kind::Weak | Kind::Presence(_) => OPTIONAL_OPTION,
        _ => 0,
    };
    let element = sys::SCSigTableAppLiteElmt {
        name: row.keyword.name.as_ptr(),
        desc: row.keyword.summary.as_ptr(),
        url: ptr::null(),
        flags,
        Setup: Some(row.setup),
        Free: if sticky { None } else { Some(free) },
        AppLayerTxMatch: if sticky { None } else { Some(match_transaction) },
    };
    // SAFETY: the host copies the element; its strings are static.
    unsafe { sys::SCDetectHelperKeywordRegister(&element) }
}

/// A keyword stands in a rule: 0 when it was understood, -1 refuses the rule.
unsafe extern "C" fn setup<R: KeywordRow>(
    engine: *mut sys::DetectEngineCtx,
    signature: *mut sys::Signature,
    argument: *const c_char,
) -> c_int {
    let argument = if argument.is_null() {
        c""
    } else {
        // SAFETY: the host passes null or a zero-terminated string.
        unsafe { CStr::from_ptr(argument) }
    };
    // SAFETY: engine and signature are the host's, valid for the call.
    guard(-1, || unsafe { set_up_row::<R>(engine, signature, &argument.to_string_lossy()) })
}

/// # Safety
/// The pointers are those of the host's call to a keyword's `Setup`.
unsafe fn set_up_row<R: KeywordRow>(
    engine: *mut sys::DetectEngineCtx,
    signature: *mut sys::Signature,
    argument: &str,
) -> c_int {
    let ids = R::ids();
    let list = ids.list.load(Ordering::Relaxed);
    // SAFETY: see the function's contract.
    if unsafe { sys::SCDetectSignatureSetAppProto(signature, protocol::number()) } != 0 {
        let name = R::KEYWORD.name.to_string_lossy();
        log::error(&format!("{name}: the rule is already one of another protocol than ikev2"));
        return -1;
    }
    if R::KEYWORD.kind.is_buffer() {
        // SAFETY: as above; the list is the number that the host gave this buffer.
        return if unsafe { sys::SCDetectBufferSetActiveList(engine, signature, list) } < 0 {
            -1
        } else {
            0
        };
    }
    let matcher = match Matcher::new(&R::KEYWORD.kind, argument) {
        Ok(matcher) => Box::into_raw(Box::new(matcher)),
        Err(reason) => {
            let name = R::KEYWORD.name.to_string_lossy();
            log::error(&format!("{name}: bad argument \"{argument}\": {reason}"));
            return -1;
        }
    };
    let id = ids.keyword.load(Ordering::Relaxed);
    // SAFETY: as above; the host keeps the pointer and gives it to `free` once.
    let kept =
        unsafe { sys::SCSigMatchAppendSMToList(engine, signature, id, matcher.cast(), list) };
    if kept.is_null() {
        // SAFETY: the host did not take the pointer that was made above.
        drop(unsafe { Box::from_raw(matcher) });
        return -1;
    }
    0
}

/// A rule is given up: its argument goes.
unsafe extern "C" fn free(_engine: *mut sys::DetectEngineCtx, matcher: *mut c_void) {
    guard((), || {
        if !matcher.is_null() {
            // SAFETY: made by `set_up_row` with `Box::into_raw`, freed once.
            drop(unsafe { Box::from_raw(matcher.cast::<Matcher>()) });
        }
    });
}

/// Does a transaction match? 1 or 0.
unsafe extern "C" fn match_transaction(
    _thread: *mut sys::DetectEngineThreadCtx,
    _flow: *mut sys::Flow,
    _flags: u8,
    _state: *mut c_void,
    tx: *mut c_void,
    _signature: *const sys::Signature,
    matcher: *const sys::SigMatchCtx,
) -> c_int {
    guard(0, || {
        // SAFETY: the pointer that `set_up_row` gave the host; not yet freed.
        let matcher = unsafe { matcher.cast::<Matcher>().as_ref() };
        // SAFETY: a pointer that `get_tx` or the iterator returned, held for the call.
        let held = unsafe { tx.cast::<HeldTransaction>().as_ref() };
        let (Some(matcher), Some(held)) = (matcher, held) else { return 0 };
        matcher.matches(&held.transaction).into()
    })
}

/// Gives a row's buffer of a transaction; false when it has none.
unsafe extern "C" fn single_buffer<R: KeywordRow>(
    tx: *const c_void,
    _flags: u8,
    buffer: *mut *const u8,
    length: *mut u32,
) -> bool {
    guard(false, || {
        // SAFETY: as in `match_transaction`.
        let Some(held) = (unsafe { tx.cast::<HeldTransaction>().as_ref() }) else { return false };
        let Kind::Buffer(get) = R::KEYWORD.kind else { return false };
        // SAFETY: the host's places for the buffer.
        unsafe { give(get(&held.transaction), buffer, length) }
    })
}

/// Gives one of a row's buffers of a transaction; false behind the last.
unsafe extern "C" fn multi_buffer<R: KeywordRow>(
    _thread: *mut sys::DetectEngineThreadCtx,
    tx: *const c_void,
    _flags: u8,
    index: u32,
    buffer: *mut *const u8,
    length: *mut u32,
) -> bool {
    guard(false, || {
        // SAFETY: as in `match_transaction`.
        let Some(held) = (unsafe { tx.cast::<HeldTransaction>().as_ref() }) else { return false };
        let Kind::MultiBuffer(get) = R::KEYWORD.kind else { return false };
        // SAFETY: the host's places for the buffer.
        unsafe { give(get(&held.transaction, index as usize), buffer, length) }
    })
}

/// Hands bytes of a transaction to the host; false when there are none.
///
/// # Safety
/// `buffer` and `length` are valid for writing.
unsafe fn give(bytes: Option<&[u8]>, buffer: *mut *const u8, length: *mut u32) -> bool {
    let Some(bytes) = bytes else { return false };
    let Ok(bytes_length) = u32::try_from(bytes.len()) else { return false };
    // SAFETY: see the function's contract; the bytes live as long as the transaction.
    unsafe {
        *buffer = bytes.as_ptr();
        *length = bytes_length;
    }
    true
}
