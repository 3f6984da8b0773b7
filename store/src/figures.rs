//! Figures: one per ticker, interval and mark. A provisional one may be said
//! anew; a final one changes by a restatement only.

mod columns;
mod copied;

use std::cmp::Reverse;
use std::collections::HashSet;

use tape::book::Said;
use tape::bound::Statement;
use tape::{Digest, EpochMs, Head, Interval, Mark, Sums, Ticker};

use self::columns::{AppendedColumns, ChainedColumns, FigureColumns};
pub use self::copied::{MarkSpan, Pieces};
use crate::StoreError;
use crate::bounds::StatementColumns;
use crate::partitions::{Day, Written};
use crate::row::count;
use crate::session::Param;
use crate::txn::WriteTxn;

/// Fewer rows are written as quickly by a statement that looks what is there.
const WORTH_COPYING: usize = 100;

/// How many rows one statement writes at most.
const ROWS_AT_ONCE: usize = 10_000;

/// What is said of one ticker's window at one mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The ticker.
    pub ticker: Ticker,
    /// How long the window is.
    pub interval: Interval,
    /// When the window closes.
    pub mark: Mark,
    /// The exact sums of its trades.
    pub sums: Sums,
    /// How many of them are confirmed.
    pub confirmed_trades: u64,
    /// How many suspects claim to belong to the window and are not counted.
    pub quarantined_trades: u64,
    /// Its place in the chain; none for a provisional figure.
    pub chained: Option<Chained>,
    /// How wrong it may be; none for a final figure.
    pub bound: Option<Statement>,
}

/// The place of a final figure in the chain of its ticker and interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chained {
    /// The chain's end when its entry has been appended.
    pub head: Head,
    /// Where the watermark stood that made it final.
    pub final_watermark: EpochMs,
}

/// A final figure that was wrong, and why it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restatement {
    /// The figure as it is now.
    pub figure: Figure,
    /// Why.
    pub reason: String,
    /// The entry it appends to the chain: see [`tape::chain`]. None where the
    /// mark was never chained, since it became final before there was a chain.
    ///
    /// Whoever restates knows the chain's end, appends to it with
    /// [`tape::Chain::append`] one entry for each mark whose sums or second
    /// digest change, in the order of the marks, and moves the end with
    /// [`WriteTxn::chain_advance`] in the same transaction. A mark of which
    /// neither changes must not be given: an entry would be counted that
    /// nobody finds.
    pub appended: Option<Appended>,
}

/// The entry of the chain that says that a figure was restated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The link before it.
    pub previous_link: Digest,
    /// The chain's end when it has been appended.
    pub head: Head,
    /// The digest of the mark's second as its trades were.
    pub old_second_digest: Digest,
    /// The digest of the mark's second as its trades are.
    pub new_second_digest: Digest,
}

impl Figure {
    /// The figure of what was said of a ticker.
    pub fn new(ticker: Ticker, interval: Interval, said: Said) -> Self {
        let Said { mark, sums, confirmed_trades, quarantined_trades } = said;
        Self { ticker, interval, mark, sums, confirmed_trades, quarantined_trades, chained: None, bound: None }
    }
}

impl WriteTxn {
    /// Writes final figures. What was said before is kept beside each. A
    /// figure that is final already is left as it is; returns how many of
    /// those have other values than the ones given here, which must be none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn figures_insert_final(&self, figures: &[Figure], final_at: EpochMs) -> Result<u64, StoreError> {
        self.partitions_ensure(figures, Written::Final(final_at)).await?;
        let mut differing = 0;
        for rows in by_key(figures).chunks(ROWS_AT_ONCE) {
            let (new, mut said) = self.figures_parted(rows).await?;
            if !self.figures_copy_unsaid(&new, final_at).await? {
                // Of one of them something was said since.
                said = rows.to_vec();
            }
            let columns = FigureColumns::new(&said);
            let written = self.figures_write_final(&columns, &said, final_at).await?;
            // Whatever was not written was final before.
            if written < said.len() as u64 {
                differing += self.figures_differing(&columns).await?;
            }
        }
        Ok(differing)
    }

    /// Writes provisional figures, replacing provisional ones. A final figure
    /// is left as it is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn figures_insert_provisional(
        &self,
        figures: &[Figure],
        calculated_at: EpochMs,
    ) -> Result<(), StoreError> {
        self.partitions_ensure(figures, Written::ToChange).await?;
        for rows in by_key(figures).chunks(ROWS_AT_ONCE) {
            let sql = include_str!("../sql/figures_insert_provisional.sql");
            if WORTH_COPYING <= rows.len() && self.figures_copy_said(rows, calculated_at).await? {
                continue;
            }
            let columns = FigureColumns::new(rows);
            let StatementColumns { tails, classes, bounds, unsaid, .. } = StatementColumns::new(rows);
            let more: [Param<'_>; 4] = [&tails, &classes, &bounds, &unsaid];
            self.figures_write(sql, &columns, calculated_at, &more).await?;
        }
        Ok(())
    }

    /// Makes figures the latest of their ticker and interval, if they are newer
    /// than those, or final where those are provisional; and lets whoever
    /// listens on [`FIGURES_CHANNEL`](crate::FIGURES_CHANNEL) know when this commits.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn latest_upsert(
        &self,
        figures: &[Figure],
        is_final: bool,
        calculated_at: EpochMs,
    ) -> Result<u64, StoreError> {
        let mut newest: Vec<&Figure> = figures.iter().collect();
        newest.sort_by_key(|figure| (&figure.ticker, figure.interval, Reverse(figure.mark)));
        newest.dedup_by_key(|figure| (&figure.ticker, figure.interval));
        let mut changed = 0;
        for rows in newest.chunks(ROWS_AT_ONCE) {
            let columns = FigureColumns::new(rows);
            changed += if is_final {
                let sql = include_str!("../sql/latest_upsert_final.sql");
                self.figures_write(sql, &columns, calculated_at, &[]).await?
            } else {
                let said = StatementColumns::new(rows);
                let more: [Param<'_>; 9] = [
                    &said.tails,
                    &said.bounds,
                    &said.unsaid,
                    &said.marks,
                    &said.marks_needed,
                    &said.coverages,
                    &said.levels,
                    &said.kept,
                    &said.broken,
                ];
                let sql = include_str!("../sql/latest_upsert_provisional.sql");
                self.figures_write(sql, &columns, calculated_at, &more).await?
            };
        }
        if changed > 0 {
            self.news.add(newest.iter().map(|figure| &figure.ticker));
        }
        Ok(changed)
    }

    /// Changes final figures, and writes for each what it was, what it is and
    /// why. Returns how many changed; one that has these values already, or is
    /// not final, does not.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn figures_restate(&self, restatements: &[Restatement], restated_at: EpochMs) -> Result<u64, StoreError> {
        let mut sorted: Vec<&Restatement> = restatements.iter().collect();
        sorted.sort_by_key(|it| (&it.figure.ticker, it.figure.interval, it.figure.mark));
        sorted.dedup_by_key(|it| (&it.figure.ticker, it.figure.interval, it.figure.mark));
        let mut changed = 0;
        for rows in sorted.chunks(ROWS_AT_ONCE) {
            let figures: Vec<&Figure> = rows.iter().map(|it| &it.figure).collect();
            let reasons: Vec<&str> = rows.iter().map(|it| it.reason.as_str()).collect();
            let FigureColumns { tickers, intervals, marks, prices, volumes, notionals, trades, .. } =
                FigureColumns::new(&figures);
            let AppendedColumns { entries, links, previous_links, old_digests, new_digests } =
                AppendedColumns::new(rows);
            let sql = include_str!("../sql/figures_restate.sql");
            let row = self
                .session
                .query(
                    sql,
                    &[
                        &self.venue,
                        &tickers,
                        &intervals,
                        &marks,
                        &prices,
                        &volumes,
                        &notionals,
                        &trades,
                        &reasons,
                        &restated_at.ms(),
                        &entries,
                        &links,
                        &previous_links,
                        &old_digests,
                        &new_digests,
                    ],
                )
                .await?;
            changed += row.first().map(|row| count(row, "changed")).transpose()?.unwrap_or(0);
        }
        if changed > 0 {
            self.news.add(sorted.iter().map(|it| &it.figure.ticker));
        }
        Ok(changed)
    }

    async fn partitions_ensure(&self, figures: &[Figure], written: Written) -> Result<(), StoreError> {
        let days = figures.iter().map(|figure| Day::of(figure.mark.at())).collect();
        self.partitions_ensure_days(days, written).await
    }

    /// Runs a statement over figures, with more columns of the same rows after the others.
    async fn figures_write(
        &self,
        sql: &'static str,
        columns: &FigureColumns<'_>,
        at: EpochMs,
        more: &[Param<'_>],
    ) -> Result<u64, StoreError> {
        let FigureColumns { tickers, intervals, marks, prices, volumes, notionals, trades, .. } = columns;
        let (confirmed, quarantined, at) = (&columns.confirmed_trades, &columns.quarantined_trades, at.ms());
        let common: [Param<'_>; 11] =
            [&self.venue, tickers, intervals, marks, prices, volumes, notionals, trades, confirmed, &at, quarantined];
        self.session.execute(sql, &[&common, more].concat()).await
    }

    async fn figures_write_final(
        &self,
        columns: &FigureColumns<'_>,
        figures: &[&Figure],
        at: EpochMs,
    ) -> Result<u64, StoreError> {
        if figures.is_empty() {
            return Ok(0);
        }
        let FigureColumns { tickers, intervals, marks, prices, volumes, notionals, trades, .. } = columns;
        let ChainedColumns { entries, links, watermarks } = ChainedColumns::new(figures);
        self.session
            .execute(
                include_str!("../sql/figures_insert_final.sql"),
                &[
                    &self.venue,
                    tickers,
                    intervals,
                    marks,
                    prices,
                    volumes,
                    notionals,
                    trades,
                    &columns.confirmed_trades,
                    &at.ms(),
                    &entries,
                    &links,
                    &watermarks,
                ],
            )
            .await
    }

    /// Sorted figures of marks of which nothing was said, and the others. Only
    /// where many marks of one ticker become final together is it worth asking:
    /// live ones come by ones and twos, and something was said of them.
    async fn figures_parted<'a>(
        &self,
        sorted: &[&'a Figure],
    ) -> Result<(Vec<&'a Figure>, Vec<&'a Figure>), StoreError> {
        let of_one = |one: &&Figure, next: &&Figure| one.ticker == next.ticker && one.interval == next.interval;
        let long = sorted.chunk_by(of_one).filter(|figures| BACKFILLED_TOGETHER <= figures.len());
        let spans: Vec<MarkSpan> = long.map(span_of).collect();
        if spans.is_empty() {
            return Ok((Vec::new(), sorted.to_vec()));
        }
        let held = self.spans_held(&spans).await?;
        let mut new: HashSet<(&Ticker, i64)> = spans.iter().map(|span| (&span.ticker, span.interval.ms())).collect();
        for (ticker, interval) in &held {
            new.remove(&(ticker, *interval));
        }
        let is_new = |figure: &&Figure| new.contains(&(&figure.ticker, figure.interval.ms()));
        Ok(sorted.iter().copied().partition(is_new))
    }

    async fn figures_differing(&self, columns: &FigureColumns<'_>) -> Result<u64, StoreError> {
        let FigureColumns { tickers, intervals, marks, volumes, notionals, trades, .. } = columns;
        let sql = include_str!("../sql/figures_differing.sql");
        let rows =
            self.session.query(sql, &[&self.venue, tickers, intervals, marks, volumes, notionals, trades]).await?;
        rows.first().map_or(Ok(0), |row| count(row, "differing"))
    }
}

/// Marks of one ticker that become final together, from which on they are asked for first.
const BACKFILLED_TOGETHER: usize = 20;

/// The span of figures of one ticker, one at least, sorted by mark.
fn span_of(figures: &[&Figure]) -> MarkSpan {
    let (first, last) = (figures[0], figures[figures.len() - 1]);
    MarkSpan { ticker: first.ticker.clone(), interval: first.interval, first: first.mark, last: last.mark }
}

/// Figures sorted by key, each key once.
fn by_key(figures: &[Figure]) -> Vec<&Figure> {
    let mut sorted: Vec<&Figure> = figures.iter().collect();
    sorted.sort_by_key(|figure| (&figure.ticker, figure.interval, figure.mark));
    sorted.dedup_by_key(|figure| (&figure.ticker, figure.interval, figure.mark));
    sorted
}
