//! Shares: made, changed, withdrawn; and what each of that does at once to the sockets that are open.

use protocol::close::CloseCode;
use protocol::control::{ErrorCode, ViewerEvent};
use protocol::limits::NAME_CHARS_MAX;
use protocol::right::Right;

use crate::call::{Caller, Grantee, Reply, Request, ShareView, Shared, SharedSession, Shares};
use crate::db::Fault;
use crate::effect::{Effect, Moment, Peer, SocketId, Topic};
use crate::hub::Hub;
use crate::limits::{GUEST_LINK_MS_MAX, SHARES_PER_SESSION_MAX};
use crate::out::Out;
use crate::registry::Share;
use crate::standing::Standing;
use crate::store::Store;
use crate::text::{self, invalid, refused};
use crate::timeline;
use crate::views::urgency;

impl<S: Store> Hub<S> {
    pub(super) fn shares(&self, now_ms: u64, session: u64) -> Result<Reply, Fault> {
        let known = self.known_session(session)?;
        let held = self.registry.shares_of(session).filter(|share| share.holds_at(now_ms));
        let shares = held.map(|share| self.share_view(share)).collect();
        Ok(Reply::Shares(Shares { now_ms, session, name: known.name.clone(), shares }))
    }

    /// The sessions that somebody else may see here.
    pub(super) fn shared(&self, who: &Caller, now_ms: u64) -> Reply {
        let line = |session: &crate::registry::Session| {
            let right = self.right_of(who, session.id, now_ms)?;
            Some(SharedSession { right, view: self.session_view(session) })
        };
        let open = self.registry.sessions.values().filter(|session| !session.archived);
        let mut sessions: Vec<SharedSession> = open.filter_map(line).collect();
        sessions.sort_by_key(|line| urgency(&line.view));
        Reply::Shared(Shared { now_ms, sessions })
    }

    /// Shares a session. With whom it is shared already gets this right instead of the other; a guest link is always a new one.
    pub(super) fn share(
        &mut self,
        moment: Moment,
        who: &Caller,
        request: &Request,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let Request::Share { session, grantee, name, right, expires_ms } = request else {
            return Err(refused(ErrorCode::Internal, "This is not a share."));
        };
        let (session, now_ms) = (*session, moment.now_ms);
        self.known_session(session)?;
        let name = text::name_required("name", name)?;
        check_share(grantee, *right, *expires_ms, now_ms)?;
        if matches!(grantee, Grantee::Person(id) if *id == who.person) {
            return Err(invalid("grantee", "This session is yours already."));
        }
        self.expire_shares(moment, out)?;
        let same = |share: &&Share| share.grantee == *grantee && *grantee != Grantee::Guest;
        let present = self.registry.shares_of(session).find(same).cloned();
        let share = match present {
            Some(present) => Share { name, right: *right, expires_ms: *expires_ms, ..present },
            None if self.registry.shares_of(session).count() >= SHARES_PER_SESSION_MAX => {
                let message = format!("A session is shared at most {SHARES_PER_SESSION_MAX} times. Withdraw some.");
                return Err(refused(ErrorCode::Limit, message));
            }
            None => Share {
                share: self.db.next_number("share")?,
                session,
                grantee: grantee.clone(),
                name,
                right: *right,
                created_ms: now_ms,
                expires_ms: *expires_ms,
            },
        };
        self.note(now_ms, session, None, timeline::SHARED, &who.name, sentence(&share))?;
        self.registry.put_share(&self.db, share.clone())?;
        self.shares_changed(moment, session, out)?;
        Ok(Reply::Share(self.share_view(&share)))
    }

    /// Withdraws a share; again changes nothing.
    pub(super) fn withdraw(
        &mut self,
        moment: Moment,
        who: &Caller,
        session: u64,
        share: u64,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        self.known_session(session)?;
        if let Some(known) = self.registry.shares.get(&share).filter(|share| share.session == session).cloned() {
            self.registry.drop_share(&self.db, share)?;
            let text = match known.grantee {
                Grantee::Guest => "Withdrew a guest link".to_owned(),
                Grantee::Person(_) | Grantee::Team(_) => format!("No longer shared with {}", known.name),
            };
            self.note(moment.now_ms, session, None, timeline::SHARED, &who.name, text)?;
            self.shares_changed(moment, session, out)?;
        }
        Ok(Reply::Done)
    }

    /// What expired is forgotten, and whoever was here by it is out.
    pub(crate) fn expire_shares(&mut self, moment: Moment, out: &mut Out) -> Result<(), Fault> {
        for session in self.drop_expired(moment.now_ms)? {
            self.shares_changed(moment, session, out)?;
        }
        Ok(())
    }

    /// Whoever forgets what expired has to act on what is open by it: no alarm rings for it any more.
    fn drop_expired(&mut self, now_ms: u64) -> Result<Vec<u64>, Fault> {
        let expired = self.registry.shares.values().filter(|share| !share.holds_at(now_ms));
        let expired: Vec<(u64, u64)> = expired.map(|share| (share.share, share.session)).collect();
        for (share, _) in &expired {
            self.registry.drop_share(&self.db, *share)?;
        }
        Ok(expired.into_iter().map(|(_, session)| session).collect())
    }

    /// Acts on the open sockets of everybody who was invited: what they may do now is what the shares say now.
    pub(crate) fn shares_changed(&mut self, moment: Moment, session: u64, out: &mut Out) -> Result<(), Fault> {
        let invited = self.sockets.iter().filter(|(_, socket)| !socket.pass.standing.is_owner());
        let invited: Vec<SocketId> = invited.map(|(id, _)| *id).collect();
        for socket in invited {
            self.entitle(moment, socket, session, out)?;
        }
        self.set_alarm(moment.now_ms, out);
        out.session_changed(session);
        Ok(())
    }

    fn entitle(&mut self, moment: Moment, socket: SocketId, session: u64, out: &mut Out) -> Result<(), Fault> {
        let Some(known) = self.sockets.get(&socket) else { return Ok(()) };
        let (standing, peer, watching) = (known.pass.standing.clone(), known.peer.clone(), known.watching.clone());
        match peer {
            Peer::Viewer { person, .. } => {
                if !self.is_invited(&standing, &person, moment.now_ms) {
                    return self.end(moment, socket, CloseCode::Revoked, NOT_SHARED, out);
                }
                let right = self.right(&standing, &person, session, moment.now_ms);
                let terminals = watching.into_iter().filter(|id| self.session_of(*id) == Some(session));
                for terminal in terminals.collect::<Vec<_>>() {
                    self.entitle_watcher(socket, terminal, right, out);
                }
                Ok(())
            }
            Peer::Page { person, topic: Topic::Session(shown) } => {
                if shown == session && self.right(&standing, &person, session, moment.now_ms).is_none() {
                    out.effects.push(Effect::Farewell { socket, topic: Topic::Session(shown) });
                    return self.end(moment, socket, CloseCode::Revoked, NOT_SHARED, out);
                }
                Ok(())
            }
            Peer::Page { person, topic: Topic::Shared } => {
                if self.is_invited(&standing, &person, moment.now_ms) {
                    return Ok(());
                }
                out.effects.push(Effect::Farewell { socket, topic: Topic::Shared });
                self.end(moment, socket, CloseCode::Revoked, NOT_SHARED, out)
            }
            Peer::Page { .. } | Peer::Runner { .. } => Ok(()),
        }
    }

    fn entitle_watcher(&mut self, socket: SocketId, terminal: u32, right: Option<Right>, out: &mut Out) {
        let Some(right) = right else {
            if let Some(known) = self.sockets.get_mut(&socket) {
                known.watching.retain(|watching| *watching != terminal);
            }
            self.leave(terminal, socket, out);
            out.touched.insert(socket);
            out.viewer_error(
                socket,
                ErrorCode::Forbidden,
                "This session is no longer shared with you.",
                Some(terminal),
            );
            return;
        };
        out.viewer(socket, &ViewerEvent::Right { terminal, right });
        if right < Right::Driver
            && let Some(wire) = self.wires.get_mut(&terminal)
        {
            wire.release(socket, out);
        }
    }

    /// Whether any session here is shared with them.
    pub(crate) fn is_invited(&self, standing: &Standing, person: &str, now_ms: u64) -> bool {
        match standing {
            Standing::Owner => true,
            Standing::Invited(invited) => {
                self.registry.shares.values().any(|share| share.holds_at(now_ms) && invited.has(person, share))
            }
        }
    }

    pub(crate) fn session_of(&self, terminal: u32) -> Option<u64> {
        self.registry.terminals.get(&terminal).map(|known| known.session)
    }

    fn share_view(&self, share: &Share) -> ShareView {
        let by_it = |socket: &crate::sockets::Socket| match (&socket.pass.standing, &socket.peer) {
            (Standing::Invited(invited), Peer::Viewer { person, .. }) => {
                let here = socket.watching.iter().any(|terminal| self.session_of(*terminal) == Some(share.session));
                here && invited.has(person, share)
            }
            _ => false,
        };
        ShareView {
            share: share.share,
            session: share.session,
            grantee: share.grantee.clone(),
            name: share.name.clone(),
            right: share.right,
            created_ms: share.created_ms,
            expires_ms: share.expires_ms,
            here: self.sockets.values().any(by_it),
        }
    }
}

/// The reason of a close, for whoever was invited.
pub(crate) const NOT_SHARED: &str = "no longer shared with you";

fn check_share(grantee: &Grantee, right: Right, expires_ms: u64, now_ms: u64) -> Result<(), Fault> {
    if right == Right::Owner {
        return Err(invalid("right", "A session has one owner. Choose viewer, prompter, approver or driver."));
    }
    if expires_ms != 0 && expires_ms <= now_ms {
        return Err(invalid("expires", "This time is over already."));
    }
    let id = grantee.id();
    let fits = id.chars().count() <= NAME_CHARS_MAX && !id.chars().any(char::is_control);
    match grantee {
        Grantee::Guest if expires_ms == 0 || expires_ms - now_ms > GUEST_LINK_MS_MAX => {
            let days = GUEST_LINK_MS_MAX / (24 * 60 * 60 * 1000);
            Err(invalid("expires", format!("A guest link ends after {days} days at most.")))
        }
        Grantee::Person(_) | Grantee::Team(_) if id.is_empty() || !fits => {
            Err(invalid("grantee", "Say with whom the session is shared."))
        }
        Grantee::Person(_) | Grantee::Team(_) | Grantee::Guest => Ok(()),
    }
}

fn sentence(share: &Share) -> String {
    match share.grantee {
        // What a link is called is for the owner's own list.
        Grantee::Guest => format!("Made a guest link as {}", share.right.word()),
        Grantee::Person(_) | Grantee::Team(_) => format!("Shared with {} as {}", share.name, share.right.word()),
    }
}
