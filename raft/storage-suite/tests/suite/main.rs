//! The suite under test: storages that keep the contract pass, and each mistake in one is found and named.

mod journal;
mod memory;
mod mistakes;
mod wal;
