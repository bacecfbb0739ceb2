//! What a disk shows and does not keep.
//!
//! After a failed fsync Linux takes the pages for written. Whoever reads them finds what was written, a later fsync succeeds without
//! them, and they are gone once power fails (PostgreSQL, 2018; Rebello and others, USENIX ATC 2020). Only what is written once more
//! is kept.

use super::{Disk, File, NextSync};

impl Disk {
    /// The next sync that would complete fails, and what it was to make durable can be read all the same until power fails.
    pub fn forget_next_sync(&mut self) {
        self.next_sync = NextSync::Forgets;
    }

    /// Whether something can be read that no sync will keep.
    pub fn shows_what_it_forgot(&self) -> bool {
        self.files.values().any(|file| !file.forgotten.is_empty())
    }
}

impl File {
    /// A sync of the first so many bytes has failed.
    pub(super) fn forget(&mut self, length: usize) {
        self.forgotten = self.durable..length.min(self.bytes.len());
    }

    /// What is there from an offset on is written once more, and pending.
    pub(super) fn write_again(&mut self, from: usize) {
        if from < self.forgotten.end {
            self.durable = self.durable.min(from.max(self.forgotten.start));
            self.forgotten.end = from.max(self.forgotten.start);
        }
    }

    /// Power fails, and what was shown is gone. Returns how many bytes that are.
    pub(super) fn lose_forgotten(&mut self) -> u64 {
        let forgotten = std::mem::take(&mut self.forgotten);
        let lost = self.bytes.get_mut(forgotten).unwrap_or_default();
        lost.fill(0);
        lost.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::Keep;
    use super::*;
    use crate::wal::{Files, Segment};

    const FILE: Segment = Segment(1);

    /// Four durable bytes, and four that a sync has failed to keep; the process has ended.
    fn forgetful() -> Disk {
        let mut disk = Disk::default();
        disk.create(FILE).unwrap();
        disk.append(FILE, b"kept").unwrap();
        disk.sync(FILE).unwrap();
        disk.append(FILE, b"lost").unwrap();
        disk.forget_next_sync();
        disk.sync(FILE).unwrap_err();
        disk.crash(Keep::All);
        disk
    }

    #[test]
    fn what_a_failed_sync_did_not_keep_is_read_and_a_later_sync_succeeds_without_it() {
        let mut disk = forgetful();
        assert!(disk.shows_what_it_forgot() && *disk.read(FILE).unwrap() == *b"keptlost");
        disk.append(FILE, b"more").unwrap();
        disk.sync(FILE).unwrap();
        disk.crash(Keep::All);
        assert_eq!(*disk.read(FILE).unwrap(), *b"keptlostmore");
        assert_eq!(disk.crash(Keep::Nothing), 4);
        assert_eq!(*disk.read(FILE).unwrap(), *b"kept\0\0\0\0more");
        assert!(!disk.shows_what_it_forgot());
    }

    #[test]
    fn what_is_written_once_more_is_kept_from_the_next_sync_on() {
        for (from, left) in [(0, b"keptlost"), (4, b"keptlost"), (6, b"kept\0\0st")] {
            let mut disk = forgetful();
            disk.rewrite(FILE, from).unwrap();
            disk.sync(FILE).unwrap();
            disk.crash(Keep::Nothing);
            assert_eq!(*disk.read(FILE).unwrap(), *left, "from {from}");
        }
        let mut disk = forgetful();
        disk.rewrite(FILE, 0).unwrap();
        disk.crash(Keep::Nothing);
        assert_eq!(*disk.read(FILE).unwrap(), *b"kept", "written and not synced");
    }

    #[test]
    fn what_is_cut_off_is_not_remembered() {
        let mut disk = forgetful();
        disk.truncate(FILE, 4).unwrap();
        assert!(!disk.shows_what_it_forgot());
    }
}
