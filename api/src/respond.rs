//! How an answer leaves: JSON, with what caches may do with it.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::desk::Desk;
use crate::told::Told;

/// A final figure changes only by a restatement, which shows in its `ETag`.
const SETTLED: &str = "public, max-age=300";

/// Everything else changes from second to second.
const CHANGING: &str = "public, max-age=1";

/// An answer that changes from second to second.
pub fn changing(answer: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, CHANGING))
        .body(to_json(answer))
}

/// An answer about a newest figure, laid out before.
pub fn told(told: &Told, desk: &Desk) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static(CHANGING)))
        .body(told.json(desk))
}

/// An answer about now, for whoever watches over us: never cached.
pub fn uncached(answer: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(to_json(answer))
}

/// An answer that stays the same, byte for byte, until a restatement: with a
/// strong `ETag`, and without a body for who has it already.
pub fn settled(request: &HttpRequest, answer: &impl Serialize) -> HttpResponse {
    let body = to_json(answer);
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let etag = format!("\"{:016x}\"", hasher.finish());

    let held = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    let is_held = held.flat_map(|value| value.split(',')).map(str::trim).any(|tag| is_same(tag, &etag));
    let mut response = if is_held { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, etag)).insert_header((CACHE_CONTROL, SETTLED));
    if is_held {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, "application/json")).body(body)
}

/// Weak comparison, as `If-None-Match` asks for.
fn is_same(held: &str, etag: &str) -> bool {
    held == "*" || held.strip_prefix("W/").unwrap_or(held) == etag
}

fn to_json(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).expect("text, numbers and lists are always JSON")
}
