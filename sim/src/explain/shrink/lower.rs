//! Bringing the numbers in an event down: terms, indexes, times, sizes.

use serde_json::Value;

use crate::world::Event;

/// The event with one of its numbers brought down, all the way first. There is no such form of an event whose numbers
/// are only names, such as those of nodes and messages.
pub(super) fn lower(event: &Event) -> Vec<Event> {
    if !has_amounts(event) {
        return Vec::new();
    }
    let value = serde_json::to_value(event).expect("an event always has a JSON form");
    let mut forms = Vec::new();
    for position in 0..numbers(&value) {
        for bring in [|_| 0, |_| 1, |number| number / 2, |number: u64| number.saturating_sub(1)] {
            let mut lower = value.clone();
            let changed = change(&mut lower, &mut { position }, bring);
            // Zero is no node, for instance: such forms make no event.
            if let (true, Ok(lower)) = (changed, serde_json::from_value(lower)) {
                forms.push(lower);
            }
        }
    }
    forms
}

fn has_amounts(event: &Event) -> bool {
    matches!(
        event,
        Event::Inject { .. } | Event::SetElectionTimeout { .. } | Event::Compact { .. } | Event::Crash { .. }
    )
}

fn numbers(value: &Value) -> usize {
    match value {
        Value::Number(_) => 1,
        Value::Array(values) => values.iter().map(numbers).sum(),
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| is_amount(name)).map(|(_, value)| numbers(value)).sum()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
    }
}

/// Changes the number at this position, counted down to zero. Returns whether it is lower now.
fn change(value: &mut Value, position: &mut usize, bring: fn(u64) -> u64) -> bool {
    match value {
        Value::Number(number) if *position == 0 => {
            let before = number.as_u64().unwrap_or(0);
            *value = Value::from(bring(before));
            *position = usize::MAX;
            bring(before) < before
        }
        Value::Number(_) => {
            *position -= 1;
            false
        }
        Value::Array(values) => {
            values.iter_mut().any(|value| *position != usize::MAX && change(value, position, bring))
        }
        Value::Object(fields) => fields
            .iter_mut()
            .filter(|(name, _)| is_amount(name))
            .any(|(_, value)| *position != usize::MAX && change(value, position, bring)),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// Whether a number in a field of this name is an amount, not the name of something.
fn is_amount(name: &str) -> bool {
    !matches!(name, "node" | "from" | "to" | "peer" | "target" | "voters" | "learners")
}
