//! Any bytes as the files of a node's log: recovery reads a valid log or gives a typed error.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::harness::disk(bytes));
