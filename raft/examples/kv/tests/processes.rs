//! Three nodes by hand, as the help says: one process a node, killed and started again, and members that come and go.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Processes that end with the test.
struct Processes(Vec<(u64, Child)>);

impl Drop for Processes {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Processes {
    fn kill(&mut self, id: u64) {
        let position = self.0.iter().position(|(running, _)| *running == id).expect("it runs");
        let (_, mut child) = self.0.remove(position);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Where everything is.
struct Place<'a> {
    directory: &'a Path,
    nodes: String,
}

impl Place<'_> {
    fn kv(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kv"));
        command.args(arguments).current_dir(self.directory);
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.kv(arguments).output().unwrap()
    }

    /// What a command of a client prints, which succeeds.
    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.output(&[arguments, &["--nodes", &self.nodes, "--patience", "60"]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says that fails.
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn serve(&self, id: u64, more: &[&str]) -> (u64, Child) {
        let (number, data) = (id.to_string(), format!("node-{id}"));
        let mut command = self.kv(&["serve", "--id", &number, "--data", &data, "--nodes", &self.nodes]);
        (id, command.args(more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

/// Ports that were free a moment ago.
fn ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

#[test]
fn three_processes_keep_what_was_put_while_they_are_killed_and_members_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let ports = ports(4);
    let nodes: Vec<String> = ports[..3].iter().zip(1..).map(|(port, id)| format!("{id}=127.0.0.1:{port}")).collect();
    let place = Place { directory: directory.path(), nodes: nodes.join(",") };

    let missing = place.fails(&["serve", "--id", "1", "--data", "node-1"]);
    assert!(missing.contains("`kv init` makes the certificates"), "{missing}");
    assert!(place.output(&["init"]).status.success());
    let twice = place.fails(&["init"]);
    assert!(twice.contains("has an authority already") && twice.contains("kv init --add"), "{twice}");

    let mut running = Processes((1..=3).map(|id| place.serve(id, &[])).collect());
    assert_eq!(place.prints(&["put", "colour", "blue"]), "ok\n");
    assert_eq!(place.prints(&["get", "colour"]), "blue\n");
    assert_eq!(place.prints(&["cas", "colour", "blue", "green"]), "ok\n");
    assert_eq!(place.prints(&["cas", "shape", "--absent", "round"]), "ok\n");
    let there = place.fails(&["cas", "shape", "--absent", "square", "--nodes", &place.nodes]);
    assert!(there.contains("holds something else"), "{there}");
    let differs = place.fails(&["cas", "colour", "blue", "red", "--nodes", &place.nodes]);
    assert!(differs.contains("holds something else"), "{differs}");
    let absent = place.fails(&["get", "size", "--nodes", &place.nodes]);
    assert!(absent.contains("size has no value"), "{absent}");

    let used =
        place.fails(&["serve", "--id", "1", "--data", "node-1", "--nodes", &place.nodes, "--listen", "127.0.0.1:0"]);
    assert!(used.contains("is in use"), "{used}");
    for id in 1..=3 {
        running.kill(id);
    }
    let others = place.fails(&["serve", "--id", "1", "--data", "node-2", "--nodes", &place.nodes]);
    assert!(others.contains("holds the data of node 2"), "{others}");
    let nobody = place.fails(&["get", "colour", "--nodes", &place.nodes, "--patience", "1"]);
    assert!(nobody.contains("no answer within 1 s"), "{nobody}");

    running.0.extend((1..=3).map(|id| place.serve(id, &[])));
    assert_eq!(place.prints(&["get", "colour"]), "green\n", "what was put survives a SIGKILL of all");

    assert!(place.output(&["init", "--add", "4"]).status.success());
    let fourth = format!("127.0.0.1:{}", ports[3]);
    running.0.push(place.serve(4, &["--join", "--listen", &fourth]));
    assert_eq!(place.prints(&["add", "4", &fourth]), "ok\n");
    assert_eq!(place.prints(&["remove", "1"]), "ok\n");
    running.kill(1);
    running.kill(2);
    assert_eq!(place.prints(&["put", "colour", "red"]), "ok\n", "nodes 3 and 4 are a majority of 2, 3 and 4");
    assert_eq!(place.prints(&["get", "colour"]), "red\n");
    let status = place.prints(&["status"]);
    assert!(status.contains("node 3 ") && status.contains("members 2 at ") && status.contains(&fourth), "{status}");
    let again = place.fails(&["add", "1", "127.0.0.1:1", "--nodes", &place.nodes, "--patience", "60"]);
    assert!(again.contains("a number that was never used"), "{again}");
}

#[test]
fn help_is_there_for_each_command_with_examples() {
    let place = Place { directory: Path::new("."), nodes: String::new() };
    for command in ["init", "serve", "put", "get", "cas", "add", "remove", "status"] {
        let output = place.output(&[command, "--help"]);
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && help.contains(&format!("  kv {command}")), "{help}");
    }
    let wrong = place.fails(&["put", "colour", "blue", "--nodes", "127.0.0.1:7001"]);
    assert!(wrong.contains("`127.0.0.1:7001` is not like 1=127.0.0.1:7001"), "{wrong}");
}
