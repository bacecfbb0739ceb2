//! The Readys of a node as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::Node;
use super::shared::Reply;
use crate::ready::Ready;
use crate::storage::Storage;

/// The Readys of a node, one after another, until it is stopped; made by [`Node::readys`].
///
/// With synchronous storage writes, the next one comes after the last one was [advanced](Node::advance). If one is
/// dropped instead, the node stays mute, as [`Node::ready`] says.
#[must_use = "streams do nothing unless polled"]
pub struct Readys<S: Storage, A = ()> {
    node: Node<S, A>,
    next: Option<Reply<S, A, Ready>>,
}

impl<S: Storage, A> Readys<S, A> {
    pub(super) const fn new(node: Node<S, A>) -> Self {
        Self { node, next: None }
    }
}

impl<S: Storage, A> Stream for Readys<S, A> {
    type Item = Ready;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Ready>> {
        let mut reply = match self.next.take() {
            Some(reply) => reply,
            None => match self.node.ask_ready() {
                Ok(reply) => reply,
                Err(_stopped) => return Poll::Ready(None),
            },
        };
        let polled = Pin::new(&mut reply).poll(context);
        if polled.is_pending() {
            self.next = Some(reply);
        }
        polled.map(Result::ok)
    }
}
