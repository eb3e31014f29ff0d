//! A runner comes and goes: its hello is compared with what the hub knows, and everything that may have been lost with the
//! connection before is said again. That a socket is gone is not an event in the life of a session.

use protocol::close::CloseCode;
use protocol::control::{AgentOffer, RunnerCommand, Size, StopMode, TerminalReport};
use protocol::limits::{AGENTS_PER_RUNNER_MAX, NAME_CHARS_MAX, TERMINALS_PER_RUNNER_MAX, TEXT_BYTES_MAX};

use super::Who;
use crate::call::TerminalState;
use crate::db::Fault;
use crate::effect::{Moment, SocketId, Topic};
use crate::hub::Hub;
use crate::limits::RUNNERS_MAX;
use crate::out::Out;
use crate::registry::{Runner, Terminal};
use crate::status::Said;
use crate::store::Store;
use crate::text;
use crate::watch::Wire;

/// How a runner introduces itself.
pub(super) struct Hello {
    pub(super) version: String,
    pub(super) hostname: String,
    pub(super) platform: String,
    pub(super) agents: Vec<AgentOffer>,
    pub(super) home: String,
    pub(super) terminals: Vec<TerminalReport>,
}

impl<S: Store> Hub<S> {
    /// The first message of a connection: written first, then taken into memory, then answered.
    pub(super) fn hello(
        &mut self,
        moment: Moment,
        socket: SocketId,
        who: Who<'_>,
        hello: Hello,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let (runner, now_ms) = (who.0, moment.now_ms);
        if hello.agents.len() > AGENTS_PER_RUNNER_MAX || hello.terminals.len() > TERMINALS_PER_RUNNER_MAX {
            return self.end(
                moment,
                socket,
                CloseCode::TooLarge,
                "more agents or terminals than a runner may have",
                out,
            );
        }
        let older = self.online.get(runner).copied();
        if older.is_some_and(|older| self.accepted_ms(older) > self.accepted_ms(socket)) {
            // A hello that was under way while its runner already dialled again.
            return self.end(moment, socket, CloseCode::Replaced, "a newer connection of this runner", out);
        }
        if !self.registry.runners.contains_key(runner) && self.registry.runners.len() >= RUNNERS_MAX {
            return self.end(moment, socket, CloseCode::Overloaded, "the hub has as many runners as it takes", out);
        }
        self.write_introduction(now_ms, who, &hello)?;
        let listed = self.write_listed(now_ms, runner, &hello.terminals, out)?;
        self.write_unlisted(now_ms, runner, &hello.terminals, out)?;
        if let Some(older) = older {
            self.sockets.remove(&older);
            self.assemblies.retain(|(socket, _), _| *socket != older);
            out.close(older, CloseCode::Replaced, "a newer connection of this runner");
        }
        self.online.insert(runner.to_owned(), socket);
        if let Some(known) = self.sockets.get_mut(&socket) {
            known.ready = true;
        }
        out.touched.insert(socket);
        out.runner(
            socket,
            &RunnerCommand::Welcome {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                name: self.registry.runner_name(runner).to_owned(),
                now_ms,
                capabilities: Vec::new(),
            },
        );
        self.link_all(now_ms, socket, runner, &listed, out);
        self.ask_again(socket, runner, &hello.terminals, out)
    }

    fn accepted_ms(&self, socket: SocketId) -> u64 {
        self.sockets.get(&socket).map_or(0, |known| known.connected_ms)
    }

    fn write_introduction(&mut self, now_ms: u64, who: Who<'_>, hello: &Hello) -> Result<(), Fault> {
        let (id, given_name) = who;
        let mut runner = self.registry.runners.get(id).cloned().unwrap_or_else(|| Runner {
            id: id.to_owned(),
            name: text::plain(given_name, NAME_CHARS_MAX),
            added_ms: now_ms,
            ..Runner::default()
        });
        runner.hostname = text::plain(&hello.hostname, NAME_CHARS_MAX);
        runner.platform = text::plain(&hello.platform, NAME_CHARS_MAX);
        runner.version = text::plain(&hello.version, NAME_CHARS_MAX);
        runner.home = text::plain(&hello.home, TEXT_BYTES_MAX / 4);
        let offer = |offer: &AgentOffer| AgentOffer {
            name: text::plain(&offer.name, NAME_CHARS_MAX),
            label: text::plain(&offer.label, NAME_CHARS_MAX),
            available: offer.available,
        };
        runner.agents = hello.agents.iter().map(offer).collect();
        runner.connected_ms = now_ms.max(runner.gone_ms + 1);
        Ok(self.registry.put_runner(&self.db, runner)?)
    }

    /// Writes what the runner says of each terminal that is its own, and returns those with their ends and sizes.
    fn write_listed(
        &mut self,
        now_ms: u64,
        runner: &str,
        reports: &[TerminalReport],
        out: &mut Out,
    ) -> Result<Vec<(u32, u64, Size)>, Fault> {
        let mut listed = Vec::new();
        for report in reports {
            let owner = self.registry.terminals.get(&report.terminal).map(|known| known.runner.as_str());
            if owner == Some(runner) {
                self.write_report(now_ms, report, out)?;
                listed.push((report.terminal, report.end, report.size));
            }
        }
        Ok(listed)
    }

    /// Terminals that the runner no longer has: those that ran have ended, and those that had ended have lost their logs.
    fn write_unlisted(
        &mut self,
        now_ms: u64,
        runner: &str,
        reports: &[TerminalReport],
        out: &mut Out,
    ) -> Result<(), Fault> {
        let unlisted = |known: &&Terminal| !reports.iter().any(|report| report.terminal == known.id);
        let missing: Vec<Terminal> = self.registry.terminals_on(runner).filter(unlisted).cloned().collect();
        for known in missing {
            match known.state {
                TerminalState::Open => self.said(now_ms, Said::lost(&known), out)?,
                TerminalState::Ended if !known.lost => {
                    self.registry.put_terminal(&self.db, Terminal { lost: true, ..known })?;
                }
                TerminalState::Opening | TerminalState::Ended | TerminalState::Failed => {}
            }
        }
        Ok(())
    }

    /// Every terminal of the runner has its bytes again, and every viewer of one hears so.
    fn link_all(&mut self, now_ms: u64, socket: SocketId, runner: &str, listed: &[(u32, u64, Size)], out: &mut Out) {
        let terminals: Vec<(u32, u64)> = self.registry.terminals_on(runner).map(|t| (t.id, t.session)).collect();
        for (terminal, session) in terminals {
            if let Some(wire) = self.wires.get_mut(&terminal) {
                wire.link_down();
                wire.tell_runner(true, now_ms, out);
            }
            if let Some((_, end, size)) = listed.iter().find(|(id, _, _)| *id == terminal) {
                self.link_one(socket, terminal, *end, *size, out);
            }
            out.session_changed(session);
        }
        out.changed.insert(Topic::Dashboard);
        self.wires.retain(|_, wire| !wire.is_idle());
    }

    pub(super) fn link_one(&mut self, socket: SocketId, terminal: u32, end: u64, size: Size, out: &mut Out) {
        let ended = self.registry.terminals.get(&terminal).is_some_and(|known| !known.is_alive());
        let wire = self.wires.entry(terminal).or_insert_with(|| Wire::new(terminal));
        wire.ended = ended;
        wire.link_up(socket, end, size, out);
    }

    /// Sends again what may have been lost with the last connection: terminals to open, stop or forget, and prompts.
    fn ask_again(
        &mut self,
        socket: SocketId,
        runner: &str,
        reports: &[TerminalReport],
        out: &mut Out,
    ) -> Result<(), Fault> {
        for report in reports {
            // Its number is unknown here: deleted while the runner was away, or of a hub that is no more.
            if !self.registry.terminals.contains_key(&report.terminal) {
                out.runner(socket, &RunnerCommand::Forget { terminal: report.terminal });
            }
        }
        let own: Vec<(u32, u64, bool, bool)> = self
            .registry
            .terminals_on(runner)
            .map(|t| (t.id, t.session, t.state == TerminalState::Opening, t.state == TerminalState::Open))
            .collect();
        for (terminal, session, opening, open) in own {
            let archived = self.registry.sessions.get(&session).is_some_and(|session| session.archived);
            if opening {
                self.send_open(terminal, out);
            } else if open && archived {
                out.runner(socket, &RunnerCommand::Stop { terminal, mode: StopMode::Terminate });
            }
            self.pump(terminal, true, out)?;
        }
        Ok(())
    }

    /// A runner's socket is gone. That is not an event in the life of its sessions: they are shown as offline meanwhile.
    pub(crate) fn runner_away(&mut self, runner: &str, now_ms: u64, out: &mut Out) {
        self.online.remove(runner);
        let terminals: Vec<(u32, u64)> = self.registry.terminals_on(runner).map(|t| (t.id, t.session)).collect();
        for (terminal, session) in terminals {
            if let Some(wire) = self.wires.get_mut(&terminal) {
                wire.link_down();
                wire.tell_runner(false, now_ms, out);
            }
            out.session_changed(session);
        }
        out.changed.insert(Topic::Dashboard);
        self.wires.retain(|_, wire| !wire.is_idle());
    }
}
