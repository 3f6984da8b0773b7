//! The parameters of a question, read strictly: what is unknown, given twice,
//! empty or garbled is named rather than ignored.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use tape::{Interval, Ticker};
use utoipa::ToSchema;

use crate::instant::{self, AskedInstant};
use crate::problem::{Code, Problem, echo};

/// The longest query that is read, in bytes.
const QUERY_LIMIT: usize = 2_048;

/// The longest window that is computed.
pub const INTERVAL_LIMIT_MS: i64 = 24 * 3_600_000;

/// What a ticker or the name of an exchange may look like.
const NAME_ACCEPTED: &str = "1 to 32 of A-Z a-z 0-9 / - _ . :";

/// A name: 1 to 32 of `A-Z a-z 0-9 / - _ . :`.
#[derive(Debug, ToSchema)]
#[schema(pattern = "^[A-Za-z0-9/_.:-]{1,32}$")]
#[expect(dead_code, reason = "it describes a parameter in the document")]
pub struct NameText(String);

/// An instant: epoch milliseconds, or RFC 3339.
#[derive(Debug, ToSchema)]
#[schema(
    pattern = "^([0-9]{1,13}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2}))$"
)]
#[expect(dead_code, reason = "it describes a parameter in the document")]
pub struct InstantText(String);

/// A duration: milliseconds, or a number with `ms`, `s`, `m`, `h` or `d`.
#[derive(Debug, ToSchema)]
#[schema(pattern = "^[0-9]{1,8}(ms|s|m|min|h|d)?$")]
#[expect(dead_code, reason = "it describes a parameter in the document")]
pub struct DurationText(String);

/// How settled a figure must be to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MinState {
    /// However it is.
    Provisional,
    /// Final, restated ones included.
    Final,
}

/// A question: its parameters, read into what they mean.
pub trait Question: Sized {
    /// The names of its parameters.
    const PARAMETERS: &'static [&'static str];

    /// Reads the parameters.
    ///
    /// # Errors
    /// The first parameter that is absent or not accepted.
    fn read(parameters: &Parameters) -> Result<Self, Problem>;
}

/// A question that was asked well.
#[derive(Debug)]
pub struct Asked<Q>(pub Q);

impl<Q: Question> FromRequest for Asked<Q> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parameters = Parameters::read(request.query_string(), Q::PARAMETERS);
        ready(parameters.and_then(|parameters| Q::read(&parameters)).map(Self))
    }
}

/// The parameters given: each known, once and with a value.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query of `name=value` pairs.
    ///
    /// # Errors
    /// Names the first pair that is garbled, unknown, given twice or empty.
    pub fn read(query: &str, known: &[&str]) -> Result<Self, Problem> {
        if query.len() > QUERY_LIMIT {
            let detail = format!("The query has {} bytes. At most {QUERY_LIMIT} are read.", query.len());
            return Err(Problem::new(Code::QueryTooLong, detail));
        }
        let mut given: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            check(&name, &value, known, &given)?;
            given.push((name, value));
        }
        Ok(Self(given))
    }

    /// A parameter's text, when it was given.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|given| given.0 == name).map(|given| given.1.as_str())
    }

    /// A parameter's text.
    fn required(&self, name: &str, accepted: &str) -> Result<&str, Problem> {
        self.optional(name).ok_or_else(|| {
            let detail = format!("{name} is required. Accepted: {accepted}.");
            Problem::new(Code::MissingParameter, detail).about(name).accepting(accepted)
        })
    }

    /// `ticker`, required.
    pub fn ticker(&self) -> Result<Ticker, Problem> {
        let text = self.required("ticker", &format!("{NAME_ACCEPTED}, as BTC; /tickers lists them"))?;
        read_name("ticker", text)
    }

    /// `ticker`, optional.
    pub fn optional_ticker(&self) -> Result<Option<Ticker>, Problem> {
        self.optional("ticker").map(|text| read_name("ticker", text)).transpose()
    }

    /// `exchange`, optional: venues are named like tickers.
    pub fn venue(&self) -> Result<Option<String>, Problem> {
        let name = self.optional("exchange").map(|text| read_name("exchange", text)).transpose()?;
        Ok(name.map(|name| name.to_string()))
    }

    /// An instant, required.
    pub fn instant(&self, name: &str) -> Result<AskedInstant, Problem> {
        read_instant(name, self.required(name, instant::ACCEPTED)?)
    }

    /// An instant, optional; here ten digits are always seconds by mistake.
    pub fn optional_instant(&self, name: &str) -> Result<Option<tape::EpochMs>, Problem> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let asked = read_instant(name, text)?;
        if asked.looks_like_seconds {
            return Err(looks_like_seconds(name, text));
        }
        Ok(Some(asked.at))
    }

    /// `interval`, optional, up to 24 hours.
    pub fn interval(&self) -> Result<Option<Interval>, Problem> {
        let Some(text) = self.optional("interval") else { return Ok(None) };
        let interval = Interval::parse(text).filter(|interval| interval.ms() <= INTERVAL_LIMIT_MS);
        let accepted = "milliseconds such as 300000, or a duration such as 250ms, 90s, 5m or 2h, from 1ms to 24h";
        let why = "it is no such duration";
        interval.map(Some).ok_or_else(|| Problem::bad_parameter("interval", text, why, accepted))
    }

    /// `min_state`, which is provisional unless given.
    pub fn min_state(&self) -> Result<MinState, Problem> {
        match self.optional("min_state") {
            None | Some("provisional") => Ok(MinState::Provisional),
            Some("final") => Ok(MinState::Final),
            Some(other) => {
                Err(Problem::bad_parameter("min_state", other, "there is no such state", "provisional or final"))
            }
        }
    }

    /// A whole number within bounds, optional.
    pub fn count(&self, name: &str, most: usize) -> Result<Option<usize>, Problem> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let count = text.parse().ok().filter(|count| is_digits && (1..=most).contains(count));
        let accepted = format!("a whole number from 1 to {most}");
        count.map(Some).ok_or_else(|| Problem::bad_parameter(name, text, "it is no such number", &accepted))
    }
}

/// The problem of an instant written in seconds.
pub fn looks_like_seconds(name: &str, text: &str) -> Problem {
    let why = format!("it looks like seconds; in milliseconds it would be {text}000");
    Problem::bad_parameter(name, text, &why, instant::ACCEPTED)
}

fn read_name(name: &str, text: &str) -> Result<Ticker, Problem> {
    Ticker::new(text).map_err(|_| Problem::bad_parameter(name, text, "no name looks like this", NAME_ACCEPTED))
}

fn read_instant(name: &str, text: &str) -> Result<AskedInstant, Problem> {
    instant::parse(text).map_err(|why| Problem::bad_parameter(name, text, &why, instant::ACCEPTED))
}

fn check(name: &str, value: &str, known: &[&str], given: &[(String, String)]) -> Result<(), Problem> {
    if !known.contains(&name) {
        let known: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
        let accepted = if known.is_empty() { "no parameters".to_owned() } else { known.join(", ") };
        let detail = format!("There is no parameter {}. Accepted here: {accepted}.", echo(name));
        return Err(Problem::new(Code::UnknownParameter, detail).about(name).accepting(accepted).offering(known));
    }
    if given.iter().any(|earlier| earlier.0 == name) {
        let detail = format!("{name} is given twice. Give it once.");
        return Err(Problem::new(Code::DuplicateParameter, detail).about(name));
    }
    if value.is_empty() {
        let detail = format!("{name} has no value. Give it one, or leave it out if it is optional.");
        return Err(Problem::new(Code::EmptyParameter, detail).about(name));
    }
    Ok(())
}

/// Undoes percent-encoding and `+` for a blank, and refuses what is neither it nor UTF-8.
fn decode(text: &str) -> Result<String, Problem> {
    let refuse = |why: &str| {
        let detail = format!("{} {why}. Write the query as name=value&name=value, percent-encoded.", echo(text));
        Problem::new(Code::MalformedQuery, detail)
    };
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let plain = match byte {
            b'+' => b' ',
            b'%' => {
                let digit =
                    |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (high, low) = (digit(bytes.next()), digit(bytes.next()));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(refuse("holds a % that two hexadecimal digits do not follow"));
                };
                high * 16 + low
            }
            other => other,
        };
        decoded.push(plain);
    }
    String::from_utf8(decoded).map_err(|_| refuse("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["ticker", "ts", "limit", "interval"];

    fn code(query: &str) -> Code {
        Parameters::read(query, KNOWN).expect_err(query).code
    }

    fn given(query: &str) -> Parameters {
        Parameters::read(query, KNOWN).expect(query)
    }

    #[test]
    fn a_well_formed_query_is_decoded() {
        let parameters = given("ticker=XRP%2FETH&&ts=1684083600123");

        assert_eq!(parameters.ticker().expect("ticker").as_str(), "XRP/ETH");
        assert_eq!(parameters.instant("ts").expect("instant").at.ms(), 1_684_083_600_123);
        assert_eq!(parameters.optional("limit"), None);
    }

    #[test]
    fn what_is_unknown_twice_empty_or_garbled_is_named() {
        assert_eq!(code("tickr=BTC"), Code::UnknownParameter);
        assert_eq!(code("Ticker=BTC"), Code::UnknownParameter);
        assert_eq!(code("ticker=BTC&ticker=BTC"), Code::DuplicateParameter);
        assert_eq!(code("ticker="), Code::EmptyParameter);
        assert_eq!(code("ticker"), Code::EmptyParameter);
        assert_eq!(code("ticker=%"), Code::MalformedQuery);
        assert_eq!(code("ticker=%4"), Code::MalformedQuery);
        assert_eq!(code("ticker=%zz"), Code::MalformedQuery);
        assert_eq!(code("ticker=%ff"), Code::MalformedQuery);
        assert_eq!(code(&format!("ticker={}", "A".repeat(3_000))), Code::QueryTooLong);
    }

    #[test]
    fn values_that_are_not_accepted_are_refused_by_name() {
        for query in ["ticker=%00", "ticker=a+b", "ticker=%27%3Bdrop", "ticker=%C3%84"] {
            assert_eq!(given(query).ticker().expect_err(query).code, Code::BadParameter);
        }
        for query in ["limit=0", "limit=-1", "limit=%2B5", "limit=11", "limit=1e1", "limit=99999999999999999999"] {
            assert_eq!(given(query).count("limit", 10).expect_err(query).code, Code::BadParameter);
        }
        for query in ["interval=0", "interval=25h", "interval=5x", "interval=-5m"] {
            assert_eq!(given(query).interval().expect_err(query).code, Code::BadParameter);
        }
        assert_eq!(given("interval=24h").interval().expect("a day").map(Interval::ms), Some(INTERVAL_LIMIT_MS));
        assert_eq!(given("").ticker().expect_err("absent").code, Code::MissingParameter);
        assert!(given("ts=1684083600").optional_instant("ts").expect_err("seconds").detail().contains("1684083600000"));
    }
}
