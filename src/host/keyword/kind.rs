//! The forms that keywords have. What a row of the table says is all that its
//! registration, its argument, its matching and its documentation follow from.

use core::ffi::CStr;

use super::args::ValuePart;
use crate::message::Scope;
use crate::message::{Prefilter, Remainders};
use crate::proposal::Transform;
use crate::tx::Transaction;
use crate::wire::registry::TransformType;

/// One keyword. What only the documentation shows is read by the test that
/// writes it.
#[cfg_attr(not(test), allow(dead_code))]
pub(super) struct Keyword {
    /// The name in rules.
    pub(super) name: &'static CStr,
    /// What it looks at: one line, for `suricata --list-keywords` and the docs.
    pub(super) summary: &'static CStr,
    /// What else a rule writer has to know; may be empty.
    pub(super) details: &'static str,
    /// Rule options that show its use.
    pub(super) examples: &'static [&'static str],
    /// Where the meaning comes from.
    pub(super) source: &'static str,
    /// Its form.
    pub(super) kind: Kind,
}

/// How a keyword takes its argument and looks at a transaction.
pub(super) enum Kind {
    /// An integer in Suricata's syntax; matches when any value does.
    Integer(Integer),
    /// One of some words, or several, or any but these.
    Choice(Choice),
    /// Words that must all hold, each with `!` for the contrary.
    Flags(&'static [(&'static str, u8)]),
    /// A version: major, or major and minor.
    Version,
    /// Whether something is there; `no` asks for the contrary.
    Presence(fn(&Transaction) -> bool),
    /// Findings of a policy.
    Weak,
    /// The first rule of a group that comes to a message; the groups' names.
    Once(&'static [&'static str]),
    /// A sticky buffer.
    Buffer(fn(&Transaction) -> Option<&[u8]>),
    /// A sticky buffer with several instances, each inspected by itself.
    MultiBuffer(fn(&Transaction, usize) -> Option<&[u8]>),
}

impl Kind {
    /// Whether rules inspect its contents with `content` and the like.
    pub(super) fn is_buffer(&self) -> bool {
        matches!(self, Self::Buffer(_) | Self::MultiBuffer(_))
    }
}

/// An integer keyword.
pub(super) struct Integer {
    /// The size of its values, which bounds the argument.
    pub(super) width: Width,
    /// The registry whose names may stand for numbers.
    pub(super) names: Option<Names>,
    /// The words that may follow the argument.
    pub(super) parts: &'static [ValuePart],
    /// Where the values come from.
    pub(super) values: Values,
}

/// A registry's names, as rules write them.
pub(super) struct Names {
    /// The number of a name, in any mixture of upper and lower case.
    pub(super) number: fn(&str) -> Option<u32>,
    /// All names, for messages and documentation.
    pub(super) all: fn() -> Vec<&'static str>,
}

/// The size of an integer keyword's values.
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

    /// The name in the documentation.
    #[cfg(test)]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::U8 => "8-bit integer",
            Self::U16 => "16-bit integer",
            Self::U32 => "32-bit integer",
        }
    }
}

/// Calls the test with each value of a transaction until one passes.
pub(super) type AnyValue = fn(&Transaction, Option<ValuePart>, &mut dyn FnMut(u32) -> bool) -> bool;

/// Where an integer keyword's values come from.
pub(super) enum Values {
    /// A function of the transaction.
    Of(AnyValue),
    /// The same, and what of a message's sieve has its values.
    Sieved(AnyValue, fn(&Prefilter) -> Remainders),
    /// The transforms of these types in messages of this scope.
    Transforms(Scope, TransformType, TransformType),
    /// The key lengths of transforms in messages of this scope, in bits.
    KeyLengths(Scope),
}

impl Values {
    /// Whether any value may be one of these; quicker than to look.
    pub(super) fn may_be(
        &self,
        tx: &Transaction,
        part: Option<ValuePart>,
        wanted: Remainders,
    ) -> bool {
        match self {
            _ if part == Some(ValuePart::Sa) => true,
            Self::Of(_) | Self::KeyLengths(_) => true,
            Self::Sieved(_, sieved) => sieved(tx.message().prefilter()).meets(wanted),
            Self::Transforms(scope, first, last) => {
                *scope == tx.message().scope()
                    && tx.message().prefilter().transforms(*first..=*last).meets(wanted)
            }
        }
    }

    /// Whether the test passes for any value.
    pub(super) fn any(
        &self,
        tx: &Transaction,
        part: Option<ValuePart>,
        test: &mut dyn FnMut(u32) -> bool,
    ) -> bool {
        match self {
            Self::Of(values) | Self::Sieved(values, _) => values(tx, part, test),
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

/// The transforms of a message in this scope, or what its SA has negotiated.
fn in_scope(
    tx: &Transaction,
    scope: Scope,
    part: Option<ValuePart>,
) -> impl Iterator<Item = Transform> + '_ {
    let of_sa = part == Some(ValuePart::Sa);
    let chosen = tx.sa().filter(|_| of_sa).and_then(|sa| sa.chosen.as_ref());
    let of_message = tx.message().proposals.all_transforms().iter().copied();
    let of_message = of_message.filter(move |_| !of_sa && scope == tx.message().scope());
    of_message.chain(chosen.into_iter().flat_map(|chosen| chosen.transforms()))
}

/// A keyword that names one of some states.
pub(super) struct Choice {
    /// The states' names.
    pub(super) names: &'static [&'static str],
    /// The states of a transaction, a bit each in the order of the names; none when
    /// it has none. Most keywords have one state at a time.
    pub(super) get: fn(&Transaction) -> Option<u128>,
}
