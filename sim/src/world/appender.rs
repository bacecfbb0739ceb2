//! The application of etcd's interaction tests: all data, one after another.

use bytes::Bytes;

use super::digest::Digest;
use crate::application::{Application, Request};

/// All data that was applied, one after another. It answers nothing.
#[derive(Clone, Hash, Debug, Default, PartialEq, Eq)]
pub struct Appender(Vec<u8>);

impl Appender {
    pub(super) fn append(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }

    /// From which byte on it differs from another, if it does.
    pub(super) fn difference(&self, other: &Self) -> Option<usize> {
        (self != other).then(|| self.0.iter().zip(&other.0).take_while(|(one, other)| one == other).count())
    }
}

impl Application for Appender {
    fn apply(&mut self, request: &Request<'_>) -> Bytes {
        self.append(request.data);
        Bytes::new()
    }

    fn snapshot(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }

    fn restore(&mut self, snapshot: &[u8]) {
        self.0 = snapshot.to_vec();
    }

    fn hash(&self) -> u64 {
        let mut digest = Digest::new();
        digest.value(&self.0);
        digest.get()
    }
}
