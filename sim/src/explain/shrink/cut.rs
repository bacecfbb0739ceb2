//! Taking pieces out: many at once, then fewer, then one.

use super::groups::{self, Grouping};
use super::members;
use super::search::Search;

/// Takes out what it can of every kind of piece. Single events go at least `finest` at once.
pub(super) fn pieces(search: &mut Search<'_>, finest: usize) {
    let passes: [(&'static str, Grouping, usize); 6] = [
        ("nodes", groups::nodes, 1),
        ("time", groups::events, finest * 4),
        ("operations", groups::operations, finest),
        ("messages", groups::messages, finest),
        ("readys", groups::readys, finest),
        ("ticks", groups::ticks, finest),
    ];
    search.begin("members");
    members::leave(search);
    for (name, grouping, finest) in passes {
        search.begin(name);
        groups_of(search, grouping, finest);
    }
    search.begin("events");
    groups_of(search, groups::events, finest);
}

/// Takes out runs of neighbouring pieces: half of all, then a quarter, and so on to `finest`.
fn groups_of(search: &mut Search<'_>, grouping: Grouping, finest: usize) {
    let mut groups = grouping(&search.best.steps);
    let mut size = groups.len().div_ceil(2).max(1);
    loop {
        let mut start = 0;
        while start < groups.len() && !search.is_over() {
            let all = &groups;
            let taken = search.take_first(0..(all.len() - start).div_ceil(size), |best, number| {
                let first = start + number * size;
                let mut removed = all[first..all.len().min(first + size)].concat();
                removed.sort_unstable();
                Some(best.without(&removed))
            });
            let Some(number) = taken else { break };
            // What followed the piece stands in its place now.
            start += number * size;
            groups = grouping(&search.best.steps);
        }
        if size <= finest {
            return;
        }
        size = (size / 2).max(finest);
    }
}

/// Takes out what happens in a short while, at all nodes or at one, wherever that while begins. Returns whether it took
/// out any.
pub(super) fn windows(search: &mut Search<'_>) -> bool {
    const LONGEST: usize = 24;
    search.begin("windows");
    let mut taken = false;
    let mut of_nodes: Vec<Vec<usize>> = groups::nodes(&search.best.steps);
    of_nodes.push((0..search.best.steps.len()).collect());
    let mut number = 0;
    while number < of_nodes.len() && !search.is_over() {
        let positions = &of_nodes[number];
        let found = search.take_first(0..positions.len() * (LONGEST - 1), |best, form| {
            let (length, start) = (LONGEST - form / positions.len(), form % positions.len());
            positions.get(start..start + length).map(|removed| best.without(removed))
        });
        if found.is_some() {
            taken = true;
            of_nodes = groups::nodes(&search.best.steps);
            of_nodes.push((0..search.best.steps.len()).collect());
        } else {
            number += 1;
        }
    }
    taken
}

/// Takes out two events at once, anywhere, if the trace is short enough to try them all. Returns whether it took out
/// any.
pub(super) fn pairs(search: &mut Search<'_>) -> bool {
    const LONGEST: usize = 160;
    search.begin("pairs");
    let count = search.best.steps.len();
    if count > LONGEST {
        return false;
    }
    let taken = search.take_first(0..count * count, |best, number| {
        let (first, second) = (number / count, number % count);
        (first < second).then(|| best.without(&[first, second]))
    });
    taken.is_some()
}

/// As [`pairs`], three at once.
pub(super) fn triples(search: &mut Search<'_>) -> bool {
    const LONGEST: usize = 80;
    search.begin("triples");
    let count = search.best.steps.len();
    if count > LONGEST {
        return false;
    }
    let taken = search.take_first(0..count * count * count, |best, number| {
        let (first, second, third) = (number / count / count, number / count % count, number % count);
        (first < second && second < third).then(|| best.without(&[first, second, third]))
    });
    taken.is_some()
}
