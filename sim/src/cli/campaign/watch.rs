//! How far a campaign is, and whether somebody or the clock wants it to end.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::output::{say, tell};
use indicatif::{ProgressBar, ProgressStyle};

use super::super::interrupt::Interrupt;

/// A line on a terminal, nothing elsewhere: what is under way.
pub(super) struct Watch {
    bar: ProgressBar,
    until: Option<Instant>,
    interrupt: Interrupt,
    /// Whether it was said that somebody asked for an end.
    is_told: AtomicBool,
}

impl Watch {
    pub(super) fn new(length: Option<Duration>) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(200));
        let until = length.and_then(|length| Instant::now().checked_add(length));
        Self { bar, until, interrupt: Interrupt::listen(), is_told: AtomicBool::new(false) }
    }

    /// Whether no further unit is to begin.
    pub(super) fn is_over(&self) -> bool {
        self.interrupt.is_asked() || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Says what is under way.
    pub(super) fn now(&self, what: String) {
        self.bar.set_message(what);
        self.look();
    }

    /// Says once that an end was asked for.
    pub(super) fn look(&self) {
        if self.interrupt.is_asked() && !self.is_told.swap(true, Ordering::Relaxed) {
            self.tell("no further unit begins; what is at work comes to its end, or ^C again");
        }
    }

    pub(super) fn tell(&self, text: impl std::fmt::Display) {
        self.bar.suspend(|| tell(text));
    }

    pub(super) fn say(&self, text: impl std::fmt::Display) -> Result<(), String> {
        self.bar.suspend(|| say(text))
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
