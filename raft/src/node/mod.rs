//! The concurrent node: a handle whose methods may be called from any task or thread, and the one loop that owns the
//! [`RawNode`].
//!
//! - [`RunLoop`] is that loop as a plain value: what waits, and all the rules. A simulation uses it as it is.
//! - [`Node`] is the handle, and [`Driver`] the future that runs the loop. They wait and wake, and have no rule of
//!   their own. They run on any executor, and start no thread.
//!
//! etcd's counterpart is its `Node` with `node.run`.

mod arm;
mod awaited;
mod awaited_reads;
mod chooser;
mod driver;
mod error;
mod held;
mod input;
mod inputs;
mod readys;
mod run_loop;
mod shared;
mod waiting;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;

use crate::config::Config;
use crate::error::{AdvanceError, ProposeError, ReadError};
use crate::membership::{ChangeError, ConfChange, ConfChangeV2, ConfState};
use crate::message::{Body, Message};
use crate::raw_node::{RawNode, SnapshotStatus};
use crate::ready::{Ready, StorageAppended, StorageApplied};
use crate::status::Status;
use crate::storage::{Storage, StorageFailure};
use crate::types::{EntryId, Index, NodeId};

use shared::{Entry, Reply, Shared, State};
use waiting::{Answer, Queue};

pub use arm::Arm;
pub use awaited::Settled;
pub use awaited_reads::SettledRead;
pub use chooser::FairChooser;
pub use driver::Driver;
pub use error::{ApplyError, EnqueueError, NodeError, StartError, Stopped};
pub use held::HeldReady;
pub use input::{Taken, Ticket};
pub use readys::Readys;
pub use run_loop::{Demand, Limits, RunLoop, Ticked};
pub use waiting::Applied;

/// A handle to a running node. Clones are cheap and stand for the same node; when the last one is dropped the node is
/// stopped.
///
/// The application spawns the [`Driver`], calls [`tick`](Self::tick) at even intervals, gives every message that arrives
/// to [`step`](Self::step), and in a task of its own does what each [`Ready`] says:
///
/// ```
/// use raft::{ConfState, Config, MemStorage, Node, NodeId, Role};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     let id = NodeId::new(1).unwrap();
///     let alone = ConfState { voters: [id].into(), ..ConfState::default() };
///     let (node, driver) = Node::restart(Config::recommended(id), MemStorage::with_conf_state(alone))?;
///     tokio::spawn(driver);
///
///     let application = node.clone();
///     tokio::spawn(async move {
///         while let Ok(ready) = application.next_ready().await {
///             application.with_storage(|storage| storage.write(&ready))?;
///             // Send `ready.messages`, restore `ready.snapshot` and apply `ready.committed_entries` here.
///             ready.advance()?;
///         }
///         Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
///     });
///
///     node.campaign().await?;
///     node.propose("hello".into()).await?;
///     assert_eq!(node.status().await?.basic.soft_state.role, Role::Leader);
///     node.stop();
///     assert!(node.propose("too late".into()).await.is_err());
///     Ok(())
/// }
/// ```
///
/// # Order
/// Calls take effect in the order in which they were made, whatever they are: a call that returned comes before one that
/// begins thereafter, by the same caller or another. Only a proposal that waits for a leader is passed by others, and its
/// call has not returned. So `advance` and then `campaign`, or `transfer_leadership` and then `propose`, do what they do
/// in etcd, where a call returns once the loop has received it.
///
/// # Waiting, cancelling and stopping
/// Methods that are not `async` never wait for anything but a lock that is held for microseconds. Dropping a future is
/// the cancellation: the input is taken back if the loop has not taken it. What was cancelled may have happened or not.
/// There is no timeout: whoever does not want to wait for a leader for ever drops the future.
///
/// After [`stop`](Self::stop), all calls, including those that wait, return [`Stopped`]; only one whose answer was there
/// already still returns that. The same holds when the driver is dropped, and when the storage [fails](Node::failure) or
/// panics.
pub struct Node<S: Storage, A = ()>(Arc<Owner<S, A>>);

/// Ends the loop when the last handle is gone.
struct Owner<S: Storage, A>(Arc<Shared<S, A>>);

impl<S: Storage, A> Drop for Owner<S, A> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl<S: Storage, A> Clone for Node<S, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Storage, A> fmt::Debug for Node<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

/// Starting.
impl<S: Storage> Node<S> {
    /// Starts a node for the first time, as one of `peers`: with an empty storage, and on all of them with the same
    /// list. See [`RawNode::bootstrap`].
    ///
    /// # Errors
    /// As [`RawNode::new`] and [`RawNode::bootstrap`].
    pub fn start(config: Config, storage: S, peers: &[(NodeId, Bytes)]) -> Result<(Self, Driver<S>), StartError> {
        let mut node = RawNode::new(config, storage)?;
        node.bootstrap(peers)?;
        Ok(Self::run(RunLoop::new(node, Limits::default())))
    }

    /// Starts a node that goes on from what its storage holds, membership included, or that begins with nothing and
    /// will be added by others. An application that keeps its state sets in the configuration up to where it has
    /// applied the log, and has the membership after that in its storage; see [`RawNode::new`].
    ///
    /// # Errors
    /// As [`RawNode::new`].
    pub fn restart(config: Config, storage: S) -> Result<(Self, Driver<S>), StartError> {
        Ok(Self::run(RunLoop::new(RawNode::new(config, storage)?, Limits::default())))
    }

    /// A handle to a loop, for callers that choose its limits.
    pub fn run(run_loop: RunLoop<S>) -> (Self, Driver<S>) {
        Self::answering(run_loop)
    }
}

/// Starting with answers, and ending.
impl<S: Storage, A> Node<S, A> {
    /// A handle to a loop whose application [answers](Self::answer) proposals with values of its own type. See
    /// [`propose_until_applied`](Self::propose_until_applied) for an example.
    pub fn answering(run_loop: RunLoop<S>) -> (Self, Driver<S, A>) {
        let shared = Arc::new(Shared::new(run_loop));
        (Self(Arc::new(Owner(Arc::clone(&shared)))), Driver::new(shared))
    }

    /// Looks at the loop as it is between two inputs: what waits in it, and the node behind it. The node waits meanwhile.
    /// Works on a stopped node too.
    pub fn inspect<R>(&self, look: impl FnOnce(&RunLoop<S>) -> R) -> R {
        self.shared().look(|run_loop| look(run_loop))
    }

    /// Why the node stopped by itself, if it did: its storage could not be read. See [`Storage`](crate::Storage#failure).
    pub fn failure(&self) -> Option<StorageFailure> {
        self.inspect(|run_loop| run_loop.node().failure().cloned())
    }

    /// Stops the node: when this returns it takes nothing any more. Stopping again does nothing.
    pub fn stop(&self) {
        self.shared().stop();
    }
}

/// What peers, clients and the clock ask of the node.
impl<S: Storage, A> Node<S, A> {
    /// Lets the node's clock go on by one tick. Never waits: if too many ticks have not been taken yet, this one is
    /// missed.
    ///
    /// # Errors
    /// Stopped.
    pub fn tick(&self) -> Result<Ticked, Stopped> {
        self.shared().enqueue(RunLoop::tick)
    }

    /// How many ticks were missed since the start. If it grows, the executor is overloaded and the node's timeouts
    /// are longer than they should be.
    pub fn missed_ticks(&self) -> u64 {
        self.shared().look(|run_loop| run_loop.missed_ticks())
    }

    /// Proposes data, and waits until it is appended here or sent on to the leader; it may still be lost. While no leader
    /// is known, and while this node is removed, it waits for that to change.
    ///
    /// A proposal that is cancelled may have been made or not.
    ///
    /// # Errors
    /// Why the proposal was neither appended nor sent on; or stopped: then it may have been made.
    pub async fn propose(&self, data: Bytes) -> Result<(), NodeError<ProposeError>> {
        let answer: Result<(), ProposeError> = self.propose_with(|run_loop| run_loop.propose(data)).await?;
        answer.map_err(NodeError::Refused)
    }

    /// Proposes data here, as the leader, and waits until it is applied on this node.
    ///
    /// It is known by index and term, so nothing is added to the data, and no leadership has to last: when another
    /// leader comes, the call goes on waiting, and learns whether it was this entry that was committed in the end. On a
    /// node that does not lead it fails at once, and the error names the leader: nothing is forwarded, since a
    /// forwarded proposal has no index here. While no leader is known it waits for one, as [`propose`](Self::propose)
    /// does.
    ///
    /// The application may have an answer for whoever proposed; it gives it with [`answer`](Self::answer).
    ///
    /// Each call that waits costs the node a few dozen bytes, until its future is done or dropped.
    ///
    /// ```
    /// use raft::node::{Limits, RunLoop};
    /// use raft::{ConfState, Config, MemStorage, Node, NodeId, RawNode};
    ///
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    ///     let id = NodeId::new(1).unwrap();
    ///     let alone = ConfState { voters: [id].into(), ..ConfState::default() };
    ///     let node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(alone))?;
    ///     let (node, driver) = Node::answering(RunLoop::new(node, Limits::default()));
    ///     tokio::spawn(driver);
    ///
    ///     let application = node.clone();
    ///     tokio::spawn(async move {
    ///         let mut length = 0;
    ///         while let Ok(ready) = application.next_ready().await {
    ///             application.with_storage(|storage| storage.write(&ready))?;
    ///             for entry in &ready.committed_entries {
    ///                 length += entry.data.len();
    ///                 ready.answer(entry.id(), length);
    ///             }
    ///             ready.advance()?;
    ///         }
    ///         Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    ///     });
    ///
    ///     node.campaign().await?;
    ///     assert_eq!(node.propose_until_applied("hello ".into()).await?.answer, Some(6));
    ///     assert_eq!(node.propose_until_applied("world".into()).await?.answer, Some(11));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ApplyError`], which tells whether the proposal may be applied all the same. A future that is dropped tells
    /// nothing: the proposal may be applied.
    pub async fn propose_until_applied(&self, data: Bytes) -> Result<Applied<A>, ApplyError> {
        let applied: Result<Applied<A>, ApplyError> =
            self.propose_with(|run_loop| run_loop.propose_awaited(data)).await?;
        applied
    }

    /// Like [`propose_until_applied`](Self::propose_until_applied), but for a membership change. It is applied when the
    /// application has come to its entry; if the membership did not allow the change,
    /// [`apply_conf_change`](Self::apply_conf_change) has told the application so.
    ///
    /// # Errors
    /// As `propose_until_applied`, and [`ApplyError::ChangeRefused`].
    pub async fn propose_conf_change_until_applied(&self, change: ConfChange) -> Result<Applied<A>, ApplyError> {
        let applied: Result<Applied<A>, ApplyError> =
            self.propose_with(|run_loop| run_loop.propose_conf_change_awaited(change)).await?;
        applied
    }

    /// Proposes a membership change, and waits until the node has taken it, as [`propose`](Self::propose) does: also
    /// while no leader is known. As in etcd, the caller does not learn whether the change was dropped.
    ///
    /// # Errors
    /// Stopped.
    pub async fn propose_conf_change(&self, change: ConfChange) -> Result<(), Stopped> {
        self.propose_with(|run_loop| run_loop.propose_conf_change(change)).await
    }

    /// Gives the node a message from a peer. Waits only for room in the queue; but a proposal that the peer forwarded
    /// is a proposal, as in etcd, and also waits for a leader. A message that makes no sense, or an answer of a node
    /// that is no member, is ignored without an error.
    ///
    /// A task that waits here for a leader hands in nothing else meanwhile, not even the messages that would bring one.
    /// So a task that receives messages one after another gives forwarded proposals to [`try_step`](Self::try_step):
    ///
    /// ```
    /// # use raft::{Body, MemStorage, Message, Node, Stopped};
    /// async fn receive(node: &Node<MemStorage>, message: Message) -> Result<(), Stopped> {
    ///     match message.body {
    ///         // Where there is no room the proposal is lost, as it may be anywhere on its way.
    ///         Body::Propose { .. } => drop(node.try_step(message)),
    ///         _ => node.step(message).await?,
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Stopped.
    pub async fn step(&self, message: Message) -> Result<(), Stopped> {
        match message.body {
            Body::Propose { .. } => self.propose_with(|run_loop| run_loop.propose_forwarded(message)).await,
            _ => self.enter(Queue::Messages, |state| state.run_loop.step(message)).await,
        }
    }

    /// Like [`step`](Self::step), but does not wait for anything. A forwarded proposal still waits in the queue for a
    /// leader, but the caller does not.
    ///
    /// # Errors
    /// No room beyond what other callers wait for, or stopped.
    pub fn try_step(&self, message: Message) -> Result<(), EnqueueError> {
        let queue = if matches!(message.body, Body::Propose { .. }) { Queue::Proposals } else { Queue::Messages };
        self.shared().try_enter(queue, |run_loop| run_loop.step(message))
    }

    /// Campaigns now; see [`RawNode::campaign`].
    ///
    /// # Errors
    /// Stopped.
    pub async fn campaign(&self) -> Result<(), Stopped> {
        self.enter(Queue::Messages, |state| state.run_loop.campaign()).await
    }

    /// Asks the leader to hand leadership to `target`; see [`RawNode::transfer_leadership`].
    ///
    /// # Errors
    /// Stopped.
    pub async fn transfer_leadership(&self, target: NodeId) -> Result<(), Stopped> {
        self.enter(Queue::Messages, |state| state.run_loop.transfer_leadership(target)).await
    }

    /// Makes a follower forget its leader; see [`RawNode::forget_leader`].
    ///
    /// # Errors
    /// Stopped.
    pub async fn forget_leader(&self) -> Result<(), Stopped> {
        self.enter(Queue::Messages, |state| state.run_loop.forget_leader()).await
    }

    /// Asks for an index at which a read is linearizable, and waits until the node has taken the request up. The answer
    /// is a [`ReadState`](crate::ReadState) with this context in a Ready. It may still be lost, on its way or with the
    /// leadership for which it waits, so ask again after a while, with another context.
    ///
    /// # Errors
    /// No answer will come, as [`RawNode::try_read_index`] tells: ask again later. Or stopped.
    pub async fn read_index(&self, context: Bytes) -> Result<(), NodeError<ReadError>> {
        let answer: Result<(), ReadError> =
            self.ask_in_turn(Queue::Messages, |run_loop| run_loop.read_index(context)).await?;
        answer.map_err(NodeError::Refused)
    }

    /// Waits until this node may answer a read: until it has applied everything that was committed anywhere when the
    /// call was made. Returns the index for which it waited, which is at least the highest one that was committed by
    /// then. The application's state is then at least as new as any that a caller has seen before.
    ///
    /// `context` tells the read from all others. It must never have been used before on this node, not even before a
    /// restart.
    ///
    /// An answer that is lost on its way does not come, and this waits for ever: a caller that gives up drops the
    /// future, and reads again.
    ///
    /// # Errors
    /// No answer will come: read again. [`ReadError::LeadershipChanged`] comes as soon as this node knows of it. Or stopped.
    pub async fn read_index_until_applied(&self, context: Bytes) -> Result<Index, NodeError<ReadError>> {
        let answer: Result<Index, ReadError> =
            self.ask_in_turn(Queue::Messages, |run_loop| run_loop.read_index_awaited(context)).await?;
        answer.map_err(NodeError::Refused)
    }

    /// Reports that the last message to a peer could not be delivered.
    ///
    /// # Errors
    /// Stopped.
    pub async fn report_unreachable(&self, peer: NodeId) -> Result<(), Stopped> {
        self.enter(Queue::Messages, |state| state.run_loop.report_unreachable(peer)).await
    }

    /// Reports how sending a snapshot to a peer ended; see [`RawNode::report_snapshot`].
    ///
    /// # Errors
    /// Stopped.
    pub async fn report_snapshot(&self, peer: NodeId, status: SnapshotStatus) -> Result<(), Stopped> {
        self.enter(Queue::Messages, |state| state.run_loop.report_snapshot(peer, status)).await
    }

    /// The node's status.
    ///
    /// # Errors
    /// Stopped.
    pub async fn status(&self) -> Result<Status, Stopped> {
        let reply: Reply<S, A, Box<Status>> = self.shared().ask(RunLoop::request_status)?;
        Ok(*reply.await?)
    }
}

/// For the application that does the work of the Readys.
impl<S: Storage, A> Node<S, A> {
    /// The next Ready, as soon as there is work. It is collected as late as possible. With synchronous storage writes,
    /// the next one comes after this one was [advanced](Self::advance). A Ready that a cancelled call would have
    /// returned goes to the next call.
    ///
    /// If a Ready was returned and is then dropped, for instance by an early return, the node stays mute for good: it
    /// goes on taking input, but never has a Ready again, and reports no error. [`next_ready`](Self::next_ready) cannot
    /// lose one.
    ///
    /// # Errors
    /// Stopped.
    pub async fn ready(&self) -> Result<Ready, Stopped> {
        self.ask_ready()?.await
    }

    /// All Readys, as a stream that ends when the node is stopped.
    pub fn readys(&self) -> Readys<S, A> {
        Readys::new(self.clone())
    }

    fn ask_ready(&self) -> Result<Reply<S, A, Ready>, Stopped> {
        self.shared().ask(RunLoop::request_ready)
    }

    /// Gives access to the storage, to write what a Ready says. The node waits meanwhile, so slow writes should go to a
    /// device first and only then, as a copy in memory, through here. Works on a stopped node too.
    pub fn with_storage<R>(&self, access: impl FnOnce(&mut S) -> R) -> R {
        self.shared().look(|run_loop| access(run_loop.storage_mut()))
    }

    /// Takes up a committed membership change when its entry is applied, and returns what a snapshot after it has to
    /// contain. To be called before the Ready with the entry is advanced.
    ///
    /// # Errors
    /// A change that the configuration does not allow, which takes effect on no node; or stopped.
    pub async fn apply_conf_change(&self, change: ConfChangeV2) -> Result<ConfState, NodeError<ChangeError>> {
        let reply: Reply<S, A, Result<ConfState, ChangeError>> =
            self.shared().ask(|run_loop| run_loop.apply_conf_change(change))?;
        reply.await?.map_err(NodeError::Refused)
    }

    /// Like [`apply_conf_change`](Self::apply_conf_change), for the entry at `index`. Messages go on while the
    /// application applies what a Ready handed out, so the node may take up a snapshot before it is told of a change
    /// that the snapshot contains already. Then this method keeps the membership of the snapshot, and the application
    /// only has to restore the snapshot when the next Ready brings it.
    ///
    /// # Errors
    /// As `apply_conf_change`, and [`ChangeError::Overtaken`] where a snapshot has replaced the entry.
    pub async fn apply_conf_change_at(
        &self,
        index: Index,
        change: ConfChangeV2,
    ) -> Result<ConfState, NodeError<ChangeError>> {
        let reply: Reply<S, A, Result<ConfState, ChangeError>> =
            self.shared().ask(|run_loop| run_loop.apply_conf_change_at(index, change))?;
        reply.await?.map_err(NodeError::Refused)
    }

    /// Answers the caller that waits until this entry is applied, if there is one. Call it when the application has
    /// applied the entry, before it advances the Ready or, with asynchronous storage writes, reports the entry as
    /// applied. After that, the caller has been told without an answer.
    pub fn answer(&self, entry: EntryId, answer: A) {
        self.shared().answer(entry, answer);
    }

    /// Tells the node that a Ready is persisted, sent and applied.
    ///
    /// # Errors
    /// As [`RawNode::advance`], or stopped.
    pub fn advance(&self, ready: Ready) -> Result<(), NodeError<AdvanceError>> {
        self.shared().enqueue(|run_loop| run_loop.advance(ready))
    }

    /// With asynchronous storage writes: tells the node that a [`StorageAppend`](crate::StorageAppend) is done, after
    /// its responses were [stepped](Self::step) or sent.
    ///
    /// # Errors
    /// Stopped.
    pub fn storage_appended(&self, appended: StorageAppended) -> Result<(), Stopped> {
        self.shared().enqueue(|run_loop| run_loop.storage_appended(appended))
    }

    /// With asynchronous storage writes: tells the node that a [`StorageApply`](crate::StorageApply) is done.
    ///
    /// # Errors
    /// Stopped.
    pub fn storage_applied(&self, applied: StorageApplied) -> Result<(), Stopped> {
        self.shared().enqueue(|run_loop| run_loop.storage_applied(applied))
    }

    fn shared(&self) -> &Arc<Shared<S, A>> {
        &self.0.0
    }

    async fn propose_with<T: Answer<A>>(
        &self,
        propose: impl FnOnce(&mut RunLoop<S>) -> Result<Ticket, EnqueueError>,
    ) -> Result<T, Stopped> {
        self.ask_in_turn(Queue::Proposals, propose).await
    }

    /// Hands an input to the loop when there is room for it, and waits for the answer.
    async fn ask_in_turn<T: Answer<A>>(
        &self,
        queue: Queue,
        input: impl FnOnce(&mut RunLoop<S>) -> Result<Ticket, EnqueueError>,
    ) -> Result<T, Stopped> {
        let shared = self.shared();
        let enter = |state: &mut State<S, A>| {
            let ticket = input(&mut state.run_loop)?;
            Ok(state.expect::<T>(ticket, shared))
        };
        self.enter(queue, enter).await?.await
    }

    /// Hands an input to the loop when there is room for it.
    async fn enter<R>(
        &self,
        queue: Queue,
        input: impl FnOnce(&mut State<S, A>) -> Result<R, EnqueueError>,
    ) -> Result<R, Stopped> {
        let mut entry = Entry::new(Arc::clone(self.shared()), queue);
        let mut input = Some(input);
        poll_fn(|context| self.shared().poll_enter(&mut entry, &mut input, context)).await
    }
}
