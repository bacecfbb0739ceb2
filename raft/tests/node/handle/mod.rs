//! The handle: who waits, who is woken, what dropping a future and stopping do. Polled by hand, so that every order of
//! events is the test's own.

mod answers;
mod driver;
mod ending;
mod failing;
mod proposals;
mod reads;
mod readys;
mod requests;
mod room;
mod starting;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use raft::node::Driver;
use raft::{MemStorage, Node, Ready};

use super::{heartbeat, loop_of};

type Handle = Node<MemStorage>;

/// Counts how often it was woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    fn rings(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn poll_with<F: Future>(future: Pin<&mut F>, bell: &Arc<Bell>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(bell))))
}

/// The outcome of a call that does not wait for the driver.
fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Polls the driver until it has nothing left to do; whether it has ended.
fn drive<A>(driver: &mut Driver<MemStorage, A>) -> bool {
    let bell = Arc::new(Bell::default());
    loop {
        let before = bell.rings();
        let polled = poll_with(Pin::new(&mut *driver), &bell);
        // It wakes itself where it has more to do.
        if polled.is_ready() || bell.rings() == before {
            return polled.is_ready();
        }
    }
}

fn work(node: &Handle, driver: &mut Driver<MemStorage>) {
    loop {
        let mut ready = pin!(node.ready());
        let polled = poll(ready.as_mut());
        assert!(polled.is_pending());
        drive(driver);
        let Poll::Ready(Ok(ready)) = poll(ready) else { return };
        store(node, &ready);
        node.advance(ready).unwrap();
        drive(driver);
    }
}

fn store(node: &Handle, ready: &Ready) {
    node.with_storage(|storage| storage.write(ready).unwrap());
}

/// Node 1 alone, which leads and has nothing left to do.
fn leader() -> (Handle, Driver<MemStorage>) {
    let (node, mut driver) = Node::run(loop_of(&[1]));
    now(node.campaign()).unwrap();
    drive(&mut driver);
    work(&node, &mut driver);
    (node, driver)
}

fn follow(node: &Handle, driver: &mut Driver<MemStorage>) {
    now(node.step(heartbeat(2, 1))).unwrap();
    drive(driver);
}

/// The answer to a call, which the driver has to be polled for.
fn now_or_later<T>(call: impl Future<Output = T>, driver: &mut Driver<MemStorage>) -> T {
    let mut call = pin!(call);
    if let Poll::Ready(answer) = poll(call.as_mut()) {
        return answer;
    }
    drive(driver);
    let Poll::Ready(answer) = poll(call) else { panic!("no answer") };
    answer
}
