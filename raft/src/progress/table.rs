//! The progress of all members of a leader.

use super::Progress;
use crate::types::NodeId;

/// A progress for each of a few members, in ascending order of their identities. A list finds one among three to seven sooner than
/// a tree does, and a copy of it is one piece of memory.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct ProgressTable(Vec<(NodeId, Progress)>);

impl ProgressTable {
    /// Up to this many members are looked through one by one, which is quicker then.
    const SMALL: usize = 8;

    fn place(&self, id: NodeId) -> Result<usize, usize> {
        if self.0.len() > Self::SMALL {
            return self.0.binary_search_by_key(&id, |(member, _)| *member);
        }
        let place = self.0.iter().position(|(member, _)| *member >= id).unwrap_or(self.0.len());
        if self.0.get(place).is_some_and(|(member, _)| *member == id) { Ok(place) } else { Err(place) }
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Progress> {
        self.place(id).ok().map(|place| &self.0[place].1)
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Progress> {
        self.place(id).ok().map(|place| &mut self.0[place].1)
    }

    /// Keeps track of a member from here on, or anew.
    pub(crate) fn insert(&mut self, id: NodeId, progress: Progress) {
        match self.place(id) {
            Ok(place) => self.0[place].1 = progress,
            Err(place) => self.0.insert(place, (id, progress)),
        }
    }

    /// Forgets the others.
    pub(crate) fn retain(&mut self, stays: impl Fn(NodeId) -> bool) {
        self.0.retain(|(id, _)| stays(*id));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &Progress)> {
        self.0.iter().map(|(id, progress)| (*id, progress))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (NodeId, &mut Progress)> {
        self.0.iter_mut().map(|(id, progress)| (*id, progress))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::InflightLimits;
    use crate::types::Index;

    fn id(number: u64) -> NodeId {
        NodeId::new(number).unwrap()
    }

    #[test]
    fn members_are_found_and_forgotten_in_whatever_order_they_come() {
        let mut table = ProgressTable::default();
        let progress = |next| Progress::new(Index(next), InflightLimits { messages: 1, bytes: 1 });
        for number in [5, 1, 3, 2, 3] {
            table.insert(id(number), progress(10 + number));
        }
        assert!(table.iter().map(|(member, _)| member).eq([1, 2, 3, 5].map(id)));
        assert!(table.iter().all(|(member, progress)| progress.next() == Index(10 + member.get())));
        table.insert(id(2), progress(20));
        table.retain(|member| member != id(3));
        assert_eq!(table.get(id(2)).map(Progress::next), Some(Index(20)));
        assert!(table.get(id(3)).is_none() && table.get_mut(id(4)).is_none());
        assert_eq!(table.iter_mut().count(), 3);
    }
}
