//! Waiting for a state, never for a while.

use std::time::{Duration, Instant};

/// Asks `probe` until it has a value, and returns that.
///
/// # Panics
/// When there is none by the deadline, saying what was waited for.
pub async fn eventually<T, F, Answer>(what: &str, deadline: Duration, mut probe: F) -> T
where
    F: FnMut() -> Answer,
    Answer: Future<Output = Option<T>>,
{
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        let left = deadline.saturating_sub(started.elapsed());
        if let Ok(Some(value)) = tokio::time::timeout(left.max(pause), probe()).await {
            return value;
        }
        assert!(started.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_value_ends_the_wait() {
        let mut asked = 0;

        let value = eventually("the third time", Duration::from_secs(5), || {
            asked += 1;
            let asked = asked;
            async move { (asked == 3).then_some(asked) }
        })
        .await;

        assert_eq!(value, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for a miracle")]
    async fn a_wait_in_vain_says_for_what() {
        eventually("a miracle", Duration::from_millis(10), || async { None::<()> }).await;
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for an answer")]
    async fn a_probe_that_hangs_does_not_outlast_the_deadline() {
        eventually("an answer", Duration::from_millis(10), std::future::pending::<Option<()>>).await;
    }
}
