//! The parts of the page, each with a probe of its own.

use serde_json::json;
use sim::driver::swarm::record;
use sim::explain::{Curve, Report};
use sim::plan::{Overrides, Plan};
use sim::trace::Reader;
use sim::world::World;

use super::browser::{all_true, page, page_of, seen, seen_at};
use super::stale::stale;
use crate::replay::broken;

/// A run of a seed with faults and clients of many kinds.
fn faulty() -> String {
    let plan = Plan::draw(1, &Overrides { steps: Some(6000), no_settle: true, ..Overrides::default() });
    page(&record(&plan, None, Vec::new()).unwrap().out)
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn the_document_has_the_text_of_every_event_for_finding_and_copying() {
    let seen = seen(&faulty(), include_str!("reading.js"));
    all_true(&seen, &["lines", "found", "copied", "status", "aligned"]);
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn events_and_fields_of_states_are_found_forwards_and_backwards() {
    let seen = seen(&page_of(&broken(5, 600)), include_str!("finding.js"));
    let claims = ["count", "next", "place", "around", "buttons", "marked", "state", "hidden", "inSight", "focus"];
    all_true(&seen, &claims);
    assert_eq!(
        (&seen["none"], &seen["typing"]),
        (&"not found".into(), &3.into()),
        "letters that are typed move nothing"
    );
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn keys_move_by_steps_pages_and_changes() {
    let seen = seen(&page_of(&broken(5, 600)), include_str!("keyboard.js"));
    assert_eq!((&seen["home"], &seen["end"]), (&0.into(), &0.into()));
    assert_eq!((&seen["arrows"], &seen["letters"]), (&json!([1, 2, 1, 0]), &json!([1, 2, 1])));
    assert_eq!((&seen["pages"], &seen["slider"]), (&json!([0, 0]), &1.into()), "{seen:#}");
    all_true(&seen, &["turns", "back", "inSight", "said", "address"]);
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn filters_leave_out_classes_and_kinds_and_the_link_keeps_them() {
    let seen = seen(&page_of(&broken(5, 600)), include_str!("filtering.js"));
    let claims =
        ["classes", "messages", "lines", "words", "selected", "gone", "everything", "linked", "nothing", "address"];
    all_true(&seen, &claims);
    assert_eq!(seen["only"], "ticks", "{seen:#}");
    let link = seen["link"].as_str().unwrap();
    assert!(link.starts_with("#step=0&hide=") && link.contains("host-steps") && link.contains("MsgApp"), "{link}");
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn what_cannot_have_influenced_the_failure_is_dimmed_and_the_link_keeps_that_only_the_past_is_shown() {
    let seen = seen(&page_of(&broken(5, 600)), include_str!("past.js"));
    all_true(
        &seen,
        &["marked", "dimmed", "readable", "only", "lines", "messages", "linked", "everything", "legend", "address"],
    );
    assert_eq!(seen["link"], "#step=0&hide=rest");
    assert!(seen["said"].as_str().unwrap().ends_with("\ncannot have influenced the failure"), "{seen:#}");
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn of_a_run_that_does_not_fail_nothing_is_dimmed() {
    let seen = seen(&faulty(), include_str!("nopast.js"));
    all_true(&seen, &["marked", "dimmed", "filter"]);
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn the_overview_shows_the_whole_run_and_is_clicked_and_zoomed() {
    let trace = broken(5, 600).write(Vec::new()).unwrap();
    let report = Report::of(&World::new(), Reader::new(&trace[..], "t").unwrap(), false).unwrap();
    let jumps = vec![(300, "node 2 votes".to_owned())];
    let report = report.with_curve(Curve { points: vec![(0, 40), (299, 42), (300, 970), (700, 1000)], jumps });
    let seen = seen(&report.page(), include_str!("overview.js"));
    let claims = ["painted", "axis", "clicked", "dragged", "wheel", "panned", "whole", "plus", "zero"];
    all_true(&seen, &claims);
    let marks = seen["marks"].as_array().unwrap();
    for mark in ["leader", "term", "fault", "failure", "curve", "jump"] {
        assert!(marks.contains(&mark.into()), "{mark}: {marks:?}");
    }
    assert_eq!(seen["curve"], "after step 0, 4 % of continuations fail");
    assert_eq!(seen["jump"], "step 300: node 2 votes");
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn every_mark_says_what_it_is_and_the_legend_knows_it() {
    for page in [page_of(&broken(5, 600)), faulty(), stale().page()] {
        let seen = seen(&page, include_str!("hovering.js"));
        assert_eq!((&seen["wrong"], &seen["unknown"]), (&json!([]), &json!([])), "{seen:#}");
        all_true(&seen, &["bar", "left", "pictures"]);
        assert_eq!(seen["letters"], "FPCLD3", "roles differ by letter, and by shape where they are as wide");
    }
    let narrow = seen_at(700, &faulty(), include_str!("hovering.js"));
    all_true(&narrow, &["cut"]);
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn what_clients_were_told_is_shown_as_bars_with_the_longest_prefix_that_can_be_explained() {
    let page = stale().page();
    let seen = seen(&page, include_str!("clients.js"));
    all_true(&seen, &["open", "marks", "clicked", "spans"]);
    assert_eq!((&seen["summary"], &seen["allBars"]), (&"Clients: 4 operations of 3 clients".into(), &4.into()));
    let words = seen["words"].as_str().unwrap();
    let prefix = r#"The longest prefix of the operations on k5 that can be explained ends before step "#;
    assert!(words.starts_with(prefix), "{words}");
    assert!(
        words.contains(r#"#1 c0.1 write k5="old" · #2 c0.2 write k5="new". Not explained: c1.1 read k5: "old""#),
        "{words}"
    );
    let bars = seen["bars"].as_array().unwrap();
    assert_eq!(bars.len(), 3, "only those on the key: {bars:?}");
    assert!(bars[2].as_str().unwrap().starts_with(r#"refuted: c1.1 read k5: "old""#), "{bars:?}");
    assert!(seen["tip"].as_str().unwrap().ends_with("no order explains this answer"), "{seen:#}");
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn in_a_narrow_window_the_panel_stands_under_the_diagram() {
    let page = page_of(&broken(5, 600));
    for width in [520, 899] {
        let seen = seen_at(width, &page, include_str!("narrow.js"));
        all_true(&seen, &["below", "fits", "inSight", "text"]);
    }
    let seen = seen_at(1000, &page, include_str!("narrow.js"));
    all_true(&seen, &["beside", "fits", "inSight", "text"]);
}
