//! Arguments of keywords in rules: names become numbers before Suricata's own
//! integer parser sees them, so ranges, comparisons and negation work with both.

use crate::policy::What;
use crate::tx::Scope;

/// Which of a message's values a keyword looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A request's transforms.
    Offered,
    /// A response's transforms.
    Chosen,
    /// The KE payload.
    Ke,
}

impl Part {
    /// The word in a rule.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Offered => Scope::Offered.name(),
            Self::Chosen => Scope::Chosen.name(),
            Self::Ke => "ke",
        }
    }

    /// Whether transforms of a message with this scope are looked at.
    pub(super) fn admits(part: Option<Self>, scope: Scope) -> bool {
        match part {
            None => true,
            Some(Self::Offered) => scope == Scope::Offered,
            Some(Self::Chosen) => scope == Scope::Chosen,
            Some(Self::Ke) => false,
        }
    }
}

/// An integer argument: an expression in Suricata's syntax, without names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IntegerArgument {
    pub(super) expression: String,
    pub(super) part: Option<Part>,
}

/// Reads `EXPRESSION[,PART]`. The error says what is wrong and what is allowed.
pub(super) fn integer(
    argument: &str,
    number: fn(&str) -> Option<u32>,
    parts: &[Part],
) -> Result<IntegerArgument, String> {
    let (expression, part) = match argument.split_once(',') {
        None => (argument, None),
        Some((expression, word)) => (expression, Some(read_part(word.trim(), parts)?)),
    };
    if expression.trim().is_empty() {
        return Err("a number or a name is missing".to_owned());
    }
    Ok(IntegerArgument { expression: replace_names(expression.trim(), number)?, part })
}

fn read_part(word: &str, parts: &[Part]) -> Result<Part, String> {
    let found = parts.iter().copied().find(|part| part.name().eq_ignore_ascii_case(word));
    found.ok_or_else(|| match parts {
        [] => format!("'{word}' is not understood: the keyword takes one number or name"),
        _ => {
            let allowed: Vec<_> = parts.iter().map(|part| part.name()).collect();
            format!("'{word}' is not one of {}", allowed.join(", "))
        }
    })
}

/// Reads the list of kinds of `ikev2.weak_proposal`; empty means any.
pub(super) fn weak(argument: &str) -> Result<Vec<What>, String> {
    argument
        .split([',', ' '])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| {
            let kind = What::ALL.iter().find(|kind| kind.name().eq_ignore_ascii_case(word));
            kind.copied().ok_or_else(|| {
                let allowed: Vec<_> = What::ALL.iter().map(|kind| kind.name()).collect();
                format!("'{word}' is not one of {}", allowed.join(", "))
            })
        })
        .collect()
}

/// Words are runs of letters, digits and `_` that do not begin with a digit;
/// all else belongs to the integer syntax.
fn replace_names(expression: &str, number: fn(&str) -> Option<u32>) -> Result<String, String> {
    let mut result = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len())
            .max(first.len_utf8());
        let (word, tail) = rest.split_at(end);
        if first.is_ascii_alphabetic() {
            let value = number(word).ok_or_else(|| format!("no value is called '{word}'"))?;
            result.push_str(&value.to_string());
        } else {
            result.push_str(word);
        }
        rest = tail;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(name: &str) -> Option<u32> {
        match name.to_ascii_lowercase().as_str() {
            "ike_sa_init" => Some(34),
            "informational" => Some(37),
            _ => None,
        }
    }

    fn expression(argument: &str) -> Result<String, String> {
        integer(argument, number, &[]).map(|parsed| parsed.expression)
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
    fn the_part_follows_a_comma() {
        let parsed = integer("34, offered", number, &[Part::Offered, Part::Ke]);
        let wanted = IntegerArgument { expression: "34".to_owned(), part: Some(Part::Offered) };
        assert_eq!(parsed, Ok(wanted));
    }

    #[test]
    fn weak_kinds_are_a_list_and_none_means_any() {
        assert_eq!(weak("encr, DH"), Ok(vec![What::Encr, What::Dh]));
        assert_eq!(weak(""), Ok(vec![]));
        assert!(weak("dh,rsa").unwrap_err().starts_with("'rsa' is not one of encr, prf"));
    }

    #[test]
    fn errors_name_the_word_and_what_is_allowed() {
        let error = integer("34,both", number, &[Part::Offered, Part::Chosen]).unwrap_err();
        assert_eq!(error, "'both' is not one of offered, chosen");
        let error = integer("34,x", number, &[]).unwrap_err();
        assert_eq!(error, "'x' is not understood: the keyword takes one number or name");
        assert_eq!(expression("ike_sa_exit").unwrap_err(), "no value is called 'ike_sa_exit'");
        assert_eq!(expression("").unwrap_err(), "a number or a name is missing");
        assert_eq!(expression("é"), Ok("é".to_owned()));
    }
}
