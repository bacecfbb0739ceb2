//! What goes wrong with the disks of nodes.

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::{Command, Syntax, node};
use crate::disk::DiskFault;
use crate::wal::Segment;

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("fail-fsync", |arguments| fault(arguments, |_| Ok(DiskFault::FailSync))),
    Syntax::new("forget-fsync", |arguments| fault(arguments, |_| Ok(DiskFault::ForgetSync))),
    Syntax::new("fill-disk", |arguments| {
        fault(arguments, |arguments| Ok(DiskFault::Fill { room: arguments.value("room")?.unwrap_or(0) }))
    }),
    Syntax::new("free-disk", |arguments| fault(arguments, |_| Ok(DiskFault::Free))),
    Syntax::new("back-up-disk", |arguments| fault(arguments, |_| Ok(DiskFault::BackUp))),
    Syntax::new("lose-disk", |arguments| fault(arguments, |_| Ok(DiskFault::Lose))),
    Syntax::new("put-back-disk", |arguments| fault(arguments, |_| Ok(DiskFault::PutBack))),
    Syntax::new("flip-bit", |arguments| {
        fault(arguments, |arguments| {
            Ok(DiskFault::FlipBit { file: segment(arguments)?, bit: needed(arguments, "bit")? })
        })
    }),
    Syntax::new("misplace-block", |arguments| {
        fault(arguments, |arguments| {
            let (from, to) = (needed(arguments, "from")?, needed(arguments, "to")?);
            Ok(DiskFault::MisplaceBlock { file: segment(arguments)?, from, to })
        })
    }),
];

type ParseFault = fn(&mut Arguments<'_>) -> Result<DiskFault, ScriptError>;

fn fault(arguments: &mut Arguments<'_>, parse: ParseFault) -> Result<Command, ScriptError> {
    Ok(Command::Disk(node(arguments)?, parse(arguments)?))
}

fn segment(arguments: &mut Arguments<'_>) -> Result<Segment, ScriptError> {
    Ok(arguments.value("segment")?.map_or(Segment::FIRST, Segment))
}

fn needed(arguments: &mut Arguments<'_>, name: &'static str) -> Result<u64, ScriptError> {
    arguments.value(name)?.ok_or_else(|| arguments.error(format!("\"{}\" needs {name}=", arguments.name())))
}

/// A fault's command, without the node.
pub fn disk_words(fault: DiskFault) -> (&'static str, Vec<String>) {
    let in_segment = |file: Segment| (file != Segment::FIRST).then(|| format!("segment={}", file.0));
    match fault {
        DiskFault::FailSync => ("fail-fsync", Vec::new()),
        DiskFault::ForgetSync => ("forget-fsync", Vec::new()),
        DiskFault::Fill { room } => ("fill-disk", vec![format!("room={room}")]),
        DiskFault::Free => ("free-disk", Vec::new()),
        DiskFault::BackUp => ("back-up-disk", Vec::new()),
        DiskFault::Lose => ("lose-disk", Vec::new()),
        DiskFault::PutBack => ("put-back-disk", Vec::new()),
        DiskFault::FlipBit { file, bit } => {
            ("flip-bit", in_segment(file).into_iter().chain([format!("bit={bit}")]).collect())
        }
        DiskFault::MisplaceBlock { file, from, to } => {
            let blocks = [format!("from={from}"), format!("to={to}")];
            ("misplace-block", in_segment(file).into_iter().chain(blocks).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::parse::scenario;
    use super::*;

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        let faults = [
            DiskFault::FailSync,
            DiskFault::ForgetSync,
            DiskFault::Fill { room: 20 },
            DiskFault::Free,
            DiskFault::BackUp,
            DiskFault::Lose,
            DiskFault::PutBack,
            DiskFault::FlipBit { file: Segment::FIRST, bit: 100 },
            DiskFault::FlipBit { file: Segment(2), bit: 0 },
            DiskFault::MisplaceBlock { file: Segment(3), from: 4, to: 5 },
        ];
        for fault in faults {
            let (name, more) = disk_words(fault);
            let text = [&[name.to_owned(), "7".to_owned()], more.as_slice()].concat().join(" ");
            let blocks = scenario(&text).unwrap();
            assert_eq!(Command::parse(&blocks[0]), Ok(Command::Disk(raft::NodeId::new(7).unwrap(), fault)), "{text}");
        }
    }
}
