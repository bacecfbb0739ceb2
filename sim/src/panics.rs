//! Panics of the code under test: they are findings, so they are caught, keep their place, and print nothing. Every other
//! panic is a fault of the simulator itself, and is told as usual.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// How many calls of [`caught`] are under way in this thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic in one of them was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs code under test. What it changed is as its panic left it, and not to be used further.
///
/// ```
/// assert_eq!(sim::panics::caught(|| 7), Ok(7));
/// let panic = sim::panics::caught(|| panic!("no leader")).unwrap_err();
/// assert!(panic.starts_with("no leader (") && panic.contains(".rs:"), "{panic}");
/// ```
///
/// # Errors
/// It panicked: what that said and, in brackets, the file and the line.
pub fn caught<R>(code: impl FnOnce() -> R) -> Result<R, String> {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| if DEPTH.get() == 0 { usual(panic) } else { note(panic) }));
    });
    DEPTH.set(DEPTH.get() + 1);
    let ended = catch_unwind(AssertUnwindSafe(code));
    DEPTH.set(DEPTH.get() - 1);
    ended.map_err(|panic| {
        let place = PLACE.take().map_or(String::new(), |place| format!(" ({place})"));
        format!("{}{place}", message(&*panic))
    })
}

fn note(panic: &PanicHookInfo<'_>) {
    PLACE.set(panic.location().map(|place| format!("{}:{}", within_package(place.file()), place.line())));
}

/// The path of a file of a dependency, without where this machine keeps dependencies: a trace holds it. Others are as they are.
fn within_package(file: &str) -> &str {
    let in_registry = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/'));
    in_registry.map_or(file, |(_, package)| package)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without text".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_dependency_is_named_without_where_this_machine_keeps_it() {
        assert_eq!(within_package("/home/of/registry/src/host-1f/raft-0.7.0/src/raft.rs"), "raft-0.7.0/src/raft.rs");
        assert_eq!(within_package("raft/src/log/mod.rs"), "raft/src/log/mod.rs");
    }
}
