//! Writing a trace while the run goes on.

use std::io::{self, Write};

use super::format::{End, Ending, Header, Mark};
use crate::world::{Event, World};

/// Writes a trace, line by line, in pieces of `PIECE` bytes.
///
/// Events are serialised into one buffer that is used again and again, so that recording allocates nothing.
pub struct Writer<W> {
    out: W,
    buffer: Vec<u8>,
    digest_every: u64,
    steps: u64,
}

impl<W: Write> Writer<W> {
    const PIECE: usize = 1 << 16;

    /// Begins a trace. The header is renewed: it names this program as the one that recorded the trace.
    ///
    /// # Errors
    /// Those of `out`, as for every method.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let header = header.renewed();
        let digest_every = header.digest_every;
        let mut writer = Self { out, buffer: Vec::with_capacity(2 * Self::PIECE), digest_every, steps: 0 };
        serde_json::to_writer(&mut writer.buffer, &header)?;
        writer.end_line()?;
        Ok(writer)
    }

    /// Writes an event, before it is applied.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, event)?;
        self.steps += 1;
        self.end_line()
    }

    /// Writes the digest of the world after the event, if it is time to.
    pub fn digest(&mut self, world: &World) -> io::Result<()> {
        if !self.steps.is_multiple_of(self.digest_every) {
            return Ok(());
        }
        let mark = Mark::Digest { step: self.steps, value: world.digest() };
        serde_json::to_writer(&mut self.buffer, &mark)?;
        self.end_line()
    }

    /// Ends the trace, and gives back what it was written to. If the last event broke something, `world` is as that
    /// event left it.
    pub fn end(mut self, world: &World, ending: &Ending) -> io::Result<W> {
        let end = End { steps: self.steps, digest: world.digest(), ending: ending.clone() };
        serde_json::to_writer(&mut self.buffer, &Mark::End(end))?;
        self.buffer.push(b'\n');
        self.out.write_all(&self.buffer)?;
        Ok(self.out)
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.buffer.push(b'\n');
        if self.buffer.len() >= Self::PIECE {
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
