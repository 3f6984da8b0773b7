//! What most tests begin with: a database, its leader and a ticker or two.

use store::{Advance, Leadership, Store, WriteTxn};
use tape::{Confirmation, EpochMs, Heard, Known, Standing, Ticker, Trade, TradeId, Verdict, Watermark};
use testkit::{TestDatabase, at, database, ticker};
use tokio_postgres::Client;

pub const VENUE: &str = "generic";

/// A venue led by us, with BTC and ETH followed from the beginning of time.
pub struct Scene {
    pub store: Store,
    pub leadership: Leadership,
    pub client: Client,
    pub database: TestDatabase,
}

pub async fn scene() -> Scene {
    let database = database().await;
    let store = database.store();
    let leadership = lead(&store).await;
    let begins = [(ticker("BTC"), at(0)), (ticker("ETH"), at(0))];
    store.ticker_ensure(VENUE, &begins).await.expect("written");
    let client = database.client().await;
    Scene { store, leadership, client, database }
}

pub async fn lead(store: &Store) -> Leadership {
    store.lead(VENUE).await.expect("the database answers").expect("nobody leads")
}

impl Scene {
    pub async fn begin(&self) -> WriteTxn {
        self.store.begin(&self.leadership).await.expect("we lead")
    }

    /// Waits until one session waits for what another one holds.
    pub async fn someone_waits(&self, what: &str) {
        let waiting =
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
        let waits = || async { (self.number(waiting).await == 1).then_some(()) };
        testkit::eventually(what, std::time::Duration::from_secs(10), waits).await;
    }

    pub async fn hear(&self, heard: &[Heard]) -> Vec<(Ticker, TradeId)> {
        let txn = self.begin().await;
        let inserted = txn.trades_insert_heard(heard).await.expect("written");
        txn.commit().await.expect("committed");
        inserted
    }

    pub async fn confirm(&self, trades: &[Trade]) {
        let confirmations: Vec<Confirmation> = trades.iter().map(missing).collect();
        let txn = self.begin().await;
        txn.trades_confirm(&confirmations).await.expect("written");
        txn.commit().await.expect("committed");
    }

    pub async fn advance(&self, of: &str, from: Watermark, to: Watermark) {
        let txn = self.begin().await;
        let advance = Advance { ticker: ticker(of), from, to, market_time: at(1), time_to_final: None };
        txn.watermarks_advance(&[advance], at(1)).await.expect("moved");
        txn.commit().await.expect("committed");
    }

    pub async fn known(&self, names: &[(Ticker, TradeId)]) -> Vec<Known> {
        let mut known = self.begin().await.trades_known(names).await.expect("read");
        known.sort_by(|a, b| a.trade.id.cmp(&b.trade.id));
        known
    }

    /// One number asked of the tables directly.
    pub async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.expect("a number").get(0)
    }

    /// One text asked of the tables directly.
    pub async fn text(&self, sql: &str) -> Option<String> {
        self.client.query_one(sql, &[]).await.expect("a text").get(0)
    }
}

/// The confirmation of a trade nobody heard.
pub fn missing(trade: &Trade) -> Confirmation {
    Confirmation { trade: trade.clone(), verdict: Verdict::Missing, received_at: None, suspicion: None }
}

pub fn name(trade: &Trade) -> (Ticker, TradeId) {
    (trade.ticker.clone(), trade.id.clone())
}

pub fn through(ms: i64) -> Watermark {
    Watermark::Through(at(ms))
}

pub fn known_heard(trade: &Trade, received_at: i64) -> Known {
    Known {
        trade: trade.clone(),
        standing: Standing::Heard { received_at: EpochMs::new(received_at), suspicion: None },
    }
}

pub fn known_confirmed(trade: &Trade, was_heard: bool) -> Known {
    Known { trade: trade.clone(), standing: Standing::Confirmed { was_heard } }
}
