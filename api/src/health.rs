//! `GET /health` and its two narrower sisters: whether we live, whether we can
//! answer, and whether what we would answer is fresh.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use store::answers::{Known, Standing};
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::instant::rfc3339;
use crate::parameters::{Asked, Parameters, Question};
use crate::problem::{Away, Code, MEDIA_TYPE, Misasked, Problem, ProblemBody};
use crate::respond;

/// The most tickers that are looked at.
const TICKERS_LOOKED_AT: u32 = 10_000;

/// A question without parameters.
#[derive(Debug)]
pub struct HealthQuestion;

impl Question for HealthQuestion {
    const PARAMETERS: &'static [&'static str] = &[];

    fn read(_: &Parameters) -> Result<Self, Problem> {
        Ok(Self)
    }
}

/// How we are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub struct HealthAnswer {
    /// `ok`; `stale` when a ticker's newest figure is too old; `empty` when
    /// there is no ticker yet; `unavailable` when the database is away.
    #[schema(example = "ok")]
    state: &'static str,
    /// What we stand on.
    dependencies: Vec<DependencyAnswer>,
    /// `live` while `/latest` is answered from memory, kept right to the last
    /// commit; `off` while every answer is asked of the database.
    #[schema(example = "live")]
    latest_cache: &'static str,
    /// How old the data is; null when that cannot be told.
    data: Option<DataAnswer>,
    /// The version of the api.
    version: &'static str,
}

/// Something we stand on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Dependency)]
struct DependencyAnswer {
    /// `postgres` or `worker`.
    #[schema(example = "postgres")]
    name: &'static str,
    /// `ok`, `away`, `stale`, `empty` or `unknown`.
    #[schema(example = "ok")]
    state: &'static str,
    /// A sentence about it.
    detail: String,
}

/// How old the data is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DataAge)]
struct DataAnswer {
    /// How many tickers there are.
    tickers: usize,
    /// Of how many the newest figure is too old.
    stale_tickers: usize,
    /// How old a newest figure may be, in milliseconds.
    stale_after_ms: i64,
    /// The ticker whose newest figure is the oldest.
    worst: Option<WorstAnswer>,
}

/// The ticker whose newest figure is the oldest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorstTicker)]
struct WorstAnswer {
    /// The exchange.
    exchange: String,
    /// The ticker.
    ticker: String,
    /// The mark of its newest figure, epoch milliseconds; null when it has none.
    ts: Option<i64>,
    /// The same instant, RFC 3339.
    time: Option<String>,
    /// How old that figure is, in milliseconds.
    age_ms: Option<i64>,
    /// How far its watermark is behind, in milliseconds.
    unvalidated_ms: i64,
}

/// An error of `/health`: a problem with how we are beside it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthProblem)]
struct HealthProblem {
    #[serde(flatten)]
    problem: ProblemBody,
    #[serde(flatten)]
    health: HealthAnswer,
}

/// Whether we live, whether the database answers, and how old the data is.
///
/// 503 when the database is away (`database_away`, `database_slow`,
/// `database_unfit`), when there is no ticker yet (`no_data`), or when the
/// newest figure of the worst ticker is too old (`data_stale`). In the last
/// case every other question is still answered.
#[utoipa::path(
    operation_id = "health",
    tag = "Health",
    responses(
        (status = 200, description = "All is well", body = HealthAnswer),
        Misasked,
        (status = 503, description = "Something we stand on is away, or the data is stale", body = HealthProblem, content_type = MEDIA_TYPE),
    )
)]
#[get("/health")]
pub async fn health(_: Asked<HealthQuestion>, desk: Data<Desk>) -> HttpResponse {
    let known = match desk.ask(desk.store.tickers_known(None, None, desk.interval, TICKERS_LOOKED_AT)).await {
        Ok(known) => known,
        Err(problem) => return problem.response_with(HealthAnswer::without_database(&desk, &problem)),
    };
    let answer = HealthAnswer::of(&desk, &known);
    match answer.problem() {
        Some(problem) => problem.response_with(answer),
        None => respond::uncached(&answer),
    }
}

/// Whether the process lives. It asks nobody.
#[utoipa::path(
    operation_id = "livez",
    tag = "Health",
    responses(
        (status = 200, description = "The process lives", body = LifeAnswer),
        Misasked,
    )
)]
#[get("/health/livez")]
pub async fn livez(_: Asked<HealthQuestion>) -> HttpResponse {
    respond::uncached(&LifeAnswer { state: "ok" })
}

/// Whether questions can be answered: the database answers and has its tables.
/// Stale data is answered too, and says so.
#[utoipa::path(
    operation_id = "readyz",
    tag = "Health",
    responses(
        (status = 200, description = "Questions are answered", body = LifeAnswer),
        Misasked,
        Away,
    )
)]
#[get("/health/readyz")]
pub async fn readyz(_: Asked<HealthQuestion>, desk: Data<Desk>) -> Result<HttpResponse, Problem> {
    desk.ask(desk.store.tickers_known(None, None, desk.interval, 1)).await?;
    Ok(respond::uncached(&LifeAnswer { state: "ok" }))
}

/// A sign of life.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Life)]
struct LifeAnswer {
    /// Always `ok`.
    #[schema(example = "ok")]
    state: &'static str,
}

impl HealthAnswer {
    fn without_database(desk: &Desk, problem: &Problem) -> Self {
        let postgres = DependencyAnswer { name: "postgres", state: "away", detail: problem.detail().to_owned() };
        let detail = "What the worker has done cannot be read.".to_owned();
        let worker = DependencyAnswer { name: "worker", state: "unknown", detail };
        Self::new(desk, "unavailable", vec![postgres, worker], None)
    }

    fn of(desk: &Desk, known: &[Known]) -> Self {
        let standings = || known.iter().map(|known| &known.standing);
        let worst = standings().min_by_key(|standing| standing.newest_mark.map(|mark| -desk.age_ms(standing, mark)));
        let stale_tickers = standings().filter(|standing| desk.is_stale(standing)).count();
        let (state, detail) = match worst {
            None => ("empty", "The worker has found no ticker yet.".to_owned()),
            Some(worst) if stale_tickers > 0 => ("stale", stale_sentence(desk, worst, stale_tickers, known.len())),
            Some(_) => ("ok", "Every ticker has a fresh figure.".to_owned()),
        };
        let postgres =
            DependencyAnswer { name: "postgres", state: "ok", detail: "It answers and has its tables.".to_owned() };
        let worker = DependencyAnswer { name: "worker", state, detail };
        let data = DataAnswer {
            tickers: known.len(),
            stale_tickers,
            stale_after_ms: desk.stale_after_ms(),
            worst: worst.map(|worst| WorstAnswer::new(desk, worst)),
        };
        Self::new(desk, state, vec![postgres, worker], Some(data))
    }

    fn new(desk: &Desk, state: &'static str, dependencies: Vec<DependencyAnswer>, data: Option<DataAnswer>) -> Self {
        let latest_cache = if desk.memory.is_trusted() { "live" } else { "off" };
        Self { state, dependencies, latest_cache, data, version: env!("CARGO_PKG_VERSION") }
    }

    /// What is wrong although the database answers.
    fn problem(&self) -> Option<Problem> {
        let code = match self.state {
            "ok" => return None,
            "empty" => Code::NoData,
            _ => Code::DataStale,
        };
        let worker = self.dependencies.iter().find(|dependency| dependency.name == "worker");
        Some(Problem::new(code, worker.map(|worker| worker.detail.clone()).unwrap_or_default()))
    }
}

impl WorstAnswer {
    fn new(desk: &Desk, worst: &Standing) -> Self {
        Self {
            exchange: worst.venue.clone(),
            ticker: worst.ticker.to_string(),
            ts: worst.newest_mark.map(tape::EpochMs::ms),
            time: worst.newest_mark.map(rfc3339),
            age_ms: worst.newest_mark.map(|mark| desk.age_ms(worst, mark)),
            unvalidated_ms: desk.age_ms(worst, worst.settled_until),
        }
    }
}

fn stale_sentence(desk: &Desk, worst: &Standing, stale_tickers: usize, tickers: usize) -> String {
    let name = format!("{} of {}", worst.ticker, worst.venue);
    let worst = match worst.newest_mark {
        Some(mark) => format!("the newest of {name} is {} ms old", desk.age_ms(worst, mark)),
        None => format!("{name} has none for an interval of {} ms", desk.interval),
    };
    let limit = desk.stale_after_ms();
    format!(
        "{stale_tickers} of {tickers} tickers have had no new figure for {limit} ms: {worst}. Is the worker running?"
    )
}
