//! A run as data: a line with the plan, then a line for each event, all JSON.
//!
//! ```text
//! {"format":"raft-sim-trace","version":1,"seed":1,"plan":{…}}
//! {"Start":{"node":1,"boot":{"Peers":[1]},"options":{…},"seed":4711}}
//! {"TakeReady":{"node":1}}
//! ```

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::world::Event;

/// What the first line of a trace calls the format.
pub const FORMAT: &str = "raft-sim-trace";

/// The version of the format.
pub const VERSION: u32 = 1;

/// The first line of a trace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The seed of the run.
    pub seed: u64,
    /// What the seed decided.
    pub plan: Plan,
}

impl Header {
    /// The header of a run of this plan.
    pub fn new(plan: &Plan) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, seed: plan.seed, plan: plan.clone() }
    }
}

/// Writes a trace, line by line. The first error is kept and ends the writing; [`finish`](Self::finish) returns it, so that
/// a run need not stop where a disk is full.
#[derive(Debug)]
pub struct Recorder<W> {
    out: W,
    line: Vec<u8>,
    error: Option<io::Error>,
}

impl<W: Write> Recorder<W> {
    /// Begins a trace.
    pub fn new(out: W, header: &Header) -> Self {
        let mut recorder = Self { out, line: Vec::new(), error: None };
        recorder.write(header);
        recorder
    }

    /// Adds an event.
    pub fn record(&mut self, event: &Event) {
        self.write(event);
    }

    /// Ends the trace.
    ///
    /// # Errors
    /// The first that there was.
    pub fn finish(mut self) -> io::Result<()> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }

    fn write(&mut self, value: &impl Serialize) {
        if self.error.is_none() {
            self.error = self.try_write(value).err();
        }
    }

    fn try_write(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::swarm::run;
    use crate::plan::Overrides;

    #[test]
    fn every_line_of_a_trace_reads_back_as_what_was_written() {
        let plan = Plan::draw(3, &Overrides { steps: Some(2000), ..Overrides::default() });
        let mut bytes = Vec::new();
        let mut events = Vec::new();
        let mut recorder = Recorder::new(&mut bytes, &Header::new(&plan));
        run(&plan, |event| {
            recorder.record(event);
            events.push(event.clone());
        });
        recorder.finish().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.lines();
        assert_eq!(serde_json::from_str::<Header>(lines.next().unwrap()).unwrap(), Header::new(&plan));
        let read: Vec<Event> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, events);
    }

    #[test]
    fn the_first_error_is_reported_at_the_end() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let plan = Plan::draw(3, &Overrides::default());
        let recorder = Recorder::new(Full, &Header::new(&plan));
        assert_eq!(recorder.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
