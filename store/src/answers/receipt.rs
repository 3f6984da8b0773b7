//! What is kept of one final moment, and the trades it rests on, read in one
//! snapshot, however many statements that takes.

use tape::{Digest, EpochMs, Evidence, Gathering, Sums, Vwap, Window};
use tokio_postgres::Row;

use super::figure::revision;
use super::gap::gaps;
use super::standing::standing;
use super::{Gap, Moment, Standing};
use crate::numeric::Numeric;
use crate::row::{column, count, digest_if_any, sums, trade};
use crate::session::{Params, Session};
use crate::{Store, StoreError};

/// How many trades are read at once.
const TRADES_AT_ONCE: usize = 10_000;

/// What a receipt is made of. One per venue that has the ticker.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// How far the ticker is known.
    pub standing: Standing,
    /// What is known to be missing in the window.
    pub gaps: Vec<Gap>,
    /// The final figure, where the moment is a kept mark.
    pub kept: Option<Kept>,
    /// Where the watermark stood that made the moment final, as far as that is kept.
    pub final_watermark: Option<EpochMs>,
    /// The trades of the window.
    pub trades: Trades,
}

/// A final figure as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its price.
    pub price: Option<Vwap>,
    /// Its exact sums.
    pub sums: Sums,
    /// How often it was restated.
    pub revision: u32,
    /// Its place in the chain, if it has one.
    pub place: Option<Place>,
}

/// A place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The entry's number.
    pub entry: u64,
    /// Its link.
    pub link: Digest,
    /// The link before it. None for the first entry, and where that is not kept any more.
    pub previous_link: Option<Digest>,
}

/// What was read of the trades of a window.
#[derive(Debug, Clone)]
pub enum Trades {
    /// Nothing, since the moment is not final or several venues have the ticker.
    Unread,
    /// There are more than asked for.
    TooMany,
    /// All of them.
    Read(Box<Evidence>),
}

impl Store {
    /// What is kept of a moment, and what its trades come to, at most
    /// `trades_limit` of them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn receipt_at(
        &self,
        venue: Option<&str>,
        name: &tape::Ticker,
        moment: Moment,
        trades_limit: u64,
    ) -> Result<Vec<Receipt>, StoreError> {
        const SNAPSHOT: &str = "begin isolation level repeatable read read only";
        let Moment { closes_at, interval, kept_interval } = moment;
        let window = Window::closing_at(closes_at, interval);
        let may_be_kept = interval == kept_interval && closes_at.ms() % 1000 == 0;
        let params: Params<'_> = &[
            &venue,
            &name.as_str(),
            &interval.ms(),
            &window.opens_after().ms(),
            &closes_at.ms(),
            &kept_interval.ms(),
            &may_be_kept,
        ];
        let session = self.session().await?;
        session.batch("beginning a snapshot", SNAPSHOT).await?;
        let rows = session.query(include_str!("../../sql/answer_receipt.sql"), params).await?;
        let mut receipts = rows.iter().map(receipt).collect::<Result<Vec<_>, _>>()?;
        if let [only] = receipts.as_mut_slice() {
            let is_final = closes_at <= only.standing.settled_until;
            let is_too_large = only.kept.is_some_and(|kept| trades_limit < kept.sums.trades);
            only.trades = match (is_final, is_too_large) {
                (false, _) => Trades::Unread,
                (true, true) => Trades::TooMany,
                (true, false) => gather(&session, &only.standing, window, trades_limit).await?,
            };
        }
        session.batch("ending a snapshot", "commit").await?;
        Ok(receipts)
    }
}

/// Reads the trades of a window piece by piece: memory depends on its seconds.
async fn gather(session: &Session, standing: &Standing, window: Window, limit: u64) -> Result<Trades, StoreError> {
    let (venue, ticker) = (&standing.venue, standing.ticker.as_str());
    let mut gathering = Gathering::default();
    loop {
        let (after_ts, after_id) = match gathering.last() {
            Some(last) => (last.traded_at.ms(), last.id.as_str().to_owned()),
            None => (window.opens_after().ms(), String::new()),
        };
        let at_once = i64::try_from(TRADES_AT_ONCE).expect("a small constant");
        let params: Params<'_> =
            &[venue, &ticker, &window.opens_after().ms(), &window.closes_at().ms(), &after_ts, &after_id, &at_once];
        let rows = session.query(include_str!("../../sql/answer_receipt_trades.sql"), params).await?;
        for row in &rows {
            gathering.add(trade(row)?);
        }
        if limit < gathering.trades() {
            return Ok(Trades::TooMany);
        }
        if rows.len() < TRADES_AT_ONCE {
            return Ok(Trades::Read(Box::new(gathering.finish())));
        }
    }
}

fn receipt(row: &Row) -> Result<Receipt, StoreError> {
    let kept = if column(row, "is_kept")? { Some(kept(row)?) } else { None };
    let final_watermark: Option<i64> = column(row, "final_watermark")?;
    Ok(Receipt {
        standing: standing(row)?,
        gaps: gaps(row)?,
        kept,
        final_watermark: final_watermark.map(EpochMs::new),
        trades: Trades::Unread,
    })
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    let price: Option<Numeric<24>> = column(row, "price")?;
    Ok(Kept {
        price: price.map(|price| price.0),
        sums: sums(row, "trades", "volume", "notional")?,
        revision: revision(row)?,
        place: place(row)?,
    })
}

/// The place in the chain that a row has, if it has one.
pub(super) fn place(row: &Row) -> Result<Option<Place>, StoreError> {
    let Some(link) = digest_if_any(row, "link")? else { return Ok(None) };
    Ok(Some(Place { entry: count(row, "entry")?, link, previous_link: digest_if_any(row, "previous_link")? }))
}
