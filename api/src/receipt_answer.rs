//! What a receipt says.

use serde::Serialize;
use store::answers::{Place, Receipt};
use tape::digest::{ALGORITHM, TRADES_FORM};
use tape::{Chain, Digest, Evidence, Mark, Trade, Window, chain};
use utoipa::ToSchema;

use crate::figure::{Missing, State, WindowAnswer, missing};
use crate::instant::rfc3339;

/// What is told beyond the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Every second that holds a trade.
    Seconds,
}

/// All that anyone needs to recompute a final figure from the exchange's own REST endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Receipt)]
pub struct ReceiptAnswer {
    /// The exchange.
    #[schema(example = "generic")]
    exchange: String,
    /// The ticker.
    #[schema(example = "BTC")]
    ticker: String,
    /// Where the window closes, epoch milliseconds.
    ts: i64,
    /// The same instant, RFC 3339.
    time: String,
    /// The length of the window in milliseconds.
    interval: i64,
    /// The window's ends: a trade at `opens_after` is not part of it, one at `closes_at` is.
    window: WindowAnswer,
    /// Trades after this instant are counted: where the window opens, or where the tape begins.
    counted_after: i64,
    /// `final`, or `restated`.
    state: State,
    /// How often the final figure was restated. Null for a moment that is no kept mark.
    revision: Option<u32>,
    /// Notional over volume, rounded once, half to even, to 24 decimals. Null when there is no trade.
    price: Option<String>,
    /// The exact sum of the quantities.
    volume: String,
    /// The exact sum of price times quantity.
    notional: String,
    /// How many trades the window holds.
    trades: u64,
    /// The first trade in canonical order.
    first: Option<TradeAnswer>,
    /// The last trade in canonical order.
    last: Option<TradeAnswer>,
    /// Where the watermark stood that made the figure final, epoch milliseconds; of a
    /// moment that is no mark, that of the mark after it. Null where that is not kept.
    watermark: Option<i64>,
    /// Whether nothing is known to be missing in the window.
    complete: bool,
    /// What is known to be missing: at most 100 spans.
    missing: Vec<Missing>,
    /// The digest of the window's trades.
    digest: DigestAnswer,
    /// The figure's place in the chain of its ticker and interval. Null where it has none.
    chain: Option<ChainAnswer>,
    /// Why it has no place in the chain. Null where it has one.
    unchained: Option<&'static str>,
    /// The seconds of the window that hold a trade, oldest first. Null unless asked for with `detail=seconds`.
    seconds: Option<Vec<SecondAnswer>>,
}

/// One trade.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReceiptTrade)]
struct TradeAnswer {
    /// The exchange's time of it, epoch milliseconds.
    ts: i64,
    /// The exchange's name for it.
    tradeid: String,
    /// Its price.
    price: String,
    /// Its quantity.
    quantity: String,
}

/// A digest, and how it is taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Digest)]
struct DigestAnswer {
    /// The algorithm.
    #[schema(example = "sha-256")]
    algorithm: &'static str,
    /// The canonical form it is taken over: one line `ts tradeid price quantity` per trade,
    /// ended by a line feed, sorted by `ts` and then by the bytes of `tradeid`; plain
    /// decimals without closing zeros.
    #[schema(example = "truetape-trades-1")]
    form: &'static str,
    /// 64 hexadecimal digits.
    value: String,
}

/// A place in the chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainPlace)]
struct ChainAnswer {
    /// The canonical form of entries: one line `previous_link entry exchange ticker interval
    /// ts revision trades volume notional second_digest`, ended by a line feed.
    #[schema(example = "truetape-chain-1")]
    form: &'static str,
    /// The entry's number, from 1.
    entry: u64,
    /// The SHA-256 of the entry's line.
    link: String,
    /// The link of the entry before; the genesis before the first. Null where it is no longer kept.
    previous_link: Option<String>,
    /// The digest of the trades of the last second of the window.
    second_digest: String,
}

/// The trades of one second `(ts - 1 s, ts]`, as far as it lies in the window.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReceiptSecond)]
struct SecondAnswer {
    /// Where the second ends, epoch milliseconds.
    ts: i64,
    /// How many trades.
    trades: u64,
    /// Their digest.
    digest: String,
}

impl ReceiptAnswer {
    /// The receipt of a final moment, whose trades were read.
    pub fn new(receipt: &Receipt, evidence: &Evidence, window: Window, detail: Option<Detail>) -> Self {
        let Receipt { standing, gaps, kept, final_watermark, .. } = receipt;
        let (opens_after, closes_at) = (window.opens_after(), window.closes_at());
        let interval_ms = closes_at.ms_since(opens_after);
        let sums = kept.map_or(evidence.sums, |kept| kept.sums);
        let price = kept.map_or_else(|| evidence.sums.vwap(), |kept| kept.price);
        let revision = kept.map(|kept| kept.revision);
        let missing = missing(standing, window, gaps);
        let place = kept.and_then(|kept| kept.place);
        let second_digest = evidence.second_digest(Mark::at_or_after(closes_at));
        Self {
            exchange: standing.venue.clone(),
            ticker: standing.ticker.to_string(),
            ts: closes_at.ms(),
            time: rfc3339(closes_at),
            interval: interval_ms,
            window: WindowAnswer::from(window),
            counted_after: opens_after.max(standing.tape_from).ms(),
            state: if revision.is_some_and(|revision| revision > 0) { State::Restated } else { State::Final },
            revision,
            price: price.map(|price| price.to_string()),
            volume: sums.volume.to_string(),
            notional: sums.notional.to_string(),
            trades: sums.trades,
            first: evidence.first.as_ref().map(TradeAnswer::of),
            last: evidence.last.as_ref().map(TradeAnswer::of),
            watermark: final_watermark.map(tape::EpochMs::ms),
            complete: missing.is_empty(),
            missing,
            digest: DigestAnswer { algorithm: ALGORITHM, form: TRADES_FORM, value: evidence.digest.to_string() },
            chain: place.map(|place| ChainAnswer::of(place, receipt, interval_ms, second_digest)),
            unchained: match (place, kept) {
                (Some(_), _) => None,
                (None, Some(_)) => Some("The figure became final before the chain began."),
                (None, None) => Some("Only the whole seconds of the interval that is calculated are chained."),
            },
            seconds: detail.map(|Detail::Seconds| evidence.seconds.iter().map(SecondAnswer::of).collect()),
        }
    }
}

impl ChainAnswer {
    fn of(place: Place, receipt: &Receipt, interval_ms: i64, second_digest: Digest) -> Self {
        let Place { entry, link, previous_link } = place;
        let genesis = || {
            let interval = tape::Interval::from_ms(interval_ms)?;
            let (exchange, ticker) = (receipt.standing.venue.clone(), receipt.standing.ticker.clone());
            Some(Chain { exchange, ticker, interval }.genesis().link)
        };
        let previous_link = if entry == 1 { genesis() } else { previous_link };
        Self {
            form: chain::CHAIN_FORM,
            entry,
            link: link.to_string(),
            previous_link: previous_link.map(|link| link.to_string()),
            second_digest: second_digest.to_string(),
        }
    }
}

impl TradeAnswer {
    fn of(trade: &Trade) -> Self {
        let Trade { id, traded_at, price, quantity, .. } = trade;
        Self { ts: traded_at.ms(), tradeid: id.to_string(), price: price.to_string(), quantity: quantity.to_string() }
    }
}

impl SecondAnswer {
    fn of(second: &tape::evidence::Second) -> Self {
        Self { ts: second.mark.at().ms(), trades: second.trades, digest: second.digest.to_string() }
    }
}
