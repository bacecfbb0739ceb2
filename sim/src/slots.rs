//! Lists with a place for each of a few numbers: clients, keys, nodes, pairs of nodes.

/// The place of this number; the list grows to have it.
pub(crate) fn slot<T: Default + Clone>(slots: &mut Vec<T>, number: u64) -> &mut T {
    let position = usize::try_from(number).expect("clients, keys and nodes are few");
    if position >= slots.len() {
        slots.resize(position + 1, T::default());
    }
    &mut slots[position]
}

/// A number for two of them, the lower the lower both are.
pub(crate) const fn pair(one: u64, other: u64) -> u64 {
    if one < other { other * other + one } else { one * one + one + other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_few_numbers_take_no_more_places_than_there_are_pairs() {
        let numbers = (0..5).flat_map(|one| (0..5).map(move |other| pair(one, other)));
        assert_eq!(numbers.collect::<std::collections::BTreeSet<_>>(), (0..25).collect());
    }
}
