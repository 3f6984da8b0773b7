//! `GET /vwap`: the figures of many marks, page by page.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use store::answers::{Gap, Scope, Standing};
use tape::{EpochMs, Interval, Mark, Ticker, Window};
use utoipa::IntoParams;

use crate::desk::Desk;
use crate::grid::{Grid, GridPage};
use crate::historical::refuse_the_future;
use crate::parameters::{Asked, InstantText, MinState, NameText, Parameters, Question};
use crate::problem::{Away, Code, MEDIA_TYPE, Misasked, Problem, ProblemBody};
use crate::respond;
use crate::series_answer::{AskedSeries, MISSING_LISTED, SeriesAnswer};

const LIMIT_DEFAULT: usize = 500;
const LIMIT_MOST: usize = 10_000;
const STEP_MOST_MS: i64 = 86_400_000;

/// Which figures of which ticker are asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuestion {
    /// The ticker; `/tickers` lists them.
    #[param(inline, value_type = NameText, example = "BTC")]
    ticker: Ticker,
    /// The first instant, epoch milliseconds or RFC 3339. Without it, so early
    /// that the series has `limit` points.
    #[param(inline, value_type = Option<InstantText>)]
    from: Option<EpochMs>,
    /// The last instant, included. Without it, the newest mark.
    #[param(inline, value_type = Option<InstantText>)]
    to: Option<EpochMs>,
    /// How far apart the points are: whole seconds, as `1s`, `5m` or `60000`, up to 1 day.
    /// Points lie on its multiples since 1970.
    #[param(value_type = Option<String>, default = "1s", pattern = "^[0-9]{1,8}(ms|s|m|min|h|d)?$")]
    step: Option<i64>,
    /// The most points of one page, up to 10,000.
    #[param(value_type = Option<u32>, default = 500, minimum = 1, maximum = 10_000)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,13}$")]
    cursor: Option<EpochMs>,
    /// The exchange, whatever its case. May be left out when only one has the ticker.
    #[param(inline, value_type = Option<NameText>)]
    exchange: Option<String>,
    /// `final`: only final points; marks that are not final yet are listed as
    /// missing. Without `to` the series then ends at the newest final mark.
    #[param(inline, value_type = Option<MinState>, default = "provisional")]
    min_state: MinState,
}

impl Question for SeriesQuestion {
    const PARAMETERS: &'static [&'static str] =
        &["ticker", "from", "to", "step", "limit", "cursor", "exchange", "min_state"];

    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let question = Self {
            ticker: parameters.ticker()?,
            from: parameters.optional_instant("from")?,
            to: parameters.optional_instant("to")?,
            step: parameters.optional("step").map(read_step).transpose()?,
            limit: parameters.count("limit", LIMIT_MOST)?,
            cursor: parameters.optional("cursor").map(read_cursor).transpose()?,
            exchange: parameters.venue()?,
            min_state: parameters.min_state()?,
        };
        refuse_backward(question.from, question.to)?;
        Ok(question)
    }
}

/// The figures of a ticker over a span, page by page.
///
/// The points lie on the multiples of `step`, both ends included. Follow
/// `next_url` for the next page. A page of nothing but final and complete
/// figures has a strong `ETag` and may be cached.
#[utoipa::path(
    operation_id = "vwap",
    tag = "Figures",
    params(SeriesQuestion),
    responses(
        (status = 200, description = "One page of figures", body = SeriesAnswer, headers(
            ("ETag" = String, description = "Given with a page of final and complete figures; send it back as If-None-Match"),
        )),
        (status = 304, description = "The page is the one named by If-None-Match"),
        Misasked,
        (status = 404, description = "The ticker is not known or has no figure yet", body = ProblemBody, content_type = MEDIA_TYPE),
        Away,
    )
)]
#[get("/vwap")]
pub async fn vwap(
    request: HttpRequest,
    Asked(question): Asked<SeriesQuestion>,
    desk: Data<Desk>,
) -> Result<HttpResponse, Problem> {
    if let Some(from) = question.from {
        refuse_the_future("from", from, desk.now())?;
    }
    let known = desk.known(question.exchange.as_deref(), &question.ticker).await?;
    let (Some(first), Some(last)) = (known.first_mark, known.last_mark) else {
        let detail = format!("{} has no figure yet. Ask again in a few seconds.", question.ticker);
        return Err(Problem::new(Code::NoFigureYet, detail).about("ticker"));
    };
    let limit = question.limit.unwrap_or(LIMIT_DEFAULT);
    let grid = question.grid(limit, question.newest_mark(&known.standing, last));
    let rest = question.rest_of(grid)?;
    let page = rest.within(first, last).page(limit);

    let standing = &known.standing;
    let points = desk.ask(desk.store.figures_kept(standing, desk.interval, &page.marks)).await?;
    let gaps = gaps_of(&desk, standing, &page).await?;
    let next_url = page.next.map(|next| question.next_url(grid, limit, next));
    let asked = AskedSeries { grid, rest, known: &known, page: &page, next_url, min_state: question.min_state };
    let answer = SeriesAnswer::new(&desk, asked, &points, &gaps);
    Ok(if answer.is_settled() { respond::settled(&request, &answer) } else { respond::changing(&answer) })
}

/// The incidents between the first window of a page and its last.
async fn gaps_of(desk: &Desk, standing: &Standing, page: &GridPage) -> Result<Vec<Gap>, Problem> {
    let (Some(&first), Some(&last)) = (page.marks.first(), page.marks.last()) else { return Ok(Vec::new()) };
    let opens_after = Window::closing_at(first, desk.interval).opens_after();
    let scope = Scope { venue: Some(standing.venue.clone()), ticker: Some(standing.ticker.clone()) };
    desk.ask(desk.store.gaps_touching(&scope, opens_after, last, MISSING_LISTED)).await
}

impl SeriesQuestion {
    /// The mark that a series without an end goes to.
    fn newest_mark(&self, standing: &Standing, last: EpochMs) -> EpochMs {
        match self.min_state {
            MinState::Provisional => last,
            MinState::Final => last.min(Mark::at_or_before(standing.settled_until).at()),
        }
    }

    /// The marks of all pages together.
    fn grid(&self, limit: usize, newest: EpochMs) -> Grid {
        let step_ms = self.step.unwrap_or(1_000);
        let to = self.to.unwrap_or(newest.max(self.from.unwrap_or(newest)));
        let points_before = i64::try_from(limit).unwrap_or(i64::MAX) - 1;
        let last = EpochMs::new(to.min(newest).ms().div_euclid(step_ms) * step_ms);
        let from =
            self.from.unwrap_or_else(|| last.minus_ms(points_before.saturating_mul(step_ms)).max(EpochMs::new(0)));
        Grid { from, to, step_ms }
    }

    /// The marks from the cursor on.
    fn rest_of(&self, grid: Grid) -> Result<Grid, Problem> {
        let Some(cursor) = self.cursor else { return Ok(grid) };
        if !grid.contains(cursor) {
            let why = "it belongs to another series";
            return Err(Problem::bad_parameter("cursor", &cursor.to_string(), why, CURSOR_ACCEPTED));
        }
        Ok(Grid { from: cursor, ..grid })
    }

    fn next_url(&self, grid: Grid, limit: usize, cursor: EpochMs) -> String {
        let ticker = self.ticker.as_str().replace('/', "%2F");
        let exchange = self.exchange.as_ref().map(|name| format!("&exchange={}", name.replace('/', "%2F")));
        let min_state = match self.min_state {
            MinState::Provisional => "",
            MinState::Final => "&min_state=final",
        };
        let Grid { from, to, step_ms } = grid;
        format!(
            "/vwap?ticker={ticker}&from={from}&to={to}&step={step_ms}&limit={limit}&cursor={cursor}{}{min_state}",
            exchange.unwrap_or_default()
        )
    }
}

const CURSOR_ACCEPTED: &str = "the next_cursor of the page before, with the other parameters unchanged";

fn read_cursor(text: &str) -> Result<EpochMs, Problem> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let cursor = text.parse().ok().filter(|ms| is_digits && *ms <= EpochMs::MAX.ms());
    let refuse = || Problem::bad_parameter("cursor", text, "it is none of ours", CURSOR_ACCEPTED);
    cursor.map(EpochMs::new).ok_or_else(refuse)
}

fn read_step(text: &str) -> Result<i64, Problem> {
    let accepted = "whole seconds, as 1s, 5m, 2h or 60000, up to 1d";
    let Some(step_ms) = Interval::parse(text).map(Interval::ms).filter(|ms| *ms <= STEP_MOST_MS) else {
        return Err(Problem::bad_parameter("step", text, "it is no such duration", accepted));
    };
    if step_ms % 1_000 != 0 {
        return Err(Problem::bad_parameter("step", text, "a number without a unit is milliseconds", accepted));
    }
    Ok(step_ms)
}

/// A span must not end before it begins.
///
/// # Errors
/// When it does.
pub fn refuse_backward(from: Option<EpochMs>, to: Option<EpochMs>) -> Result<(), Problem> {
    let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
    if from <= to {
        return Ok(());
    }
    let accepted = format!("an instant from {from} on");
    Err(Problem::bad_parameter("to", &to.to_string(), "it is before from", &accepted))
}
