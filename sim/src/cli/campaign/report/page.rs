//! The report as a page: the history of seeds, situations, and times to the first catch, over revisions.

use std::collections::BTreeSet;

use crate::campaign::record::{History, Revision};
use crate::situation::Situation;

use super::super::super::page::{escaped, page, row, table};
use super::drawing::{bar, line};
use super::rounds;

/// Of how many revisions times stand beside each other.
const COLUMNS: usize = 12;

/// The page.
pub(super) fn of(history: &History) -> String {
    let all = &history.revisions;
    let latest = &all[all.len().saturating_sub(COLUMNS)..];
    let failures: usize = all.iter().map(|revision| revision.failures.len()).sum();
    let verdict = match failures {
        0 => "<p>Nothing that was checked was broken.</p>".to_owned(),
        _ => format!("<p class=\"broken\">Something was broken: {failures} in all.</p>"),
    };
    let left_out = match all.len() - latest.len() {
        0 => String::new(),
        count => format!(" The first {count} revisions are left out."),
    };
    let bugs: BTreeSet<&String> = latest.iter().flat_map(|revision| revision.bugs.keys()).collect();
    let mut situations: BTreeSet<String> = latest.iter().flat_map(|revision| revision.met.keys().cloned()).collect();
    situations.extend(Situation::ALL.into_iter().map(|situation| situation.to_string()));
    let body = format!(
        "{verdict}\n<h2>Revisions</h2>\n{}{}\
         <h2>How long planted bugs took</h2>\n<p>Seeds up to the first catch, and events in them. In the line each doubling is one step up.{left_out}</p>\n{}\
         <h2>How long situations took</h2>\n<p>Seeds until each was met, and events in them, the same way.{left_out}</p>\n{}",
        revisions(all),
        broken(all),
        times(latest, "bug", bugs.into_iter(), bug),
        times(latest, "situation", situations.iter(), situation),
    );
    page("Campaign", &body)
}

fn revisions(all: &[Revision]) -> String {
    let seeds = all.iter().map(|revision| revision.explored().seeds).max().unwrap_or(0);
    let events = all.iter().map(|revision| revision.total().events).max().unwrap_or(0);
    let rows = all.iter().map(|revision| {
        let (ran, total) = (revision.explored().seeds, revision.total().events);
        let (met, bugs) = (revision.met.len(), revision.bugs.len());
        let cells = [
            escaped(&revision.revision),
            rounds(revision.canaries),
            format!("{} {ran}", bar(ran, seeds)),
            format!("{} {total}", bar(total, events)),
            format!("{} {met} of {}", bar(met as u64, Situation::ALL.len() as u64), Situation::ALL.len()),
            format!("{} {} of {bugs}", bar(revision.caught() as u64, bugs as u64), revision.caught()),
            revision.failures.len().to_string(),
        ];
        drawn(&cells)
    });
    let names = ["revision", "rounds", "seeds explored", "events", "situations met", "bugs caught", "failures"];
    table(&names, &rows.collect::<String>())
}

fn broken(all: &[Revision]) -> String {
    let rows = all.iter().rev().flat_map(|revision| {
        revision.failures.iter().map(|broken| {
            let failed = &broken.failed;
            let trace = failed.trace.as_deref().unwrap_or("none");
            let cells: [&dyn std::fmt::Display; 7] = [
                &failed.events,
                &broken.round,
                &revision.revision,
                &broken.driver,
                &failed.property,
                &trace,
                &failed.said,
            ];
            row(&cells, 2)
        })
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    let names = ["events", "round", "revision", "driver", "property", "trace", "what broke"];
    format!("<h2>Failures</h2>\n{}", table(&names, &rows))
}

/// What took how long at a revision, in words, and the number of seeds if it came to its end.
type Time = (String, Option<u64>);

fn bug(revision: &Revision, name: &str) -> Time {
    let Some(search) = revision.bugs.get(name) else { return Time::default() };
    match search.caught {
        Some(_) => (format!("{} ({})", search.took.seeds, search.took.events), Some(search.took.seeds)),
        None => (format!("not by {}", search.took.seeds), None),
    }
}

fn situation(revision: &Revision, name: &str) -> Time {
    match revision.met.get(name) {
        Some(took) => (format!("{} ({})", took.seeds, took.events), Some(took.seeds)),
        None if revision.explored().seeds > 0 => (format!("not by {}", revision.explored().seeds), None),
        None => Time::default(),
    }
}

/// A row for each name, a column for each revision.
fn times<'a>(
    revisions: &[Revision],
    kind: &str,
    names: impl Iterator<Item = &'a String>,
    time: impl Fn(&Revision, &str) -> Time,
) -> String {
    let rows = names.map(|name| {
        let (said, values): (Vec<String>, Vec<Option<u64>>) =
            revisions.iter().map(|revision| time(revision, name)).unzip();
        drawn(&[vec![escaped(name), line(&values)], said].concat())
    });
    let rows: String = rows.collect();
    let names = [kind, "over revisions"].into_iter().chain(revisions.iter().map(|revision| &*revision.revision));
    table(&names.collect::<Vec<_>>(), &rows)
}

/// A row of cells that are in the language of pages.
fn drawn(cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr>{cells}</tr>\n")
}

#[cfg(test)]
mod tests {
    use super::super::tests::history;
    use super::*;

    #[test]
    fn the_page_shows_times_over_revisions_and_what_failed() {
        let page = of(&history());
        let said = [
            "<title>Campaign</title>",
            "<p class=\"broken\">Something was broken: 1 in all.</p>",
            "<td>4 (400)</td>",
            "<td>not by 9</td>",
            "<td>3 (300)</td>",
            "<td>failures/vote-once-7.jsonl</td>",
            "node &lt;1&gt; voted twice",
            "1 for nothing: the canary was not caught",
        ];
        said.iter().for_each(|said| assert!(page.contains(said), "{said:?} in:\n{page}"));
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    }
}
