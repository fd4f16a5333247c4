//! Conditions: what the keywords of a rule together ask for.

use core::ffi::CStr;
use std::sync::Arc;

use super::token::TokenBytes;
use crate::host::keyword::matcher::Matcher;
use crate::tx::Transaction;

/// How seldom a keyword matches an ordinary message, and what it costs to try. The rarest keyword
/// of a condition is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::host::keyword) enum Rarity {
    /// One value of many.
    Value,
    /// A range of values, or a property that most messages do not have.
    Range,
    /// Something that many messages have, or that a keyword excludes.
    Common,
    /// The opinion of another policy than the configured one: it has to be formed first.
    Expensive,
}

/// A keyword with its argument.
#[derive(Clone)]
pub(super) struct Test {
    pub(super) name: &'static CStr,
    /// The keyword and its argument. It is the same for two spellings of one value.
    pub(super) key: String,
    pub(super) rarity: Rarity,
    pub(super) matcher: Arc<Matcher>,
}

/// One or more keywords that must all match. The rarest is the first.
pub(super) struct Condition {
    pub(super) tests: Vec<Test>,
    /// The same for two rules with the same keywords.
    pub(super) key: String,
}

impl Condition {
    /// The condition of all these keywords.
    pub(super) fn new(mut tests: Vec<Test>) -> Self {
        tests.sort_by(|one, other| (one.rarity, &one.key).cmp(&(other.rarity, &other.key)));
        tests.dedup_by(|one, other| one.key == other.key);
        let keys: Vec<_> = tests.iter().map(|test| test.key.as_str()).collect();
        Self { key: keys.join(";"), tests }
    }

    /// Whether it often holds.
    pub(super) fn is_common(&self) -> bool {
        self.tests.first().is_none_or(|rarest| rarest.rarity >= Rarity::Common)
    }
}

/// What remains of a condition behind its first keyword.
pub(super) struct Rest {
    pub(super) matchers: Vec<Arc<Matcher>>,
    pub(super) token: TokenBytes,
}

impl Rest {
    pub(super) fn holds(&self, tx: &Transaction) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches(tx))
    }
}
