//! A session as a file: a scenario that leads to the same state or, for a file named as one, a trace.

use std::path::{Path, PathBuf};

use super::answer::Contents;
use super::moment::Said;
use super::{Answer, Deed, Problem, Session};
use crate::script::ScriptError;
use crate::trace::{Failure, Header, Trace};

impl Session {
    /// The scenario so far, as far as there are words for it.
    pub(super) fn listed(&self) -> String {
        let said: String = self.all_said().map(told).collect();
        if said.is_empty() { "nothing yet\n".to_owned() } else { said }
    }

    /// Has the session written to a file.
    pub(super) fn save(&self, number: usize, file: PathBuf, replaces: bool) -> Answer {
        let contents = match is_trace(&file) {
            true => Ok(Contents::Trace(Box::new(self.trace()))),
            false => self.scenario().map(Contents::Scenario),
        };
        match contents {
            Ok(contents) => Answer { deed: Some(Deed::Save { file, replaces, contents }), ..Answer::default() },
            Err(problem) => Problem::Misunderstood(ScriptError::new(number, problem)).into(),
        }
    }

    /// The session as a trace.
    #[must_use]
    pub fn trace(&self) -> Trace {
        let header = Header { bug: self.present().bug.clone(), ..Header::new(None) };
        Trace::record(header, &self.all_events())
    }

    /// The session as a scenario that leads to the same state.
    ///
    /// # Errors
    /// Nothing has been said, there are no words for something that happened, or they lead elsewhere. The error names the trace as
    /// what can be saved instead.
    ///
    /// ```
    /// use sim::session::Session;
    /// let mut session = Session::new();
    /// session.line(1, "add-nodes 1 voters=(1) index=2", &[]);
    /// assert!(session.scenario().unwrap().ends_with("add-nodes 1 voters=(1) index=2\n"));
    /// ```
    pub fn scenario(&self) -> Result<String, String> {
        if self.all_said().next().is_none() {
            return Err("there is nothing to save yet".to_owned());
        }
        let unsaid = self.all_said().find_map(|said| match said {
            Said::Words(_) => None,
            Said::NoWords { step, event, why } => Some(format!("a scenario cannot say step {step}, {event}: {why}")),
        });
        let instead = "a name that ends in .jsonl saves a trace";
        if let Some(unsaid) = unsaid {
            return Err(format!("{unsaid}; {instead}"));
        }
        let origin = self.origin.as_ref().map(|origin| format!("# Goes on from {origin}.\n\n")).unwrap_or_default();
        let text = origin + &self.all_said().map(told).collect::<String>();
        match Self::after_scenario("", &text, None) {
            Ok(again) if again.is_like(self) => Ok(text),
            Ok(_) => Err(format!("as a scenario it would lead to another state; {instead}")),
            Err(error) => Err(format!("as a scenario it would not run: {error}; {instead}")),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        match (self.broken(), other.broken()) {
            (None, None) => self.world().state_hash() == other.world().state_hash(),
            (one, other) => one.and_then(Failure::of) == other.and_then(Failure::of),
        }
    }
}

/// A part of a scenario, or what is missing of it.
fn told(said: &Said) -> String {
    match said {
        Said::Words(words) => words.clone(),
        Said::NoWords { step, event, .. } => format!("# no words for step {step}: {event}\n"),
    }
}

fn is_trace(file: &Path) -> bool {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.ends_with(".jsonl") || name.ends_with(".jsonl.zst")
}
