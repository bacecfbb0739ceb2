//! The certificates of a cluster: an authority of its own, and one certificate for each node and for clients.
//!
//! A directory holds `authority.pem` and `authority.key`, and for each name `node-1.pem` and `node-1.key`. A node needs its own two
//! files and `authority.pem`. Whoever has `authority.key` can make more members: keep it off the machines that run nodes.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use raft::NodeId;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::Error;
use crate::identity::Identity;

/// Makes an authority in this directory, and certificates for nodes 1 to `nodes` and for clients.
///
/// # Errors
/// There is an authority already, or a file cannot be written.
pub fn create(directory: &Path, nodes: u64) -> Result<(), Error> {
    if directory.join("authority.key").exists() {
        let shown = directory.display();
        return Err(format!(
            "{shown} has an authority already, and another would not be believed by nodes that run; `kv init --add 4` makes a \
             certificate for node 4"
        )
        .into());
    }
    fs::create_dir_all(directory)?;
    let key = KeyPair::generate()?;
    write(directory, "authority.pem", &authority().self_signed(&key)?.pem())?;
    write(directory, "authority.key", &key.serialize_pem())?;
    for id in (1..=nodes).filter_map(NodeId::new) {
        issue(directory, Identity::Node(id))?;
    }
    issue(directory, Identity::Client)
}

/// Makes a certificate with the authority in this directory.
///
/// # Errors
/// There is no authority, there is such a certificate already, or a file cannot be written.
pub fn issue(directory: &Path, identity: Identity) -> Result<(), Error> {
    let key = fs::read_to_string(directory.join("authority.key")).map_err(|error| {
        format!("{} has no authority.key ({error}); `kv init` makes one, with certificates", directory.display())
    })?;
    let issuer = Issuer::new(authority(), KeyPair::from_pem(&key)?);
    let mut wanted = CertificateParams::new([identity.to_string()])?;
    wanted.distinguished_name = named(&identity.to_string());
    wanted.use_authority_key_identifier_extension = true;
    // A client's certificate proves nothing about a server, so that nobody can pass as a node with it.
    wanted.extended_key_usages = match identity {
        Identity::Node(_) => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        Identity::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
    };
    let key = KeyPair::generate()?;
    write(directory, &format!("{identity}.pem"), &wanted.signed_by(&key, &issuer)?.pem())?;
    write(directory, &format!("{identity}.key"), &key.serialize_pem())
}

/// The same each time, so that the key alone is enough to issue more.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("kv");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

/// Writes a new file; a key is for its owner only.
fn write(directory: &Path, name: &str, text: &str) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if name.ends_with(".key") {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let path = directory.join(name);
    let mut file = options.open(&path).map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}
