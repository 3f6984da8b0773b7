//! `GET /historical`: the figure of any millisecond.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use store::StoreError;
use store::answers::{Answered, AskedMark, Moment, Standing};
use tape::{EpochMs, Interval, Ticker};
use utoipa::IntoParams;

use crate::consolidated::Consolidation;
use crate::desk::Desk;
use crate::expected::{NotFinalProblem, not_final_yet};
use crate::figure::{FigureAnswer, in_words};
use crate::instant::AskedInstant;
use crate::parameters::{
    Asked, DurationText, InstantText, MinState, NameText, Parameters, Question, looks_like_seconds,
};
use crate::problem::{Away, Code, MEDIA_TYPE, Misasked, Problem};
use crate::respond;

/// Which moment of which ticker is asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoricalQuestion {
    /// The ticker; `/tickers` lists them.
    #[param(inline, value_type = NameText, example = "BTC")]
    ticker: Ticker,
    /// Where the window closes: epoch milliseconds or RFC 3339, any millisecond up to now.
    #[param(inline, value_type = InstantText, example = "1684083600000")]
    ts: AskedInstant,
    /// The length of the window, milliseconds or a duration such as `250ms`,
    /// `90s`, `5m` or `2h`, up to 24 hours. Without it, the interval of `/latest`.
    #[param(inline, value_type = Option<DurationText>)]
    interval: Option<Interval>,
    /// The exchange, whatever its case. Without it, the figure of all exchanges
    /// that have the ticker, consolidated.
    #[param(inline, value_type = Option<NameText>)]
    exchange: Option<String>,
    /// `final`: never a provisional figure.
    #[param(inline, value_type = Option<MinState>, default = "provisional")]
    min_state: MinState,
}

impl Question for HistoricalQuestion {
    const PARAMETERS: &'static [&'static str] = &["ticker", "ts", "interval", "exchange", "min_state"];

    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        Ok(Self {
            ticker: parameters.ticker()?,
            ts: parameters.instant("ts")?,
            interval: parameters.interval()?,
            exchange: parameters.venue()?,
            min_state: parameters.min_state()?,
        })
    }
}

/// The figure of any millisecond, for any length of window.
///
/// The window holds the trades with `ts - interval < trade <= ts`. A figure
/// that was kept at its second is answered as it stands; any other is summed
/// exactly from the trades. A final and complete figure has a strong `ETag` and
/// may be cached: it changes only by a restatement, which changes the `ETag`.
///
/// With `min_state=final` a figure that is not final yet is not answered: 404
/// `not_final_yet` says when it is expected to be, and `Retry-After` with it.
///
/// Without `exchange`, when several exchanges have the ticker, it is the
/// consolidated figure, as of `/latest`: final when every part is, and never
/// where the tape of one begins later.
#[utoipa::path(
    operation_id = "historical",
    tag = "Figures",
    params(HistoricalQuestion),
    responses(
        (status = 200, description = "The figure of that moment", body = FigureAnswer, headers(
            ("ETag" = String, description = "Given with a final and complete figure; send it back as If-None-Match"),
        )),
        (status = 304, description = "The figure is the one named by If-None-Match"),
        Misasked,
        (status = 404, description = "The ticker is not known, the moment lies before its tape, or its figure is not settled enough", body = NotFinalProblem, content_type = MEDIA_TYPE),
        Away,
    )
)]
#[get("/historical")]
pub async fn historical(
    request: HttpRequest,
    Asked(question): Asked<HistoricalQuestion>,
    desk: Data<Desk>,
) -> Result<HttpResponse, Problem> {
    let HistoricalQuestion { ticker, ts, interval, exchange, min_state } = question;
    refuse_the_future("ts", ts.at, desk.now())?;

    let moment = Moment { closes_at: ts.at, interval: interval.unwrap_or(desk.interval), kept_interval: desk.interval };
    let venue = exchange.as_deref();
    let found = desk.ask(figures_of(&desk, venue, &ticker, moment)).await?;
    if venue.is_none() && found.len() > 1 {
        return of_all(&request, &desk, ts, min_state, &Consolidation::of(moment, found)?);
    }
    let answered = desk.the_one(found, venue, &ticker, |answered| &answered.standing).await?;
    let figure = answered.figure.as_ref().expect("figure_at has a figure for every ticker it finds");
    if !figure.is_kept && ts.at <= answered.standing.tape_from {
        return Err(before_the_tape(ts, &answered.standing));
    }

    if min_state == MinState::Final && !figure.is_final {
        return Err(not_final_yet(&desk, &answered.standing, ts.at));
    }

    Ok(respond(&request, &FigureAnswer::of_moment(&desk, figure, &answered)))
}

/// The figure of all exchanges that have the ticker.
fn of_all(
    request: &HttpRequest,
    desk: &Desk,
    ts: AskedInstant,
    min_state: MinState,
    consolidation: &Consolidation,
) -> Result<HttpResponse, Problem> {
    consolidation.standings().for_each(|standing| desk.memory.saw(standing));
    if let Some(first) = consolidation.all_before_their_tapes() {
        return Err(before_the_tape(ts, first));
    }
    if min_state == MinState::Final && !consolidation.is_final() {
        return Err(consolidation.not_final(desk));
    }
    Ok(respond(request, &consolidation.at_moment(desk)))
}

fn respond(request: &HttpRequest, answer: &FigureAnswer) -> HttpResponse {
    if answer.is_settled() { respond::settled(request, answer) } else { respond::changing(answer) }
}

/// The figures of a moment. A mark that is final is looked up with others that
/// are asked for at the same time; everything else is asked for alone.
async fn figures_of(
    desk: &Desk,
    venue: Option<&str>,
    ticker: &Ticker,
    moment: Moment,
) -> Result<Vec<Answered>, StoreError> {
    let Moment { closes_at, interval, kept_interval } = moment;
    if interval == kept_interval && closes_at.ms() % 1_000 == 0 {
        let mark = AskedMark { venue: venue.map(str::to_owned), ticker: ticker.clone(), closes_at };
        if let Some(kept) = desk.lookups.kept(mark).await {
            return Ok(kept);
        }
    }
    desk.store.figure_at(venue, ticker, moment).await
}

/// Nothing is known of the future.
///
/// # Errors
/// When the instant is after `now`.
pub fn refuse_the_future(name: &str, at: EpochMs, now: EpochMs) -> Result<(), Problem> {
    if at <= now {
        return Ok(());
    }
    let accepted = format!("an instant up to now, {}", in_words(now));
    Err(Problem::bad_parameter(name, &at.to_string(), "it is in the future", &accepted))
}

/// The moment is before anything kept.
pub fn before_the_tape(asked: AskedInstant, standing: &Standing) -> Problem {
    if asked.looks_like_seconds {
        return looks_like_seconds("ts", &asked.at.to_string());
    }
    let (ticker, first) = (&standing.ticker, in_words(standing.tape_from.plus_ms(1)));
    let detail = format!("{} is before the tape of {ticker}, which begins at {first}.", in_words(asked.at));
    Problem::new(Code::BeforeTheTape, detail).about("ts").accepting(format!("an instant from {first} on"))
}
