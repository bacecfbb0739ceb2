//! The report as a page: one file, which needs no network and no program.

use std::fmt::Write;
use std::path::PathBuf;

use crate::campaign::share::Group;

use super::super::page::{escaped, page, row, table};
use super::report::{Report, kinds, listed};

impl Report<'_> {
    pub(super) fn as_page(&self) -> String {
        let (explored, work) = (&self.total.explored, self.total.work);
        let title = format!("Seeds {}..{}", work.from, work.to);
        let verdict = match self.has_failures() {
            true => "<p class=\"broken\">Something was broken.</p>",
            false => "<p>Nothing that was checked was broken.</p>",
        };
        let mut totals = vec![
            ("work", work.to_string()),
            ("shares", format!("{} of {}", self.total.shares.len(), work.shares)),
            ("seeds", explored.seeds.to_string()),
            ("events", explored.statistics.total().to_string()),
            ("failures", explored.failures().to_string()),
            ("digest", format!("{:016x}", explored.digest)),
        ];
        if let Some(one_in) = self.rarer_than() {
            totals.push(("not found", format!("with 95 % confidence rarer than one seed in {one_in}")));
        }
        let totals: String = totals.iter().map(|(name, value)| row(&[name, value], 0)).collect();
        let body = format!(
            "{verdict}\n{}{}{}{}",
            table(&[], &totals),
            self.failures_on_page(),
            self.shares_on_page(),
            self.situations_on_page(),
        );
        page(&title, &body)
    }

    fn failures_on_page(&self) -> String {
        let mut page = String::new();
        for (property, broken) in &self.total.explored.broken {
            write!(page, "<h2>Broken: {property}, by {} seeds</h2>\n<p>{}", broken.seeds, escaped(property.meaning()))
                .expect("text grows");
            writeln!(page, " Source: {}.</p>", escaped(property.source())).expect("text grows");
            let groups = self.groups.iter().filter(|group| group.property == *property);
            groups.for_each(|group| page.push_str(&self.group_on_page(group)));
        }
        page
    }

    fn group_on_page(&self, group: &Group<Option<PathBuf>>) -> String {
        let failures = group.found.len();
        let head = match &group.shape {
            Some(shape) => format!("{failures} that shrink to <code>{}</code>", kinds(shape)),
            None => format!("{failures} in the same words, not shrunk"),
        };
        let rows = group.found.iter().map(|one| {
            let shrunk = one.shrunk_to.map_or(String::new(), |events| events.to_string());
            let trace = one.trace.as_ref().map_or("none".to_owned(), |trace| trace.display().to_string());
            row(&[&one.failure.seed, &one.failure.events, &shrunk, &trace, &one.failure], 3)
        });
        let rows: String = rows.collect();
        let next = escaped(self.next(group).join("\n"));
        let table = table(&["seed", "events", "shrunk", "trace", "what broke"], &rows);
        format!("<h3>{head}</h3>\n{table}<p>Next:</p>\n<pre>{next}</pre>\n")
    }

    fn shares_on_page(&self) -> String {
        let rows = self.total.shares.iter().map(|summary| {
            let (done, count) = (summary.done.count(), summary.count());
            let (failures, folder) = (summary.explored.failures(), self.shares.folder(summary).display());
            row(&[&summary.share, &done, &count, &failures, &folder], 4)
        });
        let shares = table(&["share", "done", "seeds", "failures", "folder"], &rows.collect::<String>());
        let missing = match self.total.missing().next() {
            Some(_) => format!("<p class=\"broken\">Missing: {}.</p>\n", listed(self.total.missing())),
            None => String::new(),
        };
        let rows = self.left_out.iter().map(|(summary, differs)| {
            let (folder, differs) = (self.shares.folder(summary).display(), differs.join(", and "));
            row(&[&summary.share, &summary.explored.failures(), &folder, &differs], 2)
        });
        let left_out = match &self.left_out[..] {
            [] => String::new(),
            [..] => {
                let names = ["share", "failures", "folder", "differs"];
                format!("<h3>Not added up</h3>\n{}", table(&names, &rows.collect::<String>()))
            }
        };
        format!("<h2>Shares</h2>\n{missing}{shares}{left_out}")
    }

    fn situations_on_page(&self) -> String {
        let explored = &self.total.explored;
        let counts = explored.statistics.situations.iter().zip(explored.reached.iter());
        let mut counts: Vec<_> = counts.map(|((situation, times), (_, seeds))| (times, seeds, situation)).collect();
        // Those that never happened come first.
        counts.sort();
        let rows: String = counts.iter().map(|(times, seeds, situation)| row(&[times, seeds, situation], 2)).collect();
        format!("<h2>Situations</h2>\n{}", table(&["times", "seeds", "situation"], &rows))
    }
}
