//! What nodes do, by some rules of the specification: a small validation, which knows nothing of the simulator.
//!
//! It follows the votes, the logs' lengths and what leaders were acknowledged, and says where a line contradicts them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a file has shown so far.
#[derive(Default)]
struct Followed {
    /// For each node and term, for whom it has voted.
    votes: BTreeMap<(String, u64), String>,
    /// For each leader, its term and how long its log is: it only grows.
    led: BTreeMap<String, (u64, u64)>,
    /// For each leader and term, what each member has acknowledged.
    acknowledged: BTreeMap<(String, u64), BTreeMap<String, u64>>,
    /// For each candidate and term, who has granted its vote.
    granted: BTreeMap<(String, u64), BTreeSet<String>>,
    /// For each term, where its first entry is.
    begins: BTreeMap<u64, u64>,
    /// For each node, the log that it showed last, and the commit index.
    shown: BTreeMap<String, (u64, u64)>,
}

/// Says which line contradicts the ones before it, if one does.
pub(super) fn contradiction(lines: &[Value]) -> Option<String> {
    let mut followed = Followed::default();
    (1..).zip(lines).find_map(|(number, line)| {
        let event = &line["event"];
        let wrong = followed.votes_twice(event).or_else(|| followed.leads_without_votes(event));
        let wrong = wrong.or_else(|| followed.commits_too_much(event)).or_else(|| followed.leads_otherwise(event));
        wrong.or_else(|| followed.takes_back(event)).map(|wrong| format!("line {number}: {wrong}"))
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

impl Followed {
    /// A node votes once in a term.
    fn votes_twice(&mut self, event: &Value) -> Option<String> {
        let message = &event["msg"];
        if event["name"] != "SendRequestVoteResponse" || message["reject"] == true {
            return None;
        }
        let (node, to) = (text(&message["from"]).to_owned(), text(&message["to"]));
        let first = self.votes.entry((node.clone(), number(&message["term"]))).or_insert_with(|| to.to_owned());
        (first != to).then(|| format!("node {node} votes for {to}, and has voted for {first}"))
    }

    /// A leader has the votes of a majority.
    fn leads_without_votes(&mut self, event: &Value) -> Option<String> {
        let (node, term) = (text(&event["nid"]).to_owned(), number(&event["state"]["term"]));
        let message = &event["msg"];
        if event["name"] == "ReceiveRequestVoteResponse" && message["reject"] == false && message["term"] == term {
            self.granted.entry((node.clone(), term)).or_default().insert(text(&message["from"]).to_owned());
        }
        if event["name"] != "BecomeLeader" {
            return None;
        }
        let voters = event["conf"][0].as_array()?;
        let has = |voter: &&Value| self.granted.get(&(node.clone(), term)).is_some_and(|all| all.contains(text(voter)));
        (voters.iter().filter(has).count() * 2 <= voters.len()).then(|| format!("node {node} leads without a majority"))
    }

    /// A leader commits what a majority has acknowledged, and with an entry of its own term.
    fn commits_too_much(&mut self, event: &Value) -> Option<String> {
        let (node, term) = (text(&event["nid"]).to_owned(), number(&event["state"]["term"]));
        let message = &event["msg"];
        let acknowledged = self.acknowledged.entry((node.clone(), term)).or_default();
        if event["name"] == "ReceiveAppendEntriesResponse"
            && message["type"] == "MsgAppResp"
            && message["reject"] == false
            && message["term"] == term
        {
            let known = acknowledged.entry(text(&message["from"]).to_owned()).or_default();
            *known = number(&message["index"]).max(*known);
        }
        if event["name"] == "BecomeLeader" {
            self.begins.insert(term, number(&event["log"]) + 1);
        }
        if event["name"] != "Commit" {
            return None;
        }
        let commit = number(&event["state"]["commit"]);
        let voters = event["conf"][0].as_array()?;
        let has = |voter: &&Value| acknowledged.get(text(voter)).is_some_and(|index| *index >= commit);
        let is_of_its_term = self.begins.get(&term).is_some_and(|first| commit >= *first);
        let holds = voters.iter().filter(has).count() * 2 > voters.len() && is_of_its_term;
        (!holds)
            .then(|| format!("node {node} commits {commit}, which no majority has acknowledged, or not in its term"))
    }

    /// A leader's log is as long as the entries that it appends say.
    fn leads_otherwise(&mut self, event: &Value) -> Option<String> {
        let (node, term, log) =
            (text(&event["nid"]).to_owned(), number(&event["state"]["term"]), number(&event["log"]));
        match text(&event["name"]) {
            "BecomeLeader" => drop(self.led.insert(node, (term, log))),
            "Replicate" | "ChangeConf" => {
                self.led.entry(node).and_modify(|led| led.1 += 1).or_insert((term, log + 1)).1 += 0
            }
            "SendAppendEntriesRequest" | "SendAppendEntriesResponse" if event["role"] == "StateLeader" => {
                let led = self.led.get(&node).filter(|led| led.0 == term)?;
                return (led.1 != log)
                    .then(|| format!("the log of leader {node} ends at {log}, and it has appended up to {}", led.1));
            }
            _ => {}
        }
        None
    }

    /// A commit index does not fall while a node runs, and no log ends before it.
    fn takes_back(&mut self, event: &Value) -> Option<String> {
        let (node, log, commit) =
            (text(&event["nid"]).to_owned(), number(&event["log"]), number(&event["state"]["commit"]));
        let before = self.shown.insert(node.clone(), (log, commit));
        let falls = event["name"] != "InitState" && before.is_some_and(|(_, before)| commit < before);
        (falls || commit > log)
            .then(|| format!("node {node} has committed {commit}, its log ends at {log}, before: {before:?}"))
    }
}
