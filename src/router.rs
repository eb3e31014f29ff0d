//! Every route in one table, and the way of a request through it: who may come in, the handler, headers, one line of log.
//!
//! The table is data, so that tests walk it. [`worker::Router`] is built from the rows of a request's own method and first
//! path segment: matching stays the platform's, and a request does not pay for routes it cannot mean.
//!
//! **Invariant.** A handler runs only after its row's [`Who`] was satisfied, and, where a cookie satisfied it and the method
//! changes something, after CSRF was ruled out.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use worker::{Env, Method, Request, Response, RouteContext, Router};

use crate::auth::token::Scope;
use crate::auth::{Identity, csrf};
use crate::clock;
use crate::config::is_loopback;
use crate::error::{Error, Kind};
use crate::http::{self, Visit, header};
use crate::random;

mod answer;
pub mod brake;
mod table;

use brake::Door;
pub use table::ROUTES;

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Everyone; nobody looks who it is.
    Anyone,
    /// Everyone; whoever is signed in is known.
    Known,
    /// Everyone on this machine, where the hub was started with its own secret; elsewhere the page does not exist.
    LocalOnly,
    /// A person with a live sign-in.
    Person,
    /// As [`Who::Person`], or a guest by a link; the hub says what the session of this address lets either do.
    Invited,
    /// A person with a live sign-in, or a program with a token for the JSON API.
    Token,
    /// As [`Who::Person`], and an admin.
    Admin,
    /// As [`Who::Token`], and the person is an admin.
    AdminToken,
}

/// What answers a route.
pub type Handler = fn(Visit) -> Pin<Box<dyn Future<Output = Result<Response, Error>>>>;

/// One row.
#[derive(Clone, Copy)]
pub struct Route {
    /// GET, HEAD, POST, PATCH or DELETE.
    pub method: Verb,
    /// Segments; `:name` is a parameter, `*name` the rest.
    pub path: &'static str,
    /// Who may come in.
    pub who: Who,
    /// What answers.
    pub handler: Handler,
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// GET; answers HEAD too, unless a row of its own does.
    Get,
    /// HEAD, where looking must differ from getting.
    Head,
    /// POST.
    Post,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Verb {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Head => "HEAD",
            Verb::Post => "POST",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    fn of(method: &Method) -> Option<Verb> {
        [Verb::Get, Verb::Head, Verb::Post, Verb::Patch, Verb::Delete]
            .into_iter()
            .find(|verb| verb.word() == method.as_ref())
    }

    /// Whether it may change something.
    pub fn changes(self) -> bool {
        !matches!(self, Verb::Get | Verb::Head)
    }
}

/// What is known of a request before it is known who sent it.
pub(crate) struct Arrival {
    request_id: String,
    started_ms: u64,
    method: Method,
    url: worker::Url,
    is_htmx: bool,
    /// The row that matched, for the log.
    pattern: Cell<&'static str>,
}

/// Answers a request; never fails, so that every answer has its headers and its line in the log.
pub async fn handle(request: Request, env: Env) -> worker::Result<Response> {
    let arrival = Rc::new(Arrival {
        request_id: random::hex::<8>().unwrap_or_default(),
        started_ms: clock::now_ms(),
        method: request.method(),
        url: request.url()?,
        is_htmx: header(&request, "hx-request").is_some_and(|value| value == "true"),
        pattern: Cell::new(""),
    });
    let path = request.path();
    let first_choice = Verb::of(&arrival.method);
    let response = match rows_for(first_choice, &path) {
        rows if rows.is_empty() => answer::failed(&arrival, no_such_route(&path)),
        rows => {
            let mut router = Router::with_data(arrival.clone());
            for row in rows {
                router = add(router, row, &arrival.method);
            }
            let unmatched = |_: Request, context: RouteContext<Rc<Arrival>>| {
                Ok(answer::failed(&context.data, no_such_route(context.data.url.path())))
            };
            router.or_else_any_method("/", unmatched).or_else_any_method("/*path", unmatched).run(request, env).await?
        }
    };
    answer::finish(&arrival, response)
}

/// Rows that a request of this method and path could mean: the same first segment. HEAD means GET unless a row says more.
fn rows_for(verb: Option<Verb>, path: &str) -> Vec<&'static Route> {
    let of = |verb: Verb| {
        ROUTES.iter().filter(move |row| row.method == verb && first_segment(row.path) == first_segment(path))
    };
    match verb {
        None => Vec::new(),
        Some(Verb::Head) => {
            let own: Vec<_> = of(Verb::Head).collect();
            of(Verb::Get).filter(|row| own.iter().all(|own| own.path != row.path)).chain(own.iter().copied()).collect()
        }
        Some(verb) => of(verb).collect(),
    }
}

fn add<'a>(router: Router<'a, Rc<Arrival>>, row: &'static Route, method: &Method) -> Router<'a, Rc<Arrival>> {
    let run = move |request: Request, context: RouteContext<Rc<Arrival>>| async move {
        let arrival = context.data.clone();
        arrival.pattern.set(row.path);
        let raw = request.inner().to_owned();
        let result = match admit(row, request, context).await {
            Ok(visit) => (row.handler)(visit).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(response) => Ok(response),
            Err(error) => {
                http::drain(&raw).await;
                Ok(answer::failed(&arrival, error))
            }
        }
    };
    match method {
        Method::Head => router.head_async(row.path, run),
        Method::Post => router.post_async(row.path, run),
        Method::Patch => router.patch_async(row.path, run),
        Method::Delete => router.delete_async(row.path, run),
        _ => router.get_async(row.path, run),
    }
}

/// Decides who may come in.
async fn admit(row: &'static Route, request: Request, context: RouteContext<Rc<Arrival>>) -> Result<Visit, Error> {
    let params =
        param_names(row.path).filter_map(|name| Some((name.to_owned(), context.param(name)?.clone()))).collect();
    let arrival = context.data;
    let mut visit = Visit::new(request, context.env, &arrival.url, &arrival.request_id, arrival.started_ms, params);
    match row.who {
        Who::Anyone => return Ok(visit),
        Who::LocalOnly => {
            let is_here = visit.config.local_secret.is_some() && is_loopback(visit.url.host_str());
            if !is_here {
                return Err(Error::not_found("page"));
            }
            brake::stranger(&visit, Door::SignIn).await?;
            return Ok(visit);
        }
        Who::Known | Who::Person | Who::Invited | Who::Token | Who::Admin | Who::AdminToken => {
            let identified = visit.identify().await;
            brake::whoever(&visit, Door::of(row.path), identified.as_ref().ok()).await?;
            visit.identity = match identified? {
                // Everywhere but at what the link is for, a guest is a stranger.
                Identity::Guest(_) if row.who != Who::Invited => Identity::Nobody,
                identity => identity,
            };
        }
    }
    match (&visit.identity, row.who) {
        (_, Who::Known) => {}
        (Identity::Nobody, _) => return Err(Error::unauthorized("Sign in first.")),
        (identity, Who::Admin | Who::AdminToken) if !identity.is_admin() => {
            return Err(Error::forbidden("Only this hub's admins may do that."));
        }
        (Identity::Token(token), Who::Token | Who::AdminToken) if token.scope == Scope::Cli => return Ok(visit),
        (Identity::Token(_), Who::Token | Who::AdminToken) => {
            return Err(Error::forbidden("This token is not for the API, which takes a token with the scope cli."));
        }
        (Identity::Token(_), _) => {
            return Err(Error::forbidden("This address is for browsers; the same is there under /api."));
        }
        (Identity::SignedIn(_) | Identity::Guest(_), _) => {}
    }
    if row.method.changes() {
        check_csrf(&visit)?;
    }
    Ok(visit)
}

fn check_csrf(visit: &Visit) -> Result<(), Error> {
    let token = visit.header(csrf::HEADER).unwrap_or_default();
    let is_ours = match &visit.identity {
        Identity::SignedIn(sign_in) => sign_in.is_csrf_token(&token),
        Identity::Guest(guest) => guest.is_csrf_token(&token),
        Identity::Nobody | Identity::Token(_) => return Ok(()),
    };
    let (origin, site) = (visit.header("origin"), visit.header("sec-fetch-site"));
    if !csrf::is_same_origin(&visit.origin(), origin.as_deref(), site.as_deref()) {
        return Err(Error::forbidden("This was sent from another site, so nothing was done."));
    }
    if !is_ours {
        return Err(Error::forbidden(
            "This page is from an earlier sign-in, so nothing was done. Reload it and try again.",
        ));
    }
    Ok(())
}

/// The brake on a door that strangers come to, for handlers that find out by themselves who comes.
pub async fn rate_limit(visit: &Visit, door: &str) -> Result<(), Error> {
    brake::stranger(visit, Door::named(door)).await
}

/// 405 where the path has other methods, else 404.
fn no_such_route(path: &str) -> Error {
    let mut allowed: Vec<&str> =
        ROUTES.iter().filter(|row| matches(row.path, path)).map(|row| row.method.word()).collect();
    allowed.sort_unstable();
    allowed.dedup();
    if allowed.is_empty() {
        return Error::not_found("page");
    }
    Error::new(Kind::MethodNotAllowed, "This address takes other methods.").with_header("Allow", allowed.join(", "))
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        match segments.next() {
            _ if wanted.starts_with('*') => return true,
            Some(given) if given == wanted || (wanted.starts_with(':') && !given.is_empty()) => {}
            Some(_) | None => return false,
        }
    }
    segments.next().is_none()
}

fn first_segment(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

fn param_names(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    pattern.split('/').filter_map(|segment| segment.strip_prefix([':', '*']))
}

#[cfg(test)]
mod tests;
