//! A market that tells as many trades as it is asked to, each of them once and
//! true, and whose REST has nothing to say: nothing it tells is ever settled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::SinkExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::Message;

use crate::made::{Made, ticker_name};

/// How often it tells something.
const EVERY: Duration = Duration::from_millis(2);

/// It speaks until it is dropped.
pub struct Feeder {
    /// Where it listens.
    pub port: u16,
    pace: Arc<AtomicU64>,
    told: Arc<AtomicU64>,
    listening: JoinHandle<()>,
}

impl Feeder {
    /// Listens, and tells so many trades a second to whoever connects.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(tickers: usize, per_second: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (pace, told) = (Arc::new(AtomicU64::new(per_second)), Arc::new(AtomicU64::new(0)));
        let (own_pace, own_told) = (Arc::clone(&pace), Arc::clone(&told));
        let names: Vec<String> = (0..tickers).map(ticker_name).collect();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (names, pace, told) = (names.clone(), Arc::clone(&own_pace), Arc::clone(&own_told));
                tokio::spawn(async move {
                    // Whoever asked has gone: nothing is left to be said.
                    let _ = attend(stream, &names, &pace, &told).await;
                });
            }
        });
        Ok(Self { port, pace, told, listening })
    }

    /// Tells so many trades a second from now on.
    pub fn tell(&self, per_second: u64) {
        self.pace.store(per_second, Ordering::Relaxed);
    }

    /// How many were told.
    pub fn told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn attend(mut stream: TcpStream, names: &[String], pace: &AtomicU64, told: &AtomicU64) -> anyhow::Result<()> {
    let mut beginning = [0; 11];
    while stream.peek(&mut beginning).await? < beginning.len() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if beginning.starts_with(b"GET /trades") {
        let mut question = vec![0; 4_096];
        // Its present is that of before all trades.
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Market-Time: 1000\r\nContent-Length: 2\r\n\r\n[]";
        while stream.read(&mut question).await? > 0 {
            stream.write_all(answer).await?;
        }
        return Ok(());
    }
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    let mut due = 0.0;
    loop {
        ticks.tick().await;
        let now = Instant::now();
        due += pace.load(Ordering::Relaxed) as f64 * now.duration_since(last).as_secs_f64();
        last = now;
        // What the other side does not take in time is not made up for.
        due = due.min(2_000.0);
        let now_ms = now_ms()?;
        while due >= 1.0 {
            due -= 1.0;
            let made = made(told.load(Ordering::Relaxed), names.len(), now_ms);
            let Made { ticker, traded_at_ms, id, .. } = made;
            let (name, quantity, price) = (&names[ticker], made.quantity_text(), made.price_text());
            let frame = format!(
                r#"{{"ticker":"{name}","ts":{traded_at_ms},"quantity":"{quantity}","price":"{price}","tradeid":"{id}"}}"#
            );
            socket.feed(Message::text(frame)).await?;
            told.fetch_add(1, Ordering::Relaxed);
        }
        socket.flush().await?;
    }
}

/// The trade that is told as this one, counted from 0, over so many tickers.
pub fn made(count: u64, tickers: usize, traded_at_ms: i64) -> Made {
    let ticker = usize::try_from(count).unwrap_or(0) % tickers;
    let (price, quantity) = (2_700_000 + count % 977, 12_345 * (1 + count % 89));
    Made { ticker, traded_at_ms, price, price_decimals: 2, quantity, id: count }
}

/// The time of trades that are told now.
///
/// # Errors
/// When this machine's clock stands before 1970.
pub fn now_ms() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
