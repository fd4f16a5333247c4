//! Functions for fuzz targets: they call the arguments and accessors of every keyword
//! without a host. This module is compiled only for fuzzing.

use super::all;
use super::args;
use super::kind::{Keyword, Kind};
use crate::policy::Policy;
use crate::tx::Transaction;

/// A limit for the instances of a buffer. No message has so many.
const MANY: usize = 1 << 16;

/// Parses `KEYWORD:ARGUMENT` as in a rule, but without the prefix `ikev2.`. The part of an
/// integer argument that the host parses is not checked.
///
/// # Errors
/// There is no such keyword, or the argument is wrong.
pub fn read_option(option: &str) -> Result<(), String> {
    let (name, argument) = option.split_once(':').unwrap_or((option, ""));
    let named = |it: &&Keyword| it.name.to_bytes().strip_prefix(b"ikev2.") == Some(name.as_bytes());
    let Some(keyword) = all().find(named) else {
        return Err(format!("there is no ikev2.{name}"));
    };
    match &keyword.kind {
        Kind::Integer(keyword) => {
            let read = args::integer(argument, keyword)?;
            // All names must have been replaced by numbers. Hexadecimal numbers contain an
            // `x`, but do not begin with it.
            let word = |word: &str| word.starts_with(|c: char| c.is_ascii_alphabetic());
            let not_in_words = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
            assert!(!read.expression.split(not_in_words).any(word), "{read:?}");
        }
        Kind::Choice(keyword) => {
            let read = args::choice(argument, keyword.names)?;
            assert!(read.wanted.iter().all(|place| *place < keyword.names.len()), "{read:?}");
        }
        Kind::Flags(bits) => drop(args::flags(argument, bits)?),
        Kind::Version => drop(args::version(argument)?),
        Kind::Presence(_) => drop(args::presence(argument)?),
        Kind::Weak => {
            let read = args::weak(argument)?;
            read.policy.map(|name| Policy::named(name, None)).transpose()?;
        }
        Kind::Once(groups) => drop(args::word(argument, groups)?),
        Kind::Buffer(_) | Kind::MultiBuffer(_) => {}
    }
    Ok(())
}

/// Calls every keyword's accessors on a transaction.
pub fn look(tx: &Transaction) {
    for keyword in all() {
        match &keyword.kind {
            Kind::Integer(integer) => {
                let parts = integer.parts.iter().copied().map(Some);
                for part in parts.chain([None]) {
                    integer.values.any(tx, part, &mut |_| false);
                }
            }
            Kind::Choice(choice) => {
                let states = (choice.get)(tx).unwrap_or(0);
                assert_eq!(states >> choice.names.len(), 0, "{:?}", keyword.name);
            }
            Kind::Presence(get) => drop(get(tx)),
            Kind::Buffer(get) => drop(get(tx)),
            Kind::MultiBuffer(get) => {
                let end = (0..=MANY).find(|place| get(tx, *place).is_none());
                assert!(end.is_some(), "{:?} has no end", keyword.name);
            }
            Kind::Flags(_) | Kind::Version | Kind::Weak | Kind::Once(_) => {}
        }
    }
}
