//! Any bytes, read as the files of a node's log.

use raft::{Entry, EntryId};

use crate::disk::Disk;
use crate::wal::{Files, Recovered, RecoveryError, Segment, Wal, forge, recover};

/// Recovers from bytes that are given as a log's files: what is read is a valid log, which opens and reads the same
/// again; everything else is a typed error.
///
/// The first byte says how the rest is meant. Bit 0: as records, not as a file as it is. Each record is a byte for the
/// kind, one for the sectors' bytes called durable, one for the length, and the payload; it gets the checksum without
/// which nobody would look at it. Bit 1: as two files, not as one. Bit 2: the first of them is the second segment.
///
/// # Panics
/// If the log that was read contradicts itself, or reads differently the next time.
pub fn disk(bytes: &[u8]) {
    let Some((&form, rest)) = bytes.split_first() else { return };
    let mut disk = disk_of(form, rest);
    match recover(&disk) {
        Ok(recovered) => {
            check_valid(&recovered);
            check_reads_again(&mut disk, &recovered);
        }
        Err(RecoveryError::Corruption { segment, offset }) => {
            let length = disk.read(segment).expect("it names a file that is there").len() as u64;
            assert!(offset <= length, "corruption at {offset} of a file of {length} bytes");
        }
        Err(RecoveryError::Disk(error)) => panic!("nobody told the disk to fail: {error}"),
        Err(_) => {}
    }
}

fn disk_of(form: u8, bytes: &[u8]) -> Disk {
    let (first, second) = bytes.split_at(if form & 2 == 0 { bytes.len() } else { bytes.len() / 2 });
    let segment = if form & 4 == 0 { Segment::FIRST } else { Segment::FIRST.next() };
    let mut disk = Disk::default();
    put_file(&mut disk, form, segment, first);
    if form & 2 != 0 {
        put_file(&mut disk, form, segment.next(), second);
    }
    disk
}

fn put_file(disk: &mut Disk, form: u8, segment: Segment, bytes: &[u8]) {
    let forged = (form & 1 != 0).then(|| forge(segment, Records(bytes)));
    disk.create(segment).expect("each segment is created once");
    disk.append(segment, forged.as_deref().unwrap_or(bytes)).expect("the disk works");
    disk.sync(segment).expect("the disk works");
}

/// The records in these bytes, until the bytes end.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u8, u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [kind, synced, length, rest @ ..] = self.0 else { return None };
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        self.0 = rest;
        Some((*kind, u64::from(*synced), payload))
    }
}

fn check_valid(recovered: &Recovered) {
    let mut before = recovered.base;
    for entry in &recovered.entries {
        assert_eq!(entry.index, before.index.next(), "the entry after {before}");
        before = entry.id();
    }
    let snapshot = recovered.snapshot.as_ref().map_or(EntryId::ZERO, |snapshot| snapshot.id);
    let hard_state = recovered.hard_state;
    assert!(
        recovered.base.index <= snapshot.index,
        "the log begins after {}, the snapshot ends at {snapshot}",
        recovered.base
    );
    assert!(snapshot.index <= hard_state.commit, "snapshot {snapshot}, commit {}", hard_state.commit);
    assert!(hard_state.commit <= recovered.last().index, "commit {}, last {}", hard_state.commit, recovered.last());
    // The term is not compared with the snapshot's: a node that starts from a snapshot of term 1 is in term 0.
}

fn check_reads_again(disk: &mut Disk, recovered: &Recovered) {
    let (_, opened) = Wal::open(disk).expect("it was readable");
    assert_eq!(&opened, recovered, "opened for writing");
    let again = recover(disk).expect("it was opened for writing");
    let essence = |recovered: &Recovered| -> (_, _, _, Vec<Entry>) {
        (recovered.hard_state, recovered.snapshot.clone(), recovered.base, recovered.entries.clone())
    };
    assert_eq!(essence(&again), essence(recovered), "read again after opening");
    assert_eq!(again.cut, 0, "the torn tail was cut before");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_a_valid_log_or_a_typed_error(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            disk(&bytes);
        }

        #[test]
        fn arbitrary_records_are_a_valid_log_or_a_typed_error(
            records in prop::collection::vec((1..=4u8, any::<u8>(), prop::collection::vec(0..9u8, 0..12)), 0..12),
        ) {
            let record = |(kind, synced, payload): &(u8, u8, Vec<u8>)| {
                [&[*kind, *synced, payload.len() as u8][..], payload].concat()
            };
            let segment = [1, 0, 1, 1].to_vec();
            let bytes: Vec<u8> = std::iter::once(vec![1]).chain([segment]).chain(records.iter().map(record)).flatten().collect();
            disk(&bytes);
        }
    }

    #[test]
    fn forged_records_are_read_as_those_of_a_node() {
        let disk = disk_of(1, &[1, 0, 1, 1, 3, 0, 4, 1, 1, 0, b'x', 4, 0, 3, 2, 1, 1]);
        let recovered = recover(&disk).expect("a segment, an entry and a hard state");
        assert_eq!((recovered.entries.len(), recovered.hard_state.commit), (1, raft::Index(1)));
    }

    #[test]
    fn a_node_in_term_zero_may_have_started_from_a_snapshot_of_term_one() {
        let [segment, hard_state] = [[1, 0, 1, 1].as_slice(), &[4, 0, 3, 0, 0, 0]];
        let snapshot = [2, 0, 12, 1, 1, 1, 1, 3, 1, 2, 3, 0, 0, 0, 0];
        let bytes = [&[1], segment, &snapshot, hard_state].concat();
        let recovered = recover(&disk_of(1, &bytes[1..])).expect("a node's first segment");
        assert_eq!((recovered.hard_state.term, recovered.last().term), (raft::Term(0), raft::Term(1)));
        disk(&bytes);
    }

    #[test]
    #[should_panic(expected = "commit 9")]
    fn a_log_that_contradicts_itself_is_noticed() {
        let mut recovered = recover(&disk_of(1, &[1, 0, 1, 1, 4, 0, 3, 0, 0, 0])).expect("an empty log");
        recovered.hard_state.commit = raft::Index(9);
        check_valid(&recovered);
    }
}
