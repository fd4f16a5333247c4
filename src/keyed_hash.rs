//! Keyed hashes of what a sender chooses.
//!
//! Tables, shards and the comparison of messages need hashes that nobody outside can predict:
//! with a known hash a sender could fill one chain, or make two messages look the same. The
//! hashes multiply and fold, which takes a few instructions for 16 bytes. The keys come from
//! the operating system's random numbers, once a process, and a hash never leaves the process.

use core::hash::{BuildHasher, Hash, Hasher};
use std::hash::RandomState;
use std::sync::LazyLock;

use foldhash::quality::FoldHasher;
use foldhash::SharedSeed;

/// The key that all hashes of the process share.
static SHARED_KEY: LazyLock<SharedSeed> = LazyLock::new(|| SharedSeed::from_u64(random()));

/// A random number. The standard library keys its own hash tables with random numbers of the
/// operating system.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A hash function with its own key.
#[derive(Clone, Debug)]
pub(crate) struct KeyedHash {
    key: u64,
    shared: &'static SharedSeed,
}

impl KeyedHash {
    /// A hash function with a random key.
    pub(crate) fn new() -> Self {
        Self::with_key(random())
    }

    /// A hash function with this key, and the random key of the process.
    pub(crate) fn with_key(key: u64) -> Self {
        Self { key, shared: &SHARED_KEY }
    }
}

impl Default for KeyedHash {
    fn default() -> Self {
        Self::new()
    }
}

impl BuildHasher for KeyedHash {
    type Hasher = FoldHasher<'static>;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        FoldHasher::with_seed(self.key, self.shared)
    }
}

/// The hash of a value, the same in the whole process.
pub(crate) fn of_process(value: impl Hash) -> u64 {
    static OF_PROCESS: LazyLock<KeyedHash> = LazyLock::new(KeyedHash::new);
    OF_PROCESS.hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_its_own_key() {
        let (one, other) = (KeyedHash::new(), KeyedHash::new());
        assert_eq!(one.hash_one("text"), one.clone().hash_one("text"));
        assert_ne!(one.hash_one("text"), other.hash_one("text"));
        assert_eq!(of_process("text"), of_process("text"));
        assert_ne!(of_process("text"), of_process("texts"));
    }

    /// Messages that differ in one bit fall in all sets alike. Sets are chosen by low bits.
    #[test]
    fn low_and_high_bits_depend_on_all_of_the_input() {
        let hash = KeyedHash::new();
        for length in [4, 8, 16, 40, 120, 300] {
            let mut counts = [[0_u32; 16]; 2];
            for bit in 0..8 * length {
                for fill in 0..32_u8 {
                    let mut bytes = vec![fill; length];
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    let hash = hash.hash_one(&bytes[..]);
                    counts[0][hash as usize % 16] += 1;
                    counts[1][(hash >> 60) as usize] += 1;
                }
            }
            let mean = (8 * length * 32 / 16) as f64;
            let spread = 8.0 * mean.sqrt();
            let is_even = |count: &u32| (f64::from(*count) - mean).abs() < spread;
            assert!(counts.iter().flatten().all(is_even), "{length}: {counts:?}");
        }
    }
}
