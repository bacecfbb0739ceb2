//! The file of a record: JSON lines, of which the last may be torn.

use serde::{Deserialize, Serialize};

use super::rounds::LAST;
use super::{History, Unit};

/// What the first line calls the format.
pub const FORMAT: &str = "raft-sim-campaign";

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// The first line.
pub fn head() -> String {
    text(&Head { format: FORMAT.to_owned(), version: VERSION })
}

/// The line of a unit.
pub fn line(unit: &Unit) -> String {
    text(unit)
}

fn text(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("a line always has a JSON form") + "\n"
}

/// What is in a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    /// What its lines come to.
    pub history: History,
    /// How many bytes its whole lines have. What comes after them was being written when the process or the machine stopped.
    pub whole: usize,
}

/// Why a file is no record.
#[derive(Debug, thiserror::Error)]
pub enum NotARecord {
    /// A line is something else, or damaged.
    #[error("line {0} is not one of a record: {1}")]
    Damaged(usize, serde_json::Error),
    /// It is of another format.
    #[error("it is not the record of a campaign: its format is {0:?}, not {FORMAT:?}")]
    Format(String),
    /// It is of another version.
    #[error("it is of version {0} of the format, and this program reads version {VERSION}")]
    Version(u32),
    /// A round that cannot be.
    #[error("line {0} is of round {1}, and rounds go from 1 to {LAST}")]
    Round(usize, u64),
}

/// Reads a record. A last line without an end is passed over.
///
/// ```
/// use sim::campaign::record::{Driver, Unit, head, line, read};
/// let unit = Unit::new("abc", 1, Driver::Canary, "seeds");
/// let torn = head() + &line(&unit) + "{\"revision\":\"ab";
/// let read = read(torn.as_bytes())?;
/// assert_eq!(read.history.next_round(), 2);
/// assert_eq!(&torn[read.whole..], "{\"revision\":\"ab");
/// # Ok::<(), sim::campaign::record::NotARecord>(())
/// ```
///
/// # Errors
/// It is something else, damaged, or of another version.
pub fn read(bytes: &[u8]) -> Result<Read, NotARecord> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let mut history = History::default();
    for (number, line) in (1..).zip(bytes[..whole].split_inclusive(|byte| *byte == b'\n')) {
        let damaged = |error| NotARecord::Damaged(number, error);
        if number == 1 {
            let Head { format, version } = serde_json::from_slice(line).map_err(damaged)?;
            match (&*format, version) {
                (FORMAT, VERSION) => continue,
                (FORMAT, _) => return Err(NotARecord::Version(version)),
                _ => return Err(NotARecord::Format(format)),
            }
        }
        let unit: Unit = serde_json::from_slice(line).map_err(damaged)?;
        if !(1..=LAST).contains(&unit.round) {
            return Err(NotARecord::Round(number, unit.round));
        }
        history.add(&unit);
    }
    Ok(Read { history, whole })
}

#[cfg(test)]
mod tests {
    use super::super::{Driver, Failed, Hunted, Took};
    use super::*;

    fn unit(round: u64) -> Unit {
        let failed = Failed {
            property: "vote-once".to_owned(),
            said: "node 1 voted twice".to_owned(),
            events: 9,
            seed: Some(u64::MAX),
            trace: Some("failures/a.jsonl".to_owned()),
        };
        Unit {
            failures: vec![failed],
            met: [("a split vote".to_owned(), Took { seeds: 2, events: 90 })].into(),
            bug: Some(Hunted { name: "a-bug".to_owned(), caught: None }),
            ..Unit::new("abc", round, Driver::Bugs, "ä")
        }
    }

    #[test]
    fn a_unit_comes_back_from_its_line() {
        for unit in [unit(3), Unit::new("abc", 1, Driver::Fuzz, "")] {
            assert_eq!(serde_json::from_str::<Unit>(&line(&unit)).unwrap(), unit);
        }
    }

    #[test]
    fn wherever_a_record_is_torn_its_whole_lines_are_read() {
        let text = head() + &line(&unit(1)) + &line(&unit(2));
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        for cut in 0..=text.len() {
            let read = read(&text.as_bytes()[..cut]).unwrap();
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(read.whole, ends[..whole].last().copied().unwrap_or(0));
            assert_eq!(read.history.next_round(), whole.saturating_sub(1) as u64 + 1);
        }
    }

    #[test]
    fn what_is_no_record_is_refused_with_the_reason() {
        let good = head() + &line(&unit(1));
        let cases = [
            ("x\n".to_owned(), "line 1 is not one of a record"),
            (good.replace(FORMAT, "other"), "its format is \"other\""),
            (good.replace("\"version\":1", "\"version\":2"), "of version 2 of the format"),
            (good.clone() + "{}\n", "line 3 is not one of a record: missing field"),
            (head() + &line(&unit(0)), "line 2 is of round 0"),
        ];
        for (text, said) in cases {
            let error = read(text.as_bytes()).expect_err(said).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
