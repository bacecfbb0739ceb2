//! A session whose commands come from a pipe or a file: each is printed, and below it what it led to.

use std::io;

use crate::output::print;
use crate::session::{Deed, Problem, Session};

use super::super::{HELD, USAGE, VIOLATED};
use super::{said, save, way_back};

/// Reads all commands, and carries them out one by one.
///
/// # Errors
/// They cannot be read, or nothing can be printed.
pub(super) fn run(mut session: Session) -> Result<u8, String> {
    print(session.beginning())?;
    let mut worst = HELD;
    if let Some(ending) = session.broken() {
        let problem = Problem::Broken(ending.clone());
        print(said(&problem, true) + way_back(&session, &problem))?;
        worst = VIOLATED;
    }
    let mut lines = io::stdin().lines().enumerate().peekable();
    while let Some((position, line)) = lines.next() {
        let line = read(line)?;
        let mut below = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| line.as_ref().is_ok_and(|line| is_input(line))) {
            below.push(read(line)?);
        }
        let number = position + 1;
        print(format_args!("> {line}\n"))?;
        below.iter().try_for_each(|line| print(format_args!("{line}\n")))?;
        let answer = session.line(number, &line, &below);
        print(&answer.text)?;
        if let Some(problem) = &answer.problem {
            print(said(problem, true) + way_back(&session, problem))?;
            worst = worst_of(worst, exit(problem));
        }
        match answer.deed {
            None => {}
            Some(Deed::Quit) => break,
            Some(Deed::Save { file, replaces, contents }) => match save::write(&file, replaces, &contents) {
                Ok(text) => {
                    session.was_saved();
                    print(text)?;
                }
                Err(error) => {
                    print(format_args!("line {number}: {error}\n"))?;
                    worst = worst_of(worst, USAGE);
                }
            },
        }
    }
    Ok(worst)
}

fn read(line: io::Result<String>) -> Result<String, String> {
    let line = line.map_err(|error| format!("standard input: {error}"))?;
    Ok(line.strip_prefix('\u{feff}').map_or_else(|| line.clone(), str::to_owned))
}

/// Whether a line belongs to the command above it.
fn is_input(line: &str) -> bool {
    line.starts_with([' ', '\t']) && !line.trim().is_empty()
}

const fn exit(problem: &Problem) -> u8 {
    match problem {
        Problem::Misunderstood(_) => USAGE,
        Problem::Unmet(_) | Problem::Broken(_) => VIOLATED,
    }
}

/// What was violated counts for more than what was misspelt.
const fn worst_of(one: u8, other: u8) -> u8 {
    match (one, other) {
        (VIOLATED, _) | (_, VIOLATED) => VIOLATED,
        (HELD, other) => other,
        (one, _) => one,
    }
}
