//! Rows written by `copy`, the fastest way in: half of what `insert` costs,
//! since Postgres puts them down page by page. It knows no conflicts: for rows
//! of which nothing is held.

use std::pin::pin;

use postgres_types::{ToSql, Type};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;

use crate::StoreError;
use crate::session::{Param, promise_of};
use crate::txn::WriteTxn;

/// One column of the rows that are copied: its type, and what each row has there.
pub(crate) struct Column<'a> {
    kind: Type,
    values: Values<'a>,
}

enum Values<'a> {
    Same(Param<'a>),
    Each(&'a (dyn Listed + Sync)),
}

/// Values, a row each.
pub(crate) trait Listed {
    /// That of a row.
    fn of(&self, row: usize) -> Param<'_>;
}

impl<T: ToSql + Sync> Listed for Vec<T> {
    fn of(&self, row: usize) -> Param<'_> {
        &self[row]
    }
}

impl<'a> Column<'a> {
    /// The same value in every row.
    pub(crate) fn same(kind: Type, value: Param<'a>) -> Self {
        Self { kind, values: Values::Same(value) }
    }

    /// A value for each row.
    pub(crate) fn each(kind: Type, values: &'a (dyn Listed + Sync)) -> Self {
        Self { kind, values: Values::Each(values) }
    }

    fn of(&self, row: usize) -> Param<'_> {
        match self.values {
            Values::Same(value) => value,
            Values::Each(values) => values.of(row),
        }
    }
}

impl WriteTxn {
    /// Copies so many rows into a table by a statement from a `.sql` file that
    /// names these columns in their order; false, and nothing is changed, when a
    /// key is taken.
    pub(crate) async fn copy_unless_held(
        &self,
        sql: &'static str,
        columns: &[Column<'_>],
        rows: usize,
    ) -> Result<bool, StoreError> {
        let object = self.session.object();
        let kinds: Vec<Type> = columns.iter().map(|column| column.kind.clone()).collect();
        let copying = self.session.answered(promise_of(sql), async {
            let statement = object.prepare_cached(sql).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(object.copy_in(&statement).await?, &kinds));
            let mut values: Vec<Param<'_>> = Vec::with_capacity(columns.len());
            for row in 0..rows {
                values.clear();
                values.extend(columns.iter().map(|column| column.of(row)));
                writer.as_mut().write(&values).await?;
            }
            match writer.finish().await {
                Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
                copied => copied.map(|_| true),
            }
        });
        let ((), is_copied) = tokio::try_join!(
            biased;
            self.session.batch("marking where to go back to", "savepoint unheld"),
            copying,
        )?;
        if !is_copied {
            self.session.batch("taking back what could not be written", "rollback to savepoint unheld").await?;
        }
        Ok(is_copied)
    }
}
