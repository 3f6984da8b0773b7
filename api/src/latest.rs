//! `GET /latest`: the newest figure of a ticker.

use std::time::Instant;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use tape::Ticker;
use utoipa::IntoParams;

use crate::desk::Desk;
use crate::expected::{NotFinalProblem, not_final_yet};
use crate::figure::FigureAnswer;
use crate::memory::Read;
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
    /// The exchange, whatever its case. May be left out when only one has the ticker.
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
