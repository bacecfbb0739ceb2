//! Any bytes as each thing that has a byte form: what decodes is the same after another round, and nothing panics.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::harness::codec(bytes));
