//! Connections on which both ends have proved who they are: mutual TLS, with certificates of the cluster's own authority.

use std::path::Path;
use std::sync::Arc;

use raft::NodeId;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::Error;
use crate::identity::Identity;
use crate::limits::Limits;

/// A connection that somebody else began.
pub type Incoming = server::TlsStream<TcpStream>;
/// A connection to a node.
pub type Outgoing = client::TlsStream<TcpStream>;

/// Who one is, and whom one believes.
#[derive(Clone)]
pub struct Credentials {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl Credentials {
    /// Reads what [`certificates`](crate::certificates) wrote.
    ///
    /// # Errors
    /// A file is missing, or is not what it should be.
    pub fn load(directory: &Path, identity: Identity) -> Result<Self, Error> {
        let read = |name: String| {
            let path = directory.join(name);
            std::fs::read(&path).map_err(|error| {
                format!(
                    "{}: {error}; `kv init` makes the certificates of a cluster, `kv init --add NUMBER` those of one more \
                     node, and --certificates DIR says where they are",
                    path.display()
                )
            })
        };
        let authority = CertificateDer::from_pem_slice(&read("authority.pem".to_string())?)?;
        let chain = vec![CertificateDer::from_pem_slice(&read(format!("{identity}.pem"))?)?];
        let key = PrivateKeyDer::from_pem_slice(&read(format!("{identity}.key"))?)?;
        Self::new(authority, chain, key)
    }

    fn new(
        authority: CertificateDer<'static>,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority)?;
        let (roots, provider) = (Arc::new(roots), Arc::new(rustls::crypto::ring::default_provider()));
        let asks = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&roots))
            .with_client_auth_cert(chain.clone(), key.clone_key())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
        let answers = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)?;
        Ok(Self { connector: Arc::new(asks).into(), acceptor: Arc::new(answers).into() })
    }

    /// Connects to whoever listens there, who has to prove to be this node.
    ///
    /// # Errors
    /// Nobody is there, or somebody else, or it takes too long.
    pub async fn connect(&self, id: NodeId, address: &str, limits: &Limits) -> Result<Outgoing, Error> {
        let connect = async {
            let stream = TcpStream::connect(address).await?;
            bound(&stream, limits)?;
            let name = ServerName::try_from(Identity::Node(id).to_string())?;
            Ok::<_, Error>(self.connector.connect(name, stream).await?)
        };
        timeout(limits.handshake, connect).await.map_err(|_elapsed| format!("{address} does not answer"))?
    }

    /// Lets somebody in who proves to belong to the cluster, and says who it is.
    ///
    /// # Errors
    /// It proves nothing, or takes too long.
    pub async fn accept(&self, stream: TcpStream, limits: &Limits) -> Result<(Incoming, Identity), Error> {
        bound(&stream, limits)?;
        let accepted = timeout(limits.handshake, self.acceptor.accept(stream)).await;
        let accepted = accepted.map_err(|_elapsed| "it takes too long to say who it is")??;
        let identity = identity(&accepted)?;
        Ok((accepted, identity))
    }
}

/// What the other end's machine does not acknowledge in time ends the connection. Otherwise the system sends it again for a quarter of an
/// hour, ever more rarely, and a link that has long been mended seems cut. And nothing waits to be sent in larger pieces.
fn bound(stream: &TcpStream, limits: &Limits) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(limits.frame))?;
    Ok(())
}

fn identity(stream: &Incoming) -> Result<Identity, Error> {
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).ok_or("it has no certificate")?;
    let certificate = webpki::EndEntityCert::try_from(certificate)?;
    certificate.valid_dns_names().next().ok_or("its certificate has no name")?.parse()
}
