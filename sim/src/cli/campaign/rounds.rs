//! Round after round: old failures, the canary, and then the drivers by their weights.

use crate::campaign::record::{self, Driver, LAST, Unit};
use crate::output::tell;

use super::super::again::Next;
use super::super::bugs::switch_on;
use super::super::{HELD, VIOLATED};
use super::drivers::{At, Done, crashes, every_order, explore};
use super::folder::Folder;
use super::watch::Watch;
use super::{CampaignArguments, fuzz, hunt, old};

/// A campaign that goes on.
struct Campaign<'a> {
    arguments: &'a CampaignArguments,
    folder: Folder,
    watch: Watch,
    /// The units of a round after the first two.
    drivers: Vec<Driver>,
    units: u64,
    failures: u64,
    is_canary_missed: bool,
}

/// Runs rounds.
///
/// # Errors
/// The record cannot be read or written.
pub(super) fn run(arguments: &CampaignArguments) -> Result<u8, String> {
    hunt::check(arguments)?;
    // Names a bug that there is not before anything is done.
    drop(switch_on(arguments.bug.as_deref())?);
    // Names a file that there is not before anything is done.
    old::corpus(arguments)?;
    let folder = Folder::open(&arguments.record)?;
    let mut drivers = arguments.weights().units();
    if drivers.contains(&Driver::Fuzz)
        && let Some(missing) = fuzz::missing()
    {
        tell(format_args!("the fuzz targets are left out: {missing}"));
        drivers.retain(|driver| *driver != Driver::Fuzz);
    }
    let (watch, first) = (Watch::new(arguments.length), folder.history.next_round());
    let mut campaign = Campaign { arguments, folder, watch, drivers, units: 0, failures: 0, is_canary_missed: false };
    let ended = campaign.rounds(first);
    campaign.watch.finish();
    ended.and_then(|()| campaign.told(first))
}

impl Campaign<'_> {
    fn rounds(&mut self, first: u64) -> Result<(), String> {
        let rounds = self.arguments.rounds.unwrap_or(LAST);
        for round in (first..=LAST).take(usize::try_from(rounds).unwrap_or(usize::MAX)) {
            if !self.round(round)? {
                break;
            }
        }
        Ok(())
    }

    /// Runs a round. Whether another one is to follow.
    fn round(&mut self, round: u64) -> Result<bool, String> {
        let drivers = [(0, Driver::Corpus), (0, Driver::Canary)].into_iter().chain((1..).zip(self.drivers.clone()));
        for (number, driver) in drivers {
            // The first unit runs in any case: a campaign of none says nothing.
            if self.units > 0 && self.watch.is_over() {
                return Ok(false);
            }
            let Self { arguments, folder, watch, .. } = self;
            watch.now(format!("round {round}: {driver}"));
            let Some(done) = unit(driver, &At { arguments, folder, watch, round, number })? else { continue };
            if !self.ended(done)? {
                return Ok(false);
            }
        }
        Ok(!self.watch.is_over())
    }

    /// Tells of a unit and records it. Whether another one may follow.
    fn ended(&mut self, Done { unit, unwritten, hangs }: Done) -> Result<bool, String> {
        self.units += 1;
        self.failures += unit.failures.len() as u64;
        match self.arguments.json {
            true => self.watch.say(record::line(&unit).trim_end())?,
            false => self.watch.say(self.text(&unit))?,
        }
        self.folder.add(&unit)?;
        unwritten.map_or(Ok(()), Err)?;
        if hangs {
            self.watch
                .tell("something hangs, and its thread cannot be ended: the campaign ends, and a second start goes on");
        }
        self.is_canary_missed =
            unit.driver == Driver::Canary && unit.bug.as_ref().is_some_and(|bug| bug.caught.is_none());
        if self.is_canary_missed {
            let round = unit.round;
            self.watch.tell(format_args!(
                "the canary of round {round} was not caught: the round counts for nothing, and the campaign ends"
            ));
        }
        Ok(!hangs && !self.is_canary_missed)
    }

    fn text(&self, unit: &Unit) -> String {
        let Unit { round, driver, what, result, failures, .. } = unit;
        let mut text = format!("round {round}  {driver:7}  {what}: {result}");
        for failed in failures {
            text += &format!("\n  FAILED  {}", failed.said.trim_end().replace('\n', "\n          "));
            let trace = failed.trace.as_ref().map(|name| self.folder.whole(name));
            let next = trace.iter().flat_map(|trace| Next::of(trace).recorded().into_iter().take(1));
            next.for_each(|next| text += &format!("\n  next    {next}"));
        }
        text
    }

    /// Says what it came to.
    fn told(&self, first: u64) -> Result<u8, String> {
        let Self { units, failures, .. } = self;
        if !self.arguments.json {
            let last = self.folder.history.next_round() - 1;
            self.watch.say(format_args!("rounds {first} to {last}: {units} units, {failures} failures"))?;
        }
        Ok(if *failures > 0 || self.is_canary_missed { VIOLATED } else { HELD })
    }
}

/// Does a unit. `None` if there is nothing to do.
fn unit(driver: Driver, at: &At<'_>) -> Result<Option<Done>, String> {
    match driver {
        Driver::Corpus => old::again(at).map(Some),
        Driver::Canary => hunt::canary(at).map(Some),
        Driver::Explore => explore(at).map(Some),
        Driver::Bugs => hunt::bugs(at),
        Driver::Sweep => crashes(at).map(Some),
        Driver::Exhaust => every_order(at),
        Driver::Fuzz => fuzz::run(at).map(Some),
    }
}
