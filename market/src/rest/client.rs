//! Asks one market, for all its tickers, under one budget.

use std::num::NonZeroU32;
use std::sync::Arc;

use reqwest::redirect::Policy;
use tape::{Ticker, Watermark};
use url::Url;

use super::pace::Pace;
use super::{Answer, Asked, PageError, ROWS_TOGETHER, RateBudget, Reader, RestSettings};
use crate::reading::{Anchor, Reads};
use crate::{Clock, Market, tls};

/// How many rows an answer may have at most, however small they are.
pub(super) const ROW_LIMIT: usize = 50_000;

/// How many times an answer may send us on within the same host.
const REDIRECT_LIMIT: usize = 3;

/// Asks one market, for all its tickers. Cloning it is cheap, and clones share the rate budget.
#[derive(Clone)]
pub struct RestClient {
    pub(super) market: Market,
    pub(super) base_url: Url,
    pub(super) settings: RestSettings,
    pub(super) clock: Clock,
    pub(super) http: reqwest::Client,
    pub(super) budget: Arc<RateBudget>,
    pub(super) pace: Arc<Pace>,
}

/// No client could be made for this address.
#[derive(Debug, thiserror::Error)]
#[error("could not prepare to ask {url}")]
pub struct ClientError {
    /// The address.
    pub url: Url,
    /// What is missing; for `https://` it may be the system's certificates.
    #[source]
    pub source: reqwest::Error,
}

impl RestClient {
    /// Prepares to ask the market at `base_url`; nothing is asked yet.
    ///
    /// # Errors
    /// [`ClientError`] when the system has not what the address takes.
    pub fn new(market: Market, base_url: Url, settings: RestSettings, clock: Clock) -> Result<Self, ClientError> {
        tls::install_provider();
        let http = http_client(&base_url, &settings)
            .map_err(|source| ClientError { url: base_url.clone(), source: source.without_url() })?;
        let budget = Arc::new(RateBudget::new(&settings));
        let pace = Arc::new(Pace::new(settings.pause_between));
        Ok(Self { market, base_url, settings, clock, http, budget, pace })
    }

    /// The market it asks.
    pub fn market(&self) -> Market {
        self.market
    }

    /// The rate that all tickers share.
    pub fn budget(&self) -> &RateBudget {
        &self.budget
    }

    /// What one answer of a [`Reader`] weighs at most, usually: where a market is
    /// read by ids, that is as many pages as are taken in together.
    pub fn weight_of_a_reading(&self) -> NonZeroU32 {
        let pages = match self.market.adapter().reads() {
            Reads::ById(_) => ROWS_TOGETHER.div_ceil(self.settings.page_limit.max(1)) + 1,
            Reads::ByTime(_) | Reads::ByOverlap(_) => 1,
        };
        let page = self.market.adapter().rest_terms().page_weight;
        nonzero(page.saturating_mul(u32::try_from(pages).unwrap_or(u32::MAX)))
    }

    /// Who reads one ticker's history, from wherever it is told to. The anchor
    /// is where an earlier reader has come to, as far as that is known.
    pub fn reader(&self, ticker: Ticker, anchor: Option<Anchor>) -> Reader {
        let (market, base_url, page_limit) = (self.market, self.base_url.clone(), self.settings.page_limit);
        Reader::over(self.clone(), Asked { market, base_url, page_limit, ticker }, anchor)
    }

    /// Asks once for what follows a watermark, from nothing but that: who reads
    /// on and on has a [`RestClient::reader`].
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn page(&self, ticker: &Ticker, watermark: &Watermark) -> Result<Answer, PageError> {
        self.reader(ticker.clone(), None).page(watermark).await
    }
}

fn http_client(base_url: &Url, settings: &RestSettings) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("truetape/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .timeout(settings.total_timeout)
        .tcp_nodelay(true)
        .redirect(stay_at(base_url));
    if base_url.scheme() == "http" {
        // Without TLS nothing needs the system's certificates, and a small image has none.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

/// Follows an answer that sends us on within the same host, and takes any other as the answer it is.
fn stay_at(base_url: &Url) -> Policy {
    let origin = base_url.origin();
    Policy::custom(move |attempt| {
        let is_here = attempt.url().origin() == origin;
        if is_here && attempt.previous().len() <= REDIRECT_LIMIT { attempt.follow() } else { attempt.stop() }
    })
}

/// The rate as the limiter takes it.
pub(super) fn nonzero(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}
