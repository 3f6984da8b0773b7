//! What a second reading of settled trades needs: what is held of them, and
//! the statements by which the exchange's change of mind is followed.

use tape::audit::Holdings;
use tape::{EpochMs, Finding, HeldFinal, Interval, Mark, Ticker, Trade, TradeId};
use tokio_postgres::Row;

use crate::columns::KeyColumns;
use crate::faults::sides;
use crate::row::{column, instant, sums, trade};
use crate::session::Session;
use crate::trades::known;
use crate::txn::WriteTxn;
use crate::{Store, StoreError};

/// Which holdings of a ticker are asked for.
#[derive(Debug, Clone, Copy)]
pub struct AskedHoldings<'a> {
    /// The ticker.
    pub ticker: &'a Ticker,
    /// The instant after which its settled trades are wanted.
    pub after: EpochMs,
    /// The last instant of which they are wanted.
    pub until: EpochMs,
    /// Names whose holders are wanted whatever their time.
    pub names: &'a [TradeId],
}

impl Store {
    /// What is held of a ticker's settled trades, at one moment; none for a
    /// ticker that is not followed.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn holdings(&self, venue: &str, asked: AskedHoldings<'_>) -> Result<Option<Holdings>, StoreError> {
        holdings(&self.session().await?, venue, asked).await
    }
}

impl WriteTxn {
    /// [`Store::holdings`] within a transaction; the beginning of the ticker's
    /// tape stays where it is until this ends, so that nothing of it is let go of.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn holdings_hold(&self, asked: AskedHoldings<'_>) -> Result<Option<Holdings>, StoreError> {
        let sql = include_str!("../sql/audit_hold.sql");
        self.session.query(sql, &[&self.venue, &asked.ticker.as_str()]).await?;
        holdings(&self.session, &self.venue, asked).await
    }

    /// The confirmed trades of a ticker after an instant and up to another, one
    /// by one, in no order.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn trades_confirmed(
        &self,
        ticker: &Ticker,
        after: EpochMs,
        until: EpochMs,
    ) -> Result<Vec<Trade>, StoreError> {
        let sql = include_str!("../sql/trades_confirmed.sql");
        let rows = self.session.query(sql, &[&self.venue, &ticker.as_str(), &after.ms(), &until.ms()]).await?;
        rows.iter().map(trade).collect()
    }

    /// The final figures of a ticker at the marks from one to another, in their order.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn finals_held(
        &self,
        ticker: &Ticker,
        interval: Interval,
        first: Mark,
        last: Mark,
    ) -> Result<Vec<HeldFinal>, StoreError> {
        let sql = include_str!("../sql/finals_held.sql");
        let (first, last) = (first.at().ms(), last.at().ms());
        let rows = self.session.query(sql, &[&self.venue, &ticker.as_str(), &interval.ms(), &first, &last]).await?;
        let read = |row: &Row| -> Result<HeldFinal, StoreError> {
            let revision: i32 = column(row, "revision")?;
            Ok(HeldFinal {
                mark: Mark::at_or_before(instant(row, "ts")?),
                sums: sums(row, "trades", "volume", "notional")?,
                revision: u32::try_from(revision).map_err(|source| StoreError::unreadable("revision", source))?,
                is_chained: column(row, "is_chained")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Takes out confirmed trades that REST does not have any more, and tells
    /// how many there were.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_withdraw(&self, names: &[(Ticker, TradeId)]) -> Result<u64, StoreError> {
        if names.is_empty() {
            return Ok(0);
        }
        let KeyColumns { tickers, ids } = KeyColumns::new(names);
        let sql = include_str!("../sql/trades_withdraw.sql");
        self.session.execute(sql, &[&self.venue, &tickers, &ids]).await
    }

    /// Adds changes of mind of the exchange to their ledger, and how many
    /// figures they restated together.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn corrections_insert(
        &self,
        findings: &[Finding],
        restated: u64,
        found_at: EpochMs,
    ) -> Result<(), StoreError> {
        if findings.is_empty() {
            return Ok(());
        }
        let tickers: Vec<&str> = findings.iter().map(|finding| finding.name().0.as_str()).collect();
        let ids: Vec<&str> = findings.iter().map(|finding| finding.name().1.as_str()).collect();
        let kinds: Vec<&str> = findings.iter().map(|finding| finding.kind().as_str()).collect();
        let reasons: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let (old_at, old_prices, old_quantities) = sides(findings.iter().map(Finding::was));
        let (new_at, new_prices, new_quantities) = sides(findings.iter().map(Finding::now));
        let at: Vec<Option<i64>> = new_at.iter().zip(&old_at).map(|(new, old)| new.or(*old)).collect();
        let restated = i64::try_from(restated).unwrap_or(i64::MAX);
        self.session
            .execute(
                include_str!("../sql/corrections_insert.sql"),
                &[
                    &self.venue,
                    &tickers,
                    &ids,
                    &kinds,
                    &at,
                    &old_at,
                    &old_prices,
                    &old_quantities,
                    &new_at,
                    &new_prices,
                    &new_quantities,
                    &reasons,
                    &restated,
                    &found_at.ms(),
                ],
            )
            .await?;
        Ok(())
    }
}

async fn holdings(session: &Session, venue: &str, asked: AskedHoldings<'_>) -> Result<Option<Holdings>, StoreError> {
    let AskedHoldings { ticker, after, until, names } = asked;
    let names: Vec<&str> = names.iter().map(TradeId::as_str).collect();
    let sql = include_str!("../sql/audit_held.sql");
    let rows = session.query(sql, &[&venue, &ticker.as_str(), &after.ms(), &until.ms(), &names]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let (tape_from, settled_until) = (instant(first, "tape_from")?, instant(first, "validated_until")?);
    let mut trades = Vec::with_capacity(rows.len());
    for row in &rows {
        if column(row, "is_held")? {
            trades.push(known(row)?);
        }
    }
    Ok(Some(Holdings { tape_from, settled_until, trades }))
}
