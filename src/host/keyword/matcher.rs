//! The argument of a keyword in a rule, as it is matched.

use core::ptr::NonNull;
use std::ffi::CString;

use super::args::{self, ChoiceArgument, FlagsArgument, ValueSource, VersionArgument};
use super::intervals::Intervals;
use super::kind::{Choice, Integer, Kind, Width};
use super::prefilter::Rarity;
use crate::host::settings;
use crate::message::{Remainders, Scope};
use crate::policy::{self, FindingKind, Policy};
use crate::sys;
use crate::tx::Transaction;

/// What a keyword of a rule looks for.
pub(super) enum Matcher {
    Integer {
        keyword: &'static Integer,
        test: IntegerTest,
        source: Option<ValueSource>,
        /// As Suricata's parser read it, with numbers in place of names.
        expression: String,
    },
    Choice {
        keyword: &'static Choice,
        argument: ChoiceArgument,
    },
    Flags(FlagsArgument),
    Version(VersionArgument),
    Presence {
        get: fn(&Transaction) -> bool,
        wanted: bool,
    },
    /// The number of the group.
    Once(usize),
    /// Without a policy it is the configured one, which has judged the message already.
    Weak {
        kinds: Vec<FindingKind>,
        scope: Option<Scope>,
        policy: Option<&'static Policy>,
    },
}

impl Matcher {
    /// Reads an argument. An error says what is wrong and what is allowed.
    pub(super) fn new(kind: &'static Kind, argument: &str) -> Result<Self, String> {
        Ok(match kind {
            Kind::Integer(keyword) => {
                let read = args::integer(argument, keyword)?;
                let test = IntegerTest::new(keyword.width, &read.expression)?;
                Self::Integer { keyword, test, source: read.source, expression: read.expression }
            }
            Kind::Choice(keyword) => {
                Self::Choice { keyword, argument: args::choice(argument, keyword.names)? }
            }
            Kind::Flags(bits) => Self::Flags(args::flags(argument, bits)?),
            Kind::Version => Self::Version(args::version(argument)?),
            Kind::Presence(get) => Self::Presence { get: *get, wanted: args::presence(argument)? },
            Kind::Weak => {
                let read = args::weak(argument)?;
                let policy = read.policy.map(other_policy).transpose()?.flatten();
                Self::Weak { kinds: read.kinds, scope: read.scope, policy }
            }
            Kind::Once(groups) => Self::Once(args::word(argument, groups)?),
            Kind::Buffer(_) | Kind::MultiBuffer(_) => {
                return Err("the keyword takes no argument".to_owned());
            }
        })
    }

    /// Whether the transaction is what the rule looks for.
    pub(super) fn matches(&self, tx: &Transaction) -> bool {
        match self {
            Self::Integer { keyword, test, source, .. } => {
                keyword.values.may_be(tx, *source, test.remainders())
                    && keyword.values.any(tx, *source, &mut |value| test.passes(value))
            }
            Self::Choice { keyword, argument } => {
                (keyword.get)(tx).is_some_and(|states| argument.admits(states))
            }
            Self::Flags(wanted) => tx
                .message()
                .header
                .is_some_and(|header| header.flags.0 & (wanted.set | wanted.clear) == wanted.set),
            Self::Version(wanted) => tx.message().header.is_some_and(|header| {
                let (major, minor) = (header.version.major(), header.version.minor());
                let equal = major == wanted.major && wanted.minor.is_none_or(|it| it == minor);
                equal != wanted.negated
            }),
            Self::Presence { get, wanted } => get(tx) == *wanted,
            Self::Once(group) => tx.match_group(*group),
            Self::Weak { kinds, scope, policy } => {
                let wanted = |what| kinds.is_empty() || kinds.contains(&what);
                scope.is_none_or(|scope| scope == tx.message().scope())
                    && match policy {
                        Some(policy) => policy::finds(&tx.message().proposals, policy, kinds),
                        None => tx.message().findings().iter().any(|finding| wanted(finding.kind)),
                    }
            }
        }
    }

    /// The argument. It is the same text for two spellings of one argument.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Integer { test, expression, source, .. } => {
                let source = source.map_or("", ValueSource::name);
                match test.single() {
                    Some(value) => format!("{value},{source}"),
                    None => format!("{},{source}", expression.replace(' ', "")),
                }
            }
            Self::Choice { argument, .. } => format!("{},{:x}", argument.negated, argument.bits()),
            Self::Flags(argument) => format!("{argument:?}"),
            Self::Version(argument) => format!("{argument:?}"),
            Self::Presence { wanted, .. } => wanted.to_string(),
            Self::Once(group) => group.to_string(),
            Self::Weak { kinds, scope, policy } => {
                let mut kinds = kinds.clone();
                kinds.sort_unstable_by_key(|kind| kind.name());
                format!("{kinds:?},{scope:?},{:?}", policy.map(Policy::id))
            }
        }
    }

    /// How seldom it matches. `is_common` is the keyword's. None if the matcher does not only
    /// depend on the transaction, so that it cannot be tried before the rule.
    pub(super) fn rarity(&self, is_common: bool) -> Option<Rarity> {
        let usual = |rarity| if is_common { Rarity::Common } else { rarity };
        Some(match self {
            Self::Once(_) => return None,
            Self::Integer { expression, .. } if expression.starts_with('!') => Rarity::Common,
            Self::Integer { test, .. } if test.single().is_some() => usual(Rarity::Value),
            Self::Choice { argument, .. } if argument.negated => Rarity::Common,
            Self::Choice { .. } => usual(Rarity::Value),
            Self::Presence { wanted: false, .. } | Self::Flags(_) => Rarity::Common,
            Self::Weak { policy: Some(_), .. } => Rarity::Expensive,
            Self::Version(argument) if !argument.negated => Rarity::Common,
            Self::Integer { .. } | Self::Presence { .. } | Self::Weak { .. } | Self::Version(_) => {
                usual(Rarity::Range)
            }
        })
    }
}

/// The policy with this name; none if it is the configured one.
fn other_policy(name: &str) -> Result<Option<&'static Policy>, String> {
    let settings = settings::get();
    let policy = Policy::named(name, settings.custom_policy)?;
    Ok(Some(policy).filter(|policy| *policy != settings.policy))
}

/// An integer expression. Suricata parses it. Suricata also tests values, unless the expression is a
/// plain comparison.
pub(super) enum IntegerTest {
    Intervals(Intervals),
    U8(NonNull<sys::DetectUintData_u8>),
    U16(NonNull<sys::DetectUintData_u16>),
    U32(NonNull<sys::DetectUintData_u32>),
}

impl IntegerTest {
    fn new(width: Width, expression: &str) -> Result<Self, String> {
        let text = CString::new(expression).map_err(|_| "it contains a zero byte".to_owned())?;
        // SAFETY: the string ends with a zero and is valid for the call. Suricata returns null if it
        // does not understand it, else a pointer that it frees only in `drop`.
        let parsed = unsafe {
            match width {
                Width::U8 => NonNull::new(sys::SCDetectU8Parse(text.as_ptr())).map(Self::U8),
                Width::U16 => NonNull::new(sys::SCDetectU16Parse(text.as_ptr())).map(Self::U16),
                Width::U32 => NonNull::new(sys::SCDetectU32Parse(text.as_ptr())).map(Self::U32),
            }
        };
        let parsed = parsed.ok_or_else(|| {
            format!(
                "'{expression}' is not a number from 0 to {}, such a number after !, <, >, <= or \
                 >=, or a range A-B or A<>B (which excludes A and B); a comparison that is always \
                 or never true is refused too",
                width.largest()
            )
        })?;
        let decimal = args::decimal(expression);
        let intervals = Intervals::of(&decimal, width.largest(), |value| parsed.passes(value));
        Ok(intervals.map_or(parsed, Self::Intervals))
    }

    /// The only value that passes, if it is one.
    pub(super) fn single(&self) -> Option<u32> {
        match self {
            Self::Intervals(intervals) => intervals.single(),
            Self::U8(_) | Self::U16(_) | Self::U32(_) => None,
        }
    }

    /// What may pass.
    pub(super) fn remainders(&self) -> Remainders {
        match self {
            Self::Intervals(intervals) => intervals.remainders(),
            Self::U8(_) | Self::U16(_) | Self::U32(_) => Remainders::ALL,
        }
    }

    pub(super) fn passes(&self, value: u32) -> bool {
        // SAFETY: Suricata's parser made the pointer, and only `drop` frees it.
        let result = unsafe {
            match self {
                Self::Intervals(intervals) => return intervals.passes(value),
                Self::U8(data) => {
                    u8::try_from(value).map(|value| sys::SCDetectU8Match(value, data.as_ptr()))
                }
                Self::U16(data) => {
                    u16::try_from(value).map(|value| sys::SCDetectU16Match(value, data.as_ptr()))
                }
                Self::U32(data) => Ok(sys::SCDetectU32Match(value, data.as_ptr())),
            }
        };
        result == Ok(1)
    }
}

// SAFETY: Suricata's test is read only. Its functions for matching change nothing.
unsafe impl Send for IntegerTest {}
// SAFETY: the same holds for several threads at once.
unsafe impl Sync for IntegerTest {}

impl Drop for IntegerTest {
    fn drop(&mut self) {
        // SAFETY: Suricata's parser made the pointer for this value, and it is freed here only.
        unsafe {
            match self {
                Self::Intervals(_) => {}
                Self::U8(data) => sys::SCDetectU8Free(data.as_ptr()),
                Self::U16(data) => sys::SCDetectU16Free(data.as_ptr()),
                Self::U32(data) => sys::SCDetectU32Free(data.as_ptr()),
            }
        }
    }
}
