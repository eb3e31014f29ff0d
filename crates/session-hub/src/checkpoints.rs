//! Checkpoints: the screen of a terminal for when its runner is away. A runner sends one in parts; once the last is here,
//! all of them become one row, and only then is it acknowledged. Parts of an unfinished one are in memory alone: after an
//! eviction the rest is of no use, the runner hears nothing and sends another.

use protocol::control::RunnerCommand;
use protocol::frame::{Flags, Frame, FrameError, Header, Kind};
use protocol::limits::FRAME_HEADER_BYTES;

use crate::db::{Db, Fault, first};
use crate::effect::SocketId;
use crate::hub::Hub;
use crate::limits::{CHECKPOINT_BYTES_MAX, CHECKPOINTS_UNFINISHED_MAX};
use crate::out::Out;
use crate::registry::Checkpointed;
use crate::store::{Store, StoreError};

/// The parts of a checkpoint so far.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assembly {
    terminal: u32,
    offset: u64,
    /// Each part's length as `u32`, big-endian, and its bytes.
    frames: Vec<u8>,
}

impl<S: Store> Hub<S> {
    /// A part of a checkpoint from the runner that serves the terminal.
    pub(crate) fn checkpoint_part(
        &mut self,
        now_ms: u64,
        socket: SocketId,
        frame: &Frame<'_>,
        bytes: &[u8],
        out: &mut Out,
    ) -> Result<(), Fault> {
        let Header { flags, terminal, offset, .. } = frame.header;
        let assembly = self.assemblies.remove(&(socket, terminal));
        let mut assembly = match assembly {
            Some(begun) if flags.has(Flags::REST) && begun.offset == offset => begun,
            _ if flags.has(Flags::REST) => return Ok(()),
            _ => Assembly { terminal, offset, frames: Vec::new() },
        };
        if assembly.frames.len() + 4 + bytes.len() > CHECKPOINT_BYTES_MAX {
            out.log("checkpoint_too_large", format!("terminal {terminal}"));
            return Ok(());
        }
        assembly.frames.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        assembly.frames.extend_from_slice(bytes);
        if flags.has(Flags::MORE) {
            if self.assemblies.len() >= CHECKPOINTS_UNFINISHED_MAX {
                self.assemblies.pop_first();
            }
            self.assemblies.insert((socket, terminal), assembly);
            return Ok(());
        }
        let Some(known) = self.registry.terminals.get_mut(&terminal) else { return Ok(()) };
        let session = known.session;
        if known.checkpoint.is_none_or(|checkpoint| checkpoint.offset <= offset) {
            save(&self.db, &assembly, now_ms)?;
            known.checkpoint = Some(Checkpointed { offset, at_ms: now_ms });
            out.session_changed(session);
        }
        out.runner(socket, &RunnerCommand::CheckpointSaved { terminal, offset });
        Ok(())
    }

    /// Sends the stored checkpoint of a terminal to a viewer, as snapshot frames.
    pub(crate) fn send_checkpoint(&self, terminal: u32, socket: SocketId, out: &mut Out) -> Result<(), Fault> {
        for bytes in load(&self.db, terminal)? {
            if let Ok(snapshot) = as_snapshot(&bytes) {
                out.binary(socket, snapshot);
            }
        }
        Ok(())
    }
}

fn save<S: Store>(db: &Db<S>, assembly: &Assembly, now_ms: u64) -> Result<(), StoreError> {
    db.write(
        "INSERT INTO checkpoints (terminal, at_offset, at_ms, frames) VALUES (?, ?, ?, ?)
         ON CONFLICT (terminal) DO UPDATE SET at_offset = excluded.at_offset, at_ms = excluded.at_ms,
         frames = excluded.frames",
        &[assembly.terminal.into(), assembly.offset.into(), now_ms.into(), assembly.frames.clone().into()],
    )
}

fn load<S: Store>(db: &Db<S>, terminal: u32) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = db.read("SELECT frames FROM checkpoints WHERE terminal = ?", &[terminal.into()])?;
    let Some(mut columns) = first(rows)? else { return Ok(Vec::new()) };
    let stored = columns.blob()?;
    let mut parts = Vec::new();
    let mut rest = stored.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let Some((part, after)) = after.split_at_checked(u32::from_be_bytes(*length) as usize) else { break };
        parts.push(part.to_vec());
        rest = after;
    }
    Ok(parts)
}

/// The same screen as a snapshot: only the kind differs.
fn as_snapshot(bytes: &[u8]) -> Result<Vec<u8>, FrameError> {
    let frame = Frame::decode(bytes)?;
    let header = Header { kind: Kind::Snapshot, ..frame.header };
    let mut snapshot = Vec::with_capacity(bytes.len());
    snapshot.extend_from_slice(&header.encode());
    snapshot.extend_from_slice(bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default());
    Ok(snapshot)
}
