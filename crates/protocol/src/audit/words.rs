//! The words of the audit log. A word that was ever written is never given another meaning; new ones are added.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them, in the order in which they were added.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word in tables, exports and hashes.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// What a word means.
            #[must_use]
            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|known| known.word() == word)
            }
        }
    };
}

words! {
    /// Which kind of chain an entry is of.
    Chain {
        /// The deployment's: sign-ins, tokens, access, shares.
        Deployment = "deployment",
        /// A person's hub: prompts, approvals, driving.
        Hub = "hub",
    }
}

words! {
    /// What an actor's id names.
    ActorKind {
        /// A person.
        Person = "person",
        /// A program, by its token.
        Token = "token",
        /// Nobody known: a sign-in that was refused.
        Stranger = "stranger",
        /// The hub itself.
        System = "system",
    }
}

words! {
    /// By which way something was done.
    #[derive(Default)]
    Via {
        /// A page.
        #[default]
        Browser = "browser",
        /// A command line or a script, by its token.
        Cli = "cli",
        /// A runner, by its token.
        Runner = "runner",
        /// A webhook.
        Webhook = "webhook",
        /// Nothing from outside: the hub's own clock.
        System = "system",
    }
}

words! {
    /// What was done.
    Action {
        /// Somebody signed in.
        SignedIn = "signed_in",
        /// Somebody wanted to sign in and was refused.
        SignInRefused = "sign_in_refused",
        /// Somebody signed out in their own browser.
        SignedOut = "signed_out",
        /// A sign-in was ended from somewhere else, or with the right to come in.
        SignInEnded = "sign_in_ended",
        /// A token was made.
        TokenMade = "token_made",
        /// A token was exchanged, for the first time within an hour.
        TokenExchanged = "token_exchanged",
        /// A token was shown that is not known, or no longer works.
        TokenRefused = "token_refused",
        /// A token no longer works.
        TokenRevoked = "token_revoked",
        /// A runner, and its token, got another name.
        RunnerRenamed = "runner_renamed",
        /// A runner's token no longer works.
        RunnerRevoked = "runner_revoked",
        /// An organisation, team or user may come in.
        AccessGranted = "access_granted",
        /// ... and may no longer.
        AccessWithdrawn = "access_withdrawn",
        /// A person is out: no longer in a team, suspended, or removed by an admin.
        PersonRemoved = "person_removed",
        /// A person became an admin, or a member.
        RoleChanged = "role_changed",
        /// A person confirmed a device's code.
        DeviceConfirmed = "device_confirmed",
        /// A person refused a device's code.
        DeviceRefused = "device_refused",
        /// A session was shared with a person or a team.
        Shared = "shared",
        /// A share got another right.
        ShareChanged = "share_changed",
        /// A share was withdrawn.
        Unshared = "unshared",
        /// A guest link was made.
        GuestLinkMade = "guest_link_made",
        /// A guest link was opened.
        GuestLinkOpened = "guest_link_opened",
        /// A guest link was withdrawn.
        GuestLinkWithdrawn = "guest_link_withdrawn",
        /// A prompt was queued.
        PromptQueued = "prompt_queued",
        /// A queued prompt got another text.
        PromptEdited = "prompt_edited",
        /// A prompt was taken back.
        PromptCancelled = "prompt_cancelled",
        /// An approval was answered.
        ApprovalAnswered = "approval_answered",
        /// Somebody else than before drives a terminal.
        DrivingTaken = "driving_taken",
        /// Nobody drives a terminal any more.
        DrivingReleased = "driving_released",
    }
}
