//! A node in any legal state is given any messages, with ticks, Readys and storage in between.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: sim::harness::step::Input| sim::harness::step::run(&input));
