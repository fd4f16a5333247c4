//! The checks of a case, with the meaning they have in upstream's runner.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use crate::eve::{read, records};

/// One entry of `checks`.
#[derive(Debug)]
pub(crate) enum Check {
    /// How many records of a file of JSON lines match.
    Filter { filename: String, count: u64, conditions: Map<String, Value> },
    /// A shell command succeeds, and prints this when given.
    Shell { command: String, expect: Option<String> },
    /// Values of the last record of statistics.
    Stats(Map<String, Value>),
    /// A file of the output is the same as one of the case.
    FileCompare { filename: String, expected: String },
}

/// Where a check looks.
pub(crate) struct Place<'a> {
    /// The folder of the case.
    pub(crate) case: &'a Path,
    /// The folder of its output.
    pub(crate) output: &'a Path,
    /// The environment of shell commands.
    pub(crate) environment: &'a [(&'static str, String)],
}

impl Check {
    /// Reads an entry of `checks`.
    pub(crate) fn parse(entry: Value) -> Result<Self, String> {
        let mut entry = Fields::of(entry, "a check")?;
        let check = if let Some(filter) = entry.take("filter") {
            Self::filter(Fields::of(filter, "filter")?)
        } else if let Some(shell) = entry.take("shell") {
            Self::shell(Fields::of(shell, "shell")?)
        } else if let Some(stats) = entry.take("stats") {
            Fields::of(stats, "stats").map(|fields| Self::Stats(fields.fields))
        } else if let Some(compare) = entry.take("file-compare") {
            Self::file_compare(Fields::of(compare, "file-compare")?)
        } else {
            Err("nothing to check that is known here".to_owned())
        }?;
        entry.end()?;
        Ok(check)
    }

    fn filter(mut fields: Fields) -> Result<Self, String> {
        let filename = fields.text("filename")?.unwrap_or_else(|| "eve.json".to_owned());
        let count = fields.take("count").and_then(|count| count.as_u64());
        let count = count.ok_or("filter: count is not a number")?;
        let conditions = fields.take("match").ok_or("filter: match is missing")?;
        fields.end()?;
        let conditions = Fields::of(conditions, "match")?.fields;
        Ok(Self::Filter { filename, count, conditions })
    }

    fn shell(mut fields: Fields) -> Result<Self, String> {
        let command = fields.text("args")?.ok_or("shell: args is missing")?;
        let expect = match fields.take("expect") {
            None => None,
            Some(Value::String(text)) => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(other) => {
                return Err(format!("shell: expect is neither text nor number: {other}"))
            }
        };
        fields.end()?;
        Ok(Self::Shell { command, expect })
    }

    fn file_compare(mut fields: Fields) -> Result<Self, String> {
        let filename = fields.text("filename")?.ok_or("file-compare: filename is missing")?;
        let expected = fields.text("expected")?.ok_or("file-compare: expected is missing")?;
        fields.end()?;
        Ok(Self::FileCompare { filename, expected })
    }

    /// Runs the check; the error says what was expected and what was found.
    pub(crate) fn run(&self, place: &Place<'_>) -> Result<(), String> {
        match self {
            Self::Filter { filename, count, conditions } => {
                run_filter(&place.output.join(filename), *count, conditions)
            }
            Self::Shell { command, expect } => run_shell(place, command, expect.as_deref()),
            Self::Stats(wanted) => run_stats(&place.output.join("eve.json"), wanted),
            Self::FileCompare { filename, expected } => {
                let (found, expected) = (place.output.join(filename), place.case.join(expected));
                if read(&found)? == read(&expected)? {
                    Ok(())
                } else {
                    Err(format!("{} differs from {}", found.display(), expected.display()))
                }
            }
        }
    }
}

fn run_filter(file: &Path, count: u64, conditions: &Map<String, Value>) -> Result<(), String> {
    let mut found = 0;
    for record in records(file)? {
        found += u64::from(matches(&record, conditions)?);
    }
    if found == count {
        return Ok(());
    }
    let conditions = Value::Object(conditions.clone());
    Err(format!("filter {conditions}: expected {count} records, found {found}"))
}

fn run_shell(place: &Place<'_>, command: &str, expect: Option<&str>) -> Result<(), String> {
    let result = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(place.output)
        .envs(place.environment.iter().cloned())
        .output()
        .map_err(|error| format!("/bin/sh: {error}"))?;
    let printed = String::from_utf8_lossy(&result.stdout);
    let printed = printed.trim();
    if !result.status.success() {
        return Err(format!("shell {command:?}: {}, printed {printed:?}", result.status));
    }
    match expect {
        Some(expect) if expect != printed => {
            Err(format!("shell {command:?}: expected {expect:?}, found {printed:?}"))
        }
        _ => Ok(()),
    }
}

fn run_stats(file: &Path, wanted: &Map<String, Value>) -> Result<(), String> {
    let records = records(file)?;
    let last = records.iter().rev().find(|record| record["event_type"] == "stats");
    let stats = &last.ok_or("stats: there is no record of statistics")?["stats"];
    for (key, expected) in wanted {
        if !holds(stats, key, expected)? {
            let found = find(stats, key);
            return Err(format!("stats {key}: expected {expected}, found {found:?}"));
        }
    }
    Ok(())
}

/// Whether a record meets all conditions of `match`.
fn matches(record: &Value, conditions: &Map<String, Value>) -> Result<bool, String> {
    for (key, expected) in conditions {
        let met = match key.as_str() {
            "has-key" => keys(expected)?.iter().all(|key| find(record, key).is_some()),
            "not-has-key" => keys(expected)?.iter().all(|key| find(record, key).is_none()),
            _ => holds(record, key, expected)?,
        };
        if !met {
            return Ok(false);
        }
    }
    Ok(true)
}

fn keys(value: &Value) -> Result<Vec<&str>, String> {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let texts: Option<Vec<_>> = values.iter().map(Value::as_str).collect();
    texts.ok_or_else(|| format!("not a key or a list of keys: {value}"))
}

/// Whether the value under a dotted key is, or relates by the key's last part
/// to, what is expected.
fn holds(record: &Value, key: &str, expected: &Value) -> Result<bool, String> {
    let (path, operator) = match key.rsplit_once('.') {
        Some((path, last)) if last.starts_with("__") => (path, last),
        _ => (key, ""),
    };
    let found = find(record, path);
    match operator {
        "" => Ok(found.is_some_and(|found| is_equal(found, expected))),
        "__len" => Ok(found.is_some_and(|found| expected.as_i64() == Some(length(found)))),
        "__gt" | "__gte" | "__lt" | "__lte" => Ok(compare(found, expected, operator)),
        _ => relate(found, expected, operator).ok_or_else(|| match found {
            Some(found) => format!("{key} cannot relate {found} to {expected}"),
            None => format!("{key} needs the key: put a condition before it that implies it"),
        }),
    }
}

/// The value under a key such as `ikev2.notify[0].type`; `null` counts as none.
fn find<'a>(record: &'a Value, key: &str) -> Option<&'a Value> {
    let mut value = record;
    for part in key.split('.') {
        value = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
            Some((name, index)) => value.get(name)?.get(index.parse::<usize>().ok()?)?,
            None => value.get(part)?,
        };
    }
    Some(value).filter(|value| !value.is_null())
}

fn is_equal(found: &Value, expected: &Value) -> bool {
    found == expected || found.is_f64() && found.as_f64() == expected.as_f64()
}

fn length(value: &Value) -> i64 {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(entries) => entries.len(),
        _ => return -1,
    };
    i64::try_from(length).unwrap_or(-1)
}

fn compare(found: Option<&Value>, expected: &Value, operator: &str) -> bool {
    let (Some(found), Some(expected)) = (found.and_then(Value::as_f64), expected.as_f64()) else {
        return false;
    };
    match operator {
        "__gt" => found > expected,
        "__gte" => found >= expected,
        "__lt" => found < expected,
        _ => found <= expected,
    }
}

fn relate(found: Option<&Value>, expected: &Value, operator: &str) -> Option<bool> {
    if let ("__contains", Value::Array(items)) = (operator, found?) {
        return Some(items.iter().any(|item| is_equal(item, expected)));
    }
    let (found, expected) = (found?.as_str()?, expected.as_str()?);
    match operator {
        "__find" | "__contains" => Some(found.contains(expected)),
        "__startswith" => Some(found.starts_with(expected)),
        "__endswith" => Some(found.ends_with(expected)),
        _ => None,
    }
}

/// A mapping whose every key has to be taken.
pub(crate) struct Fields {
    fields: Map<String, Value>,
    what: &'static str,
}

impl Fields {
    /// The fields of a mapping; `what` it is called in errors.
    pub(crate) fn of(value: Value, what: &'static str) -> Result<Self, String> {
        match value {
            Value::Object(fields) => Ok(Self { fields, what }),
            other => Err(format!("{what} is not a mapping: {other}")),
        }
    }

    /// Takes a field.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.fields.shift_remove(key)
    }

    /// Takes a field that has to be a text.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{}: {key} is not a text: {other}", self.what)),
        }
    }

    /// All fields are taken.
    pub(crate) fn end(self) -> Result<(), String> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(key) => Err(format!("{}: the key '{key}' is not known here", self.what)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "event_type": "ikev2",
            "empty": null,
            "ikev2": { "flags": ["initiator"], "notify": [{ "type": 14 }], "role": "initiator" },
        })
    }

    fn met(conditions: Value) -> Result<bool, String> {
        matches(&record(), conditions.as_object().expect("a mapping"))
    }

    #[test]
    fn conditions_that_hold() {
        for conditions in [
            json!({ "event_type": "ikev2", "ikev2.notify[0].type": 14 }),
            json!({ "ikev2.notify.__len": 1, "ikev2.role.__len": 9 }),
            json!({ "ikev2.flags.__contains": "initiator", "ikev2.role.__find": "tia" }),
            json!({ "ikev2.role.__startswith": "init", "ikev2.role.__endswith": "tor" }),
            json!({ "ikev2.notify[0].type.__gt": 13, "ikev2.notify[0].type.__lte": 14 }),
            json!({ "has-key": ["ikev2", "ikev2.notify[0]"], "not-has-key": "ikev2.notify[1]" }),
            json!({ "not-has-key": ["empty", "absent", "ikev2.role.x"] }),
            json!({}),
        ] {
            assert_eq!(met(conditions.clone()), Ok(true), "{conditions}");
        }
    }

    #[test]
    fn conditions_that_do_not_hold() {
        for conditions in [
            json!({ "event_type": "ike" }),
            json!({ "ikev2.notify[0].type": "14" }),
            json!({ "ikev2.notify.__len": 2 }),
            json!({ "absent.__len": 0 }),
            json!({ "ikev2.flags.__contains": "response" }),
            json!({ "ikev2.notify[0].type.__gt": 14 }),
            json!({ "ikev2.role.__gt": 0 }),
            json!({ "absent.__gt": 0 }),
            json!({ "has-key": "empty" }),
            json!({ "not-has-key": ["absent", "ikev2"] }),
            json!({ "event_type": "ike", "absent.__find": "x" }),
        ] {
            assert_eq!(met(conditions.clone()), Ok(false), "{conditions}");
        }
    }

    #[test]
    fn conditions_that_make_no_sense_are_errors() {
        for conditions in [
            json!({ "absent.__find": "x" }),
            json!({ "ikev2.role.__find": 1 }),
            json!({ "ikev2.role.__regex": "x" }),
            json!({ "has-key": 1 }),
        ] {
            assert!(met(conditions.clone()).is_err(), "{conditions}");
        }
    }

    #[test]
    fn checks_of_unknown_kind_or_with_unknown_keys_are_errors() {
        for entry in [
            json!({ "filtre": {} }),
            json!({ "filter": { "count": 1, "match": {}, "comment": "x" } }),
            json!({ "filter": { "count": "1", "match": {} } }),
            json!({ "filter": { "match": {} } }),
            json!({ "filter": { "count": 1, "match": {} }, "shell": { "args": "true" } }),
            json!({ "shell": { "expect": 1 } }),
            json!({ "file-compare": { "filename": "a" } }),
        ] {
            assert!(Check::parse(entry.clone()).is_err(), "{entry}");
        }
    }

    #[test]
    fn shell_checks_compare_what_is_printed() {
        let folder = std::env::temp_dir();
        let environment = [("CASE", "x".to_owned())];
        let place = Place { case: &folder, output: &folder, environment: &environment };
        let run = |fields: Value| Check::parse(json!({ "shell": fields }))?.run(&place);
        assert_eq!(run(json!({ "args": "echo $CASE", "expect": "x" })), Ok(()));
        assert_eq!(run(json!({ "args": "echo 1", "expect": 1 })), Ok(()));
        assert!(run(json!({ "args": "echo 1", "expect": 2 })).is_err());
        assert!(run(json!({ "args": "echo 1; false" })).is_err());
    }
}
