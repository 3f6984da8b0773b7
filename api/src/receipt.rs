//! `GET /receipt`: the evidence of one final figure.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use store::answers::{Moment, Receipt, Standing, Trades};
use tape::{EpochMs, Evidence, Interval, Ticker, Window};
use tracing::error;
use utoipa::IntoParams;

use crate::desk::Desk;
use crate::figure::in_words;
use crate::historical::{before_the_tape, refuse_the_future};
use crate::instant::{AskedInstant, rfc3339};
use crate::parameters::{Asked, DurationText, InstantText, NameText, Parameters, Question};
use crate::problem::{Away, Code, MEDIA_TYPE, Misasked, Problem, ProblemBody};
use crate::receipt_answer::{Detail, ReceiptAnswer};
use crate::respond;

/// The most trades a receipt is made of.
pub const TRADES_LIMIT: u64 = 1_000_000;

/// The longest window whose seconds are listed.
const SECONDS_LIMIT_MS: i64 = 3_600_000;

/// Which figure's receipt is asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReceiptQuestion {
    /// The ticker; `/tickers` lists them.
    #[param(inline, value_type = NameText, example = "BTC")]
    ticker: Ticker,
    /// Where the window closes: epoch milliseconds or RFC 3339, any millisecond that is final.
    #[param(inline, value_type = InstantText, example = "1684083580000")]
    ts: AskedInstant,
    /// The length of the window, milliseconds or a duration such as `250ms`,
    /// `90s`, `5m` or `2h`, up to 24 hours. Without it, the interval of `/latest`.
    #[param(inline, value_type = Option<DurationText>)]
    interval: Option<Interval>,
    /// `seconds` lists the digest of every second that holds a trade, for windows up to 1 hour.
    #[param(value_type = Option<String>, pattern = "^seconds$")]
    detail: Option<Detail>,
    /// The exchange, whatever its case. May be left out when only one has the ticker.
    #[param(inline, value_type = Option<NameText>)]
    exchange: Option<String>,
}

impl Question for ReceiptQuestion {
    const PARAMETERS: &'static [&'static str] = &["ticker", "ts", "interval", "detail", "exchange"];

    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        Ok(Self {
            ticker: parameters.ticker()?,
            ts: parameters.instant("ts")?,
            interval: parameters.interval()?,
            detail: parameters.optional("detail").map(read_detail).transpose()?,
            exchange: parameters.venue()?,
        })
    }
}

/// The receipt of a final figure: all that anyone needs to recompute it from the exchange.
///
/// Exact sums, the first and the last trade, and a SHA-256 over the trades of the
/// window in a documented canonical form: one line `ts tradeid price quantity` per
/// trade, sorted by `ts` and then by the bytes of `tradeid`, decimals without
/// closing zeros. A mark of the kept interval also has its place in the chain,
/// which binds it to every final figure before it. Everything comes from one
/// snapshot. It changes only by a restatement, which changes the `ETag`.
#[utoipa::path(
    operation_id = "receipt",
    tag = "Receipts",
    params(ReceiptQuestion),
    responses(
        (status = 200, description = "The receipt", body = ReceiptAnswer, headers(
            ("ETag" = String, description = "Send it back as If-None-Match"),
        )),
        (status = 304, description = "The receipt is the one named by If-None-Match"),
        Misasked,
        (status = 404, description = "The ticker is not known, or the moment is not final yet, or its trades are not kept", body = ProblemBody, content_type = MEDIA_TYPE),
        Away,
    )
)]
#[get("/receipt")]
pub async fn receipt(
    request: HttpRequest,
    Asked(question): Asked<ReceiptQuestion>,
    desk: Data<Desk>,
) -> Result<HttpResponse, Problem> {
    let ReceiptQuestion { ticker, ts, interval, detail, exchange } = question;
    refuse_the_future("ts", ts.at, desk.now())?;
    let interval = interval.unwrap_or(desk.interval);
    if detail.is_some() && SECONDS_LIMIT_MS < interval.ms() {
        let why = "seconds are listed for windows up to 1 hour only";
        return Err(Problem::bad_parameter("detail", "seconds", why, "seconds, with an interval up to 1h"));
    }

    let moment = Moment { closes_at: ts.at, interval, kept_interval: desk.interval };
    let venue = exchange.as_deref();
    let found = desk.ask(desk.store.receipt_at(venue, &ticker, moment, TRADES_LIMIT)).await?;
    let held = desk.the_one(found, venue, &ticker, |held| &held.standing).await?;
    let standing = &held.standing;
    if ts.at <= standing.tape_from {
        return Err(before_the_tape(ts, standing));
    }
    let evidence = match &held.trades {
        Trades::Read(evidence) => evidence,
        Trades::Unread => return Err(not_final_yet(&desk, standing, ts.at)),
        Trades::TooMany => return Err(too_many_trades(interval)),
    };
    let window = Window::closing_at(ts.at, interval);
    check_against_trades(&held, evidence, window)?;
    let answer = ReceiptAnswer::new(&held, evidence, window, detail);
    Ok(respond::settled(&request, &answer))
}

fn read_detail(text: &str) -> Result<Detail, Problem> {
    match text {
        "seconds" => Ok(Detail::Seconds),
        other => Err(Problem::bad_parameter("detail", other, "there is no such detail", "seconds")),
    }
}

/// The figure that is kept must be that of the trades that are kept.
fn check_against_trades(held: &Receipt, evidence: &Evidence, window: Window) -> Result<(), Problem> {
    let standing = &held.standing;
    let differs = held.kept.is_some_and(|kept| kept.sums != evidence.sums);
    if !differs {
        return Ok(());
    }
    let (ticker, closes_at) = (&standing.ticker, window.closes_at());
    if window.opens_after() < standing.tape_from {
        let detail = format!(
            "Some trades of the window of {ticker} that closes at {} are no longer kept: there is no receipt of it any more.",
            in_words(closes_at)
        );
        let first = standing.tape_from.plus_ms(window.closes_at().ms_since(window.opens_after()));
        return Err(Problem::new(Code::BeforeTheTape, detail)
            .about("ts")
            .accepting(format!("an instant from {} on, or a shorter interval", in_words(first))));
    }
    // Somebody changed a table by hand. The receipt shows both; whoever verifies it will see.
    error!(%ticker, %closes_at, "the final figure of {ticker} at {closes_at} is not that of its trades");
    Ok(())
}

fn not_final_yet(desk: &Desk, standing: &Standing, at: EpochMs) -> Problem {
    let (ticker, settled_until) = (&standing.ticker, standing.settled_until);
    let ahead_ms = at.ms_since(settled_until);
    // What is confirmed moves with the market as long as REST answers.
    let expected = if desk.is_stale(standing) {
        "it is not known when it will be, since nothing was confirmed lately".to_owned()
    } else {
        format!("it is expected to be at about {}", rfc3339(desk.now().plus_ms(ahead_ms)))
    };
    let detail = format!(
        "{} is not final for {ticker} yet: it is confirmed up to {}, and {expected}.",
        in_words(at),
        in_words(settled_until)
    );
    Problem::new(Code::NotFinalYet, detail).about("ts").accepting(format!("an instant up to {settled_until}"))
}

fn too_many_trades(interval: Interval) -> Problem {
    let why = format!("its window holds more than the {TRADES_LIMIT} trades a receipt is made of");
    Problem::bad_parameter("interval", &interval.to_string(), &why, "a shorter interval")
}
