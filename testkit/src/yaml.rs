//! YAML as JSON values, for the case files.
//!
//! Upstream's runner reads YAML 1.1, this one the part of YAML that 1.1 and 1.2
//! have in common. A plain scalar that the two understand differently is an
//! error, so a case means the same in both.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_json::{Map, Value};

/// The one document of a text; `null` when it is empty.
///
/// # Errors
///
/// When the text is no YAML, or has what is not understood here.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut events = Events(Parser::new_from_str(text));
    match events.next()? {
        Event::StreamStart => {}
        other => return Err(format!("unexpected {other:?}")),
    }
    let value = match events.next()? {
        Event::StreamEnd => return Ok(Value::Null),
        Event::DocumentStart(_) => {
            let first = events.next()?;
            events.value(first)?
        }
        other => return Err(format!("unexpected {other:?}")),
    };
    match (events.next()?, events.next()?) {
        (Event::DocumentEnd, Event::StreamEnd) => Ok(value),
        _ => Err("more than one document".to_owned()),
    }
}

struct Events<I>(I);

impl<'a, I: Iterator<Item = Result<(Event<'a>, Span), ScanError>>> Events<I> {
    fn next(&mut self) -> Result<Event<'a>, String> {
        let (event, _) = self.0.next().ok_or("the text ends early")?.map_err(|e| e.to_string())?;
        Ok(event)
    }

    fn value(&mut self, event: Event<'a>) -> Result<Value, String> {
        match event {
            Event::Scalar(text, ScalarStyle::Plain, 0, None) => plain(&text),
            Event::Scalar(text, _, 0, None) => Ok(text.into_owned().into()),
            Event::SequenceStart(0, None) => self.sequence(),
            Event::MappingStart(0, None) => self.mapping(),
            other => Err(format!("tags, anchors and aliases are not understood: {other:?}")),
        }
    }

    fn sequence(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(items.into()),
                event => items.push(self.value(event)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Value, String> {
        let mut entries = Map::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => return Ok(entries.into()),
                Event::Scalar(text, _, 0, None) => text.into_owned(),
                other => return Err(format!("a key has to be a text: {other:?}")),
            };
            let event = self.next()?;
            let value = self.value(event)?;
            if entries.contains_key(&key) {
                return Err(format!("the key '{key}' is given twice"));
            }
            entries.insert(key, value);
        }
    }
}

fn plain(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" => return Ok(Value::Null),
        "true" => return Ok(true.into()),
        "false" => return Ok(false.into()),
        _ => {}
    }
    if let Some(number) = hexadecimal(text).or_else(|| decimal(text)) {
        return Ok(number);
    }
    if is_ambiguous(text) {
        return Err(format!("'{text}' may not mean what it seems to: quote it"));
    }
    Ok(text.into())
}

fn hexadecimal(text: &str) -> Option<Value> {
    i64::from_str_radix(text.strip_prefix("0x")?, 16).ok().map(Value::from)
}

/// Digits without superfluous zeros, with a sign or one dot between them.
fn decimal(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    if digits.contains('.') {
        text.parse::<f64>().ok().map(Value::from)
    } else {
        text.parse::<i64>().ok().map(Value::from)
    }
}

/// Other spellings of nothing and truth; numbers in octal, base 60, scientific
/// or spaced-out notation; dates.
fn is_ambiguous(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    let words = ["null", "true", "false", "y", "n", "yes", "no", "on", "off"];
    let numeric =
        word.trim_start_matches(['+', '-', '.']).starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_hexdigit() || "+-._:xo".contains(c))
            && !is_version(&word);
    words.contains(&word.as_str()) || numeric
}

/// Three numbers and two dots are a text to everyone.
fn is_version(text: &str) -> bool {
    text.matches('.').count() == 2 && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_have_their_types() {
        let text = "a: 1\nb: '1'\nc: true\nd: x y\ne: 1.5\nf:\ng: 0x10\nh: 8.0.1\ni: [0, -3]";
        let wanted = json!({
            "a": 1, "b": "1", "c": true, "d": "x y", "e": 1.5, "f": null, "g": 16,
            "h": "8.0.1", "i": [0, -3],
        });
        assert_eq!(parse(text), Ok(wanted));
    }

    #[test]
    fn what_may_be_misunderstood_is_an_error() {
        for text in ["no", "Yes", "010", "0001020304050607", "1:30", "1_000", "1e3", "2020-01-01"] {
            let error = parse(&format!("a: {text}")).expect_err(text);
            assert!(error.contains("quote it"), "{error}");
            assert_eq!(parse(&format!("a: '{text}'")), Ok(json!({ "a": text })));
        }
    }

    #[test]
    fn structures_nest_and_comments_go() {
        let text = "# about\nchecks:\n  - filter:\n      count: 1 # one\n      match: {a.b: c}\n";
        let wanted = json!({ "checks": [{ "filter": { "count": 1, "match": { "a.b": "c" } } }] });
        assert_eq!(parse(text), Ok(wanted));
        assert_eq!(parse("# nothing\n"), Ok(Value::Null));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in ["a: 1\na: 2", "a: &x 1\nb: *x", "a: !t 1", "a: [1", "---\n1\n---\n2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_order_of_keys_is_kept() {
        let value = parse("b: 1\na: 2").expect("valid");
        let keys: Vec<_> = value.as_object().expect("a mapping").keys().collect();
        assert_eq!(keys, ["b", "a"]);
    }
}
