//! A future that is polled by hand, as an executor would poll it, and that tells whether it was woken.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A future of a value, on an executor of its own.
pub(super) struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    bell: Arc<Bell>,
}

/// Whether the future wants to be polled.
#[derive(Debug)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T> Task<T> {
    /// A future that was never polled, and so wants to be.
    pub(super) fn new(future: impl Future<Output = T> + 'static) -> Self {
        Self { future: Box::pin(future), bell: Arc::new(Bell(AtomicBool::new(true))) }
    }

    /// Whether an executor would poll it now.
    pub(super) fn is_woken(&self) -> bool {
        self.bell.0.load(Ordering::Relaxed)
    }

    /// Polls it, woken or not.
    pub(super) fn poll(&mut self) -> Poll<T> {
        self.bell.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Hands it to another executor, with a waker of its own, and polls it there.
    pub(super) fn poll_elsewhere(&mut self) -> Poll<T> {
        self.bell = Arc::new(Bell(AtomicBool::new(false)));
        self.poll()
    }
}
