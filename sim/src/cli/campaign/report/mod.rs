//! What is in a record: as text, as a JSON line, and as a page.

mod drawing;
mod page;

use std::fmt::Write;

use crate::campaign::record::{Canaries, History, Revision};
use crate::output::{self, print, say};
use crate::situation::Situation;
use serde_json::{Value, json};

use super::super::{HELD, say_written};
use super::{CampaignArguments, folder};

/// Reads the record, also while a campaign goes on, and prints the report.
///
/// # Errors
/// There is no record, or the page cannot be written.
pub(super) fn run(arguments: &CampaignArguments) -> Result<u8, String> {
    let history = folder::read(&arguments.record)?;
    if let Some(path) = &arguments.out {
        let written = output::write(path, page::of(&history).as_bytes());
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    match (arguments.json, &arguments.out) {
        (true, _) => say(as_json(&history))?,
        (false, None) => print(as_text(&history))?,
        (false, Some(path)) => say_written(path)?,
    }
    Ok(HELD)
}

/// The rounds of a revision in words.
fn rounds(Canaries { caught, missed, none, unfinished }: Canaries) -> String {
    let some = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let parts = [
        some(caught, "counted"),
        some(none, "without a canary"),
        some(missed, "for nothing: the canary was not caught"),
        some(unfinished, "for nothing: ended before the canary"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn as_text(history: &History) -> String {
    let mut text = String::new();
    for revision in &history.revisions {
        let (explored, events) = (revision.explored(), revision.total().events);
        let (met, all) = (revision.met.len(), Situation::ALL.len());
        let lines = [
            ("revision", revision.revision.clone()),
            ("rounds", rounds(revision.canaries)),
            ("ran", format!("{} seeds explored, {events} events of all drivers", explored.seeds)),
            ("situations", format!("{met} of {all} met")),
            ("bugs", format!("{} of {} planted bugs caught", revision.caught(), revision.bugs.len())),
            ("failures", revision.failures.len().to_string()),
        ];
        for (name, value) in lines {
            writeln!(text, "{name:12}{value}").expect("text grows");
        }
        for broken in &revision.failures {
            let (round, driver, failed) = (broken.round, broken.driver, &broken.failed);
            let trace = failed.trace.as_deref().unwrap_or("no trace");
            writeln!(text, "  {}, {} events, round {round}, {driver}: {trace}", failed.property, failed.events)
                .expect("text grows");
        }
        text.push('\n');
    }
    text + "How long each situation and each planted bug took: --json, or -o page.html\n"
}

fn as_json(history: &History) -> Value {
    json!({ "revisions": history.revisions.iter().map(of_revision).collect::<Vec<_>>() })
}

fn of_revision(revision: &Revision) -> Value {
    let ran = revision.ran.iter().map(|(driver, ran)| (driver.name().to_owned(), json!(ran)));
    let never = Situation::ALL.into_iter().map(|situation| situation.to_string());
    json!({
        "revision": revision.revision,
        "rounds": revision.canaries,
        "ran": ran.collect::<serde_json::Map<String, Value>>(),
        "failures": revision.failures,
        "situations": revision.met,
        "never_met": never.filter(|situation| !revision.met.contains_key(situation)).collect::<Vec<_>>(),
        "bugs": revision.bugs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::record::{Driver, Failed, Hunted, Took, Unit};

    /// Two revisions, the second without planted bugs.
    pub(super) fn history() -> History {
        let mut history = History::default();
        let bug = |name: &str, caught: bool| {
            Some(Hunted { name: name.to_owned(), caught: caught.then(|| "vote-once".to_owned()) })
        };
        let failed = Failed {
            property: "vote-once".to_owned(),
            said: "node <1> voted twice".to_owned(),
            events: 9,
            seed: Some(7),
            trace: Some("failures/vote-once-7.jsonl".to_owned()),
        };
        let met = [(Situation::SplitVote.to_string(), Took { seeds: 3, events: 300 })];
        let units = [
            Unit { bug: bug("canary", true), ..Unit::new("first", 1, Driver::Canary, "") },
            Unit { seeds: 10, events: 1000, met: met.into(), ..Unit::new("first", 1, Driver::Explore, "") },
            Unit { seeds: 4, events: 400, bug: bug("one-bug", true), ..Unit::new("first", 1, Driver::Bugs, "") },
            Unit { seeds: 9, events: 900, bug: bug("other-bug", false), ..Unit::new("first", 1, Driver::Bugs, "") },
            Unit { bug: bug("canary", false), ..Unit::new("first", 2, Driver::Canary, "") },
            Unit::new("second", 3, Driver::Canary, ""),
            Unit { seeds: 20, events: 50, failures: vec![failed], ..Unit::new("second", 3, Driver::Explore, "") },
        ];
        units.iter().for_each(|unit| history.add(unit));
        history
    }

    #[test]
    fn the_text_says_of_each_revision_what_ran_and_what_failed() {
        let text = as_text(&history());
        let all = Situation::ALL.len();
        let said = [
            "rounds      1 counted, 1 for nothing: the canary was not caught\n",
            "ran         10 seeds explored, 2300 events of all drivers\n",
            &format!("situations  1 of {all} met\n"),
            "bugs        1 of 2 planted bugs caught\nfailures    0\n",
            "revision    second\nrounds      1 without a canary\n",
            "failures    1\n  vote-once, 9 events, round 3, explore: failures/vote-once-7.jsonl\n",
        ];
        said.iter().for_each(|said| assert!(text.contains(said), "{said:?} in:\n{text}"));
    }

    #[test]
    fn the_json_has_how_long_everything_took() {
        let json = as_json(&history());
        let first = &json["revisions"][0];
        assert_eq!(first["situations"][Situation::SplitVote.to_string()], json!({ "seeds": 3, "events": 300 }));
        assert_eq!(first["never_met"].as_array().map(Vec::len), Some(Situation::ALL.len() - 1));
        assert_eq!(first["bugs"]["one-bug"], json!({ "caught": "vote-once", "seeds": 4, "events": 400, "units": 1 }));
        assert_eq!(first["bugs"]["other-bug"]["caught"], Value::Null);
        assert_eq!(json["revisions"][1]["failures"][0]["seed"], "7");
    }
}
