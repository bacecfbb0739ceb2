//! Any bytes, decoded as each thing that has a form in bytes.

use std::fmt::Debug;

use raft::{ConfState, DecodeError, Entry, EntryKind, HardState, Message, Snapshot};

/// Decodes bytes as everything that they could be. Whatever decodes is the same after it is encoded and decoded again.
///
/// # Panics
/// If it is not.
pub fn codec(bytes: &[u8]) {
    check(bytes, Message::decode, Message::encode);
    check(bytes, Snapshot::decode, Snapshot::encode);
    check(bytes, HardState::decode, HardState::encode);
    check(bytes, ConfState::decode, ConfState::encode);
    if let Some(entry) = check(bytes, Entry::decode, Entry::encode) {
        assert_eq!(entry.encode().len() as u64, entry.encoded_size(), "the length of {entry:?}");
    }
    for kind in [EntryKind::ConfChange, EntryKind::ConfChangeV2] {
        check_change(kind, bytes);
    }
}

fn check<T: PartialEq + Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    encode: impl Fn(&T) -> Vec<u8>,
) -> Option<T> {
    let value = decode(bytes).ok()?;
    assert_eq!(decode(&encode(&value)).as_ref(), Ok(&value), "read back");
    Some(value)
}

fn check_change(kind: EntryKind, bytes: &[u8]) {
    let entry = Entry { kind, data: bytes.to_vec().into(), ..Entry::default() };
    let Ok(Some(change)) = entry.conf_change() else { return };
    let (kind, data) = change.encode();
    let again = Entry { kind, data, ..Entry::default() };
    assert_eq!(again.conf_change(), Ok(Some(change)), "read back");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_decode_to_what_encodes_again_or_to_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            codec(&bytes);
        }
    }

    #[test]
    #[should_panic(expected = "read back")]
    fn a_codec_that_loses_something_is_noticed() {
        let lossy = |state: &HardState| HardState { vote: None, ..*state }.encode();
        let voted = HardState { vote: raft::NodeId::new(1), ..HardState::default() };
        check(&voted.encode(), HardState::decode, lossy);
    }
}
