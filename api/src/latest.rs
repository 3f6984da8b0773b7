//! `GET /latest`: the newest figure of a ticker.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use tape::Ticker;
use utoipa::IntoParams;

use crate::desk::Desk;
use crate::figure::FigureAnswer;
use crate::parameters::{Asked, NameText, Parameters, Question};
use crate::problem::{Away, Code, MEDIA_TYPE, Misasked, Problem, ProblemBody};
use crate::respond;

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
}

impl Question for LatestQuestion {
    const PARAMETERS: &'static [&'static str] = &["ticker", "exchange"];

    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        Ok(Self { ticker: parameters.ticker()?, exchange: parameters.venue()? })
    }
}

/// The newest figure of a ticker.
///
/// There is a new one every second. It counts the trades confirmed so far and
/// those heard since, and says how many are which. Exact: the quotient of the
/// exact sums, rounded once.
#[utoipa::path(
    operation_id = "latest",
    tag = "Figures",
    params(LatestQuestion),
    responses(
        (status = 200, description = "The newest figure", body = FigureAnswer),
        Misasked,
        (status = 404, description = "The ticker is not known or has no figure yet", body = ProblemBody, content_type = MEDIA_TYPE),
        Away,
    )
)]
#[get("/latest")]
pub async fn latest(Asked(question): Asked<LatestQuestion>, desk: Data<Desk>) -> Result<HttpResponse, Problem> {
    let LatestQuestion { ticker, exchange } = question;
    let venue = exchange.as_deref();
    let found = desk.ask(desk.store.figure_newest(venue, &ticker, desk.interval)).await?;
    let answered = desk.the_one(found, venue, &ticker, |answered| &answered.standing).await?;
    let Some(figure) = &answered.figure else {
        return Err(no_figure_yet(&desk, &ticker).await);
    };
    Ok(respond::changing(&FigureAnswer::of_newest(&desk, figure, &answered)))
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
