//! Keywords in rules: the table, and the callbacks that every row shares.
//!
//! When Suricata sets a rule up, it passes no user data to the callback. So each row is a type, and
//! the callbacks are generic over it.

mod args;
mod decrypted;
#[cfg(test)]
mod docs;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod intervals;
mod kind;
mod matcher;
pub(in crate::host) mod prefilter;
mod table;

use core::ffi::{c_char, c_int, c_void, CStr};
use core::ptr;
use std::sync::atomic::{AtomicI32, AtomicU16, Ordering};
use std::sync::Arc;

use kind::{Keyword, Kind};

use self::matcher::Matcher;
use self::prefilter::RuleKeyword;
use super::guard::guard;
use super::log;
use super::protocol::{self, TO_CLIENT, TO_SERVER};
use super::state::HeldTransaction;
use crate::sys;

/// The numbers that Suricata gave to a keyword.
struct KeywordIds {
    keyword: AtomicU16,
    list: AtomicI32,
}

impl KeywordIds {
    const fn new() -> Self {
        Self { keyword: AtomicU16::new(0), list: AtomicI32::new(-1) }
    }
}

/// A row of the table as a type.
trait KeywordRow {
    const KEYWORD: Keyword;
    fn ids() -> &'static KeywordIds;
}

type Setup =
    unsafe extern "C" fn(*mut sys::DetectEngineCtx, *mut sys::Signature, *const c_char) -> c_int;

/// A row with its instances of the callbacks.
struct Registration {
    keyword: &'static Keyword,
    ids: fn() -> &'static KeywordIds,
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

/// Makes a type of each row, and lists them in `TABLE`.
macro_rules! keywords {
    ($($row:ident { $($field:ident: $value:expr,)+ })+) => {
        $(
            struct $row;

            impl super::KeywordRow for $row {
                #[allow(clippy::needless_update)]
                const KEYWORD: Keyword = Keyword { $($field: $value,)+ ..Keyword::USUAL };

                fn ids() -> &'static super::KeywordIds {
                    static IDS: super::KeywordIds = super::KeywordIds::new();
                    &IDS
                }
            }
        )+

        /// All keywords with their callbacks.
        pub(super) const TABLE: &[super::Registration] =
            &[$(super::Registration::of::<$row>(),)+];

        /// All keywords, for tests too: there the callbacks have no Suricata to call.
        pub(super) const KEYWORDS: &[&Keyword] = &[$(&<$row as super::KeywordRow>::KEYWORD,)+];
    };
}
use keywords;

/// Keywords without a buffer stand in this list of a rule. Suricata inspects the list once.
const TRANSACTION_LIST: &CStr = c"ikev2.transaction";

/// `ikev2.once` stands in this list of a rule. Suricata inspects it last, so that a rule takes a
/// group only if everything else matches.
const ONCE_LIST: &CStr = c"ikev2.once";

/// `SIGMATCH_*` flags of `detect.h`.
const NO_OPTION: u16 = 1 << 0;
const OPTIONAL_OPTION: u16 = 1 << 4;
const STICKY_BUFFER: u16 = 1 << 9;

/// All keywords, in the order of the documentation.
fn all() -> impl Iterator<Item = &'static Keyword> {
    table::KEYWORDS.iter().chain(decrypted::KEYWORDS).copied()
}

/// How many keywords there are.
pub(super) fn count() -> usize {
    all().count()
}

/// What Suricata returns in place of a keyword's number if it has no room for the keyword.
const NO_KEYWORD: u16 = u16::MAX;

/// Registers all keywords. The error names those that Suricata did not accept.
pub(super) fn register() -> Result<(), String> {
    let (transaction_list, once_list) = (register_list(TRANSACTION_LIST), register_list(ONCE_LIST));
    prefilter::register(TRANSACTION_LIST, register_single_buffer, Some(token_buffer));
    let mut refused = Vec::new();
    for row in table::TABLE.iter().chain(decrypted::TABLE) {
        let list = match row.keyword.kind {
            Kind::Buffer(_) => register_buffer(row),
            Kind::MultiBuffer(_) => register_multi_buffer(row),
            Kind::Once(_) => once_list,
            _ => transaction_list,
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
    let refused = refused.join(", ");
    Err(format!("Suricata did not accept the keywords {refused}: rules cannot use them"))
}

/// Both directions, because either peer sends messages.
const DIRECTIONS: u8 = TO_SERVER | TO_CLIENT;

fn register_list(name: &'static CStr) -> c_int {
    // SAFETY: the name is static, and Suricata calls this while it prepares detection.
    unsafe { sys::SCDetectHelperBufferRegister(name.as_ptr(), protocol::number(), DIRECTIONS) }
}

fn register_buffer(row: &Registration) -> c_int {
    register_single_buffer(row.keyword.name, row.keyword.summary, row.buffer)
}

fn register_single_buffer(
    name: &'static CStr,
    summary: &'static CStr,
    buffer: sys::InspectionSingleBufferGetDataPtr,
) -> c_int {
    let (name, summary) = (name.as_ptr(), summary.as_ptr());
    // SAFETY: the strings are static, and the callback is a function of the plugin.
    unsafe {
        sys::SCDetectHelperBufferMpmRegister(name, summary, protocol::number(), DIRECTIONS, buffer)
    }
}

fn register_multi_buffer(row: &Registration) -> c_int {
    let Keyword { name, summary, .. } = row.keyword;
    // SAFETY: the strings are static, and the callback is an instance of `multi_buffer`.
    unsafe {
        sys::SCDetectHelperMultiBufferMpmRegister(
            name.as_ptr(),
            summary.as_ptr(),
            protocol::number(),
            DIRECTIONS,
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
    // SAFETY: Suricata copies the element, and its strings are static.
    unsafe { sys::SCDetectHelperKeywordRegister(&element) }
}

/// Suricata calls this for a keyword in a rule. Returns 0, or -1 to refuse the rule.
unsafe extern "C" fn setup<R: KeywordRow>(
    engine: *mut sys::DetectEngineCtx,
    signature: *mut sys::Signature,
    argument: *const c_char,
) -> c_int {
    let argument = if argument.is_null() {
        c""
    } else {
        // SAFETY: Suricata passes null or a string that ends with a zero.
        unsafe { CStr::from_ptr(argument) }
    };
    // SAFETY: the engine and the signature are Suricata's, and valid for the call.
    guard(-1, || unsafe { set_up_row::<R>(engine, signature, &argument.to_string_lossy()) })
}

/// # Safety
/// The pointers are those that Suricata passes to a keyword's `Setup`.
unsafe fn set_up_row<R: KeywordRow>(
    engine: *mut sys::DetectEngineCtx,
    signature: *mut sys::Signature,
    argument: &str,
) -> c_int {
    let name = R::KEYWORD.name.to_string_lossy();
    // SAFETY: the signature is Suricata's, and valid for the call.
    if unsafe { sys::SCDetectSignatureSetAppProto(signature, protocol::number()) } != 0 {
        log::error(&format!("{name}: the rule already has another protocol than ikev2"));
        return -1;
    }
    if R::KEYWORD.kind.is_buffer() {
        let list = R::ids().list.load(Ordering::Relaxed);
        // SAFETY: the pointers are Suricata's. The list is the number that Suricata gave to this
        // buffer.
        let result = unsafe { sys::SCDetectBufferSetActiveList(engine, signature, list) };
        return if result < 0 { -1 } else { 0 };
    }
    match Matcher::new(&R::KEYWORD.kind, argument) {
        // SAFETY: the pointers are Suricata's.
        Ok(matcher) => unsafe { append_matcher::<R>(engine, signature, matcher) },
        Err(reason) => {
            log::error(&format!("{name}: bad argument \"{argument}\": {reason}"));
            -1
        }
    }
}

/// Adds a matcher to a rule. Returns 0, or -1 to refuse the rule.
///
/// # Safety
/// The pointers are those that Suricata passes to a keyword's `Setup`.
unsafe fn append_matcher<R: KeywordRow>(
    engine: *mut sys::DetectEngineCtx,
    signature: *mut sys::Signature,
    matcher: Matcher,
) -> c_int {
    let ids = R::ids();
    let (id, list) = (ids.keyword.load(Ordering::Relaxed), ids.list.load(Ordering::Relaxed));
    let rarity = matcher.rarity(R::KEYWORD.is_common);
    if rarity.is_some() {
        // SAFETY: the signature is Suricata's, and valid for the call.
        unsafe { prefilter::begin_rule(signature, list) };
    }
    let keyword = RuleKeyword::new(matcher);
    let context = Arc::into_raw(Arc::clone(&keyword)).cast_mut();
    // SAFETY: the pointers are Suricata's. Suricata keeps the keyword, and passes it to `free` once.
    let kept =
        unsafe { sys::SCSigMatchAppendSMToList(engine, signature, id, context.cast(), list) };
    if kept.is_null() {
        // SAFETY: the pointer was made above, and Suricata did not keep it.
        drop(unsafe { Arc::from_raw(context) });
        return -1;
    }
    if let Some(rarity) = rarity {
        prefilter::note_keyword(signature, &keyword, R::KEYWORD.name, rarity);
    }
    0
}

/// Suricata calls this when it removes a rule. Frees the argument.
unsafe extern "C" fn free(_engine: *mut sys::DetectEngineCtx, keyword: *mut c_void) {
    guard((), || {
        if !keyword.is_null() {
            // SAFETY: `append_matcher` made the pointer with `Arc::into_raw`. Suricata frees it once.
            drop(unsafe { Arc::from_raw(keyword.cast::<RuleKeyword>()) });
        }
    });
}

/// Suricata calls this to match a transaction. Returns 1 or 0.
unsafe extern "C" fn match_transaction(
    _thread: *mut sys::DetectEngineThreadCtx,
    _flow: *mut sys::Flow,
    _flags: u8,
    _state: *mut c_void,
    tx: *mut c_void,
    _signature: *const sys::Signature,
    keyword: *const sys::SigMatchCtx,
) -> c_int {
    guard(0, || {
        // SAFETY: `append_matcher` gave this pointer to Suricata, which has not freed it yet.
        let keyword = unsafe { keyword.cast::<RuleKeyword>().as_ref() };
        // SAFETY: `get_tx` or the iterator returned this pointer. It is valid for the call.
        let held = unsafe { tx.cast::<HeldTransaction>().as_ref() };
        let (Some(keyword), Some(held)) = (keyword, held) else { return 0 };
        held.message().is_some_and(|transaction| keyword.matcher.matches(transaction)).into()
    })
}

/// Suricata calls this for the buffer of a transaction. Returns false if there is none.
unsafe extern "C" fn single_buffer<R: KeywordRow>(
    tx: *const c_void,
    _flags: u8,
    buffer: *mut *const u8,
    length: *mut u32,
) -> bool {
    guard(false, || {
        // SAFETY: `get_tx` or the iterator returned this pointer. It is valid for the call.
        let Some(held) = (unsafe { tx.cast::<HeldTransaction>().as_ref() }) else { return false };
        let Kind::Buffer(get) = R::KEYWORD.kind else { return false };
        // SAFETY: Suricata passes places for the buffer and its length.
        unsafe { give(held.message().and_then(get), buffer, length) }
    })
}

/// Suricata calls this for the hidden buffer of the prefilter. Returns false if it is empty.
unsafe extern "C" fn token_buffer(
    tx: *const c_void,
    _flags: u8,
    buffer: *mut *const u8,
    length: *mut u32,
) -> bool {
    guard(false, || {
        // SAFETY: `get_tx` or the iterator returned this pointer. It is valid for the call.
        let Some(held) = (unsafe { tx.cast::<HeldTransaction>().as_ref() }) else { return false };
        let Some(transaction) = held.message() else { return false };
        held.tokens.with(transaction, |tokens| {
            let tokens = Some(tokens).filter(|tokens| !tokens.is_empty());
            // SAFETY: Suricata passes places for the buffer and its length.
            unsafe { give(tokens, buffer, length) }
        })
    })
}

/// Suricata calls this for each buffer of a transaction. Returns false if there are no more.
unsafe extern "C" fn multi_buffer<R: KeywordRow>(
    _thread: *mut sys::DetectEngineThreadCtx,
    tx: *const c_void,
    _flags: u8,
    index: u32,
    buffer: *mut *const u8,
    length: *mut u32,
) -> bool {
    guard(false, || {
        // SAFETY: `get_tx` or the iterator returned this pointer. It is valid for the call.
        let Some(held) = (unsafe { tx.cast::<HeldTransaction>().as_ref() }) else { return false };
        let Kind::MultiBuffer(get) = R::KEYWORD.kind else { return false };
        let bytes = held.message().and_then(|transaction| get(transaction, index as usize));
        // SAFETY: Suricata passes places for the buffer and its length.
        unsafe { give(bytes, buffer, length) }
    })
}

/// Passes bytes of a transaction to Suricata. Returns false if there are none.
///
/// # Safety
/// `buffer` and `length` are valid for writing.
unsafe fn give(bytes: Option<&[u8]>, buffer: *mut *const u8, length: *mut u32) -> bool {
    let Some(bytes) = bytes else { return false };
    let Ok(bytes_length) = u32::try_from(bytes.len()) else { return false };
    // SAFETY: both places are valid for writing. The bytes live as long as the transaction.
    unsafe {
        *buffer = bytes.as_ptr();
        *length = bytes_length;
    }
    true
}
