//! Rows written by `copy`, the fastest way in: half of what `insert` costs,
//! since Postgres puts them down page by page. It knows no conflicts: for rows
//! of which nothing is held.

use std::error::Error;
use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use postgres_types::{IsNull, ToSql, Type};
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
        let (object, doing) = (self.session.object(), promise_of(sql));
        let opening = self.session.answered(doing, async {
            let statement = object.prepare_cached(sql).await?;
            object.copy_in::<_, Bytes>(&statement).await
        });
        let ((), sink) = tokio::try_join!(
            biased;
            self.session.batch("marking where to go back to", "savepoint unheld"),
            opening,
        )?;
        let mut sink = pin!(sink);
        let mut text = BytesMut::with_capacity(2 * BYTES_AT_ONCE);
        text.put_slice(OPENING);
        for row in 0..rows {
            put_row(&mut text, columns, row).map_err(|cause| {
                // Half of a copy is gone to Postgres: nothing beside it may be committed.
                self.session.fail();
                StoreError::refused(doing, cause)
            })?;
            if BYTES_AT_ONCE < text.len() {
                let full = std::mem::replace(&mut text, BytesMut::with_capacity(2 * BYTES_AT_ONCE));
                self.session.answered(doing, sink.feed(full.freeze())).await?;
            }
        }
        text.put_i16(CLOSING);
        let finishing = async {
            sink.feed(text.freeze()).await?;
            match sink.finish().await {
                Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
                copied => copied.map(|_| true),
            }
        };
        let is_copied = self.session.answered(doing, finishing).await?;
        if !is_copied {
            self.session.batch("taking back what could not be written", "rollback to savepoint unheld").await?;
        }
        Ok(is_copied)
    }
}

/// What stands before the rows, the rows in and what stands behind them: Postgres' binary form of
/// `copy` (its manual, on COPY). The driver's own writer hands on four thousand bytes at a time and
/// waits for each to be taken.
const OPENING: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const CLOSING: i16 = -1;
const NULL: i32 = -1;

/// As much is handed on together, in bytes.
const BYTES_AT_ONCE: usize = 64 * 1024;

fn put_row(text: &mut BytesMut, columns: &[Column<'_>], row: usize) -> Result<(), Box<dyn Error + Sync + Send>> {
    text.put_i16(i16::try_from(columns.len())?);
    for column in columns {
        let begin = text.len();
        text.put_i32(NULL);
        if let IsNull::No = column.of(row).to_sql_checked(&column.kind, text)? {
            let length = i32::try_from(text.len() - begin - size_of::<i32>())?;
            text[begin..][..size_of::<i32>()].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(())
}
