//! What is counted of a world, kept apart from what the world is: it influences nothing.

use std::sync::LazyLock;

use super::coverage::CoverageRecorder;
use super::statistics::Statistics;

/// What happened, counted, and what is remembered in order to count it.
///
/// It is as large as all the rest of a small world. So whoever copies worlds by the thousand, and counts nothing, has one for all of
/// them, which goes from one world to the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Option<Box<Counted>>);

#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) statistics: Statistics,
    pub(super) coverage: CoverageRecorder,
}

impl Tally {
    pub(super) fn statistics(&self) -> &Statistics {
        static NOTHING: LazyLock<Statistics> = LazyLock::new(Statistics::default);
        self.0.as_ref().map_or(&NOTHING, |counted| &counted.statistics)
    }

    /// The counters, and what is remembered for them.
    pub(super) fn parts(&mut self) -> (&mut Statistics, &mut CoverageRecorder) {
        let Counted { statistics, coverage } = self.counted();
        (statistics, coverage)
    }

    pub(super) fn counted(&mut self) -> &mut Counted {
        self.0.get_or_insert_default()
    }
}
