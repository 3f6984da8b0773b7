//! Kraken's three spellings of a pair. Bitcoin is XBT and Dogecoin XDG by REST,
//! and the oldest pairs are listed under letters of their own.

use tape::Ticker;

use crate::dialect::pair;

/// Currencies that carry an X where both sides of a pair are old.
const OLD: [&str; 8] = ["XBT", "ETH", "XRP", "LTC", "XMR", "XLM", "ETC", "ZEC"];

/// State money, which carries a Z there.
const STATE: [&str; 6] = ["USD", "EUR", "GBP", "JPY", "CAD", "AUD"];

/// A currency as REST calls it.
pub fn code(currency: &str) -> &str {
    match currency {
        "BTC" => "XBT",
        "DOGE" => "XDG",
        other => other,
    }
}

/// `XBTUSD`.
pub fn alternative_name(ticker: &Ticker) -> String {
    let (base, quote) = pair::parts(ticker);
    [code(base), code(quote)].concat()
}

/// `XBT/USD`, as the socket's first version had it.
pub fn socket_name(ticker: &Ticker) -> String {
    let (base, quote) = pair::parts(ticker);
    [code(base), "/", code(quote)].concat()
}

/// The base and the quote as the listing calls them: `XXBT`, `ZUSD`.
pub fn listed_parts(ticker: &Ticker) -> (String, String) {
    let (base, quote) = pair::parts(ticker);
    let listed = |currency: &str| {
        let code = code(currency);
        match (OLD.contains(&code), STATE.contains(&code)) {
            (true, _) => format!("X{code}"),
            (_, true) => format!("Z{code}"),
            _ => code.to_owned(),
        }
    };
    (listed(base), listed(quote))
}

/// The key of a pair in replies: `XXBTZUSD`, but `XBTUSDT`.
pub fn key(ticker: &Ticker) -> String {
    let (base, quote) = pair::parts(ticker);
    let is_old = OLD.contains(&code(base)) && (STATE.contains(&quote) || OLD.contains(&code(quote)));
    let (listed_base, listed_quote) = listed_parts(ticker);
    if is_old { [listed_base, listed_quote].concat() } else { alternative_name(ticker) }
}

/// Whether a request means this ticker.
pub fn means(asked: &str, ticker: &Ticker) -> bool {
    [alternative_name(ticker), key(ticker), socket_name(ticker), ticker.as_str().to_owned()]
        .iter()
        .any(|name| name == asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_three_spellings() {
        let names = |text: &str| {
            let ticker = Ticker::new(text).expect("a ticker");
            [key(&ticker), alternative_name(&ticker), socket_name(&ticker)]
        };
        assert_eq!(names("BTC/USD"), ["XXBTZUSD", "XBTUSD", "XBT/USD"]);
        assert_eq!(names("BTC/USDT"), ["XBTUSDT", "XBTUSDT", "XBT/USDT"]);
        assert_eq!(names("ETH/BTC"), ["XETHXXBT", "ETHXBT", "ETH/XBT"]);
        assert_eq!(names("DOGE/USDT"), ["XDGUSDT", "XDGUSDT", "XDG/USDT"]);
    }
}
