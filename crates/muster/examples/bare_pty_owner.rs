//! The floor of the benchmarks: a program's PTY and a WebSocket with nothing between them.
//!
//! `bare_pty_owner ws://HOST:PORT/PATH PROGRAM [ARG]...` sends what one read of the PTY gave as one binary message, and
//! writes what binary messages hold to the PTY. No log, no offsets, no credit, no emulator, no reconnecting: whatever the
//! runner costs, it costs on top of this.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

/// More than the kernel gives in one read of a PTY.
const READ_BYTES: usize = 64 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(program)) = (args.next(), args.next()) else {
        bail!("usage: bare_pty_owner ws://HOST:PORT/PATH PROGRAM [ARG]...");
    };
    let address =
        url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).context("the URL begins with ws://")?;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = client_async(&url, stream).await?;
    let (mut to_hub, mut from_hub) = socket.split();

    let (pty, pts) = pty_process::open()?;
    pty.resize(pty_process::Size::new(40, 120))?;
    let mut child = pty_process::Command::new(program).args(args).kill_on_drop(true).spawn(pts)?;
    let (mut output, mut input) = pty.into_split();

    let up = async {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let count = output.read(&mut buffer).await?;
            to_hub.send(Message::binary(buffer[..count].to_vec())).await?;
        }
        #[allow(unreachable_code, reason = "names the type of the error")]
        anyhow::Ok(())
    };
    let down = async {
        while let Some(message) = from_hub.next().await {
            if let Message::Binary(bytes) = message? {
                input.write_all(&bytes).await?;
            }
        }
        anyhow::Ok(())
    };
    tokio::select! {
        result = up => result,
        result = down => result,
        status = child.wait() => status.map(drop).map_err(Into::into),
    }
}
