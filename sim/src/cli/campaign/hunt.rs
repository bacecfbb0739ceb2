//! The canary of a round, and the search for other planted bugs.

#[cfg(feature = "planted-bugs")]
pub(super) use planted::{bugs, canary, check};
#[cfg(not(feature = "planted-bugs"))]
pub(super) use without::{bugs, canary, check};

#[cfg(feature = "planted-bugs")]
mod planted {
    use raft::planted::Bug;

    use super::super::CampaignArguments;
    use super::super::drivers::{At, Done};
    use super::super::seeds::{self, Ends};
    use crate::campaign::explore::{Failure, run_seed};
    use crate::campaign::hunt::{differs_between_runs, named_for};
    use crate::campaign::record::{self, Driver, Hunted};
    use crate::planted;
    use crate::trace::REVISION;

    /// Whether there is such a canary.
    pub(in super::super) fn check(arguments: &CampaignArguments) -> Result<(), String> {
        arguments.canary.as_deref().map_or(Ok(()), |name| planted::named(name).map(drop))
    }

    /// Runs seeds with the planted bug that has to be caught in this round.
    pub(in super::super) fn canary(at: &At<'_>) -> Result<Done, String> {
        let bug = at.arguments.canary.as_deref().map_or_else(|| Ok(record::canary(at.round)), planted::named)?;
        look_for(at, Driver::Canary, bug, at.arguments.canary_seeds)
    }

    /// Looks for the planted bug that was looked for least often at this revision.
    pub(in super::super) fn bugs(at: &At<'_>) -> Result<Option<Done>, String> {
        let known = at.folder.history.of(REVISION).map(|revision| &revision.bugs);
        let times = |bug: &Bug| known.and_then(|known| known.get(&bug.name())).map_or(0, |search| search.units);
        let bug = Bug::ALL.into_iter().min_by_key(times);
        bug.map(|bug| look_for(at, Driver::Bugs, bug, at.arguments.seeds)).transpose()
    }

    fn look_for(at: &At<'_>, driver: Driver, bug: Bug, count: u64) -> Result<Done, String> {
        let (name, range) = (bug.name(), at.seeds(count));
        let is_named = |failure: &Failure| named_for(failure.property(), bug).is_some();
        let mut unit = at.unit(driver, format!("{name}, from seed {} on", range.start));
        let how = Some((&*name, differs_between_runs(bug)));
        let Ends { ends, hangs } = seeds::run(range, how, is_named, at.arguments, at.watch)?;
        let mut caught = None;
        for end in ends {
            unit.seeds += 1;
            unit.events += end.events;
            let Some(failure) = end.failure.filter(is_named) else { continue };
            // If the seed fails without the bug as well, the bug has nothing to do with it.
            if run_seed(end.seed, &at.arguments.overrides()).failure().is_none() {
                caught = Some(failure.property().name().to_owned());
                break;
            }
        }
        unit.result = match &caught {
            Some(property) => format!("caught by {property}, seeds {}, events {}", unit.seeds, unit.events),
            None => format!("not caught by {} seeds", unit.seeds),
        };
        unit.bug = Some(Hunted { name, caught });
        Ok(Done { hangs, ..Done::of(unit) })
    }
}

/// A build that has no planted bugs.
#[cfg(not(feature = "planted-bugs"))]
mod without {
    use super::super::super::bugs::switch_on;
    use super::super::CampaignArguments;
    use super::super::drivers::{At, Done};
    use crate::campaign::record::Driver;

    pub(in super::super) fn check(arguments: &CampaignArguments) -> Result<(), String> {
        switch_on(arguments.canary.as_deref()).map(drop)
    }

    pub(in super::super) fn canary(at: &At<'_>) -> Result<Done, String> {
        let mut unit = at.unit(Driver::Canary, "no canary");
        unit.result = "this build has no planted bugs, so nothing shows that the checks work".to_owned();
        Ok(Done::of(unit))
    }

    pub(in super::super) fn bugs(_: &At<'_>) -> Result<Option<Done>, String> {
        Ok(None)
    }
}
