//! A node in any legal state is given any messages, with ticks, Readys and storage in between.
#![no_main]

use sim::harness::step::{Input, run};

libfuzzer_sys::fuzz_target!(|input: Input| run(&input));
