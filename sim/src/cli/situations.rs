//! What an exploration says of the named situations: how often each happened, and which never did.

use std::fmt::Write;

use crate::campaign::explore::Explored;
use serde_json::{Map, Value, json};

/// The situations that never happened, or a line that says that all did.
pub(super) fn never_as_text(explored: &Explored) -> String {
    let mut text = String::new();
    let never: Vec<String> = explored.statistics.situations.never().map(|situation| situation.to_string()).collect();
    let all = explored.reached.iter().count();
    writeln!(
        text,
        "{} of {all} situations reached{}",
        all - never.len(),
        if never.is_empty() { "" } else { "; never:" }
    )
    .expect("text grows");
    for situation in never {
        writeln!(text, "  {situation}").expect("text grows");
    }
    text
}

/// All situations: how often each happened, and in how many seeds.
pub(super) fn all_as_text(explored: &Explored) -> String {
    let mut text = format!("{:>12} {:>9}  situation\n", "times", "seeds");
    for ((situation, times), (_, seeds)) in explored.statistics.situations.iter().zip(explored.reached.iter()) {
        writeln!(text, "{times:>12} {seeds:>9}  {situation}").expect("text grows");
    }
    text
}

/// All situations by their sentence: how often each happened, and in how many seeds.
pub(super) fn as_json(explored: &Explored) -> Value {
    let counts = explored.statistics.situations.iter().zip(explored.reached.iter());
    let counts = counts
        .map(|((situation, times), (_, seeds))| (situation.to_string(), json!({ "times": times, "seeds": seeds })));
    Value::Object(counts.collect::<Map<String, Value>>())
}
