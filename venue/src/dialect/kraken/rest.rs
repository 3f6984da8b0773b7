//! Kraken's REST: errors inside 200, and a time as the only way to page.

use serde_json::{Map, Value, json};
use tape::EpochMs;

use super::{order_type, symbols};
use crate::dialect::desk::RestDesk;
use crate::dialect::digits::padded;
use crate::dialect::pair;
use crate::dialect::question::{Answer, Question, Refused};
use crate::dialect::stamp::{Taker, nanos};
use crate::true_trade::TrueTrade;

const MOST_ROWS: usize = 1_000;

/// Errors that can be asked for by name.
pub const ERRORS: [&str; 10] = [
    "rate_limit_exceeded",
    "throttled",
    "unknown_pair",
    "invalid_arguments",
    "service_unavailable",
    "service_busy",
    "too_many_requests",
    "temporary_lockout",
    "internal_error",
    "gateway",
];

/// The true answer.
pub fn answer(question: &Question, desk: &mut RestDesk<'_>) -> Option<Answer> {
    let now = desk.present();
    let seconds = now.ms().div_euclid(1_000);
    let at = chrono::DateTime::from_timestamp_millis(now.ms()).unwrap_or_default();
    Some(match question.path.as_str() {
        "/0/public/Time" => {
            let written = at.format("%a, %d %b %y %H:%M:%S +0000").to_string();
            good(&json!({ "unixtime": seconds, "rfc1123": written }).to_string())
        }
        "/0/public/SystemStatus" => {
            let written = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            good(&json!({ "status": "online", "timestamp": written }).to_string())
        }
        "/0/public/AssetPairs" => asset_pairs(question, desk),
        "/0/public/Assets" => good(&Value::Object(assets(desk)).to_string()),
        "/0/public/Trades" => trades(question, desk),
        _ => return None,
    })
}

fn trades(question: &Question, desk: &mut RestDesk<'_>) -> Answer {
    let quirks = desk.quirks;
    let asked = question.text("pair").unwrap_or_default();
    let Some(ticker) = desk.tickers().into_iter().find(|ticker| symbols::means(asked, ticker)) else {
        return bad("EQuery:Unknown asset pair");
    };
    let count = match question.number("count") {
        Ok(None) => MOST_ROWS,
        Ok(Some(count @ 1..)) => usize::try_from(count).unwrap_or(MOST_ROWS).min(MOST_ROWS),
        _ => return bad("EGeneral:Invalid arguments:count"),
    };
    let since = match question.text("since").map(nanoseconds) {
        None => None,
        Some(Some(since)) => Some(since),
        Some(None) => return bad("EGeneral:Invalid arguments:since"),
    };
    let visible = desk.visible(&ticker);
    let rows: Vec<&TrueTrade> = match since {
        None => visible.map(|visible| visible.newest_ascending(count)).unwrap_or_default(),
        Some(since) => {
            let is_after = |trade: &&TrueTrade| {
                let at = nanos(trade);
                since < at || (quirks.since_inclusive && since == at)
            };
            let since_ms = EpochMs::new(since.div_euclid(1_000_000));
            let about = visible.iter().flat_map(|visible| visible.from_about(since_ms));
            let after: Vec<&TrueTrade> = about.filter(is_after).take(MOST_ROWS * 2).collect();
            let mut end = count.min(after.len());
            while quirks.whole_groups && 0 < end && end < after.len() && nanos(after[end]) == nanos(after[end - 1]) {
                end += 1;
            }
            after[..end].to_vec()
        }
    };
    let last = rows.last().map_or(since.unwrap_or(0), |trade| nanos(trade));
    let rows: Vec<String> = rows.into_iter().map(row).collect();
    good(&format!("{{\"{}\":[{}],\"last\":\"{last}\"}}", symbols::key(&ticker), rows.join(",")))
}

fn row(trade: &TrueTrade) -> String {
    // The exchange computes with floating point here, and prints what comes of it.
    let seconds = nanos(trade) as f64 / 1e9;
    format!(
        "[\"{}\",\"{}\",{seconds},\"{}\",\"{}\",\"\",{}]",
        padded(&trade.plain_price(), 5),
        padded(&trade.plain_quantity(), 8),
        Taker::of(trade).say("b", "s"),
        order_type(trade).1,
        trade.id,
    )
}

/// A time in seconds, whole or decimal, or in nanoseconds.
fn nanoseconds(text: &str) -> Option<i64> {
    const FIRST_NANOS: i64 = 1_000_000_000_000;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    if whole.abs() >= FIRST_NANOS {
        return Some(whole);
    }
    let digits: String = format!("{fraction:0<9}").chars().take(9).collect();
    whole.checked_mul(1_000_000_000)?.checked_add(digits.parse().ok()?)
}

fn asset_pairs(question: &Question, desk: &RestDesk<'_>) -> Answer {
    let mut tickers = desk.tickers();
    if let Some(asked) = question.text("pair") {
        tickers.retain(|ticker| asked.split(',').any(|asked| symbols::means(asked, ticker)));
        if tickers.is_empty() {
            return bad("EQuery:Unknown asset pair");
        }
    }
    let mut pairs = Map::new();
    for ticker in &tickers {
        let (price_decimals, quantity_decimals) = desk.decimals(ticker);
        let (base, quote) = symbols::listed_parts(ticker);
        pairs.insert(
            symbols::key(ticker),
            json!({
                "altname": symbols::alternative_name(ticker),
                "wsname": symbols::socket_name(ticker),
                "aclass_base": "currency",
                "base": base,
                "aclass_quote": "currency",
                "quote": quote,
                "lot": "unit",
                "cost_decimals": 5,
                "pair_decimals": price_decimals,
                "lot_decimals": quantity_decimals,
                "lot_multiplier": 1,
                "leverage_buy": [],
                "leverage_sell": [],
                "fees": [[0, 0.4]],
                "fees_maker": [[0, 0.25]],
                "fee_volume_currency": "ZUSD",
                "margin_call": 80,
                "margin_stop": 40,
                "ordermin": "0.0001",
                "costmin": "0.5",
                "tick_size": crate::dialect::digits::step(price_decimals),
                "status": "online",
            }),
        );
    }
    good(&Value::Object(pairs).to_string())
}

fn assets(desk: &RestDesk<'_>) -> Map<String, Value> {
    let mut assets = Map::new();
    for ticker in desk.tickers() {
        let (base, quote) = pair::parts(&ticker);
        let (listed_base, listed_quote) = symbols::listed_parts(&ticker);
        for (listed, currency) in [(listed_base, base), (listed_quote, quote)] {
            let name = symbols::code(currency);
            let asset = json!({
                "aclass": "currency", "altname": name, "decimals": 10, "display_decimals": 5, "status": "enabled",
            });
            assets.insert(listed, asset);
        }
    }
    assets
}

fn good(result: &str) -> Answer {
    Answer::json(200, format!("{{\"error\":[],\"result\":{result}}}"))
}

fn bad(error: &str) -> Answer {
    Answer::json(200, json!({ "error": [error] }))
}

/// How it refuses and fails.
pub fn refuse(refused: &Refused, now: EpochMs) -> Answer {
    let throttled = |until: EpochMs| bad(&format!("EService: Throttled: {}", (until.ms() + 999).div_euclid(1_000)));
    match *refused {
        Refused::TooOften { .. } => bad("EAPI:Rate limit exceeded"),
        Refused::Banned { until } => throttled(until),
        Refused::Internal => bad("EGeneral:Internal error"),
        Refused::Unavailable => bad("EService:Unavailable"),
        Refused::Named(name) => match name {
            "rate_limit_exceeded" => bad("EAPI:Rate limit exceeded"),
            "throttled" => throttled(now.plus_ms(2_000)),
            "unknown_pair" => bad("EQuery:Unknown asset pair"),
            "invalid_arguments" => bad("EGeneral:Invalid arguments"),
            "service_unavailable" => bad("EService:Unavailable"),
            "service_busy" => bad("EService:Busy"),
            "too_many_requests" => bad("EGeneral:Too many requests"),
            "temporary_lockout" => bad("EGeneral:Temporary lockout"),
            "internal_error" => bad("EGeneral:Internal error"),
            _ => Answer::html(520, "520: Web server is returning an unknown error"),
        },
    }
}
