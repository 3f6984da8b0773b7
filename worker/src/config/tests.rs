//! Variables read into settings, and refused by name.

use super::*;

fn read(vars: &[(&str, &str)]) -> Result<Config, String> {
    let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_vars(vars).map_err(|error| error.to_string())
}

#[test]
fn an_empty_environment_gives_every_default() {
    let config = read(&[]).expect("defaults are valid");

    assert_eq!(config.interval, Interval::DEFAULT);
    assert_eq!(config.market_ws_url.as_str(), "ws://127.0.0.1:61792/stream");
    assert_eq!(config.venue, "generic");
    assert_eq!(config.port, 3004);
    assert!(config.tickers.is_empty());
}

#[test]
fn an_empty_value_counts_as_absent() {
    assert_eq!(read(&[("INTERVAL", ""), ("TICKERS", "")]).expect("defaults").interval, Interval::DEFAULT);
}

#[test]
fn every_wrong_variable_is_named_with_its_value_and_what_is_accepted() {
    let wrong = read(&[("INTERVAL", "5x"), ("MARKET_WS_URL", "http://a"), ("TICKERS", "BTC,a b"), ("REST_RATE", "0")]);

    let message = wrong.expect_err("four wrong variables");
    for (name, value) in [("INTERVAL", "5x"), ("MARKET_WS_URL", "http://a"), ("TICKERS", "BTC,a b"), ("REST_RATE", "0")]
    {
        assert!(message.contains(&format!("{name} is {value:?}; accepted: ")), "{message}");
    }
}

#[test]
fn a_wrong_connection_string_is_named_without_its_password() {
    let message = read(&[("PG_STRING", "mysql://me:secret@host")]).expect_err("not Postgres");

    assert!(message.contains("PG_STRING is \"(not shown)\"; accepted: postgres://"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn the_interval_is_whole_seconds_however_it_is_written() {
    assert_eq!(read(&[("INTERVAL", "5m")]).expect("five minutes").interval.ms(), 300_000);
    assert!(read(&[("INTERVAL", "1500ms")]).is_err());
    assert!(read(&[("INTERVAL", "25h")]).is_err());
}

#[test]
fn the_beginning_of_the_tape_is_an_instant_or_a_duration_back() {
    let from = |text: &str| backfill_from(text);

    assert_eq!(from("now"), Some(BackfillFrom::Now));
    assert_eq!(from("-10m"), Some(BackfillFrom::Back(600_000)));
    assert_eq!(from("2023-05-14T17:00:00Z"), Some(BackfillFrom::At(EpochMs::new(1_684_083_600_000))));
    assert_eq!(from("1684083600000"), Some(BackfillFrom::At(EpochMs::new(1_684_083_600_000))));
    assert_eq!(from("1684083600"), None);
    assert_eq!(from("yesterday"), None);
}

#[test]
fn a_tape_that_begins_before_what_is_kept_is_refused() {
    let old = ("BACKFILL_FROM", "2018-01-20T15:00:00Z");

    assert!(read(&[old]).expect_err("older than 30 days").contains("RETENTION=forever"));
    assert!(read(&[old, ("RETENTION", "forever")]).is_ok());
    assert!(read(&[old, ("MARKET_CLOCK", "market")]).is_ok());
}

#[test]
fn the_filter_of_suspects_is_the_usual_one_and_each_part_of_it_can_be_off() {
    assert_eq!(read(&[]).expect("defaults").suspects, Suspects::USUAL);
    let off = [("SUSPECT_FUTURE", "off"), ("SUSPECT_PRICE_BAND", "OFF"), ("SUSPECT_QUANTITY_FACTOR", "off")];
    assert_eq!(read(&off).expect("off").suspects, Suspects::default());
    let strict = [("SUSPECT_FUTURE", "0"), ("SUSPECT_PRICE_BAND", "0"), ("SUSPECT_QUANTITY_FACTOR", "1")];
    let strict = read(&strict).expect("strict").suspects;
    assert_eq!(strict, Suspects { future_ms: Some(0), price_band_bps: Some(0), quantity_factor: Some(1) });
    for wrong in [("SUSPECT_FUTURE", "soon"), ("SUSPECT_PRICE_BAND", "1%"), ("SUSPECT_QUANTITY_FACTOR", "0")] {
        assert!(read(&[wrong]).expect_err("refused").contains("accepted: off, or"), "{wrong:?}");
    }
}

#[test]
fn a_tape_cannot_begin_in_the_future() {
    let refused = read(&[("BACKFILL_FROM", "2199-01-01T00:00:00Z")]).expect_err("the future");

    assert!(refused.contains("BACKFILL_FROM is \"in the future\""), "{refused}");
}

#[test]
fn the_readme_lists_every_variable_with_its_default() {
    let readme = include_str!("../../../README.md");
    for (name, default, _) in VARIABLES {
        let default = if default.is_empty() { "empty".to_owned() } else { format!("`{default}`") };
        assert!(readme.contains(&format!("| `{name}` | {default} |")), "{name} with default {default}");
    }
}

#[test]
fn every_variable_has_a_field_and_every_field_a_variable() {
    let fields = format!("{:?}", Raw::default());
    for (name, _, _) in VARIABLES {
        assert!(fields.contains(&format!("{}: None", name.to_lowercase())), "{name}");
    }
    assert_eq!(fields.matches(": None").count(), VARIABLES.len());
}
