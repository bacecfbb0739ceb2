//! The result of a hunt as a table, for people.

use std::collections::BTreeSet;

use raft::planted::Bug;

use super::super::rarer_than;
use crate::trace::Trace;

use super::{Hunted, Other, Property, Search, named_for};

const HEAD: [&str; 6] = ["bug", "caught by", "at seed", "seeds", "events", "shrinks to"];

/// A line for each bug, with how many seconds its traces `took` to shrink, where that is known: what caught it, at which seed from the first starting point, after how many seeds and events
/// (the median of all starting points, and the worst), and how many events its trace shrinks to. Below the lines stand
/// the properties that runs broke and that are not named for the bug, and at the end the bugs that were not caught.
pub fn table(hunted: &[Hunted], took: impl Fn(Bug) -> Option<u64>) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(hunted.iter().map(|hunted| row(hunted, took(hunted.bug))));
    let mut text = aligned(&rows);
    for hunted in hunted {
        let (bug, others) = (hunted.bug.name(), others(&hunted.searches));
        if !others.is_empty() {
            text.push_str(&format!("{bug} also broke {others}\n"));
        }
    }
    hunted.iter().filter_map(not_caught).for_each(|line| text.push_str(&line));
    text.push_str(&verdict(hunted));
    text
}

/// How rare a run is that shows a bug which was not caught, as far as the hunt can say.
fn not_caught(hunted: &Hunted) -> Option<String> {
    let missed: Vec<u64> = hunted.searches.iter().filter(|one| one.caught.is_none()).map(|one| one.seeds).collect();
    let one_in = rarer_than(missed.iter().sum()).filter(|_| missed.len() == hunted.searches.len())?;
    let bug = hunted.bug.name();
    Some(format!("{bug}: with 95 % confidence fewer than one seed in {one_in} catches it\n"))
}

fn row(hunted: &Hunted, took: Option<u64>) -> [String; 6] {
    let Hunted { bug, searches, shortest } = hunted;
    let properties: BTreeSet<Property> =
        searches.iter().filter_map(|search| Some(search.caught.as_ref()?.property)).collect();
    let properties: Vec<String> = properties.iter().map(|property| said(*property, *bug)).collect();
    let missed = searches.iter().filter(|search| search.caught.is_none()).count();
    let caught_by = match (missed, properties.is_empty()) {
        (0, _) => properties.join(", "),
        (_, true) => "NOT CAUGHT".to_owned(),
        (missed, false) => format!("{}; NOT CAUGHT from {missed} of {}", properties.join(", "), searches.len()),
    };
    let first = searches.iter().find_map(|search| search.caught.as_ref());
    [
        bug.name(),
        caught_by,
        first.map_or_else(|| "-".to_owned(), |catch| catch.seed.to_string()),
        median_and_worst(searches, |search| search.seeds),
        median_and_worst(searches, |search| search.events),
        shortest.as_ref().map_or_else(|| "-".to_owned(), |trace| length(trace, took)),
    ]
}

fn length(trace: &Trace, took: Option<u64>) -> String {
    let events = trace.events.len();
    took.map_or_else(|| format!("{events} events"), |seconds| format!("{events} events in {seconds} s"))
}

/// The check and, in brackets, the property that it stands for if that has another name.
fn said(property: Property, bug: Bug) -> String {
    let check = property.to_string();
    match named_for(property, bug) {
        Some(name) if name.replace(' ', "-") != check => format!("{check} ({name})"),
        Some(_) | None => check,
    }
}

fn median_and_worst(searches: &[Search], count: fn(&Search) -> u64) -> String {
    let mut counts: Vec<u64> = searches.iter().map(count).collect();
    counts.sort_unstable();
    match (counts.get(counts.len() / 2), counts.last()) {
        (Some(median), Some(worst)) if counts.len() > 1 => format!("{median} (worst {worst})"),
        (Some(only), _) => only.to_string(),
        (None, _) => "-".to_owned(),
    }
}

fn others(searches: &[Search]) -> String {
    let mut all: Vec<(Property, Other)> = Vec::new();
    for (&property, &other) in searches.iter().flat_map(|search| &search.others) {
        match all.iter_mut().find(|(known, _)| *known == property) {
            Some((_, sum)) => sum.seeds += other.seeds,
            None => all.push((property, other)),
        }
    }
    let said = all.iter().map(|(property, other)| format!("{property} in {} (seed {})", other.seeds, other.first));
    said.collect::<Vec<_>>().join(", ")
}

fn verdict(hunted: &[Hunted]) -> String {
    let missed: Vec<String> = hunted.iter().filter(|hunted| !hunted.is_caught()).map(|one| one.bug.name()).collect();
    let caught = hunted.len() - missed.len();
    match missed.is_empty() {
        true => format!("{caught} of {} bugs are caught", hunted.len()),
        false => format!("{caught} of {} bugs are caught; not caught: {}", hunted.len(), missed.join(", ")),
    }
}

/// Columns as wide as their widest cell, two spaces apart.
fn aligned(rows: &[[String; 6]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use raft::planted::Bug;

    use super::super::{Catch, Hunted, Other, Property, Search};
    use super::table;
    use crate::invariant::Invariant;
    use crate::trace::{Ending, Header, Trace};

    fn search(seed: u64, seeds: u64, property: Property) -> Search {
        let caught = Some(Catch { seed, property, events: 500 });
        Search { caught, seeds, events: seeds * 1000, ..Search::default() }
    }

    fn missed(seeds: u64) -> Search {
        Search { seeds, events: seeds * 1000, ..Search::default() }
    }

    #[test]
    fn the_table_says_what_was_caught_and_what_was_not() {
        let vote_once = Property::Holds(Invariant::VoteOnce);
        let shortest = Some(Trace { header: Header::new(None), events: Vec::new(), ending: Ending::Completed });
        let searches = vec![search(7, 8, vote_once), search(1_000_000, 1, vote_once), search(2_000_003, 4, vote_once)];
        let caught = Hunted { bug: Bug::VoteDoubleGrant, searches, shortest };
        let read = Property::Holds(Invariant::LinearizableRead);
        let searches = vec![missed(20), search(1_000_002, 3, read)];
        let partly = Hunted { bug: Bug::ReadindexNoOwnCommit, searches, shortest: None };
        let mut other = missed(20);
        other.others.insert(Property::NoPanic, Other { seeds: 2, first: 5 });
        let never = Hunted { bug: Bug::AckLastIndex, searches: vec![other], shortest: None };
        let expected = "\
bug                      caught by                                  at seed  seeds          events               shrinks to
vote-double-grant        vote-once (election safety)                7        4 (worst 8)    4000 (worst 8000)    0 events in 3 s
readindex-no-own-commit  linearizable-read; NOT CAUGHT from 1 of 2  1000002  20 (worst 20)  20000 (worst 20000)  -
ack-last-index           NOT CAUGHT                                 -        20             20000                -
ack-last-index also broke panic in 2 (seed 5)
ack-last-index: with 95 % confidence fewer than one seed in 6 catches it
1 of 3 bugs are caught; not caught: readindex-no-own-commit, ack-last-index";
        assert_eq!(table(&[caught, partly, never], |bug| (bug == Bug::VoteDoubleGrant).then_some(3)), expected);
    }

    #[test]
    fn a_bug_that_no_search_caught_is_not_caught() {
        let one = |searches| Hunted { bug: Bug::CommitRegress, searches, shortest: None };
        let monotonic = Property::Holds(Invariant::Monotonic);
        assert!(one(vec![search(1, 2, monotonic)]).is_caught());
        assert!(!one(vec![search(1, 2, monotonic), missed(9)]).is_caught());
    }
}
