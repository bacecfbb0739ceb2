//! Nodes come and go.

use raft::NodeId;

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::meaning::{Meaning, Wanted};
use super::{AddNodes, Command, Syntax, add_nodes, node};
use crate::disk::Keep;
use crate::world::NodeOptions;

/// What happens to a node as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeCommand {
    /// `add-nodes`: new nodes start.
    Add(AddNodes),
    /// `restart`: a node starts again from what its disk holds. One that is up stops first, and loses nothing of what it
    /// wrote.
    Restart {
        /// Which.
        node: NodeId,
        /// Its options from now on, except those that the environment decides; `None` keeps them as they were.
        options: Option<NodeOptions>,
        /// Seeds its election timeouts; without, it has the shortest.
        seed: Option<u64>,
    },
    /// `crash`: a node stops, and its disk keeps this much of what was written and not synced.
    Crash(NodeId, Keep),
}

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("add-nodes", |arguments| AddNodes::parse(arguments).map(NodeCommand::Add).map(Command::Node)),
    Syntax::new("crash", |arguments| {
        let (node, keep) = (node(arguments)?, arguments.value("keep")?);
        Ok(Command::Node(NodeCommand::Crash(node, keep.unwrap_or(Keep::Nothing))))
    }),
    Syntax::new("restart", |arguments| restart(arguments).map(Command::Node)),
];

fn restart(arguments: &mut Arguments<'_>) -> Result<NodeCommand, ScriptError> {
    let (node, seed) = (node(arguments)?, arguments.value("seed")?);
    let any = arguments.has_pairs();
    let options = add_nodes::options(arguments)?;
    Ok(NodeCommand::Restart { node, options: any.then_some(options), seed })
}

impl Meaning for Keep {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let (word, zeros) = word.strip_suffix("+zeros").map_or((word, false), |word| (word, true));
        let keep = match word.split(':').collect::<Vec<_>>().as_slice() {
            ["all"] if !zeros => Some(Self::All),
            ["nothing"] if !zeros => Some(Self::Nothing),
            [bytes] if !zeros => bytes.parse().ok().map(|bytes| Self::Prefix { bytes }),
            ["blocks", mask] => {
                let mask = mask.strip_prefix("0x").and_then(|mask| u64::from_str_radix(mask, 16).ok());
                mask.map(|blocks| Self::Subset { blocks, zeros })
            }
            ["torn", block, bytes] => {
                let numbers = block.parse().ok().zip(bytes.parse().ok());
                numbers.map(|(block, bytes)| Self::Torn { block, bytes, zeros })
            }
            _ => None,
        };
        keep.ok_or(Wanted::Kind("all, nothing, a number of bytes, blocks:0x2f or torn:BLOCK:BYTES"))
    }
}

/// What the disk keeps, as `keep=` says it.
pub fn keep_word(keep: Keep) -> String {
    let end = |zeros| if zeros { "+zeros" } else { "" };
    match keep {
        Keep::All => "all".to_owned(),
        Keep::Nothing => "nothing".to_owned(),
        Keep::Prefix { bytes } => bytes.to_string(),
        Keep::Subset { blocks, zeros } => format!("blocks:{blocks:#x}{}", end(zeros)),
        Keep::Torn { block, bytes, zeros } => format!("torn:{block}:{bytes}{}", end(zeros)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_disk_keeps_is_read_as_it_is_written() {
        let table = [
            (Keep::All, "all"),
            (Keep::Nothing, "nothing"),
            (Keep::Prefix { bytes: 70 }, "70"),
            (Keep::Subset { blocks: 5, zeros: false }, "blocks:0x5"),
            (Keep::Subset { blocks: 5, zeros: true }, "blocks:0x5+zeros"),
            (Keep::Torn { block: 2, bytes: 9, zeros: true }, "torn:2:9+zeros"),
        ];
        for (keep, word) in table {
            assert_eq!(keep_word(keep), word);
            assert_eq!(Keep::from_word(word), Ok(keep));
        }
        for word in ["none", "all+zeros", "7+zeros", "blocks:5", "torn:1", ""] {
            assert!(Keep::from_word(word).is_err(), "{word}");
        }
    }
}
