//! Maps with a few keys: the nodes of a cluster, pairs of them.

/// A map as a sorted list. Among a few keys it is found as fast as in a tree, and a copy is one piece of memory that holds nothing
/// but the entries.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy, V> Few<K, V> {
    fn place(&self, key: K) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(&key))
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.place(key).ok().map(|place| &self.0[place].1)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.place(key).ok().map(|place| &mut self.0[place].1)
    }

    pub(crate) fn contains(&self, key: K) -> bool {
        self.place(key).is_ok()
    }

    /// The value of a key; `new` makes one where there is none.
    pub(crate) fn get_or(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        let place = self.place(key).unwrap_or_else(|place| {
            self.0.insert(place, (key, new()));
            place
        });
        &mut self.0[place].1
    }

    /// The value of a key; the usual one where there was none.
    pub(crate) fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.get_or(key, V::default)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(key) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    pub(crate) fn remove(&mut self, key: K) {
        if let Ok(place) = self.place(key) {
            self.0.remove(place);
        }
    }

    /// Removes the lowest key.
    pub(crate) fn remove_first(&mut self) {
        if !self.0.is_empty() {
            self.0.remove(0);
        }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(*key, value));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_tree_holds_in_the_same_order(steps in prop::collection::vec((0..4_u8, 0..9_u8), 0..60)) {
            let (mut few, mut tree) = (Few::default(), BTreeMap::new());
            for (value, (what, key)) in steps.into_iter().enumerate() {
                match what {
                    0 => {
                        few.insert(key, value);
                        tree.insert(key, value);
                    }
                    1 => {
                        few.remove(key);
                        tree.remove(&key);
                    }
                    2 => {
                        *few.get_or_default(key) += 1;
                        *tree.entry(key).or_default() += 1;
                    }
                    _ => {
                        few.remove_first();
                        tree.pop_first();
                    }
                }
                prop_assert_eq!(few.get(key), tree.get(&key));
                prop_assert!(few.iter().eq(tree.iter().map(|(key, value)| (*key, value))));
            }
        }
    }
}
