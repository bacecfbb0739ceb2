//! What a session has come to, in a file.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::output;
use crate::planted;
use crate::session::Contents;

/// Writes the file, and says what is in it and what to type to see it run.
///
/// # Errors
/// There is such a file already, which it may not replace, or it cannot be written.
pub(super) fn write(file: &Path, replaces: bool, contents: &Contents) -> Result<String, String> {
    let name = file.display();
    if !replaces && file.exists() {
        return Err(format!("{name} is there already: save! {name} replaces it"));
    }
    let written = match contents {
        Contents::Scenario(text) => output::write(file, text.as_bytes()),
        Contents::Trace(trace) => {
            let _switched = planted::switch_on(trace.header.bug.as_deref())
                .map_err(|bug| io::Error::new(ErrorKind::Unsupported, bug).to_string())?;
            trace.save(file)
        }
    };
    written.map_err(|error| format!("{name}: {error}"))?;
    Ok(match contents {
        Contents::Scenario(_) => format!("saved: sim scenario {name} plays it\n"),
        Contents::Trace(_) => format!("saved: sim replay {name} plays it\n"),
    })
}
