//! `GET /quality`: how good the fast channel was, and what its faults would have done.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use store::answers::Scope;
use tape::{EpochMs, Ticker};
use utoipa::IntoParams;

use crate::desk::Desk;
use crate::historical::refuse_the_future;
use crate::parameters::{Asked, InstantText, NameText, Parameters, Question};
use crate::problem::{Away, MEDIA_TYPE, Misasked, Problem, ProblemBody};
use crate::quality_answer::{Found, LISTED, QualityAnswer};
use crate::respond;
use crate::series::refuse_backward;

/// The longest span one answer covers.
const SPAN_MOST_DAYS: i64 = 31;

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// The span without `from`.
const SPAN_DEFAULT_MS: i64 = 3_600_000;

/// Whose quality is asked for, and over which span.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QualityQuestion {
    /// The ticker. Without it, all of them together, and the frames that named none.
    #[param(inline, value_type = Option<NameText>)]
    ticker: Option<Ticker>,
    /// The first instant, epoch milliseconds or RFC 3339. Without it, one hour before `to`.
    #[param(inline, value_type = Option<InstantText>)]
    from: Option<EpochMs>,
    /// The instant to end before, at most 31 days after `from`. Without it, now.
    #[param(inline, value_type = Option<InstantText>)]
    to: Option<EpochMs>,
    /// The exchange, whatever its case. Without it all of them together, or with
    /// a ticker all that have it.
    #[param(inline, value_type = Option<NameText>)]
    exchange: Option<String>,
}

impl Question for QualityQuestion {
    const PARAMETERS: &'static [&'static str] = &["ticker", "from", "to", "exchange"];

    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let question = Self {
            ticker: parameters.optional_ticker()?,
            from: parameters.optional_instant("from")?,
            to: parameters.optional_instant("to")?,
            exchange: parameters.venue()?,
        };
        refuse_backward(question.from, question.to)?;
        Ok(question)
    }
}

/// A span of whole minutes: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes {
    /// Where the first minute begins.
    pub from: EpochMs,
    /// Where the last minute ends.
    pub to: EpochMs,
}

impl Minutes {
    /// The whole minutes that hold a span: rounded outwards, one at least.
    fn around(from: EpochMs, to: EpochMs) -> Self {
        let first = from.ms().div_euclid(MINUTE_MS);
        let end = (-(-to.ms()).div_euclid(MINUTE_MS)).max(first + 1);
        Self { from: EpochMs::new(first * MINUTE_MS), to: EpochMs::new(end * MINUTE_MS) }
    }
}

/// The fault ledger of the fast channel, as counts, rates and damage.
///
/// Counts are kept by the minute, so the span is rounded outwards to whole
/// minutes; `from` and `to` of the answer say which. Damage is what each fault
/// would have done to the first final figure it touches, drift what was said of
/// marks before they were final against what they became: both in basis points.
/// The audit reads settled trades again, at random: where the exchange changed
/// its mind, the figures concerned are restated and listed.
#[utoipa::path(
    operation_id = "quality",
    tag = "Figures",
    params(QualityQuestion),
    responses(
        (status = 200, description = "The quality of the fast channel", body = QualityAnswer),
        Misasked,
        (status = 404, description = "The ticker or the exchange is not known", body = ProblemBody, content_type = MEDIA_TYPE),
        Away,
    )
)]
#[get("/quality")]
pub async fn quality(Asked(question): Asked<QualityQuestion>, desk: Data<Desk>) -> Result<HttpResponse, Problem> {
    let now = desk.now();
    if let Some(from) = question.from {
        refuse_the_future("from", from, now)?;
    }
    let minutes = question.minutes(now)?;
    let scope = question.scope(&desk).await?;

    let Minutes { from, to } = minutes;
    let store = &desk.store;
    let found = desk.ask(async {
        Ok(Found {
            counts: store.quality_counts(&scope, from, to).await?,
            damage: store.quality_damage(&scope, desk.interval, from, to).await?,
            drift: store.quality_drift(&scope, desk.interval, from, to).await?,
            bounds: store.quality_bounds(&scope, desk.interval, from, to).await?,
            incidents: store.gaps_touching(&scope, from.minus_ms(1), to.minus_ms(1), LISTED).await?,
            corrections: store.quality_corrections(&scope, from, to).await?,
            restatements: store.restatements(&scope, desk.interval, from, to, LISTED).await?,
        })
    });
    let found = found.await?;
    Ok(respond::changing(&QualityAnswer::new(&scope, desk.interval, minutes, found)))
}

impl QualityQuestion {
    fn minutes(&self, now: EpochMs) -> Result<Minutes, Problem> {
        let to = self.to.unwrap_or(now);
        let from = self.from.unwrap_or(to.minus_ms(SPAN_DEFAULT_MS).max(EpochMs::new(0)));
        if to.ms_since(from) > SPAN_MOST_DAYS * DAY_MS {
            return Err(self.too_long(from, to));
        }
        Ok(Minutes::around(from, to))
    }

    /// A span that is too long is the fault of the end that was given last.
    fn too_long(&self, from: EpochMs, to: EpochMs) -> Problem {
        let why = format!("the span is longer than {SPAN_MOST_DAYS} days");
        if self.to.is_some() {
            let latest = from.plus_ms(SPAN_MOST_DAYS * DAY_MS);
            return Problem::bad_parameter("to", &to.to_string(), &why, &format!("an instant up to {latest}"));
        }
        let earliest = to.minus_ms(SPAN_MOST_DAYS * DAY_MS);
        Problem::bad_parameter(
            "from",
            &from.to_string(),
            &why,
            &format!("an instant from {earliest} on, or a to as well"),
        )
    }

    /// Whose quality it is, as the store spells it.
    async fn scope(&self, desk: &Desk) -> Result<Scope, Problem> {
        let venue = self.exchange.as_deref();
        if let Some(ticker) = &self.ticker {
            let found = desk.known_on(venue, ticker).await?;
            if venue.is_none() && found.len() > 1 {
                return Ok(Scope { venue: None, ticker: Some(ticker.clone()) });
            }
            let standing = desk.the_one(found, venue, ticker, |known| &known.standing).await?.standing;
            return Ok(Scope { venue: Some(standing.venue), ticker: Some(standing.ticker) });
        }
        let Some(venue) = venue else { return Ok(Scope::default()) };
        let known = desk.ask(desk.store.tickers_known(Some(venue), None, desk.interval, 1)).await?;
        match known.into_iter().next() {
            Some(known) => Ok(Scope { venue: Some(known.standing.venue), ticker: None }),
            None => Err(desk.unknown_venue(venue).await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_rounded_outwards_to_whole_minutes() {
        let around = |from, to| {
            let minutes = Minutes::around(EpochMs::new(from), EpochMs::new(to));
            (minutes.from.ms(), minutes.to.ms())
        };

        assert_eq!(around(60_000, 120_000), (60_000, 120_000));
        assert_eq!(around(119_999, 120_001), (60_000, 180_000));
        assert_eq!(around(60_000, 60_000), (60_000, 120_000));
    }
}
