//! What errors of each exchange mean.

use std::time::Duration;

use market::reading::Trouble::{self, AwayUntil, Refused, TooOften, Unavailable, UnknownTicker};
use tape::EpochMs;

use crate::market;

fn trouble(name: &str, status: u16, body: &str) -> Option<Trouble> {
    market(name).adapter().trouble(status, body)
}

#[test]
fn answers_with_rows_are_no_trouble() {
    for (name, body) in [
        ("binance", "[]"),
        ("bybit", r#"{"retCode":0,"retMsg":"OK","result":{"list":[]}}"#),
        ("coinbase", "[]"),
        ("kraken", r#"{"error":[],"result":{"XXBTZUSD":[],"last":"0"}}"#),
        ("okx", r#"{"code":"0","msg":"","data":[]}"#),
        ("bitstamp", "[]"),
    ] {
        assert_eq!(trouble(name, 200, body), None, "{name}");
    }
}

#[test]
fn each_documented_error_means_what_it_is_documented_to_mean() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let words = str::to_owned;
    for (name, status, body, expected) in [
        ("coinbase", 429, r#"{"message":"Public rate limit exceeded"}"#, TooOften(None)),
        ("coinbase", 404, r#"{"message":"NotFound"}"#, UnknownTicker),
        ("coinbase", 400, r#"{"message":"Invalid after"}"#, Refused(words("Invalid after"))),
        ("coinbase", 503, r#"{"message":"Maintenance"}"#, Unavailable(words("Maintenance"))),
        ("kraken", 200, r#"{"error":["EAPI:Rate limit exceeded"]}"#, TooOften(None)),
        ("kraken", 200, r#"{"error":["EGeneral:Too many requests"]}"#, TooOften(None)),
        ("kraken", 200, r#"{"error":["EGeneral:Temporary lockout"]}"#, TooOften(seconds(900))),
        ("kraken", 200, r#"{"error":["EService: Throttled: 1700000000"]}"#, AwayUntil(EpochMs::new(1_700_000_000_000))),
        ("kraken", 200, r#"{"error":["EService: Throttled: soon"]}"#, TooOften(None)),
        ("kraken", 200, r#"{"error":["EQuery:Unknown asset pair"]}"#, UnknownTicker),
        ("kraken", 200, r#"{"error":["EService:Unavailable"]}"#, Unavailable(words("EService:Unavailable"))),
        ("kraken", 200, r#"{"error":["EService:Busy"]}"#, Unavailable(words("EService:Busy"))),
        ("kraken", 200, r#"{"error":["EGeneral:Internal error"]}"#, Unavailable(words("EGeneral:Internal error"))),
        ("kraken", 200, r#"{"error":["EGeneral:Invalid arguments"]}"#, Refused(words("EGeneral:Invalid arguments"))),
        ("kraken", 429, "", TooOften(None)),
        ("okx", 200, r#"{"code":"50011","msg":"Rate limit reached.","data":[]}"#, TooOften(seconds(2))),
        ("okx", 429, r#"{"code":"50011","msg":"Too Many Requests"}"#, TooOften(seconds(2))),
        ("okx", 429, "", TooOften(seconds(2))),
        ("okx", 429, r#"{"code":"50013","msg":"busy","data":[]}"#, TooOften(seconds(2))),
        ("okx", 503, r#"{"code":"50001","msg":"down","data":[]}"#, Unavailable(words("down"))),
        ("okx", 200, r#"{"code":"50013","msg":"busy","data":[]}"#, Unavailable(words("busy"))),
        ("okx", 500, r#"{"code":"50026","msg":"system","data":[]}"#, Unavailable(words("system"))),
        ("okx", 200, r#"{"code":"51001","msg":"no such","data":[]}"#, UnknownTicker),
        (
            "okx",
            400,
            r#"{"code":"51000","msg":"Parameter after error"}"#,
            Refused(words("51000: Parameter after error")),
        ),
        ("bitstamp", 400, r#"{"code":"400.002","reason":"too often"}"#, TooOften(None)),
        ("bitstamp", 400, r#"{"response_code":"400.002","response_explanation":"too often"}"#, TooOften(None)),
        ("bitstamp", 429, "", TooOften(None)),
        ("bitstamp", 404, r#"{"response_code":"404.003","response_explanation":"no such pair"}"#, UnknownTicker),
        ("bitstamp", 404, r#"{"error":"not found"}"#, UnknownTicker),
        ("bitstamp", 503, r#"{"error":"maintenance"}"#, Unavailable(words(r#""maintenance""#))),
    ] {
        assert_eq!(trouble(name, status, body), Some(expected), "{name} {status} {body}");
    }
}

#[test]
fn what_is_no_error_of_the_exchange_is_left_to_the_status() {
    for name in ["bybit", "coinbase", "kraken", "okx", "bitstamp"] {
        for (status, body) in [(200, "<html>"), (200, ""), (302, "<html>")] {
            assert_eq!(trouble(name, status, body), None, "{name} {status} {body}");
        }
    }
}
