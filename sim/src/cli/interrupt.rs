//! ^C, or a request to terminate: the first one lets what is under way come to its end, the second one ends the program
//! at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a program that ^C ended, as shells have it.
pub(super) const INTERRUPTED: u8 = 130;

/// Whether somebody asked for an end.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. If that is not possible, ^C ends the program at once, as usual.
    pub(super) fn listen() -> Self {
        let interrupt = Self::default();
        let asked = interrupt.0.clone();
        drop(ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED.into());
            }
        }));
        interrupt
    }

    /// Whether somebody asked.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
