//! `GET /receipt/restatements`: the entries of a chain that are restatements,
//! for whoever verifies a range of it.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use store::answers::{Restated, Stretch, Version};
use tape::{EpochMs, Interval, Ticker};
use utoipa::{IntoParams, ToSchema};

use crate::desk::Desk;
use crate::parameters::{Asked, DurationText, InstantText, NameText, Parameters, Question};
use crate::problem::{Away, Code, MEDIA_TYPE, Misasked, Problem, ProblemBody};
use crate::respond;

/// The most restatements of one answer.
const LIMIT: usize = 1_000;

/// Which restatements are asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RestatementsQuestion {
    /// The ticker; `/tickers` lists them.
    #[param(inline, value_type = NameText, example = "BTC")]
    ticker: Ticker,
    /// Those of marks from this instant on, epoch milliseconds or RFC 3339.
    #[param(inline, value_type = Option<InstantText>)]
    from: Option<EpochMs>,
    /// Those of marks up to this instant, included.
    #[param(inline, value_type = Option<InstantText>)]
    to: Option<EpochMs>,
    /// Instead of `from`: those whose entry has a higher number.
    #[param(value_type = Option<i64>, minimum = 0)]
    after_entry: Option<u64>,
    /// Instead of `to`: those whose entry has this number or a lower one.
    #[param(value_type = Option<i64>, minimum = 1)]
    until_entry: Option<u64>,
    /// The length of the windows. Without it, the interval of `/latest`.
    #[param(inline, value_type = Option<DurationText>)]
    interval: Option<Interval>,
    /// The exchange, whatever its case. May be left out when only one has the ticker.
    #[param(inline, value_type = Option<NameText>)]
    exchange: Option<String>,
}

/// The restatements of a stretch of the chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainRestatements)]
pub struct RestatementsAnswer {
    /// The exchange.
    exchange: String,
    /// The ticker.
    ticker: String,
    /// The length of the windows in milliseconds.
    interval: i64,
    /// At most 1,000: in the order of entries when asked by entries, else of marks and revisions.
    restatements: Vec<RestatedAnswer>,
    /// Whether there are more: ask again from the last mark, or after the last entry, of this list.
    has_more: bool,
}

/// One restatement, and its entry of the chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainRestatement)]
struct RestatedAnswer {
    /// The mark, epoch milliseconds.
    ts: i64,
    /// How often its figure had been restated then, this time included.
    revision: u32,
    /// Why.
    reason: String,
    /// When, epoch milliseconds.
    restated_at: i64,
    /// The entry's number. Null where the mark was never chained.
    entry: Option<u64>,
    /// Its link.
    link: Option<String>,
    /// The link before it.
    previous_link: Option<String>,
    /// What stood before.
    old: VersionAnswer,
    /// What stands since.
    new: VersionAnswer,
}

/// One side of a restatement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainVersion)]
struct VersionAnswer {
    /// How many trades.
    trades: u64,
    /// The exact sum of the quantities.
    volume: String,
    /// The exact sum of price times quantity.
    notional: String,
    /// The digest of the trades of the mark's second. Null where the mark was never chained.
    second_digest: Option<String>,
}

impl Question for RestatementsQuestion {
    const PARAMETERS: &'static [&'static str] =
        &["ticker", "from", "to", "after_entry", "until_entry", "interval", "exchange"];

    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let entry = |name: &str| parameters.optional(name).map(|text| read_entry(name, text)).transpose();
        let question = Self {
            ticker: parameters.ticker()?,
            from: parameters.optional_instant("from")?,
            to: parameters.optional_instant("to")?,
            after_entry: entry("after_entry")?,
            until_entry: entry("until_entry")?,
            interval: parameters.interval()?,
            exchange: parameters.venue()?,
        };
        let by_marks = question.from.is_some() || question.to.is_some();
        let by_entries = question.after_entry.is_some() || question.until_entry.is_some();
        if by_marks && by_entries {
            let detail =
                "Restatements are asked for by marks (from, to) or by entries (after_entry, until_entry), not by both.";
            return Err(Problem::new(Code::BadParameter, detail).about("after_entry"));
        }
        Ok(question)
    }
}

/// The restatements among the entries of a chain.
///
/// Every other entry is the figure of the next mark. Together with the
/// exchange's trades that is all it takes to recompute a range of the chain from
/// one end to the other: what a mark's figure was before it was restated, the
/// exchange no longer says, but the chain binds it.
#[utoipa::path(
    operation_id = "receipt_restatements",
    tag = "Receipts",
    params(RestatementsQuestion),
    responses(
        (status = 200, description = "The restatements", body = RestatementsAnswer),
        Misasked,
        (status = 404, description = "The ticker is not known", body = ProblemBody, content_type = MEDIA_TYPE),
        Away,
    )
)]
#[get("/receipt/restatements")]
pub async fn restatements(
    Asked(question): Asked<RestatementsQuestion>,
    desk: Data<Desk>,
) -> Result<HttpResponse, Problem> {
    let known = desk.known(question.exchange.as_deref(), &question.ticker).await?;
    let interval = question.interval.unwrap_or(desk.interval);
    let stretch = match (question.after_entry, question.until_entry) {
        (None, None) => Stretch::Marks(question.from.unwrap_or(EpochMs::new(0)), question.to.unwrap_or(EpochMs::MAX)),
        (after, until) => Stretch::Entries(after.unwrap_or(0), until.unwrap_or(u64::MAX)),
    };
    let limit = u32::try_from(LIMIT + 1).expect("a small constant");
    let found = desk.ask(desk.store.restated_along(&known.standing, interval, stretch, limit)).await?;
    Ok(respond::changing(&RestatementsAnswer {
        exchange: known.standing.venue,
        ticker: known.standing.ticker.to_string(),
        interval: interval.ms(),
        restatements: found.iter().take(LIMIT).map(RestatedAnswer::of).collect(),
        has_more: LIMIT < found.len(),
    }))
}

fn read_entry(name: &str, text: &str) -> Result<u64, Problem> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let entry = text.parse().ok().filter(|entry| is_digits && *entry <= u64::from(u32::MAX));
    entry.ok_or_else(|| Problem::bad_parameter(name, text, "it is no such number", "an entry's number, or 0"))
}

impl RestatedAnswer {
    fn of(restated: &Restated) -> Self {
        let Restated { mark, revision, reason, restated_at, place, old, new } = restated;
        Self {
            ts: mark.ms(),
            revision: *revision,
            reason: reason.clone(),
            restated_at: restated_at.ms(),
            entry: place.map(|place| place.entry),
            link: place.map(|place| place.link.to_string()),
            previous_link: place.and_then(|place| place.previous_link).map(|link| link.to_string()),
            old: VersionAnswer::of(old),
            new: VersionAnswer::of(new),
        }
    }
}

impl VersionAnswer {
    fn of(version: &Version) -> Self {
        let Version { sums, second_digest } = version;
        Self {
            trades: sums.trades,
            volume: sums.volume.to_string(),
            notional: sums.notional.to_string(),
            second_digest: second_digest.map(|digest| digest.to_string()),
        }
    }
}
