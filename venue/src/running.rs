//! A venue that runs, in its own process or inside a test, and the hands by
//! which a test moves it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tape::{EpochMs, Rejection, Ticker, TradeId};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::clock;
use crate::config::VenueConfig;
use crate::dialect::Dialect;
use crate::fault::{FaultRates, RateError};
use crate::http;
use crate::ledger::Injected;
use crate::listeners::Speaking;
use crate::market::{Market, Present, State};
use crate::opening;
use crate::rest_mood::{RestCounts, RestMode};
use crate::revision::{Revised, Revision, RevisionError};
use crate::shared::Shared;
use crate::summary::Summary;
use crate::tape_file::TapeError;
use crate::true_trade::TrueTrade;
use crate::{Delivery, WindowTruth};

/// How long open connections may take to end when the venue stops.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Starts venues.
#[derive(Debug)]
pub struct Venue;

/// A venue that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    addr: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
    market: JoinHandle<()>,
}

/// Why a venue did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error("could not listen at {address}; is a venue running there already? choose another --port")]
    Address {
        /// Which address.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The tape cannot be used.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// The fault rates cannot be.
    #[error(transparent)]
    Rates(#[from] RateError),
    /// A ticker is none.
    #[error(transparent)]
    Ticker(Rejection),
    /// The file of the ledgers cannot be used.
    #[error("could not keep the ledger in {}", path.display())]
    Ledger {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A number of the configuration is out of range.
    #[error("{name} is {found}, but must be {accepted}")]
    OutOfRange {
        /// Which setting.
        name: &'static str,
        /// What it was.
        found: String,
        /// What it may be.
        accepted: &'static str,
    },
}

impl Venue {
    /// Starts a venue and returns when it listens.
    ///
    /// # Errors
    /// [`StartError`] when the configuration or the tape is unusable or the address taken.
    pub async fn start(config: VenueConfig) -> Result<Running, StartError> {
        opening::check(&config)?;
        let market = opening::market_of(&config, clock::now())?;
        let address = format!("{}:{}", config.host, config.port);
        let taken = |source| StartError::Address { address: address.clone(), source };
        let listener = TcpListener::bind(&address).await.map_err(taken)?;
        let addr = listener.local_addr().map_err(taken)?;

        // A frame leaves when it is flushed, not when the one before it was acknowledged.
        let listener = listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "a connection sends its frames with delay");
            }
        });

        let shared = Arc::new(Shared::new(&config, market));
        let app = http::router(shared.clone());
        let stopped = shared.stop.clone().cancelled_owned();
        let server = axum::serve(listener, app).with_graceful_shutdown(stopped);
        let server = tokio::spawn(server.into_future());
        let market = tokio::spawn({
            let shared = shared.clone();
            async move { shared.run_market().await }
        });
        Ok(Running { shared, addr, server, market })
    }
}

pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Running {
    /// The address it listens at.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of everything: `http://127.0.0.1:61792`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The dialect it speaks.
    pub fn dialect(&self) -> Dialect {
        self.shared.dialect
    }

    /// The address of a WebSocket of the spoken dialect.
    pub fn ws_at(&self, path: &str) -> String {
        format!("ws://{}{path}", self.addr)
    }

    /// Announces to every listener that its connection will end, and ends it so much later.
    pub fn leave(&self, within: Duration) {
        self.shared.announce_the_end(clock::now().plus_ms(milliseconds(within)));
    }

    /// Lets nothing be left of what may be asked, for a while.
    pub fn use_up(&self, time: Duration) {
        self.shared.guard().use_up(clock::now().plus_ms(milliseconds(time)));
    }

    /// Bans whoever asks or connects, for a while.
    pub fn ban(&self, time: Duration) {
        self.shared.guard().ban(clock::now().plus_ms(milliseconds(time)));
    }

    /// Who asked what how often, and what it cost.
    pub fn asked(&self) -> serde_json::Value {
        self.shared.guard().report(clock::now())
    }

    /// The address of the socket.
    pub fn ws_url(&self) -> String {
        format!("ws://{}/stream", self.addr)
    }

    /// The address of the REST channel.
    pub fn rest_url(&self) -> String {
        format!("http://{}/trades", self.addr)
    }

    /// Stops it: ends every connection and frees the port.
    pub async fn stop(mut self) {
        self.shared.stop.cancel();
        self.shared.conversations.close();
        self.shared.conversations.wait().await;
        if tokio::time::timeout(LAST_ANSWERS, &mut self.server).await.is_err() {
            self.server.abort();
        }
        // It waits for nothing but the token cancelled above.
        let _ = (&mut self.market).await;
    }

    /// Waits until it stops by itself, which is a fault.
    pub async fn stopped(&mut self) {
        tokio::select! {
            _ = &mut self.server => {}
            _ = &mut self.market => {}
        }
    }

    /// Makes a trade now, under the next id: REST knows it, the socket reports it.
    ///
    /// # Errors
    /// Whatever makes it no trade.
    pub fn make_trade(&self, ticker: &str, price: &str, quantity: &str) -> Result<TrueTrade, Rejection> {
        self.change(|market, now| market.make(ticker, price, quantity, now))
    }

    /// Makes many trades of a ticker at one instant.
    ///
    /// # Errors
    /// Whatever makes one of them no trade; those before it are made.
    pub fn make_crowd<'a>(
        &self,
        ticker: &str,
        trades: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Vec<TrueTrade>, Rejection> {
        self.change(|market, now| {
            trades.into_iter().map(|(price, quantity)| market.make(ticker, price, quantity, now)).collect()
        })
    }

    /// Brings a trade about exactly as given: REST knows it from now on (unless it
    /// lies after the present), and the socket reports it, by the rates of faults.
    /// `false` when its id is taken. Whether REST's promise of completeness holds
    /// is then in the hands of whoever chooses the time; [`Self::make_trade`] keeps it.
    pub fn publish(&self, trade: TrueTrade) -> bool {
        self.change(|market, now| market.bring(trade, now))
    }

    /// Brings about many trades at one instant, as one burst.
    pub fn publish_all(&self, trades: impl IntoIterator<Item = TrueTrade>) {
        self.change(|market, now| market.bring_all(trades, now));
    }

    /// Brings a trade about of which the socket never speaks.
    pub fn truth_only(&self, trade: TrueTrade) -> bool {
        self.change(|market, _| market.tell_rest_only(trade))
    }

    /// Gives a true trade other values, as a venue that repairs its history.
    pub fn correct(&self, trade: TrueTrade) -> bool {
        self.change(|market, _| market.correct(trade))
    }

    /// Takes a trade out of the truth.
    pub fn retract(&self, ticker: &Ticker, id: &TradeId) -> bool {
        self.change(|market, _| market.retract(ticker, id))
    }

    /// Changes the market's mind about its past: REST and the truth say the new
    /// thing from then on, and the socket does not speak of it.
    ///
    /// # Errors
    /// [`RevisionError`] when the change cannot be; nothing changes then.
    pub fn revise(&self, revision: Revision) -> Result<Revised, RevisionError> {
        self.change(|market, now| market.revise(revision, now))
    }

    /// Sends a text to every listener, whatever it is, and says how many hear it.
    /// The truth and the ledger do not notice.
    pub fn say(&self, text: &str) -> usize {
        self.change(|market, _| market.say(text))
    }

    /// Lets the market's present stand still at an instant.
    pub fn set_present(&self, at: EpochMs) {
        self.change(|market, _| market.set_present(Present::Standing(at)));
    }

    /// Lets the market's present move with the clock again.
    pub fn let_present_move(&self) {
        self.change(|market, _| market.set_present(Present::Moving));
    }

    /// Ends every connection to the socket abruptly, after what was sent before.
    pub fn cut(&self) {
        self.change(|market, now| market.cut(now));
    }

    /// Sends nothing for a while; trades made meanwhile are swallowed.
    pub fn fall_silent_for(&self, time: Duration) {
        self.change(|market, now| market.fall_silent_until(now.plus_ms(milliseconds(time))));
    }

    /// Changes how the socket lies.
    ///
    /// # Errors
    /// [`RateError`] when the rates cannot be.
    pub fn set_faults(&self, faults: FaultRates) -> Result<(), RateError> {
        faults.check()?;
        self.change(|market, _| market.set_faults(faults));
        Ok(())
    }

    /// Tells REST how to behave, for a while or until told otherwise.
    pub fn set_rest_mode(&self, mode: RestMode, time: Option<Duration>) {
        let until_ms = time.map(|time| clock::now().plus_ms(milliseconds(time)).ms());
        self.shared.rest().tell(mode, until_ms);
    }

    /// How many requests REST was asked and what they got.
    pub fn rest_counts(&self) -> RestCounts {
        self.shared.rest().counts()
    }

    /// What the market is like at the moment, in numbers.
    pub fn state(&self) -> State {
        self.change(|market, now| market.state(now))
    }

    /// How much each listener says and wants to hear.
    pub fn speaking(&self) -> Vec<Speaking> {
        self.shared.market().audience().speaking()
    }

    /// How many listeners are connected.
    pub fn listeners(&self) -> usize {
        self.shared.market().listeners()
    }

    /// Waits until at least so many listeners are connected; `false` if that takes too long.
    pub async fn wait_for_listeners(&self, count: usize, deadline: Duration) -> bool {
        let wait = async {
            while self.listeners() < count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(deadline, wait).await.is_ok()
    }

    /// The true trades of a ticker with `after < traded_at ≤ until`, and what
    /// became of each on the socket.
    pub fn truth(&self, ticker: &Ticker, after: EpochMs, until: EpochMs) -> Vec<(TrueTrade, Delivery)> {
        self.change(|market, _| {
            let entries = market.entries(Some(ticker), after, until);
            entries.map(|entry| (entry.trade.clone(), entry.delivery)).collect()
        })
    }

    /// The faults done to a ticker (to all without one) with `after < at ≤ until`.
    pub fn faults(&self, ticker: Option<&Ticker>, after: EpochMs, until: EpochMs) -> Vec<Injected> {
        self.change(|market, _| market.injected(ticker, after, until).cloned().collect())
    }

    /// What was done with `after < at ≤ until`, and what must be found of it.
    pub fn summary(&self, ticker: Option<&Ticker>, after: EpochMs, until: EpochMs) -> Summary {
        self.change(|market, _| market.summary(ticker, after, until))
    }

    /// What the window of `interval_ms` closing at `at` adds up to, exactly;
    /// none for a ticker nobody knows.
    pub fn window(&self, ticker: &Ticker, at: EpochMs, interval_ms: i64) -> Option<WindowTruth> {
        self.change(|market, _| market.window(ticker, at, interval_ms))
    }

    fn change<T>(&self, act: impl FnOnce(&mut Market, EpochMs) -> T) -> T {
        let now = clock::now();
        let mut market = self.shared.market();
        market.advance(now);
        let outcome = act(&mut market, now);
        drop(market);
        self.shared.note_change();
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}
