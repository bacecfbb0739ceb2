//! How far the runs are: a bar on a terminal, nothing elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::campaign::availability::Watch;
use crate::cli::interrupt::Interrupt;

pub(super) struct Bar {
    bar: ProgressBar,
    interrupt: Interrupt,
}

impl Bar {
    /// For so many runs.
    pub(super) fn new(runs: u64) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(runs) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} runs, {elapsed}, {eta} to go");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, interrupt: Interrupt::listen() }
    }

    /// Lets something be printed without disturbing the bar.
    pub(super) fn aside<R>(&self, print: impl FnOnce() -> R) -> R {
        self.bar.suspend(print)
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar {
    fn ran(&self) {
        self.bar.inc(1);
    }

    fn enough(&self) -> bool {
        self.interrupt.is_asked()
    }
}
