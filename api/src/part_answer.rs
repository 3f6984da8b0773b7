//! What a consolidated answer says of each exchange.

use serde::Serialize;
use store::answers::{Figure, Standing};
use tape::EpochMs;
use utoipa::ToSchema;

use crate::bound::BoundAnswer;
use crate::figure::{Source, State};

/// One exchange's part of a consolidated figure. What is not known of it is
/// null, which is not zero.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Part)]
pub struct PartAnswer {
    /// The exchange.
    #[schema(example = "binance")]
    exchange: String,
    /// Its own average. Null when its window holds no trade, or when it has no figure.
    price: Option<String>,
    /// Whether every trade of its window is confirmed and none can be added.
    pub(crate) is_validated: bool,
    /// How settled it is. Null where it has no figure: the moment is before its tape.
    pub(crate) state: Option<State>,
    /// Where it comes from: `computed` while the exchange has not come to this mark itself.
    source: Option<Source>,
    /// How often the final figure was restated, where that is known.
    revision: Option<u32>,
    /// When it became final, epoch milliseconds, where that is known.
    final_at: Option<i64>,
    /// The exact sum of the quantities.
    volume: Option<String>,
    /// The exact sum of price times quantity.
    notional: Option<String>,
    /// How many trades its window holds.
    trades: Option<u64>,
    /// How many of them are confirmed.
    confirmed_trades: Option<u64>,
    /// How many heard trades are left out until REST has spoken.
    quarantined_trades: Option<u64>,
    /// How wrong its own price may be. Null for a final part, and for one that was not kept.
    bound: Option<BoundAnswer>,
    /// The newest mark the exchange has come to, epoch milliseconds. Null of a
    /// final part, and while there is none.
    newest_mark: Option<i64>,
    /// Every trade of it at or before this is confirmed, epoch milliseconds.
    /// Null where the whole answer stays the same.
    pub(crate) validated_until: Option<i64>,
    /// Whether trades may be absent because its newest data is too old.
    pub(crate) stale: bool,
    /// Whether nothing is known to be missing in its window; what is, is in `missing` of the whole.
    pub(crate) complete: bool,
    /// Where the evidence of the part is, once it is final and its trades are kept.
    receipt: Option<String>,
}

impl PartAnswer {
    /// The part of one exchange, with or without a figure.
    pub fn new(standing: &Standing, figure: Option<&Figure>, stale: bool, complete: bool) -> Self {
        let is_final = figure.is_some_and(|figure| figure.is_final);
        let source = |figure: &Figure| if figure.is_kept { Source::Stored } else { Source::Computed };
        Self {
            exchange: standing.venue.clone(),
            price: figure.and_then(|figure| figure.price).map(|price| price.to_string()),
            is_validated: is_final,
            state: figure.map(State::of),
            source: figure.map(source),
            revision: figure.and_then(|figure| figure.revision),
            final_at: figure.and_then(|figure| figure.final_at).map(EpochMs::ms),
            volume: figure.map(|figure| figure.sums.volume.to_string()),
            notional: figure.map(|figure| figure.sums.notional.to_string()),
            trades: figure.map(|figure| figure.sums.trades),
            confirmed_trades: figure.map(|figure| figure.confirmed_trades),
            quarantined_trades: figure.map(|figure| figure.quarantined_trades),
            bound: figure.and_then(BoundAnswer::of),
            newest_mark: standing.newest_mark.filter(|_| !is_final).map(EpochMs::ms),
            validated_until: Some(standing.settled_until.ms()),
            stale,
            complete,
            receipt: figure.filter(|_| is_final).and_then(|figure| receipt(standing, figure)),
        }
    }
}

/// Where the evidence is; of a window of which nothing is kept there is none.
fn receipt(standing: &Standing, figure: &Figure) -> Option<String> {
    let Figure { closes_at, interval, .. } = figure;
    if *closes_at <= standing.tape_from {
        return None;
    }
    let encoded = |name: &str| name.replace('/', "%2F");
    let (ticker, venue) = (encoded(standing.ticker.as_str()), encoded(&standing.venue));
    Some(format!("/receipt?ticker={ticker}&ts={closes_at}&interval={interval}&exchange={venue}"))
}
