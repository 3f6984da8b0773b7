//! Why a question got no answer, as RFC 9457 `application/problem+json`: one
//! enum of codes with their status, and a sentence a person can act on.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::expected::{Expected, ExpectedAnswer};

/// The media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// When to come back after a 503, in seconds.
const RETRY_AFTER_SECONDS: u32 = 2;

/// No echo of what was asked is longer than this.
const ECHO_LIMIT: usize = 80;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $status:ident, $title:literal;)*) => {
        /// What went wrong. The name of a code never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $code,)* }

        impl Code {
            /// Every code, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The code as clients see it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// The status it is answered with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)* }
            }

            /// The same few words for every problem of this code.
            pub fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }
        }
    };
}

codes! {
    /// The query is no list of `name=value`.
    MalformedQuery = "malformed_query", BAD_REQUEST, "The query cannot be read";
    /// The query is over the limit.
    QueryTooLong = "query_too_long", URI_TOO_LONG, "The query is too long";
    /// A parameter this question does not have.
    UnknownParameter = "unknown_parameter", BAD_REQUEST, "Unknown parameter";
    /// One parameter twice.
    DuplicateParameter = "duplicate_parameter", BAD_REQUEST, "Parameter given twice";
    /// A parameter without a value.
    EmptyParameter = "empty_parameter", BAD_REQUEST, "Parameter without a value";
    /// A required parameter is absent.
    MissingParameter = "missing_parameter", BAD_REQUEST, "Missing parameter";
    /// A value that is not accepted.
    BadParameter = "bad_parameter", BAD_REQUEST, "Bad parameter";
    /// Several exchanges have the ticker and none was named.
    AmbiguousExchange = "ambiguous_exchange", BAD_REQUEST, "Several exchanges trade this ticker";
    /// Nothing is known of the ticker.
    UnknownTicker = "unknown_ticker", NOT_FOUND, "Unknown ticker";
    /// Nothing is known of the exchange.
    UnknownExchange = "unknown_exchange", NOT_FOUND, "Unknown exchange";
    /// The moment lies before anything kept.
    BeforeTheTape = "before_the_tape", NOT_FOUND, "Before the tape";
    /// The ticker is known and has no figure.
    NoFigureYet = "no_figure_yet", NOT_FOUND, "No figure yet";
    /// The moment is known, and its figure is not final.
    NotFinalYet = "not_final_yet", NOT_FOUND, "Not final yet";
    /// No such path.
    UnknownPath = "unknown_path", NOT_FOUND, "No such page";
    /// The path is only read.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Only reading is possible";
    /// HTTP itself was not followed.
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be read";
    /// Postgres cannot be reached or fails.
    DatabaseAway = "database_away", SERVICE_UNAVAILABLE, "The database is away";
    /// Postgres took longer than the deadline.
    DatabaseSlow = "database_slow", SERVICE_UNAVAILABLE, "The database took too long";
    /// Postgres answers, but refused the question: tables absent or not as expected.
    DatabaseUnfit = "database_unfit", SERVICE_UNAVAILABLE, "The database is not ready";
    /// The newest figures are old.
    DataStale = "data_stale", SERVICE_UNAVAILABLE, "The data is stale";
    /// There is no data at all.
    NoData = "no_data", SERVICE_UNAVAILABLE, "There is no data yet";
}

/// Why a question got no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    detail: String,
    parameter: Option<String>,
    accepted: Option<String>,
    available: Vec<String>,
    expected: Option<Box<Expected>>,
}

/// An error, as RFC 9457 lays it out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Names the kind of problem: `urn:truetape:problem:` and the code.
    #[schema(example = "urn:truetape:problem:missing_parameter")]
    r#type: String,
    /// The same few words for every problem of this code.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What happened and what to do about it.
    detail: String,
    /// A stable name to match on.
    #[schema(example = "missing_parameter")]
    code: &'static str,
    /// The parameter at fault, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// What the parameter accepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<String>,
    /// Some of what there is instead: tickers, exchanges, parameters or paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    available: Vec<String>,
}

/// What is answered to every question that is asked badly.
#[derive(Debug, IntoResponses)]
pub enum Misasked {
    /// A parameter is missing, unknown, given twice, empty or not accepted.
    #[response(status = 400, content_type = "application/problem+json")]
    Refused(ProblemBody),
    /// The query is too long.
    #[response(status = 414, content_type = "application/problem+json")]
    TooLong(ProblemBody),
}

/// What is answered when the database cannot be asked.
#[derive(Debug, IntoResponses)]
pub enum Away {
    /// The database cannot answer now; `Retry-After` says when to ask again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

impl Problem {
    /// A problem with a sentence about it.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), parameter: None, accepted: None, available: Vec::new(), expected: None }
    }

    /// A parameter whose value is not accepted, and why.
    pub fn bad_parameter(name: &str, value: &str, why: &str, accepted: &str) -> Self {
        let detail = format!("{name}={} is not accepted: {why}. Accepted: {accepted}.", echo(value));
        Self::new(Code::BadParameter, detail).about(name).accepting(accepted)
    }

    /// Names the parameter at fault.
    pub fn about(mut self, parameter: &str) -> Self {
        self.parameter = Some(shortened(parameter));
        self
    }

    /// Says what would have been accepted.
    pub fn accepting(mut self, accepted: impl Into<String>) -> Self {
        self.accepted = Some(accepted.into());
        self
    }

    /// Lists what there is instead.
    pub fn offering(mut self, available: Vec<String>) -> Self {
        self.available = available;
        self
    }

    /// Says when to come back.
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = Some(Box::new(expected));
        self
    }

    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The problem as it is sent.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            r#type: format!("urn:truetape:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone(),
            code: self.code.as_str(),
            parameter: self.parameter.clone(),
            accepted: self.accepted.clone(),
            available: self.available.clone(),
        }
    }

    /// The problem with further members of its own, as RFC 9457 allows.
    pub fn response_with(&self, further: impl Serialize) -> HttpResponse {
        #[derive(Serialize)]
        struct Extended<T> {
            #[serde(flatten)]
            problem: ProblemBody,
            #[serde(flatten)]
            further: T,
        }
        self.response_of(&Extended { problem: self.body(), further })
    }

    fn response_of(&self, body: &impl Serialize) -> HttpResponse {
        let status = self.code.status();
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, MEDIA_TYPE)).insert_header((CACHE_CONTROL, "no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS));
        }
        if let Some(&Expected { at: Some(_), wait_ms }) = self.expected.as_deref() {
            response.insert_header((RETRY_AFTER, wait_ms.unsigned_abs().div_ceil(1_000).max(1)));
        }
        response.body(serde_json::to_vec(body).expect("text, numbers and lists are always JSON"))
    }
}

/// What was asked, shortened and with nothing in it that does not print.
pub fn echo(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= ECHO_LIMIT {
        return text.to_owned();
    }
    text.chars().take(ECHO_LIMIT).chain(['…']).collect()
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        match self.expected.as_deref() {
            Some(expected) => self.response_with(ExpectedAnswer::from(*expected)),
            None => self.response_of(&self.body()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_means_a_fault_of_ours_and_none_is_used_twice() {
        let names: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();

        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.status() != StatusCode::INTERNAL_SERVER_ERROR));
    }

    #[test]
    fn an_echo_is_short_and_prints() {
        assert_eq!(echo("a\0b"), "\"a\\0b\"");
        assert!(echo(&"x".repeat(10_000)).chars().count() < 100);
    }
}
