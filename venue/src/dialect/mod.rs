//! The languages this market can speak: the generic protocol, and those of real
//! exchanges. An exchange is one folder here and one entry in [`Dialect::ALL`].
//! A dialect knows formats, paths, limits and manners; what is traded, what is
//! lied about and what is remembered is the market's affair.

pub mod row;
pub mod said;

pub mod digits;
pub mod numbering;
pub mod pair;
pub mod stamp;

pub mod conversation;
pub mod desk;
pub mod guard;
pub mod manners;
pub mod question;
pub mod quota;

pub mod generic;

pub mod binance;
pub mod bitstamp;
pub mod bybit;
pub mod coinbase;
pub mod kraken;
pub mod okx;

use std::ops::Deref;
use std::time::Duration;

use tape::{EpochMs, Ticker};

use crate::true_trade::TrueTrade;
use conversation::Conversation;
use manners::Manners;
use numbering::Numbering;
use question::{Answer, Question, Refused};
use quota::{Charge, Quota};
use row::Row;

/// Which form of a trade's message a listener asked for; each dialect numbers its own.
pub type Channel = u8;

/// What differs between dialects.
pub trait Tongue: std::fmt::Debug + Send + Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// How its socket spells a ticker.
    fn symbol(&self, ticker: &Ticker) -> String;

    /// How it numbers trades; none where the market's own ids are told.
    fn numbering(&self) -> Option<Numbering> {
        None
    }

    /// How many trades one message may hold.
    fn rows_a_message(&self) -> usize {
        1
    }

    /// A trade as an object of a message.
    fn row(&self, channel: Channel, trade: &TrueTrade, now: EpochMs) -> Row;

    /// The message around such objects, which are separated by commas.
    fn envelope(&self, channel: Channel, ticker: &Ticker, rows: &str, now: EpochMs) -> String;

    /// A new connection to one of its WebSocket addresses; none where there is no socket.
    fn conversation(&self, _: &Question, _: &Manners) -> Option<Box<dyn Conversation>> {
        None
    }

    /// How often what may be asked.
    fn quotas(&self) -> &'static [Quota] {
        &[]
    }

    /// What a question costs.
    fn charges(&self, _: &Question) -> Vec<Charge> {
        Vec::new()
    }

    /// What a handshake costs.
    fn door_charge(&self) -> Option<Charge> {
        None
    }

    /// How often one may be refused before all questions are, and for how long.
    fn ban(&self) -> Option<(u32, Duration)> {
        None
    }

    /// The answer of the true channel; none where there is nothing at this path.
    fn answer(&self, _: &Question, _: &mut desk::RestDesk<'_>) -> Option<Answer> {
        None
    }

    /// How it refuses or fails.
    fn refuse(&self, _: &Refused, now: EpochMs) -> Answer {
        Answer::json(500, format!("{{\"error\":\"refused at {now}\"}}"))
    }

    /// The names of the refusals that can be asked for by name.
    fn errors(&self) -> &'static [&'static str] {
        &[]
    }

    /// What every answer carries, given what was used of each quota.
    fn sign(&self, _: &mut Answer, _: &[u64], _: EpochMs) {}

    /// What there is at which path, for the page of help.
    fn paths(&self) -> &'static str {
        ""
    }
}

/// A language the market speaks.
#[derive(Clone, Copy)]
pub struct Dialect(&'static dyn Tongue);

impl Dialect {
    /// The generic market protocol.
    pub const GENERIC: Self = Self(&generic::Generic);

    /// Every dialect.
    pub const ALL: [Self; 7] = [
        Self::GENERIC,
        Self(&binance::Binance),
        Self(&bybit::Bybit),
        Self(&coinbase::Coinbase),
        Self(&kraken::Kraken),
        Self(&okx::Okx),
        Self(&bitstamp::Bitstamp),
    ];

    /// The dialect of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// Whether it is the generic protocol.
    pub fn is_generic(self) -> bool {
        self == Self::GENERIC
    }
}

impl Deref for Dialect {
    type Target = dyn Tongue;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_has_a_name_of_its_own() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::parse(dialect.name()), Some(dialect));
        }
        assert_eq!(Dialect::parse("esperanto"), None);
    }
}
