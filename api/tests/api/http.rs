//! What caches, browsers and small clients rely on.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::Method;
use reqwest::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, IF_NONE_MATCH, ORIGIN,
};
use testkit::{TestDatabase, database};

use crate::running::{Answer, Running};
use crate::seeded::{MARK, NOW, Seeded, market};

const FINAL: &str = "/historical?ticker=BTC&ts=1684083580000";

async fn server() -> (TestDatabase, Seeded, Running) {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    (database, bitcoin, api)
}

async fn holding(api: &Running, path: &str, etag: &str) -> Answer {
    api.send(Method::GET, path, &[(IF_NONE_MATCH, etag)]).await
}

#[tokio::test]
async fn a_final_figure_is_the_same_byte_for_byte_and_not_sent_twice() {
    let (database, _bitcoin, api) = server().await;
    let first = api.get(FINAL).await;
    let etag = first.header("etag").expect("an etag").to_owned();
    assert!(etag.starts_with('"') && etag.len() > 10, "{etag} is strong");
    assert_eq!(first.header("cache-control"), Some("public, max-age=300"));

    let later = Running::standing_at(&database, NOW + 86_400_000);
    assert_eq!(later.get(FINAL).await.body, first.body);
    for held in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
        let again = holding(&later, FINAL, &held).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{held}");
        assert_eq!(again.header("etag"), Some(etag.as_str()));
    }
    assert_eq!(holding(&api, FINAL, "\"other\"").await.status, 200);
}

#[tokio::test]
async fn a_restatement_changes_the_etag() {
    let (_database, bitcoin, api) = server().await;
    let etag = api.get(FINAL).await.header("etag").expect("an etag").to_owned();

    bitcoin.restate(MARK - 20_000, "27000").await;

    let restated = holding(&api, FINAL, &etag).await;
    assert_eq!((restated.status.as_u16(), &restated.json()["revision"]), (200, &1.into()));
    assert_ne!(restated.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn what_may_still_change_is_kept_for_a_second_only() {
    let (_database, bitcoin, api) = server().await;
    bitcoin.incident("unpageable", MARK - 100_000, MARK - 100_000, "A millisecond could not be passed.").await;
    let provisional = format!("/historical?ticker=BTC&ts={MARK}");
    for path in ["/latest?ticker=BTC", &provisional, FINAL, "/tickers", "/vwap?ticker=BTC", "/quality"] {
        let answer = api.get(path).await;
        assert_eq!(answer.header("cache-control"), Some("public, max-age=1"), "{path}");
        assert_eq!(answer.header("etag"), None, "{path}");
    }
    assert_eq!(api.get("/health").await.header("cache-control"), Some("no-store"));
    assert_eq!(api.get("/latest").await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_page_of_final_figures_is_cacheable_too() {
    let (_database, _bitcoin, api) = server().await;
    let path = format!("/vwap?ticker=BTC&from={}&to={}", MARK - 30_000, MARK - 20_000);

    let page = api.get(&path).await;

    let etag = page.header("etag").expect("an etag").to_owned();
    assert_eq!(holding(&api, &path, &etag).await.status, 304);
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let (_database, _bitcoin, api) = server().await;
    for path in ["/tickers", FINAL, "/swagger.json", "/swagger-ui/"] {
        let plain = api.get(path).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let compressed = api.send(Method::GET, path, &[(ACCEPT_ENCODING, "gzip")]).await;
        assert_eq!(compressed.header("content-encoding"), Some("gzip"), "{path}");
        let varies = compressed.headers.get_all("vary").iter().filter_map(|vary| vary.to_str().ok());
        assert!(varies.into_iter().any(|vary| vary.to_lowercase().contains("accept-encoding")), "{path}");
        let mut body = Vec::new();
        GzDecoder::new(&*compressed.body).read_to_end(&mut body).expect("gzip");
        assert_eq!(body, plain.body, "{path}");
    }
    let compressed = api.send(Method::GET, FINAL, &[(ACCEPT_ENCODING, "gzip")]).await;
    assert!(compressed.header("etag").is_some_and(|etag| etag.starts_with("W/")), "other bytes, so a weak etag");
}

#[tokio::test]
async fn any_page_may_read() {
    let (_database, _bitcoin, api) = server().await;
    for path in ["/latest?ticker=BTC", "/latest", "/nothing"] {
        let answer = api.send(Method::GET, path, &[(ORIGIN, "https://example.org")]).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    let asked = [
        (ORIGIN, "https://example.org"),
        (ACCESS_CONTROL_REQUEST_METHOD, "GET"),
        (ACCESS_CONTROL_REQUEST_HEADERS, "if-none-match"),
    ];
    let allowed = api.send(Method::OPTIONS, "/latest", &asked).await;
    assert!(allowed.status.is_success());
    assert!(allowed.header("access-control-allow-methods").is_some_and(|methods| methods.contains("GET")));
    let asked = [(ORIGIN, "https://example.org"), (ACCESS_CONTROL_REQUEST_METHOD, "PUT")];
    assert_eq!(api.send(Method::OPTIONS, "/latest", &asked).await.problem()["code"], "bad_request");
}

#[tokio::test]
async fn head_answers_as_get_without_the_body() {
    let (_database, _bitcoin, api) = server().await;
    for path in ["/latest?ticker=BTC", FINAL, "/health", "/swagger-ui/"] {
        let (head, get) = (api.send(Method::HEAD, path, &[]).await, api.get(path).await);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
    let options = api.send(Method::OPTIONS, "/latest", &[]).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
}
