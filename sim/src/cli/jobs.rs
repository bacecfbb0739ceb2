//! How many threads are of use.

use std::thread::available_parallelism;

use crate::output::tell;

/// As many threads as asked for, but no more than are of use on this machine: each holds a cluster in memory.
pub(super) fn capped(asked: Option<u64>) -> Option<usize> {
    let asked = usize::try_from(asked?).unwrap_or(usize::MAX);
    let most = most(available_parallelism().map_or(1, usize::from));
    if asked > most {
        tell(format_args!("{asked} at once are more than this machine has a use for: {most} are"));
    }
    Some(asked.min(most))
}

fn most(cores: usize) -> usize {
    const LEAST: usize = 16;
    cores.saturating_mul(4).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_threads_than_a_machine_has_a_use_for_are_not_started() {
        assert_eq!(capped(None), None);
        assert_eq!(capped(Some(3)), Some(3));
        let all = capped(Some(u64::MAX)).expect("some");
        assert!((16..100_000).contains(&all), "{all}");
        assert_eq!((most(1), most(64)), (16, 256));
    }
}
