//! How often a market may be asked by all tickers together, and when nobody may.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::RestSettings;

/// A rate with a burst, and a pause that everyone keeps.
#[derive(Debug)]
pub struct RateBudget {
    limiter: DefaultDirectRateLimiter,
    burst: NonZeroU32,
    /// One permit: whoever has it is first in line. It is handed on in order of arrival.
    line: Semaphore,
    paused_until: Mutex<Option<Instant>>,
    longest_pause: Duration,
}

/// No turn came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTurn {
    /// How long everyone still has to stay away from the market.
    pub pause_left: Duration,
}

impl RateBudget {
    /// The budget these settings describe, unspent.
    pub fn new(settings: &RestSettings) -> Self {
        let quota = Quota::per_second(settings.weight_per_second).allow_burst(settings.burst);
        Self {
            limiter: RateLimiter::direct(quota),
            burst: settings.burst,
            line: Semaphore::new(1),
            paused_until: Mutex::new(None),
            longest_pause: settings.longest_pause,
        }
    }

    /// Waits for a turn, first come first served. Dropping the wait costs
    /// nobody anything.
    ///
    /// # Errors
    /// [`NoTurn`] after `longest`, or at once when a pause will last longer.
    pub async fn turn(&self, weight: NonZeroU32, longest: Duration) -> Result<(), NoTurn> {
        let pause_left = self.pause_left();
        if longest < pause_left {
            return Err(NoTurn { pause_left });
        }
        match timeout(longest, self.wait_in_line(weight)).await {
            Ok(()) => Ok(()),
            Err(_) => Err(NoTurn { pause_left: self.pause_left() }),
        }
    }

    async fn wait_in_line(&self, weight: NonZeroU32) {
        let _first = self.line.acquire().await.expect("the line is never closed");
        // What weighs more than may ever be spent at once costs all of it.
        let weight = weight.min(self.burst);
        loop {
            // Also one that began while the rate was waited for.
            while let Some(until) = self.paused() {
                sleep_until(until).await;
            }
            let Ok(Err(not_yet)) = self.limiter.check_n(weight) else { return };
            sleep(not_yet.wait_time_from(DefaultClock::default().now())).await;
        }
    }

    /// Keeps everyone away for so long, or for as long as an earlier pause lasts.
    pub fn pause(&self, duration: Duration) {
        let until = Instant::now() + duration.min(self.longest_pause);
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused_until = (*paused_until).max(Some(until));
    }

    /// How long the present pause still lasts; zero when there is none.
    pub fn pause_left(&self) -> Duration {
        self.paused().map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn paused(&self) -> Option<Instant> {
        let paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        paused_until.filter(|until| Instant::now() < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Market;

    fn budget(weight_per_second: u32, burst: u32) -> RateBudget {
        let mut settings = RestSettings::new(Market::GENERIC);
        settings.weight_per_second = NonZeroU32::new(weight_per_second).expect("not zero");
        settings.burst = NonZeroU32::new(burst).expect("not zero");
        RateBudget::new(&settings)
    }

    const ONE: NonZeroU32 = NonZeroU32::MIN;
    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_burst_is_free_and_then_the_rate_holds() {
        let budget = budget(20, 5);
        let start = Instant::now();

        for _ in 0..5 {
            budget.turn(ONE, LONG).await.expect("within the burst");
        }
        let after_burst = start.elapsed();
        for _ in 0..5 {
            budget.turn(ONE, LONG).await.expect("within the rate");
        }

        assert!(after_burst < Duration::from_millis(200), "{after_burst:?}");
        assert!(Duration::from_millis(230) <= start.elapsed(), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_pause_keeps_everyone_away_and_a_shorter_one_does_not_end_it() {
        let budget = budget(1_000, 100);
        let start = Instant::now();
        budget.pause(Duration::from_millis(200));
        budget.pause(Duration::from_millis(1));

        let (first, second) = tokio::join!(budget.turn(ONE, LONG), budget.turn(ONE, LONG));

        assert!(first.is_ok() && second.is_ok());
        assert!(Duration::from_millis(200) <= start.elapsed());
    }

    #[tokio::test]
    async fn a_pause_that_begins_while_the_rate_is_waited_for_is_kept_too() {
        let budget = budget(10, 1);
        budget.turn(ONE, LONG).await.expect("the first");
        let start = Instant::now();

        let pause = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            budget.pause(Duration::from_millis(400));
        };
        let (turn, ()) = tokio::join!(budget.turn(ONE, LONG), pause);

        assert!(turn.is_ok());
        assert!(Duration::from_millis(420) <= start.elapsed(), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_pause_beyond_all_patience_is_refused_at_once_and_capped() {
        let budget = budget(1_000, 100);
        budget.pause(Duration::from_secs(1_000_000));

        let refused = budget.turn(ONE, Duration::from_millis(50)).await.expect_err("paused");

        assert!(Duration::from_secs(290) < refused.pause_left && refused.pause_left <= Duration::from_secs(300));
    }

    #[tokio::test]
    async fn waiting_in_line_ends_when_patience_does() {
        let budget = budget(1, 1);
        budget.turn(ONE, LONG).await.expect("the first");

        assert_eq!(budget.turn(ONE, Duration::from_millis(20)).await, Err(NoTurn { pause_left: Duration::ZERO }));
    }

    #[tokio::test]
    async fn one_who_leaves_the_line_does_not_hold_it_up() {
        let budget = budget(20, 1);
        budget.turn(ONE, LONG).await.expect("the first");
        let abandoned = timeout(Duration::from_millis(1), budget.turn(ONE, LONG)).await;

        assert!(abandoned.is_err());
        assert!(budget.turn(ONE, LONG).await.is_ok());
    }
}
