//! The network between processes: for each of them and each that it reaches a port of its own, behind which bytes are delayed,
//! dropped, cut off or cut short.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a link is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weather {
    /// Bytes pass.
    Clear,
    /// Each piece passes so much later.
    Delay(Duration),
    /// Bytes vanish, and nobody is told. A connection that lasts longer than this goes on without them.
    Drop,
    /// Connections are cut off, and new ones too.
    Cut,
    /// So many bytes of a connection pass, and then it is cut off.
    Truncate(usize),
}

/// What happened on all links.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that were cut off, or not let through.
    pub cut: AtomicU64,
    /// Of these, connections that were cut off in the middle of what was on its way.
    pub truncated: AtomicU64,
    /// Pieces that were dropped.
    pub dropped: AtomicU64,
    /// Pieces that came late.
    pub delayed: AtomicU64,
}

/// A port behind which another one is reached.
pub struct Link {
    /// The port.
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Listens on loopback, and leads to `target`.
    ///
    /// # Errors
    /// There is no port left.
    pub async fn to(target: SocketAddr, counts: Arc<Counts>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::Clear);
        let task = tokio::spawn(accept(listener, target, seen, counts));
        Ok(Self { address, weather, task })
    }

    /// From now on it is like this.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, weather: watch::Receiver<Weather>, counts: Arc<Counts>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connect(stream, target, weather.clone(), Arc::clone(&counts)));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connect(stream: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>, counts: Arc<Counts>) {
    if *weather.borrow_and_update() == Weather::Cut {
        counts.cut.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let Ok(onward) = TcpStream::connect(target).await else { return };
    if stream.set_nodelay(true).is_err() || onward.set_nodelay(true).is_err() {
        return;
    }
    let (from, back) = stream.into_split();
    let (answers, to) = onward.into_split();
    // The end of either direction ends the connection.
    tokio::select! {
        () = pass(from, to, weather.clone(), &counts) => {}
        () = pass(answers, back, weather.clone(), &counts) => {}
        () = cut(weather) => {
            counts.cut.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Waits until connections are cut off.
async fn cut(mut weather: watch::Receiver<Weather>) {
    if weather.wait_for(|weather| *weather == Weather::Cut).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Passes bytes on in one direction, until it ends.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, weather: watch::Receiver<Weather>, counts: &Counts) {
    let mut piece = vec![0; 16 << 10];
    let mut passed = 0;
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let now = *weather.borrow();
        let mut end = length;
        match now {
            Weather::Clear | Weather::Cut => {}
            Weather::Delay(late) => {
                counts.delayed.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(late).await;
            }
            Weather::Drop => {
                counts.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Weather::Truncate(most) => end = length.min(most.saturating_sub(passed)),
        }
        passed += end;
        if to.write_all(&piece[..end]).await.is_err() {
            return;
        }
        if end < length {
            counts.truncated.fetch_add(1, Ordering::Relaxed);
            counts.cut.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// A link to something that sends back what it gets, and a connection through it.
    async fn through() -> (Link, TcpStream, Arc<Counts>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        let counts = Arc::new(Counts::default());
        let link = Link::to(target, Arc::clone(&counts)).await.unwrap();
        let stream = TcpStream::connect(link.address).await.unwrap();
        (link, stream, counts)
    }

    async fn echo(stream: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
        stream.write_all(bytes).await.unwrap();
        let mut back = vec![0; bytes.len()];
        stream.read_exact(&mut back).await.unwrap();
        back
    }

    #[tokio::test]
    async fn bytes_pass_both_ways_and_a_cut_ends_the_connection() {
        let (link, mut stream, counts) = through().await;
        assert_eq!(echo(&mut stream, b"hello").await, b"hello");
        link.set(Weather::Cut);
        assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
        assert_eq!(counts.cut.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn of_a_truncated_connection_so_many_bytes_arrive() {
        let (link, mut stream, counts) = through().await;
        link.set(Weather::Truncate(3));
        stream.write_all(b"hello").await.unwrap();
        let mut back = Vec::new();
        let _ = stream.read_to_end(&mut back).await;
        // The first three went out; whether they came back before the end is a race.
        assert!(back.len() <= 3, "{back:?}");
        assert_eq!(counts.truncated.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn dropped_bytes_never_arrive_and_later_ones_do() {
        let (link, mut stream, counts) = through().await;
        assert_eq!(echo(&mut stream, b"a").await, b"a");
        link.set(Weather::Drop);
        stream.write_all(b"b").await.unwrap();
        let dropped = async {
            while counts.dropped.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(20), dropped).await.unwrap();
        link.set(Weather::Clear);
        assert_eq!(echo(&mut stream, b"c").await, b"c");
    }

    #[tokio::test]
    async fn a_delay_makes_bytes_late_and_loses_none() {
        let (link, mut stream, counts) = through().await;
        link.set(Weather::Delay(Duration::from_millis(20)));
        assert_eq!(echo(&mut stream, b"hello").await, b"hello");
        assert_eq!(counts.delayed.load(Ordering::Relaxed), 2, "there and back");
    }
}
