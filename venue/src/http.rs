//! The venue's one port: the lying socket, the true REST channel, the ledgers of
//! both, and the commands that change them.

pub mod asked;
mod control;
mod help;
mod revise;
mod spoken;
mod stream;
mod trades;
mod truth;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::shared::Shared;

/// Everything the venue answers.
pub fn router(shared: Arc<Shared>) -> Router {
    let router = if shared.dialect.is_generic() {
        Router::new()
            .route("/", get(help::help))
            .route("/stream", get(stream::stream))
            .route("/trades", get(trades::trades))
            .fallback(async |uri: Uri| {
                let message = format!("there is nothing at {}; GET / lists what there is", uri.path());
                problem(StatusCode::NOT_FOUND, &message)
            })
    } else {
        Router::new().route("/", get(spoken::root)).fallback(spoken::speak)
    };
    router
        .route("/truth/asked", get(truth::asked))
        .route("/truth/tickers", get(truth::tickers))
        .route("/truth/trades", get(truth::trades))
        .route("/truth/deliveries", get(truth::deliveries))
        .route("/truth/faults", get(truth::faults))
        .route("/truth/summary", get(truth::summary))
        .route("/truth/window", get(truth::window))
        .route("/control/rest", post(control::rest))
        .route("/control/limit", post(control::limit))
        .route("/control/faults", post(control::faults))
        .route("/control/silence", post(control::silence))
        .route("/control/cut", post(control::cut))
        .route("/control/leave", post(control::leave))
        .route("/control/revise", post(revise::revise))
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            let message = format!("{} does not take {method}; GET / lists what there is", uri.path());
            problem(StatusCode::METHOD_NOT_ALLOWED, &message)
        })
        .with_state(shared)
}

/// A refusal as JSON, with a sentence a person can act on.
fn problem(status: StatusCode, message: &str) -> Response {
    json(status, &serde_json::json!({ "error": message }))
}

/// A JSON answer.
fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// A plain text answer of some media type.
fn text(media_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    ([(header::CONTENT_TYPE, media_type)], body.into()).into_response()
}
