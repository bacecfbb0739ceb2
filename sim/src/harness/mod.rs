//! One component at a time under arbitrary input: what the targets in `fuzz/` call, and ordinary tests too.
//!
//! Each function takes whatever a fuzzer offers, and panics if something that must always hold does not.

mod codec;
mod disk;
pub mod node;
mod scenario;
mod seed;
pub mod seeds;
pub mod step;
mod trace;

pub use codec::codec;
pub use disk::disk;
pub use scenario::scenario;
pub use trace::trace;
