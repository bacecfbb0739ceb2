//! What travels on a connection: bytes behind their length, four bytes with the lowest first.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::Error;
use crate::limits::Limits;

/// Reads one frame, or nothing where the connection ends before it. Waits for its first byte as long as a connection may be
/// silent, and then for the rest as long as a frame may take, however slowly it comes.
///
/// # Errors
/// It is longer than `longest`, cut short, or late.
pub async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    longest: u32,
    limits: &Limits,
) -> Result<Option<Vec<u8>>, Error> {
    let mut length = [0; 4];
    let first = timeout(limits.idle, stream.read(&mut length[..1])).await;
    if first.map_err(|_elapsed| "nothing came for a long time")?? == 0 {
        return Ok(None);
    }
    let rest = async {
        stream.read_exact(&mut length[1..]).await?;
        let length = u32::from_le_bytes(length);
        if length > longest {
            return Err(format!("it announces {length} bytes, and {longest} are allowed").into());
        }
        // The buffer grows with what arrives: an announcement alone costs nothing.
        let mut bytes = Vec::new();
        (&mut *stream).take(length.into()).read_to_end(&mut bytes).await?;
        if bytes.len() < length as usize { Err("it is cut short".into()) } else { Ok(Some(bytes)) }
    };
    timeout(limits.frame, rest).await.map_err(|_elapsed| "it comes too slowly")?
}

/// Writes one frame.
///
/// # Errors
/// It is longer than a length can say, or the other end does not take it in time.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    let mut framed = u32::try_from(bytes.len())?.to_le_bytes().to_vec();
    framed.extend_from_slice(bytes);
    let write = async {
        stream.write_all(&framed).await?;
        stream.flush().await
    };
    Ok(timeout(limits.frame, write).await.map_err(|_elapsed| "the other end takes nothing")??)
}

/// Whether the other end went away, as it does when it is stopped, and nothing else is wrong.
pub fn is_gone(error: &Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let gone =
        [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe];
    kind.is_some_and(|kind| gone.contains(&kind)) || error.is::<raft::Stopped>()
}
