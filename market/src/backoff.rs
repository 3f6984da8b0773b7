//! How long to wait after failures in a row: longer each time up to a cap,
//! by chance so that many do not return at once, and from the start again
//! after a success.

use std::time::Duration;

/// Growing, capped, jittered delays.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// Delays of up to `first` after the first failure, doubling with each
    /// further one, and never above `cap`.
    pub fn new(first: Duration, cap: Duration) -> Self {
        Self { first: first.min(cap), cap, failures: 0 }
    }

    /// Counts one more failure and says how long to wait because of it.
    pub fn delay(&mut self) -> Duration {
        self.delay_rolled(rand::random())
    }

    /// [`Self::delay`] with the chance given: 0 waits shortest, `u32::MAX` longest.
    ///
    /// Never shorter than half the first delay, so that bad luck cannot make
    /// a loop without pause of it.
    pub fn delay_rolled(&mut self, roll: u32) -> Duration {
        let shortest = self.first / 2;
        let span = self.ceiling().saturating_sub(shortest);
        self.failures = self.failures.saturating_add(1);
        shortest + span.saturating_mul(roll) / u32::MAX
    }

    /// The longest the next delay can be.
    pub fn ceiling(&self) -> Duration {
        self.first.saturating_mul(1 << self.failures.min(31)).min(self.cap)
    }

    /// How many failures there were since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Forgets the failures: something succeeded.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: Duration = Duration::from_millis(100);
    const CAP: Duration = Duration::from_secs(30);

    #[test]
    fn the_longest_delay_doubles_up_to_the_cap() {
        let mut backoff = Backoff::new(FIRST, CAP);

        let delays: Vec<_> = (0..11).map(|_| backoff.delay_rolled(u32::MAX).as_millis()).collect();

        assert_eq!(delays, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
    }

    #[test]
    fn a_success_starts_it_over() {
        let mut backoff = Backoff::new(FIRST, CAP);
        for _ in 0..100 {
            backoff.delay();
        }

        backoff.reset();

        assert_eq!(backoff.failures(), 0);
        assert_eq!(backoff.ceiling(), FIRST);
    }

    proptest! {
        #[test]
        fn every_delay_is_between_half_the_first_and_the_ceiling(failures in 0u32..10_000, roll: u32) {
            let mut backoff = Backoff { first: FIRST, cap: CAP, failures };
            let ceiling = backoff.ceiling();
            let delay = backoff.delay_rolled(roll);
            prop_assert!(FIRST / 2 <= delay && delay <= ceiling && ceiling <= CAP);
        }
    }
}
