//! The job script for Slurm, under a cluster of this one host: munged, slurmctld and slurmd, with all of their files in one folder.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{SHORT, command, ended, example, folder, merged, whole};

const DAEMONS: [&str; 3] = ["munged", "slurmctld", "slurmd"];

/// Where Debian has the daemons, which is not in everybody's path.
fn daemon(name: &str) -> Option<PathBuf> {
    let places = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    places.split(':').map(|place| Path::new(place).join(name)).find(|file| file.is_file())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("it starts");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Why there can be no cluster here, if so.
fn obstacle() -> Option<String> {
    if let Some(missing) = DAEMONS.iter().find(|name| daemon(name).is_none()) {
        return Some(format!("there is no {missing}: packages slurm-wlm and munge"));
    }
    (said("id", &["-u"]) != "0").then(|| "only root can start jobs as Slurm does".into())
}

/// A cluster of this host, which ends with this.
struct Cluster {
    folder: TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    fn start() -> Self {
        let mut cluster = Self { folder: folder(), daemons: Vec::new() };
        for name in ["state", "spool"] {
            std::fs::create_dir(cluster.path(name)).unwrap();
        }
        std::fs::write(cluster.path("slurm.conf"), configuration(cluster.folder.path())).unwrap();
        cluster.munge();
        cluster.daemon("slurmctld", &["-D", "-i"]);
        cluster.daemon("slurmd", &["-D"]);
        cluster.wait_until("a node is idle", |cluster| cluster.answer("sinfo", &["-h", "-o", "%t"]) == "idle");
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts what makes Slurm believe who asks. The key has to be a secret, and its folder to be the owner's.
    fn munge(&mut self) {
        std::fs::write(self.path("key"), [7; 1024]).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o400);
        std::fs::set_permissions(self.path("key"), mode).unwrap();
        let file = |option: &str, name: &str| format!("--{option}={}", self.path(name).display());
        let mut options = vec![file("key-file", "key"), file("socket", "socket"), file("pid-file", "munge.pid")];
        options.extend([file("log-file", "munge.log"), file("seed-file", "munge.seed")]);
        // The folder is closed for others, which munge warns of: only this user asks here.
        options.extend(["--foreground".into(), "--force".into()]);
        self.daemon("munged", &options.iter().map(String::as_str).collect::<Vec<_>>());
        self.wait_until("munged listens", |cluster| cluster.path("socket").exists());
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = command(&self.folder, program);
        command.env("SLURM_CONF", self.path("slurm.conf"));
        command
    }

    fn daemon(&mut self, name: &str, options: &[&str]) {
        let output = std::fs::File::create(self.path(&format!("{name}.output"))).unwrap();
        let mut command = self.command(daemon(name).expect("it is there"));
        command.args(options).stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        self.daemons.push(command.spawn().expect("it starts"));
    }

    fn answer(&self, program: &str, arguments: &[&str]) -> String {
        ended(self.command(program).args(arguments)).1.trim().to_owned()
    }

    fn wait_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            if self.daemons.iter_mut().any(|daemon| daemon.try_wait().expect("a child").is_some()) {
                let output = |name| std::fs::read_to_string(self.path(&format!("{name}.output"))).unwrap_or_default();
                panic!("a daemon ended before {what}: {:?}", DAEMONS.map(output));
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            let ended = Command::new("kill").arg(daemon.id().to_string()).status();
            let _ = ended.and_then(|_| daemon.wait());
        }
    }
}

/// One node, this host, which takes all twenty shares at once, and nothing that needs control groups or a database.
fn configuration(folder: &Path) -> String {
    // Both are held while the other is chosen.
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let [control, node] = ports.map(|port| port.local_addr().expect("an address").port());
    let (host, folder) = (said("hostname", &["-s"]), folder.display());
    format!(
        "ClusterName=here\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\nSlurmdUser=root\n\
         SlurmctldPort={control}\nSlurmdPort={node}\nAuthType=auth/munge\nAuthInfo=socket={folder}/socket\n\
         StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool\n\
         SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid\nMailProg=/bin/true\n\
         ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSelectType=select/cons_tres\n\
         SelectTypeParameters=CR_CPU\nSlurmdParameters=config_overrides\nNodeName={host} NodeAddr=127.0.0.1 CPUs=20\n\
         PartitionName=all Nodes={host} Default=YES\n"
    )
}

#[test]
fn the_job_script_for_slurm_makes_shares_that_merge_to_the_whole_and_a_second_one_runs_none_of_them() {
    if let Some(why) = obstacle() {
        eprintln!("skipped: {why}");
        return;
    }
    let cluster = Cluster::start();
    let script = std::fs::read_to_string(example("slurm.sh")).expect("the example").replace("0..1000000", SHORT);
    std::fs::write(cluster.path("slurm.sh"), script).unwrap();
    let submit = |already: &str| {
        let (code, out, error) = ended(cluster.command("sbatch").args(["--wait", "slurm.sh"]));
        let log = std::fs::read_to_string(cluster.path("share-20.log")).unwrap_or_default();
        assert_eq!(code, 0, "{out}{error}{log}");
        assert!(log.contains(already), "{log}");
    };
    submit("\"before\":0");
    let merged = merged(&cluster.folder);
    assert_eq!((&merged["complete"], &merged["digest"]), (&true.into(), &whole(&cluster.folder, SHORT)["digest"]));
    submit("3 seeds were run before; 0 are left");
}
