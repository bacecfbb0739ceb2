//! What the handles of a node, its driver and the calls under way share: the run loop behind a lock, and who waits.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::arm::Arm;
use super::chooser::FairChooser;
use super::error::{EnqueueError, Stopped};
use super::input::Ticket;
use super::run_loop::RunLoop;
use super::waiting::{Answer, Applied, Place, Queue, Waiting, Wakers};
use crate::storage::Storage;
use crate::types::EntryId;

/// The loop, and the callers and the driver around it.
#[derive(Debug)]
pub(super) struct Shared<S: Storage, A>(Mutex<State<S, A>>);

#[derive(Debug)]
pub(super) struct State<S: Storage, A> {
    pub(super) run_loop: RunLoop<S>,
    chooser: FairChooser,
    waiting: Waiting<A>,
    driver: Option<Waker>,
}

impl<S: Storage, A> Shared<S, A> {
    pub(super) fn new(run_loop: RunLoop<S>) -> Self {
        let (chooser, waiting) = (FairChooser::default(), Waiting::default());
        Self(Mutex::new(State { run_loop, chooser, waiting, driver: None }))
    }

    /// Gives `change` the state. The wakers that it adds are called when the lock is released.
    fn with<R>(&self, change: impl FnOnce(&mut State<S, A>, &mut Wakers) -> R) -> R {
        let mut wakers = Wakers::default();
        let mut state = self.lock(&mut wakers);
        change(&mut state, &mut wakers)
    }

    /// A panic under the lock can only come from the storage or from a bug. Either way, the node's promises can no
    /// longer be trusted, so it is stopped, and nobody is left waiting.
    fn lock(&self, wakers: &mut Wakers) -> MutexGuard<'_, State<S, A>> {
        self.0.lock().unwrap_or_else(|poisoned| {
            let mut state = poisoned.into_inner();
            state.stop(wakers);
            state
        })
    }

    /// Hands an input to the loop, and lets the driver know.
    pub(super) fn enqueue<R>(&self, input: impl FnOnce(&mut RunLoop<S>) -> R) -> R {
        self.with(|state, wakers| {
            let result = input(&mut state.run_loop);
            wakers.extend(state.driver.take());
            result
        })
    }

    /// Looks at the loop, or writes its storage.
    pub(super) fn look<R>(&self, look: impl FnOnce(&mut RunLoop<S>) -> R) -> R {
        self.with(|state, _| look(&mut state.run_loop))
    }

    /// Gives the application's answer to the caller that waits for this entry.
    pub(super) fn answer(&self, entry: EntryId, answer: A) {
        self.with(|state, wakers| {
            if let Some(ticket) = state.run_loop.take_awaited(entry) {
                state.waiting.answer(ticket, Applied { entry, answer: Some(answer) }, wakers);
            }
        });
    }

    pub(super) fn stop(&self) {
        self.with(|state, wakers| {
            state.stop(wakers);
            wakers.extend(state.driver.take());
        });
    }

    /// Takes up to `batch` inputs. `Ready` if the loop has ended, otherwise pending until the next input.
    pub(super) fn drive(&self, batch: usize, context: &Context<'_>) -> Poll<()> {
        self.with(|state, wakers| state.drive(batch, context, wakers))
    }

    /// Waits in line for room in a queue and then hands an input to the loop.
    pub(super) fn poll_enter<R>(
        &self,
        entry: &mut Entry<S, A>,
        input: &mut Option<impl FnOnce(&mut State<S, A>) -> Result<R, EnqueueError>>,
        context: &Context<'_>,
    ) -> Poll<Result<R, Stopped>> {
        self.with(|state, wakers| {
            if !state.run_loop.is_stopped() && !state.is_turn_of(entry.queue, entry.place) {
                entry.place = Some(state.waiting.line(entry.queue).wait(entry.place, context));
                return Poll::Pending;
            }
            if let Some(place) = entry.place.take() {
                state.waiting.line(entry.queue).leave(place);
            }
            wakers.extend(state.driver.take());
            let input = input.take().expect("a future is not polled again after it is done");
            match input(state) {
                Ok(result) => Poll::Ready(Ok(result)),
                Err(EnqueueError::Stopped) => Poll::Ready(Err(Stopped)),
                Err(EnqueueError::Full) => unreachable!("there is room in {:?}", entry.queue),
            }
        })
    }

    /// Hands an input to the loop if there is room for it beyond what others wait for.
    pub(super) fn try_enter(
        &self,
        queue: Queue,
        input: impl FnOnce(&mut RunLoop<S>) -> Result<(), EnqueueError>,
    ) -> Result<(), EnqueueError> {
        self.with(|state, wakers| {
            if !state.run_loop.is_stopped() && !state.is_turn_of(queue, None) {
                return Err(EnqueueError::Full);
            }
            wakers.extend(state.driver.take());
            input(&mut state.run_loop)
        })
    }

    /// Hands an input to the loop and expects an answer.
    ///
    /// # Errors
    /// Stopped.
    pub(super) fn ask<T: Answer<A>>(
        self: &Arc<Self>,
        input: impl FnOnce(&mut RunLoop<S>) -> Result<Ticket, Stopped>,
    ) -> Result<Reply<S, A, T>, Stopped> {
        self.with(|state, wakers| {
            wakers.extend(state.driver.take());
            let ticket = input(&mut state.run_loop)?;
            Ok(state.expect(ticket, self))
        })
    }
}

impl<S: Storage, A> State<S, A> {
    /// An answer that will come. To be called under the lock under which the input was handed to the loop.
    pub(super) fn expect<T: Answer<A>>(&mut self, ticket: Ticket, shared: &Arc<Shared<S, A>>) -> Reply<S, A, T> {
        T::answers(&mut self.waiting).expect(ticket);
        Reply { shared: Arc::clone(shared), ticket: Some(ticket), kind: PhantomData }
    }

    fn is_turn_of(&mut self, queue: Queue, place: Option<Place>) -> bool {
        let room = queue.room(&self.run_loop);
        self.waiting.line(queue).is_turn_of(place, room)
    }

    fn drive(&mut self, batch: usize, context: &Context<'_>, wakers: &mut Wakers) -> Poll<()> {
        for _ in 0..batch {
            let Some(arm) = self.chooser.choose(&self.run_loop) else {
                self.driver = Some(context.waker().clone());
                self.waiting.wake_lines(&self.run_loop, wakers);
                return if self.run_loop.is_stopped() { Poll::Ready(()) } else { Poll::Pending };
            };
            self.take(arm, wakers);
        }
        self.waiting.wake_lines(&self.run_loop, wakers);
        // There is more to do, but others have to get the lock and the executor's thread in between.
        wakers.extend([context.waker().clone()]);
        Poll::Pending
    }

    fn take(&mut self, arm: Arm, wakers: &mut Wakers) {
        if let Some(taken) = self.run_loop.take(arm) {
            self.waiting.deliver(taken, wakers);
        }
        for settled in self.run_loop.take_settled() {
            self.waiting.settle(settled, wakers);
        }
        for settled in self.run_loop.take_settled_reads() {
            self.waiting.settle_read(settled, wakers);
        }
    }

    fn stop(&mut self, wakers: &mut Wakers) {
        self.run_loop.stop();
        self.take(Arm::Stop, wakers);
    }
}

/// A call that wants to hand an input to the loop. Dropping it leaves the line.
pub(super) struct Entry<S: Storage, A> {
    shared: Arc<Shared<S, A>>,
    queue: Queue,
    /// `None` while it does not stand in line.
    place: Option<Place>,
}

impl<S: Storage, A> Entry<S, A> {
    pub(super) fn new(shared: Arc<Shared<S, A>>, queue: Queue) -> Self {
        Self { shared, queue, place: None }
    }
}

impl<S: Storage, A> Drop for Entry<S, A> {
    /// The call that leaves may have been woken for room that another one can use now.
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        self.shared.with(|state, wakers| {
            state.waiting.line(self.queue).leave(place);
            state.waiting.wake_lines(&state.run_loop, wakers);
        });
    }
}

/// The answer to an input that was handed to the loop. Dropping it takes the input back, if it has not been taken.
pub(super) struct Reply<S: Storage, A, T: Answer<A>> {
    shared: Arc<Shared<S, A>>,
    /// `None` once the answer is there.
    ticket: Option<Ticket>,
    kind: PhantomData<fn() -> T>,
}

impl<S: Storage, A, T: Answer<A>> Future for Reply<S, A, T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(ticket) = self.ticket else { return Poll::Ready(Err(Stopped)) };
        let answer = self.shared.with(|state, _| {
            let stopped = state.run_loop.is_stopped();
            T::answers(&mut state.waiting).poll(ticket, stopped, context)
        });
        if answer.is_ready() {
            self.ticket = None;
        }
        answer
    }
}

impl<S: Storage, A, T: Answer<A>> Drop for Reply<S, A, T> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        self.shared.with(|state, wakers| {
            state.run_loop.cancel(ticket);
            if let Some(answer) = T::answers(&mut state.waiting).leave(ticket) {
                answer.unclaimed(&mut state.run_loop);
            }
            state.waiting.wake_lines(&state.run_loop, wakers);
            wakers.extend(state.driver.take());
        });
    }
}
