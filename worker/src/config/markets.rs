//! Several markets in one environment: `MARKET=binance,kraken` follows both, and
//! a variable with a market's name behind it, as `TICKERS_BINANCE`, is meant for
//! that one only.

use std::collections::{BTreeMap, BTreeSet};

use market::Market;

use super::{Config, ConfigError};

/// What cannot be meant for several markets at once.
const OF_ONE_MARKET: [&str; 3] = ["MARKET_WS_URL", "MARKET_REST_URL", "EXCHANGE"];

/// What is usually given for each market.
const PER_MARKET: [&str; 6] = ["TICKERS", "MARKET_WS_URL", "MARKET_REST_URL", "REST_RATE", "PAGE_LIMIT", "EXCHANGE"];

/// The variables as each market is to read them.
///
/// # Errors
/// Names a market that is named twice, or a variable that can be meant for one only.
pub(super) fn of_each(vars: BTreeMap<String, String>) -> Result<Vec<BTreeMap<String, String>>, ConfigError> {
    let given = |name: &str| vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let names: Vec<&str> = given("MARKET").unwrap_or("generic").split(',').map(str::trim).collect();
    let mut markets: Vec<String> = Vec::with_capacity(names.len());
    refuse_unknown_suffixes(&vars)?;
    for name in names {
        if name.is_empty() {
            let words =
                format!("MARKET is {:?}: a name is missing beside a comma", given("MARKET").unwrap_or_default());
            return Err(ConfigError(format!("\n  {words}")));
        }
        // A name that is none is refused where the other variables are read, together with theirs.
        let market = name.parse::<Market>().map_or_else(|_| name.to_owned(), |market| market.as_str().to_owned());
        if markets.contains(&market) {
            return Err(ConfigError(format!("\n  MARKET names {market} twice")));
        }
        markets.push(market);
    }
    if let (Some(name), true) = (OF_ONE_MARKET.into_iter().find(|name| given(name).is_some()), markets.len() > 1) {
        let suffix = markets[0].to_uppercase();
        let words = format!("{name} is given and MARKET names several; accepted: {name}_{suffix} and the like");
        return Err(ConfigError(format!("\n  {words}")));
    }
    Ok(markets.iter().map(|market| of_market(market, &vars)).collect())
}

/// What names a market that is not known is a misspelling, and would be ignored.
fn refuse_unknown_suffixes(vars: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    for name in vars.keys() {
        let suffix = PER_MARKET.iter().find_map(|variable| name.strip_prefix(variable)?.strip_prefix('_'));
        if let Some(suffix) =
            suffix.filter(|suffix| !Market::all().any(|market| market.as_str().to_uppercase() == *suffix))
        {
            let words = format!("{name} is for a market called {suffix}; known are: {}", Market::names());
            return Err(ConfigError(format!("\n  {words}")));
        }
    }
    Ok(())
}

fn of_market(market: &str, vars: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let suffix = |market: &str| format!("_{}", market.to_uppercase());
    let is_of_some_market = |name: &str| Market::all().any(|market| name.ends_with(&suffix(market.as_str())));
    let mut own: BTreeMap<String, String> = vars
        .iter()
        .filter(|(name, _)| !is_of_some_market(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, value) in vars {
        if let Some(name) = name.strip_suffix(&suffix(market)) {
            own.insert(name.to_owned(), value.clone());
        }
    }
    own.insert("MARKET".to_owned(), market.to_owned());
    own
}

/// Two markets cannot be stored under one name.
///
/// # Errors
/// Names the name.
pub(super) fn refuse_shared_names(configs: &[Config]) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    match configs.iter().find(|config| !seen.insert(config.venue.to_lowercase())) {
        Some(config) => Err(ConfigError(format!("\n  EXCHANGE is {:?} for two markets", config.venue))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configs(vars: &[(&str, &str)]) -> Result<Vec<Config>, String> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::all_from_vars(vars).map_err(|error| error.to_string())
    }

    #[test]
    fn each_market_has_its_own_addresses_tickers_and_name() {
        let configs = configs(&[
            ("MARKET", "Binance, bybit"),
            ("TICKERS", "BTC/USDT"),
            ("TICKERS_BYBIT", "ETH/USDT,SOL/USDT"),
            ("MARKET_REST_URL_BINANCE", "http://127.0.0.1:1"),
            ("INTERVAL", "1m"),
        ])
        .expect("two markets");

        let venues: Vec<&str> = configs.iter().map(|config| config.venue.as_str()).collect();
        assert_eq!(venues, ["binance", "bybit"]);
        let tickers: Vec<usize> = configs.iter().map(|config| config.tickers.len()).collect();
        assert_eq!(tickers, [1, 2]);
        assert_eq!(configs[0].market_rest_url.as_str(), "http://127.0.0.1:1/");
        assert_eq!(configs[1].market_rest_url.host_str(), Some("api.bybit.com"));
        assert!(configs.iter().all(|config| config.interval.ms() == 60_000));
    }

    #[test]
    fn the_generic_markets_addresses_are_nobody_elses_as_compose_gives_them() {
        let given = |market| {
            let tickers = ("TICKERS", "BTC/USDT");
            let [ws, rest] = [("MARKET_WS_URL", ""), ("MARKET_REST_URL", "")];
            let venue = [
                ("MARKET_WS_URL_GENERIC", "ws://venue:1/stream"),
                ("MARKET_REST_URL_GENERIC", "http://venue:1/trades"),
            ];
            let backfill = [("BACKFILL_FROM", ""), ("BACKFILL_FROM_GENERIC", "-10m")];
            let vars = [[("MARKET", market), tickers], [ws, rest], venue, backfill].concat();
            configs(&vars).expect("markets")
        };
        let hosts = |market| -> Vec<String> {
            let host = |url: &url::Url| url.host_str().unwrap_or_default().to_owned();
            given(market)
                .iter()
                .flat_map(|config| [host(&config.market_ws_url), host(&config.market_rest_url)])
                .collect()
        };

        assert_eq!(hosts("generic"), ["venue", "venue"]);
        for market in ["binance", "bybit", "coinbase", "kraken", "okx", "bitstamp", "binance,kraken"] {
            assert!(
                hosts(market).iter().all(|host| host != "venue" && host.contains('.')),
                "{market}: {:?}",
                hosts(market)
            );
        }
        assert_eq!(hosts("binance,generic")[2..], ["venue", "venue"]);
        assert_eq!(given("generic")[0].backfill_from, crate::config::BackfillFrom::Back(600_000));
        assert_eq!(given("binance")[0].backfill_from, crate::config::BackfillFrom::Now);
    }

    #[test]
    fn what_is_misspelt_is_refused_rather_than_ignored() {
        let tickers = ("TICKERS", "BTC/USDT");
        for (market, variable, complaint) in [
            ("binance,", ("LOG", "info"), "a name is missing beside a comma"),
            (",binance", ("LOG", "info"), "a name is missing beside a comma"),
            ("binance", ("TICKERS_KRAKN", "BTC/USDT"), "TICKERS_KRAKN is for a market called KRAKN"),
            ("binance", ("REST_RATE_binance", "5"), "REST_RATE_binance is for a market called binance"),
            ("binance", ("TICKERS_BINANCE", "btc/usdt"), "TICKERS is \"btc/usdt\""),
            ("binance", ("TICKERS_BINANCE", "BTCUSDT"), "TICKERS is \"BTCUSDT\""),
            ("binance", ("TICKERS_BINANCE", "BTC/"), "TICKERS is \"BTC/\""),
        ] {
            let refused = configs(&[("MARKET", market), tickers, variable]).expect_err(variable.0);
            assert!(refused.contains(complaint), "{refused}");
        }
        for fine in [("TICKERS_KRAKEN", "BTC/USD"), ("LOG_LEVEL", "x"), ("TICKERS_BINANCE", "1INCH/USDT")] {
            assert!(configs(&[("MARKET", "binance"), tickers, fine]).is_ok(), "{fine:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_for_several_is_refused() {
        let both = ("MARKET", "binance,bybit");
        let tickers = ("TICKERS", "BTC/USDT");

        assert!(
            configs(&[both, tickers, ("MARKET_WS_URL", "ws://a")])
                .expect_err("whose")
                .contains("MARKET_WS_URL_BINANCE")
        );
        assert!(configs(&[("MARKET", "binance,Binance"), tickers]).expect_err("twice").contains("twice"));
        assert!(configs(&[("MARKET", "binance,nowhere"), tickers]).expect_err("unknown").contains("nowhere"));
        let same = [both, tickers, ("EXCHANGE_BINANCE", "X"), ("EXCHANGE_BYBIT", "x")];
        assert!(configs(&same).expect_err("one name").contains("two markets"));
        assert!(configs(&[both]).expect_err("no tickers").contains("TICKERS"));
    }
}
