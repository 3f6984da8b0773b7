//! `POST /control/…`: changes how the venue behaves while it runs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use tape::EpochMs;

use super::asked::{Asked, Parameters, Refusal, refused};
use super::json as answer;
use crate::clock;
use crate::fault::{FaultKind, FaultRates};
use crate::rest_mood::RestMode;
use crate::shared::Shared;

/// `POST /control/rest`: how REST behaves, for a while or until told otherwise.
pub async fn rest(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    respond(tell_rest(&shared, &body))
}

fn tell_rest(shared: &Shared, body: &[u8]) -> Result<Value, Refusal> {
    let command = Command::read(body, &["mode", "for_ms"])?;
    let modes = [&RestMode::ALL.map(RestMode::as_str)[..], shared.dialect.errors()].concat().join(", ");
    let mode = command.0.get("mode").and_then(Value::as_str);
    let mode = mode.and_then(|name| RestMode::parse(name, shared.dialect));
    let mode = mode.ok_or_else(|| refused(&format!("mode must be one of {modes}")))?;
    let now_ms = clock::now().ms();
    let until_ms = command.milliseconds("for_ms")?.map(|ms| now_ms.saturating_add(ms));
    shared.rest().tell(mode, until_ms);
    Ok(json!({ "mode": mode.as_str(), "until": until_ms }))
}

/// `POST /control/limit`: uses up what may be asked, or bans whoever asks, for a while.
pub async fn limit(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    respond(use_up_or_ban(&shared, &body))
}

fn use_up_or_ban(shared: &Shared, body: &[u8]) -> Result<Value, Refusal> {
    let command = Command::read(body, &["used_up_ms", "banned_ms"])?;
    let now = clock::now();
    let used_up = command.milliseconds("used_up_ms")?.map(|ms| now.plus_ms(ms));
    let banned = command.milliseconds("banned_ms")?.map(|ms| now.plus_ms(ms));
    let mut guard = shared.guard();
    if let Some(until) = used_up {
        guard.use_up(until);
    }
    if let Some(until) = banned {
        guard.ban(until);
    }
    Ok(json!({ "used_up_until": used_up.map(EpochMs::ms), "banned_until": banned.map(EpochMs::ms) }))
}

/// `POST /control/faults`: changes rates by name; `all` sets every one first.
pub async fn faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    respond(change_faults(&shared, &body))
}

fn change_faults(shared: &Shared, body: &[u8]) -> Result<Value, Refusal> {
    let mut names = vec!["all"];
    names.extend(FaultKind::ALL.map(FaultKind::as_str));
    let command = Command::read(body, &names)?;
    let mut market = shared.market();
    let mut rates = match command.rate("all")? {
        Some(rate) => FaultRates::all(rate),
        None => market.faults(),
    };
    for kind in FaultKind::ALL {
        if let Some(rate) = command.rate(kind.as_str())? {
            rates = rates.with(kind, rate);
        }
    }
    rates.check().map_err(|error| refused(&error.to_string()))?;
    market.set_faults(rates);
    Ok(rates_json(&rates))
}

/// `POST /control/silence`: sends nothing for a while.
pub async fn silence(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    respond(fall_silent(&shared, &body))
}

fn fall_silent(shared: &Shared, body: &[u8]) -> Result<Value, Refusal> {
    let command = Command::read(body, &["for_ms"])?;
    let until = clock::now().plus_ms(command.milliseconds("for_ms")?.unwrap_or(3_000));
    shared.market().fall_silent_until(until);
    Ok(json!({ "silent_until": until.ms() }))
}

/// `POST /control/cut`: ends every connection to the socket abruptly.
pub async fn cut(State(shared): State<Arc<Shared>>) -> Response {
    let mut market = shared.market();
    let listeners = market.listeners();
    market.cut(clock::now());
    answer(StatusCode::OK, &json!({ "cut": listeners }))
}

/// `POST /control/leave`: announces the end of every connection, and ends it later.
pub async fn leave(State(shared): State<Arc<Shared>>, Query(parameters): Parameters, body: Bytes) -> Response {
    respond(announce_the_end(&shared, &Asked(parameters), &body))
}

fn announce_the_end(shared: &Shared, asked: &Asked, body: &[u8]) -> Result<Value, Refusal> {
    let command = Command::read(body, &["in_ms"])?;
    let in_ms = match command.milliseconds("in_ms")? {
        Some(in_ms) => in_ms,
        None => asked.duration_ms("in_ms", 5_000)?,
    };
    let end = clock::now().plus_ms(in_ms);
    shared.announce_the_end(end);
    Ok(json!({ "leaving": shared.market().listeners(), "at": end.ms() }))
}

/// Rates as JSON, by name.
pub fn rates_json(rates: &FaultRates) -> Value {
    FaultKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), Value::from(rates.of(kind)))).collect()
}

pub(super) fn respond(outcome: Result<Value, Refusal>) -> Response {
    match outcome {
        Ok(value) => answer(StatusCode::OK, &value),
        Err(refusal) => *refusal,
    }
}

/// The JSON object of a command, with no names but known ones.
pub(super) struct Command(pub(super) Map<String, Value>);

impl Command {
    pub(super) fn read(body: &[u8], names: &[&str]) -> Result<Self, Refusal> {
        if body.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        let fields: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| refused(&format!("the body must be a JSON object: {error}")))?;
        let fields: Map<_, _> = fields.into_iter().map(|(name, value)| (name.replace('-', "_"), value)).collect();
        if let Some(name) = fields.keys().find(|name| !names.contains(&name.as_str())) {
            return Err(refused(&format!("{name} is not known here; known are {}", names.join(", "))));
        }
        Ok(Self(fields))
    }

    pub(super) fn milliseconds(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let ms = value.as_i64().filter(|ms| *ms >= 0);
        ms.map(Some).ok_or_else(|| refused(&format!("{name} must be a number of milliseconds, not {value}")))
    }

    fn rate(&self, name: &str) -> Result<Option<f64>, Refusal> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let rate = value.as_f64();
        rate.map(Some).ok_or_else(|| refused(&format!("{name} must be a fraction between 0 and 1, not {value}")))
    }
}
