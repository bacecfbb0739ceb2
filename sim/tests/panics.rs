//! Panics of the code under test are caught and silent; those of the simulator itself are told.

use std::panic::{catch_unwind, set_hook};
use std::sync::atomic::{AtomicU32, Ordering};

static TOLD: AtomicU32 = AtomicU32::new(0);

#[test]
fn only_what_the_code_under_test_panics_with_is_silent() {
    set_hook(Box::new(|_| {
        TOLD.fetch_add(1, Ordering::SeqCst);
    }));
    let told = || TOLD.load(Ordering::SeqCst);
    let nested = sim::panics::caught(|| sim::panics::caught(|| panic!("inside")).unwrap_err());
    assert!(nested.unwrap().starts_with("inside (sim/tests/panics.rs:"));
    assert_eq!(told(), 0);
    assert!(catch_unwind(|| panic!("outside")).is_err());
    assert_eq!(told(), 1);
    assert!(sim::panics::caught(|| panic!("inside again")).is_err());
    assert_eq!(told(), 1);
}
