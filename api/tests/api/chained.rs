//! The canonical forms as Postgres writes and hashes them: nothing here uses the
//! code under test.

use tokio_postgres::Client;

/// The lines of a window's trades, as a text Postgres makes: `(opens_after, closes_at]`.
const LINES: &str = "select coalesce(string_agg(
        ts || ' ' || tradeid || ' ' || trim_scale(price) || ' ' || trim_scale(quantity) || E'\\n',
        '' order by ts, tradeid collate \"C\"), '')
    from transactions where exchange = $1 and ticker = $2 and ts > $3 and ts <= $4";

/// The SHA-256 of the canonical lines of a window, in hexadecimal.
pub async fn digest(client: &Client, venue: &str, ticker: &str, opens_after: i64, closes_at: i64) -> String {
    let sql = format!("select encode(sha256(convert_to(({LINES}), 'UTF8')), 'hex')");
    let row = client.query_one(&sql, &[&venue, &ticker, &opens_after, &closes_at]).await.expect("a digest");
    row.get(0)
}

/// The SHA-256 of a text, in hexadecimal.
pub async fn sha256(client: &Client, text: &str) -> String {
    let sql = "select encode(sha256(convert_to($1, 'UTF8')), 'hex')";
    client.query_one(sql, &[&text]).await.expect("a digest").get(0)
}

/// Gives every final five-minute figure of a ticker its place in the chain.
pub async fn chain(client: &Client, venue: &str, ticker: &str) {
    let mut previous = sha256(client, &format!("truetape-chain-1 {venue} {ticker} 300000\n")).await;
    let finals = "select ts, trades, trim_scale(volume)::text, trim_scale(notional)::text from vwap_history
        where exchange = $1 and ticker = $2 and is_validated order by ts";
    let rows = client.query(finals, &[&venue, &ticker]).await.expect("the figures");
    for (entry, row) in (1i64..).zip(&rows) {
        let (mark, trades, volume, notional): (i64, i64, &str, &str) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let second = digest(client, venue, ticker, mark - 1_000, mark).await;
        let text =
            format!("{previous} {entry} {venue} {ticker} 300000 {mark} 0 {trades} {volume} {notional} {second}\n");
        previous = sha256(client, &text).await;
        let place = "update vwap_history set entry = $4, link = decode($5, 'hex'), final_watermark = ts + 321
            where exchange = $1 and ticker = $2 and ts = $3";
        client.execute(place, &[&venue, &ticker, &mark, &entry, &previous]).await.expect("a place");
    }
}
