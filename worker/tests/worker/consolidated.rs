//! One worker on two exchanges at once, and the api's figure over both: held
//! against the truth of both venues, added up by Postgres.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;
use tape::EpochMs;
use testkit::{TestDatabase, eventually};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use venue::dialect::Dialect;
use venue::{FaultRates, Running, Venue, VenueConfig};

use crate::stage::{PATIENCE, get, now, ticker, vars};

const PAIR: &str = "BTC/USDT";

/// Two venues, a worker that follows both, and an api.
struct Scene {
    venues: [Running; 2],
    client: Client,
    api: String,
    shutdown: CancellationToken,
    _database: TestDatabase,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn venue(exchange: &str, seed: u64) -> Running {
    let kind = venue::MarketKind::Generated {
        tickers: vec![PAIR.to_owned()],
        quiet: Vec::new(),
        rate: 40.0,
        history: Duration::from_secs(60),
    };
    let config = VenueConfig {
        market: kind,
        seed,
        dialect: Dialect::parse(exchange).expect("a dialect"),
        faults: FaultRates::all(0.05),
        silence_for: Duration::from_millis(500),
        ..VenueConfig::default()
    };
    Venue::start(config).await.expect("the venue starts")
}

impl Scene {
    async fn new() -> Self {
        let venues = [venue("binance", 1).await, venue("kraken", 2).await];
        let database = testkit::database().await;
        let shutdown = CancellationToken::new();

        let mut given = vec![("MARKET".to_owned(), "binance,kraken".to_owned())];
        for venue in &venues {
            let market = venue.dialect().name();
            let more = [("INTERVAL", "10s"), ("BACKFILL_FROM", "-20s"), ("TICKERS", PAIR)];
            for (name, value) in vars(venue, &database.url(), &more) {
                match name.as_str() {
                    "MARKET" => {}
                    "MARKET_WS_URL" | "MARKET_REST_URL" => {
                        given.push((format!("{name}_{}", market.to_uppercase()), value))
                    }
                    _ => given.push((name, value)),
                }
            }
        }
        let configs = worker::Config::all_from_vars(given).expect("two markets");
        assert_eq!(configs.len(), 2);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        tokio::spawn(worker::run(configs, listener, shutdown.clone()));

        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let api = format!("http://{}", listener.local_addr().expect("an address"));
        let vars = [("PG_STRING".to_owned(), database.url()), ("INTERVAL".to_owned(), "10s".to_owned())];
        let config = api::Config::from_vars(vars).expect("a valid configuration");
        let token = shutdown.clone();
        tokio::spawn(async move { api::run(listener, &config, api::Clock::Wall, token).await });
        Self { venues, client: database.client().await, api, shutdown, _database: database }
    }

    async fn ask(&self, path: &str) -> (u16, Value) {
        let (status, text) = get(&format!("{}{path}", self.api)).await.expect("an answer");
        (status, serde_json::from_str(&text).expect("JSON"))
    }

    /// Waits until both exchanges are settled until an instant.
    async fn settled(&self, until: EpochMs) {
        let sql = "select count(*) from tickers_validation_timestamp where ticker = $1 and validated_until >= $2";
        eventually("both exchanges to be settled", PATIENCE, || async {
            let row = self.client.query_one(sql, &[&PAIR, &until.ms()]).await.ok()?;
            (row.get::<_, i64>(0) == 2).then_some(())
        })
        .await;
    }

    /// Count, volume and notional of what both venues hold true of a window, added
    /// up by Postgres, and whether the price is the quotient to 24 decimals.
    async fn truth(&self, ts: i64, interval: i64, price: Option<&str>) -> (i64, String, String, Option<bool>) {
        let (after, until) = (EpochMs::new(ts - interval), EpochMs::new(ts));
        let mut prices = Vec::new();
        let mut quantities = Vec::new();
        for venue in &self.venues {
            for (trade, _) in venue.truth(&ticker(PAIR), after, until) {
                let trade = trade.to_trade();
                prices.push(trade.price.to_string());
                quantities.push(trade.quantity.to_string());
            }
        }
        let sql = "select count(*), trim_scale(coalesce(sum(q), 0))::text, trim_scale(coalesce(sum(p * q), 0))::text,
                abs(sum(p * q) - $3::text::numeric * sum(q)) * 2 <= sum(q) * 1e-24
            from (select p::numeric, q::numeric from unnest($1::text[], $2::text[]) as trade (p, q)) as trades";
        let row = self.client.query_one(sql, &[&prices, &quantities, &price]).await.expect("an answer");
        (row.get(0), row.get(1), row.get(2), row.get(3))
    }

    async fn equals_the_truth(&self, answer: &Value) {
        let number = |name: &str| answer[name].as_i64().expect("a number");
        let text = |name: &str| answer[name].as_str().expect("text").to_owned();
        let (trades, volume, notional, is_quotient) =
            self.truth(number("ts"), number("interval"), answer["price"].as_str()).await;
        assert!(trades > 0, "both traded");
        assert_eq!((number("trades"), text("volume"), text("notional")), (trades, volume, notional), "{answer}");
        assert_eq!(is_quotient, Some(true), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_final_figure_over_two_lying_exchanges_is_that_of_the_trades_both_hold_true() {
    let scene = Scene::new().await;
    let until = EpochMs::new(now().plus_ms(6_000).ms() / 1_000 * 1_000);
    let mut newest = 0;
    // While both are followed: every answer has both, and none goes back.
    eventually("a figure of both exchanges", PATIENCE, || async {
        let (status, answer) = scene.ask("/latest?ticker=BTC/USDT").await;
        (status == 200 && answer["parts"].as_array().is_some_and(|parts| parts.len() == 2) && answer["stale"] == false)
            .then_some(())
    })
    .await;
    while now() < until {
        let (status, answer) = scene.ask("/latest?ticker=BTC/USDT").await;
        assert_eq!((status, answer["parts"].as_array().map(Vec::len)), (200, Some(2)), "{answer}");
        let ts = answer["ts"].as_i64().expect("a mark");
        assert!(newest <= ts, "it went back from {newest} to {ts}");
        newest = ts;
    }
    scene.settled(until).await;

    let path = |ts: i64| format!("/historical?ticker=BTC/USDT&min_state=final&ts={ts}");
    for ts in (until.ms() - 8_000..=until.ms()).step_by(1_000).chain([until.ms() - 1, until.ms() - 3_777]) {
        let (status, answer) = scene.ask(&path(ts)).await;
        assert_eq!((status, &answer["state"], &answer["complete"]), (200, &"final".into(), &true.into()), "{answer}");
        scene.equals_the_truth(&answer).await;
    }
    let (_, answer) = scene.ask("/latest?ticker=BTC/USDT&min_state=final").await;
    assert_eq!((&answer["state"], answer["ts"].as_i64() >= Some(until.ms())), (&"final".into(), true), "{answer}");
    scene.equals_the_truth(&answer).await;
    // The parts are the exchanges' own, whose names are found whatever their case.
    let (_, whole) = scene.ask(&path(until.ms())).await;
    for (index, name) in ["Binance", "KRAKEN"].into_iter().enumerate() {
        let (_, alone) = scene.ask(&format!("{}&exchange={name}", path(until.ms()))).await;
        for member in ["exchange", "price", "volume", "notional", "trades", "state"] {
            assert_eq!(whole["parts"][index][member], alone[member], "{name} {member}");
        }
        let receipt = whole["parts"][index]["receipt"].as_str().expect("a receipt").to_owned();
        assert_eq!(scene.ask(&receipt).await.1["notional"], alone["notional"]);
    }
}
