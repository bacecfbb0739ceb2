//! One node as a process: started, killed, stopped and looked after.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A node, running or not.
pub struct Process {
    /// Its number.
    pub id: u64,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it keeps.
    pub data: PathBuf,
    /// What it says.
    pub log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// A node that does not run yet.
    pub fn new(id: u64, address: SocketAddr, directory: &std::path::Path) -> Self {
        let [data, log] = [format!("node-{id}"), format!("node-{id}.log")].map(|name| directory.join(name));
        Self { id, address, data, log, child: None }
    }

    /// Starts it with this command, if it does not run.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&mut self, mut command: Command) -> std::io::Result<()> {
        if self.child.is_none() {
            let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
            self.child = Some(command.spawn()?);
        }
        Ok(())
    }

    /// Kills it with SIGKILL. Whether it ran.
    pub fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        let killed = child.kill().is_ok();
        let _ = child.wait();
        killed
    }

    /// Stops it with SIGSTOP. Whether it ran.
    pub fn stop(&self) -> bool {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on, if it was stopped.
    pub fn go_on(&self) -> bool {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> bool {
        let pid = self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok());
        pid.is_some_and(|pid| kill(Pid::from_raw(pid), signal).is_ok())
    }

    /// What it said last, if it has ended by itself since this was asked before.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.as_mut()?.try_wait().ok()??;
        self.child = None;
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.lines().rev().find(|line| line.starts_with("kv: ") || line.contains("panicked"));
        Some(format!("{} ({status})", last.or(log.lines().last()).unwrap_or("it said nothing")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Addresses at which nobody listens, on loopback. Not among the ports that the system gives to whoever connects: a process that is
/// down must find its own free.
pub fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let first = 10_000 + (std::process::id() % 1000) as u16 * 20;
    let ports = (first..32_000).chain(10_000..first);
    let addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    addresses.filter(|address| TcpListener::bind(address).is_ok()).take(count).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn process(directory: &std::path::Path, script: &str) -> Process {
        let mut process = Process::new(1, free_addresses(1)[0], directory);
        process.start(shell(script)).unwrap();
        process
    }

    /// Waits until it has ended by itself.
    fn end(process: &mut Process) -> Option<String> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if let Some(said) = process.ended() {
                return Some(said);
            }
            std::thread::yield_now();
        }
        None
    }

    #[test]
    fn a_process_that_ends_by_itself_is_noticed_once_with_what_it_said() {
        let directory = tempfile::tempdir().unwrap();
        let mut process = process(directory.path(), "echo 'kv: broken' >&2; echo more; exit 3");
        assert_eq!(end(&mut process).as_deref(), Some("kv: broken (exit status: 3)"));
        assert_eq!(process.ended(), None);
    }

    #[test]
    fn a_process_that_is_killed_has_not_ended_by_itself() {
        let directory = tempfile::tempdir().unwrap();
        let mut process = process(directory.path(), "exec sleep 1000");
        assert!(process.kill());
        assert!(process.ended().is_none() && !process.kill(), "it is gone");
    }

    #[test]
    fn a_process_that_is_stopped_does_nothing_until_it_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        // It stops itself before it says anything, so that nothing depends on how fast it is.
        let mut process = process(directory.path(), "kill -STOP $$; echo went on");
        let state = |process: &Process| {
            let id = process.child.as_ref().unwrap().id();
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
            stat.rsplit(") ").next().unwrap().chars().next().unwrap()
        };
        while state(&process) != 'T' {
            std::thread::yield_now();
        }
        assert!(process.stop() && process.go_on());
        assert!(end(&mut process).unwrap().starts_with("went on"));
    }

    #[test]
    fn addresses_are_on_loopback_and_differ() {
        let addresses = free_addresses(9);
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
        assert_eq!(addresses.iter().collect::<std::collections::BTreeSet<_>>().len(), 9);
    }
}
