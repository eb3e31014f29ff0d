//! What a handler is given and what it gives back: [`Visit`], bounded bodies, and the responders.
//!
//! A handler is `async fn(Visit) -> Result<Response, Error>`. By the time it runs, the router has decided who may come in,
//! checked CSRF where a cookie changes something, and parsed the path. It must not know which handlers exist.
//!
//! **Invariant.** No body is read beyond [`BODY_BYTES_MAX`], whatever its headers claim.

use futures_util::StreamExt;
use protocol::limits::CONTROL_BYTES_MAX;
use serde::Serialize;
use serde::de::DeserializeOwned;
use session_hub::call::{Caller, Reply, Request as HubRequest};
use session_hub::standing::Standing;
use wasm_bindgen_futures::JsFuture;
use worker::worker_sys::web_sys;
use worker::{Env, Request, Response};

use crate::audit;
use crate::auth::invitation::{self, Knock};
use crate::auth::{Identity, Person, SignIn, identify};
use crate::config::{Config, is_loopback};
use crate::error::{Error, Kind};
use crate::place::Place;
use crate::session_hub::client;

/// Largest request body, in bytes: a prompt of 32 KiB whose every byte is escaped to six in JSON (192 KiB), and the rest of
/// its form. The same bound as a control message.
pub const BODY_BYTES_MAX: usize = CONTROL_BYTES_MAX;

/// One request on its way through a handler.
pub struct Visit {
    /// The request; its body is read through [`Visit::json`] and [`Visit::form`].
    pub request: Request,
    /// The bindings.
    pub env: Env,
    /// Variables and secrets.
    pub config: Config,
    /// Names the request in the log, in `X-Request-Id` and in errors.
    pub request_id: String,
    /// When it came.
    pub now_ms: u64,
    /// Who it is.
    pub identity: Identity,
    /// htmx asked: a fragment will do.
    pub is_htmx: bool,
    /// Its address.
    pub url: worker::Url,
    /// Parameters of the path, by name, percent-decoded.
    pub params: Vec<(String, String)>,
}

impl Visit {
    /// A request of nobody in particular; the router finds out who it is where the route asks.
    pub(crate) fn new(
        request: Request,
        env: Env,
        url: &worker::Url,
        request_id: &str,
        now_ms: u64,
        params: Vec<(String, String)>,
    ) -> Visit {
        Visit {
            config: Config::read(&env),
            request_id: request_id.to_owned(),
            now_ms,
            identity: Identity::Nobody,
            is_htmx: header(&request, "hx-request").is_some_and(|value| value == "true"),
            url: url.clone(),
            params,
            request,
            env,
        }
    }

    /// Finds out who is asking.
    pub(crate) async fn identify(&self) -> Result<Identity, Error> {
        identify(self).await
    }

    /// Where this hub's pages come from: scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The address of whoever asks, as the platform gives it; `None` on the hub's own machine.
    pub(crate) fn client_address(&self) -> Option<String> {
        self.header("cf-connecting-ip").filter(|address| !is_loopback(Some(address)))
    }

    /// The person: the one signed in, or the owner of the token.
    pub fn person(&self) -> Result<&Person, Error> {
        self.identity.person().ok_or_else(|| Error::unauthorized("Sign in first."))
    }

    /// The sign-in, where a cookie proved it.
    pub fn sign_in(&self) -> Option<&SignIn> {
        match &self.identity {
            Identity::SignedIn(sign_in) => Some(sign_in),
            Identity::Nobody | Identity::Guest(_) | Identity::Token(_) => None,
        }
    }

    /// What pages put into `X-CSRF-Token`; empty when nobody is signed in.
    pub fn csrf_token(&self) -> &str {
        match &self.identity {
            Identity::SignedIn(sign_in) => &sign_in.csrf_token,
            Identity::Guest(guest) => &guest.csrf_token,
            Identity::Nobody | Identity::Token(_) => "",
        }
    }

    /// A parameter of the path; the router guarantees those that the route names.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A numeric parameter of the path. Something else than a number is no such thing.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        self.param(name).parse().map_err(|_| Error::not_found(name))
    }

    /// Where a numeric parameter of the path points. Something else is no such thing.
    pub fn place<N: std::str::FromStr>(&self, name: &str) -> Result<Place<N>, Error> {
        let visitor = self.identity.person().map_or("", |person| person.id.as_str());
        Place::parse(self.param(name), visitor).ok_or_else(|| Error::not_found(name))
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// A header, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.request, name)
    }

    /// The body as it came.
    pub async fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        body(&mut self.request).await
    }

    /// The body as JSON of this type.
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        expect_media(&self.request, "application/json")?;
        let bytes = body(&mut self.request).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(Kind::Invalid, format!("The body is not what this address takes: {error}.")))
    }

    /// The body as a form of this type.
    pub async fn form<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        expect_media(&self.request, "application/x-www-form-urlencoded")?;
        let bytes = body(&mut self.request).await?;
        serde_urlencoded::from_bytes(&bytes)
            .map_err(|error| Error::new(Kind::Invalid, format!("The form could not be read: {error}.")))
    }

    /// Asks the person's hub; a refusal becomes the error that its reader sees.
    pub async fn ask(&self, request: HubRequest) -> Result<Reply, Error> {
        if matches!(self.identity, Identity::Guest(_)) {
            return Err(Error::unauthorized("Sign in first."));
        }
        self.ask_for(self.person()?, request).await
    }

    /// Asks the hub that a place is in, as whoever asks may come to it.
    pub async fn ask_at<N>(&self, place: &Place<N>, request: HubRequest) -> Result<Reply, Error> {
        self.ask_as(invitation::knock(self, &self.identity, place.owner).await?, request).await
    }

    /// Asks a hub as somebody who was found to stand before it.
    pub async fn ask_as(&self, knock: Knock, request: HubRequest) -> Result<Reply, Error> {
        let (person, name) = (knock.person.id, knock.person.name);
        let via = audit::via_of(&self.identity);
        client::call(&self.env, Caller { person, name, via, standing: knock.standing }, request).await
    }

    /// Asks the hub of a person who is known by something else than this request's own proof: what they confirmed before.
    pub(crate) async fn ask_for(&self, person: &Person, request: HubRequest) -> Result<Reply, Error> {
        let via = audit::via_of(&self.identity);
        let caller = Caller { person: person.id.clone(), name: person.name.clone(), via, standing: Standing::Owner };
        client::call(&self.env, caller, request).await
    }

    /// True when the request came over TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

/// A header, if it is there and readable.
pub fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

/// The body within its bound.
async fn body(request: &mut Request) -> Result<Vec<u8>, Error> {
    let too_large = || {
        Error::new(
            Kind::TooLarge,
            format!("The body is larger than {} KiB, the most this address takes.", BODY_BYTES_MAX / 1024),
        )
    };
    let announced = header(request, "content-length").and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(too_large());
    }
    if request.inner().body().is_none() {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
    let mut stream = request.stream()?;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if bytes.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads away the body of a request that is refused for another reason. A body that stays unread makes the runtime cut the
/// connection, and then the client may see a reset instead of the refusal.
pub(crate) async fn drain(request: &web_sys::Request) {
    let length = request.headers().get("content-length").ok().flatten().and_then(|text| text.parse::<usize>().ok());
    let is_small = length.is_some_and(|length| length <= BODY_BYTES_MAX);
    if !is_small || request.body_used() {
        return;
    }
    if let Ok(whole) = request.array_buffer() {
        // Whether it came or not, there is nothing to do about it.
        let _ = JsFuture::from(whole).await;
    }
}

fn expect_media(request: &Request, wanted: &str) -> Result<(), Error> {
    let given = header(request, "content-type").unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Error::new(Kind::UnsupportedMedia, format!("Send the body as {wanted}.")))
}

/// A page or a fragment, rendered.
pub fn html(body: String) -> Result<Response, Error> {
    html_with_status(200, body)
}

/// A page or a fragment with another status than 200.
pub fn html_with_status(status: u16, body: String) -> Result<Response, Error> {
    let response = Response::builder().with_status(status).with_header("Content-Type", "text/html; charset=utf-8")?;
    Ok(response.with_header("Cache-Control", "no-store")?.fixed(body.into_bytes()))
}

/// JSON.
pub fn json<T: Serialize>(status: u16, value: &T) -> Result<Response, Error> {
    let body = serde_json::to_vec(value)?;
    let response = Response::builder().with_status(status).with_header("Content-Type", "application/json")?;
    Ok(response.with_header("Cache-Control", "no-store")?.fixed(body))
}

/// Done, nothing to show.
pub fn no_content() -> Result<Response, Error> {
    Ok(Response::builder().with_status(204).empty())
}

/// Go there with GET. Only ever called with paths of this hub.
pub fn see_other(path: &str) -> Result<Response, Error> {
    Ok(Response::builder()
        .with_status(303)
        .with_header("Location", path)?
        .with_header("Cache-Control", "no-store")?
        .empty())
}

/// After a form: htmx is told to go there in the page, a plain form is redirected.
pub fn go_to(visit: &Visit, path: &str) -> Result<Response, Error> {
    if !visit.is_htmx {
        return see_other(path);
    }
    Ok(Response::builder().with_status(200).with_header("HX-Redirect", path)?.empty())
}
