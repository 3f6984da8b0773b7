//! Puts the question to the market and takes the answer in, within limits.

use std::sync::Arc;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use tape::{Ticker, Watermark};
use url::Url;

use super::answer::Question;
use super::{Answer, PageError, RateBudget, RestSettings};
use crate::headers::{MarketTime, retry_after};
use crate::said::beginning;
use crate::{Clock, Market, NotAPage, tls};

/// How much of an unreadable answer an error repeats, in bytes.
const BEGINNING_BYTES: usize = 120;

/// How many rows an answer may have at most, however small they are.
const ROW_LIMIT: usize = 50_000;

/// How many times an answer may send us on within the same host.
const REDIRECT_LIMIT: usize = 3;

/// Asks one market, for all its tickers. Cloning it is cheap, and clones share the rate budget.
#[derive(Clone)]
pub struct RestClient {
    market: Market,
    base_url: Url,
    settings: RestSettings,
    clock: Clock,
    http: reqwest::Client,
    budget: Arc<RateBudget>,
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

    /// The rate that all tickers share.
    pub fn budget(&self) -> &RateBudget {
        &self.budget
    }

    /// Asks for the page of a ticker that follows its watermark, when it is
    /// its turn. Being asked to stay away makes every ticker wait.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn page(&self, ticker: &Ticker, watermark: &Watermark) -> Result<Answer, PageError> {
        if let Err(no_turn) = self.budget.turn(self.settings.longest_turn).await {
            return Err(PageError::NoTurn { ticker: ticker.clone(), pause_left: no_turn.pause_left });
        }
        let answer = self.ask(ticker, watermark).await;
        if let Err(error) = &answer
            && let Some(pause) = error.retry_after()
        {
            self.budget.pause(pause);
        }
        answer
    }

    async fn ask(&self, ticker: &Ticker, watermark: &Watermark) -> Result<Answer, PageError> {
        let url = self.market.page_url(&self.base_url, ticker, watermark);
        let asked_at = (self.clock)();
        let sent = self.http.get(url.clone()).header(ACCEPT, "application/json").send().await;
        let response = sent.map_err(|source| no_answer(&url, source))?;
        let answered_at = (self.clock)();

        let headers = response.headers();
        self.check_status(&url, response.status(), headers, ticker)?;
        let allowed_skew_ms = self.settings.allowed_skew_ms();
        let market_time = MarketTime::of(headers, asked_at, answered_at, allowed_skew_ms);
        let body = self.body(&url, response).await?;

        let text = str::from_utf8(&body).map_err(|error| unreadable(&url, &body, NotAPage(error.to_string())))?;
        let rows = self.market.decode_page(text).map_err(|not_a_page| unreadable(&url, &body, not_a_page))?;
        if ROW_LIMIT < rows.len() {
            let too_many = NotAPage(format!("{} rows are more than the {ROW_LIMIT} that are read", rows.len()));
            return Err(unreadable(&url, &body, too_many));
        }
        let page_limit = self.settings.page_limit;
        let question = Question { ticker, ask_from: watermark.ask_from(), page_limit, market_time };
        Ok(question.answer(rows))
    }

    fn check_status(
        &self,
        url: &Url,
        status: StatusCode,
        headers: &HeaderMap,
        ticker: &Ticker,
    ) -> Result<(), PageError> {
        if status.is_success() {
            return Ok(());
        }
        let url = Box::new(url.clone());
        let retry_after = retry_after(headers, (self.clock)(), self.settings.longest_pause);
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS => {
                PageError::RateLimited { url, retry_after: retry_after.unwrap_or(self.settings.pause) }
            }
            StatusCode::NOT_FOUND => PageError::UnknownTicker { url, ticker: ticker.clone() },
            _ => PageError::Refused { url, status, retry_after },
        })
    }

    /// Takes the body in piece by piece, so that an endless one ends at the limit.
    async fn body(&self, url: &Url, mut response: Response) -> Result<Vec<u8>, PageError> {
        let limit_bytes = self.settings.body_limit;
        let too_large = || PageError::TooLarge { url: Box::new(url.clone()), limit_bytes };
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|source| no_answer(url, source))? {
            if limit_bytes - body.len() < piece.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
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

fn no_answer(url: &Url, source: reqwest::Error) -> PageError {
    let (url, source) = (Box::new(url.clone()), source.without_url());
    if source.is_timeout() { PageError::TimedOut { url, source } } else { PageError::Unreachable { url, source } }
}

fn unreadable(url: &Url, body: &[u8], source: NotAPage) -> PageError {
    let start = String::from_utf8_lossy(&body[..body.len().min(BEGINNING_BYTES)]);
    let beginning = beginning(&start, BEGINNING_BYTES).to_owned();
    PageError::Unreadable { url: Box::new(url.clone()), beginning, source }
}
