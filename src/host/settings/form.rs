//! The forms of settings: which values are allowed, and where a value goes.

use core::ops::RangeInclusive;
use std::path::PathBuf;

use super::node::Node;
use super::table::Settings;
use crate::policy::{CustomPolicy, Policy};

/// Which values a setting may have. `set` puts the value into the settings.
pub(super) enum Form {
    /// `yes` or `no`, in each of Suricata's spellings.
    Switch { set: fn(&mut Settings, bool) },
    /// One of some words, or a list of them. `set` gets the places of those chosen, of which
    /// there is one at least, and one only if it is no list.
    Words { words: &'static [&'static str], is_list: bool, set: fn(&mut Settings, &[usize]) },
    /// A number; `unit` is empty for a count.
    Number { range: RangeInclusive<u32>, unit: &'static str, set: fn(&mut Settings, u32) },
    /// A size in Suricata's notation, of so many MiB at least.
    Size { least_mb: u64, set: fn(&mut Settings, u64) },
    /// The name of a policy.
    Policy { set: fn(&mut Settings, &'static Policy) },
    /// Lists of algorithms, one for each kind. `set` is called if there is an algorithm in them.
    Algorithms { set: fn(&mut Settings, CustomPolicy) },
    /// A file or a list of files.
    Files { set: fn(&mut Settings, Vec<PathBuf>) },
    /// Suricata itself reads the value, and reports what it does not understand.
    ReadBySuricata { allowed: &'static str },
}

/// Reads a size in Suricata's notation.
pub(super) type ParseSize = fn(&str) -> Option<u64>;

/// Gets the key of a value, as far as it is below that of the setting, and what is wrong.
pub(super) type Report<'a> = &'a mut dyn FnMut(&str, String);

impl Form {
    /// The allowed values in words, as they go on behind "is not". Of policies the names.
    pub(super) fn allowed(&self) -> String {
        match self {
            Self::Switch { .. } => "yes or no".to_owned(),
            Self::Words { words, is_list: false, .. } => alternatives(words),
            Self::Words { words, is_list: true, .. } => {
                format!("{}, or a list of them", alternatives(words))
            }
            Self::Number { range, unit, .. } => {
                let of = if unit.is_empty() { "" } else { " of " };
                format!("a number{of}{unit} from {} to {}", range.start(), range.end())
            }
            Self::Size { least_mb, .. } => {
                format!("a size of at least {least_mb}mb, such as 64mb")
            }
            Self::Policy { .. } => alternatives(&Policy::names().collect::<Vec<_>>()),
            Self::Algorithms { .. } => {
                let kinds: Vec<_> = CustomPolicy::kinds().collect();
                format!("lists of algorithms named {}", alternatives(&kinds))
            }
            Self::Files { .. } => "a file or a list of files".to_owned(),
            Self::ReadBySuricata { allowed } => (*allowed).to_owned(),
        }
    }

    /// Puts the value of a node into the settings, or reports what is wrong with it.
    pub(super) fn read(
        &self,
        node: &Node,
        settings: &mut Settings,
        parse_size: ParseSize,
        report: Report<'_>,
    ) {
        if let Self::Algorithms { set } = self {
            let lists = algorithms(node, report);
            if !lists.is_empty() {
                set(settings, lists);
            }
        } else if let Err(mistake) = self.read_values(&node.values(), settings, parse_size) {
            report("", format!("{mistake}; the default is used"));
        }
    }

    fn read_values(
        &self,
        values: &[&str],
        settings: &mut Settings,
        parse_size: ParseSize,
    ) -> Result<(), String> {
        let text = values.join(", ");
        let wrong = || format!("\"{text}\" is not {}", self.allowed());
        match self {
            Self::Switch { set } => set(settings, truth(&text).ok_or_else(wrong)?),
            Self::Words { words, is_list, set } => {
                set(settings, &places(values, words, *is_list).ok_or_else(wrong)?);
            }
            Self::Number { range, set, .. } => {
                let number = text.parse().ok().filter(|number| range.contains(number));
                set(settings, number.ok_or_else(wrong)?);
            }
            Self::Size { least_mb, set } => {
                let size = parse_size(&text).filter(|bytes| *bytes >= least_mb << 20);
                set(settings, size.ok_or_else(wrong)?);
            }
            Self::Policy { set } => set(settings, Policy::named(&text, settings.custom_policy)?),
            Self::Files { set } => set(settings, values.iter().map(PathBuf::from).collect()),
            Self::Algorithms { .. } | Self::ReadBySuricata { .. } => {}
        }
        Ok(())
    }
}

/// Words as in `yes, no or detection-only`.
fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

/// The places of the chosen words; none if a value is no word, or there is not the right number
/// of values.
fn places(values: &[&str], words: &[&str], is_list: bool) -> Option<Vec<usize>> {
    let place = |value: &&str| words.iter().position(|word| is_word(value, word));
    let has_number = values.len() == 1 || is_list && !values.is_empty();
    values.iter().map(place).collect::<Option<Vec<_>>>().filter(|_| has_number)
}

/// Whether a value is a word. The words `yes` and `no` have all of Suricata's spellings.
fn is_word(value: &str, word: &str) -> bool {
    match word {
        "yes" => truth(value) == Some(true),
        "no" => truth(value) == Some(false),
        _ => value.eq_ignore_ascii_case(word),
    }
}

/// A truth value in one of Suricata's spellings.
pub(super) fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// The algorithms in the lists of a section. What is not understood is reported and left out.
fn algorithms(section: &Node, report: Report<'_>) -> CustomPolicy {
    let mut lists = CustomPolicy::default();
    for list in &section.children {
        let names = list.values();
        if names.is_empty() {
            report(&list.key, "it lists nothing; the kind is not judged".to_owned());
        }
        for name in names {
            if let Err(mistake) = lists.allow(&list.key, name) {
                report(&list.key, format!("{mistake} (it is left out)"));
            }
        }
    }
    lists
}
