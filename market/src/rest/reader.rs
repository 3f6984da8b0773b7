//! Reads one ticker's history, in the way its market has.

use tape::{Ticker, Watermark};
use url::Url;

use super::answer::Request;
use super::ask::Ask;
use super::by_id::ByIdReader;
use super::by_overlap::{ByOverlapReader, Shown};
use super::client::ROW_LIMIT;
use super::trail::Trail;
use super::{Answer, PageError, RestClient};
use crate::reading::{About, Anchor, ByTime, Question, Reads};
use crate::{Market, NotAPage};

/// What is asked, and where.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which market.
    pub market: Market,
    /// Where its REST is.
    pub base_url: Url,
    /// How many rows make a page full.
    pub page_limit: usize,
    /// Whose trades.
    pub ticker: Ticker,
}

/// Reads one ticker's history forward, from wherever it is told to.
pub struct Reader<A = RestClient> {
    asker: A,
    asked: Asked,
    trail: Trail,
    shown: Shown,
}

impl<A: Ask> Reader<A> {
    /// Reads through whoever can ask. The anchor is where an earlier reader
    /// has come to, as far as that is known.
    pub fn over(asker: A, asked: Asked, anchor: Option<Anchor>) -> Self {
        Self { asker, asked, trail: Trail::from(anchor), shown: Shown::from(anchor) }
    }

    /// Asks for what follows a watermark, when it is its turn. Being asked to
    /// stay away makes every ticker wait. Watermarks only go forward.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn page(&mut self, watermark: &Watermark) -> Result<Answer, PageError> {
        let Self { asker, asked, trail, shown } = self;
        let about = About { base: &asked.base_url, ticker: &asked.ticker, page_limit: asked.page_limit };
        match asked.market.adapter().reads() {
            Reads::ByTime(by_time) => page_by_time(asker, by_time, about, watermark).await,
            Reads::ById(by_id) => {
                // Were more asked for than it ever gives, a full page would look as if it had room.
                let page_limit = about.page_limit.min(asked.market.adapter().rest_terms().page_limit);
                let about = About { page_limit, ..about };
                trail.settled(watermark.settled_until());
                ByIdReader { by_id, asker, about }.read(watermark, trail).await
            }
            Reads::ByOverlap(by_overlap) => {
                shown.settled(watermark.settled_until());
                ByOverlapReader { by_overlap, asker, about }.read(watermark, shown).await
            }
        }
    }
}

/// Asks for the page that follows a watermark, from a market that is read by time.
async fn page_by_time(
    asker: &impl Ask,
    by_time: &dyn ByTime,
    about: About<'_>,
    watermark: &Watermark,
) -> Result<Answer, PageError> {
    let About { base, ticker, page_limit } = about;
    let question = Question { url: by_time.page_url(base, ticker, watermark), weight: 1 };
    let told = asker.ask(ticker, question).await?;
    let rows = by_time.rows(&told.body).map_err(|not_a_page| told.unreadable(not_a_page))?;
    if ROW_LIMIT < rows.len() {
        let too_many = NotAPage(format!("{} rows are more than the {ROW_LIMIT} that are read", rows.len()));
        return Err(told.unreadable(too_many));
    }
    let (ask_from, market_time) = (watermark.ask_from(), told.market_time);
    Ok(Request { ticker, ask_from, page_limit, market_time }.answer(rows))
}
