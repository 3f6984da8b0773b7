//! `GET /metrics`: how the newest figures are answered, for Prometheus.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::desk::Desk;

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is counted of the answers of `/latest`. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Answered from memory.
    pub from_memory: Counter,
    /// Answered from the database.
    pub from_database: Counter,
    /// Connections that were listened to and lost.
    pub losses: Counter,
    /// Newer answers held when the database said an older one.
    pub doubted: Counter,
    reads: Counter,
    figures_read: Counter,
}

impl Metrics {
    /// Counts one reading and the figures it brought.
    pub fn read(&self, figures: usize) {
        self.reads.inc();
        self.figures_read.inc_by(figures as u64);
    }

    fn registry(&self, desk: &Desk) -> Registry {
        let mut registry = Registry::with_prefix("truetape_api_latest_cache");
        let (live, tickers) = (Gauge::<i64>::default(), Gauge::<i64>::default());
        live.set(desk.memory.is_trusted().into());
        tickers.set(i64::try_from(desk.memory.tickers()).unwrap_or(i64::MAX));
        registry.register("live", "Whether /latest is answered from memory", live);
        registry.register("tickers", "Tickers whose newest figure is at hand", tickers);
        registry.register("hits", "Answers of /latest from memory", self.from_memory.clone());
        registry.register("misses", "Questions of /latest asked of the database", self.from_database.clone());
        registry.register("losses", "Listening connections lost", self.losses.clone());
        registry.register("doubted", "Figures held on to though the database said older ones", self.doubted.clone());
        registry.register("reads", "Readings after a notification or on a schedule", self.reads.clone());
        registry.register("figures_read", "Figures those readings brought", self.figures_read.clone());
        registry
    }
}

/// All counters and gauges, as text.
pub async fn metrics(desk: Data<Desk>) -> HttpResponse {
    let mut text = String::new();
    encode(&mut text, &desk.metrics.registry(&desk)).expect("a string takes any text");
    HttpResponse::Ok().insert_header((CONTENT_TYPE, MEDIA_TYPE)).insert_header((CACHE_CONTROL, "no-store")).body(text)
}
