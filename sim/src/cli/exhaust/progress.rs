//! How far a search is: a line on a terminal, nothing elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::driver::exhaust::{Progress, Watch};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::interrupt::Interrupt;

pub(super) struct Bar {
    bar: ProgressBar,
    began: Instant,
    interrupt: Interrupt,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, began: Instant::now(), interrupt: Interrupt::listen() }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar {
    fn goes_on(&mut self, progress: Progress) -> bool {
        self.bar.set_message(line(progress, self.began.elapsed()));
        !self.interrupt.is_asked()
    }
}

fn line(progress: Progress, took: Duration) -> String {
    let Progress { states, transitions, queue, depth } = progress;
    let rate = states as f64 / took.as_secs_f64().max(0.001);
    format!("{states} states, {transitions} transitions, {queue} wait, depth {depth}, {rate:.0} states a second")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let progress = Progress { states: 5000, transitions: 12_000, queue: 700, depth: 9 };
        let expected = "5000 states, 12000 transitions, 700 wait, depth 9, 2500 states a second";
        assert_eq!(line(progress, Duration::from_secs(2)), expected);
    }
}
