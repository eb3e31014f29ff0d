//! The runner's end of a keeper: a socket that never makes the keeper wait.
//!
//! Invariant: bytes leave in the order in which they were queued; stream frames are queued only while less than
//! [`OUT_BYTES_MAX`] waits, so a runner that does not read costs that much and the messages that it asked for.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use protocol::control::{RunnerMessage, encode};
use protocol::frame::{Flags, Header, Kind};

use super::wire;

/// Bytes that wait for a runner before stream frames have to.
pub const OUT_BYTES_MAX: usize = 256 * 1024;
/// Bytes after which a runner that does not read is given up: it asked for messages and takes none.
const OUT_BYTES_GIVEN_UP: usize = 32 * 1024 * 1024;

/// Output shorter than this is not deflated: a key's echo gains nothing.
const DEFLATE_BYTES_LEAST: usize = 256;

/// A connected runner.
#[derive(Debug)]
pub struct Client {
    socket: UnixStream,
    decoder: wire::Decoder,
    out: Vec<u8>,
    written: usize,
}

impl Client {
    /// A runner that has just connected.
    pub fn new(socket: UnixStream) -> io::Result<Client> {
        socket.set_nonblocking(true)?;
        Ok(Client { socket, decoder: wire::Decoder::default(), out: Vec::new(), written: 0 })
    }

    /// Bytes that wait.
    pub fn waiting(&self) -> usize {
        self.out.len() - self.written
    }

    /// True while stream frames may be queued.
    pub fn has_room(&self) -> bool {
        self.waiting() < OUT_BYTES_MAX
    }

    /// Queues a control message.
    pub fn send(&mut self, message: &RunnerMessage) {
        wire::push_json(&mut self.out, &encode(message));
    }

    /// Queues a frame.
    pub fn send_frame(&mut self, frame: &[u8]) {
        wire::push_frame(&mut self.out, frame);
    }

    /// Queues an output frame straight from where its bytes are.
    pub fn send_output(&mut self, terminal: u32, offset: u64, bytes: &[u8], deflates: bool) {
        let header = Header { kind: Kind::Output, flags: Flags::NONE, terminal, offset };
        if deflates
            && bytes.len() >= DEFLATE_BYTES_LEAST
            && let Some(packed) = protocol::deflate::deflate(bytes)
        {
            return self.send_frame(&Header { flags: Flags::DEFLATE, ..header }.with_payload(&packed));
        }
        let header = header.encode();
        wire::push_frame_head(&mut self.out, header.len() + bytes.len());
        self.out.extend_from_slice(&header);
        self.out.extend_from_slice(bytes);
    }

    /// Writes what the socket takes; an error means that the runner is gone.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.written < self.out.len() {
            match self.socket.write(&self.out[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
            if self.out.capacity() > 2 * OUT_BYTES_MAX {
                self.out = Vec::new();
            }
        } else if self.written >= OUT_BYTES_MAX {
            self.out.drain(..self.written);
            self.written = 0;
        }
        if self.waiting() > OUT_BYTES_GIVEN_UP {
            return Err(io::Error::other("the runner reads nothing"));
        }
        Ok(())
    }

    /// Reads what has come; an error, the end included, means that the runner is gone.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        match self.socket.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.decoder.feed(&buffer[..count]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The next message that came.
    pub fn next(&mut self) -> Result<Option<wire::Message<'_>>, wire::WireError> {
        self.decoder.next()
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
