//! The bytes choose the events of a small cluster, with every check on.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(violation) = sim::driver::bytes::run(bytes).violation {
        panic!("{violation}");
    }
});
