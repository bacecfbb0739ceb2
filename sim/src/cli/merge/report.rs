//! What is said of many shares, before it is text, JSON or a page.

use std::io::IsTerminal;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::campaign::explore::Failure;
use crate::campaign::rarer_than;
use crate::campaign::share::{Group, Shape, Summary, Total, grouped};
use crate::trace::{Ending, Trace};
use indicatif::{ProgressBar, ProgressStyle};

use super::super::again::{self, Next};
use super::super::engines;
use super::shares::Shares;

/// The report.
pub(super) struct Report<'a> {
    pub(super) shares: &'a Shares,
    pub(super) total: &'a Total<'a>,
    /// The failures whose traces were kept, or would have been, in groups.
    pub(super) groups: Vec<Group<Option<PathBuf>>>,
    /// Shares that are not added up, each with in what it differs.
    pub(super) left_out: Vec<(&'a Summary, Vec<String>)>,
}

impl<'a> Report<'a> {
    /// Shrinks what has to be shrunk, on so many threads, 0 for one on each core; nothing without.
    pub(super) fn of(shares: &'a Shares, total: &'a Total<'a>, threads: Option<usize>) -> Self {
        let kept = |summary: &&Summary| {
            let broken = summary.explored.broken.values().flat_map(|broken| broken.shortest.clone());
            broken.map(|failure| (failure.clone(), shares.trace(summary, failure.seed))).collect::<Vec<_>>()
        };
        let failures: Vec<(Failure, Option<PathBuf>)> = total.shares.iter().flat_map(kept).collect();
        let bar = bar(failures.len());
        let groups = grouped(failures, |_, trace| {
            bar.inc(1);
            shape(trace.as_ref()?, threads?)
        });
        bar.finish_and_clear();
        let others = shares.merged.others(total.work);
        let left_out = others.map(|summary| (summary, summary.work.differences(total.work))).collect();
        Self { shares, total, groups, left_out }
    }

    /// Whether anything failed, in what is left out as well.
    pub(super) fn has_failures(&self) -> bool {
        let left_out = self.left_out.iter().any(|(summary, _)| !summary.explored.broken.is_empty());
        left_out || !self.total.explored.broken.is_empty()
    }

    /// What was not found is rarer than one seed in so many.
    pub(super) fn rarer_than(&self) -> Option<u64> {
        rarer_than(self.total.explored.seeds)
    }

    /// What to type next for a group: with its shortest trace, or to make that again.
    pub(super) fn next(&self, group: &Group<Option<PathBuf>>) -> Vec<String> {
        let with_trace = group.found.iter().find_map(|one| Some((&one.failure, one.trace.as_ref()?)));
        match with_trace {
            Some((Failure { ending: Ending::Hang(_), .. }, trace)) => Next::of(trace).hung(),
            Some((Failure { differs: None, .. }, trace)) => Next::of(trace).recorded(),
            Some(_) | None => group.found.first().map(|one| self.again(one.failure.seed)).into_iter().collect(),
        }
    }

    fn again(&self, seed: u64) -> String {
        let options = &self.total.work.options;
        let options = if options.is_empty() { String::new() } else { format!(" {options}") };
        let from = if self.total.work.start.is_some() { " --from FILE" } else { "" };
        format!("{} explore --seeds {seed}..{}{options}{from}", again::program(), seed.saturating_add(1))
    }
}

fn shape(trace: &Path, threads: usize) -> Option<(usize, Shape)> {
    let trace = Trace::open(trace).ok()?;
    let world = engines::world_of(&trace.header).ok()?;
    Shape::of(&world, &trace, threads)
}

fn bar(failures: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos} traces shrunk, of at most {len}");
    ProgressBar::new(failures as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Ranges of numbers as people write them, the first few of them.
pub(super) fn listed(ranges: impl Iterator<Item = Range<u64>>) -> String {
    const MOST: usize = 12;
    let said = |range: &Range<u64>| match range.end - range.start {
        1 => range.start.to_string(),
        _ => format!("{} to {}", range.start, range.end - 1),
    };
    let ranges: Vec<Range<u64>> = ranges.take(MOST + 1).collect();
    let first = ranges.iter().take(MOST).map(said).collect::<Vec<_>>().join(", ");
    if ranges.len() > MOST { first + " and more" } else { first }
}

/// The kinds of a shape in words.
pub(super) fn kinds(shape: &Shape) -> String {
    shape.kinds.iter().map(|kind| format!("{kind:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_listed_as_people_write_them_and_no_more_than_a_few() {
        assert_eq!(listed([1..2, 4..7].into_iter()), "1, 4 to 6");
        assert_eq!(
            listed((0..99).map(|number| 2 * number..2 * number + 1)),
            "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and more"
        );
    }
}
