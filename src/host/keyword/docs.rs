//! docs/keywords.md from the table. `UPDATE_DOCS=1 cargo test --lib docs` writes
//! it; without that the test fails when the file is stale.

use core::fmt::Write as _;

use super::all;
use super::kind::{Integer, Keyword, Kind};
use crate::documentation::assert_current;
use crate::policy::FindingKind;

const FILE: &str = "docs/keywords.md";
const BEGIN: &str = "<!-- from the keyword table, by a test: do not edit -->\n";
const END: &str = "<!-- end of the keyword table -->\n";

#[test]
fn keywords_md_is_what_the_table_says() {
    assert_current(FILE, BEGIN, END, &render());
}

fn render() -> String {
    let mut text = String::from("\n| keyword | form | looks at |\n|---|---|---|\n");
    for keyword in all() {
        let name = keyword.name.to_string_lossy();
        let anchor = name.replace('.', "");
        let (form, summary) = (form(&keyword.kind), keyword.summary.to_string_lossy());
        let _ = writeln!(text, "| [`{name}`](#{anchor}) | {form} | {summary} |");
    }
    for keyword in all() {
        section(&mut text, keyword);
    }
    text.push('\n');
    text
}

fn section(text: &mut String, keyword: &Keyword) {
    let (name, summary) = (keyword.name.to_string_lossy(), keyword.summary.to_string_lossy());
    let _ = writeln!(text, "\n## {name}\n\n{}: {summary}.", capitalised(form(&keyword.kind)));
    if !keyword.details.is_empty() {
        let _ = writeln!(text, "\n{}", keyword.details);
    }
    if let Some(argument) = argument(&keyword.kind) {
        let _ = writeln!(text, "\n{argument}");
    }
    text.push('\n');
    for example in keyword.examples {
        let _ = writeln!(text, "    {example}");
    }
    let _ = writeln!(text, "\nSource: {}.", keyword.source);
}

fn form(kind: &Kind) -> &'static str {
    match kind {
        Kind::Integer(integer) => integer.width.name(),
        Kind::Choice(_) => "choice",
        Kind::Flags(_) => "flags",
        Kind::Version => "version",
        Kind::Presence(_) => "yes or no",
        Kind::Weak => "list",
        Kind::Once(_) => "group",
        Kind::Buffer(_) => "sticky buffer",
        Kind::MultiBuffer(_) => "sticky buffer, several instances",
    }
}

fn argument(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::Integer(integer) => return integer_argument(integer),
        Kind::Choice(choice) => {
            format!(
                "Argument: one or more of {}, separated by commas. \
                 `!` before the list means none of them.",
                list(choice.names)
            )
        }
        Kind::Flags(flags) => {
            let names: Vec<_> = flags.iter().map(|(name, _)| *name).collect();
            format!(
                "Argument: one or more of {}, separated by commas, each with or without `!`.",
                list(&names)
            )
        }
        Kind::Once(groups) => format!("Argument: one of {}.", list(groups)),
        Kind::Version => "Argument: `MAJOR` or `MAJOR.MINOR`, with or without `!`.".to_owned(),
        Kind::Presence(_) => {
            "Argument: `yes` or `no`. Without an argument it means `yes`.".to_owned()
        }
        Kind::Weak => {
            let names: Vec<_> = FindingKind::ALL.iter().map(|what| what.name()).collect();
            format!(
                "Argument: none, or a list separated by commas. The list may have kinds of \
                 findings ({}), one of `offered` and `chosen`, and `policy NAME`.",
                list(&names)
            )
        }
        Kind::Buffer(_) | Kind::MultiBuffer(_) => return None,
    })
}

fn integer_argument(integer: &Integer) -> Option<String> {
    let mut text = String::new();
    if !integer.parts.is_empty() {
        let parts: Vec<_> = integer.parts.iter().map(|part| part.name()).collect();
        let _ = write!(text, "Optional second argument, after a comma: {}.", list(&parts));
    }
    if let Some(names) = &integer.names {
        let names: Vec<_> = (names.all)().iter().map(|name| name.to_ascii_lowercase()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let space = if text.is_empty() { "" } else { "\n\n" };
        let _ = write!(text, "{space}Names: {}.", list(&names));
    }
    (!text.is_empty()).then_some(text)
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().to_string() + letters.as_str())
}
