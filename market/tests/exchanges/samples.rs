//! Every recorded message of every exchange, against what a right reader makes of it.
//!
//! The messages are not part of this repository: without them the tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use market::reading::Reads;
use market::{Decoded, Market, Notice};
use serde_json::Value;
use tape::{Price, Quantity, Rejection, RejectionKind, Trade};

use crate::{conversation, decode, market, ticker};

/// What a file holds.
enum Holds {
    /// One frame with trades.
    Frame,
    /// Frames with trades, one a line.
    Frames,
    /// A recorded connection.
    Transcript,
    /// A page of trades; how many, where the expected ones are only some of them.
    Page(Option<usize>),
    /// A frame, or a text, without a trade.
    Says(Notice),
    /// A frame whose words matter less than that it refuses something.
    RefusesUs,
    /// An error of REST, with its status.
    Error(u16),
    /// What is said by us, for these tickers.
    SaidByUs(&'static [&'static str]),
    /// Messages of a channel or API that is not listened to; nothing in it passes for a trade.
    NotOurs(&'static str),
    /// The same, where each row is refused.
    RefusedRows(RejectionKind),
}

use Holds::{Error, Frame, Frames, NotOurs, Page, RefusedRows, RefusesUs, SaidByUs, Says, Transcript};

const NOTHING: Holds = Says(Notice::None);

fn plan(exchange: &str) -> Vec<(&'static str, Holds)> {
    match exchange {
        "binance" => vec![
            ("rest-trades.json", Page(None)),
            ("rest-historicalTrades.json", Page(None)),
            ("rest-trades-1000-ETHBTC.json", Page(Some(1_000))),
            ("rest-aggTrades.json", NotOurs("aggregates serve to find a moment only")),
            ("rest-aggTrades-doc.json", NotOurs("aggregates serve to find a moment only")),
            ("ws-combined-trade.json", Frame),
            ("ws-raw-trade.json", Frame),
            ("ws-combined-aggTrade.json", NotOurs("channel aggTrade")),
            ("ws-combined-aggTrade-testnet.json", NotOurs("channel aggTrade")),
            ("ws-aggTrade.transcript.jsonl", NotOurs("channel aggTrade")),
            ("ws-aggTrade-us.transcript.jsonl", NotOurs("channel aggTrade")),
            ("ws-raw-blockTrade.json", NOTHING),
            ("ws-serverShutdown-raw.json", Says(Notice::Leave)),
            ("ws-serverShutdown-combined.json", Says(Notice::Leave)),
            ("ws-subscribe.json", SaidByUs(&["BTC/USDT", "ETH/USDT"])),
            ("ws-subscribe-ack.json", NOTHING),
            ("ws-error-bad-json.json", RefusesUs),
            ("ws-error-unknown-method.json", RefusesUs),
            ("rest-error-429.json", Error(429)),
            ("rest-error-418.json", Error(418)),
            ("rest-error-invalid-symbol.json", Error(400)),
            ("rest-error-451.json", Error(451)),
        ],
        "bybit" => vec![
            ("ws-spot.transcript.jsonl", Transcript),
            ("ws-linear.transcript.jsonl", RefusedRows(RejectionKind::NoTradeId)),
            ("ws-publicTrade-doc.json", RefusedRows(RejectionKind::NoTradeId)),
            ("ws-subscribe.json", SaidByUs(&["BTC/USDT", "ETH/USDT"])),
            ("ws-subscribe-ack-spot.json", NOTHING),
            ("ws-ping.json", NOTHING),
            ("ws-pong-spot.json", NOTHING),
            ("ws-pong-linear.json", NOTHING),
            ("ws-subscribe-failure.SYNTHETIC.json", RefusesUs),
            ("rest-recent-trade-doc.json", Page(None)),
            ("rest-recent-trade-row-2025.json", NotOurs("a row without its envelope")),
            ("rest-error-10006.json", Error(200)),
            ("rest-error-10001.json", Error(200)),
        ],
        "coinbase" => vec![
            ("ws-matches.transcript.jsonl", Transcript),
            ("ws-last_match.json", Frame),
            ("ws-match-doc.json", Frame),
            ("ws-heartbeat-doc.json", NOTHING),
            ("ws-rfq_match-doc.json", NOTHING),
            ("ws-error.json", RefusesUs),
            ("ws-subscribe.json", SaidByUs(&["BTC/USD", "ETH/USD"])),
            ("rest-trades-doc-form.json", Page(Some(2))),
            ("rest-trades-ccxt.json", Page(Some(1))),
            ("rest-error.json", Error(404)),
            ("advanced-trade-ws.transcript.jsonl", NotOurs("Advanced Trade, another API")),
            ("advanced-trade-rest-ticker.json", NotOurs("Advanced Trade, another API")),
        ],
        "kraken" => vec![
            ("rest-Trades-XBTUSDT-1000.json", Page(Some(1_000))),
            ("rest-Trades-XBTUSD-3rows.json", Page(None)),
            ("ws-trade-snapshot.json", Frame),
            ("ws-trade-update.json", Frame),
            ("ws-trade-update-2025.json", Frame),
            ("ws-trade-update.SYNTHETIC.json", Frame),
            ("ws-subscribe.json", SaidByUs(&["MATIC/USD"])),
            ("ws-unsubscribe.json", NOTHING),
            ("ws-subscribe-ack.json", NOTHING),
            ("ws-unsubscribe-ack.json", NOTHING),
            ("ws-status.json", NOTHING),
            ("ws-heartbeat.json", NOTHING),
            ("ws-ping.json", NOTHING),
            ("ws-pong.json", NOTHING),
            ("ws-error-pair.json", RefusesUs),
            ("ws-error-malformed.json", RefusesUs),
            ("rest-SystemStatus.json", NotOurs("the state of the system")),
            ("rest-error-ratelimit.json", Error(200)),
            ("rest-error-throttled.json", Error(200)),
            ("rest-error-pair.json", Error(200)),
            ("legacy-v1-ws.transcript.jsonl", NotOurs("WebSocket v1, which has no trade ids")),
        ],
        "okx" => vec![
            ("ws-trades.transcript.jsonl", Transcript),
            ("ws-trades-count.jsonl", Frames),
            ("ws-trades-doc.json", RefusedRows(RejectionKind::Malformed)),
            ("ws-trades-all-doc.json", Frame),
            ("ws-subscribe.json", SaidByUs(&["BTC/USDT"])),
            ("ws-subscribe-ack.json", NOTHING),
            ("ws-unsubscribe-ack.json", NOTHING),
            ("ws-error-60012.json", RefusesUs),
            ("ws-notice-64008.json", Says(Notice::Leave)),
            ("ws-pong.txt", NOTHING),
            ("rest-history-trades-doc.json", Page(None)),
            ("rest-trades-2025.json", Page(None)),
            ("rest-error-50011.json", Error(200)),
            ("rest-error-51001.json", Error(200)),
        ],
        _ => vec![
            ("ws-live_trades.transcript.jsonl", Transcript),
            ("ws-trade-scientific.json", Frame),
            ("ws-trade-2026.json", Frame),
            ("ws-subscribe.json", SaidByUs(&["BTC/USD"])),
            ("ws-subscribe-ack.json", NOTHING),
            ("ws-error.json", RefusesUs),
            ("ws-request_reconnect.json", Says(Notice::Leave)),
            ("rest-transactions-btcusd-hour.json", Page(Some(383))),
        ],
    }
}

/// A trade as the recorded messages' own reader wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    symbol: String,
    id: String,
    price: Price,
    quantity: Quantity,
    ms: i64,
}

fn folder(exchange: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples").join(exchange);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: no recorded messages of {exchange} at {}", folder.display());
    None
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn expected(folder: &Path) -> BTreeMap<String, Vec<Expected>> {
    let mut by_file: BTreeMap<String, Vec<Expected>> = BTreeMap::new();
    for line in read(&folder.join("normalised.jsonl")).lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let text = |key: &str| line[key].as_str().expect("text").to_owned();
        let ns: i64 = line["ts_ns"].to_string().parse().expect("nanoseconds");
        let (_, file) = line["file"].as_str().expect("a file").split_once('/').expect("a folder");
        by_file.entry(file.to_owned()).or_default().push(Expected {
            symbol: text("symbol"),
            id: text("id"),
            price: Price::parse(&text("price")).expect("a price"),
            quantity: Quantity::parse(&text("qty")).expect("a quantity"),
            ms: ns.div_euclid(1_000_000),
        });
    }
    by_file
}

/// Our tickers are named as the exchange spells them here: then both spellings agree.
fn found(trade: &Trade) -> Expected {
    Expected {
        symbol: trade.ticker.as_str().to_owned(),
        id: trade.id.as_str().to_owned(),
        price: trade.price,
        quantity: trade.quantity,
        ms: trade.traded_at.ms(),
    }
}

/// The frames that came, in their order.
fn received(transcript: &str) -> Vec<String> {
    let lines = transcript.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let came = lines.filter(|line| line["dir"] == "recv");
    came.map(|line| line["raw"].as_str().expect("text").to_owned()).collect()
}

/// The same frame as if what it tells had been made after we began to listen.
fn of_the_present(market: Market, frame: &str) -> String {
    match market.as_str() {
        "coinbase" => frame.replace(r#""type":"last_match""#, r#""type":"match""#),
        "kraken" => frame.replace(r#""type": "snapshot""#, r#""type": "update""#),
        _ => frame.to_owned(),
    }
}

fn check(exchange: &str) {
    let Some(folder) = folder(exchange) else { return };
    let market = market(exchange);
    let expected = expected(&folder);
    let plan = plan(exchange);
    let planned: BTreeSet<String> = plan.iter().map(|(name, _)| (*name).to_owned()).collect();
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| !["README.md", "normalised.jsonl"].contains(&name.as_str()))
        .collect();
    assert_eq!(there, planned, "every file is spoken for");

    for (name, holds) in plan {
        let text = read(&folder.join(name));
        let expected = expected.get(name).cloned().unwrap_or_default();
        check_file(market, &format!("{exchange}/{name}"), &holds, &text, &expected);
    }
}

fn check_file(market: Market, name: &str, holds: &Holds, text: &str, expected: &[Expected]) {
    match holds {
        Frame => check_frames(market, name, &[text.to_owned()], expected),
        Frames => check_frames(market, name, &text.lines().map(str::to_owned).collect::<Vec<_>>(), expected),
        Transcript => check_frames(market, name, &received(text), expected),
        Page(count) => check_page(market, name, text, expected, *count),
        Says(notice) => assert_eq!(heard(market, &[], text), (vec![], notice.clone()), "{name}"),
        RefusesUs => {
            let (decoded, notice) = heard(market, &[], text);
            assert!(
                decoded.is_empty() && matches!(&notice, Notice::Refused(words) if !words.is_empty()),
                "{name}: {notice:?}"
            );
        }
        Error(status) => assert!(market.adapter().trouble(*status, text).is_some(), "{name}"),
        SaidByUs(tickers) => check_subscription(market, name, text, tickers),
        NotOurs(why) => {
            println!("{name} is left out: {why}");
            for frame in frames_of(name, text) {
                let (decoded, _) = heard(market, &["BTC-USD", "ETH-USD", "BTCUSDT"], &frame);
                assert!(decoded.iter().all(Decoded::is_err), "{name}: {decoded:?}");
            }
        }
        RefusedRows(kind) => {
            println!("{name} is left out: every row of it is refused");
            let all = frames_of(name, text)
                .into_iter()
                .flat_map(|frame| heard(market, &["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT", "BTC-USDT"], &frame).0);
            let kinds: Vec<_> = all.map(|one| one.expect_err(name).rejection.kind()).collect();
            assert!(!kinds.is_empty() && kinds.iter().all(|found| found == kind), "{name}: {kinds:?}");
        }
    }
}

fn frames_of(name: &str, text: &str) -> Vec<String> {
    if name.ends_with(".transcript.jsonl") { received(text) } else { vec![text.to_owned()] }
}

fn heard(market: Market, tickers: &[&str], frame: &str) -> (Vec<Decoded>, Notice) {
    decode(market, &mut conversation(market, tickers), frame)
}

fn check_frames(market: Market, name: &str, frames: &[String], expected: &[Expected]) {
    assert!(!expected.is_empty(), "{name}: nothing to compare with");
    let symbols: BTreeSet<&str> = expected.iter().map(|one| one.symbol.as_str()).collect();
    let tickers: Vec<&str> = symbols.into_iter().collect();
    let mut conversation = conversation(market, &tickers);
    let mut all = Vec::new();
    for frame in frames {
        let present = of_the_present(market, frame);
        if present != *frame {
            let (of_the_past, _) = decode(market, &mut conversation, frame);
            assert!(of_the_past.is_empty(), "{name}: told before we listened: {frame}");
        }
        let (decoded, notice) = decode(market, &mut conversation, &present);
        assert_eq!(notice, Notice::None, "{name}: {frame}");
        for one in decoded {
            match one {
                Ok(trade) => all.push(found(&trade)),
                // One connection was also about futures, which are not expected here.
                Err(refusal) => {
                    let is_of_others = matches!(&refusal.rejection, Rejection::BadTicker(symbol) if !tickers.contains(&symbol.as_str()));
                    assert!(is_of_others, "{name}: {refusal:?} {frame}");
                }
            }
        }
    }
    // Of times that the exchange's REST tells in whole seconds, that much is taken.
    let grain_ms = market.time_grain_ms();
    let coarse = |one: &Expected| Expected { ms: one.ms / grain_ms * grain_ms, ..one.clone() };
    assert_eq!(all, expected.iter().map(coarse).collect::<Vec<_>>(), "{name}");
}

fn check_page(market: Market, name: &str, body: &str, expected: &[Expected], count: Option<usize>) {
    let symbol = expected.first().map_or("BTC-USD", |one| one.symbol.as_str());
    // The one exchange whose REST has names of its own.
    let ours = if market.as_str() == "kraken" { symbol.replace("XBT", "BTC/") } else { symbol.to_owned() };
    let ticker = ticker(&ours);
    let rows = match market.adapter().reads() {
        Reads::ById(by_id) => by_id.rows(body, &ticker),
        Reads::ByOverlap(by_overlap) => by_overlap.rows(body, &ticker),
        Reads::ByTime(_) => panic!("{name}: no exchange is read by time"),
    };
    let rows = rows.unwrap_or_else(|error| panic!("{name}: {error}"));
    let read: Vec<Expected> = rows
        .iter()
        .map(|numbered| {
            let trade = numbered.row.decoded.as_ref().unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
            assert_eq!(numbered.id.map(|id| id.to_string()).as_deref(), Some(trade.id.as_str()), "{name}");
            Expected { symbol: symbol.to_owned(), ..found(trade) }
        })
        .collect();
    match count {
        None => assert_eq!(read, expected, "{name}"),
        Some(count) => {
            assert_eq!(read.len(), count, "{name}");
            assert!(expected.iter().all(|one| read.contains(one)), "{name}");
        }
    }
}

fn check_subscription(market: Market, name: &str, text: &str, tickers: &[&str]) {
    let plain = |text: &str| {
        let mut message: Value = serde_json::from_str(text).expect("JSON");
        let fields = message.as_object_mut().expect("an object");
        for number in ["id", "req_id"] {
            fields.remove(number);
        }
        // One example asks for a snapshot, which is not of use here.
        if let Some(snapshot) = message.pointer_mut("/params/snapshot") {
            *snapshot = Value::Bool(false);
        }
        message
    };
    let said = market.adapter().subscription(&conversation(market, tickers).symbols);
    assert_eq!(said.iter().map(|text| plain(text)).collect::<Vec<_>>(), [plain(text)], "{name}");
}

#[test]
fn every_recorded_message_of_binance_is_read_right() {
    check("binance");
}

#[test]
fn every_recorded_message_of_bybit_is_read_right() {
    check("bybit");
}

#[test]
fn every_recorded_message_of_coinbase_is_read_right() {
    check("coinbase");
}

#[test]
fn every_recorded_message_of_kraken_is_read_right() {
    check("kraken");
}

#[test]
fn every_recorded_message_of_okx_is_read_right() {
    check("okx");
}

#[test]
fn every_recorded_message_of_bitstamp_is_read_right() {
    check("bitstamp");
}

#[test]
fn the_aggregates_of_binance_tell_the_id_before_their_first() {
    let Some(folder) = folder("binance") else { return };
    let Reads::ById(by_id) = market("binance").adapter().reads() else { panic!("it is read by ids") };

    let sought = by_id.sought(&read(&folder.join("rest-aggTrades.json"))).expect("a page");

    assert_eq!(sought, Some(1_111_480_470));
}
