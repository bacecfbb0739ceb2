//! A status, in the form that etcd gives it: JSON.

use std::fmt::{self, Display, Formatter};

use crate::status::Status;
use crate::types::NodeId;

/// One line of JSON: `{"id":"1","term":2,"vote":"1","commit":4,"lead":"1","raftState":"StateLeader","applied":4,"progress":
/// {"1":{"match":5,"next":6,"state":"StateReplicate"}},"leadtransferee":"0"}`. Nodes are hexadecimal, zero for none.
impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (hard, soft) = (self.basic.hard_state, self.basic.soft_state);
        write!(f, r#"{{"id":"{}","term":{},"vote":"{}""#, self.basic.id, hard.term, node(hard.vote))?;
        write!(f, r#","commit":{},"lead":"{}","raftState":"{}""#, hard.commit, node(soft.leader), soft.role)?;
        write!(f, r#","applied":{},"progress":{{"#, self.basic.applied)?;
        let mut separator = "";
        for (id, progress) in &self.progress {
            let (matched, next, state) = (progress.matched(), progress.next(), progress.state());
            write!(f, r#"{separator}"{id}":{{"match":{matched},"next":{next},"state":"{state}"}}"#)?;
            separator = ",";
        }
        write!(f, r#"}},"leadtransferee":"{}"}}"#, node(self.basic.lead_transferee))
    }
}

/// A node where etcd prints a number in hexadecimal.
fn node(node: Option<NodeId>) -> String {
    node.map_or_else(|| "0".to_owned(), |node| node.to_string())
}
