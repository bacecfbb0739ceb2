//! The same as `step`, through the run loop of the concurrent node.
#![no_main]

use sim::harness::node::{Input, run};

libfuzzer_sys::fuzz_target!(|input: Input| run(&input));
