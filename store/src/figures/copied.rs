//! Figures of marks of which nothing was said, written by the fastest way there is.

use bytes::BytesMut;
use postgres_types::Type;
use tape::{EpochMs, Interval, Mark, Ticker};

use super::Figure;
use super::columns::{ChainedColumns, FigureColumns};
use crate::StoreError;
use crate::bounds::StatementColumns;
use crate::copying::{Column, CopyStatement, ROWS_OF_A_PIECE, Unencodable, put_rows};
use crate::partitions::{Day, Written};
use crate::row::{column, ticker};
use crate::session::Params;
use crate::txn::WriteTxn;

/// Marks of one ticker, from one to another, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkSpan {
    /// The ticker.
    pub ticker: Ticker,
    /// How long its windows are.
    pub interval: Interval,
    /// The first mark.
    pub first: Mark,
    /// The last mark.
    pub last: Mark,
}

/// Figures that are made while those before them are written.
pub trait Pieces: Send {
    /// The next of them, in the order of their marks; none when there are no more.
    fn next_piece(&mut self) -> Option<&[Figure]>;
}

impl WriteTxn {
    /// Writes the final figures of a span, piece by piece as they are made;
    /// false, and none is written, when something was said of a mark of it. Then
    /// some may have been made, and others not. `meanwhile` is done when all are
    /// on their way, if that comes to be.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn figures_copy_final(
        &self,
        span: &MarkSpan,
        pieces: &mut dyn Pieces,
        final_at: EpochMs,
        meanwhile: impl FnOnce() + Send,
    ) -> Result<bool, StoreError> {
        let (first, last) = (Day::of(span.first.at()), Day::of(span.last.at()));
        // In this order on the wire: what reads the history keeps its days where they are.
        let (held, is_attached) =
            tokio::try_join!(biased; self.spans_held(std::slice::from_ref(span)), self.is_attached(first))?;
        if !held.is_empty() {
            return Ok(false);
        }
        self.partitions_ensure_days(first.through(last).collect(), Written::Final(final_at)).await?;
        let copy = if first == last && is_attached { final_of_day(first) } else { CopyStatement::Kept(FINAL) };
        let more = |text: &mut BytesMut| {
            let Some(piece) = pieces.next_piece() else { return Ok(false) };
            let figures: Vec<&Figure> = piece.iter().collect();
            put_final(text, &self.venue, &figures, final_at)?;
            Ok(true)
        };
        self.copy_unless_held(&copy, more, meanwhile).await
    }

    /// Writes final figures of marks of which nothing was said; false, and none
    /// is written, when something was said of one.
    pub(super) async fn figures_copy_unsaid(&self, figures: &[&Figure], final_at: EpochMs) -> Result<bool, StoreError> {
        if figures.is_empty() {
            return Ok(true);
        }
        let mut pieces = figures.chunks(ROWS_OF_A_PIECE);
        let more = |text: &mut BytesMut| {
            let Some(piece) = pieces.next() else { return Ok(false) };
            put_final(text, &self.venue, piece, final_at)?;
            Ok(true)
        };
        self.copy_unless_held(&CopyStatement::Kept(FINAL), more, || ()).await
    }

    /// Writes provisional figures of marks of which nothing was said; false,
    /// and none is written, when something was said of one.
    pub(super) async fn figures_copy_said(&self, figures: &[&Figure], at: EpochMs) -> Result<bool, StoreError> {
        let at = at.ms();
        let mut pieces = figures.chunks(ROWS_OF_A_PIECE);
        let more = |text: &mut BytesMut| {
            let Some(piece) = pieces.next() else { return Ok(false) };
            let columns = FigureColumns::new(piece);
            let StatementColumns { tails, classes, bounds, unsaid, .. } = StatementColumns::new(piece);
            let mut copied = columns.of_every_figure(&self.venue);
            copied.extend([
                Column::each(Type::INT8, &columns.quarantined_trades),
                Column::same(Type::BOOL, &false),
                Column::same(Type::INT8, &at),
                Column::each(Type::INT8, &tails),
                Column::each(Type::INT2, &classes),
                Column::each(Type::NUMERIC, &bounds),
                Column::each(Type::TEXT, &unsaid),
            ]);
            put_rows(text, &copied, piece.len())?;
            Ok(true)
        };
        self.copy_unless_held(&CopyStatement::Kept(SAID), more, || ()).await
    }

    /// The spans of which a figure is held, by ticker and interval in milliseconds.
    pub(super) async fn spans_held(&self, spans: &[MarkSpan]) -> Result<Vec<(Ticker, i64)>, StoreError> {
        let tickers: Vec<&str> = spans.iter().map(|span| span.ticker.as_str()).collect();
        let intervals: Vec<i64> = spans.iter().map(|span| span.interval.ms()).collect();
        let (firsts, lasts): (Vec<i64>, Vec<i64>) =
            spans.iter().map(|span| (span.first.at().ms(), span.last.at().ms())).unzip();
        let sql = include_str!("../../sql/figures_spans_held.sql");
        let (earliest, latest) = (firsts.iter().min(), lasts.iter().max());
        let params: Params<'_> = &[&self.venue, &tickers, &intervals, &firsts, &lasts, &earliest, &latest];
        let held = self.session.query(sql, params).await?;
        held.iter().map(|row| Ok((ticker(row, "ticker")?, column(row, "interval")?))).collect()
    }
}

const SAID: &str = include_str!("../../sql/figures_copy_said.sql");
const FINAL: &str = include_str!("../../sql/figures_copy_final.sql");

/// The same straight into the partition of a day, as long as it is one: Postgres
/// need not look for it row by row, a fifteenth of its work. It refuses marks of
/// other days.
fn final_of_day(day: Day) -> CopyStatement {
    CopyStatement::Made(FINAL.replacen("copy vwap_history ", &format!("copy {} ", day.partition()), 1))
}

fn put_final(text: &mut BytesMut, venue: &String, figures: &[&Figure], at: EpochMs) -> Result<(), Unencodable> {
    let columns = FigureColumns::new(figures);
    let ChainedColumns { entries, links, watermarks } = ChainedColumns::new(figures);
    let at = at.ms();
    let mut copied = columns.of_every_figure(venue);
    copied.extend([
        Column::same(Type::BOOL, &true),
        Column::same(Type::INT8, &at),
        Column::same(Type::INT8, &at),
        Column::each(Type::INT8, &entries),
        Column::each(Type::BYTEA, &links),
        Column::each(Type::INT8, &watermarks),
    ]);
    put_rows(text, &copied, figures.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_one_day_go_straight_into_its_partition() {
        let copy = final_of_day(Day::of(EpochMs::new(1_684_083_600_000)));

        assert!(copy.sql().contains("\ncopy vwap_history_20230514 (\n"), "{}", copy.sql());
    }
}
