//! A session at a terminal.

use crate::output::print;
use crate::session::{Deed, Problem, Session, takes_input};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor};

use super::super::HELD;
use super::editor::Assistant;
use super::{said, save, way_back};

type Lines = Editor<Assistant, DefaultHistory>;

/// Reads commands until there are no more, and carries each out at once.
///
/// # Errors
/// The terminal cannot be used.
pub(super) fn run(mut session: Session) -> Result<u8, String> {
    let failed = |error: ReadlineError| format!("the terminal: {error}");
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .color_mode(if plain { ColorMode::Disabled } else { ColorMode::Enabled })
        .auto_add_history(true)
        .build();
    let mut lines = Lines::with_config(config).map_err(failed)?;
    print("Commands of the scenario language, and of the session: help lists them, Tab completes, ^D ends.\n")?;
    print(session.beginning())?;
    if let Some(ending) = session.broken() {
        let problem = Problem::Broken(ending.clone());
        print(said(&problem, false) + way_back(&session, &problem))?;
    }
    let mut number = 0;
    let mut is_warned = false;
    loop {
        lines.set_helper(Some(Assistant::new(session.vocabulary(), !plain)));
        let line = match lines.readline("> ") {
            Ok(line) => line,
            // ^C takes back what is being typed.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => "quit".to_owned(),
            Err(error) => return Err(failed(error)),
        };
        let below = if takes_input(&line) { input(&mut lines).map_err(failed)? } else { Vec::new() };
        number += 1;
        let answer = session.line(number, &line, &below);
        print(&answer.text)?;
        if let Some(problem) = &answer.problem {
            print(said(problem, false) + way_back(&session, problem))?;
        }
        let warned = std::mem::take(&mut is_warned);
        match answer.deed {
            None => {}
            Some(Deed::Quit) if warned || session.is_saved() => return Ok(HELD),
            Some(Deed::Quit) => {
                print("not saved: save FILE does that, and to quit again leaves\n")?;
                is_warned = true;
            }
            Some(Deed::Save { file, replaces, contents }) => match save::write(&file, replaces, &contents) {
                Ok(text) => {
                    session.was_saved();
                    print(text)?;
                }
                Err(error) => print(format_args!("{error}\n"))?,
            },
        }
    }
}

/// The lines of a command's input, up to an empty one.
fn input(lines: &mut Lines) -> Result<Vec<String>, ReadlineError> {
    lines.set_helper(None);
    let mut input = Vec::new();
    loop {
        match lines.readline("  (input; an empty line ends it) ") {
            Ok(line) if line.trim().is_empty() => return Ok(input),
            Ok(line) => input.push(line),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(input),
            Err(error) => return Err(error),
        }
    }
}
