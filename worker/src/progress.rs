//! How far a backfill has come: a line that moves on a terminal, a log line
//! now and then elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tape::{EpochMs, Ticker};

/// Less than this behind is not a backfill.
const BEHIND_MS: i64 = 60_000;

/// Between two log lines.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// The tickers that are being backfilled.
#[derive(Default)]
pub struct Progress {
    began_at: HashMap<Ticker, EpochMs>,
    bar: Option<ProgressBar>,
    logged: Option<Instant>,
}

impl Progress {
    /// Takes notice of how far each ticker is settled, and says so now and then.
    pub fn update<'a>(&mut self, now: EpochMs, settled: impl Iterator<Item = (&'a Ticker, EpochMs)>) {
        let mut done_ms = 0;
        let mut all_ms = 0;
        let mut behind = 0usize;
        for (ticker, until) in settled {
            let is_behind = now.ms_since(until) > BEHIND_MS;
            if !is_behind && !self.began_at.contains_key(ticker) {
                continue;
            }
            let began_at = *self.began_at.entry(ticker.clone()).or_insert(until);
            behind += usize::from(is_behind);
            done_ms += until.ms_since(began_at);
            all_ms += now.ms_since(began_at);
        }
        if behind == 0 {
            self.finish();
            return;
        }
        let seconds = |ms: i64| u64::try_from(ms / 1000).unwrap_or(0);
        self.say(behind, seconds(done_ms), seconds(all_ms));
    }

    fn say(&mut self, behind: usize, done_s: u64, all_s: u64) {
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| {
                let style = ProgressStyle::with_template("backfill {bar:30} {percent}%  {msg}  {eta} left");
                ProgressBar::new(all_s).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            });
            bar.set_length(all_s);
            bar.set_position(done_s);
            bar.set_message(format!("{done_s} of {all_s} s of market, tickers behind: {behind}"));
            return;
        }
        let is_due = self.logged.is_none_or(|at| at.elapsed() >= LOG_EVERY);
        if is_due {
            self.logged = Some(Instant::now());
            tracing::info!(
                done_s,
                all_s,
                behind,
                "backfilled {done_s} of {all_s} s of market, tickers behind: {behind}"
            );
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if !self.began_at.is_empty() {
            let tickers = self.began_at.len();
            tracing::info!(tickers, "backfill complete, tickers: {tickers}");
            self.began_at.clear();
        }
    }
}
