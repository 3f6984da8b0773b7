//! What can be told to a dialect: deadlines that tests shorten, and answers to
//! the questions its documentation leaves open.

use std::time::Duration;

/// How an exchange behaves where it could be otherwise.
#[derive(Debug, Clone, Default)]
pub struct Manners {
    /// How long a silent listener is kept, instead of as long as the exchange would.
    pub keepalive: Option<Duration>,
    /// How long a ban lasts, instead of as long as the exchange's.
    pub ban: Option<Duration>,
    /// How many percent of what the exchange allows may be asked.
    pub limit_percent: Option<u32>,
    /// The open questions, answered.
    pub quirks: Quirks,
}

impl Manners {
    /// The deadline for a silent listener.
    pub fn keepalive(&self, usual: Duration) -> Duration {
        self.keepalive.unwrap_or(usual)
    }
}

/// Answers to what no documentation settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// What `after` beyond the newest trade is answered.
    pub beyond_newest: BeyondNewest,
    /// Whether `since` includes the trade it names.
    pub since_inclusive: bool,
    /// Whether a page ends inside a group of trades of one time.
    pub whole_groups: bool,
    /// Whether the channel of single trades wants a login.
    pub wants_login: bool,
    /// Whether ids are quoted where documentation prints them bare.
    pub quoted_ids: bool,
}

/// What `after` beyond the newest trade is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BeyondNewest {
    /// The newest page.
    #[default]
    Accept,
    /// An error.
    Refuse,
    /// An empty page.
    Empty,
}

/// A quirk that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no quirk {0:?}; there are {known}", known = Quirks::NAMES.join(", "))]
pub struct NoQuirk(String);

impl Quirks {
    /// Every quirk there is.
    pub const NAMES: [&'static str; 7] = [
        "after-beyond-newest=accept",
        "after-beyond-newest=refuse",
        "after-beyond-newest=empty",
        "since=inclusive",
        "groups=whole",
        "trades-all=login",
        "ids=quoted",
    ];

    /// These with one more.
    ///
    /// # Errors
    /// [`NoQuirk`] for a name that is none.
    pub fn with(mut self, name: &str) -> Result<Self, NoQuirk> {
        match name {
            "after-beyond-newest=accept" => self.beyond_newest = BeyondNewest::Accept,
            "after-beyond-newest=refuse" => self.beyond_newest = BeyondNewest::Refuse,
            "after-beyond-newest=empty" => self.beyond_newest = BeyondNewest::Empty,
            "since=inclusive" => self.since_inclusive = true,
            "since=exclusive" => self.since_inclusive = false,
            "groups=whole" => self.whole_groups = true,
            "groups=cut" => self.whole_groups = false,
            "trades-all=login" => self.wants_login = true,
            "ids=quoted" => self.quoted_ids = true,
            _ => return Err(NoQuirk(name.to_owned())),
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quirk_is_known_by_its_name() {
        for name in Quirks::NAMES {
            assert!(Quirks::default().with(name).is_ok(), "{name}");
        }
        let error = Quirks::default().with("moody").expect_err("no quirk").to_string();
        assert!(error.contains("after-beyond-newest=refuse"), "{error}");
    }
}
