//! Reads from the sources of a crate which of its files uses which.
//!
//! What counts are `use` declarations and paths from `crate`, `self` or `super` on, outside of tests and documentation. Each leads to
//! the file that defines what it names, past the modules that only hand it on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// The path of a module from the root of its crate, which is empty.
pub type Module = Vec<String>;

/// The modules of a crate that have a file of their own, and what they use.
pub struct House {
    rooms: BTreeMap<Module, Room>,
    /// How the program beside the library calls it.
    library: &'static str,
}

/// A module with a file of its own.
#[derive(Default)]
struct Room {
    /// The paths that are named in it, each with the module inside the file in which it stands.
    paths: Vec<(Module, Vec<String>)>,
    /// What `use` declarations bring into it, by name.
    brought_in: BTreeMap<String, Vec<String>>,
}

impl House {
    /// Reads all files below this folder, but those of tests.
    pub fn read(sources: &Path, library: &'static str) -> Self {
        let mut house = Self { rooms: BTreeMap::new(), library };
        for file in files(sources) {
            let module = module_of(file.strip_prefix(sources).expect("it is below the folder"));
            let text = std::fs::read_to_string(&file).expect("a source can be read");
            let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let mut reader = Reader { module: module.clone(), inside: Vec::new(), room: Room::default() };
            reader.visit_file(&tree);
            house.rooms.insert(module, reader.room);
        }
        house
    }

    /// The files that each file uses, without those of the modules that it is part of: a module and its parts are one thing.
    pub fn uses(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let used = |module: &Module, room: &Room| -> BTreeSet<Module> {
            let targets = room.paths.iter().filter_map(|(inside, path)| self.definer(inside, path, 0));
            targets.filter(|target| !module.starts_with(target)).collect()
        };
        self.rooms.iter().map(|(module, room)| (module.clone(), used(module, room))).collect()
    }

    /// The module whose file defines what a path names that stands in a module. `None` where that is in another crate.
    fn definer(&self, from: &[String], path: &[String], handed_on: u32) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let (mut at, rest) = match first.as_str() {
            "crate" => (Module::new(), rest),
            name if name == self.library => (Module::new(), rest),
            "self" => (from.to_vec(), rest),
            "super" => (from[..from.len().checked_sub(1)?].to_vec(), rest),
            name if self.rooms.contains_key(&joined(from, name)) => (from.to_vec(), path),
            _ => return None,
        };
        for (position, name) in rest.iter().enumerate() {
            if name == "super" {
                at.pop()?;
            } else if self.rooms.contains_key(&joined(&at, name)) {
                at.push(name.clone());
            } else {
                let room = self.rooms.get(&at);
                let source = room.and_then(|room| room.brought_in.get(name)).filter(|_| handed_on < 8);
                let further = |source: &Vec<String>| [source, &rest[position + 1..]].concat();
                return source
                    .and_then(|source| self.definer(&at, &further(source), handed_on + 1))
                    .or(Some(self.room_of(&at)));
            }
        }
        Some(self.room_of(&at))
    }

    /// The innermost module with a file of its own that holds this one.
    fn room_of(&self, module: &[String]) -> Module {
        let length = (0..=module.len()).rev().find(|length| self.rooms.contains_key(&module[..*length]));
        module[..length.unwrap_or(0)].to_vec()
    }
}

/// Groups of files each of which uses all others of its group, by way of others or at once.
pub fn circles(uses: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        uses.keys().map(|module| (module, reached_from(module, uses))).collect();
    let in_circles = uses.keys().filter(|module| reached[module].contains(module));
    let circles: BTreeSet<BTreeSet<Module>> = in_circles
        .map(|module| {
            reached[module]
                .iter()
                .filter(|other| reached[**other].contains(module))
                .map(|&other| other.clone())
                .collect()
        })
        .collect();
    circles.into_iter().collect()
}

fn reached_from<'a>(module: &Module, uses: &'a BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Module> = uses.get(module).into_iter().flatten().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(uses.get(module).into_iter().flatten());
        }
    }
    reached
}

/// Collects the paths of one file.
struct Reader {
    module: Module,
    /// The modules inside the file around what is read.
    inside: Module,
    room: Room,
}

impl Reader {
    fn note(&mut self, path: Vec<String>) {
        let module = [self.module.clone(), self.inside.clone()].concat();
        self.room.paths.push((module, path));
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item(&mut self, item: &'a Item) {
        let attributes = match item {
            Item::Const(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !attributes.iter().any(is_for_tests_or_documentation) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.inside.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        for (name, path) in flattened(&item.tree, Vec::new()) {
            if self.inside.is_empty() {
                self.room.brought_in.insert(name, path.clone());
            }
            self.note(path);
        }
    }

    /// Attributes of serde name modules in text.
    fn visit_attribute(&mut self, attribute: &'a Attribute) {
        let Ok(list) = attribute.meta.require_list() else { return };
        let tokens = list.tokens.to_string();
        let paths = tokens.split('"').filter(|text| text.starts_with("crate::"));
        paths.for_each(|path| self.note(path.split("::").map(str::to_owned).collect()));
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 && matches!(names[0].as_str(), "crate" | "self" | "super") {
            self.note(names);
        }
        visit::visit_path(self, path);
    }
}

/// All that a `use` declaration brings in: the name, and the path that it stands for.
fn flattened(tree: &UseTree, before: Vec<String>) -> Vec<(String, Vec<String>)> {
    let with = |name: &syn::Ident| joined(&before, &name.to_string());
    match tree {
        UseTree::Path(path) => flattened(&path.tree, with(&path.ident)),
        UseTree::Name(name) if name.ident == "self" => vec![(before.last().cloned().unwrap_or_default(), before)],
        UseTree::Name(name) => vec![(name.ident.to_string(), with(&name.ident))],
        UseTree::Rename(renamed) => vec![(renamed.rename.to_string(), with(&renamed.ident))],
        UseTree::Glob(_) => vec![("*".to_owned(), before)],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| flattened(tree, before.clone())).collect(),
    }
}

fn is_for_tests_or_documentation(attribute: &Attribute) -> bool {
    let condition = attribute.meta.require_list().map(|list| list.tokens.to_string());
    attribute.path().is_ident("cfg") && condition.is_ok_and(|condition| matches!(condition.as_str(), "test" | "doc"))
}

fn joined(module: &[String], name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// The module that a file is: `a/b/mod.rs` is `a::b`, and so is `a/b.rs`.
fn module_of(file: &Path) -> Module {
    let mut names: Module = file.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| matches!(name.as_str(), "mod" | "lib")) {
        names.pop();
    }
    names
}

/// The sources below a folder, but tests and what only they use.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry of it too").path()).collect();
    paths.sort();
    let is_for_tests = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        matches!(&*name, "tests" | "testing" | "main")
    };
    paths.retain(|path| !is_for_tests(path));
    let (folders, mut sources): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| path.is_dir());
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.extend(folders.iter().flat_map(|folder| files(folder)));
    sources
}
