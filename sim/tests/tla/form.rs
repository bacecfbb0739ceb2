//! The form: which fields a line has, in which order lines stand, and that terms only rise.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{WRITTEN, of_script, read};

/// The names that the trace validation knows.
const NAMES: [&str; 19] = [
    "InitState",
    "BecomeCandidate",
    "BecomeFollower",
    "BecomeLeader",
    "Commit",
    "Replicate",
    "ChangeConf",
    "ApplyConfChange",
    "Ready",
    "SendAppendEntriesRequest",
    "ReceiveAppendEntriesRequest",
    "SendAppendEntriesResponse",
    "ReceiveAppendEntriesResponse",
    "SendRequestVoteRequest",
    "ReceiveRequestVoteRequest",
    "SendRequestVoteResponse",
    "ReceiveRequestVoteResponse",
    "SendSnapshot",
    "ReceiveSnapshot",
];

/// What each message is called in a line, without `Send` or `Receive`.
const MESSAGES: [(&str, &str); 6] = [
    ("MsgApp", "AppendEntriesRequest"),
    ("MsgHeartbeat", "AppendEntriesRequest"),
    ("MsgAppResp", "AppendEntriesResponse"),
    ("MsgHeartbeatResp", "AppendEntriesResponse"),
    ("MsgVote", "RequestVoteRequest"),
    ("MsgVoteResp", "RequestVoteResponse"),
];

type Wrong = Result<(), String>;

/// Says what is wrong with the form of a file, if anything is.
pub(super) fn check(lines: &[Value]) -> Wrong {
    if lines.is_empty() {
        return Err("there is no line: a validation that reads nothing passes".to_owned());
    }
    let mut known = Known::default();
    for (number, line) in (1..).zip(lines) {
        check_line(line, &mut known).map_err(|wrong| format!("line {number}: {wrong}"))?;
    }
    Ok(())
}

/// What the lines so far have shown.
#[derive(Default)]
struct Known {
    time: u64,
    /// For each node its term.
    terms: BTreeMap<String, u64>,
    /// How many of each message were sent by a node of which no Ready told yet, and how many are under way.
    made: BTreeMap<String, Vec<String>>,
    under_way: BTreeMap<String, u64>,
}

fn check_line(line: &Value, known: &mut Known) -> Wrong {
    has_keys(line, &["level", "ts", "msg", "tag", "event"], &[])?;
    is(line["tag"] == "trace", "the tag is not trace, so that validation skips the line")?;
    let time = line["ts"].as_u64().ok_or("the time is no number")?;
    is(time > known.time, "the time does not rise")?;
    known.time = time;
    let event = &line["event"];
    has_keys(event, &["name", "nid", "state", "role", "log", "conf"], &["msg", "prop"])?;
    has_keys(&event["state"], &["term", "vote", "commit"], &[])?;
    let name = event["name"].as_str().filter(|name| NAMES.contains(name)).ok_or("there is no such name")?;
    let node = event["nid"].as_str().filter(|node| node.parse::<u64>().is_ok()).ok_or("nid is no number as text")?;
    is(["StateFollower", "StateCandidate", "StateLeader"].iter().any(|role| event["role"] == *role), "no such role")?;
    is(event["state"]["vote"].is_string() && event["log"].is_u64(), "a vote is text, and a log a number")?;
    is(event["conf"].as_array().is_some_and(|halves| halves.len() == 2 && halves.iter().all(Value::is_array)), "conf")?;
    let term = event["state"]["term"].as_u64().ok_or("a term is a number")?;
    match known.terms.insert(node.to_owned(), term) {
        None => is(name == "InitState", "a node begins with something else than InitState")?,
        Some(before) => is(before <= term, "the term of a node falls")?,
    }
    match (name.strip_prefix("Send"), name.strip_prefix("Receive")) {
        (Some(kind), _) => sends(event, kind, node, known),
        (_, Some(kind)) => receives(event, kind, node, known),
        (None, None) => other(event, name, node, known),
    }
}

fn sends(event: &Value, kind: &str, node: &str, known: &mut Known) -> Wrong {
    let message = message(event, kind)?;
    is(event["msg"]["from"] == node, "a node sends in the name of another")?;
    known.made.entry(node.to_owned()).or_default().push(message);
    Ok(())
}

/// A message arrives no more often than it was sent, and after a Ready of its sender.
fn receives(event: &Value, kind: &str, node: &str, known: &mut Known) -> Wrong {
    let message = message(event, kind)?;
    is(event["msg"]["to"] == node, "a node gets what is for another")?;
    let count = known.under_way.get_mut(&message).filter(|count| **count > 0);
    *count.ok_or("a message arrives that is not under way")? -= 1;
    Ok(())
}

fn other(event: &Value, name: &str, node: &str, known: &mut Known) -> Wrong {
    is(event.get("msg").is_none(), "a message without a reason")?;
    let change = &event["prop"]["cc"];
    match name {
        "ChangeConf" => {
            is(change["changes"].as_array().is_some_and(|changes| changes.len() == 1), "one change at a time")?
        }
        "ApplyConfChange" => is(change["newconf"].is_array(), "who votes now is missing")?,
        _ => is(event.get("prop").is_none(), "a property without a reason")?,
    }
    let made = known.made.entry(node.to_owned()).or_default();
    match name {
        "Ready" => made.drain(..).for_each(|message| *known.under_way.entry(message).or_default() += 1),
        "InitState" => made.clear(),
        _ => {}
    }
    Ok(())
}

/// A message as text, by which it is known again.
fn message(event: &Value, kind: &str) -> Result<String, String> {
    let message = &event["msg"];
    let fields =
        ["type", "term", "from", "to", "entries", "logTerm", "index", "commit", "vote", "reject", "rejectHint"];
    has_keys(message, &fields, &[])?;
    let is_its = MESSAGES.iter().any(|(name, its)| message["type"] == *name && kind == *its);
    is(is_its, "the message is not what the name of the line says")?;
    Ok(message.to_string())
}

/// All of these, and perhaps some of those.
fn has_keys(value: &Value, needed: &[&str], more: &[&str]) -> Wrong {
    let keys: Vec<&str> = value.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    let has_all = needed.iter().all(|key| keys.contains(key));
    let is_known = |key: &&str| needed.contains(key) || more.contains(key);
    is(has_all && keys.iter().all(is_known), &format!("the fields are {keys:?}, and not {needed:?}"))
}

/// The fields of a line in the order in which they stand.
fn keys_in_order(line: &str) -> Vec<&str> {
    line.split("\":").filter_map(|before| Some(before.rsplit_once('"')?.1)).filter(|key| !key.contains('}')).collect()
}

fn is(holds: bool, wrong: &str) -> Wrong {
    if holds { Ok(()) } else { Err(wrong.to_owned()) }
}

fn written() -> Vec<Value> {
    read(&of_script(WRITTEN).text())
}

/// The form of the file after one line was changed: the first with this name.
fn after(name: &str, change: impl FnOnce(&mut Value)) -> Wrong {
    let mut lines = written();
    let line = lines.iter_mut().find(|line| line["event"]["name"] == name).expect("a line of this name");
    change(line);
    check(&lines)
}

#[test]
fn a_file_has_the_form_that_validation_reads() {
    assert_eq!(check(&written()), Ok(()));
}

#[test]
fn the_fields_of_each_line_stand_in_the_order_of_etcds_logger() {
    let logged =
        ["level", "ts", "msg", "tag", "event", "name", "nid", "state", "term", "vote", "commit", "role", "log", "conf"];
    let message =
        ["msg", "type", "term", "from", "to", "entries", "logTerm", "index", "commit", "vote", "reject", "rejectHint"];
    for line in of_script(WRITTEN).text().lines() {
        let keys = keys_in_order(line);
        let rest = keys.strip_prefix(&logged).unwrap_or_else(|| panic!("{keys:?}"));
        assert!(rest.is_empty() || rest == message, "{keys:?}");
    }
    assert_eq!(keys_in_order("{\"a\":\"b\",\"c\":{\"d\":1}}"), ["a", "c", "d"]);
}

#[test]
fn a_file_without_lines_is_refused_since_its_validation_would_pass() {
    assert!(check(&[]).is_err());
}

#[test]
fn each_fault_of_form_is_found() {
    let says = |wrong: Wrong, words: &str| assert!(wrong.clone().is_err_and(|said| said.contains(words)), "{wrong:?}");
    says(after("Ready", |line| line["tag"] = json!("info")), "tag");
    says(after("Ready", |line| line["ts"] = json!(1)), "time");
    says(after("Ready", |line| line["event"]["name"] = json!("Done")), "no such name");
    says(after("Ready", |line| line["event"]["nid"] = json!(1)), "nid");
    says(after("Ready", |line| line["event"]["role"] = json!("StatePreCandidate")), "role");
    says(after("Ready", |line| line["event"]["state"]["vote"] = json!(0)), "vote");
    says(after("Commit", |line| line["event"]["state"]["term"] = json!(0)), "falls");
    says(after("InitState", |line| line["event"]["name"] = json!("Ready")), "begins");
    says(after("SendAppendEntriesRequest", |line| line["event"]["msg"]["from"] = json!("9")), "name of another");
    says(after("ReceiveRequestVoteRequest", |line| line["event"]["msg"]["to"] = json!("9")), "for another");
    says(after("ReceiveRequestVoteRequest", |line| line["event"]["msg"]["index"] = json!(9)), "not under way");
    says(after("SendRequestVoteRequest", |line| line["event"]["msg"]["type"] = json!("MsgApp")), "name of the line");
    says(after("Ready", |line| line["event"]["msg"] = json!({})), "reason");
    says(after("BecomeLeader", |line| line["event"]["prop"] = json!({})), "reason");
    let fields = |line: &mut Value| drop(line["event"]["msg"].as_object_mut().expect("a message").remove("vote"));
    says(after("SendRequestVoteRequest", fields), "fields");
}

#[test]
fn a_message_does_not_arrive_before_a_ready_of_its_sender() {
    let mut lines = written();
    let at = lines.iter().position(|line| line["event"]["name"] == "Ready").expect("a Ready");
    lines.remove(at);
    assert!(check(&lines).is_err_and(|wrong| wrong.contains("not under way")));
}
