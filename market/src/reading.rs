//! How a market's history is read: by time, by ids, or by pages that overlap.
//!
//! Pure: questions as addresses, answers as text.

use std::time::Duration;

use tape::{EpochMs, Ticker, Watermark};
use url::Url;

use crate::adapter::NotAPage;
use crate::said::Row;

/// How far times may fall while ids rise: merged engines stamp trades before they number them.
pub const DISORDER: Duration = Duration::from_secs(1);

/// The way in which a market's history is read.
#[derive(Clone, Copy)]
pub enum Reads {
    /// From a time on, forward.
    ByTime(&'static dyn ByTime),
    /// From an id on, forward; that no id is left out proves that no trade is.
    ById(&'static dyn ById),
    /// The newest only, again and again; that two answers overlap proves that
    /// nothing was left out between them.
    ByOverlap(&'static dyn ByOverlap),
}

/// Where a market is asked, and under which terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestTerms {
    /// Where its REST usually is.
    pub url: &'static str,
    /// How many rows it gives on a page at most.
    pub page_limit: usize,
    /// What may be spent in a second, all tickers together: half of what the market allows,
    /// since others may sit behind the same address.
    pub weight_per_second: u32,
    /// What a page of trades weighs.
    pub page_weight: u32,
    /// How long to wait between two questions about one ticker.
    pub pause_between: Duration,
    /// How long after a moment it is taken to know all its trades.
    pub settle_delay: Duration,
    /// How long everyone stays away when asked too often without being told for how long.
    pub pause: Duration,
    /// The longest that being told to stay away is heeded.
    pub longest_pause: Duration,
}

/// A question, and what it costs of the market's patience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Where to ask.
    pub url: Url,
    /// The weight it has in the market's own count.
    pub weight: u32,
}

/// A trade of one ticker such that all trades with lower ids are confirmed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Its id.
    pub id: u64,
    /// When it was made.
    pub traded_at: EpochMs,
}

/// A span in which trades are missing at the market's REST itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The last moment before it.
    pub from: EpochMs,
    /// The first moment after it.
    pub to: EpochMs,
    /// What is known of it, in a sentence.
    pub detail: String,
}

/// A row, and the id by which it follows another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedRow<'page> {
    /// Its id; none when that cannot be read.
    pub id: Option<u64>,
    /// The row.
    pub row: Row<'page>,
}

/// Reads forward from a time.
pub trait ByTime: Sync {
    /// Where to ask for the page of a ticker that follows its watermark.
    fn page_url(&self, base: &Url, ticker: &Ticker, watermark: &Watermark) -> Url;

    /// Reads the body of an answer row by row, in the order the trades were made in.
    ///
    /// # Errors
    /// [`NotAPage`] when the body as a whole cannot be read; a single bad row is no error.
    fn rows<'b>(&self, body: &'b str) -> Result<Vec<Row<'b>>, NotAPage>;
}

/// What all questions about a ticker have in common.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Where the market's REST is.
    pub base: &'a Url,
    /// Whose trades are asked for.
    pub ticker: &'a Ticker,
    /// How many rows to ask for.
    pub page_limit: usize,
}

/// What an answer to [`ById::after`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The anchor, and whatever follows it until the page is full. An answer without the
    /// anchor is older than the one that told it.
    TheAnchorAndOn,
    /// The next ids, a page of them. Whether there are any behind, only the newest page tells.
    TheNextIds,
}

/// Reads forward from an id.
pub trait ById: Sync {
    /// The question for the trades that follow one. The first way (0) is the
    /// usual; another is taken when the answer did not go on with the next id.
    /// None when there is no further way.
    fn after(&self, about: About<'_>, anchor: Anchor, way: usize) -> Option<Question>;

    /// What the answer to it shows.
    fn shows(&self) -> Shows;

    /// The question for the newest trades, or for those just before an id.
    /// None where only the newest can be asked for.
    fn older(&self, about: About<'_>, before: Option<u64>) -> Option<Question>;

    /// The question whose answer tells the last id before a moment; none where
    /// that has to be searched for.
    fn seek(&self, about: About<'_>, from: EpochMs) -> Option<Question>;

    /// The last id before the moment, of the answer to [`ById::seek`]; none
    /// when it holds no trade.
    ///
    /// # Errors
    /// [`NotAPage`] when the body cannot be read.
    fn sought(&self, body: &str) -> Result<Option<u64>, NotAPage>;

    /// Reads the rows of an answer, in any order.
    ///
    /// # Errors
    /// [`NotAPage`] when the body as a whole cannot be read; a single bad row is no error.
    fn rows<'b>(&self, body: &'b str, ticker: &Ticker) -> Result<Vec<NumberedRow<'b>>, NotAPage>;
}

/// Reads the newest trades again and again.
pub trait ByOverlap: Sync {
    /// The question that reaches so far back, the shortest (0) first; none when
    /// there is no longer one.
    fn newest(&self, base: &Url, ticker: &Ticker, way: usize) -> Option<Question>;

    /// How far back the answer to a question reaches, whatever is on it; none
    /// where only its rows tell.
    fn reaches_back(&self, way: usize) -> Option<Duration>;

    /// Reads the rows of an answer, in any order.
    ///
    /// # Errors
    /// [`NotAPage`] when the body as a whole cannot be read; a single bad row is no error.
    fn rows<'b>(&self, body: &'b str, ticker: &Ticker) -> Result<Vec<NumberedRow<'b>>, NotAPage>;

    /// How finely it tells times, in ms.
    fn time_grain_ms(&self) -> i64 {
        1
    }
}

/// What an answer without rows says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// We asked too often: everyone stays away, so long if it is said.
    TooOften(Option<Duration>),
    /// We asked too often: everyone stays away until then.
    AwayUntil(EpochMs),
    /// It does not know the ticker.
    UnknownTicker,
    /// It cannot answer now; another time it may.
    Unavailable(String),
    /// It will not answer this question, in these words.
    Refused(String),
}
