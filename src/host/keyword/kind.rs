//! The kinds of keywords. A keyword's registration, its argument, its matching and its
//! documentation all follow from its row in the table.

use core::ffi::CStr;

use super::args::ValueSource;
use crate::message::{Message, Remainders, Scope};
use crate::proposal::Transform;
use crate::tx::Transaction;
use crate::wire::registry::TransformType;

/// One keyword. Some fields are only for the documentation. Only a test reads them.
#[cfg_attr(not(test), allow(dead_code))]
pub(super) struct Keyword {
    /// The name of the keyword in rules.
    pub(super) name: &'static CStr,
    /// What the keyword looks at. One line, for `suricata --list-keywords` and the
    /// documentation.
    pub(super) summary: &'static CStr,
    /// More information for rule writers. May be empty.
    pub(super) details: &'static str,
    /// Examples of rule options.
    pub(super) examples: &'static [&'static str],
    /// The source that defines the meaning, such as an RFC.
    pub(super) source: &'static str,
    /// The kind of the keyword.
    pub(super) kind: Kind,
    /// Whether many messages have each of its values. Such a keyword is a bad prefilter for a rule.
    /// The rows of the table name it only where it is so.
    pub(super) is_common: bool,
}

impl Keyword {
    /// The fields that most rows do not name.
    pub(super) const USUAL: Self = Self {
        name: c"",
        summary: c"",
        details: "",
        examples: &[],
        source: "",
        kind: Kind::Weak,
        is_common: false,
    };
}

/// How a keyword reads its argument and matches a transaction.
pub(super) enum Kind {
    /// An integer in Suricata's syntax. The keyword matches if any value matches.
    Integer(Integer),
    /// One or more words of a list, or `!` and the words that must not apply.
    Choice(Choice),
    /// Flags that must all be set. `!` before a flag means that it must not be set.
    Flags(&'static [(&'static str, u8)]),
    /// A version: only the major version, or major and minor version.
    Version,
    /// Whether something exists. The argument `no` matches if it does not exist.
    Presence(fn(&Transaction) -> bool),
    /// The findings of a policy.
    Weak,
    /// Matches for the first rule of a group that matches a message. Contains the names of
    /// the groups.
    Once(&'static [&'static str]),
    /// A sticky buffer.
    Buffer(fn(&Transaction) -> Option<&[u8]>),
    /// A sticky buffer with several instances. Each instance is inspected separately.
    MultiBuffer(fn(&Transaction, usize) -> Option<&[u8]>),
}

impl Kind {
    /// Whether the keyword is a buffer for `content` and similar keywords.
    pub(super) fn is_buffer(&self) -> bool {
        matches!(self, Self::Buffer(_) | Self::MultiBuffer(_))
    }
}

/// An integer keyword.
pub(super) struct Integer {
    /// The size of the values. It limits the argument.
    pub(super) width: Width,
    /// The registry whose names may be used instead of numbers.
    pub(super) names: Option<Names>,
    /// The words that may follow the argument.
    pub(super) parts: &'static [ValueSource],
    /// The source of the values.
    pub(super) values: Values,
}

/// The names of a registry, as rules write them.
pub(super) struct Names {
    /// Returns the number for a name. Upper and lower case are equal.
    pub(super) number: fn(&str) -> Option<u32>,
    /// Returns all names, for messages and documentation.
    pub(super) all: fn() -> Vec<&'static str>,
}

/// The size of the values of an integer keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    U8,
    U16,
    U32,
}

impl Width {
    /// The largest value.
    pub(super) fn largest(self) -> u32 {
        match self {
            Self::U8 => u8::MAX.into(),
            Self::U16 => u16::MAX.into(),
            Self::U32 => u32::MAX,
        }
    }

    /// The text for this size in the documentation.
    #[cfg(test)]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::U8 => "8-bit integer",
            Self::U16 => "16-bit integer",
            Self::U32 => "32-bit integer",
        }
    }
}

/// Calls the test with each value of a transaction until the test returns true.
pub(super) type AnyValue =
    fn(&Transaction, Option<ValueSource>, &mut dyn FnMut(u32) -> bool) -> bool;

/// The source of an integer keyword's values.
pub(super) enum Values {
    /// A function of the transaction.
    Of(AnyValue),
    /// A function of the transaction, and a function that returns the remainders of these
    /// values.
    Prefiltered(AnyValue, fn(&Message) -> Remainders),
    /// The transforms of these types in messages of this scope.
    Transforms(Scope, TransformType, TransformType),
    /// The key lengths of transforms in messages of this scope, in bits.
    KeyLengths(Scope),
}

impl Values {
    /// Whether any value may be in `wanted`. This test is faster than [`Self::any`], but it
    /// may be true for other values too.
    pub(super) fn may_be(
        &self,
        tx: &Transaction,
        part: Option<ValueSource>,
        wanted: Remainders,
    ) -> bool {
        match self {
            _ if part == Some(ValueSource::Sa) => true,
            Self::Of(_) | Self::KeyLengths(_) => true,
            Self::Prefiltered(_, remainders) => remainders(tx.message()).meets(wanted),
            Self::Transforms(scope, first, last) => {
                *scope == tx.message().scope()
                    && !tx.message().proposals.is_empty()
                    && tx.message().prefilter().transforms(*first..=*last).meets(wanted)
            }
        }
    }

    /// Whether the test returns true for any value.
    pub(super) fn any(
        &self,
        tx: &Transaction,
        part: Option<ValueSource>,
        test: &mut dyn FnMut(u32) -> bool,
    ) -> bool {
        match self {
            Self::Of(values) | Self::Prefiltered(values, _) => values(tx, part, test),
            Self::Transforms(scope, first, last) => {
                let mut transforms = in_scope(tx, *scope, part);
                transforms.any(|it| (*first..=*last).contains(&it.kind) && test(it.id.into()))
            }
            Self::KeyLengths(scope) => in_scope(tx, *scope, part)
                .filter_map(|transform| transform.key_length)
                .any(|bits| test(bits.into())),
        }
    }
}

/// The transforms of a message in this scope. With the word `sa`, the transforms that the
/// SA has negotiated.
fn in_scope(
    tx: &Transaction,
    scope: Scope,
    part: Option<ValueSource>,
) -> impl Iterator<Item = Transform> + '_ {
    let of_sa = part == Some(ValueSource::Sa);
    let chosen = tx.sa().filter(|_| of_sa).and_then(|sa| sa.chosen.as_ref());
    let of_message = tx.message().proposals.all_transforms().iter().copied();
    let of_message = of_message.filter(move |_| !of_sa && scope == tx.message().scope());
    of_message.chain(chosen.into_iter().flat_map(|chosen| chosen.transforms()))
}

/// A keyword whose argument is one or more of a list of states.
pub(super) struct Choice {
    /// The names of the states.
    pub(super) names: &'static [&'static str],
    /// Returns the states of a transaction as bits, in the order of the names. `None` if
    /// the transaction has no state. Most keywords have one state at a time.
    pub(super) get: fn(&Transaction) -> Option<u128>,
}
