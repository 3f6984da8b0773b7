//! The shortest way of the question asked most: `/latest?ticker=…` of a figure
//! that is at hand is answered before anything else looks at the request. It is
//! the very answer that the ordinary way gives; whatever is not plain goes there.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::Method;
use actix_web::http::header::{HeaderValue, ORIGIN, VARY};
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};
use futures_util::future::{Either, FutureExt as _, LocalBoxFuture, TryFutureExt as _};
use tape::Ticker;

use crate::desk::Desk;
use crate::middleware::nosniff;
use crate::respond;

/// What an answer to a page of another origin would depend on: a cache in
/// between must not give this one to it.
const VARIES: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// Answers at once what it can.
#[derive(Clone)]
pub struct Quick(pub Data<Desk>);

/// The shortest way, before all others.
pub struct QuickService<S> {
    desk: Data<Desk>,
    otherwise: S,
}

impl<S, B> Transform<S, ServiceRequest> for Quick
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = QuickService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, otherwise: S) -> Self::Future {
        ready(Ok(QuickService { desk: self.0.clone(), otherwise }))
    }
}

impl<S, B> Service<ServiceRequest> for QuickService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    // What the long way waits for is large, and would be moved about with every short answer.
    type Future = Either<Ready<Result<Self::Response, Error>>, LocalBoxFuture<'static, Result<Self::Response, Error>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.otherwise.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match self.at_hand(&request) {
            Some(response) => Either::Left(ready(Ok(request.into_response(response).map_into_right_body()))),
            None => {
                Either::Right(self.otherwise.call(request).map_ok(ServiceResponse::map_into_left_body).boxed_local())
            }
        }
    }
}

impl<S> QuickService<S> {
    fn at_hand(&self, request: &ServiceRequest) -> Option<HttpResponse<BoxBody>> {
        let is_plain =
            request.path() == "/latest" && request.method() == Method::GET && !request.headers().contains_key(ORIGIN);
        if !is_plain {
            return None;
        }
        let (ticker, venue) = asked(request.query_string())?;
        let told = self.desk.memory.find(venue, &ticker)?;
        self.desk.metrics.from_memory.inc();
        let mut response = respond::told(&told, &self.desk);
        nosniff(response.headers_mut());
        response.headers_mut().insert(VARY, HeaderValue::from_static(VARIES));
        Some(response)
    }
}

/// The ticker and the exchange asked for, where nothing else is and no
/// character is written in another way.
fn asked(query: &str) -> Option<(Ticker, Option<&str>)> {
    let rest = query.strip_prefix("ticker=")?;
    let (ticker, venue) = match rest.split_once('&') {
        None => (rest, None),
        Some((ticker, further)) => (ticker, Some(further.strip_prefix("exchange=")?)),
    };
    // A name has none of the characters that mean something in a query.
    if let Some(venue) = venue {
        Ticker::new(venue).ok()?;
    }
    Some((Ticker::new(ticker).ok()?, venue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_plain_goes_the_shortest_way() {
        let names = |query| asked(query).map(|(ticker, venue)| (ticker.to_string(), venue));
        assert_eq!(names("ticker=BTC"), Some(("BTC".to_owned(), None)));
        assert_eq!(names("ticker=XRP/ETH&exchange=Second"), Some(("XRP/ETH".to_owned(), Some("Second"))));
        let otherwise = [
            "",
            "ticker=",
            "ticker=%42TC",
            "ticker=B+C",
            "exchange=a&ticker=BTC",
            "ticker=BTC&exchange=",
            "ticker=BTC&exchange=a&exchange=b",
            "ticker=BTC&min_state=provisional",
            "ticker=BTC&ticker=BTC",
            "ticker=BTC&",
        ];
        for query in otherwise {
            assert_eq!(names(query), None, "{query}");
        }
    }
}
