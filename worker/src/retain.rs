//! Lets go of what is older than the retention, in small paced batches.

use std::time::{Duration, Instant};

use store::{Retention, Store, StoreError};
use tape::EpochMs;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How often old rows are looked for.
const EVERY: Duration = Duration::from_secs(60);

/// The shortest and the longest pause between two batches.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// In between it is so many times as long as the batch took: where others have
/// much to do they have more of it, and what is deleted comes to the disk little
/// by little.
const PAUSES: u32 = 4;

/// From so long before a second mark until so long after it no batch is begun: the
/// mark would share the machine with it.
const AROUND_MARKS_MS: (i64, i64) = (150, 50);

/// Rows let go of in one batch: nobody waits long for what it does, and more
/// would hardly go faster.
const BATCH: u32 = 2_000;

/// Retains until it is told to stop. A store that cannot be reached is tried
/// again with the next round.
pub async fn run(store: Store, venue: String, retention_ms: Option<i64>, clock: Clock, shutdown: CancellationToken) {
    let mut retention = store.retention(&venue);
    while shutdown.run_until_cancelled(sleep(EVERY)).await.is_some() {
        if let Err(error) = round(&store, &venue, &mut retention, retention_ms, &clock, &shutdown).await {
            tracing::warn!(%error, "could not let go of old rows, trying again in a minute: {error}");
        }
    }
}

async fn round(
    store: &Store,
    venue: &str,
    retention: &mut Retention,
    retention_ms: Option<i64>,
    clock: &Clock,
    shutdown: &CancellationToken,
) -> Result<(), StoreError> {
    store.rejections_trim(venue).await?;
    while store.bounds_trim(venue, clock.now().unwrap_or_else(|| clock.wall())).await? > 0 {
        if shutdown.run_until_cancelled(sleep(PAUSE.1)).await.is_none() {
            return Ok(());
        }
    }
    let Some(retention_ms) = retention_ms else { return Ok(()) };
    let before = clock.now().unwrap_or_else(|| clock.wall()).minus_ms(retention_ms);
    let mut let_go = 0;
    loop {
        if shutdown.run_until_cancelled(sleep(until_clear_of_marks(clock.wall()))).await.is_none() {
            break;
        }
        let began = Instant::now();
        let rows = retention.let_go(before, BATCH).await?;
        let_go += rows;
        if rows == 0 {
            break;
        }
        let pause = (PAUSES * began.elapsed()).clamp(PAUSE.0, PAUSE.1);
        if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
            break;
        }
    }
    if let_go > 0 {
        tracing::info!(let_go, "let go of {let_go} rows older than {before}");
    }
    Ok(())
}

/// How long after an instant a batch may be begun.
fn until_clear_of_marks(at: EpochMs) -> Duration {
    let (before_ms, after_ms) = AROUND_MARKS_MS;
    let since_begun = (at.ms() + before_ms).rem_euclid(1_000);
    let left = (before_ms + after_ms - since_begun).max(0);
    Duration::from_millis(left.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_batch_is_begun_around_a_second_mark_and_none_waits_elsewhere() {
        let waits = |ms: i64| until_clear_of_marks(EpochMs::new(7_000 + ms)).as_millis();
        assert_eq!([50, 400, 849].map(waits), [0, 0, 0]);
        assert_eq!([850, 999, 0, 49].map(waits), [200, 51, 50, 1]);
    }
}
