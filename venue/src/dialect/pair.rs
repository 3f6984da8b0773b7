//! What a ticker consists of: an exchange lists what is traded against what.

use tape::{Rejection, Ticker};

/// Quote currencies that end a ticker written in one word.
const QUOTES: [&str; 9] = ["USDT", "USDC", "USD", "EUR", "GBP", "JPY", "BTC", "ETH", "BNB"];

/// The tickers of a generated market that speaks an exchange's dialect; the last is quiet.
pub const DEFAULT_PAIRS: [&str; 5] = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "DOGE/USDT"];

/// What a ticker is traded against what.
pub fn parts(ticker: &Ticker) -> (&str, &str) {
    ticker.as_str().split_once('/').unwrap_or((ticker.as_str(), ""))
}

/// The base and the quote in one word.
pub fn joined(ticker: &Ticker, by: &str) -> String {
    let (base, quote) = parts(ticker);
    if quote.is_empty() { base.to_owned() } else { [base, by, quote].concat() }
}

/// The pair a ticker stands for: a tape may call it `BTCUSDT`, `BTC_JPY` or
/// just `SPY`, which is then traded against USDT.
pub fn as_pair(ticker: &Ticker) -> Result<Ticker, Rejection> {
    let text = ticker.as_str();
    if text.contains('/') {
        return Ok(ticker.clone());
    }
    if let Some((base, quote)) = text.split_once(['_', '-', ':']) {
        return Ticker::new(&format!("{base}/{quote}"));
    }
    for quote in QUOTES {
        if let Some(base) = text.strip_suffix(quote).filter(|base| !base.is_empty()) {
            return Ticker::new(&format!("{base}/{quote}"));
        }
    }
    Ticker::new(&format!("{text}/USDT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_tape_calls_it_is_a_pair() {
        for (text, pair) in [
            ("BTCUSDT", "BTC/USDT"),
            ("BTC_JPY", "BTC/JPY"),
            ("XRP/ETH", "XRP/ETH"),
            ("SPY", "SPY/USDT"),
            ("BTC", "BTC/USDT"),
            ("ETHBTC", "ETH/BTC"),
        ] {
            assert_eq!(as_pair(&Ticker::new(text).expect("a ticker")).expect("a pair").as_str(), pair);
        }
    }
}
