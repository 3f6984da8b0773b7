//! One connection of the pool while it is in use. Every answer has a deadline,
//! and a connection that owes us an answer, or failed, never goes back to the pool.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::Object;
use postgres_types::ToSql;
use tokio_postgres::Row;

use crate::StoreError;

/// The parameters of a statement.
pub(crate) type Param<'a> = &'a (dyn ToSql + Sync);

/// The parameters of a statement.
pub(crate) type Params<'a> = &'a [Param<'a>];

/// A pooled connection in use.
pub(crate) struct Session {
    /// Always there until the session is dropped.
    object: Option<Object>,
    answer_timeout: Duration,
    /// Statements begun and not answered: running, cancelled, or timed out.
    unanswered: AtomicUsize,
    /// Whether any statement failed.
    has_failed: AtomicBool,
}

impl Session {
    pub(crate) fn new(object: Object, answer_timeout: Duration) -> Self {
        let (unanswered, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { object: Some(object), answer_timeout, unanswered, has_failed }
    }

    /// Runs a statement from a `.sql` file and gives its rows.
    pub(crate) async fn query(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        let object = self.object();
        self.answered(promise_of(sql), async {
            let statement = object.prepare_cached(sql).await?;
            object.query(&statement, params).await
        })
        .await
    }

    /// [`Self::query`] by the plan that Postgres makes once and keeps, whatever the parameters: for a
    /// statement that takes longer to plan than to run. Left to itself Postgres would plan it anew
    /// each time where the history has many days, since it adds up the costs of all of them and does
    /// not foresee that all but one or two are left out when it begins (its manual, on `prepare`).
    pub(crate) async fn query_as_planned(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, StoreError> {
        const DOING: &str = "choosing how a statement is planned";
        let object = self.object();
        let doing = promise_of(sql);
        let statement = self.answered(doing, object.prepare_cached(sql)).await?;
        // In this order on the wire, in one round trip.
        let ((), rows, ()) = tokio::try_join!(
            biased;
            self.batch(DOING, "set plan_cache_mode = force_generic_plan"),
            self.answered(doing, object.query(&statement, params)),
            self.batch(DOING, "reset plan_cache_mode"),
        )?;
        Ok(rows)
    }

    /// Runs a statement from a `.sql` file and gives its row, if there is one.
    pub(crate) async fn query_opt(&self, sql: &'static str, params: Params<'_>) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Runs a statement from a `.sql` file and gives the number of rows it touched.
    pub(crate) async fn execute(&self, sql: &'static str, params: Params<'_>) -> Result<u64, StoreError> {
        let object = self.object();
        self.answered(promise_of(sql), async {
            let statement = object.prepare_cached(sql).await?;
            object.execute(&statement, params).await
        })
        .await
    }

    /// Runs statements without parameters: transaction control and table definitions.
    pub(crate) async fn batch(&self, doing: &str, sql: &str) -> Result<(), StoreError> {
        self.answered(doing, self.object().batch_execute(sql)).await
    }

    /// Whether every statement so far was answered, and none failed. A
    /// transaction of which this is not true must not be committed: Postgres
    /// would answer such a commit with a rollback, and call that success.
    pub(crate) fn is_whole(&self) -> bool {
        self.unanswered.load(Ordering::Acquire) == 0 && !self.has_failed.load(Ordering::Acquire)
    }

    /// Notes that what was answered must not be committed.
    pub(crate) fn fail(&self) {
        self.has_failed.store(true, Ordering::Release);
    }

    /// Lets the connection be closed rather than used again.
    pub(crate) fn discard(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }

    pub(crate) fn object(&self) -> &Object {
        self.object.as_ref().expect("only drop and discard take it, and nothing follows either")
    }

    pub(crate) async fn answered<T>(
        &self,
        doing: &str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        // Not a guard: when this future is dropped half-way, the count stays up.
        self.unanswered.fetch_add(1, Ordering::AcqRel);
        let result = match tokio::time::timeout(self.answer_timeout, answer).await {
            Ok(result) => {
                self.unanswered.fetch_sub(1, Ordering::AcqRel);
                result.map_err(|source| StoreError::of_postgres(doing, source))
            }
            Err(elapsed) => Err(StoreError::unavailable(doing, elapsed)),
        };
        if result.is_err() {
            self.fail();
        }
        result
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // After a failure there may be a transaction left open on it.
        if !self.is_whole() {
            self.discard();
        }
    }
}

/// The first line of a statement says what it is for.
pub(crate) fn promise_of(sql: &str) -> &str {
    sql.lines().next().unwrap_or(sql).trim_start_matches("--").trim().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_named_by_its_promise() {
        assert_eq!(
            promise_of("-- Adds trades heard on the socket.\n-- More.\nselect 1"),
            "Adds trades heard on the socket"
        );
    }
}
