//! Which call waits for what: wakers, and answers that have not been picked up. This is only about waiting and waking;
//! every rule is in the run loop.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use super::awaited::Settled;
use super::awaited_reads::SettledRead;
use super::error::{ApplyError, Stopped};
use super::input::{Taken, Ticket};
use super::run_loop::RunLoop;
use crate::error::{ProposeError, ReadError};
use crate::membership::{ChangeError, ConfState};
use crate::ready::Ready;
use crate::status::Status;
use crate::storage::Storage;
use crate::types::{EntryId, Index};

/// Wakers that are called when this is dropped, which has to be after the lock was released. A panic under the lock
/// does not keep anybody asleep either.
#[derive(Debug, Default)]
pub(super) struct Wakers(Vec<Waker>);

impl Extend<Waker> for Wakers {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        self.0.extend(wakers);
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

/// All calls that wait.
#[derive(Debug)]
pub(super) struct Waiting<A> {
    proposals: Answers<Result<(), ProposeError>>,
    applied: Answers<Result<Applied<A>, ApplyError>>,
    unattended: Answers<()>,
    reads: Answers<Result<(), ReadError>>,
    applied_reads: Answers<Result<Index, ReadError>>,
    changes: Answers<Result<ConfState, ChangeError>>,
    readys: Answers<Ready>,
    statuses: Answers<Box<Status>>,
    proposal_line: Line,
    message_line: Line,
}

impl<A> Default for Waiting<A> {
    fn default() -> Self {
        Self {
            proposals: Answers::default(),
            applied: Answers::default(),
            unattended: Answers::default(),
            reads: Answers::default(),
            applied_reads: Answers::default(),
            changes: Answers::default(),
            readys: Answers::default(),
            statuses: Answers::default(),
            proposal_line: Line::default(),
            message_line: Line::default(),
        }
    }
}

/// A proposal that is applied on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied<A = ()> {
    /// The entry of the proposal.
    pub entry: EntryId,
    /// What the application [answered](super::Node::answer); `None` where it said nothing before it was done with the entry.
    pub answer: Option<A>,
}

/// A bounded queue of the run loop, before which callers wait for room.
#[derive(Clone, Copy, Debug)]
pub(super) enum Queue {
    Proposals,
    Messages,
}

impl Queue {
    pub(super) fn room<S: Storage>(self, run_loop: &RunLoop<S>) -> usize {
        match self {
            Self::Proposals => run_loop.proposal_room(),
            Self::Messages => run_loop.message_room(),
        }
    }
}

impl<A> Waiting<A> {
    /// Gives the result of an input to the call that waits for it.
    pub(super) fn deliver(&mut self, taken: Taken, wakers: &mut Wakers) {
        match taken {
            Taken::Proposal { ticket, result } => self.proposals.deliver(ticket, result, wakers),
            Taken::Read { ticket, result } => self.reads.deliver(ticket, result, wakers),
            Taken::MembershipChange { ticket, result } => self.changes.deliver(ticket, result, wakers),
            Taken::Ready { ticket, ready } => self.readys.deliver(ticket, *ready, wakers),
            Taken::Status { ticket, status } => self.statuses.deliver(ticket, status, wakers),
            Taken::Stop => self.wake_all(wakers),
            // An error of a message concerns nobody here: it is as if the message had been lost on the network.
            Taken::UnattendedProposal { ticket, result: _ } => self.unattended.deliver(ticket, (), wakers),
            Taken::Message(_) | Taken::Tick | Taken::Advance => {}
        }
    }

    /// Tells whoever waits for a proposal what became of it.
    pub(super) fn settle(&mut self, settled: Settled, wakers: &mut Wakers) {
        let result = settled.result.map(|entry| Applied { entry, answer: None });
        self.applied.deliver(settled.ticket, result, wakers);
    }

    /// Tells whoever waits for a read what became of it.
    pub(super) fn settle_read(&mut self, settled: SettledRead, wakers: &mut Wakers) {
        self.applied_reads.deliver(settled.ticket, settled.result, wakers);
    }

    /// Tells whoever waits for a proposal that it is applied, with the application's answer.
    pub(super) fn answer(&mut self, ticket: Ticket, applied: Applied<A>, wakers: &mut Wakers) {
        self.applied.deliver(ticket, Ok(applied), wakers);
    }

    pub(super) fn line(&mut self, queue: Queue) -> &mut Line {
        match queue {
            Queue::Proposals => &mut self.proposal_line,
            Queue::Messages => &mut self.message_line,
        }
    }

    /// Wakes as many callers as there is room for: those that have waited longest.
    pub(super) fn wake_lines<S: Storage>(&mut self, run_loop: &RunLoop<S>, wakers: &mut Wakers) {
        self.proposal_line.wake(Queue::Proposals.room(run_loop), wakers);
        self.message_line.wake(Queue::Messages.room(run_loop), wakers);
    }

    fn wake_all(&mut self, wakers: &mut Wakers) {
        self.proposals.wake_all(wakers);
        self.applied.wake_all(wakers);
        self.unattended.wake_all(wakers);
        self.reads.wake_all(wakers);
        self.applied_reads.wake_all(wakers);
        self.changes.wake_all(wakers);
        self.readys.wake_all(wakers);
        self.statuses.wake_all(wakers);
        self.proposal_line.wake(usize::MAX, wakers);
        self.message_line.wake(usize::MAX, wakers);
    }
}

/// A kind of answer that somebody waits for.
pub(super) trait Answer<A>: Sized {
    /// Where answers of this kind are kept.
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self>;

    /// What happens to an answer that nobody has picked up.
    fn unclaimed<S: Storage>(self, _run_loop: &mut RunLoop<S>) {}
}

impl<A> Answer<A> for Result<(), ProposeError> {
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self> {
        &mut waiting.proposals
    }
}

impl<A> Answer<A> for Result<Applied<A>, ApplyError> {
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self> {
        &mut waiting.applied
    }
}

impl<A> Answer<A> for Result<(), ReadError> {
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self> {
        &mut waiting.reads
    }
}

impl<A> Answer<A> for Result<Index, ReadError> {
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self> {
        &mut waiting.applied_reads
    }
}

/// The answer that an input was taken.
impl<A> Answer<A> for () {
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self> {
        &mut waiting.unattended
    }
}

impl<A> Answer<A> for Result<ConfState, ChangeError> {
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self> {
        &mut waiting.changes
    }
}

impl<A> Answer<A> for Box<Status> {
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self> {
        &mut waiting.statuses
    }
}

impl<A> Answer<A> for Ready {
    fn answers(waiting: &mut Waiting<A>) -> &mut Answers<Self> {
        &mut waiting.readys
    }

    /// Somebody has to do the work in it, so it goes back to the loop.
    fn unclaimed<S: Storage>(self, run_loop: &mut RunLoop<S>) {
        run_loop.return_ready(self);
    }
}

/// The calls that wait for answers of one kind.
#[derive(Debug)]
pub(super) struct Answers<T>(BTreeMap<Ticket, Slot<T>>);

#[derive(Debug)]
enum Slot<T> {
    /// `None` until the future is polled.
    Waiting(Option<Waker>),
    Answered(T),
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Answers<T> {
    pub(super) fn expect(&mut self, ticket: Ticket) {
        self.0.insert(ticket, Slot::Waiting(None));
    }

    fn deliver(&mut self, ticket: Ticket, answer: T, wakers: &mut Wakers) {
        // Nobody waits for what was handed in without waiting, or before there was a handle.
        let Some(slot) = self.0.get_mut(&ticket) else { return };
        if let Slot::Waiting(waker) = std::mem::replace(slot, Slot::Answered(answer)) {
            wakers.extend(waker);
        }
    }

    pub(super) fn poll(&mut self, ticket: Ticket, stopped: bool, context: &Context<'_>) -> Poll<Result<T, Stopped>> {
        match self.0.remove(&ticket) {
            Some(Slot::Answered(answer)) => Poll::Ready(Ok(answer)),
            Some(Slot::Waiting(_)) if !stopped => {
                self.0.insert(ticket, Slot::Waiting(Some(context.waker().clone())));
                Poll::Pending
            }
            Some(Slot::Waiting(_)) | None => Poll::Ready(Err(Stopped)),
        }
    }

    /// Ends the waiting, and returns the answer if nobody has picked it up.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<T> {
        match self.0.remove(&ticket) {
            Some(Slot::Answered(answer)) => Some(answer),
            Some(Slot::Waiting(_)) | None => None,
        }
    }

    fn wake_all(&mut self, wakers: &mut Wakers) {
        let slots = self.0.values_mut();
        wakers.extend(slots.filter_map(|slot| match slot {
            Slot::Waiting(waker) => waker.take(),
            Slot::Answered(_) => None,
        }));
    }
}

/// A place in a [`Line`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place(u64);

/// The calls that wait for room in a queue, first come, first served.
#[derive(Debug, Default)]
pub(super) struct Line {
    places: u64,
    /// `None` for those that were woken and were not polled yet.
    waiting: BTreeMap<Place, Option<Waker>>,
}

impl Line {
    /// Whether there is room for this place, or for a newcomer, and for all before it.
    pub(super) fn is_turn_of(&self, place: Option<Place>, room: usize) -> bool {
        let before = match place {
            Some(place) => self.waiting.range(..place).take(room).count(),
            None => self.waiting.len(),
        };
        before < room
    }

    /// Waits at a place, or at the end of the line if it has none yet.
    pub(super) fn wait(&mut self, place: Option<Place>, context: &Context<'_>) -> Place {
        let place = place.unwrap_or_else(|| {
            self.places += 1;
            Place(self.places)
        });
        self.waiting.insert(place, Some(context.waker().clone()));
        place
    }

    pub(super) fn leave(&mut self, place: Place) {
        self.waiting.remove(&place);
    }

    fn wake(&mut self, room: usize, wakers: &mut Wakers) {
        wakers.extend(self.waiting.values_mut().take(room).filter_map(Option::take));
    }
}
