//! Faults, as they are done to the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kv::request::{Ask, Reply};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::clients::{self, Shared};
use crate::cluster::{Cluster, Ended, MOST};
use crate::episode::{Done, Failure};
use crate::plan::{Direction, Fault, Pick, Planned, Rude};
use crate::proxy::Weather;

/// How long a membership change may take until nobody knows what came of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Does what the plan says, and remembers what that was.
pub struct Trouble {
    /// To whom.
    pub cluster: Cluster,
    /// What was done.
    pub events: Events,
    shared: Arc<Shared>,
    certificates: PathBuf,
    done: Done,
    changes: Arc<Changes>,
    /// Whom each fault hit that has not ended, by its time: members may be others by then.
    hit: BTreeMap<Duration, Vec<u64>>,
    /// Strangers, and membership changes under way.
    tasks: JoinSet<()>,
}

/// What happened, with its time.
pub struct Events {
    began: Instant,
    all: Vec<(Duration, String)>,
}

impl Events {
    fn push(&mut self, text: String) {
        self.all.push((self.began.elapsed(), text));
    }

    /// Takes all of them.
    pub fn take(&mut self) -> Vec<(Duration, String)> {
        std::mem::take(&mut self.all)
    }
}

#[derive(Default)]
struct Changes {
    under_way: AtomicBool,
    added: AtomicU64,
    removed: AtomicU64,
}

impl Trouble {
    /// None so far.
    pub fn new(cluster: Cluster, shared: Arc<Shared>, certificates: &Path) -> Self {
        let events = Events { began: Instant::now(), all: Vec::new() };
        let (certificates, done, changes) = (certificates.to_path_buf(), Done::default(), Arc::default());
        let (hit, tasks) = (BTreeMap::new(), JoinSet::new());
        let trouble = Self { cluster, events, shared, certificates, done, changes, hit, tasks };
        trouble.tell_clients();
        trouble
    }

    /// What was done so far.
    pub fn done(&self) -> Done {
        let [added, removed] = [&self.changes.added, &self.changes.removed].map(|count| count.load(Ordering::Relaxed));
        Done { added, removed, ..self.done }
    }

    /// A fault begins.
    ///
    /// # Errors
    /// A process cannot be started.
    pub async fn begin(&mut self, planned: Planned) -> Result<(), kv::Error> {
        let ids = self.targets(planned.fault);
        self.events.push(format!("{:?} for {} ms: nodes {ids:?}", planned.fault, planned.lasts.as_millis()));
        match planned.fault {
            Fault::Kill(_) | Fault::KillAll | Fault::KillSome(..) => {
                self.done.kills += ids.iter().filter(|id| self.cluster.kill(**id)).count() as u64;
            }
            Fault::Stop(_) => self.done.stops += ids.iter().filter(|id| self.cluster.stop(**id, true)).count() as u64,
            Fault::Around(_, weather) => self.around(&ids, weather),
            Fault::OneWay(_, direction, weather) => {
                ids.iter().for_each(|id| self.cluster.weather(*id, direction, weather));
            }
            Fault::Everywhere(weather) => self.cluster.weather_everywhere(weather),
            Fault::FillDisk => {
                self.done.full_disks += 1;
                self.cluster.fill_disk()?;
            }
            Fault::ChangeMembers(pick) => self.change_members(pick)?,
            Fault::Stranger(_, rude) => {
                self.done.strangers += 1;
                for id in &ids {
                    self.tasks.spawn(come(self.cluster.address(*id), rude, planned.lasts));
                }
            }
        }
        self.hit.insert(planned.at, ids);
        Ok(())
    }

    /// A fault ends.
    ///
    /// # Errors
    /// A process cannot be started.
    pub async fn end(&mut self, planned: Planned) -> Result<(), kv::Error> {
        let ids = self.hit.remove(&planned.at).unwrap_or_default();
        match planned.fault {
            Fault::Kill(_) | Fault::KillAll | Fault::KillSome(..) => self.start(ids).await?,
            Fault::Stop(_) => {
                for id in ids {
                    self.cluster.stop(id, false);
                }
            }
            Fault::Around(..) => self.around(&ids, Weather::Clear),
            Fault::OneWay(_, direction, _) => {
                ids.iter().for_each(|id| self.cluster.weather(*id, direction, Weather::Clear));
            }
            Fault::Everywhere(_) => self.cluster.weather_everywhere(Weather::Clear),
            Fault::FillDisk => self.cluster.free_disk()?,
            Fault::ChangeMembers(_) | Fault::Stranger(..) => {}
        }
        Ok(())
    }

    /// Whom a fault hits. Among the members, so that it has an effect.
    fn targets(&self, fault: Fault) -> Vec<u64> {
        match fault {
            Fault::Kill(pick) | Fault::Stop(pick) | Fault::Around(pick, _) => vec![self.picked(pick)],
            Fault::OneWay(pick, ..) | Fault::Stranger(pick, _) => vec![self.picked(pick)],
            Fault::KillSome(pick, count) => {
                let ids: BTreeSet<u64> = (0..count).map(|more| self.picked(pick + more)).collect();
                ids.into_iter().collect()
            }
            Fault::KillAll => self.cluster.known(),
            Fault::Everywhere(_) | Fault::FillDisk | Fault::ChangeMembers(_) => Vec::new(),
        }
    }

    /// Ends all faults.
    ///
    /// # Errors
    /// A process cannot be started.
    pub async fn heal(&mut self) -> Result<(), kv::Error> {
        self.events.push("faults are over".to_string());
        self.cluster.heal()?;
        while self.tasks.join_next().await.is_some() {}
        Ok(())
    }

    /// Looks after the processes: which ended by itself without a good reason?
    ///
    /// # Errors
    /// A process cannot be started.
    pub fn look(&mut self) -> Result<Option<Failure>, kv::Error> {
        let mut failure = None;
        for Ended { id, said, excused } in self.cluster.ended()? {
            let what = format!("node {id} ended by itself: {said}");
            self.events.push(what.clone());
            if excused {
                self.done.ended_full += 1;
            } else {
                failure = Some(Failure { lost: false, what });
            }
        }
        Ok(failure)
    }

    /// One after another, so that some have an election before the others are back; each time another is the first.
    async fn start(&mut self, mut ids: Vec<u64>) -> Result<(), kv::Error> {
        let turn = self.events.all.len().checked_rem(ids.len()).unwrap_or_default();
        ids.rotate_left(turn);
        for (position, id) in ids.into_iter().enumerate() {
            if position > 0 {
                sleep(Duration::from_millis(100)).await;
            }
            self.cluster.start(id)?;
        }
        Ok(())
    }

    fn around(&self, ids: &[u64], weather: Weather) {
        for id in ids {
            self.cluster.weather(*id, Direction::To, weather);
            self.cluster.weather(*id, Direction::From, weather);
        }
    }

    fn picked(&self, pick: Pick) -> u64 {
        let members = &self.cluster.members;
        members.iter().nth(pick as usize % members.len()).copied().unwrap_or(1)
    }

    /// Adds a member where there are few, and removes one where there are many. One change at a time.
    fn change_members(&mut self, pick: Pick) -> Result<(), kv::Error> {
        if self.changes.under_way.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let next = self.cluster.known().last().map_or(1, |last| last + 1);
        let (members, picked) = (self.cluster.members.len(), self.picked(pick));
        let ask = if next <= MOST && members < 6 && (members <= 3 || pick.is_multiple_of(2)) {
            self.cluster.start(next)?;
            self.cluster.members.insert(next);
            Ask::Add { node: next, address: self.cluster.address(next).to_string() }
        } else if members > 3 {
            self.cluster.members.remove(&picked);
            Ask::Remove { node: picked }
        } else {
            self.changes.under_way.store(false, Ordering::Relaxed);
            return Ok(());
        };
        self.events.push(format!("{ask:?}"));
        self.tell_clients();
        let (mut client, changes) =
            (clients::client(&self.certificates, &self.shared, PATIENCE)?, Arc::clone(&self.changes));
        self.tasks.spawn(async move {
            let count = if matches!(ask, Ask::Add { .. }) { &changes.added } else { &changes.removed };
            if matches!(client.ask(ask).await, Ok(Reply::Done)) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            changes.under_way.store(false, Ordering::Relaxed);
        });
        Ok(())
    }

    fn tell_clients(&self) {
        *self.shared.doors.lock().expect("nobody panics with it") = self.cluster.doors();
    }
}

/// A stranger comes, and is shown out or goes.
async fn come(address: std::net::SocketAddr, rude: Rude, lasts: Duration) {
    let Ok(mut stream) = TcpStream::connect(address).await else { return };
    let stay = async {
        match rude {
            Rude::Garbage => drop(stream.write_all(&[0xa5; 5000]).await),
            Rude::HugeLength => drop(stream.write_all(&[22, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff]).await),
            Rude::Slow => {
                for byte in [22, 3, 1, 2, 0, 1, 0, 1, 252, 3].into_iter().cycle() {
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
        sleep(lasts).await;
    };
    let _ = tokio::time::timeout(lasts, stay).await;
}
