//! ^C, or a request to end: the first one lets come to an end what is under way, the second one ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell calls the exit of a program that ^C ended.
const INTERRUPTED: i32 = 130;

/// Whether somebody asked for an end.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. Where that is not possible, ^C ends the program at once, as everywhere.
    pub(super) fn listen() -> Self {
        let interrupt = Self::default();
        let asked = interrupt.0.clone();
        drop(ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED);
            }
        }));
        interrupt
    }

    /// Whether somebody asked.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
