//! The run that a file holds, be it a trace or a scenario.

use std::path::Path;

use crate::trace::Trace;
use crate::world::World;
use crate::{input, script};

/// Whether a file of this name is a trace, not a scenario.
pub(super) fn is_trace(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.ends_with(".jsonl") || name.ends_with(".jsonl.zst")
}

/// The whole run.
pub(super) fn whole(file: &Path) -> Result<Trace, String> {
    read(file, script::record)
}

/// The run up to the place that `explore-from-here` marks in a scenario, or all of it.
pub(super) fn to_place(world: &World, file: &Path) -> Result<Trace, String> {
    read(file, |text| script::record_to_place_in(world, text))
}

fn read(file: &Path, record: impl Fn(&str) -> Result<Trace, script::ScriptError>) -> Result<Trace, String> {
    if is_trace(file) {
        return Trace::open(file).map_err(|error| error.to_string());
    }
    let said = |error: String| format!("{}: {error}", file.display());
    let text = input::text(file).map_err(|error| said(error.to_string()))?;
    record(&text).map_err(|error| said(error.to_string()))
}
