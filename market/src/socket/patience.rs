//! For how long a connection may bring no first trade, learned from what came
//! of making it anew.
//!
//! A market that is merely quiet and one that has silently stopped telling look
//! alike. Connecting anew tells them apart: where that brings no trade either,
//! it was not the connection, and the next one is given twice as long. The first
//! trade ends that, so a market that trades is watched as closely as ever.

use std::time::Duration;

use super::Disconnect;

/// No silence is waited out for longer, unless it was asked for.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long the next connection may take to its first trade.
#[derive(Debug)]
pub(super) struct Patience {
    shortest: Duration,
    limit: Duration,
}

impl Patience {
    pub fn new(shortest: Duration) -> Self {
        Self { shortest, limit: shortest }
    }

    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// A connection ended that had brought trades, or none.
    pub fn after(&mut self, reason: Disconnect, has_brought_trades: bool) {
        if has_brought_trades {
            self.limit = self.shortest;
        } else if reason == Disconnect::NoTrades {
            self.limit = (self.limit * 2).min(LONGEST.max(self.shortest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_connection_that_was_in_vain_doubles_it_up_to_a_quarter_of_an_hour_and_a_trade_ends_that() {
        let mut patience = Patience::new(seconds(60));
        assert_eq!(patience.limit(), seconds(60));
        for expected in [120, 240, 480, 900, 900] {
            patience.after(Disconnect::NoTrades, false);
            assert_eq!(patience.limit(), seconds(expected));
        }
        // A connection that was cut proves nothing of the market.
        patience.after(Disconnect::Cut, false);
        assert_eq!(patience.limit(), seconds(900));
        patience.after(Disconnect::NoTrades, true);
        assert_eq!(patience.limit(), seconds(60));
    }

    #[test]
    fn a_longer_silence_that_was_asked_for_stays_as_it_is() {
        let mut patience = Patience::new(seconds(3_600));
        patience.after(Disconnect::NoTrades, false);
        assert_eq!(patience.limit(), seconds(3_600));
    }
}
