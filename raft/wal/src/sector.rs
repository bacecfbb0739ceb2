//! Sectors: how the stream of records lies on the disk, and what the stamps around each sector's bytes prove.

use std::borrow::Cow;

use bytes::Bytes;

use crate::files::Segment;

/// The bytes that a drive writes as one: each arrives whole, with only its front, or not at all.
pub const SECTOR: usize = 512;
/// The byte that ends each sector, each header and each record. Far from zero, so that no flipped bit makes it look
/// as if it had not arrived.
pub(crate) const END: u8 = 0xA5;

const FRONT: usize = 2;
/// The bytes of the stream in one sector.
const ROOM: usize = SECTOR - FRONT - 1;

/// How long a file is that holds this many bytes of the stream.
pub(crate) const fn file_length(stream: u64) -> u64 {
    let (full, rest) = (stream / ROOM as u64, stream % ROOM as u64);
    full * SECTOR as u64 + if rest == 0 { 0 } else { FRONT as u64 + rest }
}

/// Puts `bytes`, which belong at `offset` in the segment's stream, into the form that is appended to the file.
pub(crate) fn frame(segment: Segment, offset: u64, mut bytes: &[u8], framed: &mut Vec<u8>) {
    let mut sector = offset / ROOM as u64;
    let mut filled = (offset % ROOM as u64) as usize;
    while !bytes.is_empty() {
        if filled == 0 {
            framed.extend_from_slice(&place(segment, sector));
        }
        let (now, later) = bytes.split_at(bytes.len().min(ROOM - filled));
        framed.extend_from_slice(now);
        filled += now.len();
        bytes = later;
        if filled == ROOM {
            framed.push(END);
            (sector, filled) = (sector + 1, 0);
        }
    }
}

/// The stamp in front of a sector: differs from that of every other sector of a segment of up to 33 MB.
fn place(segment: Segment, sector: u64) -> [u8; FRONT] {
    let number = sector.wrapping_add(segment.0.wrapping_mul(40_503));
    [1 + (number % 255) as u8, 1 + (number / 255 % 255) as u8]
}

/// What the stamps say of a range of the stream, from best to worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Arrival {
    /// All stamps are right: if the checksum is not, the range was damaged after it had arrived.
    Whole,
    /// An end is missing, as a crash leaves it.
    Torn,
    /// A stamp is neither right nor missing, which no crash explains.
    Damaged,
}

/// A segment as it was read: its stream, and the stamps found around it.
pub(crate) struct Sectors<'a> {
    segment: Segment,
    file: Cow<'a, [u8]>,
    stream: Bytes,
}

impl<'a> Sectors<'a> {
    pub(crate) fn new(segment: Segment, file: Cow<'a, [u8]>) -> Self {
        let mut stream = Vec::with_capacity(file.len());
        for sector in file.chunks(SECTOR) {
            stream.extend_from_slice(&sector[FRONT.min(sector.len())..sector.len().min(FRONT + ROOM)]);
        }
        Self { segment, file, stream: stream.into() }
    }

    pub(crate) fn segment(&self) -> Segment {
        self.segment
    }

    pub(crate) fn stream(&self) -> &Bytes {
        &self.stream
    }

    /// The length of the file, stamps included.
    pub(crate) fn file_length(&self) -> u64 {
        self.file.len() as u64
    }

    /// What the stamps say of the bytes of the stream from `start` to `end`, the last of which is an [`END`]. They lie
    /// within the stream and are at least one.
    pub(crate) fn arrival(&self, start: usize, end: usize) -> Arrival {
        let behind = (end - 1) / ROOM + 1;
        let parts = (start / ROOM..behind).map(|sector| self.sector_arrival(sector, end));
        parts.max().unwrap_or(Arrival::Whole)
    }

    /// The same of the part of the range that lies in one sector.
    fn sector_arrival(&self, sector: usize, end: usize) -> Arrival {
        let front = &self.file[sector * SECTOR..][..FRONT];
        let stamp = place(self.segment, sector as u64);
        let last = if end >= (sector + 1) * ROOM {
            self.file.get((sector + 1) * SECTOR - 1).copied().unwrap_or(0)
        } else {
            self.stream[end - 1]
        };
        let front_is_possible = front.iter().zip(stamp).all(|(&found, right)| found == right || found == 0);
        match last {
            END if front == stamp => Arrival::Whole,
            0 if front_is_possible => Arrival::Torn,
            _ => Arrival::Damaged,
        }
    }
}
