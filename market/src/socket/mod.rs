//! Hears a market: one connection at a time, for ever, until told to stop.
//!
//! The fast channel may drop, garble, hang or flood; nothing it does ends the
//! listening, blocks it or makes memory grow. What it loses, REST brings back.

mod overlap;
mod patience;
mod session;
mod settings;
mod stats;
mod vigil;

use std::sync::Arc;
use std::time::Duration;

use tape::Ticker;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use overlap::Overlap;
use patience::Patience;
use session::Attempt;
pub use settings::SocketSettings;
pub use stats::{Disconnect, SocketStats};

use crate::{Backoff, Clock, Market, Said, tls};

/// All that is needed to hear a market.
pub struct Socket {
    /// Which market.
    pub market: Market,
    /// Where, and with how much patience.
    pub settings: SocketSettings,
    /// What to listen for, where the market wants to be told.
    pub tickers: watch::Receiver<Vec<Ticker>>,
    /// Where what is heard goes. Bounded: what does not fit is dropped and counted.
    pub said: mpsc::Sender<Said>,
    /// What happened so far.
    pub stats: Arc<SocketStats>,
    /// Our time.
    pub clock: Clock,
}

impl Socket {
    /// Listens until `shutdown` or until nobody receives any more, and
    /// connects anew whenever the connection is lost or of no use.
    ///
    /// A lost connection is gone entirely before the next one is made; one that
    /// is left on purpose is heard until the next one hears everything.
    pub async fn listen(mut self, shutdown: &CancellationToken) {
        tls::install_provider();
        let mut backoff = Backoff::new(self.settings.first_delay, self.settings.longest_delay);
        let (mut overlap, mut delay) = (Overlap::default(), Duration::ZERO);
        let mut patience = Patience::new(self.settings.silence_timeout);
        loop {
            let attempt = Attempt { after: delay, first_trade_within: patience.limit() };
            let ended = session::run(&mut self, overlap, attempt, shutdown).await;
            patience.after(ended.reason, ended.brought_trades);
            self.stats.count_disconnect(ended.reason);
            if ended.reason == Disconnect::Stopped {
                return;
            }
            if ended.brought_trades || ended.was_lasting {
                backoff.reset();
            }
            let (market, url, reason) = (self.market, &self.settings.url, ended.reason);
            overlap = ended.leaves;
            if reason == Disconnect::Planned && ended.was_lasting {
                delay = Duration::ZERO;
                info!(%market, %url, "changing to another connection to {url}");
                continue;
            }
            delay = backoff.delay().max(ended.retry_after.unwrap_or_default());
            let delay_ms = delay.as_millis();
            warn!(%market, %url, %reason, detail = ended.detail, delay_ms, "lost {url} ({reason}), reconnecting in {delay_ms} ms");
        }
    }
}
