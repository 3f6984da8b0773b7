//! Reads one ticker's history, in the way its market has.

use tape::{Ticker, Watermark};

use super::by_id::ByIdReader;
use super::by_overlap::{ByOverlapReader, Shown};
use super::trail::Trail;
use super::{Answer, PageError, RestClient};
use crate::reading::{Anchor, Reads};

/// Reads one ticker's history forward, from wherever it is told to.
pub struct Reader {
    client: RestClient,
    ticker: Ticker,
    trail: Trail,
    shown: Shown,
}

impl Reader {
    pub(super) fn new(client: RestClient, ticker: Ticker, anchor: Option<Anchor>) -> Self {
        Self { client, ticker, trail: Trail::from(anchor), shown: Shown::from(anchor) }
    }

    /// Asks for what follows a watermark, when it is its turn. Being asked to
    /// stay away makes every ticker wait. Watermarks only go forward.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn page(&mut self, watermark: &Watermark) -> Result<Answer, PageError> {
        let Self { client, ticker, trail, shown } = self;
        let (base, page_limit) = (&client.base_url, client.settings.page_limit);
        match client.market.adapter().reads() {
            Reads::ByTime(by_time) => client.page_by_time(by_time, ticker, watermark).await,
            Reads::ById(by_id) => {
                trail.settled(watermark.settled_until());
                ByIdReader { by_id, asker: client, base, ticker, page_limit }.read(watermark, trail).await
            }
            Reads::ByOverlap(by_overlap) => {
                shown.settled(watermark.settled_until());
                ByOverlapReader { by_overlap, asker: client, base, ticker, page_limit }.read(watermark, shown).await
            }
        }
    }
}
