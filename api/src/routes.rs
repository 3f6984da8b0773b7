//! Which path asks which question, and what happens on every other path.

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, LOCATION};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::problem::{Code, Problem, echo};
use crate::{health, historical, latest, quality, receipt, restatements, series, tickers};

/// Every path that answers, for those who ask for another.
const PATHS: &[&str] = &[
    "/latest",
    "/historical",
    "/tickers",
    "/vwap",
    "/quality",
    "/receipt",
    "/receipt/restatements",
    "/health",
    "/health/livez",
    "/health/readyz",
    "/metrics",
    "/swagger-ui/",
    "/swagger.json",
];

const METHODS: &str = "GET, HEAD, OPTIONS";

/// The questions that can be asked, each with its part of the document.
pub fn questions(config: &mut ServiceConfig<'_>) {
    config
        .service(latest::latest)
        .service(historical::historical)
        .service(tickers::tickers)
        .service(series::vwap)
        .service(quality::quality)
        .service(receipt::receipt)
        .service(restatements::restatements)
        .service(health::health)
        .service(health::livez)
        .service(health::readyz);
}

/// Sends the root, and the document's path without its slash, to the document.
pub async fn to_document() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((LOCATION, "/swagger-ui/")).finish()
}

/// What no question answers: another method, or another path.
pub async fn otherwise(request: HttpRequest) -> HttpResponse {
    let path = request.path();
    let is_known = path == "/" || path.starts_with("/swagger-ui") || PATHS.contains(&path);
    if request.method() == Method::OPTIONS {
        return HttpResponse::NoContent().insert_header((ALLOW, METHODS)).finish();
    }
    let mut response = if is_known && request.method() != Method::GET {
        let method = echo(request.method().as_str());
        let detail =
            format!("{method} is not possible on {}: nothing here can be changed. Accepted: {METHODS}.", echo(path));
        Problem::new(Code::MethodNotAllowed, detail).accepting(METHODS).error_response()
    } else {
        let available: Vec<String> = PATHS.iter().map(|&path| path.to_owned()).collect();
        let detail = format!("There is nothing at {}. There is: {}.", echo(path), available.join(", "));
        return Problem::new(Code::UnknownPath, detail).offering(available).error_response();
    };
    response.headers_mut().insert(ALLOW, actix_web::http::header::HeaderValue::from_static(METHODS));
    response
}
