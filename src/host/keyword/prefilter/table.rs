//! The table that finds the conditions that hold for a transaction.
//!
//! A condition stands at its rarest keyword. Single values and words are looked up. Other keywords
//! are tried once for each transaction, however many conditions have them. Only if the rarest
//! keyword matches, the rest of the condition is tried.

use core::ffi::CStr;
use std::collections::HashMap;
use std::sync::Arc;

use super::condition::{Rest, Test};
use super::registry::Token;
use crate::host::keyword::args::ValueSource;
use crate::host::keyword::kind::{Choice, Integer};
use crate::host::keyword::matcher::Matcher;
use crate::message::{Remainders, Scope};
use crate::policy::FindingKind;
use crate::tx::Transaction;

/// All conditions of the rules that are loaded.
#[derive(Default)]
pub(super) struct TokenTable {
    integers: Vec<IntegerGroup>,
    choices: Vec<ChoiceGroup>,
    weak: Vec<WeakEntry>,
    others: Vec<Entry>,
}

/// A keyword with its argument, and what remains of the conditions that begin with it.
struct Entry {
    matcher: Arc<Matcher>,
    rests: Vec<Rest>,
}

/// A keyword about the findings of the configured policy.
struct WeakEntry {
    scope: Option<Scope>,
    /// The kinds of findings that it wants, as bits.
    kinds: u32,
    rests: Vec<Rest>,
}

/// The entries of an integer keyword.
struct IntegerGroup {
    name: &'static CStr,
    keyword: &'static Integer,
    source: Option<ValueSource>,
    /// The remainders of all values that an entry wants.
    wanted: Remainders,
    /// The entries with a single value, in the order of the values.
    single: Vec<(u32, Vec<Rest>)>,
    others: Vec<Entry>,
}

/// The entries of a keyword with words.
struct ChoiceGroup {
    name: &'static CStr,
    keyword: &'static Choice,
    /// All words in `single`, as bits.
    wanted: u128,
    /// The entries with one word, by its place.
    single: HashMap<u32, Vec<Rest>>,
    others: Vec<Entry>,
}

impl TokenTable {
    /// The table of these conditions.
    pub(super) fn of(tokens: &[Arc<Token>]) -> Self {
        let mut table = Self::default();
        let mut entries: HashMap<&str, (&Test, Vec<Rest>)> = HashMap::new();
        for token in tokens {
            let Some((first, others)) = token.condition.tests.split_first() else { continue };
            let matchers = others.iter().map(|test| Arc::clone(&test.matcher)).collect();
            let rest = Rest { matchers, token: token.bytes };
            entries.entry(&first.key).or_insert_with(|| (first, Vec::new())).1.push(rest);
        }
        for (test, rests) in entries.into_values() {
            table.add(test, rests);
        }
        for group in &mut table.integers {
            group.single.sort_by_key(|(value, _)| *value);
        }
        table
    }

    fn add(&mut self, test: &Test, rests: Vec<Rest>) {
        let entry = Entry { matcher: Arc::clone(&test.matcher), rests };
        match &*test.matcher {
            Matcher::Integer { keyword, source, .. } => {
                let named =
                    |group: &&mut IntegerGroup| group.name == test.name && group.source == *source;
                let group = match self.integers.iter_mut().find(named) {
                    Some(group) => group,
                    None => {
                        self.integers.push(IntegerGroup::new(test.name, keyword, *source));
                        self.integers.last_mut().expect("it was just added")
                    }
                };
                group.add(entry);
            }
            Matcher::Choice { keyword, .. } => {
                let named = |group: &&mut ChoiceGroup| group.name == test.name;
                let group = match self.choices.iter_mut().find(named) {
                    Some(group) => group,
                    None => {
                        self.choices.push(ChoiceGroup::new(test.name, keyword));
                        self.choices.last_mut().expect("it was just added")
                    }
                };
                group.add(entry);
            }
            Matcher::Weak { kinds, scope, policy: None } => {
                let any = if kinds.is_empty() { FindingKind::ALL } else { &kinds[..] };
                let kinds = bits(any.iter().copied());
                self.weak.push(WeakEntry { scope: *scope, kinds, rests: entry.rests });
            }
            _ => self.others.push(entry),
        }
    }

    /// Adds the tokens of all conditions that hold for the transaction.
    pub(super) fn collect(&self, tx: &Transaction, tokens: &mut Vec<u8>) {
        for group in &self.integers {
            group.collect(tx, tokens);
        }
        for group in &self.choices {
            group.collect(tx, tokens);
        }
        self.collect_weak(tx, tokens);
        for entry in &self.others {
            if entry.matcher.matches(tx) {
                add_those_that_hold(&entry.rests, tx, tokens);
            }
        }
    }

    fn collect_weak(&self, tx: &Transaction, tokens: &mut Vec<u8>) {
        let found = bits(tx.message().findings().iter().map(|finding| finding.kind));
        if found == 0 {
            return;
        }
        let scope = tx.message().scope();
        for entry in &self.weak {
            if entry.kinds & found != 0 && entry.scope.is_none_or(|it| it == scope) {
                add_those_that_hold(&entry.rests, tx, tokens);
            }
        }
    }
}

fn bits(kinds: impl Iterator<Item = FindingKind>) -> u32 {
    kinds.fold(0, |bits, kind| bits | 1 << kind as u32)
}

fn add_those_that_hold(rests: &[Rest], tx: &Transaction, tokens: &mut Vec<u8>) {
    for rest in rests {
        if rest.holds(tx) {
            if tokens.capacity() == 0 {
                // Enough for most messages.
                tokens.reserve(64);
            }
            tokens.extend_from_slice(rest.token.as_slice());
        }
    }
}

impl IntegerGroup {
    fn new(name: &'static CStr, keyword: &'static Integer, source: Option<ValueSource>) -> Self {
        let (single, others) = (Vec::new(), Vec::new());
        Self { name, keyword, source, wanted: Remainders::default(), single, others }
    }

    fn add(&mut self, entry: Entry) {
        let Matcher::Integer { test, .. } = &*entry.matcher else { return };
        self.wanted = self.wanted.and(test.remainders());
        match test.single() {
            Some(value) => self.single.push((value, entry.rests)),
            None => self.others.push(entry),
        }
    }

    fn collect(&self, tx: &Transaction, tokens: &mut Vec<u8>) {
        if !self.keyword.values.may_be(tx, self.source, self.wanted) {
            return;
        }
        let mut values = Distinct::default();
        self.keyword.values.any(tx, self.source, &mut |value| {
            if self.wanted.meets(Remainders::of(value..=value)) {
                values.insert(value);
            }
            false
        });
        values.finish();
        for value in values.iter() {
            if let Ok(place) = self.single.binary_search_by_key(&value, |(value, _)| *value) {
                add_those_that_hold(&self.single[place].1, tx, tokens);
            }
        }
        for entry in &self.others {
            let Matcher::Integer { test, .. } = &*entry.matcher else { continue };
            if values.iter().any(|value| test.passes(value)) {
                add_those_that_hold(&entry.rests, tx, tokens);
            }
        }
    }
}

impl ChoiceGroup {
    fn new(name: &'static CStr, keyword: &'static Choice) -> Self {
        Self { name, keyword, wanted: 0, single: HashMap::new(), others: Vec::new() }
    }

    fn add(&mut self, entry: Entry) {
        let Matcher::Choice { argument, .. } = &*entry.matcher else { return };
        match argument.wanted[..] {
            [place] if !argument.negated => {
                self.wanted |= 1 << place;
                self.single.insert(place as u32, entry.rests);
            }
            _ => self.others.push(entry),
        }
    }

    fn collect(&self, tx: &Transaction, tokens: &mut Vec<u8>) {
        let Some(states) = (self.keyword.get)(tx) else { return };
        let mut found = states & self.wanted;
        while found != 0 {
            if let Some(rests) = self.single.get(&found.trailing_zeros()) {
                add_those_that_hold(rests, tx, tokens);
            }
            found &= found - 1;
        }
        for entry in &self.others {
            let Matcher::Choice { argument, .. } = &*entry.matcher else { continue };
            if argument.admits(states) {
                add_those_that_hold(&entry.rests, tx, tokens);
            }
        }
    }
}

/// The different values of a keyword in a message. Most messages have only a few.
#[derive(Default)]
struct Distinct {
    few: [u32; 16],
    count: usize,
    /// Those for which `few` has no room.
    many: Vec<u32>,
}

impl Distinct {
    fn insert(&mut self, value: u32) {
        if self.few[..self.count].contains(&value) {
            return;
        }
        match self.few.get_mut(self.count) {
            Some(place) => {
                *place = value;
                self.count += 1;
            }
            None => self.many.push(value),
        }
    }

    /// Ends the insertions.
    fn finish(&mut self) {
        self.many.sort_unstable();
        self.many.dedup();
    }

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.few[..self.count].iter().chain(&self.many).copied()
    }
}
