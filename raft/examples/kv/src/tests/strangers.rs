//! Who does not belong gets nowhere, and whatever anybody sends costs a connection and nothing else.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use raft::{Body, Message, NodeId, Term};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::cluster::Cluster;
use crate::identity::Identity;
use crate::limits::Limits;
use crate::request::{Ask, Request};
use crate::tls::{Credentials, Outgoing};
use crate::{certificates, frame};

/// Long enough for a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(20);

/// A cluster that somebody attacks.
struct Attacked {
    cluster: Cluster,
    directory: TempDir,
}

fn id(number: u64) -> NodeId {
    NodeId::new(number).unwrap()
}

/// Short limits, so that tests end, and room for few.
fn strict() -> Limits {
    let short = Duration::from_millis(500);
    Limits { handshake: short, frame: short, strangers: 8, of_clients: 4, ..Limits::default() }
}

impl Attacked {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut cluster = Cluster::start_with(directory.path().to_path_buf(), strict()).unwrap();
        cluster.put("colour", "blue").await.unwrap();
        Self { cluster, directory }
    }

    fn certificates(&self) -> std::path::PathBuf {
        self.directory.path().join("certificates")
    }

    fn address(&self) -> String {
        self.cluster.where_they_run()[&id(1)].clone()
    }

    /// Connects to node 1 with these certificates.
    async fn connect(&self, certificates: &Path, identity: Identity) -> Outgoing {
        let credentials = Credentials::load(certificates, identity).unwrap();
        credentials.connect(id(1), &self.address(), &Limits::default()).await.unwrap()
    }

    /// Nothing has happened to the cluster: who led in which term still does, and writes go on.
    async fn ends_unharmed(mut self) {
        let terms: Vec<u64> = self.cluster.statuses().await.unwrap().iter().map(|status| status.term).collect();
        assert!(terms.iter().all(|term| *term < 1000), "{terms:?}");
        self.cluster.put("colour", "green").await.unwrap();
        assert_eq!(self.cluster.get("colour", None).await.unwrap().as_deref(), Some("green"));
        self.cluster.stop_all().await;
    }
}

/// What used to stop a cluster.
fn heartbeat(from: u64) -> Vec<u8> {
    let body = Body::Heartbeat { commit: raft::Index::ZERO, context: bytes::Bytes::new() };
    let message = Message { from: id(from), to: id(1), term: Some(Term(1 << 40)), body };
    let mut bytes = Vec::new();
    message.encode_into(&mut bytes);
    bytes
}

/// Whether the other end closes the connection without an answer. An attempt to write may fail already.
async fn is_closed(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut byte = [0];
    matches!(timeout(DEADLINE, stream.read(&mut byte)).await.expect("it is closed in time"), Ok(0) | Err(_))
}

async fn says(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> bool {
    let _ = frame::write(stream, bytes, &Limits::default()).await;
    is_closed(stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_without_tls_is_shown_out() {
    let attacked = Attacked::new().await;
    let mut stream = TcpStream::connect(attacked.address()).await.unwrap();
    frame::write(&mut stream, &heartbeat(2), &Limits::default()).await.unwrap();
    // It may be told by an alert of TLS before.
    let mut told = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut told)).await.expect("it is closed in time");
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_without_a_certificate_is_shown_out() {
    let attacked = Attacked::new().await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(attacked.certificates().join("authority.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let stream = TcpStream::connect(attacked.address()).await.unwrap();
    let mut stream = connector.connect(ServerName::try_from("node-1").unwrap(), stream).await.unwrap();
    assert!(says(&mut stream, &heartbeat(2)).await);
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_another_authority_proves_nothing() {
    let attacked = Attacked::new().await;
    let others = tempfile::tempdir().unwrap();
    certificates::create(others.path(), 2).unwrap();
    // It believes the node, and the node does not believe it.
    std::fs::copy(attacked.certificates().join("authority.pem"), others.path().join("authority.pem")).unwrap();
    let mut stream = attacked.connect(others.path(), Identity::Node(id(2))).await;
    assert!(says(&mut stream, &heartbeat(2)).await);
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_no_peer() {
    let attacked = Attacked::new().await;
    let mut stream = attacked.connect(&attacked.certificates(), Identity::Client).await;
    assert!(says(&mut stream, &heartbeat(2)).await);
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cannot_pass_as_a_node_that_others_connect_to() {
    let attacked = Attacked::new().await;
    let certificates = attacked.certificates();
    for file in ["pem", "key"] {
        std::fs::copy(certificates.join(format!("client.{file}")), certificates.join(format!("node-9.{file}")))
            .unwrap();
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let impostor = Credentials::load(&certificates, Identity::Node(id(9))).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(impostor.accept(stream, &Limits::default()).await);
    });
    let client = Credentials::load(&certificates, Identity::Client).unwrap();
    assert!(client.connect(id(9), &address, &Limits::default()).await.is_err());
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_speaks_in_its_own_name_only() {
    let attacked = Attacked::new().await;
    let mut stream = attacked.connect(&attacked.certificates(), Identity::Node(id(2))).await;
    assert!(says(&mut stream, &heartbeat(3)).await);
    attacked.ends_unharmed().await;
}

/// The other side of these tests: what they send is what would have done harm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_heartbeat_in_its_own_name_counts() {
    let mut attacked = Attacked::new().await;
    let mut stream = attacked.connect(&attacked.certificates(), Identity::Node(id(2))).await;
    frame::write(&mut stream, &heartbeat(2), &Limits::default()).await.unwrap();
    let reached = async {
        while attacked.cluster.statuses().await.unwrap().iter().all(|status| status.term < 1 << 40) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, reached).await.expect("its term is taken up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_removed_is_not_listened_to() {
    let mut attacked = Attacked::new().await;
    attacked.cluster.remove(id(3)).await.unwrap();
    // Node 1 knows of it once it has answered a read.
    attacked.cluster.get("colour", Some(id(1))).await.unwrap();
    let mut stream = attacked.connect(&attacked.certificates(), Identity::Node(id(3))).await;
    assert!(says(&mut stream, &heartbeat(3)).await);
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_costs_the_connection_that_it_comes_on() {
    let attacked = Attacked::new().await;
    for identity in [Identity::Client, Identity::Node(id(2))] {
        let mut stream = attacked.connect(&attacked.certificates(), identity).await;
        assert!(says(&mut stream, &[0xff; 100]).await, "{identity}");
    }
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_length_costs_the_connection_that_it_comes_on() {
    let attacked = Attacked::new().await;
    for identity in [Identity::Client, Identity::Node(id(2))] {
        let mut stream = attacked.connect(&attacked.certificates(), identity).await;
        stream.write_all(&u32::MAX.to_le_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        assert!(is_closed(&mut stream).await, "{identity}");
    }
    attacked.ends_unharmed().await;
}

/// Before the handshake, and after it. Each byte comes long before a read would time out; the whole does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_byte_by_byte_loses_the_connection() {
    async fn drip(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) {
        let send = async {
            for byte in bytes.iter().cycle() {
                let mut answer = [0];
                let closed = timeout(Duration::from_millis(100), stream.read(&mut answer)).await;
                if closed.is_ok() || stream.write_all(&[*byte]).await.is_err() || stream.flush().await.is_err() {
                    break;
                }
            }
        };
        timeout(DEADLINE, send).await.expect("it is closed in time");
    }
    let attacked = Attacked::new().await;
    let mut plain = TcpStream::connect(attacked.address()).await.unwrap();
    // The beginning of a handshake that announces 512 bytes.
    drip(&mut plain, &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3]).await;
    for identity in [Identity::Client, Identity::Node(id(2))] {
        let mut stream = attacked.connect(&attacked.certificates(), identity).await;
        drip(&mut stream, &[1, 1, 0, 0]).await;
    }
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_no_answers_loses_the_connection() {
    let attacked = Attacked::new().await;
    let mut stream = attacked.connect(&attacked.certificates(), Identity::Client).await;
    let request = Request { client: 1, number: 1, ask: Ask::Status };
    let request = serde_json::to_vec(&request).unwrap();
    let floods = async { while frame::write(&mut stream, &request, &Limits::default()).await.is_ok() {} };
    timeout(Duration::from_secs(60), floods).await.expect("it is closed in time");
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_say_nothing_leave_room_for_others() {
    let attacked = Attacked::new().await;
    let mut silent = Vec::new();
    for _ in 0..30 {
        silent.push(TcpStream::connect(attacked.address()).await.unwrap());
    }
    // Those beyond the limit are closed at once, the others after the time for a handshake.
    for stream in &mut silent {
        assert!(is_closed(stream).await);
    }
    attacked.ends_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_clients_are_turned_away_and_nodes_are_not_among_them() {
    let attacked = Attacked::new().await;
    let mut streams = Vec::new();
    // The cluster's own client is one of four.
    for _ in 0..4 {
        streams.push(attacked.connect(&attacked.certificates(), Identity::Client).await);
        sleep(Duration::from_millis(50)).await;
    }
    let mut one_more = attacked.connect(&attacked.certificates(), Identity::Client).await;
    assert!(is_closed(&mut one_more).await);
    drop(streams);
    attacked.ends_unharmed().await;
}
