//! Nodes that start alike start together.

use super::super::phrase::Phrase;
use super::Draft;
use crate::script::command::{Command, NodeCommand};

/// Starts nodes that are alike with one command.
pub(super) fn together(draft: &mut Draft) {
    let mut position = 0;
    while position < draft.phrases().len() {
        if !joins_a_later_one(draft, position) {
            position += 1;
        }
    }
}

fn joins_a_later_one(draft: &mut Draft, position: usize) -> bool {
    let Some((count, first, alike)) = start(&draft.phrases()[position]) else { return false };
    let later = position + 1..draft.phrases().len();
    let next = later.into_iter().find(|&other| {
        start(&draft.phrases()[other]).is_some_and(|(_, next, other)| next == first + count && other == alike)
    });
    let Some(next) = next else { return false };
    let Some((more, _, _)) = start(&draft.phrases()[next]) else { return false };
    let words = ["add-nodes".to_owned(), (count + more).to_string(), format!("first={first}")];
    let joined = Phrase::new(words.into_iter().chain(alike));
    let places = [position, next];
    joined.is_some_and(|joined| places.iter().any(|place| draft.replace(&places, *place, Some(joined.clone()))))
}

/// How many nodes start with this phrase, the first of them, and what else it says.
fn start(phrase: &Phrase) -> Option<(u64, u64, Vec<String>)> {
    let Command::Node(NodeCommand::Add(nodes)) = phrase.command() else { return None };
    let rest = phrase.words().iter().skip(2).filter(|word| !word.starts_with("first="));
    Some((nodes.count, nodes.first?.get(), rest.cloned().collect()))
}
