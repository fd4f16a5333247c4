//! A keyword's argument in a rule, ready to match.

use core::ptr::NonNull;
use std::ffi::CString;

use super::args::{self, ChoiceArgument, FlagsArgument, ValuePart, VersionArgument};
use super::kind::{Choice, Integer, Kind, Width};
use super::stretches::Stretches;
use crate::host::settings;
use crate::message::{Remainders, Scope};
use crate::policy::{self, Policy, What};
use crate::sys;
use crate::tx::Transaction;

/// What a keyword of a rule looks for.
pub(super) enum Matcher {
    Integer {
        keyword: &'static Integer,
        test: IntegerTest,
        part: Option<ValuePart>,
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
    /// Without a policy the configured one, which has judged already.
    Weak {
        kinds: Vec<What>,
        scope: Option<Scope>,
        policy: Option<&'static Policy>,
    },
}

impl Matcher {
    /// Reads an argument. The error says what is wrong and what is allowed.
    pub(super) fn new(kind: &'static Kind, argument: &str) -> Result<Self, String> {
        Ok(match kind {
            Kind::Integer(keyword) => {
                let read = args::integer(argument, keyword)?;
                let test = IntegerTest::new(keyword.width, &read.expression)?;
                Self::Integer { keyword, test, part: read.part }
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
            Self::Integer { keyword, test, part } => {
                keyword.values.may_be(tx, *part, test.remainders())
                    && keyword.values.any(tx, *part, &mut |value| test.passes(value))
            }
            Self::Choice { keyword, argument } => (keyword.get)(tx).is_some_and(|states| {
                let wanted = argument.wanted.iter().fold(0, |bits, place| bits | 1 << place);
                (states & wanted != 0) != argument.negated
            }),
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
                        None => tx.message().findings().iter().any(|finding| wanted(finding.what)),
                    }
            }
        }
    }
}

/// The policy of this name; none when it is the configured one.
fn other_policy(name: &str) -> Result<Option<&'static Policy>, String> {
    let settings = settings::get();
    let policy = Policy::named(name, settings.custom_policy)?;
    Ok(Some(policy).filter(|policy| *policy != settings.policy))
}

/// An integer expression, parsed by the host and, unless it is a plain comparison,
/// tested by it.
pub(super) enum IntegerTest {
    Plain(Stretches),
    U8(NonNull<sys::DetectUintData_u8>),
    U16(NonNull<sys::DetectUintData_u16>),
    U32(NonNull<sys::DetectUintData_u32>),
}

impl IntegerTest {
    fn new(width: Width, expression: &str) -> Result<Self, String> {
        let text = CString::new(expression).map_err(|_| "it contains a zero byte".to_owned())?;
        // SAFETY: the string is valid for the calls; null means it was not understood.
        let parsed = unsafe {
            match width {
                Width::U8 => NonNull::new(sys::SCDetectU8Parse(text.as_ptr())).map(Self::U8),
                Width::U16 => NonNull::new(sys::SCDetectU16Parse(text.as_ptr())).map(Self::U16),
                Width::U32 => NonNull::new(sys::SCDetectU32Parse(text.as_ptr())).map(Self::U32),
            }
        };
        let parsed = parsed.ok_or_else(|| {
            format!(
                "'{expression}' is not a number from 0 to {}, nor such a number with !, <, >, \
                 <=, >=, nor a range A-B or A<>B, which excludes its ends; a comparison that is \
                 always or never true is refused too",
                width.largest()
            )
        })?;
        let stretches = Stretches::of(expression, width.largest(), |value| parsed.passes(value));
        Ok(stretches.map_or(parsed, Self::Plain))
    }

    /// What may pass.
    fn remainders(&self) -> Remainders {
        match self {
            Self::Plain(stretches) => stretches.remainders(),
            Self::U8(_) | Self::U16(_) | Self::U32(_) => Remainders::ALL,
        }
    }

    fn passes(&self, value: u32) -> bool {
        // SAFETY: made by the host's parser, freed in `drop` only.
        let result = unsafe {
            match self {
                Self::Plain(stretches) => return stretches.passes(value),
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

impl Drop for IntegerTest {
    fn drop(&mut self) {
        // SAFETY: made by the host's parser for this value, freed once.
        unsafe {
            match self {
                Self::Plain(_) => {}
                Self::U8(data) => sys::SCDetectU8Free(data.as_ptr()),
                Self::U16(data) => sys::SCDetectU16Free(data.as_ptr()),
                Self::U32(data) => sys::SCDetectU32Free(data.as_ptr()),
            }
        }
    }
}
