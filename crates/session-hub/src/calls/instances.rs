//! claudecodeui instances: what their lobbies report, and what people want of them. A link that an instance no longer has
//! counts for nothing, so reports may come late and twice.

use std::collections::{BTreeMap, BTreeSet};

use protocol::claudecodeui::{InstanceCommand, InstanceStatus};
use protocol::control::ErrorCode;
use protocol::limits::{CLIENT_FIELD_CHARS_MAX, NAME_CHARS_MAX};

use crate::call::{Farewell, InstanceView, Link, LinkAnswer, LobbyOrder, LobbyReport, Reply, instance_id};
use crate::db::Fault;
use crate::effect::Topic;
use crate::hub::Hub;
use crate::limits::{BARRED_KEPT_MS, CLOCKS_APART_MS_MAX, INSTANCES_MAX};
use crate::out::Out;
use crate::registry::{self, Instance};
use crate::store::Store;
use crate::text::{self, refused};

impl<S: Store> Hub<S> {
    /// A lobby speaks.
    pub(super) fn lobby_report(&mut self, now_ms: u64, report: LobbyReport, out: &mut Out) -> Result<Reply, Fault> {
        let answer = match report {
            LobbyReport::Registered { .. } => self.register_instance(now_ms, report, out)?,
            LobbyReport::Status { link, status } => self.instance_status(now_ms, link, status, out)?,
            LobbyReport::Gone { lobby, sockets } => {
                for socket in sockets {
                    self.instance_gone(now_ms, Link { lobby, socket }, out)?;
                }
                LinkAnswer::Taken
            }
        };
        Ok(Reply::Link { answer })
    }

    fn register_instance(&mut self, now_ms: u64, report: LobbyReport, out: &mut Out) -> Result<LinkAnswer, Fault> {
        let LobbyReport::Registered { link, token, client_id, metadata, connected_ms } = report else {
            return Ok(LinkAnswer::Unknown);
        };
        // The lobby asked D1 a moment ago; the person may have revoked it since, or lost what let them in. Whoever still may
        // come connects again, and D1 is asked anew.
        if registry::is_barred(&self.db, &token)? {
            return Ok(LinkAnswer::Revoked);
        }
        let closed_ms = registry::closed_ms(&self.db)?;
        if closed_ms.is_some_and(|closed_ms| connected_ms <= closed_ms.saturating_add(CLOCKS_APART_MS_MAX)) {
            return Ok(LinkAnswer::Ended);
        }
        let known = self.registry.instance_named(&client_id).cloned();
        let older = known.as_ref().and_then(|known| Some((known.link?, known.connected_ms)));
        match older {
            Some((older, _)) if older == link => {}
            // A register message that was under way while its instance already dialled again.
            Some((_, accepted_ms)) if accepted_ms > connected_ms => return Ok(LinkAnswer::Replaced),
            Some((older, _)) => {
                out.lobby(older.lobby, LobbyOrder::Close { socket: older.socket, why: Farewell::Replaced })
            }
            None if self.online_instances().count() >= INSTANCES_MAX => return Ok(LinkAnswer::Full),
            None => {}
        }
        let number = match known {
            Some(known) => known.number,
            None => {
                self.make_room()?;
                self.db.next_number("instance")?
            }
        };
        let instance = Instance {
            number,
            client_id,
            token,
            metadata: protocol::claudecodeui::Metadata {
                hostname: text::plain(&metadata.hostname, NAME_CHARS_MAX),
                project: text::plain(&metadata.project, CLIENT_FIELD_CHARS_MAX),
                status: metadata.status,
                version: text::plain(&metadata.version, NAME_CHARS_MAX),
            },
            status_ms: now_ms,
            connected_ms,
            gone_ms: 0,
            link: Some(link),
        };
        self.registry.put_instance(&self.db, instance)?;
        out.instance_changed(number);
        Ok(LinkAnswer::Taken)
    }

    fn instance_status(
        &mut self,
        now_ms: u64,
        link: Link,
        status: InstanceStatus,
        out: &mut Out,
    ) -> Result<LinkAnswer, Fault> {
        let Some(mut instance) = self.registry.instance_at(link).cloned() else { return Ok(LinkAnswer::Unknown) };
        // The same word again costs no row; that it was said is on no page.
        if instance.metadata.status != status {
            (instance.metadata.status, instance.status_ms) = (status, now_ms);
            out.instance_changed(instance.number);
            self.registry.put_instance(&self.db, instance)?;
        }
        Ok(LinkAnswer::Taken)
    }

    fn instance_gone(&mut self, now_ms: u64, link: Link, out: &mut Out) -> Result<(), Fault> {
        let Some(mut instance) = self.registry.instance_at(link).cloned() else { return Ok(()) };
        (instance.link, instance.gone_ms) = (None, now_ms.max(instance.connected_ms));
        out.instance_changed(instance.number);
        Ok(self.registry.put_instance(&self.db, instance)?)
    }

    /// A person wants something of an instance.
    pub(super) fn command_instance(
        &mut self,
        now_ms: u64,
        number: u64,
        command: InstanceCommand,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let away = || refused(ErrorCode::Conflict, "This instance is not connected. Start it again where it runs.");
        let link = self.known_instance(number)?.link.ok_or_else(away)?;
        out.lobby(link.lobby, LobbyOrder::Command { socket: link.socket, command });
        if command == InstanceCommand::Disconnect {
            // It is told first, so that it knows better than to dial again; then its socket goes, whether it obeys or not.
            out.lobby(link.lobby, LobbyOrder::Close { socket: link.socket, why: Farewell::Disconnected });
            self.instance_gone(now_ms, link, out)?;
        }
        Ok(Reply::Instance(self.instance_view(self.known_instance(number)?)))
    }

    /// One that is away is forgotten; it is new when it comes again.
    pub(super) fn forget_instance(&mut self, number: u64, out: &mut Out) -> Result<Reply, Fault> {
        if self.known_instance(number)?.link.is_some() {
            let message = "This instance is connected. Disconnect it first, or revoke its token.";
            return Err(refused(ErrorCode::Conflict, message));
        }
        self.registry.drop_instance(&self.db, number)?;
        out.instance_changed(number);
        Ok(Reply::Done)
    }

    /// A token was revoked: what came with it goes, and what is on its way with it is not let in.
    pub(super) fn revoke_instances(&mut self, now_ms: u64, token: &str, out: &mut Out) -> Result<Reply, Fault> {
        registry::bar_token(&self.db, token, now_ms, now_ms.saturating_sub(BARRED_KEPT_MS))?;
        let links: Vec<Link> =
            self.online_instances().filter(|(instance, _)| instance.token == token).map(|(_, link)| link).collect();
        for link in links {
            out.lobby(link.lobby, LobbyOrder::Close { socket: link.socket, why: Farewell::Revoked });
            self.instance_gone(now_ms, link, out)?;
        }
        Ok(Reply::Done)
    }

    /// The person is out: all instances go, those too that are on their way, and with `revoke` their tokens bring none any
    /// more.
    pub(super) fn close_instances(&mut self, now_ms: u64, revoke: bool, out: &mut Out) -> Result<(), Fault> {
        registry::bar_every_token(&self.db, now_ms, now_ms.saturating_sub(BARRED_KEPT_MS))?;
        if revoke {
            let tokens: BTreeSet<String> = self.registry.instances.values().map(|one| one.token.clone()).collect();
            for token in tokens {
                self.revoke_instances(now_ms, &token, out)?;
            }
        }
        let links: Vec<Link> = self.online_instances().map(|(_, link)| link).collect();
        for link in links {
            out.lobby(link.lobby, LobbyOrder::Close { socket: link.socket, why: Farewell::Ended });
            self.instance_gone(now_ms, link, out)?;
        }
        Ok(())
    }

    /// Asks the lobbies, once after each load and only when a person looks, whether the sockets are still there that this hub
    /// takes for connected: a report of an end may have been lost, with a lobby or with this hub.
    pub(super) fn check_links(&mut self, out: &mut Out) {
        if std::mem::replace(&mut self.links_checked, true) {
            return;
        }
        let mut lobbies: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for (_, link) in self.online_instances() {
            lobbies.entry(link.lobby).or_default().push(link.socket);
        }
        for (lobby, sockets) in lobbies {
            out.lobby(lobby, LobbyOrder::Check { sockets });
        }
    }

    pub(super) fn known_instance(&self, number: u64) -> Result<&Instance, Fault> {
        let gone = || refused(ErrorCode::NotFound, "There is no such client.");
        self.registry.instances.get(&number).ok_or_else(gone)
    }

    fn online_instances(&self) -> impl Iterator<Item = (&Instance, Link)> {
        self.registry.instances.values().filter_map(|instance| Some((instance, instance.link?)))
    }

    /// Room for one more: of those that are away, the one that has been so for longest is forgotten.
    fn make_room(&mut self) -> Result<(), Fault> {
        if self.registry.instances.len() < INSTANCES_MAX {
            return Ok(());
        }
        let away = self.registry.instances.values().filter(|instance| instance.link.is_none());
        let oldest = away.min_by_key(|instance| (instance.gone_ms, instance.number)).map(|instance| instance.number);
        match oldest {
            Some(number) => Ok(self.registry.drop_instance(&self.db, number)?),
            None => Ok(()),
        }
    }

    pub(crate) fn instance_view(&self, instance: &Instance) -> InstanceView {
        InstanceView {
            client: instance_id(instance.number),
            client_id: instance.client_id.clone(),
            hostname: instance.metadata.hostname.clone(),
            project: instance.metadata.project.clone(),
            status: instance.metadata.status,
            status_ms: instance.status_ms,
            version: instance.metadata.version.clone(),
            online: instance.link.is_some(),
            connected_ms: instance.connected_ms,
            gone_ms: instance.gone_ms,
        }
    }
}

impl Out {
    /// Something is wanted of a lobby.
    fn lobby(&mut self, lobby: u32, order: LobbyOrder) {
        self.effects.push(crate::effect::Effect::Lobby { lobby, order });
    }

    fn instance_changed(&mut self, number: u64) {
        self.changed.insert(Topic::Dashboard);
        self.changed.insert(Topic::Instance(number));
    }
}
