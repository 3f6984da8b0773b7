//! Asks one market, for all its tickers, under one budget.

use std::num::NonZeroU32;
use std::sync::Arc;

use reqwest::redirect::Policy;
use tape::{Ticker, Watermark};
use url::Url;

use super::answer::Request;
use super::ask::Ask as _;
use super::{Answer, PageError, RateBudget, Reader, RestSettings};
use crate::reading::{Anchor, ByTime, Question};
use crate::{Clock, Market, NotAPage, tls};

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
        Ok(Self { market, base_url, settings, clock, http, budget })
    }

    /// The market it asks.
    pub fn market(&self) -> Market {
        self.market
    }

    /// The rate that all tickers share.
    pub fn budget(&self) -> &RateBudget {
        &self.budget
    }

    /// Who reads one ticker's history, from wherever it is told to. The anchor
    /// is where an earlier reader has come to, as far as that is known.
    pub fn reader(&self, ticker: Ticker, anchor: Option<Anchor>) -> Reader {
        Reader::new(self.clone(), ticker, anchor)
    }

    /// Asks once for what follows a watermark, from nothing but that: who reads
    /// on and on has a [`RestClient::reader`].
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn page(&self, ticker: &Ticker, watermark: &Watermark) -> Result<Answer, PageError> {
        self.reader(ticker.clone(), None).page(watermark).await
    }

    /// Asks for the page that follows a watermark, from a market that is read by time.
    pub(super) async fn page_by_time(
        &self,
        by_time: &dyn ByTime,
        ticker: &Ticker,
        watermark: &Watermark,
    ) -> Result<Answer, PageError> {
        let url = by_time.page_url(&self.base_url, ticker, watermark);
        let told = self.ask(ticker, Question { url, weight: 1 }).await?;
        let rows = by_time.rows(&told.body).map_err(|not_a_page| told.unreadable(not_a_page))?;
        if ROW_LIMIT < rows.len() {
            let too_many = NotAPage(format!("{} rows are more than the {ROW_LIMIT} that are read", rows.len()));
            return Err(told.unreadable(too_many));
        }
        let (ask_from, page_limit) = (watermark.ask_from(), self.settings.page_limit);
        Ok(Request { ticker, ask_from, page_limit, market_time: told.market_time }.answer(rows))
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
