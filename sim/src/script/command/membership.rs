//! Membership changes: steps such as `v1 l2 r3 u4`, in the lines below the command.

use bytes::Bytes;
use raft::{Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, NodeId, Transition};

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::meaning::{Meaning, Wanted, choose};
use super::super::parse::Line;

pub(super) fn parse(arguments: &mut Arguments<'_>) -> Result<ConfChange, ScriptError> {
    let v1 = arguments.value("v1")?.unwrap_or(false);
    let transition: Transition = arguments.value("transition")?.unwrap_or_default();
    let changes = arguments.input().iter().map(changes).collect::<Result<Vec<_>, _>>()?.concat();
    if !v1 {
        return Ok(ConfChange::V2(ConfChangeV2 { transition, changes, context: Bytes::new() }));
    }
    match changes.as_slice() {
        [change] if transition == Transition::Auto => {
            Ok(ConfChange::V1(ConfChangeV1 { change: *change, context: Bytes::new() }))
        }
        _ => Err(arguments.error("a change of version 1 has exactly one step and no transition")),
    }
}

fn changes(line: &Line) -> Result<Vec<Change>, ScriptError> {
    let wrong = |step: &str| {
        let problem = format!("\"{step}\" is no step: v adds a voter, l a learner, r removes, u updates, as in v4");
        ScriptError::new(line.number, problem)
    };
    line.text.split_whitespace().map(|step| change(step).ok_or_else(|| wrong(step))).collect()
}

fn change(step: &str) -> Option<Change> {
    let (letter, number) = step.split_at_checked(1)?;
    let kind = match letter {
        "v" => ChangeKind::AddVoter,
        "l" => ChangeKind::AddLearner,
        "r" => ChangeKind::Remove,
        "u" => ChangeKind::Update,
        _ => return None,
    };
    // Zero stands for no node: a step that the application has cleared.
    number.parse().ok().map(|number| Change { kind, node: NodeId::new(number) })
}

impl Meaning for Transition {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let all = [Self::Auto, Self::Implicit, Self::Explicit];
        choose(word, &["auto", "implicit", "explicit"]).map(|transition| all[transition])
    }
}
