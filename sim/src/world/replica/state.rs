//! What a node is: its disk and, while it runs, everything that a crash loses.

use std::hash::{Hash, Hasher};

use super::Replica;
use super::handling::{Append, Handling, InHand, Threads};
use super::log_file::LogFile;
use super::running::Running;
use super::writing::Written;

impl Hash for Replica {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { id, options, boot, is_foreign, brought_log: _, disk, recorded, running, view } = self;
        (id, options, boot, is_foreign, disk, recorded, running, view).hash(state);
    }
}

impl Hash for Running {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { driven, log, state_machine, handling } = self;
        (driven, log, state_machine).hash(state);
        match handling {
            Handling::OneByOne(in_hand) => {
                in_hand.is_some().hash(state);
                in_hand.iter().for_each(|in_hand| in_hand.hash_state(log, state));
            }
            Handling::Threads(threads) => threads.hash_state(log, state),
        }
    }
}

impl InHand {
    fn hash_state(&self, log: &LogFile, state: &mut impl Hasher) {
        let Self { ready, riders, written, persisted, sent, restored, applied } = self;
        (ready, riders, persisted, sent, restored, applied).hash(state);
        written.hash_state(*persisted, log, state);
    }
}

impl Threads {
    /// A Ready whose work has joined the queues is there for its messages alone.
    fn hash_state(&self, log: &LogFile, state: &mut impl Hasher) {
        let Self { unsent, appends, applies, applied } = self;
        unsent.iter().flat_map(|ready| &ready.messages).for_each(|message| message.hash(state));
        (appends.len(), applies, applied).hash(state);
        for Append { work, written, persisted } in appends {
            (work, persisted).hash(state);
            written.hash_state(*persisted, log, state);
        }
    }
}

impl Written {
    /// Where it ends in the log counts only until that is durable.
    fn hash_state(self, persisted: bool, log: &LogFile, state: &mut impl Hasher) {
        let Self { records, count } = self;
        (records, if persisted { 0 } else { log.ahead(count) }).hash(state);
    }
}
