//! The keys of the states that were met, in little memory.

/// A set of keys that are spread evenly, as hashes are, none of them zero. It grows, and forgets nothing.
#[derive(Clone, Debug)]
pub(super) struct Visited {
    /// A power of two in number; zero stands for nothing.
    places: Vec<u128>,
    count: usize,
}

impl Visited {
    const LEAST: usize = 1 << 10;

    pub(super) fn new() -> Self {
        Self { places: vec![0; Self::LEAST], count: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// Its memory in bytes.
    pub(super) const fn bytes(&self) -> u64 {
        (self.places.len() * size_of::<u128>()) as u64
    }

    pub(super) fn contains(&self, key: u128) -> bool {
        self.places[self.place(key)] == key
    }

    /// Adds a key; whether it is a new one.
    pub(super) fn insert(&mut self, key: u128) -> bool {
        // At three quarters a search for a key that is not there looks at eight places or so.
        if (self.count + 1) * 4 > self.places.len() * 3 {
            self.grow();
        }
        let place = self.place(key);
        let is_new = self.places[place] != key;
        self.places[place] = key;
        self.count += usize::from(is_new);
        is_new
    }

    /// Where the key is, or would be.
    fn place(&self, key: u128) -> usize {
        let last = self.places.len() - 1;
        let mut place = key as usize & last;
        while self.places[place] != 0 && self.places[place] != key {
            place = (place + 1) & last;
        }
        place
    }

    fn grow(&mut self) {
        let larger = vec![0; self.places.len() * 2];
        let before = std::mem::replace(&mut self.places, larger);
        for key in before.into_iter().filter(|key| *key != 0) {
            let place = self.place(key);
            self.places[place] = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(keys in prop::collection::vec(1..2000_u128, 0..3000)) {
            let (mut visited, mut model) = (Visited::new(), BTreeSet::new());
            for key in &keys {
                prop_assert_eq!(visited.insert(*key), model.insert(*key));
            }
            prop_assert_eq!(visited.len(), model.len());
            prop_assert!((1..2000).all(|key| visited.contains(key) == model.contains(&key)));
        }
    }

    #[test]
    fn keys_that_share_a_place_are_told_apart() {
        let mut visited = Visited::new();
        let same = |number: u128| 7 + (number << 64);
        assert!((0..5000).all(|number| visited.insert(same(number))));
        assert!((0..5000).all(|number| visited.contains(same(number)) && !visited.insert(same(number))));
        assert!(!visited.contains(same(5000)));
    }
}
