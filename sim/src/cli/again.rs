//! What to type next: this program, as it was called, with arguments quoted so that a shell takes them as they are
//! meant.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::invariant::Invariant;
use crate::trace::{Ending, Header, Property};

/// How this program is called, up to its arguments.
pub(super) fn program() -> String {
    let by_cargo = std::env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == env!("CARGO_PKG_NAME"));
    if by_cargo { by_cargo_run() } else { quoted(std::env::args().next().unwrap_or_else(|| "sim".to_owned())) }
}

fn by_cargo_run() -> String {
    let release = if cfg!(debug_assertions) { "" } else { " --release" };
    let features = if cfg!(feature = "planted-bugs") { " --features planted-bugs" } else { "" };
    format!("cargo run{release} -p sim{features} --")
}

/// A word as a shell takes it. A file name that begins with a hyphen would be read as an option, so it gets `./` in
/// front.
pub(super) fn quoted(word: impl Display) -> String {
    let word = word.to_string();
    let word = if word.starts_with('-') { format!("./{word}") } else { word };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./=:,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// What can be done next with a trace, as it is or shrunk.
pub(super) struct Next<'a> {
    trace: &'a Path,
    program: String,
    /// What was just done with it.
    done: &'static str,
}

impl<'a> Next<'a> {
    pub(super) fn of(trace: &'a Path) -> Self {
        Self { trace, program: program(), done: "" }
    }

    /// What comes after the trace was used in this way.
    pub(super) fn after(done: &'static str, trace: &'a Path) -> Self {
        Self { done, ..Self::of(trace) }
    }

    fn command(&self, what: &str, trace: &Path, more: &str) -> String {
        let more = if more.is_empty() { String::new() } else { format!(" {more}") };
        format!("{} {what} {}{more}", self.program, quoted(trace.display()))
    }

    fn shrink(&self) -> String {
        self.command("shrink", self.trace, &format!("-o {}", quoted(self.short().display())))
    }

    fn show(&self, trace: &Path) -> String {
        self.command("show", trace, "")
    }

    fn why(&self, trace: &Path) -> String {
        self.command("why", trace, "")
    }

    fn report(&self, trace: &Path) -> String {
        self.command("report", trace, &format!("-o {}", quoted(beside(trace, ".html").display())))
    }

    fn replay(&self) -> String {
        self.command("replay", self.trace, "")
    }

    fn scenario(&self) -> String {
        self.command(
            "scenario --from-trace",
            self.trace,
            &format!("-o {}", quoted(beside(self.trace, ".txt").display())),
        )
    }

    fn short(&self) -> PathBuf {
        beside(self.trace, "-short.jsonl")
    }

    /// The next commands after a run of a seed left the trace.
    pub(super) fn recorded(&self) -> Vec<String> {
        vec![self.shrink(), self.show(&self.short()), self.report(&self.short())]
    }

    /// The next commands for a trace that ends with an event that hangs: it cannot be shrunk, because a thread that
    /// hangs cannot be ended.
    pub(super) fn hung(&self) -> Vec<String> {
        vec![self.show(self.trace), self.report(self.trace), self.replay()]
    }

    /// The next commands after the trace was shrunk. Sessions and scenarios are about the project's own nodes.
    pub(super) fn shrunk(&self, header: &Header) -> Vec<String> {
        let is_own = header.engine.is_none();
        let play = is_own.then(|| self.command("play", self.trace, ""));
        let scenario = is_own.then(|| self.scenario());
        let looks = [self.show(self.trace), self.why(self.trace)].into_iter().chain(play);
        looks.chain([self.report(self.trace), self.replay()]).chain(scenario).collect()
    }

    /// The next commands after the trace was seen to end like this.
    pub(super) fn seen(&self, header: &Header, ending: &Ending) -> Vec<String> {
        let all = match Property::broken_by(ending) {
            // Only a program that has it runs the events again.
            Some(Property::Holds(Invariant::UserDefined(_))) => vec![self.show(self.trace), self.report(self.trace)],
            // A trace that was shrunk, or made of a scenario, no longer has the plan of a seed.
            _ if header.plan.is_null() => self.shrunk(header),
            _ => [self.recorded(), vec![self.replay()]].concat(),
        };
        let done = self.command(self.done, self.trace, "");
        all.into_iter().filter(|command| !command.starts_with(&done)).collect()
    }
}

/// The name of a file beside a trace, with another ending.
fn beside(trace: &Path, ending: &str) -> PathBuf {
    let name = trace.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.trim_end_matches(".zst").trim_end_matches(".jsonl");
    trace.with_file_name(format!("{stem}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::{About, UserDefined, Violation};

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_for_something_else() {
        for plain in ["t.jsonl", "target/release/sim", "a-b_c=d"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("my trace.jsonl"), "'my trace.jsonl'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$(rm x)"), "'$(rm x)'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("-o"), "./-o");
    }

    #[test]
    fn the_commands_name_files_beside_the_trace() {
        let next = Next { trace: Path::new("my runs/violation-4.jsonl.zst"), program: "sim".to_owned(), done: "" };
        assert_eq!(
            next.recorded(),
            [
                "sim shrink 'my runs/violation-4.jsonl.zst' -o 'my runs/violation-4-short.jsonl'",
                "sim show 'my runs/violation-4-short.jsonl'",
                "sim report 'my runs/violation-4-short.jsonl' -o 'my runs/violation-4-short.html'",
            ]
        );
        assert_eq!(
            after_show(&Header::new(None), &broken(Invariant::VoteOnce)),
            [
                "sim why short.jsonl",
                "sim play short.jsonl",
                "sim report short.jsonl -o short.html",
                "sim replay short.jsonl",
                "sim scenario --from-trace short.jsonl -o short.txt"
            ]
        );
    }

    #[test]
    fn only_what_this_program_can_do_with_a_trace_is_named() {
        let other = Header { engine: Some("raft-rs".to_owned()), ..Header::new(None) };
        assert_eq!(
            after_show(&other, &broken(Invariant::VoteOnce)),
            ["sim why short.jsonl", "sim report short.jsonl -o short.html", "sim replay short.jsonl"]
        );
        let about = &About { name: "money", meaning: "money is neither made nor lost.", source: "the bank" };
        let brought = broken(Invariant::UserDefined(UserDefined::new(about)));
        assert_eq!(after_show(&Header::new(None), &brought), ["sim report short.jsonl -o short.html"]);
    }

    fn after_show(header: &Header, ending: &Ending) -> Vec<String> {
        let next = Next { trace: Path::new("short.jsonl"), program: "sim".to_owned(), done: "show" };
        next.seen(header, ending)
    }

    fn broken(invariant: Invariant) -> Ending {
        Ending::Violation(Violation::new(invariant, &[], ""))
    }
}
