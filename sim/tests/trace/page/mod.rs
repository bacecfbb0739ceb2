//! The page of a run, in a browser: all of it works, and nothing complains; and the same run as a timeline.

mod browser;
mod palette;
mod parts;
mod stale;
mod timeline;

use serde_json::Value;
use sim::driver::swarm;
use sim::driver::swarm::record;
use sim::plan::{Overrides, Plan};
use sim::trace::Trace;

use self::browser::{page, page_of, seen};
use crate::driver::Random;
use crate::replay::broken;

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn the_diagram_the_slider_and_the_panel_work() {
    let seen = seen(&page_of(&broken(5, 600)), include_str!("whole.js"));
    let last = seen["steps"].as_u64().unwrap() - 1;
    assert!(seen["broken"].as_str().unwrap().contains("election-safety violated"), "{seen:#}");
    assert_eq!(seen["startedAt"], last, "it opens where it broke");
    assert_eq!((&seen["slid"]["step"], &seen["slid"]["hash"]), (&10.into(), &"#step=10".into()));
    assert_eq!((&seen["slid"]["lanes"], &seen["slid"]["cards"]), (&3.into(), &3.into()));
    assert!(seen["end"]["rows"].as_u64().unwrap() > 20 && seen["end"]["messages"].as_u64().unwrap() > 0, "{seen:#}");
    assert!(seen["painted"].as_u64().unwrap() > 5_000, "{seen:#}");
    assert_eq!(seen["previous"], last - 1);
    assert_eq!((&seen["withoutNode"]["lanes"], &seen["withoutNode"]["cards"]), (&2.into(), &2.into()));
    assert_eq!(seen["linked"], 5);
}

/// A plan of twenty thousand events.
fn long() -> Plan {
    Plan::draw(3, &Overrides { steps: Some(20_000), no_settle: true, ..Overrides::default() })
}

#[test]
fn a_page_of_twenty_thousand_events_is_small() {
    let page = page(&record(&long(), None, Vec::new()).unwrap().out);
    assert!(page.len() < 4_000_000, "{} bytes", page.len());
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn twenty_thousand_events_are_shown_a_window_at_a_time_as_the_run_left_them() {
    let plan = long();
    let page = page(&record(&plan, None, Vec::new()).unwrap().out);
    let seen = seen(&page, include_str!("whole.js"));
    let world = swarm::run(&plan, |_| {}).world;
    assert!(world.step() >= plan.steps && seen["steps"] == world.step(), "{} events: {seen:#}", world.step());
    assert!(seen["end"]["rows"].as_u64().unwrap() < 100, "only what is in the window is drawn: {seen:#}");
    assert!(seen["elements"].as_u64().unwrap() < 1000, "events are no elements of their own: {seen:#}");
    let up = world.replicas().map(|replica| {
        replica.is_up().then(|| replica.view().hard_state.term.to_string()).map_or(Value::Null, Value::from)
    });
    assert_eq!(seen["terms"], Value::Array(up.collect()), "states add up to those at the end");
    assert!(seen["cut"].as_str().unwrap().contains('→'), "a link that is cut is named: {seen:#}");
}

#[test]
fn a_run_that_goes_otherwise_than_it_was_recorded_says_so() {
    let text = |trace: &Trace| String::from_utf8(trace.write(Vec::new()).unwrap()).unwrap();
    let broken = text(&broken(5, 600));
    let shown = page(broken.as_bytes());
    assert!(shown.contains(r#""recorded":null"#) && !shown.contains("does not fit"));

    let tick = r#"{"Tick":{"node":1}}"#;
    let reason = page(broken.replacen(tick, r#"{"Tick":{"node":9}}"#, 1).as_bytes());
    assert!(reason.contains("does not fit: node 9 never started"));

    let well = text(&Random::trace(1, 3, false, 100));
    let end = well.rfind(r#""}}"#).unwrap();
    let recorded = page(format!("{}\",\"panic\":\"ouch\"}}}}\n", &well[..end]).as_bytes());
    assert!(recorded.contains(r#""recorded":"a panic: ouch""#) && recorded.contains(r#""broken":null"#));
}

#[test]
fn a_page_ends_where_the_run_breaks_although_the_recording_went_on() {
    let text = String::from_utf8(broken(5, 600).write(Vec::new()).unwrap()).unwrap();
    let steps = text.lines().filter(|line| line.starts_with("{\"") && line.as_bytes()[2].is_ascii_uppercase()).count();
    let (events, end) = text.split_at(text.rfind("{\"end\"").unwrap());
    let end = end.replacen(&format!("\"steps\":{steps}"), &format!("\"steps\":{}", steps + 1), 1);
    let longer = format!("{events}{{\"ForgetLeader\":{{\"node\":1}}}}\n{end}");
    assert_eq!(page(longer.as_bytes()), page(text.as_bytes()));
}

#[test]
fn a_page_needs_nothing_from_elsewhere() {
    let page = page_of(&broken(5, 600));
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn text_of_the_run_cannot_end_the_script_in_which_it_stands() {
    let mut trace = broken(5, 100);
    trace.header.note = Some("</script><b>".to_string());
    let page = page_of(&trace);
    assert!(!page.contains("</script><b>") && page.contains("\\u003c/script>\\u003cb>"));
}
