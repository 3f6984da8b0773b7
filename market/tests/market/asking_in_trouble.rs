//! Asking a market that fails, hangs, limits and rambles.

use std::time::{Duration, Instant};

use market::{Answer, Market, PageError, RestClient, RestSettings};
use tokio::io::AsyncWriteExt;

use crate::scripted_rest::{Asking, btc, reply, rows, through};
use crate::{clock, soon, stopped_clock, wire_trade};

const NOON_MS: i64 = 1_684_065_600_000;

async fn asking(adjust: impl FnOnce(&mut RestSettings)) -> Asking {
    Asking::start(stopped_clock(NOON_MS), adjust).await
}

async fn ask(asking: &Asking, bytes: impl AsRef<[u8]>) -> Result<Answer, PageError> {
    let (ticker, watermark) = (btc(), through(0));
    soon(async { tokio::join!(asking.client.page(&ticker, &watermark), asking.answer(bytes)) }).await.0
}

/// The error when the market answers with `bytes`.
async fn error(bytes: impl AsRef<[u8]>) -> PageError {
    ask(&asking(|_| {}).await, bytes).await.expect_err("no page")
}

#[tokio::test]
async fn a_status_is_worth_another_try_when_the_market_is_at_fault_and_not_when_we_are() {
    for status in ["500 Oops", "502 Bad Gateway", "503 Busy", "504 Late", "408 Slow", "425 Early"] {
        let refused = error(reply(status, "", "[]")).await;
        assert!(matches!(refused, PageError::Refused { .. }) && refused.is_transient(), "{refused}");
        assert_eq!(refused.retry_after(), None);
    }
    for status in ["400 Bad", "401 Who", "403 No", "410 Gone"] {
        let refused = error(reply(status, "", "[]")).await;
        assert!(matches!(refused, PageError::Refused { .. }) && !refused.is_transient(), "{refused}");
    }
}

#[tokio::test]
async fn a_ticker_the_market_does_not_know_is_named() {
    let unknown = error(reply("404 Not Found", "", "no such ticker")).await;

    assert!(matches!(&unknown, PageError::UnknownTicker { ticker, .. } if *ticker == btc()));
    assert!(!unknown.is_transient());
}

#[tokio::test]
async fn an_answer_that_sends_us_elsewhere_is_not_followed() {
    let moved = error(reply("302 Found", "Location: http://127.0.0.1:1/elsewhere\n", "")).await;

    assert!(matches!(moved, PageError::Refused { status, .. } if status.as_u16() == 302));
}

#[tokio::test]
async fn an_answer_that_sends_us_on_within_the_market_is_followed_but_not_for_ever() {
    let asking = asking(|_| {}).await;
    let (ticker, watermark) = (btc(), through(0));
    let on = reply("307 Moved", "Location: /v2/trades?ticker=BTC\n", "");

    let script = async {
        asking.answer(&on).await;
        asking.answer(rows(&[wire_trade("a", 1)])).await
    };
    let (page, head) = soon(async { tokio::join!(asking.client.page(&ticker, &watermark), script) }).await;
    assert_eq!(page.expect("a page").page.trades.len(), 1);
    assert!(head.starts_with("GET /v2/trades"), "{head}");

    let circle = async {
        for _ in 0..4 {
            asking.answer(&on).await;
        }
    };
    let (page, ()) = soon(async { tokio::join!(asking.client.page(&ticker, &watermark), circle) }).await;
    assert!(matches!(page, Err(PageError::Refused { status, .. }) if status.as_u16() == 307));
}

#[tokio::test]
async fn being_told_to_stay_away_is_heeded_in_seconds_and_by_date() {
    let seconds = error(reply("429 Too Many Requests", "Retry-After: 7\n", "")).await;
    assert!(matches!(seconds, PageError::RateLimited { .. }) && seconds.is_transient());
    assert_eq!(seconds.retry_after(), Some(Duration::from_secs(7)));

    // Without a date of the market's, the date is held against our clock, which says noon.
    let date = error(reply("429 Too Many Requests", "Retry-After: Sun, 14 May 2023 12:00:20 GMT\n", "")).await;
    assert_eq!(date.retry_after(), Some(Duration::from_secs(20)));

    let busy = error(reply("503 Busy", "Retry-After: 3\n", "")).await;
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(3)));

    let wordless = error(reply("429 Too Many Requests", "", "")).await;
    assert_eq!(wordless.retry_after(), Some(Duration::from_secs(1)));

    let absurd = error(reply("429 Too Many Requests", "Retry-After: 99999999\n", "")).await;
    assert_eq!(absurd.retry_after(), Some(Duration::from_secs(300)));
}

#[tokio::test]
async fn once_one_ticker_is_limited_every_ticker_waits() {
    let asking = Asking::start(clock(), |settings| settings.pause = Duration::from_millis(300)).await;
    let limited = ask(&asking, reply("429 Too Many Requests", "", "")).await;
    assert!(matches!(limited, Err(PageError::RateLimited { .. })));
    let limited_at = Instant::now();

    let other = tape::Ticker::new("ETH").expect("ticker");
    let clone = asking.client.clone();
    let watermark = through(0);
    let (page, _) = soon(async { tokio::join!(clone.page(&other, &watermark), asking.answer(rows(&[]))) }).await;

    assert!(page.is_ok());
    assert!(Duration::from_millis(280) <= limited_at.elapsed(), "{:?}", limited_at.elapsed());
}

#[tokio::test]
async fn a_pause_beyond_patience_is_answered_at_once_and_the_market_is_left_alone() {
    let asking = asking(|settings| settings.longest_turn = Duration::from_millis(100)).await;
    let _ = ask(&asking, reply("429 Too Many Requests", "Retry-After: 60\n", "")).await;

    let no_turn = soon(asking.client.page(&btc(), &through(0))).await.expect_err("paused");

    assert!(matches!(no_turn, PageError::NoTurn { .. }) && no_turn.is_transient());
    assert!(no_turn.retry_after().is_some_and(|left| Duration::from_secs(50) < left));
}

#[tokio::test]
async fn what_is_no_page_is_shown_by_its_beginning() {
    let truncated = format!("[{},{}", wire_trade("a", 1), &wire_trade("b", 2)[..20]);
    let html = "<!DOCTYPE html><html><body>Bad gateway</body></html>";
    let bodies = [html, &truncated, "", "{}", r#"{"error":"busy"}"#, "null", "[1] [2]", "[}", "[\"\0\"]"];
    for body in bodies {
        let unreadable = error(reply("200 OK", "Content-Type: text/html\n", body)).await;

        let PageError::Unreadable { beginning, .. } = &unreadable else { panic!("{body:?}: {unreadable:?}") };
        assert!(!beginning.is_empty() || body.is_empty());
        assert!(body.starts_with(beginning.as_str()) && unreadable.is_transient(), "{unreadable}");
    }
    let compressed = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\x1f\x8b\xff\xfe";
    assert!(matches!(error(compressed).await, PageError::Unreadable { .. }));
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_whole_gives_no_page() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[]";
    for bytes in ["", "HTTP/1.1 200 OK\r\n", half, "220 smtp.example.org ESMTP\r\n"] {
        let broken = error(bytes).await;
        assert!(matches!(broken, PageError::Unreachable { .. }) && broken.is_transient(), "{bytes:?}: {broken:?}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    let Asking { listener, client } = asking(|_| {}).await;
    drop(listener);

    let unreachable = soon(client.page(&btc(), &through(0))).await.expect_err("nobody there");

    assert!(matches!(unreachable, PageError::Unreachable { .. }) && unreachable.is_transient());
}

#[tokio::test]
async fn a_market_that_hangs_is_given_up_at_the_deadline() {
    for head in ["", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"] {
        let asking = asking(|settings| settings.read_timeout = Duration::from_millis(200)).await;
        let (ticker, watermark) = (btc(), through(0));
        let hang = async {
            let (_, mut tcp) = asking.accept().await;
            tcp.write_all(head.as_bytes()).await.expect("sent");
            tcp
        };

        let (page, _held_open) = soon(async { tokio::join!(asking.client.page(&ticker, &watermark), hang) }).await;

        let late = page.expect_err("no page");
        assert!(matches!(late, PageError::TimedOut { .. }) && late.is_transient(), "{late:?}");
    }
}

#[tokio::test]
async fn a_market_that_drips_is_given_up_at_the_total_deadline() {
    let asking = asking(|settings| settings.total_timeout = Duration::from_millis(400)).await;
    let (ticker, watermark) = (btc(), through(0));
    let drip = async {
        let (_, mut tcp) = asking.accept().await;
        tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await.expect("sent");
        while tcp.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };

    let (page, ()) = soon(async { tokio::join!(asking.client.page(&ticker, &watermark), drip) }).await;

    assert!(matches!(page, Err(PageError::TimedOut { .. })));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_at_the_limit() {
    let asking = asking(|settings| settings.body_limit = 100_000).await;
    let (ticker, watermark) = (btc(), through(0));
    let ramble = async {
        let (_, mut tcp) = asking.accept().await;
        let mut sent = tcp.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[").await;
        while sent.is_ok() {
            sent = tcp.write_all(&[b' '; 10_000]).await;
        }
    };

    let (page, ()) = soon(async { tokio::join!(asking.client.page(&ticker, &watermark), ramble) }).await;

    let too_large = page.expect_err("no page");
    assert!(matches!(too_large, PageError::TooLarge { limit_bytes: 100_000, .. }) && !too_large.is_transient());
}

#[tokio::test]
async fn more_rows_than_any_page_has_are_not_read_however_small_they_are() {
    let body = format!("[{}0]", "0,".repeat(60_000));

    assert!(matches!(error(reply("200 OK", "", &body)).await, PageError::Unreadable { .. }));
}

#[tokio::test]
async fn after_any_trouble_the_next_answer_is_a_page_again() {
    let asking = asking(|_| {}).await;
    let troubles = [reply("500 Oops", "", ""), reply("200 OK", "", "<html>"), String::new()];
    for trouble in troubles {
        assert!(ask(&asking, trouble).await.is_err());

        let page = ask(&asking, rows(&[wire_trade("a", 1)])).await.expect("a page");
        assert_eq!(page.page.trades.len(), 1);
    }
}

#[tokio::test]
async fn a_market_that_does_not_speak_tls_is_unreachable_over_tls() {
    let plain = asking(|_| {}).await;
    let address = plain.listener.local_addr().expect("an address");
    let base_url = market::rest_url(&format!("https://{address}/trades")).expect("a url");
    let settings = RestSettings::new(Market::GENERIC);
    let client = match RestClient::new(Market::GENERIC, base_url, settings, clock()) {
        Ok(client) => client,
        Err(error) => {
            // The system has no certificates: said when it is prepared, and not at every question.
            assert!(error.to_string().starts_with("could not prepare to ask https://"), "{error}");
            return;
        }
    };
    let answer_in_plain = async {
        let (mut tcp, _) = plain.listener.accept().await.expect("a connection");
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("sent");
        tcp
    };
    let (ticker, watermark) = (btc(), through(0));

    let (page, _tcp) = soon(async { tokio::join!(client.page(&ticker, &watermark), answer_in_plain) }).await;

    assert!(matches!(page, Err(PageError::Unreachable { .. })));
}
