//! Arguments of keywords in rules. An error says what is wrong and what is allowed. The caller adds
//! the keyword's name and the argument.

use super::kind::{Integer, Names};
use crate::message::Scope;
use crate::policy::names::nearest;
use crate::policy::FindingKind;

/// Where the values come from that a keyword looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueSource {
    /// A request's transforms.
    Offered,
    /// A response's transforms.
    Chosen,
    /// The KE payload.
    Ke,
    /// The SA, for which any of its messages may have negotiated them.
    Sa,
    /// The SA's initiator, which sent them.
    Initiator,
    /// The SA's responder, which sent them.
    Responder,
}

impl ValueSource {
    /// The word in a rule.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Offered => Scope::Offered.name(),
            Self::Chosen => Scope::Chosen.name(),
            Self::Ke => "ke",
            Self::Sa => "sa",
            Self::Initiator => "initiator",
            Self::Responder => "responder",
        }
    }

    /// Whether the keyword looks at the transforms of a message with this scope.
    pub(super) fn admits(source: Option<Self>, scope: Scope) -> bool {
        match source {
            None => true,
            Some(Self::Offered) => scope == Scope::Offered,
            Some(Self::Chosen) => scope == Scope::Chosen,
            Some(Self::Ke | Self::Sa | Self::Initiator | Self::Responder) => false,
        }
    }
}

/// An integer argument: an expression in Suricata's syntax, without names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IntegerArgument {
    pub(super) expression: String,
    pub(super) source: Option<ValueSource>,
}

/// Reads `EXPRESSION[,SOURCE]`. Names become numbers before Suricata's own parser reads the
/// expression, so ranges, comparisons and negation work with names too.
pub(super) fn integer(argument: &str, keyword: &Integer) -> Result<IntegerArgument, String> {
    let (expression, source) = match argument.split_once(',') {
        None => (argument, None),
        Some((expression, word)) => (expression, Some(read_source(word.trim(), keyword.parts)?)),
    };
    if expression.trim().is_empty() {
        return Err("a number or a name is missing".to_owned());
    }
    let expression = replace_names(expression.trim(), keyword.names.as_ref())?;
    Ok(IntegerArgument { expression, source })
}

fn read_source(word: &str, sources: &[ValueSource]) -> Result<ValueSource, String> {
    if sources.is_empty() {
        return Err(format!("'{word}' is not understood: the keyword takes one value or range"));
    }
    let names: Vec<_> = sources.iter().map(|source| source.name()).collect();
    Ok(sources[position(word, &names)?])
}

/// Replaces names by their numbers. A name has letters, digits and `_`, and begins with a letter or
/// has a `_`. Everything else belongs to the integer syntax.
fn replace_names(expression: &str, names: Option<&Names>) -> Result<String, String> {
    let mut result = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len())
            .max(first.len_utf8());
        let (word, tail) = rest.split_at(end);
        if first.is_ascii_alphabetic() || word.contains('_') {
            result.push_str(&number(word, names)?.to_string());
        } else {
            result.push_str(word);
        }
        rest = tail;
    }
    Ok(result)
}

/// An expression with decimal numbers in place of hexadecimal ones such as `0x22`.
pub(super) fn decimal(expression: &str) -> String {
    let mut result = String::with_capacity(expression.len());
    for part in expression.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let digits = word.strip_prefix("0x");
        match digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            Some(number) => result.push_str(&number.to_string()),
            None => result.push_str(word),
        }
        result.push_str(&part[word.len()..]);
    }
    result
}

fn number(word: &str, names: Option<&Names>) -> Result<u32, String> {
    let Some(names) = names else {
        return Err(format!("'{word}' is not a number, and the keyword has no names"));
    };
    (names.number)(word)
        .ok_or_else(|| format!("no value is called '{word}'{}", suggestion(word, &(names.all)())))
}

/// One or more of some words, or none of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChoiceArgument {
    pub(super) negated: bool,
    pub(super) wanted: Vec<usize>,
}

impl ChoiceArgument {
    /// Whether a transaction with these states is wanted. They are bits, in the order of the words.
    pub(super) fn admits(&self, states: u128) -> bool {
        (states & self.bits() != 0) != self.negated
    }

    /// The words as bits, in the order of all words.
    pub(super) fn bits(&self) -> u128 {
        self.wanted.iter().fold(0, |bits, place| bits | 1 << place)
    }
}

/// Reads `[!]WORD[,WORD...]`.
pub(super) fn choice(argument: &str, names: &[&str]) -> Result<ChoiceArgument, String> {
    let (negated, words) = match argument.trim().strip_prefix('!') {
        Some(words) => (true, words),
        None => (false, argument),
    };
    let mut wanted = Vec::new();
    for word in words.split(',').map(str::trim) {
        push_once(&mut wanted, position(word, names)?, word)?;
    }
    if wanted.len() == names.len() {
        let when = if negated { "never" } else { "always" };
        return Err(format!("a list of all words is {when} true"));
    }
    Ok(ChoiceArgument { negated, wanted })
}

/// Reads one `WORD`.
pub(super) fn word(argument: &str, names: &[&str]) -> Result<usize, String> {
    position(argument.trim(), names)
}

/// Adds the meaning of a word to a list. A word that occurs twice is a mistake.
fn push_once<T: PartialEq>(list: &mut Vec<T>, meant: T, word: &str) -> Result<(), String> {
    if list.contains(&meant) {
        return Err(format!("'{word}' occurs twice"));
    }
    list.push(meant);
    Ok(())
}

/// Bits that must be set and bits that must be clear.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FlagsArgument {
    pub(super) set: u8,
    pub(super) clear: u8,
}

/// Reads `[!]NAME[,[!]NAME...]`.
pub(super) fn flags(argument: &str, bits: &[(&str, u8)]) -> Result<FlagsArgument, String> {
    let names: Vec<_> = bits.iter().map(|(name, _)| *name).collect();
    let mut read = FlagsArgument::default();
    for word in argument.split(',').map(str::trim) {
        match word.strip_prefix('!') {
            Some(word) => read.clear |= bits[position(word.trim(), &names)?].1,
            None => read.set |= bits[position(word, &names)?].1,
        }
    }
    if read.set & read.clear != 0 {
        return Err("a flag cannot be set and clear at once".to_owned());
    }
    Ok(read)
}

/// A version, with any minor version when none is given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct VersionArgument {
    pub(super) negated: bool,
    pub(super) major: u8,
    pub(super) minor: Option<u8>,
}

/// Reads `[!]MAJOR[.MINOR]`. Both are numbers of four bits.
pub(super) fn version(argument: &str) -> Result<VersionArgument, String> {
    let (negated, text) = match argument.trim().strip_prefix('!') {
        Some(text) => (true, text.trim()),
        None => (false, argument.trim()),
    };
    let number = |text: &str| {
        let number = text.parse().ok().filter(|number| *number <= 15_u8);
        number.ok_or_else(|| format!("'{text}' is not MAJOR or MAJOR.MINOR, each from 0 to 15"))
    };
    let (major, minor) = match text.split_once('.') {
        Some((major, minor)) => (number(major)?, Some(number(minor)?)),
        None => (number(text)?, None),
    };
    Ok(VersionArgument { negated, major, minor })
}

/// Reads nothing, `yes` or `no`.
pub(super) fn presence(argument: &str) -> Result<bool, String> {
    match argument.trim() {
        "" => Ok(true),
        word => Ok(position(word, &["yes", "no"])? == 0),
    }
}

/// The position of a word in a list, in upper or lower case.
fn position(word: &str, names: &[&str]) -> Result<usize, String> {
    let found = names.iter().position(|name| name.eq_ignore_ascii_case(word));
    found.ok_or_else(|| format!("'{word}' is not one of {}", names.join(", ")))
}

/// A suggestion with the name that is nearest to a word; empty if none is near.
fn suggestion(word: &str, names: &[&str]) -> String {
    nearest(word, names.iter().copied(), word.len().div_ceil(3))
        .map_or_else(String::new, |name| format!("; did you mean '{}'?", name.to_ascii_lowercase()))
}

/// The argument of `ikev2.weak_proposal`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WeakArgument<'a> {
    /// Kinds of findings; none means any.
    pub(super) kinds: Vec<FindingKind>,
    pub(super) scope: Option<Scope>,
    /// The policy's name; none means the configured one.
    pub(super) policy: Option<&'a str>,
}

/// Reads `[KIND...][,offered|chosen][,policy NAME]`, in any order.
pub(super) fn weak(argument: &str) -> Result<WeakArgument<'_>, String> {
    let mut read = WeakArgument::default();
    if argument.trim().is_empty() {
        return Ok(read);
    }
    for word in argument.split(',').map(str::trim) {
        let policy = word.strip_prefix("policy").filter(|name| name.starts_with([' ', '\t']));
        if let Some(name) = policy {
            if read.policy.replace(name.trim()).is_some() {
                return Err("more than one policy".to_owned());
            }
        } else if let Some(scope) = scope(word) {
            if read.scope.replace(scope).is_some() {
                return Err("more than one of offered and chosen".to_owned());
            }
        } else {
            push_once(&mut read.kinds, kind(word)?, word)?;
        }
    }
    Ok(read)
}

fn scope(word: &str) -> Option<Scope> {
    let scopes = [Scope::Offered, Scope::Chosen];
    scopes.into_iter().find(|scope| scope.name().eq_ignore_ascii_case(word))
}

fn kind(word: &str) -> Result<FindingKind, String> {
    let names: Vec<_> = FindingKind::ALL.iter().map(|kind| kind.name()).collect();
    let index =
        position(word, &names).map_err(|error| format!("{error}, offered, chosen, policy NAME"))?;
    Ok(FindingKind::ALL[index])
}

#[cfg(test)]
mod tests {
    use super::super::kind::{Values, Width};
    use super::*;
    use crate::wire::registry::ExchangeType;

    fn keyword(parts: &'static [ValueSource]) -> Integer {
        let names = Names {
            number: |name| ExchangeType::from_name(name).map(|exchange| exchange.0.into()),
            all: || ExchangeType::ALL.iter().filter_map(|exchange| exchange.name()).collect(),
        };
        Integer { width: Width::U8, names: Some(names), parts, values: Values::Of(|_, _, _| false) }
    }

    fn expression(argument: &str) -> Result<String, String> {
        integer(argument, &keyword(&[])).map(|parsed| parsed.expression)
    }

    #[test]
    fn names_become_numbers_wherever_a_number_may_stand() {
        assert_eq!(expression("IKE_SA_INIT"), Ok("34".to_owned()));
        assert_eq!(expression("!ike_sa_init"), Ok("!34".to_owned()));
        assert_eq!(expression("ike_sa_init-informational"), Ok("34-37".to_owned()));
        assert_eq!(expression("ike_sa_init<>37"), Ok("34<>37".to_owned()));
        assert_eq!(expression(">=0x22"), Ok(">=0x22".to_owned()));
    }

    #[test]
    fn hexadecimal_numbers_become_decimal_ones() {
        for (expression, expected) in [
            (">=0x22", ">=34"),
            ("0x1-0xfF", "1-255"),
            ("0xFg<>0x10", "0xFg<>16"),
            ("7", "7"),
            ("0x", "0x"),
        ] {
            assert_eq!(decimal(expression), expected);
        }
    }

    #[test]
    fn the_part_follows_a_comma() {
        let parsed = integer("34, offered", &keyword(&[ValueSource::Offered, ValueSource::Ke]));
        let wanted =
            IntegerArgument { expression: "34".to_owned(), source: Some(ValueSource::Offered) };
        assert_eq!(parsed, Ok(wanted));
    }

    #[test]
    fn errors_name_the_word_and_what_is_allowed() {
        let error =
            integer("34,both", &keyword(&[ValueSource::Offered, ValueSource::Chosen])).unwrap_err();
        assert_eq!(error, "'both' is not one of offered, chosen");
        let error = integer("34,x", &keyword(&[])).unwrap_err();
        assert_eq!(error, "'x' is not understood: the keyword takes one value or range");
        assert_eq!(expression("").unwrap_err(), "a number or a name is missing");
        assert_eq!(expression("é"), Ok("é".to_owned()));
    }

    #[test]
    fn a_misspelled_name_brings_the_nearest_one() {
        assert_eq!(
            expression("ike_sa_init_").unwrap_err(),
            "no value is called 'ike_sa_init_'; did you mean 'ike_sa_init'?"
        );
        assert_eq!(expression("quick_mode").unwrap_err(), "no value is called 'quick_mode'");
    }

    #[test]
    fn choices_are_words_or_any_but_these() {
        let names = ["udp500", "udp4500", "udp"];
        let wanted =
            |negated, wanted: &[usize]| Ok(ChoiceArgument { negated, wanted: wanted.to_vec() });
        assert_eq!(choice("UDP4500, udp", &names), wanted(false, &[1, 2]));
        assert_eq!(choice("!udp500", &names), wanted(true, &[0]));
        for contradictory in ["udp,udp", "udp500,udp4500,udp", "!udp500,udp4500,udp", ""] {
            assert!(choice(contradictory, &names).is_err(), "{contradictory}");
        }
        let error = choice("tcp", &names).unwrap_err();
        assert_eq!(error, "'tcp' is not one of udp500, udp4500, udp");
    }

    #[test]
    fn flags_are_set_or_clear() {
        let bits = [("initiator", 8), ("response", 32)];
        assert_eq!(flags("initiator,!response", &bits), Ok(FlagsArgument { set: 8, clear: 32 }));
        assert!(flags("initiator,!initiator", &bits).is_err());
        assert!(flags("", &bits).is_err());
    }

    #[test]
    fn versions_have_four_bits_each() {
        let read = VersionArgument { negated: true, major: 2, minor: Some(0) };
        assert_eq!(version("!2.0"), Ok(read));
        assert_eq!(version("3").map(|version| version.minor), Ok(None));
        for wrong in ["16", "2.16", "two", "2.", ""] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn weak_kinds_scope_and_policy_stand_in_any_order() {
        let read = weak("encr, DH,policy anssi,offered").unwrap();
        assert_eq!(read.kinds, [FindingKind::Encr, FindingKind::Dh]);
        assert_eq!((read.scope, read.policy), (Some(Scope::Offered), Some("anssi")));
        assert_eq!(weak(""), Ok(WeakArgument::default()));
        assert!(weak("dh,rsa").unwrap_err().starts_with("'rsa' is not one of encr, prf"));
        assert_eq!(weak("policy\tanssi").map(|read| read.policy), Ok(Some("anssi")));
        for contradictory in ["offered,chosen", "dh,dh", ",", "dh,", "policy"] {
            assert!(weak(contradictory).is_err(), "{contradictory}");
        }
        assert!(weak("policy a,policy b").is_err());
    }
}
