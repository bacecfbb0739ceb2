//! The Markdown files of the repository: what commands print stands in them as it is printed now, the code that they quote is in the
//! code, and their links lead somewhere.
//!
//! `UPDATE_TABLES=1` writes what is printed now into them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace").to_owned()
}

/// The files below this folder with this extension. Not what is built, found, or fetched.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("an entry too").path());
    let of = |path: PathBuf| match path.is_dir() {
        true if path.ends_with("target") || path.ends_with(".git") || path.ends_with("corpus") => Vec::new(),
        true => files(&path, extension),
        false if path.extension().is_some_and(|its| its == extension) => vec![path],
        false => Vec::new(),
    };
    paths.flat_map(of).collect()
}

fn documents() -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a document is text");
        (path, text)
    };
    files(&root(), "md").into_iter().map(read).collect()
}

/// The command line that a line of a document names as the source of what follows it.
fn source(line: &str) -> Option<Vec<&str>> {
    let words = line.strip_prefix("<!-- sim ")?.strip_suffix(" -->")?;
    Some(words.split(' ').collect())
}

const END: &str = "<!-- end -->";

/// What the command prints: a table as it is, and other text as text.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(root()).output();
    let output = output.expect("the simulator starts");
    assert!(output.status.success(), "sim {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    if arguments.contains(&"--markdown") { text } else { format!("```text\n{text}```\n") }
}

/// The document as it should be: after each line that names a command stands what that prints, up to the end mark.
fn brought_up_to_date(text: &str) -> String {
    let mut lines = text.lines();
    let mut right = String::new();
    while let Some(line) = lines.next() {
        right += &format!("{line}\n");
        if let Some(arguments) = source(line) {
            right += &format!("\n{}\n{END}\n", printed(&arguments));
            assert!(lines.any(|line| line == END), "no {END} after {line}");
        }
    }
    right
}

#[test]
fn what_commands_print_stands_in_the_documents_as_it_is_printed_now() {
    let generated: Vec<_> =
        documents().into_iter().filter(|(_, text)| text.lines().any(|line| source(line).is_some())).collect();
    assert!(!generated.is_empty(), "no document holds what a command prints");
    for (path, text) in generated {
        let right = brought_up_to_date(&text);
        if std::env::var_os("UPDATE_TABLES").is_some() {
            fs::write(&path, right).expect("the document can be written");
            continue;
        }
        let differs = text.lines().zip(right.lines()).find(|(is, should)| is != should);
        assert_eq!(differs, None, "{}: UPDATE_TABLES=1 cargo test -p sim --test documents", path.display());
        assert_eq!(text, right, "{}", path.display());
    }
}

#[test]
fn the_code_that_documents_quote_is_in_the_code() {
    let sources = ["raft", "sim", "tests"].into_iter().flat_map(|folder| files(&root().join(folder), "rs"));
    let code: Vec<String> = sources.map(|path| fs::read_to_string(path).expect("code is text")).collect();
    let known: BTreeSet<&str> = code.iter().flat_map(|text| text.lines().map(str::trim)).collect();
    let (_, text) = documents().into_iter().find(|(path, _)| path.ends_with("CONTRIBUTING.md")).expect("it is there");
    let mut quoted = 0;
    for block in text.split("```rust\n").skip(1) {
        let block = block.split("```").next().expect("a block has an end");
        for line in block.lines().map(str::trim) {
            assert!(known.contains(line), "CONTRIBUTING.md quotes a line that is not in the code: {line}");
            quoted += 1;
        }
    }
    assert!(quoted > 20, "{quoted} lines are quoted");
}

#[test]
fn links_between_files_lead_somewhere() {
    for (path, text) in documents() {
        let folder = path.parent().expect("a file is in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().expect("a link has a beginning");
            // Paths of Rust stand in the pages of a crate's documentation, where rustdoc checks them.
            let is_elsewhere = ["://", "::", " "].iter().any(|mark| file.contains(mark)) || file.is_empty();
            assert!(is_elsewhere || folder.join(file).exists(), "{}: a link to {target}", path.display());
        }
    }
}
