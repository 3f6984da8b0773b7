//! Puts one question to the market, when it is its turn, and takes the text of
//! the answer in, within limits.

use std::num::NonZeroU32;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{Response, StatusCode};
use tape::Ticker;
use url::Url;

use super::{PageError, RestClient};
use crate::NotAPage;
use crate::headers::{MarketTime, reset_after, retry_after};
use crate::reading::{Question, Trouble};
use crate::said::beginning;

/// How much of an answer an error repeats, in bytes.
const BEGINNING_BYTES: usize = 120;

/// The text of an answer.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its body.
    pub body: String,
    /// The market's present, as the headers tell it.
    pub market_time: MarketTime,
    /// What was asked.
    pub url: Url,
}

/// Someone who can be asked.
pub trait Ask: Sync {
    /// Asks, when it is the question's turn: the market's patience is shared by all
    /// tickers, and between two questions about one there is a pause.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    fn ask(&self, ticker: &Ticker, question: Question) -> impl Future<Output = Result<Told, PageError>> + Send;

    /// Waits a while, for the market to notice what it left out.
    fn wait_for_second_thoughts(&self) -> impl Future<Output = ()> + Send;
}

impl Told {
    /// The error that this text is no page.
    pub fn unreadable(&self, source: NotAPage) -> PageError {
        unreadable(&self.url, self.body.as_bytes(), source)
    }
}

impl Ask for RestClient {
    async fn ask(&self, ticker: &Ticker, question: Question) -> Result<Told, PageError> {
        self.pace.turn(ticker).await;
        let weight = NonZeroU32::new(question.weight).unwrap_or(NonZeroU32::MIN);
        if let Err(no_turn) = self.budget.turn(weight, self.settings.longest_turn).await {
            return Err(PageError::NoTurn { ticker: ticker.clone(), pause_left: no_turn.pause_left });
        }
        let answer = self.put(ticker, &question.url).await;
        if let Err(error) = &answer
            && let Some(pause) = error.retry_after()
        {
            self.budget.pause(pause);
        }
        answer
    }

    async fn wait_for_second_thoughts(&self) {
        tokio::time::sleep(self.settings.second_thoughts).await;
    }
}

impl RestClient {
    async fn put(&self, ticker: &Ticker, url: &Url) -> Result<Told, PageError> {
        let asked_at = (self.clock)();
        let sent = self.http.get(url.clone()).header(ACCEPT, "application/json").send().await;
        let response = sent.map_err(|source| no_answer(url, source))?;
        let answered_at = (self.clock)();

        let (status, headers) = (response.status(), response.headers().clone());
        let market_time = MarketTime::of(&headers, asked_at, answered_at, self.settings.allowed_skew_ms());
        let body = match self.body(url, response).await {
            Err(_) if !status.is_success() => Vec::new(),
            body => body?,
        };
        let text = str::from_utf8(&body).map_err(|error| NotAPage(error.to_string()));
        self.check(url, status, &headers, ticker, text.as_deref().unwrap_or_default())?;
        let text = text.map_err(|not_a_page| unreadable(url, &body, not_a_page))?;
        Ok(Told { body: text.to_owned(), market_time, url: url.clone() })
    }

    fn check(
        &self,
        url: &Url,
        status: StatusCode,
        headers: &HeaderMap,
        ticker: &Ticker,
        body: &str,
    ) -> Result<(), PageError> {
        let retry_after = retry_after(headers, (self.clock)(), self.settings.longest_pause);
        let of = || Box::new(url.clone());
        let trouble = self.market.adapter().trouble(status.as_u16(), body);
        match trouble {
            None if status.is_success() => Ok(()),
            Some(Trouble::TooOften(told)) => {
                let reset = self.market.adapter().reset_header();
                // A moment is told by another clock than ours: never sooner than without one.
                let reset = reset.and_then(|name| reset_after(headers, name, (self.clock)()));
                let reset = reset.map(|reset| reset.max(self.settings.pause));
                let pause = retry_after.or(reset).or(told).unwrap_or(self.settings.pause);
                Err(PageError::RateLimited { url: of(), retry_after: pause.min(self.settings.longest_pause) })
            }
            Some(Trouble::AwayUntil(until)) => {
                let ms = u64::try_from(until.ms_since((self.clock)())).unwrap_or(0);
                let pause = retry_after.unwrap_or(Duration::from_millis(ms)).max(self.settings.pause);
                Err(PageError::RateLimited { url: of(), retry_after: pause.min(self.settings.longest_pause) })
            }
            None if status == StatusCode::TOO_MANY_REQUESTS => {
                Err(PageError::RateLimited { url: of(), retry_after: retry_after.unwrap_or(self.settings.pause) })
            }
            Some(Trouble::UnknownTicker) => Err(PageError::UnknownTicker { url: of(), ticker: ticker.clone() }),
            None if status == StatusCode::NOT_FOUND => {
                Err(PageError::UnknownTicker { url: of(), ticker: ticker.clone() })
            }
            Some(Trouble::Unavailable(words)) => Err(PageError::Unavailable { url: of(), words: short(&words) }),
            Some(Trouble::Refused(words)) => Err(PageError::Declined { url: of(), words: short(&words) }),
            None => Err(PageError::Refused { url: of(), status, retry_after }),
        }
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

fn no_answer(url: &Url, source: reqwest::Error) -> PageError {
    let (url, source) = (Box::new(url.clone()), source.without_url());
    if source.is_timeout() { PageError::TimedOut { url, source } } else { PageError::Unreachable { url, source } }
}

fn unreadable(url: &Url, body: &[u8], source: NotAPage) -> PageError {
    let start = String::from_utf8_lossy(&body[..body.len().min(BEGINNING_BYTES)]);
    PageError::Unreadable { url: Box::new(url.clone()), beginning: short(&start), source }
}

fn short(words: &str) -> String {
    beginning(words, BEGINNING_BYTES).to_owned()
}
