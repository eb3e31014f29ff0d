//! The routes. Method, path, who may, handler; nothing else.

use super::Verb::{Delete, Get, Head, Patch, Post};
use super::Who::{Admin, AdminToken, Anyone, Invited, Known, LocalOnly, Person, Token};
use super::{Handler, Route, Verb, Who};
use crate::{api, auth, connect, github, health, pages, static_files};

const fn row(method: Verb, path: &'static str, who: Who, handler: Handler) -> Route {
    Route { method, path, who, handler }
}

macro_rules! routes {
    ($($method:ident $path:literal $who:ident $handler:path;)*) => {
        /// All of them.
        pub const ROUTES: &[Route] = &[$(row($method, $path, $who, |visit| Box::pin($handler(visit)))),*];
    };
}

routes! {
    Get "/" Known pages::home::show;
    Get "/health" Anyone health::show;
    Get "/static/*file" Anyone static_files::show;
    Get "/ws/connect" Anyone connect::open;

    Get "/auth/local" LocalOnly auth::local::open;
    Head "/auth/local" LocalOnly auth::local::look;
    Get "/auth/access" Anyone auth::by_access::open;
    Get "/auth/github" Anyone auth::github::begin;
    Get "/auth/github/callback" Anyone auth::github::finish;
    Post "/auth/logout" Person auth::sign_out::here;
    Post "/github/webhook" Anyone github::webhook::take;

    Get "/device" Known pages::device::show;
    Post "/device/approve" Person pages::device::approve;
    Post "/device/deny" Person pages::device::deny;

    Get "/guest" Anyone pages::guest::show;
    Post "/guest" Anyone pages::guest::join;
    Post "/guest/leave" Anyone pages::guest::leave;

    Get "/dashboard" Person pages::dashboard::show;
    Get "/dashboard/shared" Person pages::dashboard::shared;
    Get "/sessions" Person pages::dashboard::show;
    Post "/sessions" Person pages::sessions::create;
    Get "/sessions/new" Person pages::sessions::new;
    Get "/sessions/:session" Invited pages::sessions::show;
    Post "/sessions/:session/rename" Person pages::sessions::rename;
    Post "/sessions/:session/archive" Person pages::sessions::archive;
    Post "/sessions/:session/restore" Person pages::sessions::restore;
    Post "/sessions/:session/delete" Person pages::sessions::delete;
    Post "/sessions/:session/terminals" Invited pages::terminals::open;
    Get "/sessions/:session/terminals/:terminal" Invited pages::terminals::show;
    Post "/sessions/:session/terminals/:terminal/stop" Invited pages::terminals::stop;
    Post "/sessions/:session/terminals/:terminal/restart" Invited pages::terminals::restart;
    Post "/sessions/:session/terminals/:terminal/close" Invited pages::terminals::close;
    Post "/sessions/:session/terminals/:terminal/prompts" Invited pages::prompts::queue;
    Get "/sessions/:session/people" Person pages::people::show;
    Post "/sessions/:session/people" Person pages::people::share;
    Post "/sessions/:session/people/link" Person pages::people::link;
    Post "/sessions/:session/people/:share/withdraw" Person pages::people::withdraw;
    Post "/prompts/:prompt/edit" Invited pages::prompts::edit;
    Post "/prompts/:prompt/cancel" Invited pages::prompts::cancel;

    Get "/clients" Person pages::clients::list;
    Get "/clients/connect" Person pages::clients::connect;
    Post "/clients/connect" Person pages::clients::make_command;
    Get "/clients/:client" Person pages::clients::show;
    Post "/clients/:client/disconnect" Person pages::clients::disconnect;
    Post "/clients/:client/refresh" Person pages::clients::refresh;
    Post "/clients/:client/forget" Person pages::clients::forget;
    Post "/clients/:client/rename" Person pages::clients::rename;
    Post "/clients/:client/revoke" Person pages::clients::revoke;

    Get "/settings" Person pages::settings::show;
    Post "/settings/theme" Person pages::settings::choose;
    Post "/settings/sign-ins/:sign_in/end" Person pages::settings::end_sign_in;
    Post "/settings/sign-ins/end-others" Person pages::settings::end_other_sign_ins;
    Get "/settings/tokens" Person pages::tokens::show;
    Post "/settings/tokens" Person pages::tokens::create;
    Post "/settings/tokens/:id/revoke" Person pages::tokens::revoke;
    Get "/settings/access" Admin pages::access::show;
    Post "/settings/access" Admin pages::access::add;
    Post "/settings/access/:entity/remove" Admin pages::access::remove;
    Post "/settings/people/:person/role" Admin pages::access::set_role;
    Post "/settings/people/:person/end" Admin pages::access::end;
    Get "/settings/audit" Person pages::audit::show;

    Get "/api/audit" AdminToken api::audit::deployment;
    Get "/api/audit/hub" Token api::audit::hub;

    Get "/api/tokens" Token api::tokens::list;
    Post "/api/tokens" Token api::tokens::create;
    Post "/api/tokens/exchange" Anyone api::tokens::exchange;
    Get "/api/tokens/self" Anyone api::tokens::show_self;
    Delete "/api/tokens/self" Anyone api::tokens::revoke_self;
    Delete "/api/tokens/:id" Token api::tokens::revoke;

    Get "/api/access" AdminToken api::access::list;
    Post "/api/access" AdminToken api::access::add;
    Delete "/api/access/:entity" AdminToken api::access::remove;
    Patch "/api/people/:person" AdminToken api::access::set_role;
    Delete "/api/people/:person/sign-ins" AdminToken api::access::end;

    Post "/api/device" Anyone api::device::start;
    Post "/api/device/token" Anyone api::device::poll;

    Get "/api/sessions" Token api::sessions::list;
    Post "/api/sessions" Token api::sessions::create;
    Get "/api/sessions/:session" Token api::sessions::show;
    Patch "/api/sessions/:session" Token api::sessions::rename;
    Delete "/api/sessions/:session" Token api::sessions::delete;
    Post "/api/sessions/:session/archive" Token api::sessions::archive;
    Post "/api/sessions/:session/restore" Token api::sessions::restore;
    Post "/api/sessions/:session/terminals" Token api::terminals::open;

    Get "/api/sessions/:session/shares" Token api::shares::list;
    Post "/api/sessions/:session/shares" Token api::shares::create;
    Delete "/api/sessions/:session/shares/:share" Token api::shares::withdraw;
    Get "/api/shared" Token api::shares::shared;

    Get "/api/terminals/:terminal" Token api::terminals::show;
    Delete "/api/terminals/:terminal" Token api::terminals::close;
    Post "/api/terminals/:terminal/stop" Token api::terminals::stop;
    Post "/api/terminals/:terminal/restart" Token api::terminals::restart;
    Get "/api/terminals/:terminal/prompts" Token api::prompts::list;
    Post "/api/terminals/:terminal/prompts" Token api::prompts::queue;

    Patch "/api/prompts/:prompt" Token api::prompts::edit;
    Delete "/api/prompts/:prompt" Token api::prompts::cancel;

    Get "/api/clients" Token api::clients::list;
    Get "/api/clients/:client" Token api::clients::show;
    Delete "/api/clients/:client" Token api::clients::forget;
    Post "/api/clients/:client/disconnect" Token api::clients::disconnect;
    Post "/api/clients/:client/refresh" Token api::clients::refresh;

    Get "/api/runners" Token api::runners::list;
    Get "/api/runners/:runner" Token api::runners::show;
    Patch "/api/runners/:runner" Token api::runners::rename;
    Delete "/api/runners/:runner" Token api::runners::revoke;
}
