//! The durable log of a raft node: what must survive a crash, as bytes in files, in a form that proves what did.
//!
//! [`Wal`] writes the log through the few operations of [`Files`], and [`recover`] reads it back. [`RealFiles`] are files in a
//! directory. The simulator of this project runs the same code on a modelled disk, which tears writes, loses and fails fsyncs,
//! flips bits and crashes between any two writes, and checks that recovery gives back what was promised.
//!
//! ```
//! use std::error::Error;
//! use std::path::Path;
//!
//! use raft::{ConfState, Config, MemStorage, NodeId, RawNode};
//! use raft_wal::{Checkpoint, RealFiles, RecoveryError, Wal, plan};
//!
//! /// The log in a directory, and the same in memory, for the node to read.
//! fn open(directory: &Path, members: &ConfState) -> Result<(RealFiles, Wal, MemStorage), Box<dyn Error>> {
//!     let mut files = RealFiles::open(directory)?;
//!     let (wal, storage) = match Wal::open(&mut files) {
//!         Ok((wal, recovered)) => (wal, recovered.into_storage()?),
//!         Err(RecoveryError::Missing) => {
//!             // A new node: its first snapshot says who the members are.
//!             let storage = MemStorage::with_conf_state(members.clone());
//!             let snapshot = raft::Storage::snapshot(&storage)?;
//!             let first = Checkpoint { snapshot: Some(&snapshot), ..Checkpoint::default() };
//!             (Wal::create(&mut files, first)?, storage)
//!         }
//!         // Damage: the node stays down. To come back without what it has promised would be unsafe.
//!         Err(error) => return Err(error.into()),
//!     };
//!     Ok((files, wal, storage))
//! }
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     let id = NodeId::new(1).expect("one is not zero");
//!     let alone = ConfState { voters: [id].into(), ..ConfState::default() };
//!     let directory = tempfile::tempdir()?;
//!
//!     let (mut files, mut wal, storage) = open(directory.path(), &alone)?;
//!     let mut node = RawNode::new(Config::recommended(id), storage)?;
//!     node.campaign();
//!     while let Some(ready) = node.ready() {
//!         // First the disk, in the order that is safe; then memory. Only then may messages leave.
//!         for write in plan(ready.hard_state, &ready.entries, ready.snapshot.as_ref()) {
//!             wal.write(&mut files, write)?;
//!         }
//!         if ready.must_sync || ready.snapshot.is_some() {
//!             wal.sync(&mut files)?;
//!         }
//!         node.storage_mut().write(&ready)?;
//!         node.advance(ready)?;
//!     }
//!
//!     // After a crash or a restart, the log is what it was.
//!     drop((files, wal));
//!     let (_files, _wal, storage) = open(directory.path(), &alone)?;
//!     assert_eq!(storage.hard_state(), node.storage().hard_state());
//!     assert!(storage.stored().eq(node.storage().stored()));
//!     Ok(())
//! }
//! ```
//!
//! # Three questions that recovery must answer
//! 1. *Did these bytes arrive?* Two checksums a record, bound to the segment and the offset where it was written.
//! 2. *If not, did a crash stop them (cut the tail, go on) or were they damaged later (stay down)?* Taking damage for a
//!    torn tail would silently take back a vote or an acknowledged entry, and with it the safety of the cluster. Stamps
//!    in every sector tell the two apart, and a watermark in every record.
//! 3. *Do they fit together?* A record that verifies and contradicts those before it is corruption too.
//!
//! # The format
//! A log is one segment file, two or more only while the log is being compacted. A segment is a sequence of sectors of
//! 512 bytes, the unit that a drive writes whole or in part. A sector carries 509 bytes of the *stream*, between stamps:
//!
//! ```text
//! sector   0        2                                                    511    512
//!          ┌────────┬────────────────────────────────────────────────────┬──────┐
//!          │ place  │ 509 bytes of the stream                            │ 0xA5 │
//!          └────────┴────────────────────────────────────────────────────┴──────┘
//!          place = two bytes, never zero, from the numbers of the sector and of the segment:
//!                  n = sector + 40503 × segment;  1 + n mod 255,  1 + (n div 255) mod 255
//! ```
//!
//! The last sector of a file ends where the stream ends. The stream is a sequence of records, wherever they fall:
//!
//! ```text
//! record   0             4             8             12                  20     21     22            22+length
//!          ┌─────────────┬─────────────┬─────────────┬───────────────────┬──────┬──────┬─────────────┬──────┐
//!          │ header crc  │ payload crc │ length      │ synced            │ kind │ 0xA5 │ payload     │ 0xA5 │
//!          └─────────────┴─────────────┴─────────────┴───────────────────┴──────┴──────┴─────────────┴──────┘
//!          header crc    u32  CRC-32 of: segment u64, offset of the record in the stream u64, bytes 4 to 22
//!          payload crc   u32  CRC-32 of the payload
//!          length        u32  of the payload
//!          synced        u64  how much of this segment's stream its writer knew to be durable
//! ```
//!
//! Numbers above are little-endian; those in payloads are LEB128 variable-length integers of 64 bits:
//!
//! ```text
//! kind           payload                                              meaning
//! 1 segment      version (1)                                          the first record of each segment, and only there
//! 2 snapshot     base term, base index, term, index,                  replaces the snapshot and the whole log: what is
//!                4 × (count, ids…): voters, outgoing, learners,       left is this snapshot and a log that begins,
//!                learners next; auto leave (0, 1); data to the end    empty, after the base
//! 3 entry        term, index, kind (0 to 3), data to the end          appends, after discarding what is at and after
//!                                                                     the index
//! 4 hard state   term, vote (0: none), commit                         replaces the hard state, as one
//! ```
//!
//! A snapshot is one record: the applied index and the state that it describes arrive together or not at all. So are
//! term, vote and commit.
//!
//! # Order of writes
//! The writes of one Ready ([`plan`]) are snapshot, entries, hard state: a commit index never arrives before the entries
//! that it speaks of, or else a crash between the two would make conflicting entries look committed. Recovery raises
//! the term to that of the last entry, which may be ahead of the hard state for the same reason.
//!
//! # Compaction
//! A new segment begins with a checkpoint ([`Checkpoint`]): segment record, snapshot, the remaining entries and, last,
//! the hard state. The first hard state closes the checkpoint: without it the segment does not count, and recovery takes
//! the one before. Older segments are removed once the checkpoint is durable, never earlier ([`Wal::remove_older`]).
//! Therefore a segment after the first which does not count and has no older one beside it is corruption.
//!
//! # Version
//! The first record of each segment names the format's version, which is 1. The promise:
//!
//! - What is written in version 1 stays readable: every later version of this crate reads it, on every machine.
//! - Any change to the bytes gets another number. Code that does not know the number of a log refuses it with
//!   [`RecoveryError::Version`] and leaves it as it is; so to go back to an older version of this crate does no harm.
//! - The test `format` holds a log of version 1, byte for byte.
//!
//! # Torn or damaged
//! What a crash leaves of unsynced bytes are whole sectors, sectors of which only the front arrived, and zeros (or the
//! end of the file) in the place of everything else. So a record that a crash cut short lacks the *end* of its part of
//! at least one sector: that byte is the 0xA5 of the sector, of the header or of the record, and reads as zero, or the
//! file ends before it. A record that does not verify is judged so:
//!
//! - all of those ends are there: it arrived whole and was damaged afterwards: corruption. So is any stamp that is neither
//!   right nor zero, as a misplaced sector has. No flipped bit makes 0xA5 zero.
//! - an end is missing, but some record further on verifies and says that this place was durable: corruption.
//! - an end is missing and nobody vouches for the place: a torn tail. It is cut, with all that follows.
//!
//! # Limits
//! - One kind of damage looks exactly as a crash does: the drive loses sectors of the last sync after it had confirmed
//!   them, so that they read as zeros or the file is shorter, and nothing that was written later survives to vouch for
//!   them. Only a second copy that is synced apart would show it, at the price of a second fsync for each.
//! - A file system that shows stale bytes in place of sectors that never arrived makes a torn tail look damaged. The
//!   node stays down although it could go on: the safe side to err on.
//! - A checksum of 32 bits finds every flipped bit, and misses one in four thousand million of larger damages.

mod files;
#[cfg(feature = "forge")]
mod forge;
mod log;
mod payload;
mod real;
mod record;
mod recovery;
mod sector;

pub use files::{DiskError, Files, Segment};
#[cfg(feature = "forge")]
pub use forge::forge;
pub use log::{Checkpoint, Mark, Wal, Write, plan};
pub use real::RealFiles;
pub use recovery::{Recovered, RecoveryError, recover};
pub use sector::SECTOR;
