//! The hunt for planted bugs as it was recorded: which properties caught each bug.

/// What `sim bugs --starts 3` printed.
const HUNT: &str = include_str!("../../recorded/bugs.txt");

/// A planted bug, and the properties that runs with it broke first, by their names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Catch {
    pub(super) bug: &'static str,
    pub(super) by: Vec<&'static str>,
}

/// Every bug of the recorded hunt, in its order.
pub(super) fn catches() -> impl Iterator<Item = Catch> {
    HUNT.lines().skip(1).filter_map(catch)
}

/// A line of the table: columns stand two blanks apart, and the second holds what caught the bug.
fn catch(line: &'static str) -> Option<Catch> {
    let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
    let (bug, caught_by) = (columns.next()?, columns.next()?);
    let name = |said: &'static str| said.split_once(" (").map_or(said, |(name, _)| name);
    Some(Catch { bug, by: caught_by.split(", ").map(name).collect() })
}

#[cfg(test)]
mod tests {
    use crate::trace::Property;

    use super::*;

    #[test]
    fn the_recorded_hunt_names_bugs_and_properties_that_exist() {
        let known: Vec<&str> = Property::all().map(Property::name).collect();
        let catches: Vec<Catch> = catches().collect();
        assert!(catches.len() >= 59, "{} bugs", catches.len());
        for Catch { bug, by } in catches {
            assert!(!by.is_empty() && by.iter().all(|name| known.contains(name)), "{bug} is caught by {by:?}");
        }
    }

    #[test]
    fn a_line_names_the_checks_that_caught_the_bug_without_the_properties_that_they_stand_for() {
        let line = "joint-union-quorum  election-safety, commit-quorum (leader completeness)  4  5 (worst 6)";
        let by = vec!["election-safety", "commit-quorum"];
        assert_eq!(catch(line), Some(Catch { bug: "joint-union-quorum", by }));
        assert_eq!(catch("55 of 55 bugs are caught"), None);
        assert_eq!(catch("leader-overwrites-unstable also broke run-loop in 1 (seed 2000000)"), None);
    }
}
