//! Gives a rule the token of its keywords.
//!
//! The token is added when Suricata has read the whole rule. So no modifier of the rule, such as
//! `nocase` or `depth`, can apply to it.

use core::cell::RefCell;
use core::ffi::{c_int, CStr};
use core::mem::take;
use core::ptr;
use std::ffi::CString;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};

use super::condition::{Condition, Rarity, Test};
use super::registry::{publish, token, Token};
use crate::host::compat::is_there;
use crate::host::guard::guard;
use crate::host::keyword::matcher::Matcher;
use crate::host::{log, settings};
use crate::sys;

/// The functions that only the prefilter needs. Without them the plugin works all the same.
pub(in crate::host) const FUNCTIONS: [&CStr; 6] = [
    c"DetectBufferGetFirstSigMatch",
    c"DetectBufferTypeRegisterSetupCallback",
    c"DetectContentSetup",
    c"DetectGetLastSM",
    c"SigAlloc",
    c"SigFree",
];

/// The hidden buffer. The name appears in `--engine-analysis` and in Suricata's own counters.
const BUFFER: &CStr = c"ikev2.prefilter";
const DESCRIPTION: &CStr = c"tokens of the conditions that hold for the message";

/// The number of the hidden buffer. Negative if there is no prefilter.
static LIST: AtomicI32 = AtomicI32::new(-1);

/// A keyword in a rule.
pub(in crate::host::keyword) struct RuleKeyword {
    pub(in crate::host::keyword) matcher: Arc<Matcher>,
    /// The token of the rule, at its first keyword.
    token: OnceLock<Arc<Token>>,
}

impl RuleKeyword {
    pub(in crate::host::keyword) fn new(matcher: Matcher) -> Arc<Self> {
        Arc::new(Self { matcher: Arc::new(matcher), token: OnceLock::new() })
    }
}

/// The keywords of the rule that Suricata reads at present.
struct RuleBeingRead {
    rule: *const sys::Signature,
    keywords: Vec<Arc<RuleKeyword>>,
    tests: Vec<Test>,
}

thread_local! {
    static BEING_READ: RefCell<RuleBeingRead> =
        const { RefCell::new(RuleBeingRead { rule: ptr::null(), keywords: Vec::new(), tests: Vec::new() }) };
}

/// Registers the hidden buffer. `keywords_list` is the list in which the keywords of a rule stand.
/// If Suricata does not offer what is needed, says so and goes on without it.
pub(in crate::host::keyword) fn register(
    keywords_list: &'static CStr,
    register_buffer: impl FnOnce(
        &'static CStr,
        &'static CStr,
        sys::InspectionSingleBufferGetDataPtr,
    ) -> c_int,
    buffer: sys::InspectionSingleBufferGetDataPtr,
) {
    if !settings::get().prefilter {
        return;
    }
    if let Some(missing) = FUNCTIONS.iter().find(|name| !is_there(name)) {
        return log::warning(&format!(
            "this Suricata does not have {}: rules with keywords of ikev2 have no prefilter and \
             cost more",
            missing.to_string_lossy()
        ));
    }
    LIST.store(register_buffer(BUFFER, DESCRIPTION, buffer), Ordering::Relaxed);
    // SAFETY: the name is static and that of a list. The callback is a function of the plugin.
    unsafe {
        sys::DetectBufferTypeRegisterSetupCallback(keywords_list.as_ptr(), Some(rule_was_read));
    }
}

/// Prepares for a rule's keyword. A rule without an earlier keyword in the list is a new one.
///
/// # Safety
/// The rule is the one that Suricata reads at present.
pub(in crate::host::keyword) unsafe fn begin_rule(rule: *const sys::Signature, list: c_int) {
    let Ok(list) = u32::try_from(list) else { return };
    if LIST.load(Ordering::Relaxed) < 0 {
        return;
    }
    // SAFETY: the caller promises that the rule is valid.
    let is_new = unsafe { sys::DetectBufferGetFirstSigMatch(rule, list) }.is_null();
    BEING_READ.with_borrow_mut(|being_read| {
        if is_new || !ptr::eq(being_read.rule, rule) {
            being_read.keywords.clear();
            being_read.tests.clear();
            being_read.rule = if is_new { rule } else { ptr::null() };
        }
    });
}

/// Notes a keyword that the rule has got.
pub(in crate::host::keyword) fn note_keyword(
    rule: *const sys::Signature,
    keyword: &Arc<RuleKeyword>,
    name: &'static CStr,
    rarity: Rarity,
) {
    BEING_READ.with_borrow_mut(|being_read| {
        if ptr::eq(being_read.rule, rule) {
            let key = format!("{}:{}", name.to_string_lossy(), keyword.matcher.key());
            let matcher = Arc::clone(&keyword.matcher);
            being_read.tests.push(Test { name, key, rarity, matcher });
            being_read.keywords.push(Arc::clone(keyword));
        }
    });
}

/// Suricata calls this twice for a rule with keywords of the plugin: when the rule was read, and
/// when all rules were read, before it uses them.
unsafe extern "C" fn rule_was_read(engine: *const sys::DetectEngineCtx, rule: *mut sys::Signature) {
    guard((), || {
        let noted = BEING_READ.with_borrow_mut(|being_read| {
            let is_it = ptr::eq(being_read.rule, rule);
            being_read.rule = ptr::null();
            is_it.then(|| (take(&mut being_read.keywords), take(&mut being_read.tests)))
        });
        match noted {
            None => publish(),
            Some((keywords, tests)) => {
                let Some(first) = keywords.first() else { return };
                let token = token(Condition::new(tests));
                let content = token.bytes.content();
                // The rule holds the token from now on. A token without a content does no harm.
                if first.token.set(token).is_ok() {
                    // SAFETY: the engine and the rule are Suricata's, and valid for the call.
                    unsafe { add_content(engine.cast_mut(), rule, &content) };
                }
            }
        }
    });
}

/// Adds a content of the hidden buffer to a rule. If that fails, the rule stays as it is.
///
/// Suricata's function for contents adds to the buffer that the rule has named last. To change
/// that would refuse rules with `base64_data`. So a scratch rule gets the content first.
///
/// # Safety
/// The pointers are those that Suricata passes when it has read a rule.
unsafe fn add_content(engine: *mut sys::DetectEngineCtx, rule: *mut sys::Signature, content: &str) {
    let Ok(content) = CString::new(content) else { return };
    let list = LIST.load(Ordering::Relaxed);
    // SAFETY: the scratch rule is Suricata's own and is freed below. The list is registered.
    unsafe {
        let scratch = sys::SigAlloc();
        if scratch.is_null() {
            return;
        }
        if sys::SCDetectBufferSetActiveList(engine, scratch, list) >= 0
            && sys::DetectContentSetup(engine, scratch, content.as_ptr()) >= 0
        {
            move_content(engine, scratch, rule, list);
        }
        sys::SigFree(engine, scratch);
    }
}

/// Moves the only content of a scratch rule to another rule.
///
/// # Safety
/// All pointers are Suricata's and valid. The scratch rule has one content.
unsafe fn move_content(
    engine: *mut sys::DetectEngineCtx,
    scratch: *mut sys::Signature,
    rule: *mut sys::Signature,
    list: c_int,
) {
    // SAFETY: as the caller promises. Whoever has the context frees it: the rule if it was added,
    // else the scratch rule.
    unsafe {
        let Some(content) = sys::DetectGetLastSM(scratch).as_mut() else { return };
        let context = core::mem::replace(&mut content.ctx, ptr::null_mut());
        let kept = sys::SCSigMatchAppendSMToList(engine, rule, content.type_, context, list);
        if kept.is_null() {
            content.ctx = context;
        }
    }
}
