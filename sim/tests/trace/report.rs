//! The page of a run, in a browser: the diagram, the slider and the filters work, and nothing complains.

use std::process::{Command, Output};

use serde_json::Value;
use sim::driver::swarm;
use sim::driver::swarm::record;
use sim::explain::report;
use sim::plan::{Overrides, Plan};
use sim::trace::{Reader, Trace};
use tempfile::TempDir;

use crate::driver::Random;
use crate::replay::broken;

const PROBE: &str = include_str!("probe.js");

fn page(trace: &[u8]) -> String {
    report(Reader::new(trace, "t").unwrap(), false).unwrap().0
}

fn page_of(trace: &Trace) -> String {
    page(&trace.write(Vec::new()).unwrap())
}

/// What the probe sees in the page.
fn seen(page: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let probed = page.replace("</html>", &format!("<script>{PROBE}</script></html>"));
    std::fs::write(folder.path().join("run.html"), probed).unwrap();
    let output = browse(&folder);
    let shown = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    let console: Vec<&str> = complaints.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(console.is_empty(), "{console:#?}");
    let (_, rest) = shown.split_once(r#"<pre id="seen">"#).expect("the probe wrote down what it saw");
    let (json, _) = rest.split_once("</pre>").unwrap();
    let json = json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&json).unwrap()
}

/// The names under which the browser is installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn browse(folder: &TempDir) -> Output {
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
    let program = BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let output = Command::new(program.expect("these tests need chromium"))
        .args(flags)
        .args(["--enable-logging=stderr", "--window-size=1400,900", "--virtual-time-budget=4000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", folder.path().join("run.html").display()))
        .output();
    output.expect("it starts")
}

#[test]
#[ignore = "needs chromium: cargo test -p sim --test trace -- --ignored"]
fn the_diagram_the_slider_and_the_filters_work() {
    let seen = seen(&page_of(&broken(5, 600)));
    assert_eq!(seen["errors"], serde_json::json!([]), "{seen:#}");
    let last = seen["steps"].as_u64().unwrap() - 1;
    assert!(seen["broken"].as_str().unwrap().contains("election-safety violated"), "{seen:#}");
    assert_eq!(seen["startedAt"], last, "it opens where it broke");
    assert_eq!((&seen["slid"]["step"], &seen["slid"]["hash"]), (&10.into(), &"#step=10".into()));
    assert_eq!((&seen["slid"]["lanes"], &seen["slid"]["cards"]), (&3.into(), &3.into()));
    assert!(seen["end"]["rows"].as_u64().unwrap() > 20 && seen["end"]["messages"].as_u64().unwrap() > 0, "{seen:#}");
    assert!(seen["painted"].as_u64().unwrap() > 10_000, "{seen:#}");
    assert_eq!(seen["previous"], last - 1);
    for claim in ["withoutHostSteps", "allAgain", "withoutKind"] {
        assert_eq!(seen[claim], true, "{claim}: {seen:#}");
    }
    assert_eq!((&seen["withoutNode"]["lanes"], &seen["withoutNode"]["cards"]), (&2.into(), &2.into()));
    assert_eq!(seen["linked"], 5);
}

/// A plan of twenty thousand events.
fn long() -> Plan {
    Plan::draw(3, &Overrides { no_settle: true, ..Overrides::default() })
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
    let seen = seen(&page);
    assert_eq!(seen["errors"], serde_json::json!([]), "{seen:#}");
    let world = swarm::run(&plan, |_| {}).world;
    assert!(world.step() >= plan.steps && seen["steps"] == world.step(), "{} events: {seen:#}", world.step());
    assert!(seen["end"]["rows"].as_u64().unwrap() < 100, "only what is in the window is drawn: {seen:#}");
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
