//! Figures of marks of which nothing was said, written by the fastest way there is.

use postgres_types::Type;
use tape::EpochMs;

use super::Figure;
use super::columns::{ChainedColumns, FigureColumns};
use crate::StoreError;
use crate::bounds::StatementColumns;
use crate::copying::Column;
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
        let StatementColumns { tails, classes, bounds, unsaid, .. } = StatementColumns::new(figures);
        let at = at.ms();
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
        self.copy_unless_held(include_str!("../../sql/figures_copy_said.sql"), &copied, figures.len()).await
    }

    /// Writes final figures of marks of which nothing was said; false, and none
    /// is written, when something was said of one.
    pub(super) async fn figures_copy_final(&self, figures: &[&Figure], at: EpochMs) -> Result<bool, StoreError> {
        if figures.is_empty() {
            return Ok(true);
        }
        let columns = FigureColumns::new(figures);
        let ChainedColumns { entries, links, watermarks } = ChainedColumns::new(figures);
        let at = at.ms();
        let mut copied = columns.of_every_figure(&self.venue);
        copied.extend([
            Column::same(Type::BOOL, &true),
            Column::same(Type::INT8, &at),
            Column::same(Type::INT8, &at),
            Column::each(Type::INT8, &entries),
            Column::each(Type::BYTEA, &links),
            Column::each(Type::INT8, &watermarks),
        ]);
        self.copy_unless_held(include_str!("../../sql/figures_copy_final.sql"), &copied, figures.len()).await
    }
}
