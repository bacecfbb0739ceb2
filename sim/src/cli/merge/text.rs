//! The report as text, in the words of an exploration's own summary.

use crate::campaign::share::Group;
use crate::trace::Property;
use std::fmt::Write;
use std::path::PathBuf;

use super::super::summary::{self, Text};
use super::super::{failure, situations};
use super::report::{Report, kinds, listed};

impl Report<'_> {
    /// The whole; with a line for each situation, or only those that never happened.
    pub(super) fn as_text(&self, situations: bool) -> String {
        let explored = &self.total.explored;
        let all = if situations { situations::all_as_text(explored) } else { String::new() };
        let statistics = summary::of_statistics(&explored.statistics);
        let never = situations::never_as_text(explored);
        all + &statistics + &never + &self.of_shares() + &self.of_seeds() + &self.of_broken()
    }

    fn of_shares(&self) -> String {
        let (work, shares) = (self.total.work, &self.total.shares);
        let mut out = Text::default();
        out.line("work", work);
        let missing = match self.total.missing().count() {
            0 => String::new(),
            _ => format!("; missing {}", listed(self.total.missing())),
        };
        out.line("shares", format_args!("{} of {}{missing}", shares.len(), work.shares));
        for summary in self.total.unfinished() {
            let (folder, done, count) = (self.shares.folder(summary).display(), summary.done.count(), summary.count());
            out.line("unfinished", format_args!("share {}: {done} of {count} seeds ({folder})", summary.share));
        }
        for (summary, differs) in &self.left_out {
            let (folder, failures) = (self.shares.folder(summary).display(), summary.explored.failures());
            let (share, differs) = (summary.share, differs.join(", and "));
            out.line("left out", format_args!("share {share}: {differs}; {failures} failures ({folder})"));
        }
        out.into_string()
    }

    fn of_seeds(&self) -> String {
        let explored = &self.total.explored;
        let mut text = String::new();
        let (events, executed, seeds) = (explored.statistics.total(), explored.executed, explored.seeds);
        writeln!(text, "{events} events; a command took effect in {executed} of {seeds} seeds").expect("text grows");
        if let Some(one_in) = self.rarer_than() {
            let line = match explored.failures() {
                0 => format!("no failure: with 95 % confidence fewer than one seed in {one_in} fails"),
                _ => {
                    format!("a failure that was not found: with 95 % confidence fewer than one seed in {one_in} has it")
                }
            };
            writeln!(text, "{line}").expect("text grows");
        }
        let (failures, digest) = (explored.failures(), explored.digest);
        writeln!(text, "{seeds} seeds, {failures} failures; digest {digest:016x}").expect("text grows");
        text
    }

    fn of_broken(&self) -> String {
        let of = |(property, broken): (&Property, &crate::campaign::explore::Broken)| {
            let mut out = Text::default();
            out.line("BROKEN", format_args!("{property}, by {} seeds", broken.seeds));
            let groups = self.groups.iter().filter(|group| group.property == *property);
            let groups: String = groups.map(|group| self.of_group(group)).collect();
            format!("\n{}{}{groups}", out.into_string(), failure::of_property(*property))
        };
        self.total.explored.broken.iter().map(of).collect()
    }

    fn of_group(&self, group: &Group<Option<PathBuf>>) -> String {
        let mut out = Text::default();
        let failures = group.found.len();
        let what = match &group.shape {
            Some(shape) => format!("{failures} that shrink to {}", kinds(shape)),
            None => format!("{failures} in the same words, not shrunk"),
        };
        out.line("group", what);
        for (number, one) in group.found.iter().take(Self::SHOWN).enumerate() {
            let trace = one.trace.as_ref().map_or("no trace".to_owned(), |trace| trace.display().to_string());
            let shrunk = one.shrunk_to.map(|events| format!(", shrunk {events}")).unwrap_or_default();
            let name = if number == 0 { "shortest" } else { "" };
            out.line(name, format_args!("seed {}, {} events{shrunk}: {trace}", one.failure.seed, one.failure.events));
        }
        format!("\n{}{}", out.into_string(), failure::next(&self.next(group)))
    }

    /// The most failures of a group that are listed.
    const SHOWN: usize = 3;
}
