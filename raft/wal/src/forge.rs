//! Logs that no node wrote but whose checksums are right: what lies behind the checksums has to be tried as well.

use crate::Segment;
use crate::record::{self, Kind, Place};
use crate::sector;

/// The file of a segment with these records. Each has its kind (a byte, as in the file), how much of the stream it
/// calls durable, and its payload. Stops at the first kind that does not exist.
///
/// # Panics
/// A payload has more than 4 GiB.
pub fn forge<'a>(segment: Segment, records: impl IntoIterator<Item = (u8, u64, &'a [u8])>) -> Vec<u8> {
    let (mut file, mut end, mut bytes) = (Vec::new(), 0, Vec::new());
    for (kind, synced, payload) in records {
        let Some(kind) = Kind::from_byte(kind) else { break };
        let place = Place { segment, offset: end, synced };
        let written = record::write(&mut bytes, place, kind, |out| out.extend_from_slice(payload));
        written.expect("a payload of at most 4 GiB");
        sector::frame(segment, end, &bytes, &mut file);
        end += bytes.len() as u64;
    }
    file
}
