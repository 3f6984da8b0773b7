//! Watches figures being served: asks for some tickers again and again, and
//! notes how long after its second each new mark was there.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};

/// Between two rounds of questions.
const REST: Duration = Duration::from_millis(2);

/// How long after its second each mark was first served, in milliseconds.
///
/// # Errors
/// When an answer is none, goes back in time, or nothing new is served.
pub fn served_after_ms(api: SocketAddr, tickers: &[String], lasting: Duration) -> anyhow::Result<Vec<f64>> {
    let mut stream = TcpStream::connect(api)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut newest: Vec<i64> = vec![0; tickers.len()];
    let mut delays = Vec::new();
    let began = Instant::now();
    while began.elapsed() < lasting {
        for (ticker, newest) in tickers.iter().zip(&mut newest) {
            let mark = mark_of(&mut stream, ticker)?;
            let seen_at = now_ms();
            ensure!(*newest <= mark, "{ticker} went back from {newest} to {mark}");
            // The first of all was there before we asked.
            if 0 < *newest && *newest < mark {
                // What was passed over was never served, or not for long enough to be seen.
                delays.extend((*newest + 1_000..=mark).step_by(1_000).map(|each| seen_at - each as f64));
            }
            *newest = mark;
        }
        std::thread::sleep(REST);
    }
    ensure!(delays.len() >= tickers.len(), "{} new marks of {} tickers", delays.len(), tickers.len());
    Ok(delays)
}

fn mark_of(stream: &mut TcpStream, ticker: &str) -> anyhow::Result<i64> {
    write!(stream, "GET /latest?ticker={ticker} HTTP/1.1\r\nHost: bench\r\n\r\n")?;
    let mut answer = Vec::with_capacity(2_048);
    let mut part = [0; 2_048];
    loop {
        let read = stream.read(&mut part)?;
        ensure!(read > 0, "the api closed the connection");
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase().split("content-length: ").nth(1).map(str::to_owned);
        let length: usize =
            length.as_deref().and_then(|rest| rest.lines().next()?.trim().parse().ok()).context("length")?;
        if body.len() < length {
            continue;
        }
        ensure!(head.starts_with("HTTP/1.1 200"), "{text}");
        let mark = serde_json::from_str::<serde_json::Value>(body)?["ts"].as_i64();
        return mark.with_context(|| format!("no mark in {body}"));
    }
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3
}
