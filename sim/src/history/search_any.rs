//! The full search for a user's application: the same question as in [`search`](super::search()), answered by doing the
//! operations on copies of a model.
//!
//! It knows nothing of what operations do, so that it has fewer ways to be short: two partial orders of the same operations that
//! lead to states of the same hash have the same future, and one of them is followed (Lowe 2017).

use std::collections::BTreeSet;

use raft::Index;

use super::operation::{Answer, Fate, Operation, Record};
use super::search::Verdict;
use crate::application::{Application, Request};

/// Looks for an order of these operations that explains all answers of this model. The budget is the number of partial orders
/// that it visits at most.
pub fn search_with(model: &dyn Application, records: &[Record], budget: usize) -> Verdict {
    match search_order_with(model, records, budget) {
        Ok(_) => Verdict::Linearizable,
        Err(verdict) => verdict,
    }
}

/// The same, with the order that it found: positions of records.
///
/// # Errors
/// There is none, or none was found.
pub fn search_order_with(model: &dyn Application, records: &[Record], budget: usize) -> Result<Vec<usize>, Verdict> {
    if records.len() > Record::SEARCHABLE {
        return Err(Verdict::Undecided);
    }
    let mut positions: Vec<usize> = (0..records.len()).filter(|position| is_judged(&records[*position])).collect();
    positions.sort_by_key(|position| records[*position].invoked);
    let calls: Vec<&Record> = positions.iter().map(|position| &records[*position]).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![(0u128, Vec::new(), model.clone_boxed())];
    while let Some((done, order, state)) = open.pop() {
        let is_left = |position: &usize| done & (1 << position) == 0;
        let left: Vec<usize> = (0..calls.len()).filter(is_left).collect();
        let ends = |position: &usize| answered(calls[*position]).map(|(step, _)| step);
        let Some(earliest) = left.iter().filter_map(ends).min() else { return Ok(order) };
        if !seen.insert((done, state.hash())) {
            continue;
        }
        if seen.len() > budget {
            return Err(Verdict::Undecided);
        }
        let mut next: Vec<usize> = left.into_iter().filter(|position| calls[*position].invoked <= earliest).collect();
        // A stack gives back the last: what was answered earliest is tried first, and what nobody was told of at the end.
        next.sort_by_key(|position| std::cmp::Reverse(ends(position).unwrap_or(u64::MAX)));
        open.extend(next.into_iter().filter_map(|position| {
            let mut state = state.clone();
            let order = order.iter().copied().chain([positions[position]]).collect();
            happens(&mut *state, calls[position]).then_some((done | 1 << position, order, state))
        }));
    }
    Err(Verdict::Impossible)
}

/// A question that nobody answered says nothing.
const fn is_judged(record: &Record) -> bool {
    !matches!((&record.operation, &record.fate), (Operation::Query { .. }, Fate::Unknown { .. }))
}

const fn answered(record: &Record) -> Option<(u64, &Answer)> {
    match &record.fate {
        Fate::Answered { step, answer } => Some((*step, answer)),
        Fate::Unknown { .. } => None,
    }
}

/// Does the operation. Whether it is answered as it was.
fn happens(model: &mut dyn Application, record: &Record) -> bool {
    let answer = match &record.operation {
        Operation::Request { data } => {
            let Record { client, sequence, .. } = *record;
            model.apply(&Request { index: Index::ZERO, client, sequence, data })
        }
        Operation::Query { data } => model.query(data),
        Operation::Read { .. } | Operation::Write { .. } | Operation::CompareAndSet { .. } => return false,
    };
    answered(record).is_none_or(|(_, told)| *told == Answer::Reply(answer))
}
