//! Working off a Ready in one call, so that none is ever lost.

use super::{Outstanding, RawNode};
use crate::ready::Ready;
use crate::storage::Storage;

impl<S: Storage> RawNode<S> {
    /// Takes the work that has come up, lets `work` do it, and hands it back: [`ready`](Self::ready) and
    /// [`advance`](Self::advance) as one call. Tells whether there was any; there is none, too, where the storage has
    /// [failed](Self::failure).
    ///
    /// Where `work` fails or panics, the node keeps the Ready and hands out the same one next time; so `work` may be
    /// called again for what it has done in part. Writing to storage twice changes nothing. Of the committed entries those
    /// have to be skipped that are applied already, which their index tells.
    ///
    /// With asynchronous storage writes there is nothing to hand back, and `work` passes the Ready's parts on.
    ///
    /// # Errors
    /// What `work` returns.
    ///
    /// ```
    /// use raft::{ConfState, Config, MemStorage, NodeId, RawNode, Role};
    ///
    /// let id = NodeId::new(1).unwrap();
    /// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
    /// let mut node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(alone))?;
    /// node.campaign();
    /// while node.process_ready(|node, ready| {
    ///     // Send `ready.messages`, restore `ready.snapshot` and apply `ready.committed_entries` after this.
    ///     node.storage_mut().write(ready)
    /// })? {}
    /// assert_eq!(node.soft_state().role, Role::Leader);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn process_ready<E>(&mut self, work: impl FnOnce(&mut Self, &Ready) -> Result<(), E>) -> Result<bool, E> {
        let Some(ready) = self.ready() else { return Ok(false) };
        if self.config().async_storage_writes {
            // Nothing waits to be advanced, but until this one is worked off no other may overtake it.
            self.outstanding = Some(Outstanding { number: ready.number, ..Outstanding::default() });
        }
        let mut held = Held { node: self, ready: Some(ready) };
        held.process(work).map(|()| true)
    }
}

/// A Ready at work. Unless it is done it goes back to its node.
struct Held<'a, S: Storage> {
    node: &'a mut RawNode<S>,
    ready: Option<Ready>,
}

impl<S: Storage> Held<'_, S> {
    fn process<E>(&mut self, work: impl FnOnce(&mut RawNode<S>, &Ready) -> Result<(), E>) -> Result<(), E> {
        if let Some(ready) = &self.ready {
            work(self.node, ready)?;
        }
        if let Some(ready) = self.ready.take() {
            self.node.done_with(ready);
        }
        Ok(())
    }
}

impl<S: Storage> Drop for Held<'_, S> {
    fn drop(&mut self) {
        if let Some(ready) = self.ready.take() {
            self.node.take_back(ready);
        }
    }
}

impl<S: Storage> RawNode<S> {
    fn done_with(&mut self, ready: Ready) {
        if self.config().async_storage_writes {
            self.outstanding = None;
        } else {
            // Refused where `work` has advanced a copy of it, and then there is nothing left to do.
            let _ = self.advance(ready);
        }
    }

    fn take_back(&mut self, ready: Ready) {
        let waits_for_it = self.outstanding.as_ref().is_some_and(|outstanding| outstanding.number == ready.number);
        if self.config().async_storage_writes {
            self.outstanding = None;
        }
        if waits_for_it {
            self.returned = Some(Box::new(ready));
        }
    }
}
