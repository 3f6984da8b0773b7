//! Rows written by `copy`, the fastest way in: three quarters of what `insert` takes,
//! since Postgres puts them down page by page. It knows no conflicts: for rows
//! of which nothing is held.

use std::error::Error;
use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use deadpool_postgres::Object;
use futures_util::SinkExt;
use postgres_types::{IsNull, ToSql, Type};
use tokio_postgres::Statement;
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

/// A statement that copies rows.
pub(crate) enum CopyStatement {
    /// One of a `.sql` file.
    Kept(&'static str),
    /// One made of such for a day's partition: of these a connection would keep too many.
    Made(String),
}

impl CopyStatement {
    pub(crate) fn sql(&self) -> &str {
        match self {
            Self::Kept(sql) => sql,
            Self::Made(sql) => sql,
        }
    }

    async fn prepared(&self, object: &Object) -> Result<Statement, tokio_postgres::Error> {
        match self {
            Self::Kept(sql) => object.prepare_cached(sql).await,
            Self::Made(sql) => object.prepare(sql).await,
        }
    }
}

impl WriteTxn {
    /// Copies rows into a table; false, and nothing is changed, when a key is
    /// taken. `more` puts the next rows behind those in the text, and tells
    /// whether there were any: Postgres writes some while the next are made.
    /// `meanwhile` is done when all are on their way.
    /// Nothing else may be sent beside it: what fails here is taken back.
    pub(crate) async fn copy_unless_held(
        &self,
        copy: &CopyStatement,
        mut more: impl FnMut(&mut BytesMut) -> Result<bool, Unencodable> + Send,
        meanwhile: impl FnOnce() + Send,
    ) -> Result<bool, StoreError> {
        let (object, doing) = (self.session.object(), promise_of(copy.sql()));
        let opening = self.session.answered(doing, async {
            let statement = copy.prepared(object).await?;
            object.copy_in::<_, Bytes>(&statement).await
        });
        let ((), sink) = tokio::try_join!(
            biased;
            self.session.batch("marking where to go back to", "savepoint unheld"),
            opening,
        )?;
        let mut sink = pin!(sink);
        let mut text = BytesMut::from(OPENING);
        while more(&mut text).map_err(|cause| {
            // Half of a copy is gone to Postgres: nothing beside it may be committed.
            self.session.fail();
            StoreError::refused(doing, cause)
        })? {
            let room = BytesMut::with_capacity(text.len());
            let full = std::mem::replace(&mut text, room);
            self.session.answered(doing, sink.feed(full.freeze())).await?;
        }
        text.put_i16(CLOSING);
        self.session.answered(doing, sink.feed(text.freeze())).await?;
        meanwhile();
        let finishing = async {
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

/// So many rows are handed on together: few, since Postgres has nothing to do until the first come.
pub(crate) const ROWS_OF_A_PIECE: usize = 100;

/// Why a row has no binary form.
pub(crate) type Unencodable = Box<dyn Error + Sync + Send>;

/// Puts so many rows of these columns behind those in the text.
pub(crate) fn put_rows(text: &mut BytesMut, columns: &[Column<'_>], rows: usize) -> Result<(), Unencodable> {
    (0..rows).try_for_each(|row| put_row(text, columns, row))
}

fn put_row(text: &mut BytesMut, columns: &[Column<'_>], row: usize) -> Result<(), Unencodable> {
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
