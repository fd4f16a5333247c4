//! What differs between two interfaces, in sentences that name it.

use crate::interface::{loosely, Interface, Record};
use crate::layout::{Layout, Layouts};

/// How two records or functions are compared.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Strictness {
    /// Types and field names are the same: two declarations in C.
    Same,
    /// Rust's declaration of C: a pointer may be constant on one side alone.
    Called,
}

impl Strictness {
    fn agree(self, ours: &str, theirs: &str) -> bool {
        match self {
            Self::Same => ours == theirs,
            Self::Called => loosely(ours) == loosely(theirs),
        }
    }
}

/// One field or function that an official source declares otherwise, with both
/// types, and why that is right.
pub(crate) struct Exception {
    /// `record.field`, or the function.
    pub(crate) what: &'static str,
    /// The type here.
    pub(crate) ours: &'static str,
    /// The type there.
    pub(crate) theirs: &'static str,
}

/// Two interfaces, ours first.
pub(crate) struct Pair<'a> {
    /// What is checked.
    pub(crate) ours: &'a Interface,
    /// What it is checked against.
    pub(crate) theirs: &'a Interface,
    /// How.
    pub(crate) strictness: Strictness,
    /// The field names that differ: (record.field here, field there).
    pub(crate) renamed: &'a [(&'static str, &'static str)],
    /// The types that differ.
    pub(crate) exceptions: &'a [Exception],
}

impl Pair<'_> {
    /// The functions that both have, and what differs in them.
    pub(crate) fn functions(&self) -> (usize, Vec<String>) {
        let (mut compared, mut differences) = (0, Vec::new());
        for (name, ours) in &self.ours.functions {
            if let Some(theirs) = declared(self.theirs, name) {
                compared += 1;
                differences.extend(self.type_difference(name, ours, theirs));
            }
        }
        (compared, differences)
    }

    /// The records that both have and the number of their fields, and what
    /// differs in names and types.
    pub(crate) fn records(&self) -> (usize, usize, Vec<String>) {
        let (mut records, mut fields, mut differences) = (0, 0, Vec::new());
        for (name, ours) in &self.ours.records {
            if let Some(theirs) = self.theirs.records.get(name) {
                records += 1;
                fields += ours.fields.len();
                self.record(name, ours, theirs, &mut differences);
            }
        }
        (records, fields, differences)
    }

    fn record(&self, name: &str, ours: &Record, theirs: &Record, differences: &mut Vec<String>) {
        let there = &self.theirs.name;
        if ours.kind != theirs.kind {
            differences
                .push(format!("{name} is a {} here, a {} in {there}", ours.kind, theirs.kind));
        }
        let (here, count) = (ours.fields.len(), theirs.fields.len());
        if here != count {
            differences.push(format!("{name} has {here} fields here, {count} in {there}"));
        }
        for (index, ((field, ours), (official, theirs))) in
            ours.fields.iter().zip(&theirs.fields).enumerate()
        {
            let path = format!("{name}.{field}");
            if self.official_name(&path, field) != official {
                let number = index + 1;
                differences.push(format!(
                    "{path}: field {number} of {name} is `{field}` here, `{official}` in {there}"
                ));
            }
            differences.extend(self.type_difference(&path, ours, theirs));
        }
    }

    fn official_name<'n>(&self, path: &str, field: &'n str) -> &'n str {
        let renamed = self.renamed.iter().find(|(here, _)| *here == path);
        renamed.map_or(field, |(_, there)| there)
    }

    fn type_difference(&self, what: &str, ours: &str, theirs: &str) -> Option<String> {
        if self.strictness.agree(ours, theirs) || self.is_exception(what, ours, theirs) {
            return None;
        }
        let there = &self.theirs.name;
        Some(format!("{what}:\n      here  {ours}\n      there {theirs} ({there})"))
    }

    fn is_exception(&self, what: &str, ours: &str, theirs: &str) -> bool {
        self.exceptions.iter().any(|it| it.what == what && it.ours == ours && it.theirs == theirs)
    }

    /// The constants that both have, and those of other values.
    pub(crate) fn constants(&self) -> (usize, Vec<String>) {
        let (mut compared, mut differences) = (0, Vec::new());
        for (name, ours) in &self.ours.constants {
            if let Some(theirs) = self.theirs.constants.get(name) {
                compared += 1;
                if ours != theirs {
                    let there = &self.theirs.name;
                    differences.push(format!("{name} is {ours} here, {theirs} in {there}"));
                }
            }
        }
        (compared, differences)
    }

    /// What differs in size, alignment and offsets.
    pub(crate) fn layouts(&self, ours: &Layouts, theirs: &Layouts) -> (usize, Vec<String>) {
        let (mut numbers, mut differences) = (0, Vec::new());
        for (name, record) in &self.ours.records {
            if let (Some(ours), Some(theirs)) = (ours.get(name), theirs.get(name)) {
                numbers += 2 + ours.offsets.len();
                self.layout(name, record, [ours, theirs], &mut differences);
            }
        }
        (numbers, differences)
    }

    fn layout(
        &self,
        name: &str,
        record: &Record,
        [ours, theirs]: [&Layout; 2],
        differences: &mut Vec<String>,
    ) {
        let mut check = |what: String, here: usize, there: usize| {
            if here != there {
                let source = &self.theirs.name;
                differences.push(format!("{what} is {here} here, {there} in {source}"));
            }
        };
        check(format!("the size of {name}"), ours.size, theirs.size);
        check(format!("the alignment of {name}"), ours.align, theirs.align);
        for (index, (field, _)) in record.fields.iter().enumerate() {
            if let (Some(here), Some(there)) = (ours.offsets.get(index), theirs.offsets.get(index))
            {
                check(format!("the offset of {name}.{field}"), *here, *there);
            }
        }
    }
}

/// How an interface declares a function: as such, or, as the crate does for what
/// it calls through a table, as a type named after it.
pub(crate) fn declared<'i>(interface: &'i Interface, function: &str) -> Option<&'i String> {
    let table = || interface.aliases.get(&format!("{function}Func"));
    interface.functions.get(function).or_else(table)
}
