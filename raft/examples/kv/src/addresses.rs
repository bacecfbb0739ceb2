//! Where the nodes are: as the command line says, or else as the cluster has agreed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use raft::NodeId;

/// Addresses as `HOST:PORT`. Clones are the same table.
#[derive(Clone, Default)]
pub struct Addresses(Arc<Mutex<BTreeMap<NodeId, Address>>>);

struct Address {
    text: String,
    pinned: bool,
}

impl Addresses {
    /// It is there, whatever the cluster says: behind a proxy, for instance.
    pub fn pin(&self, id: NodeId, text: &str) {
        self.set(id, text, true);
    }

    /// It is there, as far as anybody knows. Nobody knows an empty address.
    pub fn learn(&self, id: NodeId, text: &str) {
        if !text.is_empty() {
            self.set(id, text, false);
        }
    }

    fn set(&self, id: NodeId, text: &str, pinned: bool) {
        let mut table = self.0.lock().expect("nobody panics with it");
        if pinned || table.get(&id).is_none_or(|address| !address.pinned) {
            table.insert(id, Address { text: text.to_string(), pinned });
        }
    }

    /// Where it is.
    pub fn get(&self, id: NodeId) -> Option<String> {
        self.0.lock().expect("nobody panics with it").get(&id).map(|address| address.text.clone())
    }
}
