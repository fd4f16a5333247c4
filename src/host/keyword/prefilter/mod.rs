//! A prefilter for the plugin's keywords, so that a rule costs nothing until it matches.
//!
//! Suricata 8.0 has a prefilter for buffers only. It would inspect every rule that has other
//! keywords for every message. So the plugin makes buffers of them:
//!
//! 1. All keywords of a rule that need no buffer together are one [`Condition`]. Rules with equal
//!    conditions share it. Each condition has a token, which is a few bytes ([`token`]).
//! 2. The rule gets the token as a `content` of the hidden buffer `ikev2.prefilter` ([`attach`]).
//! 3. The hidden buffer of a message has the tokens of all conditions that hold for it
//!    ([`table`]).
//!
//! Suricata's pattern matcher finds the tokens, as it finds any content. Only then does Suricata
//! inspect the rule, with its keywords as ever. So a token too many costs time and changes
//! nothing. A missing token would hide an alert.

mod attach;
mod condition;
mod registry;
mod table;
mod token;

use core::cell::{OnceCell, RefCell};

pub(in crate::host) use attach::FUNCTIONS;
pub(super) use attach::{begin_rule, note_keyword, register, RuleKeyword};
pub(super) use condition::Rarity;

use crate::tx::Transaction;

/// The tokens of a transaction, found when Suricata first asks for them.
#[derive(Debug, Default)]
pub(in crate::host) struct TransactionTokens {
    first: OnceCell<TokenText>,
    /// Those for rules that were loaded since. Suricata may still read the earlier ones.
    later: RefCell<Vec<TokenText>>,
}

#[derive(Debug)]
struct TokenText {
    generation: u64,
    bytes: Vec<u8>,
}

impl TransactionTokens {
    /// Calls `take` with the tokens of all conditions that hold for the transaction. The bytes stay
    /// where they are for as long as `self`.
    pub(super) fn with<T>(&self, tx: &Transaction, take: impl FnOnce(&[u8]) -> T) -> T {
        let first = self.first.get_or_init(|| TokenText::of(tx));
        let generation = registry::generation();
        if first.generation == generation {
            return take(&first.bytes);
        }
        let mut later = self.later.borrow_mut();
        if later.last().is_none_or(|text| text.generation != generation) {
            later.push(TokenText::of(tx));
        }
        take(later.last().map_or(&[], |text| &text.bytes))
    }
}

impl TokenText {
    fn of(tx: &Transaction) -> Self {
        registry::with_table(|table, generation| {
            let mut bytes = Vec::new();
            table.collect(tx, &mut bytes);
            Self { generation, bytes }
        })
    }
}
