//! Keeps the memory of newest answers right to the last commit: listens, reads
//! again what changed, and vouches for the rest. When it cannot, it says so and
//! begins anew; until then Postgres is asked, as if there were no memory.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use store::answers::{Answered, Standing};
use store::{Hint, Listening, StoreError};
use tape::Ticker;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::desk::{Desk, chain_of};
use crate::memory::{Read, TICKERS_KEPT};
use crate::told::Told;

/// How long it may be silent before the connection is asked for a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);

/// How often everything is read, for what somebody changed by hand and told nobody.
const READ_ALL: Duration = Duration::from_secs(10);

/// The shortest and the longest rest after reading; in between it is as long
/// as reading took, so that at most half of the time is spent on it.
const REST: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(200));

/// The first and the longest pause before listening anew.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Follows until told to stop.
pub async fn follow(desk: &Desk, shutdown: &CancellationToken) {
    let mut pause = PAUSE.0;
    let mut is_told = false;
    loop {
        let mut following = Following { desk, read_all_at: None, is_doubted: false };
        let ended = tokio::select! {
            ended = following.until_lost() => ended,
            () = shutdown.cancelled() => return,
        };
        desk.memory.distrust();
        if following.read_all_at.is_some() {
            desk.metrics.losses.inc();
            (pause, is_told) = (PAUSE.0, false);
        }
        if !is_told {
            let chain = ended.as_ref().err().map(chain_of).unwrap_or_default();
            warn!("newest figures are answered from the database until it can be listened to: {chain}");
            is_told = true;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => return,
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// One connection's time.
struct Following<'a> {
    desk: &'a Desk,
    /// When everything was last read.
    read_all_at: Option<Instant>,
    /// Whether an answer is held that Postgres no longer says.
    is_doubted: bool,
}

impl Following<'_> {
    async fn until_lost(&mut self) -> Result<(), StoreError> {
        let mut listening = self.desk.store.listen().await?;
        let mut hints = Hints::default();
        hints.add(Hint::Everything);
        loop {
            while let Some(hint) = listening.changed_already() {
                hints.add(hint);
            }
            // Whatever was told until now is in the hints.
            let right_at = Instant::now();
            if hints.is_empty() {
                listening.confirm().await?;
            }
            for hint in std::mem::take(&mut hints).into_hints() {
                self.read(&listening, &hint).await?;
            }
            self.desk.memory.trust(right_at);

            tokio::time::sleep(right_at.elapsed().clamp(REST.0, REST.1)).await;
            match tokio::time::timeout(SIGN_OF_LIFE, listening.changed()).await {
                Ok(hint) => {
                    hints.add(hint?);
                    // Of many tickers is told in parts: all of them are read together.
                    listening.confirm().await?;
                }
                Err(_) if self.is_all_due() => hints.add(Hint::Everything),
                Err(_) => {}
            }
        }
    }

    fn is_all_due(&self) -> bool {
        self.is_doubted || self.read_all_at.is_none_or(|at| READ_ALL <= at.elapsed())
    }

    /// Reads what a hint names.
    async fn read(&mut self, listening: &Listening, hint: &Hint) -> Result<(), StoreError> {
        let asked_at = Instant::now();
        let desk = self.desk;
        let limit = u32::try_from(TICKERS_KEPT + 1).unwrap_or(u32::MAX);
        let newest = listening.figures_newest(hint, desk.interval, limit).await?;
        if newest.answered.len() > TICKERS_KEPT {
            let reason = format!("there are more than {TICKERS_KEPT} tickers");
            return Err(StoreError::refused("keeping the newest figures at hand", reason));
        }
        let is_all = *hint == Hint::Everything;
        let taken = newest.taken;
        let read = |answered: &Answered| Told::new(desk, answered).map(|told| Read { told, taken, asked_at });
        let reads: Vec<Read> = newest.answered.iter().filter_map(read).collect();
        let names: Vec<&Standing> = newest.answered.iter().map(|answered| &answered.standing).collect();
        desk.metrics.read(reads.len());
        let contradicted = desk.memory.admit_many(reads, &names, taken, is_all);
        desk.metrics.doubted.inc_by(contradicted as u64);
        if is_all {
            let tickers = desk.memory.tickers();
            if self.read_all_at.is_none() {
                info!(tickers, "newest figures of {tickers} tickers are answered from memory");
            }
            self.read_all_at = Some(Instant::now());
            self.is_doubted = false;
        }
        self.is_doubted |= contradicted > 0;
        Ok(())
    }
}

/// What is to be read, each of it once.
#[derive(Default)]
struct Hints {
    is_everything: bool,
    venues: BTreeSet<String>,
    tickers: BTreeSet<(String, Ticker)>,
}

impl Hints {
    fn add(&mut self, hint: Hint) {
        match hint {
            Hint::Everything => self.is_everything = true,
            Hint::Venue(venue) => {
                self.venues.insert(venue);
            }
            Hint::Tickers(venue, tickers) => {
                self.tickers.extend(tickers.into_iter().map(|ticker| (venue.clone(), ticker)));
            }
        }
    }

    fn is_empty(&self) -> bool {
        !self.is_everything && self.venues.is_empty() && self.tickers.is_empty()
    }

    /// As few hints as say the same, one for each venue.
    fn into_hints(self) -> Vec<Hint> {
        if self.is_everything {
            return vec![Hint::Everything];
        }
        let mut hints: Vec<Hint> = Vec::new();
        for (venue, ticker) in self.tickers {
            if self.venues.contains(&venue) {
                continue;
            }
            match hints.last_mut() {
                Some(Hint::Tickers(last, tickers)) if *last == venue => tickers.push(ticker),
                _ => hints.push(Hint::Tickers(venue, vec![ticker])),
            }
        }
        hints.extend(self.venues.into_iter().map(Hint::Venue));
        hints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticker(name: &str) -> Ticker {
        Ticker::new(name).expect("a name")
    }

    #[test]
    fn many_hints_become_one_statement_for_each_venue() {
        let mut hints = Hints::default();
        assert!(hints.is_empty());
        for (venue, names) in [("a", ["ETH", "BTC"]), ("b", ["XRP", "BTC"]), ("a", ["BTC", "SOL"])] {
            hints.add(Hint::Tickers(venue.to_owned(), names.map(ticker).to_vec()));
        }
        hints.add(Hint::Venue("b".to_owned()));

        let of_a = Hint::Tickers("a".to_owned(), ["BTC", "ETH", "SOL"].map(ticker).to_vec());
        assert_eq!(hints.into_hints(), [of_a, Hint::Venue("b".to_owned())]);
    }

    #[test]
    fn everything_is_read_once_whatever_else_was_told() {
        let mut hints = Hints::default();
        hints.add(Hint::Venue("a".to_owned()));
        hints.add(Hint::Everything);

        assert_eq!(hints.into_hints(), [Hint::Everything]);
    }
}
