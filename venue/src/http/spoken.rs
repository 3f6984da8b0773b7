//! The paths of an exchange's own: its sockets and its REST, in its own words.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::header::{CONTENT_TYPE, DATE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::stream::{is_handshake, listen_to_subscribe};
use super::trades::{LONGEST_HANG, standing_date};
use super::{help, problem};
use crate::clock;
use crate::dialect::desk::RestDesk;
use crate::dialect::question::{Answer, Question, Refused};
use crate::market::Present;
use crate::rest_mood::{Failure, Treatment};
use crate::shared::Shared;

/// Headers that dialects look at.
const HEADERS: [&str; 2] = ["x-mbx-time-unit", "content-length"];

/// How long a refusal in passing asks to wait.
const A_SECOND_MS: i64 = 1_000;

/// `GET /`: a socket where the dialect has one there, else the help.
pub async fn root(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if is_handshake(request.headers()) {
        return connect(&shared, request);
    }
    help::help(State(shared)).await
}

/// Whatever has no handler of its own.
pub async fn speak(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if is_handshake(request.headers()) {
        return connect(&shared, request);
    }
    let (parts, _) = request.into_parts();
    let Some(question) = question_of(&parts) else {
        return problem(StatusCode::BAD_REQUEST, "the parameters cannot be read");
    };
    let (latency, treatment) = shared.rest().treat(clock::now().ms());
    if !latency.is_zero() {
        shared.pause(latency).await;
    }
    let soon = clock::now().plus_ms(A_SECOND_MS);
    let answer = match treatment {
        Treatment::Hang => {
            shared.pause(LONGEST_HANG).await;
            return problem(StatusCode::GATEWAY_TIMEOUT, "this request was left hanging on purpose");
        }
        Treatment::RateLimited => refusal(&shared, Refused::TooOften { until: soon }),
        Treatment::Error(name) => refusal(&shared, Refused::Named(name)),
        Treatment::Fail(Failure::Internal) => refusal(&shared, Refused::Internal),
        Treatment::Fail(Failure::Unavailable) => refusal(&shared, Refused::Unavailable),
        Treatment::Fail(Failure::Html) => Answer::html(200, "We will be back soon"),
        Treatment::Fail(Failure::CutOff) => {
            let Some(mut answer) = admitted(&shared, &question) else { return nothing_at(&parts.uri) };
            // Half of an object is never one: its end is missing.
            let mut end = answer.body.len() / 2;
            while !answer.body.is_char_boundary(end) {
                end -= 1;
            }
            answer.body.truncate(end);
            answer
        }
        Treatment::Answer => match admitted(&shared, &question) {
            Some(answer) => answer,
            None => return nothing_at(&parts.uri),
        },
    };
    respond(&shared, answer)
}

fn connect(shared: &Arc<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let conversation = question_of(&parts).and_then(|question| shared.dialect.conversation(&question, &shared.manners));
    let Some(conversation) = conversation else {
        return nothing_at(&parts.uri);
    };
    let opened = shared.guard().open_door(clock::now());
    match opened {
        Ok(()) => listen_to_subscribe(shared, Request::from_parts(parts, body), conversation),
        Err(refused) => respond(shared, refusal(shared, refused)),
    }
}

/// The true answer, or the refusal of who asks too often; none where there is nothing.
fn admitted(shared: &Shared, question: &Question) -> Option<Answer> {
    let now = clock::now();
    let admitted = shared.guard().admit(question, now);
    let mut answer = match admitted {
        Ok(()) => truth(shared, question)?,
        Err(refused) => shared.dialect.refuse(&refused, now),
    };
    let used = shared.guard().used(now);
    shared.dialect.sign(&mut answer, &used, now);
    Some(answer)
}

fn truth(shared: &Shared, question: &Question) -> Option<Answer> {
    let now = clock::now();
    let mut market = shared.market();
    market.advance(now);
    let mut desk = RestDesk::new(&mut market, now, shared.manners.quirks);
    shared.dialect.answer(question, &mut desk)
}

fn refusal(shared: &Shared, refused: Refused) -> Answer {
    shared.dialect.refuse(&refused, clock::now())
}

fn respond(shared: &Shared, answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.media_type));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let standing = match shared.market().present() {
        Present::Standing(at) => standing_date(at),
        Present::Moving => None,
    };
    if let Some(date) = standing {
        headers.insert(DATE, date);
    }
    response
}

fn question_of(parts: &Parts) -> Option<Question> {
    let Query(parameters) = Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri).ok()?;
    let value = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let headers = HEADERS.iter().filter_map(|name| value(name).map(|value| ((*name).to_owned(), value))).collect();
    Some(Question { path: parts.uri.path().to_owned(), parameters, headers })
}

fn nothing_at(uri: &Uri) -> Response {
    problem(StatusCode::NOT_FOUND, &format!("there is nothing at {}; GET / lists what there is", uri.path()))
}
