//! `GET /tickers`: what there is to ask for, and how far each is known.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use store::answers::Known;
use tape::EpochMs;
use utoipa::{IntoParams, ToSchema};

use crate::bound::achieved;
use crate::desk::Desk;
use crate::figure::State;
use crate::instant::rfc3339;
use crate::parameters::{Asked, NameText, Parameters, Question};
use crate::problem::{Away, MEDIA_TYPE, Misasked, Problem, ProblemBody};
use crate::respond;

/// The most tickers one answer lists.
const LISTED: u32 = 10_000;

/// Whose tickers are asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TickersQuestion {
    /// Only those of this exchange, whatever its case.
    #[param(inline, value_type = Option<NameText>)]
    exchange: Option<String>,
}

impl Question for TickersQuestion {
    const PARAMETERS: &'static [&'static str] = &["exchange"];

    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        Ok(Self { exchange: parameters.venue()? })
    }
}

/// Every ticker that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tickers)]
pub struct TickersAnswer {
    /// The length of the window that figures are calculated for, in milliseconds.
    interval: i64,
    /// The tickers, by exchange and name.
    tickers: Vec<TickerAnswer>,
    /// Whether there are more than the 10,000 listed.
    truncated: bool,
}

/// One ticker and how far it is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticker)]
struct TickerAnswer {
    /// The exchange.
    exchange: String,
    /// The ticker.
    ticker: String,
    /// The price of the newest figure. Null when its window holds no trade, or
    /// when there is no figure yet.
    price: Option<String>,
    /// The mark of the newest figure, epoch milliseconds.
    ts: Option<i64>,
    /// The same instant, RFC 3339.
    time: Option<String>,
    /// Whether the newest figure is final.
    is_validated: bool,
    /// How settled the newest figure is.
    state: Option<State>,
    /// How many trades its window holds.
    trades: Option<u64>,
    /// The first mark of the history, epoch milliseconds.
    earliest_mark: Option<i64>,
    /// The same instant, RFC 3339.
    earliest_time: Option<String>,
    /// The last mark of the history, epoch milliseconds.
    latest_mark: Option<i64>,
    /// The same instant, RFC 3339.
    latest_time: Option<String>,
    /// Trades after this instant are kept, epoch milliseconds.
    tape_from: i64,
    /// The watermark: every trade at or before it is confirmed, epoch milliseconds.
    validated_until: i64,
    /// The same instant, RFC 3339.
    validated_until_time: String,
    /// How far the watermark is behind, in milliseconds.
    unvalidated_ms: i64,
    /// How old the newest figure is, in milliseconds.
    age_ms: Option<i64>,
    /// The share of the bounds said over the last day that held, to six decimals,
    /// rounded down. Null before the first of them was put to the test.
    bound_achieved: Option<String>,
    /// How many bounds that counts.
    bound_over_marks: u64,
    /// Whether trades may be absent because the newest data is too old: there is no
    /// new figure, or REST has confirmed nothing for long.
    stale: bool,
    /// How long its latest live marks took to become final; null before there is one.
    time_to_final_ms: Option<TimeToFinalAnswer>,
}

/// How long the latest live marks of a ticker took to become final, in
/// milliseconds: those that had been said provisionally, 300 at most.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeToFinal)]
struct TimeToFinalAnswer {
    /// Half of them took no longer.
    p50: i64,
    /// 99 of 100 took no longer.
    p99: i64,
    /// How many marks that rests on.
    marks: usize,
}

impl TickerAnswer {
    fn new(desk: &Desk, known: &Known) -> Self {
        let Known { standing, newest, bounds_of_day, first_mark, last_mark } = known;
        let time = |mark: Option<EpochMs>| mark.map(rfc3339);
        let ms = |mark: Option<EpochMs>| mark.map(EpochMs::ms);
        Self {
            exchange: standing.venue.clone(),
            ticker: standing.ticker.to_string(),
            price: newest.and_then(|figure| figure.price).map(|price| price.to_string()),
            ts: ms(standing.newest_mark),
            time: time(standing.newest_mark),
            is_validated: newest.is_some_and(|figure| figure.is_final),
            state: newest.as_ref().map(State::of),
            trades: newest.map(|figure| figure.sums.trades),
            earliest_mark: ms(*first_mark),
            earliest_time: time(*first_mark),
            latest_mark: ms(*last_mark),
            latest_time: time(*last_mark),
            tape_from: standing.tape_from.ms(),
            validated_until: standing.settled_until.ms(),
            validated_until_time: rfc3339(standing.settled_until),
            unvalidated_ms: desk.age_ms(standing, standing.settled_until),
            age_ms: standing.newest_mark.map(|mark| desk.age_ms(standing, mark)),
            bound_achieved: achieved(*bounds_of_day),
            bound_over_marks: bounds_of_day.said(),
            stale: desk.is_doubtful(standing),
            time_to_final_ms: standing.time_to_final.map(|measured| TimeToFinalAnswer {
                p50: measured.p50_ms,
                p99: measured.p99_ms,
                marks: measured.marks,
            }),
        }
    }
}

/// The tickers that can be asked for.
///
/// Each with the ends of its history, its watermark, its newest price and how
/// stale that is, and how long its marks take to become final.
#[utoipa::path(
    operation_id = "tickers",
    tag = "Figures",
    params(TickersQuestion),
    responses(
        (status = 200, description = "The tickers", body = TickersAnswer),
        Misasked,
        (status = 404, description = "The exchange is not known", body = ProblemBody, content_type = MEDIA_TYPE),
        Away,
    )
)]
#[get("/tickers")]
pub async fn tickers(Asked(question): Asked<TickersQuestion>, desk: Data<Desk>) -> Result<HttpResponse, Problem> {
    let venue = question.exchange.as_deref();
    let mut known = desk.ask(desk.store.tickers_known(venue, None, desk.interval, LISTED + 1)).await?;
    if known.is_empty()
        && let Some(venue) = venue
    {
        return Err(desk.unknown_venue(venue).await);
    }
    let truncated = known.len() > LISTED as usize;
    known.truncate(LISTED as usize);
    known.iter().for_each(|known| desk.memory.saw(&known.standing));
    let tickers = known.iter().map(|known| TickerAnswer::new(&desk, known)).collect();
    Ok(respond::changing(&TickersAnswer { interval: desk.interval.ms(), tickers, truncated }))
}
