//! What the tests in this folder share.

/// The page of the guide whose snippet needs the simulator, for the documentation tests of this package.
#[cfg(doctest)]
#[doc = include_str!("../raft/src/guide/testing.md")]
mod guide_testing {}
