//! What a transaction sees: what is committed, with its own changes over it.

use std::collections::BTreeMap;

/// One table as a transaction sees it.
pub struct View<'a, K, R> {
    /// What is committed.
    pub held: &'a BTreeMap<K, R>,
    /// Its own changes.
    pub own: &'a mut BTreeMap<K, Option<R>>,
}

impl<K: Ord + Clone, R: Clone> View<'_, K, R> {
    /// The row under a key.
    pub fn get(&self, key: &K) -> Option<&R> {
        match self.own.get(key) {
            Some(own) => own.as_ref(),
            None => self.held.get(key),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        let is_there = |key: &K| self.get(key).is_some();
        !self.held.keys().any(is_there) && !self.own.values().any(Option::is_some)
    }

    /// Writes a row.
    pub fn put(&mut self, key: K, row: R) {
        self.own.insert(key, Some(row));
    }

    /// Takes a row away, and returns it.
    pub fn take(&mut self, key: &K) -> Option<R> {
        let row = self.get(key).cloned()?;
        self.own.insert(key.clone(), None);
        Some(row)
    }

    /// The rows from a key on, as far as their keys are within.
    pub fn range(&self, from: &K, is_within: impl Fn(&K) -> bool) -> Vec<(K, R)> {
        let mut keys: Vec<&K> = self.held.range(from..).map(|row| row.0).take_while(|key| is_within(key)).collect();
        keys.extend(self.own.range(from..).map(|row| row.0).take_while(|key| is_within(key)));
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().filter_map(|key| self.get(key).map(|row| (key.clone(), row.clone()))).collect()
    }
}
