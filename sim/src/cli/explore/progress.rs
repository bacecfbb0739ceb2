//! How far an exploration is: a bar on a terminal, a line each minute elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::output::tell;
use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    began: Instant,
    /// When progress was last told.
    told: Instant,
    seeds: u64,
    failures: u64,
    /// How many seeds there are, unless there is no end to them.
    of: Option<u64>,
}

impl Progress {
    const EACH: Duration = Duration::from_secs(60);

    pub(super) fn new(of: Option<u64>) -> Self {
        let now = Instant::now();
        let bar = std::io::stderr().is_terminal().then(|| bar(of));
        Self { bar, began: now, told: now, seeds: 0, failures: 0, of }
    }

    /// Counts one more seed that came to its end. `failures` is how many have failed so far.
    pub(super) fn count(&mut self, failures: u64) {
        self.seeds += 1;
        self.failures = failures;
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(format!("{failures} failures"));
        }
    }

    pub(super) fn tick(&mut self) {
        match &self.bar {
            Some(bar) => bar.tick(),
            None if self.told.elapsed() >= Self::EACH => {
                self.told = Instant::now();
                tell(self.line(self.began.elapsed()));
            }
            None => {}
        }
    }

    /// Lets something else be printed without disturbing the bar.
    pub(super) fn aside<R>(&self, print: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, took: Duration) -> String {
        let Self { seeds, failures, .. } = self;
        let of = self.of.map(|of| format!(" of {of}")).unwrap_or_default();
        let rate = *seeds as f64 / took.as_secs_f64().max(0.001);
        format!("{seeds}{of} seeds, {failures} failures, {rate:.0} seeds a second, after {} min", took.as_secs() / 60)
    }
}

fn bar(of: Option<u64>) -> ProgressBar {
    let template = match of {
        Some(_) => "{wide_bar} {pos}/{len} seeds, {per_sec}, {msg}, {eta} left",
        None => "{spinner} {pos} seeds, {per_sec}, {msg}, {elapsed}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = of.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style);
    bar.set_message("0 failures");
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let now = Instant::now();
        let at = |of| Progress { bar: None, began: now, told: now, seeds: 600, failures: 2, of };
        let minute = Duration::from_secs(60);
        assert_eq!(at(Some(1000)).line(minute), "600 of 1000 seeds, 2 failures, 10 seeds a second, after 1 min");
        assert_eq!(at(None).line(minute * 2), "600 seeds, 2 failures, 5 seeds a second, after 2 min");
    }
}
