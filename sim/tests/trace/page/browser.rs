//! A page in a browser: what a probe sees in it.

use std::process::{Command, Output};

use serde_json::Value;
use sim::explain::report;
use sim::trace::{Reader, Trace};
use tempfile::TempDir;

const PROBE: &str = include_str!("probe.js");

/// The page of a trace as a file holds it.
pub fn page(trace: &[u8]) -> String {
    report(Reader::new(trace, "t").unwrap(), false).unwrap().0
}

/// The page of a trace.
pub fn page_of(trace: &Trace) -> String {
    page(&trace.write(Vec::new()).unwrap())
}

/// What a test sees in the page, in a window of this width. Nothing may complain.
pub fn seen_at(width: u32, page: &str, test: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let probe = PROBE.replace("/*TEST*/", test);
    let probed = page.replace("</html>", &format!("<script>{probe}</script></html>"));
    std::fs::write(folder.path().join("run.html"), probed).unwrap();
    let output = browse(&folder, width);
    let shown = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    let console: Vec<&str> = complaints.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(console.is_empty(), "{console:#?}");
    let (_, rest) = shown.split_once(r#"<pre id="seen">"#).expect("the probe wrote down what it saw");
    let (json, _) = rest.split_once("</pre>").unwrap();
    let json = json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let seen: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(seen["errors"], serde_json::json!([]), "{seen:#}");
    seen
}

/// The same in a window that is wide.
pub fn seen(page: &str, test: &str) -> Value {
    seen_at(1400, page, test)
}

/// Each of these was seen to be so.
pub fn all_true(seen: &Value, claims: &[&str]) {
    let wrong: Vec<&&str> = claims.iter().filter(|claim| seen[**claim] != true).collect();
    assert!(wrong.is_empty(), "{wrong:?}: {seen:#}");
}

/// The names under which the browser is installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn browse(folder: &TempDir, width: u32) -> Output {
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
    let program = BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let output = Command::new(program.expect("these tests need chromium"))
        .args(flags)
        .args(["--enable-logging=stderr", "--virtual-time-budget=4000", "--dump-dom"])
        .arg(format!("--window-size={width},900"))
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", folder.path().join("run.html").display()))
        .output();
    output.expect("it starts")
}
