//! Values that copies share until one of them is written.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use crate::state_hasher::StateHasher;

/// A value whose copies cost next to nothing. Whoever writes to one of them first gets a copy of the value for itself.
///
/// Its hash is found out once for all copies.
#[derive(Clone, Default)]
pub(crate) struct Shared<T>(Arc<Kept<T>>);

#[derive(Default)]
struct Kept<T> {
    value: T,
    hash: OnceLock<u128>,
}

impl<T: Clone> Clone for Kept<T> {
    /// It is about to be written.
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), hash: OnceLock::new() }
    }
}

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Kept { value, hash: OnceLock::new() }))
    }

    /// The value, copied where others share it.
    pub(crate) fn into_inner(self) -> T
    where
        T: Clone,
    {
        Arc::unwrap_or_clone(self.0).value
    }
}

impl<T: Hash> Shared<T> {
    /// The hash of the value.
    pub(crate) fn state_hash(&self) -> u128 {
        let Kept { value, hash } = &*self.0;
        *hash.get_or_init(|| StateHasher::of(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        let kept = Arc::make_mut(&mut self.0);
        kept.hash.take();
        &mut kept.value
    }
}

/// Feeds the hash of the value.
impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.state_hash());
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_to_one_copy_does_not_show_in_the_other() {
        let mut one = Shared::new(vec![1]);
        let other = one.clone();
        one.push(2);
        assert_eq!((&*one, &*other), (&vec![1, 2], &vec![1]));
        assert_eq!(one.into_inner(), [1, 2]);
    }

    #[test]
    fn the_hash_is_that_of_the_value_whatever_was_hashed_before() {
        let mut one = Shared::new(vec![1]);
        let before = (StateHasher::of(&one), StateHasher::of(&one.clone()));
        one.push(2);
        let after = StateHasher::of(&one);
        assert_eq!((before.0, after), (before.1, StateHasher::of(&Shared::new(vec![1, 2]))));
        one.pop();
        assert_eq!(StateHasher::of(&one), before.0);
        assert_ne!(after, before.0);
    }
}
