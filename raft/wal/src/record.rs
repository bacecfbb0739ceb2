//! Records: the unit that arrives as a whole or not at all.

use crate::files::{DiskError, Segment};
use crate::sector::{Arrival, END, Sectors};

/// The bytes before the payload.
const HEADER: usize = 22;

/// What a record holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Segment = 1,
    Snapshot = 2,
    Entry = 3,
    HardState = 4,
}

impl Kind {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Segment),
            2 => Some(Self::Snapshot),
            3 => Some(Self::Entry),
            4 => Some(Self::HardState),
            _ => None,
        }
    }
}

/// Where a record is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub segment: Segment,
    /// In the segment's stream.
    pub offset: u64,
    /// How much of the stream is known to be durable.
    pub synced: u64,
}

/// Replaces `record` by the record of this kind, with the payload that `payload` appends.
pub(crate) fn write(
    record: &mut Vec<u8>,
    place: Place,
    kind: Kind,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DiskError> {
    record.clear();
    record.resize(HEADER, 0);
    payload(record);
    let length = (record.len() - HEADER) as u64;
    let length = u32::try_from(length).map_err(|_| DiskError::TooLarge(length))?;
    let payload_crc = crc32fast::hash(&record[HEADER..]);
    record[4..8].copy_from_slice(&payload_crc.to_le_bytes());
    record[8..12].copy_from_slice(&length.to_le_bytes());
    record[12..20].copy_from_slice(&place.synced.to_le_bytes());
    record[20] = kind as u8;
    record[21] = END;
    let header_crc = header_crc(place.segment, place.offset, &record[..HEADER]);
    record[..4].copy_from_slice(&header_crc.to_le_bytes());
    record.push(END);
    Ok(())
}

fn header_crc(segment: Segment, offset: u64, header: &[u8]) -> u32 {
    let mut covered = [0; 16 + HEADER - 4];
    covered[..8].copy_from_slice(&segment.0.to_le_bytes());
    covered[8..16].copy_from_slice(&offset.to_le_bytes());
    covered[16..].copy_from_slice(&header[4..HEADER]);
    crc32fast::hash(&covered)
}

/// A record that verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub kind: Kind,
    pub synced: u64,
    pub payload: &'a [u8],
    /// Where the next record begins in the stream.
    pub end: usize,
}

/// Why there is no record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unread {
    /// It looks as a crash leaves it.
    Torn,
    /// It arrived and was damaged afterwards.
    Damaged,
}

/// The record at `offset` of the stream.
pub(crate) fn read<'a>(sectors: &'a Sectors<'_>, offset: usize) -> Result<Record<'a>, Unread> {
    let stream = sectors.stream();
    let body = offset + HEADER;
    let header = stream.get(offset..body).ok_or(Unread::Torn)?;
    verify(sectors, offset, body, header_verifies(sectors.segment(), offset, header))?;

    let length = number(&header[8..12]) as usize;
    let end = body.saturating_add(length).saturating_add(1);
    let payload = stream.get(body..end).ok_or(Unread::Torn)?;
    let (payload, mark) = payload.split_at(length);
    let payload_verifies = mark == [END] && number(&header[4..8]) == u64::from(crc32fast::hash(payload));
    verify(sectors, body, end, payload_verifies)?;

    let kind = Kind::from_byte(header[20]).ok_or(Unread::Damaged)?;
    Ok(Record { kind, synced: number(&header[12..20]), payload, end })
}

fn verify(sectors: &Sectors<'_>, start: usize, end: usize, checksum_is_right: bool) -> Result<(), Unread> {
    match sectors.arrival(start, end) {
        Arrival::Whole if checksum_is_right => Ok(()),
        Arrival::Torn => Err(Unread::Torn),
        Arrival::Whole | Arrival::Damaged => Err(Unread::Damaged),
    }
}

fn header_verifies(segment: Segment, offset: usize, header: &[u8]) -> bool {
    header[21] == END && number(&header[..4]) == u64::from(header_crc(segment, offset as u64, header))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
