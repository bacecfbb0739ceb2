//! Any bytes as a trace: read whole, or an error that names a line of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::harness::trace(bytes));
