//! `GET /truth/…`: what really happened and what was made of it on purpose.
//! Spans are open on the left and closed on the right, like windows.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use tape::Interval;

use super::asked::{Asked, Parameters, Refusal, check_known, refused};
use super::{json, problem, text};
use crate::book::Entry;
use crate::clock;
use crate::dialect::stamp::Taker;
use crate::shared::Shared;

type Answer = Result<Response, Refusal>;

fn respond(answer: Answer) -> Response {
    answer.unwrap_or_else(|refusal| *refusal)
}

/// `GET /truth/tickers`: every ticker with its trades and their span.
pub async fn tickers(State(shared): State<Arc<Shared>>) -> Response {
    let mut market = shared.market();
    market.advance(clock::now());
    let tickers: Vec<_> = market
        .tickers()
        .map(|(ticker, trades, span)| {
            serde_json::json!({
                "ticker": ticker.as_str(),
                "trades": trades,
                "first_ts": span.map(|(first, _)| first.ms()),
                "last_ts": span.map(|(_, last)| last.ms()),
            })
        })
        .collect();
    json(StatusCode::OK, &tickers.into())
}

/// `GET /truth/asked`: who asked what by REST how often, and what it cost of each limit.
pub async fn asked(State(shared): State<Arc<Shared>>) -> Response {
    let report = shared.guard().report(clock::now());
    json(StatusCode::OK, &report)
}

/// `GET /truth/trades`: the true trades as CSV, numbers in plain digits. Where an exchange is
/// spoken, which tells who took, so does this.
pub async fn trades(State(shared): State<Arc<Shared>>, Query(parameters): Parameters) -> Response {
    let tells_takers = !shared.dialect.is_generic();
    let header = ["ticker", "ts", "quantity", "price", "tradeid", "taker"];
    let header = &header[..header.len() - usize::from(!tells_takers)];
    respond(csv(&shared, Asked(parameters), header, |entry| {
        let trade = entry.trade.to_trade();
        let mut fields = vec![
            trade.ticker.to_string(),
            trade.traded_at.to_string(),
            trade.quantity.to_string(),
            trade.price.to_string(),
            trade.id.to_string(),
        ];
        if tells_takers {
            fields.push(Taker::of(&entry.trade).say("buy", "sell").to_owned());
        }
        fields
    }))
}

/// `GET /truth/deliveries`: what became of each true trade on the socket, as CSV.
pub async fn deliveries(State(shared): State<Arc<Shared>>, Query(parameters): Parameters) -> Response {
    let header = ["ticker", "ts", "tradeid", "delivery", "late", "copies"];
    respond(csv(&shared, Asked(parameters), &header, |entry| {
        vec![
            entry.trade.ticker.to_string(),
            entry.trade.traded_at.to_string(),
            entry.trade.id.to_string(),
            entry.delivery.as_str().to_owned(),
            entry.is_late.to_string(),
            entry.copies.to_string(),
        ]
    }))
}

fn csv(shared: &Shared, asked: Asked, header: &[&str], row: impl Fn(&Entry) -> Vec<String>) -> Answer {
    let ticker = asked.optional_ticker()?;
    let (from, to) = asked.span()?;
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut market = shared.market();
    market.advance(clock::now());
    check_known(&market, ticker.as_ref())?;
    // Writing to memory cannot fail; were it to, the answer would say so.
    let mut written = csv.write_record(header);
    for entry in market.entries(ticker.as_ref(), from, to) {
        written = written.and_then(|()| csv.write_record(row(entry)));
    }
    drop(market);
    written
        .and_then(|()| csv.into_inner().map_err(|error| csv::Error::from(error.into_error())))
        .map(|bytes| text("text/csv; charset=utf-8", bytes))
        .map_err(|error| Box::new(problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())))
}

/// `GET /truth/faults`: every fault done, one JSON object a line.
pub async fn faults(State(shared): State<Arc<Shared>>, Query(parameters): Parameters) -> Response {
    respond(fault_lines(&shared, Asked(parameters)))
}

fn fault_lines(shared: &Shared, asked: Asked) -> Answer {
    let ticker = asked.optional_ticker()?;
    let (from, to) = asked.span()?;
    let mut market = shared.market();
    market.advance(clock::now());
    check_known(&market, ticker.as_ref())?;
    let mut lines = String::new();
    for fault in market.injected(ticker.as_ref(), from, to) {
        lines.push_str(&fault.json());
        lines.push('\n');
    }
    Ok(text("application/x-ndjson", lines))
}

/// `GET /truth/summary`: counts of what was done and of what must be found of it.
pub async fn summary(State(shared): State<Arc<Shared>>, Query(parameters): Parameters) -> Response {
    respond(summed_up(&shared, Asked(parameters)))
}

fn summed_up(shared: &Shared, asked: Asked) -> Answer {
    let ticker = asked.optional_ticker()?;
    let (from, to) = asked.span()?;
    let mut market = shared.market();
    market.advance(clock::now());
    check_known(&market, ticker.as_ref())?;
    let summary = market.summary(ticker.as_ref(), from, to);
    Ok(json(StatusCode::OK, &serde_json::json!(summary)))
}

/// `GET /truth/window`: the exact sums of the window `(ts − interval, ts]`.
pub async fn window(State(shared): State<Arc<Shared>>, Query(parameters): Parameters) -> Response {
    respond(exact_window(&shared, Asked(parameters)))
}

fn exact_window(shared: &Shared, asked: Asked) -> Answer {
    let ticker = asked.ticker()?;
    let interval_ms = asked.duration_ms("interval", Interval::DEFAULT.ms())?;
    if interval_ms < 1 {
        return Err(refused("interval must be at least a millisecond"));
    }
    let now = clock::now();
    let mut market = shared.market();
    market.advance(now);
    check_known(&market, Some(&ticker))?;
    let at = asked.instant("ts", market.present_at(now))?;
    let opens_after = at.minus_ms(interval_ms);
    if market.forgotten_until(&ticker).is_some_and(|forgotten| opens_after < forgotten) {
        let message = "part of that window was forgotten at the bound of memory; see --keep";
        return Ok(problem(StatusCode::GONE, message));
    }
    let truth = market.window(&ticker, at, interval_ms);
    let mut answer = serde_json::json!(truth);
    answer["ticker"] = ticker.as_str().into();
    answer["ts"] = at.ms().into();
    answer["interval"] = interval_ms.into();
    Ok(json(StatusCode::OK, &answer))
}
