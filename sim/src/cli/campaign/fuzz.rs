//! The fuzz targets, by the script that fuzzes each of them for a while.

use std::path::Path;
use std::process::Command;

use crate::campaign::record::{Driver, Failed};

use super::drivers::{At, Done};

const SCRIPT: &str = "fuzz/ci";

/// Why the targets cannot run, if so.
pub(super) fn missing() -> Option<&'static str> {
    let has_tool =
        || Command::new("cargo").args(["fuzz", "--version"]).output().is_ok_and(|said| said.status.success());
    match Path::new(SCRIPT).is_file() {
        false => Some("there is no fuzz/ci here"),
        true if !has_tool() => Some("cargo-fuzz is not there"),
        true => None,
    }
}

/// Runs all targets, with random numbers of this round.
pub(super) fn run(at: &At<'_>) -> Result<Done, String> {
    at.watch.now("fuzz targets".to_owned());
    let ran = Command::new(SCRIPT).env("FUZZ_SEED", at.round.to_string()).output();
    let ran = ran.map_err(|error| format!("{SCRIPT}: {error}"))?;
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned();
    let mut unit = at.unit(Driver::Fuzz, "all fuzz targets");
    let found = said.lines().find(|line| line.contains(" failed, from "));
    unit.result = match (ran.status.success(), found) {
        (true, _) => last,
        (false, Some(found)) => {
            let (property, said, events) = ("fuzz".to_owned(), found.to_owned(), 0);
            unit.failures.push(Failed { property, said, events, seed: None, trace: None });
            found.to_owned()
        }
        (false, None) => format!("they could not run: {last}"),
    };
    Ok(Done::of(unit))
}
