//! What can go wrong with a disk that is not a crash.

use super::Disk;
use crate::wal::{Files, Segment};

/// A fault of a node's disk, or its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskFault {
    /// The fsync that would complete next fails instead, and the disk with it.
    FailSync,
    /// Only so many more bytes find room.
    Fill {
        /// How many.
        #[serde(with = "crate::number")]
        room: u64,
    },
    /// There is room again.
    Free,
    /// A bit of what is durable flips.
    FlipBit {
        /// In which file.
        file: Segment,
        /// Which, counted from the first bit of the file.
        #[serde(with = "crate::number")]
        bit: u64,
    },
    /// A block of what is durable is overwritten with a copy of another, as by a write that went astray.
    MisplaceBlock {
        /// In which file.
        file: Segment,
        /// The block that is copied.
        #[serde(with = "crate::number")]
        from: u64,
        /// The block that is lost.
        #[serde(with = "crate::number")]
        to: u64,
    },
    /// A copy of what is durable is put aside. That is no fault yet.
    BackUp,
    /// The disk is lost while its node is down, and there is an empty one in its place: the node comes back as one that never
    /// ran, under its old name.
    Lose,
    /// The disk is lost while its node is down, and there is the copy in its place that was [put aside](Self::BackUp).
    PutBack,
    /// As [`FailSync`](Self::FailSync), and what the fsync was to make durable can be read all the same until power fails, but no
    /// later one will keep it: the kernel takes failed pages for written.
    ForgetSync,
}

impl DiskFault {
    /// Whether it takes from the disk what was durable.
    pub const fn is_damage(self) -> bool {
        match self {
            Self::FailSync | Self::ForgetSync | Self::Fill { .. } | Self::Free | Self::BackUp => false,
            Self::FlipBit { .. } | Self::MisplaceBlock { .. } | Self::Lose | Self::PutBack => true,
        }
    }

    /// Whether it puts another disk in the place of the node's, which has to be down for that.
    pub const fn replaces(self) -> bool {
        matches!(self, Self::Lose | Self::PutBack)
    }

    /// Does it to the disk. Returns whether that changed anything.
    pub(crate) fn strike(self, disk: &mut Disk) -> bool {
        match self {
            Self::FailSync => {
                disk.fail_next_sync();
                true
            }
            Self::ForgetSync => {
                disk.forget_next_sync();
                true
            }
            Self::Fill { room } => {
                disk.limit(Some(disk.used().saturating_add(room)));
                true
            }
            Self::Free => disk.free(),
            Self::FlipBit { file, bit } => disk.flip_bit(file, bit),
            Self::MisplaceBlock { file, from, to } => disk.misplace_block(file, from, to),
            Self::BackUp => {
                disk.back_up();
                true
            }
            Self::Lose => {
                disk.lose();
                true
            }
            Self::PutBack => disk.put_back(),
        }
    }
}

impl Disk {
    /// The newest file and how many bytes of it are durable, if anything is.
    pub fn newest_durable(&self) -> Option<(Segment, u64)> {
        let files = self.list().ok()?;
        let durable = files.into_iter().rev().map(|file| (file, self.durable_of(file).unwrap_or(0)));
        durable.into_iter().find(|(_, bytes)| *bytes > 0)
    }

    /// Whether there is a bound on what finds room.
    pub const fn is_limited(&self) -> bool {
        self.capacity.is_some()
    }

    fn free(&mut self) -> bool {
        self.capacity.take().is_some()
    }
}
