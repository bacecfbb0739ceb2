//! A disk that is lost, and what its node finds in its place: an empty one, or a copy from before.
//!
//! The node no longer knows what it promised by what was on the lost disk. Raft does not provide for that, so whoever
//! lets it happen has to make sure that nobody relies on those promises.

use super::Disk;

/// What took the place of a disk that was lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Replaced {
    /// A disk with nothing on it.
    Empty,
    /// A copy of what was durable at some time.
    OldCopy,
}

impl Disk {
    /// What took its place, if it was ever lost: the last time.
    pub const fn replaced(&self) -> Option<Replaced> {
        self.replaced
    }

    /// Puts a copy of what is durable aside, instead of an earlier one.
    pub(super) fn back_up(&mut self) {
        self.copy = None;
        let mut copy = self.clone();
        copy.crash(super::Keep::Nothing);
        self.copy = Some(Box::new(copy));
    }

    /// The disk is lost, with all that is on it. There is an empty one in its place.
    pub(super) fn lose(&mut self) {
        let copy = self.copy.take();
        *self = Self { copy, damaged: true, replaced: Some(Replaced::Empty), ..Self::default() };
    }

    /// The disk is lost, and there is the copy that was put aside in its place. Nothing happens where there is none.
    pub(super) fn put_back(&mut self) -> bool {
        let Some(copy) = self.copy.take() else { return false };
        *self = Self { damaged: true, replaced: Some(Replaced::OldCopy), copy: Some(copy.clone()), ..*copy };
        true
    }
}
