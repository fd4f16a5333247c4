//! A map of limited size.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map that drops its oldest entry when it is full.
pub(super) struct BoundedMap<K, V> {
    values: HashMap<K, V>,
    /// The keys in the order of insertion.
    order: VecDeque<K>,
    limit: usize,
}

impl<K: Copy + Eq + Hash, V> BoundedMap<K, V> {
    /// An empty map for at most `limit` entries.
    pub(super) fn new(limit: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), limit }
    }

    /// Inserts a value. Returns the value that was replaced or dropped.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(before) = self.values.insert(key, value) {
            return Some(before);
        }
        self.order.push_back(key);
        if self.order.len() <= self.limit {
            return None;
        }
        self.order.pop_front().and_then(|oldest| self.values.remove(&oldest))
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }

    /// The value of a key, mutable.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.values.get_mut(key)
    }

    /// The value of a key. If there is none, a default value is inserted.
    pub(super) fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if !self.values.contains_key(&key) {
            self.insert(key, V::default());
        }
        self.values.entry(key).or_default()
    }

    /// The keys, the oldest first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.order.iter()
    }

    /// Removes all entries.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_drops_the_oldest_entry() {
        let mut map = BoundedMap::new(2);
        assert_eq!(map.insert(1, 'a'), None);
        assert_eq!(map.insert(2, 'b'), None);
        assert_eq!(map.insert(1, 'c'), Some('a'));
        assert_eq!(map.insert(3, 'd'), Some('c'));
        assert_eq!((map.get(&1), map.get(&2), map.get(&3)), (None, Some(&'b'), Some(&'d')));
        assert_eq!(*map.entry(4), '\0');
        assert_eq!(map.keys().collect::<Vec<_>>(), [&3, &4]);
    }
}
