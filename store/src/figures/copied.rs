//! Figures of marks of which nothing was said, written by the fastest way there is.

use postgres_types::Type;
use tape::EpochMs;

use super::Figure;
use super::columns::{ChainedColumns, FigureColumns};
use crate::StoreError;
use crate::bounds::StatementColumns;
use crate::session::Param;
use crate::txn::WriteTxn;

impl WriteTxn {
    /// Writes provisional figures of marks of which nothing was said; false,
    /// and none is written, when something was said of one.
    pub(super) async fn figures_copy_said(
        &self,
        columns: &FigureColumns<'_>,
        figures: &[&Figure],
        at: EpochMs,
    ) -> Result<bool, StoreError> {
        const TYPES: [Type; 16] = [
            Type::TEXT,
            Type::TEXT,
            Type::INT8,
            Type::INT8,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::INT8,
            Type::INT8,
            Type::INT8,
            Type::BOOL,
            Type::INT8,
            Type::INT8,
            Type::INT2,
            Type::NUMERIC,
            Type::TEXT,
        ];
        let FigureColumns { tickers, intervals, marks, prices, volumes, notionals, trades, .. } = columns;
        let StatementColumns { tails, classes, bounds, unsaid, .. } = StatementColumns::new(figures);
        let at = at.ms();
        let row = |index: usize| -> [Param<'_>; 16] {
            [
                &self.venue,
                &tickers[index],
                &intervals[index],
                &marks[index],
                &prices[index],
                &volumes[index],
                &notionals[index],
                &trades[index],
                &columns.confirmed_trades[index],
                &columns.quarantined_trades[index],
                &false,
                &at,
                &tails[index],
                &classes[index],
                &bounds[index],
                &unsaid[index],
            ]
        };
        let sql = include_str!("../../sql/figures_copy_said.sql");
        self.copy_or_go_back(sql, &TYPES, (0..figures.len()).map(row)).await
    }

    /// Writes final figures of marks of which nothing was said.
    pub(super) async fn figures_copy_final(&self, figures: &[&Figure], at: EpochMs) -> Result<(), StoreError> {
        const TYPES: [Type; 15] = [
            Type::TEXT,
            Type::TEXT,
            Type::INT8,
            Type::INT8,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::NUMERIC,
            Type::INT8,
            Type::INT8,
            Type::BOOL,
            Type::INT8,
            Type::INT8,
            Type::INT8,
            Type::BYTEA,
            Type::INT8,
        ];
        if figures.is_empty() {
            return Ok(());
        }
        let columns = FigureColumns::new(figures);
        let FigureColumns { tickers, intervals, marks, prices, volumes, notionals, trades, .. } = &columns;
        let ChainedColumns { entries, links, watermarks } = ChainedColumns::new(figures);
        let at = at.ms();
        let row = |index: usize| -> [Param<'_>; 15] {
            [
                &self.venue,
                &tickers[index],
                &intervals[index],
                &marks[index],
                &prices[index],
                &volumes[index],
                &notionals[index],
                &trades[index],
                &columns.confirmed_trades[index],
                &true,
                &at,
                &at,
                &entries[index],
                &links[index],
                &watermarks[index],
            ]
        };
        let sql = include_str!("../../sql/figures_copy_new.sql");
        let written = self.session.copy_unless_held(sql, &TYPES, (0..figures.len()).map(row)).await?;
        written
            .map(drop)
            .ok_or_else(|| StoreError::refused("writing figures", "a mark is there that was not a moment ago"))
    }
}
