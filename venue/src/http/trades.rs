//! `GET /trades`: the slow channel that is right, when it answers.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use tape::EpochMs;

use super::asked::{Asked, Parameters, Refusal, unknown};
use super::problem;
use crate::clock;
use crate::dialect::question::Question;
use crate::market::Page;
use crate::rest_mood::{Failure, Treatment};
use crate::shared::Shared;

/// A hanging request is let go at last when its asker does not: nothing waits for ever.
pub const LONGEST_HANG: Duration = Duration::from_secs(600);

/// Answers, fails, refuses or hangs, as REST's mood has it.
pub async fn trades(State(shared): State<Arc<Shared>>, Query(parameters): Parameters) -> Response {
    let question = Question { path: "/trades".to_owned(), ..Question::default() };
    // The generic protocol has no limits but the one it is told to have; it is counted all the same.
    let _ = shared.guard().admit(&question, clock::now());
    let (latency, treatment) = shared.rest().treat(clock::now().ms());
    if !latency.is_zero() {
        shared.pause(latency).await;
    }
    match treatment {
        Treatment::Answer => answer(&shared, Asked(parameters)),
        // The generic protocol has no errors of its own.
        Treatment::RateLimited | Treatment::Error(_) => {
            let refusal = problem(StatusCode::TOO_MANY_REQUESTS, "asked too often; wait a second");
            ([(RETRY_AFTER, "1")], refusal).into_response()
        }
        Treatment::Hang => {
            shared.pause(LONGEST_HANG).await;
            problem(StatusCode::GATEWAY_TIMEOUT, "this request was left hanging on purpose")
        }
        Treatment::Fail(failure) => fail(failure, &shared, Asked(parameters)),
    }
}

fn fail(failure: Failure, shared: &Shared, asked: Asked) -> Response {
    match failure {
        Failure::Internal => problem(StatusCode::INTERNAL_SERVER_ERROR, "failing on purpose"),
        Failure::Unavailable => {
            let refusal = problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable on purpose");
            ([(RETRY_AFTER, "1")], refusal).into_response()
        }
        Failure::Html => {
            let page = "<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>";
            ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Failure::CutOff => match page(shared, &asked) {
            Ok(page) => {
                let mut body = body_of(&page);
                // Half of an array is never an array: its end is missing.
                let mut end = body.len() / 2;
                while !body.is_char_boundary(end) {
                    end -= 1;
                }
                body.truncate(end);
                with_times(shared, &page, body)
            }
            Err(refusal) => *refusal,
        },
    }
}

fn answer(shared: &Shared, asked: Asked) -> Response {
    match page(shared, &asked) {
        Ok(page) => with_times(shared, &page, body_of(&page)),
        Err(refusal) => *refusal,
    }
}

fn page(shared: &Shared, asked: &Asked) -> Result<Page, Refusal> {
    let ticker = asked.ticker()?;
    let start = asked.start_time()?;
    let after = if shared.after_id { asked.after_id()? } else { None };
    let page = shared.market().page(&ticker, start, after.as_ref(), shared.page_limit, clock::now());
    page.ok_or_else(|| unknown(&ticker))
}

fn body_of(page: &Page) -> String {
    format!("[{}]", page.rows.join(","))
}

fn with_times(shared: &Shared, page: &Page, body: String) -> Response {
    let mut response = super::text("application/json", body);
    if shared.market_time {
        response.headers_mut().insert("x-market-time", HeaderValue::from(page.complete_until.ms()));
    }
    // Where the present stands still, it does so for the Date header too.
    if let Some(date) = standing_date(page.present).filter(|_| page.is_standing) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// The `Date` of a present that stands still.
pub fn standing_date(at: EpochMs) -> Option<HeaderValue> {
    let standing = chrono::DateTime::from_timestamp_millis(at.ms())?;
    HeaderValue::try_from(standing.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}
