//! Who looks at a page, and how they like it. Preferences live in one cookie that scripts need not read.

/// A signed-in person, as pages need them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// For people.
    pub name: String,
    /// How they signed in, to follow "Signed in with": "a local link".
    pub signed_in_by: String,
    /// Sees what concerns the whole deployment.
    pub is_admin: bool,
    /// Came by a guest link, and has nothing here but its session.
    pub is_guest: bool,
    /// Proves that a form came from a page of ours.
    pub csrf: String,
    /// How they like it.
    pub preferences: Preferences,
}

impl Visitor {
    /// Two letters for the avatar.
    #[must_use]
    pub fn initials(&self) -> String {
        super::text::initials(&self.name)
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system is set.
    #[default]
    System,
    /// Light on every system.
    Light,
    /// Dark on every system.
    Dark,
}

impl Theme {
    /// The word in the cookie, in forms and in `data-theme`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// The theme for a word; anything else is the system's.
    #[must_use]
    pub fn from_word(word: &str) -> Theme {
        [Theme::Light, Theme::Dark].into_iter().find(|theme| theme.word() == word).unwrap_or_default()
    }
}

/// How a person likes the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// Single letters act as commands.
    pub shortcuts: bool,
    /// The terminal keeps a text copy of its rows for screen readers.
    pub screen_reader: bool,
}

impl Default for Preferences {
    fn default() -> Preferences {
        Preferences { theme: Theme::System, shortcuts: true, screen_reader: false }
    }
}

/// The cookie's name. It holds no secret, so it needs no `__Host-`.
const COOKIE: &str = "muster_prefs";

impl Preferences {
    /// Reads them from a whole `Cookie` header; words that it does not know change nothing.
    #[must_use]
    pub fn from_cookies(header: &str) -> Preferences {
        let pair = |part: &'_ str| part.trim().split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let value = header.split(';').filter_map(pair).find(|(name, _)| name == COOKIE).map(|(_, value)| value);
        let mut preferences = Preferences::default();
        for word in value.unwrap_or_default().split('.') {
            match word {
                "no-shortcuts" => preferences.shortcuts = false,
                "screen-reader" => preferences.screen_reader = true,
                theme @ ("light" | "dark") => preferences.theme = Theme::from_word(theme),
                _ => {}
            }
        }
        preferences
    }

    /// The value of a `Set-Cookie` header that keeps them for a year.
    #[must_use]
    pub fn to_set_cookie(self, secure: bool) -> String {
        let mut words = vec![self.theme.word()];
        if !self.shortcuts {
            words.push("no-shortcuts");
        }
        if self.screen_reader {
            words.push("screen-reader");
        }
        let secure = if secure { "; Secure" } else { "" };
        format!("{COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{secure}", words.join("."))
    }
}

/// One sign-in, as the settings page lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Names it in the URL that ends it.
    pub id: String,
    /// "Firefox on Linux".
    pub device: String,
    /// When it began.
    pub created_ms: u64,
    /// When it was last used.
    pub seen_ms: u64,
    /// It is the one that asks.
    pub current: bool,
}
