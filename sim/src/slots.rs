//! Lists with a place for each of a few numbers: clients, keys, nodes.

/// The place of this number; the list grows to have it.
pub(crate) fn slot<T: Default + Clone>(slots: &mut Vec<T>, number: u64) -> &mut T {
    let position = usize::try_from(number).expect("clients, keys and nodes are few");
    if position >= slots.len() {
        slots.resize(position + 1, T::default());
    }
    &mut slots[position]
}
