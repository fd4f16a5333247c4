//! The conditions of all rules that are loaded, and their tokens.
//!
//! Suricata may load rules in one thread while others inspect messages with earlier rules. New
//! conditions take effect together, when all rules of a load were read ([`publish`]). Each thread
//! holds the present table, so that a message costs no lock.

use core::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::condition::Condition;
use super::table::TokenTable;
use super::token::TokenBytes;
use crate::host::guard::lock;

/// A condition in use. Each rule with the condition holds it.
pub(super) struct Token {
    pub(super) condition: Condition,
    pub(super) bytes: TokenBytes,
}

impl Drop for Token {
    fn drop(&mut self) {
        // Conditions of removed rules cost time for each message. One new table for many of them is
        // enough.
        let unused = UNUSED.fetch_add(1, Ordering::Relaxed) + 1;
        if unused * 2 >= IN_TABLE.load(Ordering::Relaxed) {
            NEW.store(true, Ordering::Relaxed);
            publish();
        }
    }
}

/// Counts the tables. It changes when the present table no longer is the right one.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Whether there are changes that [`publish`] has not announced.
static NEW: AtomicBool = AtomicBool::new(false);

/// How many conditions the present table has, and how many of them no rule has any more.
static IN_TABLE: AtomicUsize = AtomicUsize::new(0);
static UNUSED: AtomicUsize = AtomicUsize::new(0);

#[derive(Default)]
struct Registry {
    /// The tokens with their numbers, by the key of the condition.
    tokens: HashMap<String, (u32, Weak<Token>)>,
    /// Numbers below `next` that are free again.
    free: Vec<u32>,
    next: u32,
    table: Arc<TokenTable>,
    /// The generation of the table.
    generation: u64,
}

static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);

thread_local! {
    /// The table that the thread used last, with its generation.
    static PRESENT: RefCell<(u64, Arc<TokenTable>)> = RefCell::default();
}

/// The token of a condition. Rules with the same condition have the same.
pub(super) fn token(condition: Condition) -> Arc<Token> {
    let mut registry = lock(&REGISTRY);
    let registry = registry.get_or_insert_default();
    if let Some(token) = registry.tokens.get(&condition.key).and_then(|(_, it)| it.upgrade()) {
        return token;
    }
    let number = registry.free_number(&condition.key);
    let bytes = TokenBytes::new(number, condition.is_common());
    let key = condition.key.clone();
    let token = Arc::new(Token { condition, bytes });
    registry.tokens.insert(key, (number, Arc::downgrade(&token)));
    NEW.store(true, Ordering::Release);
    token
}

/// Makes new conditions take effect, if there are any.
pub(super) fn publish() {
    if NEW.load(Ordering::Relaxed) && NEW.swap(false, Ordering::AcqRel) {
        GENERATION.fetch_add(1, Ordering::Release);
    }
}

/// The generation of the table that is to be used now.
pub(super) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Calls `work` with the present table and its generation.
pub(super) fn with_table<T>(work: impl FnOnce(&TokenTable, u64) -> T) -> T {
    PRESENT.with_borrow_mut(|(generation, table)| {
        if *generation != self::generation() {
            (*generation, *table) = lock(&REGISTRY).get_or_insert_default().present();
        }
        work(table, *generation)
    })
}

impl Registry {
    /// A number that no token in use has. If a condition came back, it has its number again.
    fn free_number(&mut self, key: &str) -> u32 {
        if let Some((number, _)) = self.tokens.get(key) {
            return *number;
        }
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// The table of all conditions in use, made anew if it is not the present one.
    fn present(&mut self) -> (u64, Arc<TokenTable>) {
        let generation = generation();
        if self.generation != generation {
            let tokens = self.in_use();
            self.generation = generation;
            IN_TABLE.store(tokens.len(), Ordering::Relaxed);
            UNUSED.store(0, Ordering::Relaxed);
            self.table = Arc::new(TokenTable::of(&tokens));
        }
        (generation, Arc::clone(&self.table))
    }

    /// The tokens in use. Forgets the others, whose numbers become free.
    fn in_use(&mut self) -> Vec<Arc<Token>> {
        let mut tokens = Vec::with_capacity(self.tokens.len());
        let free = &mut self.free;
        self.tokens.retain(|_, (number, token)| match token.upgrade() {
            Some(token) => {
                tokens.push(token);
                true
            }
            None => {
                free.push(*number);
                false
            }
        });
        tokens
    }
}
