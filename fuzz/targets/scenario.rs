//! Any text as a scenario and as a transcript: read, or an error that names a line of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sim::harness::scenario(bytes));
