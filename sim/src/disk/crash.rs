//! What survives a crash of what was pending.

use super::File;
use crate::wal::SECTOR;

/// How much of what is pending survives a crash. Bytes and blocks are counted as the [module](super) says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// All of it, as when only the process dies.
    All,
    /// None of it.
    Nothing,
    /// The first so many bytes.
    Prefix {
        /// How many.
        #[serde(with = "crate::number")]
        bytes: u64,
    },
    /// Some blocks, in any combination: drives write in the order they like.
    Subset {
        /// Block n survives where bit n mod 64 is set.
        #[serde(with = "crate::number::any")]
        blocks: u64,
        /// Files keep their length, with zeros at the end, even where nothing survives there.
        zeros: bool,
    },
    /// All blocks before one, and the front of that one.
    Torn {
        /// Which block, counting from 0.
        #[serde(with = "crate::number")]
        block: u64,
        /// How many of its pending bytes survive.
        #[serde(with = "crate::number")]
        bytes: u64,
        /// Files keep their length, with zeros at the end.
        zeros: bool,
    },
}

impl Keep {
    /// How many of the bytes of a pending block survive, where the block is the one of this number, has so many pending
    /// bytes, and so many are pending before it.
    fn survivors(self, number: u64, length: usize, before: u64) -> usize {
        let at_most = |bytes: u64| usize::try_from(bytes).map_or(length, |bytes| bytes.min(length));
        match self {
            Self::All => length,
            Self::Nothing => 0,
            Self::Prefix { bytes } => at_most(bytes.saturating_sub(before)),
            Self::Subset { blocks, .. } => length * usize::from(blocks >> (number % 64) & 1 == 1),
            Self::Torn { block, bytes, .. } => match number.cmp(&block) {
                std::cmp::Ordering::Less => length,
                std::cmp::Ordering::Equal => at_most(bytes),
                std::cmp::Ordering::Greater => 0,
            },
        }
    }

    const fn keeps_length(self) -> bool {
        match self {
            Self::Subset { zeros, .. } | Self::Torn { zeros, .. } => zeros,
            Self::All | Self::Nothing | Self::Prefix { .. } => false,
        }
    }
}

/// Leaves of each file what is durable and what `keep` says, all of it durable from now on. Returns how many bytes
/// were lost.
pub(super) fn crash<'a>(files: impl Iterator<Item = &'a mut File>, keep: Keep) -> u64 {
    let (mut number, mut before, mut lost) = (0, 0, 0);
    for file in files {
        if keep != Keep::All {
            lost += file.lose_forgotten();
        }
        let mut survives_to = file.durable;
        let mut start = file.durable;
        while start < file.bytes.len() {
            let end = file.bytes.len().min((start / SECTOR + 1) * SECTOR);
            let survivors = keep.survivors(number, end - start, before);
            if survivors > 0 {
                survives_to = start + survivors;
            }
            file.bytes[start + survivors..end].fill(0);
            lost += (end - start - survivors) as u64;
            before += (end - start) as u64;
            number += 1;
            start = end;
        }
        if !keep.keeps_length() {
            file.bytes.truncate(survives_to);
        }
        file.durable = file.bytes.len();
    }
    lost
}
