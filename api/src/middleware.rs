//! What happens to every request and every answer, whatever was asked.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError as _};

use crate::problem::{Code, MEDIA_TYPE, Problem};

/// Answers `HEAD` as `GET`: the connection leaves the body out by itself.
pub async fn head_as_get<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    next.call(request).await
}

/// Turns what the framework itself refuses into problems like all others.
pub async fn errors_as_problems<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let response = next
        .call(request)
        .await
        .map_err(|error| Error::from(refused(error.as_response_error().status_code(), &error.to_string())))?;
    let is_problem = response.headers().get(CONTENT_TYPE).is_some_and(|media_type| media_type == MEDIA_TYPE);
    if response.status().as_u16() < 400 || is_problem {
        return Ok(response.map_into_left_body());
    }
    let reason = response.response().error().map(ToString::to_string).unwrap_or_default();
    let problem = refused(response.status(), &reason);
    Ok(response.into_response(problem.error_response().map_into_right_body()))
}

fn refused(status: StatusCode, reason: &str) -> Problem {
    let code = match status {
        StatusCode::NOT_FOUND => Code::UnknownPath,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        _ => Code::BadRequest,
    };
    let reason = if reason.is_empty() { status.canonical_reason().unwrap_or("it is malformed") } else { reason };
    Problem::new(code, format!("The request was refused: {reason}."))
}

/// Keeps browsers from guessing what an answer is.
pub fn nosniff(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Says what is true of every answer. A compressed answer is not the same bytes
/// as the plain one, so its `ETag` can only be a weak one.
pub async fn finish_headers<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    nosniff(headers);
    let is_compressed = headers.contains_key(CONTENT_ENCODING);
    let strong = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).filter(|etag| etag.starts_with('"'));
    let weak = strong.and_then(|etag| HeaderValue::try_from(format!("W/{etag}")).ok());
    if let Some(weak) = weak.filter(|_| is_compressed) {
        headers.insert(ETAG, weak);
    }
    Ok(response)
}
