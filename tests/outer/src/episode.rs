//! One cluster from its beginning to its end: faults as planned, then none, and what clients were told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::clients::{self, Shared};
use crate::cluster::{Cluster, Program};
use crate::history::{History, Summary};
use crate::plan::{self, Planned};
use crate::proxy::Counts;
use crate::trouble::Trouble;

/// How often processes and the history are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long the cluster may take to answer when faults are over.
const RECOVERY: Duration = Duration::from_secs(30);

/// What an episode is made of.
pub struct Episode {
    /// What decides the plan.
    pub seed: u64,
    /// How many processes there are in the beginning.
    pub nodes: u64,
    /// How long faults go on.
    pub length: Duration,
    /// Where everything goes.
    pub directory: PathBuf,
}

/// What came of it.
pub struct Outcome {
    /// What clients did.
    pub summary: Summary,
    /// What was done to the processes.
    pub done: Done,
    /// What the small disk was.
    pub disk: &'static str,
    /// What is wrong.
    pub failure: Option<Failure>,
    /// What happened, with the time since the episode began.
    pub events: Vec<(Duration, String)>,
    /// What clients were told.
    pub history: Arc<History>,
}

/// Something that must not be.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Whether what clients were told is wrong: something that was acknowledged is gone, or was never so.
    pub lost: bool,
    /// What is wrong, in words.
    pub what: String,
}

/// How often something was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Processes that were killed.
    pub kills: u64,
    /// Processes that were stopped for a while.
    pub stops: u64,
    /// Disks that were filled.
    pub full_disks: u64,
    /// Processes that ended since they had no room.
    pub ended_full: u64,
    /// Members that were added.
    pub added: u64,
    /// Members that were removed.
    pub removed: u64,
    /// Strangers that came.
    pub strangers: u64,
    /// Connections that were cut off, or not let through.
    pub cuts: u64,
    /// Of these, connections that were cut off in the middle of what was on its way.
    pub truncated: u64,
    /// Pieces of connections that were dropped.
    pub dropped: u64,
    /// Pieces that came late.
    pub delayed: u64,
}

impl Episode {
    /// Runs it. It ends early where something is wrong, or where `interrupted` says so.
    ///
    /// # Errors
    /// It could not be run: nothing is known of the cluster.
    pub async fn run(&self, program: Program, interrupted: &watch::Receiver<bool>) -> Result<Outcome, kv::Error> {
        std::fs::create_dir_all(&self.directory)?;
        let counts = Arc::new(Counts::default());
        let mut cluster = Cluster::new(program, &self.directory, self.nodes, &counts).await?;
        for id in cluster.known() {
            cluster.start(id)?;
        }
        let history = Arc::new(History::default());
        let shared = Shared::new(Arc::clone(&history), Arc::default());
        let certificates = self.directory.join("certificates");
        let mut trouble = Trouble::new(cluster, Arc::clone(&shared), &certificates);
        let (stop, stopped) = watch::channel(false);
        let asking = clients::start(&certificates, &shared, self.seed, &stopped)?;

        let failure = self.live(&mut trouble, &history, interrupted).await?;
        trouble.heal().await?;
        let failure = match failure {
            None => recover(&mut trouble, &certificates, &shared).await?,
            failure => failure,
        };
        stop.send_replace(true);
        asking.join_all().await;
        history.end();

        let failure = lost(&history).or(failure).or(trouble.look()?);
        let [cuts, truncated, dropped, delayed] = [&counts.cut, &counts.truncated, &counts.dropped, &counts.delayed]
            .map(|count| count.load(Ordering::Relaxed));
        let done = Done { cuts, truncated, dropped, delayed, ..trouble.done() };
        let (disk, events) = (trouble.cluster.disk_kind(), trouble.events.take());
        Ok(Outcome { summary: history.summary(), done, disk, failure, events, history })
    }

    /// Lets faults begin and end as planned. Returns what is wrong.
    async fn live(
        &self,
        trouble: &mut Trouble,
        history: &History,
        interrupted: &watch::Receiver<bool>,
    ) -> Result<Option<Failure>, kv::Error> {
        let began = Instant::now();
        let mut turns = turns(&plan::draw(self.seed, self.length)).into_iter().peekable();
        while began.elapsed() < self.length && !*interrupted.borrow() {
            let next = turns.peek().map_or(self.length, |turn| turn.at).min(began.elapsed() + LOOK);
            sleep_until(began + next).await;
            while let Some(turn) = turns.next_if(|turn| turn.at <= began.elapsed()) {
                if turn.begins { trouble.begin(turn.planned).await? } else { trouble.end(turn.planned).await? }
            }
            let failure = trouble.look()?;
            if let Some(failure) = lost(history).or(failure) {
                return Ok(Some(failure));
            }
        }
        Ok(None)
    }
}

fn lost(history: &History) -> Option<Failure> {
    history.violation().map(|what| Failure { lost: true, what })
}

/// Whether the cluster answers, now that faults are over.
async fn recover(
    trouble: &mut Trouble,
    certificates: &Path,
    shared: &Arc<Shared>,
) -> Result<Option<Failure>, kv::Error> {
    let Err(why) = clients::read_all(certificates, shared, RECOVERY).await else { return Ok(None) };
    let what = format!("when faults were over, a key could not be read: {why}");
    Ok(Some(trouble.look()?.unwrap_or(Failure { lost: false, what })))
}

/// The beginning or the end of a fault.
struct Turn {
    at: Duration,
    begins: bool,
    planned: Planned,
}

fn turns(plan: &[Planned]) -> Vec<Turn> {
    let begins = plan.iter().map(|planned| Turn { at: planned.at, begins: true, planned: *planned });
    let ends = plan.iter().map(|planned| Turn { at: planned.at + planned.lasts, begins: false, planned: *planned });
    let mut turns: Vec<Turn> = begins.chain(ends).collect();
    turns.sort_by_key(|turn| turn.at);
    turns
}
