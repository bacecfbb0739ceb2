//! The processes of an episode, and the network between them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kv::certificates;
use raft::NodeId;

use crate::disk::SmallDisk;
use crate::plan::Direction;
use crate::process::{Process, free_addresses};
use crate::proxy::{Counts, Link, Weather};

/// How many nodes there can be in an episode, those included that were removed: numbers are not used again.
pub const MOST: u64 = 9;

/// Whose disk is small.
pub const SMALL: u64 = 1;

/// The clients, as an end of a link.
const CLIENTS: u64 = 0;

/// How each process is started.
pub struct Program {
    /// The program.
    pub kv: PathBuf,
    /// More options of `kv serve`.
    pub arguments: Vec<String>,
}

/// A process that ended by itself.
pub struct Ended {
    /// Which.
    pub id: u64,
    /// What it said last.
    pub said: String,
    /// Whether it had a reason: no room.
    pub excused: bool,
}

/// All processes, running or not.
pub struct Cluster {
    program: Program,
    directory: PathBuf,
    founders: u64,
    processes: BTreeMap<u64, Process>,
    /// By who connects, or [`CLIENTS`], and to whom.
    links: BTreeMap<(u64, u64), Link>,
    disk: SmallDisk,
    /// Who are members, as far as is known: whoever may be is.
    pub members: BTreeSet<u64>,
}

impl Cluster {
    /// Processes of a new cluster that begins with so many, of which none runs yet.
    ///
    /// # Errors
    /// Certificates, ports or directories cannot be had.
    pub async fn new(
        program: Program,
        directory: &Path,
        founders: u64,
        counts: &Arc<Counts>,
    ) -> Result<Self, kv::Error> {
        certificates::create(&directory.join("certificates"), MOST)?;
        let mut processes = BTreeMap::new();
        for (id, address) in (1..=MOST).zip(free_addresses(MOST as usize)) {
            processes.insert(id, Process::new(id, address, directory));
        }
        let mut links = BTreeMap::new();
        for from in CLIENTS..=MOST {
            for process in processes.values().filter(|process| process.id != from) {
                links.insert((from, process.id), Link::to(process.address, Arc::clone(counts)).await?);
            }
        }
        let disk = SmallDisk::new(&processes[&SMALL].data)?;
        let (directory, members) = (directory.to_path_buf(), (1..=founders).collect());
        Ok(Self { program, directory, founders, processes, links, disk, members })
    }

    /// Where clients reach the members.
    pub fn doors(&self) -> BTreeMap<NodeId, String> {
        let door = |id: &u64| Some((NodeId::new(*id)?, self.links[&(CLIENTS, *id)].address.to_string()));
        self.members.iter().filter_map(door).collect()
    }

    /// Where a process listens itself.
    pub fn address(&self, id: u64) -> SocketAddr {
        self.processes[&id].address
    }

    /// All that were ever started, a founder in any case.
    pub fn known(&self) -> Vec<u64> {
        let known = |id: &u64| *id <= self.founders || self.processes[id].log.exists();
        self.processes.keys().copied().filter(known).collect()
    }

    /// Starts a process that does not run.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&mut self, id: u64) -> std::io::Result<()> {
        let program = &self.program.kv;
        let mut command = if id == SMALL { self.disk.command(program) } else { std::process::Command::new(program) };
        let listed = |nodes: Vec<(u64, SocketAddr)>| {
            nodes.iter().map(|(id, address)| format!("{id}={address}")).collect::<Vec<_>>().join(",")
        };
        let founders = (1..=self.founders).map(|id| (id, self.address(id))).collect();
        let links = self.links.iter().filter(|((from, _), _)| *from == id);
        let via = links.map(|((_, to), link)| (*to, link.address)).collect();
        command.args(["serve", "--id", &id.to_string(), "--nodes", &listed(founders), "--via", &listed(via)]);
        command.args(["--listen", &self.address(id).to_string(), "--compact-after", "200", "--tick", "30"]);
        command.arg("--certificates").arg(self.directory.join("certificates"));
        command.arg("--data").arg(&self.processes[&id].data).args(&self.program.arguments);
        if id > self.founders {
            command.arg("--join");
        }
        self.process(id).start(command)
    }

    /// Kills it. Whether it ran.
    pub fn kill(&mut self, id: u64) -> bool {
        self.process(id).kill()
    }

    /// Stops it, or lets it go on. Whether it ran.
    pub fn stop(&mut self, id: u64, stops: bool) -> bool {
        let process = self.process(id);
        if stops { process.stop() } else { process.go_on() }
    }

    /// All links to or from a process are like this.
    pub fn weather(&self, id: u64, direction: Direction, weather: Weather) {
        let is_meant = |(from, to): &(u64, u64)| match direction {
            Direction::To => *to == id,
            Direction::From => *from == id,
        };
        self.links.iter().filter(|(ends, _)| is_meant(ends)).for_each(|(_, link)| link.set(weather));
    }

    /// All links are like this.
    pub fn weather_everywhere(&self, weather: Weather) {
        self.links.values().for_each(|link| link.set(weather));
    }

    /// Leaves no room on the small disk.
    ///
    /// # Errors
    /// That failed for another reason than that there is no room, or the process cannot be started.
    pub fn fill_disk(&mut self) -> std::io::Result<()> {
        if self.disk.fill(&self.processes[&SMALL].data)? && self.kill(SMALL) {
            self.start(SMALL)?;
        }
        Ok(())
    }

    /// Makes room, and starts the process if it has ended for want of it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn free_disk(&mut self) -> std::io::Result<()> {
        if self.disk.is_full() {
            self.disk.free();
            // Under a limit it has to be started anew in any case.
            if matches!(self.disk, SmallDisk::Limited(_)) {
                self.kill(SMALL);
            }
            self.start(SMALL)?;
        }
        Ok(())
    }

    /// What the small disk is.
    pub fn disk_kind(&self) -> &'static str {
        self.disk.kind()
    }

    /// Those that ended by themselves. Who had no room on its disk did so rightly, and is started again if there is room by now.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn ended(&mut self) -> std::io::Result<Vec<Ended>> {
        let processes = self.processes.values_mut();
        let ended = |process: &mut Process| Some((process.id, process.ended()?));
        let ended: Vec<(u64, String)> = processes.filter_map(ended).collect();
        let mut all = Vec::new();
        for (id, said) in ended {
            let excused = id == SMALL && SmallDisk::is_blamed(&said);
            if excused && !self.disk.is_full() {
                self.start(id)?;
            }
            all.push(Ended { id, said, excused });
        }
        Ok(all)
    }

    /// Ends all faults: everybody runs and reaches everybody.
    ///
    /// # Errors
    /// A process cannot be started.
    pub fn heal(&mut self) -> std::io::Result<()> {
        self.weather_everywhere(Weather::Clear);
        self.free_disk()?;
        for id in self.known() {
            self.stop(id, false);
            self.start(id)?;
        }
        Ok(())
    }

    fn process(&mut self, id: u64) -> &mut Process {
        self.processes.get_mut(&id).expect("all that can be are there from the beginning")
    }
}
