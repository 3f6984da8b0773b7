//! More trades than can be written: how many are, what becomes of the others,
//! and whether all is well again afterwards.

mod alone;
mod feeder;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;

use self::alone::alone;
use self::feeder::Feeder;
use crate::Bench;
use crate::ceiling::Way;
use crate::filled::Filled;
use crate::made::ticker_name;
use crate::parts::live::{Buckets, counter};
use crate::rounds::{Contestant, alternate, median};
use crate::servers::Server;
use crate::table::Row;

/// How many tickers the socket tells of.
const TICKERS: usize = 20;

/// Told a second before and after.
const FEW: u64 = 2_000;

/// By then all must be well again, or nothing more is measured.
const RECOVERS_WITHIN: Duration = Duration::from_secs(60);

/// By then all shall be well again: a full queue takes less than a second to be written.
const RECOVERED_WITHIN_S: f64 = 5.0;

/// How much of the fastest statement is asked for.
const BAR: f64 = 0.8;

/// What was seen of the worker, or of a statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub committed_per_s: f64,
    pub dropped_per_s: f64,
    read_per_s: f64,
    told: u64,
    recovered_within_s: f64,
    p99_after_s: f64,
}

impl Seen {
    fn of_statement(committed_per_s: f64) -> Self {
        Self { committed_per_s, ..Self::default() }
    }
}

/// Measures a socket that tells too much.
///
/// # Errors
/// When a program fails, a trade is neither committed nor counted, or it does not recover.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let lasting = Duration::from_secs(if bench.quick { 3 } else { 15 });
    let statement = |way| runtime.block_on(alone(way, lasting));
    // As many as this machine's Postgres could just copy, had it nothing beside it to do.
    let too_many = (statement(Way::Copy)? / 10_000.0).ceil() as u64 * 10_000;
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new("ours", || {
                runtime.block_on(async {
                    overload(bench, &Filled::as_shipped().await?, "generic", too_many, lasting).await
                })
            }),
            Contestant::new("Postgres alone, insert", || statement(Way::Insert).map(Seen::of_statement)),
            Contestant::new("Postgres alone, copy", || statement(Way::Copy).map(Seen::of_statement)),
            Contestant::new("Postgres copying beside a reader", || {
                let (committed_per_s, read_per_s) = runtime.block_on(beside_a_reader(too_many, lasting))?;
                Ok(Seen { committed_per_s, read_per_s, ..Seen::default() })
            }),
        ],
    )?;
    let [ours, insert, copy, beside] = [0, 1, 2, 3].map(|index| median(&samples[index], |seen| seen.committed_per_s));
    let read = median(&samples[3], |seen| seen.read_per_s);
    let of = |measure: fn(&Seen) -> f64| median(&samples[0], measure);
    let told: u64 = samples[0].iter().map(|seen| seen.told).sum();
    let (dropped, recovered_s, after) =
        (of(|seen| seen.dropped_per_s), of(|seen| seen.recovered_within_s), of(|seen| seen.p99_after_s));
    Ok(vec![
        Row::compared(
            &format!("{too_many} trades a second told: committed a second"),
            format!("{ours:.0}"),
            format!("the faster alone: copying {copy:.0}, inserting {insert:.0}"),
            ours / insert.max(copy),
            BAR,
        ),
        Row::told(
            "the same, beside copying while somebody reads frames and does nothing with them",
            format!("{ours:.0}"),
            format!("{beside:.0} while {read:.0} are read: {:.2} of it", ours / beside),
        ),
        Row::absolute(
            "the same: each trade is committed or counted as dropped",
            format!("{dropped:.0} dropped a second; all of {told} told"),
            "some are, and none is lost count of",
            0.0 < dropped,
        ),
        Row::absolute(
            &format!(
                "then {FEW} a second: until nothing is dropped any more, and from a frame to its row p99 ≤ 100 ms"
            ),
            format!("{recovered_s:.1} s, within {:.0} ms", after * 1e3),
            &format!("≤ {RECOVERED_WITHIN_S} s"),
            recovered_s <= RECOVERED_WITHIN_S,
        ),
    ])
}

/// As many rows a second, copied while the market tells too much and somebody
/// listens: what is left of the machine for Postgres, whoever writes. The second
/// number is how many frames were read a second.
async fn beside_a_reader(too_many: u64, lasting: Duration) -> anyhow::Result<(f64, f64)> {
    let feeder = Feeder::start(TICKERS, too_many).await?;
    let url = format!("ws://127.0.0.1:{}/stream", feeder.port);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    let reading = tokio::spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
    let (began, told) = (Instant::now(), feeder.told());
    let committed_per_s = alone(Way::Copy, lasting).await?;
    // What is told is read, or the socket would be full.
    let read_per_s = (feeder.told() - told) as f64 / began.elapsed().as_secs_f64();
    reading.abort();
    Ok((committed_per_s, read_per_s))
}

/// Too much for a while, and then little again; told to a worker that keeps it
/// under the name of an exchange that has nothing there.
///
/// # Errors
/// When a program fails, a trade is neither committed nor counted, or it does not recover.
pub(super) async fn overload(
    bench: &Bench,
    filled: &Filled,
    exchange: &str,
    too_many: u64,
    lasting: Duration,
) -> anyhow::Result<Seen> {
    let feeder = Feeder::start(TICKERS, FEW).await?;
    let own = testkit::free_port();
    let mut command = Command::new(bench.programs.join("worker"));
    let names: Vec<String> = (0..TICKERS).map(ticker_name).collect();
    command.env_clear().envs([
        ("PG_STRING", filled.url.clone()),
        ("TICKERS", names.join(",")),
        ("EXCHANGE", exchange.to_owned()),
        ("WORKER_PORT", own.to_string()),
        ("LOG", "warn".to_owned()),
        ("MARKET_WS_URL", format!("ws://127.0.0.1:{}/stream", feeder.port)),
        ("MARKET_REST_URL", format!("http://127.0.0.1:{}/trades", feeder.port)),
    ]);
    let worker = tokio::task::spawn_blocking(move || Server::at(&mut command, own, "/health", "\"status\":\"ok\""));
    let worker = worker.await?.context("the worker")?;
    let look = || worker.get("/metrics");
    let (heard, dropped) = ("truetape_heard_trades_total", "truetape_socket_dropped_total");
    let began = Instant::now();
    while counter(&look()?, heard) < 5_000 {
        ensure!(began.elapsed() < RECOVERS_WITHIN, "nothing is heard");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    feeder.tell(too_many);
    // Until the queue is full.
    tokio::time::sleep(lasting / 3).await;
    let (before, since) = (look()?, Instant::now());
    tokio::time::sleep(lasting).await;
    let (after, seconds) = (look()?, since.elapsed().as_secs_f64());
    let grown = |name| counter(&after, name).saturating_sub(counter(&before, name)) as f64 / seconds;

    feeder.tell(FEW);
    let relieved = Instant::now();
    let mut page = look()?;
    let (recovered_within_s, p99_after_s) = loop {
        ensure!(relieved.elapsed() < RECOVERS_WITHIN, "it does not recover");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let next = look()?;
        let delays = |page: &str| Buckets::read(page, "truetape_heard_delay_seconds");
        let p99 = delays(&next).percentile_since(&delays(&page), 99);
        if counter(&next, dropped) == counter(&page, dropped) && p99 <= 0.1 {
            break (relieved.elapsed().as_secs_f64(), p99);
        }
        page = next;
    };
    feeder.tell(0);
    let told = loop {
        let page = look()?;
        let accounted = counter(&page, heard) + counter(&page, dropped);
        if accounted == feeder.told() {
            break accounted;
        }
        ensure!(relieved.elapsed() < 2 * RECOVERS_WITHIN, "{} told, {accounted} accounted for", feeder.told());
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let (committed_per_s, dropped_per_s) = (grown(heard), grown(dropped));
    Ok(Seen { committed_per_s, dropped_per_s, told, recovered_within_s, p99_after_s, ..Seen::default() })
}
