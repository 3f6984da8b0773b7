//! The hot paths: what is done for every frame, trade, page, mark and row.
//! Each does the same work every time, and prepares as much however often.

use std::fmt::Write as _;
use std::hint::black_box;

use market::{Conversation, Market, Symbols};
use replay::adding::Added;
use replay::header::Columns;
use tape::{
    Arrival, Book, Bucket, Chain, Digest, Entry, EpochMs, Extremes, Head, Heard, Interval, Known, Mark, Page, Patience,
    Price, Quantity, Standing, Sums, Suspects, Ticker, Trade, TradeId, TradesDigest, Unfinished, Watermark, reconcile,
};

use crate::counting::TIMES;

/// One path.
pub struct Path {
    /// What it is called where counts are stored.
    pub name: &'static str,
    /// Does its work so many times.
    pub work: fn(usize),
}

/// Every path.
pub const PATHS: &[Path] = &[
    Path { name: "decode", work: decode },
    Path { name: "decode_exchanges", work: decode_exchanges },
    Path { name: "hear", work: hear },
    Path { name: "mark", work: mark },
    Path { name: "reconcile", work: reconcile_page },
    Path { name: "settle", work: settle },
    Path { name: "digest", work: digest },
    Path { name: "link", work: link },
    Path { name: "replay", work: replay_rows },
    Path { name: "replay_marks", work: replay_marks },
];

/// 2023-11-14T22:13:20Z.
const BEGINS_AT: i64 = 1_700_000_000_000;

/// Trades on a page, like the generic protocol's.
const PAGE: usize = 100;

const PATIENCE: Patience =
    Patience { settle_delay_ms: 2_000, allowed_skew_ms: 500, longest_step_ms: 5_000_000, listening_since: None };

fn ticker() -> Ticker {
    Ticker::new("BTC").expect("a ticker")
}

/// The trade of some number: ten a second, prices and quantities of usual lengths.
fn trade(number: usize) -> Trade {
    let text = |whole: usize, decimals: usize, width: usize| format!("{whole}.{decimals:0width$}");
    Trade {
        ticker: ticker(),
        id: TradeId::new(&(1_000_000 + number).to_string()).expect("an id"),
        traded_at: at(number),
        price: Price::parse(&text(60_000 + number * 7 % 900, number * 31 % 100, 2)).expect("a price"),
        quantity: Quantity::parse(&text(number % 3, 1 + number * 7_919 % 99_999_999, 8)).expect("a quantity"),
    }
}

fn at(number: usize) -> EpochMs {
    EpochMs::new(BEGINS_AT + 1 + 100 * i64::try_from(number).expect("few"))
}

fn mark_of(second: usize) -> Mark {
    Mark::at_or_before(EpochMs::new(BEGINS_AT)).minus_seconds(-i64::try_from(second).expect("few"))
}

/// A book that has been running for five minutes, with a band that can accuse.
fn book() -> Book {
    let bucket = |second: usize| {
        let sums: Sums =
            (0..10).map(|number| trade(10 * second + number)).map(|it| Sums::of(it.price, it.quantity)).sum();
        let one = trade(second);
        let high = Price::parse("60899.99").expect("a price");
        let extremes = Extremes { highest: high, ..Extremes::of(one.price, one.quantity, one.traded_at, None) };
        let second = mark_of(second).minus_seconds(300);
        Bucket { second, confirmed: sums, heard: Sums::EMPTY, quarantined: Sums::EMPTY, extremes: Some(extremes) }
    };
    let buckets: Vec<Bucket> = (1..=300).map(bucket).collect();
    let watermark = Watermark::Through(EpochMs::new(BEGINS_AT));
    Book::rebuild(watermark, 300, mark_of(0), &buckets, Unfinished::default())
}

/// Frames of four lengths, decoded one after the other.
fn decode(times: usize) {
    let frames = [
        r#"{"ticker":"BTC","ts":1684083600123,"quantity":0.5,"price":27000.12,"tradeid":"abc-1"}"#,
        r#"{"ticker":"XRP/ETH","ts":"1684083600123","quantity":"1520.00000000","price":"0.00142262","tradeId":13519807}"#,
        r#"{"side":"buy","ticker":"BTC_JPY","ts":1684083600123,"quantity":2E-7,"price":1402000.0,"tradeid":"JRF20180121"}"#,
        r#"{ "tradeid": "0123456789abcdef", "price": 0.00000893, "quantity": 12345678.5, "ts": 1684083600123, "ticker": "PEPE" }"#,
    ];
    let (generic, mut conversation) = (Market::GENERIC.adapter(), Conversation::default());
    for _ in 0..times {
        for frame in frames {
            generic.decode(black_box(frame), &mut conversation, &mut |decoded| {
                black_box(decoded.expect("a trade"));
            });
        }
    }
}

/// A frame of each exchange, decoded one after the other.
fn decode_exchanges(times: usize) {
    let frames = [
        (
            "binance",
            r#"{"e":"trade","E":1684083600125,"s":"BTCUSDT","t":5001234567,"p":"27000.12000000","q":"0.00012345","T":1684083600123,"m":true,"M":true}"#,
        ),
        (
            "bybit",
            r#"{"topic":"publicTrade.BTCUSDT","ts":1684083600125,"type":"snapshot","data":[{"i":"2290000000001234567","T":1684083600123,"p":"27000.12","v":"0.000123","S":"Buy","seq":51234567,"s":"BTCUSDT","BT":false,"RPI":false}]}"#,
        ),
        (
            "coinbase",
            r#"{"type":"match","trade_id":801234567,"maker_order_id":"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9","taker_order_id":"9f8e7d6c-5b4a-3928-1706-f5e4d3c2b1a0","side":"sell","size":"0.00012345","price":"27000.12","product_id":"BTC-USDT","sequence":81234567890,"time":"2023-05-14T17:00:00.123456Z"}"#,
        ),
        (
            "kraken",
            r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USDT","side":"buy","price":27000.1,"qty":0.00012345,"ord_type":"market","trade_id":1234567,"timestamp":"2023-05-14T17:00:00.123456Z"}]}"#,
        ),
        (
            "okx",
            r#"{"arg":{"channel":"trades-all","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"501234567","px":"27000.1","sz":"0.00012345","side":"buy","source":"0","ts":"1684083600123"}]}"#,
        ),
        (
            "bitstamp",
            r#"{"data":{"id":281234567,"timestamp":"1684083600","amount":0.00012345,"amount_str":"0.00012345","price":27000.12,"price_str":"27000.12","type":0,"microtimestamp":"1684083600123000","buy_order_id":1982012345678901,"sell_order_id":1982012345678902},"channel":"live_trades_btcusdt","event":"trade"}"#,
        ),
    ];
    let followed = [Ticker::new("BTC/USDT").expect("a ticker")];
    let mut heard = frames.map(|(exchange, frame)| {
        let adapter = exchange.parse::<Market>().expect("an exchange").adapter();
        (adapter, frame, Conversation::about(Symbols::of(&followed, |ticker| adapter.symbol(ticker))))
    });
    for _ in 0..times {
        for (adapter, frame, conversation) in &mut heard {
            adapter.decode(black_box(frame), conversation, &mut |decoded| {
                black_box(decoded.expect("a trade"));
            });
        }
    }
}

/// A hundred heard trades, judged and counted.
fn hear(times: usize) {
    let mut book = book();
    let heard: Vec<Heard> = (0..3 * TIMES * PAGE)
        .map(trade)
        .map(|trade| Heard { received_at: trade.traded_at.plus_ms(20), trade, suspicion: None })
        .collect();
    for heard in heard.chunks(PAGE).take(times).flatten() {
        if Arrival::of(&heard.trade, None, book.watermark().settled_until()) == Arrival::New {
            let suspicion = book.suspicion_of(heard, Suspects::USUAL);
            book.hear(&heard.trade, suspicion);
        }
    }
    black_box(book.heard_sums());
}

/// The figure of ten marks, as text.
fn mark(times: usize) {
    let mut book = book();
    (0..6_000).map(trade).for_each(|trade| book.hear(&trade, None));
    let mut text = String::with_capacity(1 << 20);
    for second in 1..=10 * times {
        let said = book.provisional_at(mark_of(second)).expect("it is not settled");
        let price = said.sums.vwap().expect("there are trades");
        let _ = write!(text, "{price} {} {}", said.sums.volume, said.sums.notional);
    }
    black_box(text);
}

/// The pages that follow each other, and what was heard of each.
fn pages() -> Vec<(Page, Vec<Known>)> {
    let page = |number: usize| {
        let trades: Vec<Trade> = (number * PAGE..(number + 1) * PAGE).map(trade).collect();
        let standing = |trade: &Trade| Standing::Heard { received_at: trade.traded_at.plus_ms(20), suspicion: None };
        let heard = trades.iter().map(|trade| Known { standing: standing(trade), trade: trade.clone() }).collect();
        let latest_row_at = trades.last().map(|trade| trade.traded_at);
        let market_time = at((number + 1) * PAGE).plus_ms(10_000);
        (Page { trades, latest_row_at, is_full: true, ..Page::empty_at(market_time) }, heard)
    };
    (0..3 * TIMES).map(page).collect()
}

/// A page held against what was heard of it.
fn reconcile_page(times: usize) {
    let pages = pages();
    let watermark = Watermark::Through(EpochMs::new(BEGINS_AT));
    for (page, heard) in pages.iter().take(times) {
        black_box(reconcile(&watermark, page, heard, PATIENCE));
    }
}

/// A page held against what was heard of it, and settled: ten final figures and their digests.
fn settle(times: usize) {
    let (pages, mut book) = (pages(), book());
    pages.iter().flat_map(|(_, heard)| heard).for_each(|known| book.hear(&known.trade, None));
    for (page, heard) in pages.iter().take(times) {
        let outcome = reconcile(book.watermark(), page, heard, PATIENCE);
        black_box(book.settle(&outcome).expect("all was heard"));
    }
}

/// The digest of a hundred trades.
fn digest(times: usize) {
    let trades: Vec<Trade> = (0..PAGE).map(trade).collect();
    for _ in 0..times {
        black_box(TradesDigest::of(black_box(&trades)));
    }
}

/// One more entry of a chain.
fn link(times: usize) {
    let chain = Chain { exchange: "practice".to_owned(), ticker: ticker(), interval: Interval::DEFAULT };
    let sums = (0..1_000).map(trade).map(|trade| Sums::of(trade.price, trade.quantity)).sum();
    let entry = Entry { mark: mark_of(0), revision: 0, sums, second_digest: Digest::of(b"") };
    let mut head: Head = chain.genesis();
    for _ in 0..times {
        head = chain.append(&head, black_box(&entry));
    }
    black_box(head);
}

/// A thousand rows of a tape, added up.
fn replay_rows(times: usize) {
    let names = ["BTC", "ETH", "DOGE", "XRP", "SHIB"];
    let mut text = String::new();
    for number in 0..1_000 {
        let Trade { traded_at, price, quantity, id, .. } = trade(number);
        let _ = writeln!(text, "{},{traded_at},{quantity},{price},{id}", names[number % names.len()]);
    }
    let columns = Columns::read("ticker,ts,quantity,price,tradeid").expect("all are there");
    for _ in 0..times {
        black_box(Added::of(black_box(text.as_bytes()), columns, |_, _| false).expect("rows"));
    }
}

/// A hundred marks of a replay, as text.
fn replay_marks(times: usize) {
    let sums = |second: usize| {
        (0..10).map(|number| trade(10 * second + number)).map(|it| Sums::of(it.price, it.quantity)).sum()
    };
    let seconds: Vec<(Mark, Sums)> = (1..=100).map(|second| (mark_of(second), sums(second))).collect();
    for _ in 0..times {
        replay::marks::write(&ticker(), black_box(&seconds), 30, mark_of(100), |text| {
            black_box(text);
            true
        });
    }
}
