//! Limits that are hit and bans, on each exchange: while a refusal says that
//! nothing is to be had, nobody asks, as the exchange itself counts; nobody else
//! is kept waiting; and afterwards nothing is missing.

use std::time::Duration;

use testkit::{TestDatabase, eventually};
use tokio_postgres::Client;
use venue::{RestMode, Running, Venue, VenueConfig};

use crate::six::{BTC, end_of_second, follow, holds_the_truth, is_the_truth, lively, on_each};
use crate::stage::{PATIENCE, Worker, now, settled, settled_until, vars};

/// How long nothing is to be had: longer than anybody stays away without being told, where the
/// exchange tells; else as long as its documentation lets expect.
fn used_up_for(exchange: &str) -> Duration {
    match exchange {
        // `Retry-After`, and without it ten seconds.
        "binance" => Duration::from_secs(12),
        // The moment stands in a header; without it five seconds.
        "bybit" => Duration::from_secs(8),
        // A window of one second, and of two.
        "coinbase" | "okx" => Duration::from_millis(1_900),
        _ => Duration::from_secs(4),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hits_a_limit_waits_until_there_is_something_to_be_had_again() {
    on_each(|exchange| async move {
        let (stage, client) = follow(lively(exchange)).await;
        assert_eq!(count(&stage.venue, "refused"), 0, "{exchange}: it keeps to the limits by itself");

        stage.venue.use_up(used_up_for(exchange));
        eventually("a refusal", PATIENCE, || async { (0 < count(&stage.venue, "refused")).then_some(()) }).await;

        holds_the_truth(&stage, &client).await;
        assert_eq!(count(&stage.venue, "impatient"), 0, "{exchange}: {}", stage.venue.asked());
    })
    .await;
}

/// Two exchanges, one worker for both.
struct Neighbours {
    banned: Running,
    other: Running,
    client: Client,
    worker: Worker,
    _database: TestDatabase,
}

/// What the neighbour of a banned exchange trades.
const ETH: &str = "ETH/USDT";

impl Neighbours {
    async fn start(banned: &str, other: &str) -> Self {
        let of = |exchange: &str, ticker: &str| {
            let mut market = lively(exchange);
            if let venue::MarketKind::Generated { tickers, .. } = &mut market.market {
                *tickers = vec![ticker.to_owned()];
            }
            Venue::start(VenueConfig { ..market })
        };
        let (banned, other) = (of(banned, BTC).await.expect("a venue"), of(other, ETH).await.expect("a venue"));
        let database = testkit::database().await;
        let names = [banned.dialect().name(), other.dialect().name()].join(",");
        let mut both = vec![("MARKET".to_owned(), names), ("INTERVAL".to_owned(), "3s".to_owned())];
        for (venue, ticker) in [(&banned, BTC), (&other, ETH)] {
            let suffix = venue.dialect().name().to_uppercase();
            let own =
                vars(venue, &database.url(), &[("TICKERS", ticker)]).into_iter().filter(|(name, _)| name != "MARKET");
            both.extend(own.map(|(name, value)| (format!("{name}_{suffix}"), value)));
        }
        both.push(("PG_STRING".to_owned(), database.url()));
        let worker = Worker::start(both).await;
        let client = database.client().await;
        for ticker in [BTC, ETH] {
            settled(&client, ticker, now()).await;
        }
        Self { banned, other, client, worker, _database: database }
    }

    /// Waits until the neighbour is settled for some seconds more, and says how far the banned one is.
    async fn meanwhile(&self, ms: i64) -> tape::EpochMs {
        settled(&self.client, ETH, now().plus_ms(ms)).await;
        settled_until(&self.client, BTC).await
    }

    async fn hold_the_truth(self) {
        let until = end_of_second(now());
        for (venue, ticker) in [(&self.banned, BTC), (&self.other, ETH)] {
            settled(&self.client, ticker, until).await;
            is_the_truth(venue, &self.client, ticker, until).await;
        }
        self.worker.stop().await.expect("a clean end");
    }
}

async fn waits_out_a_ban(banned: &str, other: &str) {
    let neighbours = Neighbours::start(banned, other).await;

    let until = now().plus_ms(12_000);
    neighbours.banned.ban(Duration::from_secs(12));
    neighbours.banned.cut();
    eventually("a refusal", PATIENCE, || async { (0 < count(&neighbours.banned, "refused")).then_some(()) }).await;
    let told_at = now();

    assert!(neighbours.meanwhile(2_000).await < told_at, "{banned} is not settled meanwhile, and {other} is");
    settled(&neighbours.client, BTC, until).await;
    assert_eq!(count(&neighbours.banned, "impatient"), 0, "{banned}: {}", neighbours.banned.asked());
    neighbours.hold_the_truth().await;
}

/// Binance: 418 with `Retry-After`, and the socket's door is closed as well. Kraken: inside of
/// HTTP 200, the second from which on it answers again.
#[tokio::test(flavor = "multi_thread")]
async fn a_ban_is_waited_out_and_nobody_at_another_exchange_waits() {
    tokio::join!(waits_out_a_ban("binance", "coinbase"), waits_out_a_ban("kraken", "okx"));
}

/// Told once, and nobody asks for many minutes: not while the neighbour becomes final.
async fn believes_a_long_ban(banned: &str, told: &'static str, other: &str) {
    let neighbours = Neighbours::start(banned, other).await;

    let before = neighbours.banned.rest_counts().failed;
    neighbours.banned.set_rest_mode(RestMode::Error(told), None);
    eventually("a refusal", PATIENCE, || async { (before < neighbours.banned.rest_counts().failed).then_some(()) })
        .await;
    neighbours.banned.set_rest_mode(RestMode::Ok, None);
    // What was asked before anybody knew comes in meanwhile.
    let over = now().plus_ms(1_000);
    eventually("everybody to know", PATIENCE, || async { (over <= now()).then_some(()) }).await;
    let asked = neighbours.banned.rest_counts().asked;

    assert!(neighbours.meanwhile(4_000).await < over, "{banned} is not settled");
    assert_eq!(neighbours.banned.rest_counts().asked, asked, "{banned} would answer, and nobody asks");
}

/// Bybit: 403, which lasts ten minutes. Kraken: a lockout inside of HTTP 200, which does not say
/// for how long.
#[tokio::test(flavor = "multi_thread")]
async fn a_ban_of_many_minutes_is_believed_and_nobody_at_another_exchange_waits() {
    tokio::join!(
        believes_a_long_ban("bybit", "access_too_frequent", "binance"),
        believes_a_long_ban("kraken", "temporary_lockout", "bitstamp"),
    );
}

/// A number of the exchange's own count.
fn count(venue: &Running, name: &str) -> u64 {
    venue.asked()[name].as_u64().expect("a count")
}
