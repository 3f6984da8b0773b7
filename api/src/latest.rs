//! `GET /latest`: the newest figure of a ticker.

use std::time::{Duration, Instant};

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use store::answers::{Answered, Moment, Standing};
use tape::consolidated::{common_final_mark, common_mark};
use tape::{EpochMs, Ticker};
use utoipa::IntoParams;

use crate::consolidated::Consolidation;
use crate::desk::Desk;
use crate::expected::{NotFinalProblem, not_final_yet, not_final_yet_on};
use crate::figure::FigureAnswer;
use crate::memory::{DOUBT, Read};
use crate::parameters::{Asked, MinState, NameText, Parameters, Question};
use crate::problem::{Away, Code, MEDIA_TYPE, Misasked, Problem};
use crate::respond;
use crate::told::Told;

/// Which ticker is asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LatestQuestion {
    /// The ticker; `/tickers` lists them.
    #[param(inline, value_type = NameText, example = "BTC")]
    ticker: Ticker,
    /// The exchange, whatever its case. Without it, the figure of all exchanges
    /// that have the ticker, consolidated.
    #[param(inline, value_type = Option<NameText>)]
    exchange: Option<String>,
    /// `final`: the newest figure that is final, rather than the newest of all.
    #[param(inline, value_type = Option<MinState>, default = "provisional")]
    min_state: MinState,
}

impl Question for LatestQuestion {
    const PARAMETERS: &'static [&'static str] = &["ticker", "exchange", "min_state"];

    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        Ok(Self { ticker: parameters.ticker()?, exchange: parameters.venue()?, min_state: parameters.min_state()? })
    }
}

/// The newest figure of a ticker.
///
/// There is a new one every second. It counts the trades confirmed so far and
/// those heard since, and says how many are which. Exact: the quotient of the
/// exact sums, rounded once.
///
/// With `min_state=final` it is the newest figure that is final; while there is
/// none, the answer is 404 `not_final_yet` with the time one is expected.
///
/// Without `exchange`, when several exchanges have the ticker, it is the
/// consolidated figure: the sum of their notionals over the sum of their
/// volumes, at the newest mark that each of them has come to. `parts` lists the
/// exchanges. It is final when every part is. An exchange that has stopped is
/// not waited for: its part, and the whole, are then `stale` and not final.
#[utoipa::path(
    operation_id = "latest",
    tag = "Figures",
    params(LatestQuestion),
    responses(
        (status = 200, description = "The newest figure", body = FigureAnswer),
        Misasked,
        (status = 404, description = "The ticker is not known or has no figure yet, or none that is settled enough", body = NotFinalProblem, content_type = MEDIA_TYPE),
        Away,
    )
)]
#[get("/latest")]
pub async fn latest(Asked(question): Asked<LatestQuestion>, desk: Data<Desk>) -> Result<HttpResponse, Problem> {
    let LatestQuestion { ticker, exchange, min_state } = question;
    let venue = exchange.as_deref();
    if min_state == MinState::Provisional
        && let Some(told) = desk.memory.find(venue, &ticker)
    {
        desk.metrics.from_memory.inc();
        return Ok(respond::told(&told, &desk));
    }
    desk.metrics.from_database.inc();
    let asked_at = Instant::now();
    let found = match min_state {
        MinState::Provisional => desk.ask(desk.store.figure_newest(venue, &ticker, desk.interval)).await?,
        MinState::Final => desk.ask(desk.store.figure_newest_final(venue, &ticker, desk.interval)).await?,
    };
    if venue.is_none() && found.len() > 1 {
        return of_all(&desk, &ticker, min_state, &found).await;
    }
    let answered = desk.the_one(found, venue, &ticker, |answered| &answered.standing).await?;
    let Some(figure) = &answered.figure else {
        // Only with a final one asked for can the newest be there and no answer.
        return Err(match answered.standing.newest_mark {
            Some(newest) => not_final_yet(&desk, &answered.standing, newest),
            None => no_figure_yet(&desk, &ticker).await,
        });
    };
    match (min_state, Told::new(&desk, &answered)) {
        (MinState::Provisional, Some(told)) => {
            let read = Read { told, taken: answered.taken, asked_at };
            Ok(respond::told(&desk.memory.admit(read), &desk))
        }
        _ => Ok(respond::changing(&FigureAnswer::of_newest(&desk, figure, &answered))),
    }
}

/// The newest figure of all exchanges that have the ticker, given the newest of
/// each. Those tell which mark to ask about; what is answered of it comes from
/// one snapshot, and marks only rise.
async fn of_all(
    desk: &Desk,
    ticker: &Ticker,
    min_state: MinState,
    newest: &[Answered],
) -> Result<HttpResponse, Problem> {
    newest.iter().for_each(|one| desk.memory.saw(&one.standing));
    let mark = match min_state {
        MinState::Provisional => common_mark_of(desk, ticker, newest).await?,
        MinState::Final => common_final_mark_of(desk, ticker, newest).await?,
    };
    let told = match min_state {
        MinState::Provisional => {
            let hold = Duration::from_millis(desk.stale_after_ms().unsigned_abs()) + DOUBT;
            desk.floors.above(ticker, min_state, mark, hold)
        }
        // What was final is final, however long an exchange that is new takes to come so far.
        MinState::Final => desk.floors.above(ticker, min_state, mark, Duration::MAX),
    };
    let moment = Moment { closes_at: told.unwrap_or(mark), interval: desk.interval, kept_interval: desk.interval };
    let found = desk.ask(desk.store.figure_at(None, ticker, moment)).await?;
    if found.is_empty() {
        return Err(desk.unknown(None, ticker).await);
    }
    found.iter().for_each(|one| desk.memory.saw(&one.standing));
    let consolidation = Consolidation::of(moment, found)?;
    if min_state == MinState::Final && !consolidation.is_final() {
        return Err(consolidation.not_final(desk));
    }
    desk.floors.told(ticker, min_state, mark);
    Ok(respond::changing(&consolidation.newest(desk)))
}

/// The newest mark that every exchange has come to which has not stopped.
async fn common_mark_of(desk: &Desk, ticker: &Ticker, newest: &[Answered]) -> Result<EpochMs, Problem> {
    let marks: Vec<Option<EpochMs>> = newest.iter().map(|one| one.standing.newest_mark).collect();
    match common_mark(&marks, desk.stale_after_ms()) {
        Some(mark) => Ok(mark),
        None => Err(no_figure_yet(desk, ticker).await),
    }
}

/// The newest mark that is final on every exchange.
async fn common_final_mark_of(desk: &Desk, ticker: &Ticker, newest: &[Answered]) -> Result<EpochMs, Problem> {
    let marks: Vec<Option<EpochMs>> = newest.iter().map(|one| one.figure.map(|figure| figure.closes_at)).collect();
    if let Some(mark) = common_final_mark(&marks) {
        return Ok(mark);
    }
    let mark = common_mark_of(desk, ticker, newest).await?;
    let without: Vec<&Standing> = newest.iter().filter(|one| one.figure.is_none()).map(|one| &one.standing).collect();
    match not_final_yet_on(desk, &without, mark) {
        Some(problem) => Err(problem),
        None => Err(no_figure_yet(desk, ticker).await),
    }
}

/// The ticker is there and its figure is not: too early, or another interval.
async fn no_figure_yet(desk: &Desk, ticker: &Ticker) -> Problem {
    let interval = desk.interval;
    let calculated = match desk.ask(desk.store.intervals_calculated()).await {
        Ok(calculated) => calculated,
        Err(problem) => return problem,
    };
    let why = if calculated.is_empty() || calculated.contains(&interval) {
        "It has only just been found: ask again in a few seconds.".to_owned()
    } else {
        let others: Vec<String> = calculated.iter().map(ToString::to_string).collect();
        format!("The worker calculates intervals of {} ms: give INTERVAL the same value for both.", others.join(", "))
    };
    let detail = format!("{ticker} has no figure for an interval of {interval} ms yet. {why}");
    Problem::new(Code::NoFigureYet, detail).about("ticker")
}
