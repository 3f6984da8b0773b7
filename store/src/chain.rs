//! Where the chains of final figures end. An end moves in the transaction that
//! writes the entries it moves past, and only from where its mover believes it
//! to be: nobody can append to a chain they have not seen the end of.

use tape::{Head, Interval, Ticker};

use crate::row::{column, digest, ticker};
use crate::txn::WriteTxn;
use crate::{Store, StoreError};

/// A step of one chain's end, past one entry or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainStep {
    /// The ticker.
    pub ticker: Ticker,
    /// How long the chain's windows are.
    pub interval: Interval,
    /// Where it is believed to end; the genesis when it has no entry yet.
    pub from: Head,
    /// Where it ends then.
    pub to: Head,
}

impl Store {
    /// Where the chains of a venue and interval end. A ticker without one has none yet.
    ///
    /// # Errors
    /// When the database cannot be asked, or holds what is no link.
    pub async fn chain_heads(&self, venue: &str, interval: Interval) -> Result<Vec<(Ticker, Head)>, StoreError> {
        let session = self.session().await?;
        let rows = session.query(include_str!("../sql/chain_heads.sql"), &[&venue, &interval.ms()]).await?;
        let mut heads = Vec::with_capacity(rows.len());
        for row in &rows {
            let entry: i64 = column(row, "entry")?;
            let entry = u64::try_from(entry).map_err(|source| StoreError::unreadable("entry", source))?;
            heads.push((ticker(row, "ticker")?, Head { entry, link: digest(row, "link")? }));
        }
        Ok(heads)
    }
}

impl WriteTxn {
    /// Moves the ends of chains, at most one step each.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when one is not where it is believed to be: the
    /// transaction cannot be committed then.
    pub async fn chain_advance(&self, steps: &[ChainStep]) -> Result<(), StoreError> {
        let mut steps: Vec<&ChainStep> = steps.iter().filter(|step| step.from.entry < step.to.entry).collect();
        steps.sort_by(|a, b| (&a.ticker, a.interval).cmp(&(&b.ticker, b.interval)));
        let (first, later): (Vec<&ChainStep>, Vec<&ChainStep>) =
            steps.into_iter().partition(|step| step.from.entry == 0);
        let mut moved = 0;
        if !first.is_empty() {
            let StepColumns { tickers, intervals, entries, links, .. } = StepColumns::new(&first);
            let sql = include_str!("../sql/chain_begin.sql");
            moved += self.session.execute(sql, &[&self.venue, &tickers, &intervals, &entries, &links]).await?;
        }
        if !later.is_empty() {
            let StepColumns { tickers, intervals, entries, links, from_entries, from_links } = StepColumns::new(&later);
            let sql = include_str!("../sql/chain_advance.sql");
            let params: crate::session::Params<'_> =
                &[&self.venue, &tickers, &intervals, &entries, &links, &from_entries, &from_links];
            moved += self.session.execute(sql, params).await?;
        }
        let wanted = first.len() + later.len();
        if moved != wanted as u64 {
            self.session.fail();
            let reason = format!("{} of {wanted} chains do not end where they were believed to", wanted as u64 - moved);
            return Err(StoreError::refused("appending to chains", reason));
        }
        Ok(())
    }
}

/// The number of a chain's last entry, as a column has it.
pub(crate) fn entry_number(head: &Head) -> i64 {
    i64::try_from(head.entry).expect("one entry a second does not reach 2^63")
}

#[derive(Default)]
struct StepColumns<'a> {
    tickers: Vec<&'a str>,
    intervals: Vec<i64>,
    entries: Vec<i64>,
    links: Vec<&'a [u8]>,
    from_entries: Vec<i64>,
    from_links: Vec<&'a [u8]>,
}

impl<'a> StepColumns<'a> {
    fn new(steps: &[&'a ChainStep]) -> Self {
        let mut columns = Self::default();
        for ChainStep { ticker, interval, from, to } in steps.iter().copied() {
            columns.tickers.push(ticker.as_str());
            columns.intervals.push(interval.ms());
            columns.entries.push(entry_number(to));
            columns.links.push(to.link.bytes());
            columns.from_entries.push(entry_number(from));
            columns.from_links.push(from.link.bytes());
        }
        columns
    }
}
