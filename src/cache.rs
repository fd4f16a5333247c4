//! A cache of values that were computed from bytes, for bytes that many messages have.
//!
//! A peer sends the same offer in every handshake. All peers of a product with the same
//! configuration also send the same offer. The key of a value is all its bytes, not a hash of
//! them, so nobody can forge a key. The size of the cache is limited. Bytes that come once
//! only cost their hash.

use crate::keyed_hash;

/// The number of sets in the cache, and of values in a set. Two messages of the same peers
/// would remove each other's values all the time if both had to be in one place.
const SETS: usize = 16;
const SET_SIZE: usize = 4;

/// The maximum length of a key. A proposal with the maximum number of transforms has about
/// this length.
const MAX_KEY: usize = 2048;

/// Values, with the bytes from which they were computed as keys.
#[derive(Debug)]
pub(crate) struct Cache<V> {
    sets: [Set<V>; SETS],
}

#[derive(Debug)]
struct Set<V> {
    /// The newest value is the first.
    kept: [Option<CachedValue<V>>; SET_SIZE],
    /// The hashes of the last keys that were not found. The newest is the first.
    candidates: [Option<u64>; SET_SIZE],
}

#[derive(Debug)]
struct CachedValue<V> {
    hash: u64,
    context: u64,
    key: Box<[u8]>,
    value: V,
}

impl<V> Default for Cache<V> {
    fn default() -> Self {
        let set = |_| Set { kept: [const { None }; SET_SIZE], candidates: [None; SET_SIZE] };
        Self { sets: std::array::from_fn(set) }
    }
}

impl<V: Clone> Cache<V> {
    /// The value of a key in a context. A key gets a value, and replaces the oldest one in its
    /// set, when it comes again before some other new keys of the set. Until then the result is
    /// none. So keys that come once cannot remove others.
    pub(crate) fn get(&mut self, context: u64, key: &[u8], make: impl FnOnce() -> V) -> Option<V> {
        if key.len() > MAX_KEY {
            return None;
        }
        // Nobody outside can choose a set, and so keep the values of others out.
        let hash = keyed_hash::of_process((context, key));
        let set = &mut self.sets[hash as usize % SETS];
        let is_it =
            |it: &&CachedValue<V>| it.hash == hash && it.context == context && *it.key == *key;
        if let Some(known) = set.kept.iter().flatten().find(is_it) {
            return Some(known.value.clone());
        }
        if !set.candidates.contains(&Some(hash)) {
            set.candidates.rotate_right(1);
            set.candidates[0] = Some(hash);
            return None;
        }
        let value = make();
        set.kept.rotate_right(1);
        set.kept[0] = Some(CachedValue { hash, context, key: key.into(), value: value.clone() });
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests the value of a key, which is its length. Also returns whether it was computed.
    fn ask(cache: &mut Cache<usize>, context: u64, key: &[u8]) -> (Option<usize>, bool) {
        let mut made = false;
        let value = cache.get(context, key, || {
            made = true;
            key.len()
        });
        (value, made)
    }

    #[test]
    fn a_value_is_made_once_for_what_comes_again() {
        let mut cache = Cache::default();
        assert_eq!(ask(&mut cache, 1, b"offer"), (None, false));
        assert_eq!(ask(&mut cache, 1, b"offer"), (Some(5), true));
        assert_eq!(ask(&mut cache, 1, b"offer"), (Some(5), false));
        assert_eq!(ask(&mut cache, 2, b"offer"), (None, false), "another context");
    }

    #[test]
    fn what_comes_once_drives_nothing_out() {
        let mut cache = Cache::default();
        ask(&mut cache, 0, b"offer");
        ask(&mut cache, 0, b"offer");
        for other in 0..100_000_u32 {
            assert_eq!(ask(&mut cache, 0, &other.to_be_bytes()), (None, false));
        }
        assert_eq!(ask(&mut cache, 0, b"offer"), (Some(5), false));
    }

    #[test]
    fn keys_of_one_place_keep_their_own_values() {
        let mut cache = Cache::default();
        let keys: Vec<_> = (0..1000_usize).map(|length| vec![7; length]).collect();
        for key in &keys {
            ask(&mut cache, 0, key);
            assert_eq!(ask(&mut cache, 0, key), (Some(key.len()), true));
        }
        let known = keys.iter().filter(|key| ask(&mut cache, 0, key) == (Some(key.len()), false));
        assert!((1..=SETS * SET_SIZE).contains(&known.count()));
    }

    /// Peers that take turns, as many as there are places in a set.
    #[test]
    fn keys_that_take_turns_keep_their_values() {
        for first in 0..100_u32 {
            let mut cache = Cache::default();
            let keys: Vec<_> = (first..).map(u32::to_be_bytes).take(SET_SIZE).collect();
            let mut known = || {
                let known = keys.iter().filter(|key| ask(&mut cache, 0, *key) == (Some(4), false));
                known.count()
            };
            assert_eq!([0; 4].map(|_| known()), [0, 0, SET_SIZE, SET_SIZE]);
        }
    }

    #[test]
    fn long_keys_are_not_kept() {
        let mut cache = Cache::default();
        let mut twice = |length| {
            let key = vec![1; length];
            ask(&mut cache, 0, &key);
            ask(&mut cache, 0, &key).0
        };
        assert_eq!(twice(MAX_KEY), Some(MAX_KEY));
        assert_eq!(twice(MAX_KEY + 1), None);
    }
}
