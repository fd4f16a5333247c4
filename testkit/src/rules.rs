//! The rule pack: its files, and its rules as name and value of their options.

use std::collections::BTreeSet;
use std::fs;

use crate::project::{entries, project};

/// The files, with the first of the hundred sids that each has.
pub const FILES: [(&str, u32); 7] = [
    ("ikev2-events.rules", 7_296_000),
    ("ikev2-weak-crypto.rules", 7_296_100),
    ("ikev2-exploits.rules", 7_296_200),
    ("ikev2-policy.rules", 7_296_300),
    ("ikev2-sequence.rules", 7_296_400),
    (DECRYPTED, 7_296_500),
    (HIDDEN, 7_296_600),
];

/// The file of the rules that need keys.
pub const DECRYPTED: &str = "ikev2-decrypted.rules";

/// The file of the rules for messages that the plugin does not have. They use none of its
/// keywords.
pub const HIDDEN: &str = "ikev2-hidden.rules";

/// What stands before a rule that is off by default.
pub const OFF: &str = "# alert ";

/// A rule of the pack.
pub struct Rule {
    /// The file that it stands in.
    pub file: &'static str,
    /// Whether it is on by default.
    pub on: bool,
    /// Its number.
    pub sid: u32,
    /// The options in their order, without the quotation marks of their values.
    pub options: Vec<(String, String)>,
}

impl Rule {
    /// Reads a line; comments and empty lines are no rules.
    pub fn parse(file: &'static str, line: &str) -> Option<Self> {
        let on = line.starts_with("alert ");
        if !on && !line.starts_with(OFF) {
            return None;
        }
        let (_, options) = line.split_once('(').unwrap_or_else(|| panic!("{file}: {line}"));
        let options = options.strip_suffix(')').unwrap_or_else(|| panic!("{file}: {line}"));
        let options = split(options);
        let sid = options.iter().find(|(name, _)| name == "sid").map(|(_, sid)| sid.parse());
        let sid = sid.and_then(Result::ok).unwrap_or_else(|| panic!("{file}: no sid: {line}"));
        Some(Self { file, on, sid, options })
    }

    /// The values of an option.
    pub fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let named = self.options.iter().filter(move |(other, _)| other == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The value of an option that stands once.
    pub fn one(&self, name: &'static str) -> &str {
        let values: Vec<_> = self.all(name).collect();
        assert_eq!(values.len(), 1, "{}, sid {}: {name}", self.file, self.sid);
        values[0]
    }

    /// The messages it looks at: requests, responses.
    pub fn sides(&self) -> [bool; 2] {
        let flags = self.all("ikev2.flags").next();
        [flags != Some("response"), flags != Some("!response")]
    }

    /// The event that is all it asks for, each time it occurs in messages of its side.
    pub fn event(&self) -> Option<&str> {
        let side = |name: &str, value: &str| {
            name == "ikev2.flags" && ["response", "!response"].contains(&value)
        };
        let further = |(name, value): &&(String, String)| {
            let others = ["ikev2.event", "ikev2.once"];
            let of_ours = name.starts_with("ikev2.") && !others.contains(&name.as_str());
            name == "threshold" || (of_ours && !side(name, value))
        };
        let event = self.all("ikev2.event").next()?;
        self.options.iter().find(further).is_none().then_some(event)
    }

    /// Whether it is for what honest peers do not send, or only when something is wrong, so
    /// that it may fire on none of them unexpectedly even when it is off by default.
    pub fn is_of_attacks(&self) -> bool {
        let files = ["ikev2-events.rules", "ikev2-exploits.rules", "ikev2-sequence.rules", HIDDEN];
        files.contains(&self.file)
    }

    /// The plugin's keywords that it uses, in their order.
    pub fn keywords(&self) -> Vec<&str> {
        let mut keywords = Vec::new();
        for (name, _) in self.options.iter().filter(|(name, _)| name.starts_with("ikev2.")) {
            if !keywords.contains(&name.as_str()) {
                keywords.push(name);
            }
        }
        keywords
    }

    /// The vulnerabilities its metadata has, in the form of references.
    pub fn vulnerabilities(&self) -> BTreeSet<String> {
        let entries = self.all("metadata").flat_map(|entries| entries.split(','));
        let named = entries.filter_map(|entry| entry.trim().strip_prefix("cve CVE_"));
        named.map(|number| number.replace('_', "-")).collect()
    }
}

/// Options as name and value; a `;` between quotation marks separates nothing.
pub fn split(options: &str) -> Vec<(String, String)> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for c in options.chars() {
        quoted ^= c == '"';
        match parts.last_mut() {
            Some(part) if c != ';' || quoted => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    assert_eq!(parts.pop().as_deref(), Some(""), "a ';' is missing at the end of {options}");
    let pair = |part: &String| {
        let (name, value) = part.trim().split_once(':').unwrap_or((part.trim(), ""));
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    parts.iter().map(pair).collect()
}

/// The text of a file of the pack.
///
/// # Panics
///
/// When it cannot be read.
pub fn text_of(file: &str) -> String {
    let path = project().join("rules").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All of `rules/` in one text.
///
/// # Panics
///
/// When a file cannot be read.
pub fn rule_pack() -> String {
    let files = entries(&project().join("rules"));
    files.iter().map(|file| fs::read_to_string(file).expect("a text")).collect()
}

/// The text of rules without what makes them silent where another one has matched.
pub fn each_by_itself(text: &str) -> String {
    let text = text.replace(" ikev2.once:message;", "").replace(" ikev2.once:inside;", "");
    text.replace(", keyword ikev2.once", "")
}

/// Every rule of the pack, in the order of the files.
pub fn pack() -> Vec<Rule> {
    let rules = |(file, _)| {
        let rules = text_of(file);
        rules.lines().filter_map(|line| Rule::parse(file, line)).collect::<Vec<_>>()
    };
    FILES.into_iter().flat_map(rules).collect()
}
