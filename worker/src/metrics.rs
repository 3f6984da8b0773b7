//! What the worker counts and measures, for Prometheus and for `/health`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use market::{Disconnect, SocketStats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tape::{EpochMs, Fault, Finding, Heard, Mark, Suspicion};

/// Faults are told apart by kind; a trade id is never a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// All counters and gauges of one worker.
#[derive(Default)]
pub struct Metrics {
    /// Whether this process leads its exchange.
    pub leading: Gauge,
    /// Whether it is no longer followed, after a failure that waiting does not mend.
    pub given_up: Gauge,
    /// Tickers followed.
    pub tickers: Gauge,
    /// Sessions that ended and were begun anew.
    pub sessions_lost: Counter,
    /// What happened on the socket.
    pub socket: Arc<SocketStats>,
    /// REST requests that gave a page.
    pub rest_answers: Counter,
    /// REST requests without an answer we could use.
    pub rest_failures: Counter,
    /// Trades of tickers beyond MAX_TICKERS, not kept.
    pub unfollowed: Counter,
    /// REST answers read again.
    pub audits: Counter,
    /// Settled trades told again as before.
    pub audited_trades: Counter,
    /// Changes of mind seen by a first reading.
    pub audit_suspicions: Counter,
    /// Changes of mind that a second reading did not say again.
    pub audit_unconfirmed: Counter,
    audit_findings: Family<Kind, Counter>,
    restated: Counter,
    heard: Counter,
    confirmed: Counter,
    finals: Counter,
    faults: Family<Kind, Counter>,
    suspects: Family<Kind, Counter>,
    /// The ticker least far confirmed, in milliseconds behind the clock.
    pub lag_ms: Gauge,
    /// What the evidence of all bounds holds in memory, in bytes.
    pub evidence_bytes: Gauge,
    mark_delay_seconds: Option<Histogram>,
    time_to_final_seconds: Option<Histogram>,
    heard_delay_seconds: Option<Histogram>,
    last_mark: AtomicI64,
    last_settled: AtomicI64,
}

impl Metrics {
    /// All of them, printed by a registry.
    pub fn registered(registry: &mut Registry) -> Self {
        let seconds = || Histogram::new([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0]);
        let metrics = Self {
            mark_delay_seconds: Some(seconds()),
            time_to_final_seconds: Some(seconds()),
            heard_delay_seconds: Some(seconds()),
            ..Self::default()
        };
        registry.register("leading", "1 when this process leads its exchange", metrics.leading.clone());
        registry.register("given_up", "1 when the exchange is no longer followed", metrics.given_up.clone());
        registry.register("tickers", "Tickers followed", metrics.tickers.clone());
        registry.register("sessions_lost", "Sessions begun anew after a failure", metrics.sessions_lost.clone());
        registry.register("rest_answers", "REST pages read", metrics.rest_answers.clone());
        registry.register("rest_failures", "REST requests that gave no page", metrics.rest_failures.clone());
        registry.register("unfollowed_trades", "Trades of tickers beyond MAX_TICKERS", metrics.unfollowed.clone());
        registry.register("heard_trades", "New trades heard and committed", metrics.heard.clone());
        registry.register("confirmed_trades", "Trades confirmed by REST", metrics.confirmed.clone());
        registry.register("final_figures", "Figures that became final", metrics.finals.clone());
        registry.register("audits", "Answers of REST about settled time, read again", metrics.audits.clone());
        registry.register("audited_trades", "Settled trades told again as before", metrics.audited_trades.clone());
        registry.register(
            "audit_suspicions",
            "Changes of mind of REST seen by a first reading",
            metrics.audit_suspicions.clone(),
        );
        registry.register(
            "audit_unconfirmed",
            "Changes of mind of REST that it did not repeat",
            metrics.audit_unconfirmed.clone(),
        );
        registry.register(
            "audit_findings",
            "Settled trades REST changed its mind about, by kind",
            metrics.audit_findings.clone(),
        );
        registry.register("restated_figures", "Final figures that were changed", metrics.restated.clone());
        registry.register("feed_faults", "Faults of the socket, by kind", metrics.faults.clone());
        registry.register("suspects", "Heard trades held back from figures, by kind", metrics.suspects.clone());
        registry.register(
            "lag_milliseconds",
            "How far the slowest ticker is confirmed behind the clock",
            metrics.lag_ms.clone(),
        );
        registry.register(
            "bound_evidence_bytes",
            "Memory that the evidence behind the bounds of provisional figures takes",
            metrics.evidence_bytes.clone(),
        );
        for (name, help, histogram) in [
            ("mark_delay_seconds", "From a second mark to its committed figures", &metrics.mark_delay_seconds),
            ("heard_delay_seconds", "From the frame of a new trade to its commit", &metrics.heard_delay_seconds),
            (
                "time_to_final_seconds",
                "From a mark said provisionally to its final figure",
                &metrics.time_to_final_seconds,
            ),
        ] {
            registry.register(name, help, histogram.clone().expect("made above"));
        }
        registry.register_collector(Box::new(Socket(Arc::clone(&metrics.socket))));
        metrics
    }

    /// Trades heard for the first time were committed at an instant of ours.
    pub fn heard_committed(&self, new: &[Heard], now: EpochMs) {
        self.heard.inc_by(new.len() as u64);
        if let Some(histogram) = &self.heard_delay_seconds {
            for heard in new {
                histogram.observe(seconds(now.ms_since(heard.received_at)));
            }
        }
    }

    /// Suspects were committed.
    pub fn suspected(&self, suspicions: impl Iterator<Item = Suspicion>) {
        for suspicion in suspicions {
            self.suspects.get_or_create(&Kind { kind: suspicion.as_str() }).inc();
        }
    }

    /// A settlement was committed at an instant of ours.
    /// `took_ms` is how long those of the finals took that had been said provisionally.
    pub fn settled(&self, finals: usize, took_ms: &[i64], confirmed: usize, faults: &[Fault], now: EpochMs) {
        self.last_settled.fetch_max(now.ms(), Ordering::Relaxed);
        self.confirmed.inc_by(confirmed as u64);
        self.finals.inc_by(finals as u64);
        for fault in faults {
            self.faults.get_or_create(&Kind { kind: fault.kind.as_str() }).inc();
        }
        if let Some(histogram) = &self.time_to_final_seconds {
            for took_ms in took_ms {
                histogram.observe(seconds(*took_ms));
            }
        }
    }

    /// Changes of mind were followed, and so many figures restated.
    pub fn corrected(&self, findings: &[Finding], restated: u64) {
        self.restated.inc_by(restated);
        for finding in findings {
            self.audit_findings.get_or_create(&Kind { kind: finding.kind().as_str() }).inc();
        }
    }

    /// The figures of the marks from one to another were committed at an instant of ours.
    pub fn marked(&self, first: Mark, last: Mark, now: EpochMs) {
        self.last_mark.fetch_max(last.at().ms(), Ordering::Relaxed);
        let Some(histogram) = &self.mark_delay_seconds else { return };
        let mut mark = first;
        while mark <= last {
            histogram.observe(seconds(now.ms_since(mark.at())));
            mark = mark.next();
        }
    }

    /// Trades confirmed by this process so far.
    pub fn confirmed_trades(&self) -> u64 {
        self.confirmed.get()
    }

    /// The last mark whose figures were committed, epoch milliseconds; 0 when none was.
    pub fn last_mark_ms(&self) -> i64 {
        self.last_mark.load(Ordering::Relaxed)
    }

    /// When REST last settled something, epoch milliseconds; 0 when it did not yet.
    pub fn last_settled_ms(&self) -> i64 {
        self.last_settled.load(Ordering::Relaxed)
    }
}

/// Seconds for a histogram: the one place where a float is at home.
fn seconds(ms: i64) -> f64 {
    std::time::Duration::from_millis(ms.max(0).unsigned_abs()).as_secs_f64()
}

/// Prints what the socket counts by itself.
#[derive(Debug)]
struct Socket(Arc<SocketStats>);

impl Collector for Socket {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let disconnects = Disconnect::ALL.iter().map(|reason| self.0.disconnects(*reason)).sum();
        for (name, help, value) in [
            ("socket_frames", "Frames the socket brought", self.0.frames()),
            ("socket_trades", "Trades the socket brought, well-formed", self.0.trades()),
            ("socket_dropped", "Trades heard and dropped because the queue was full", self.0.dropped()),
            ("socket_connects", "Connections made", self.0.connects()),
            ("socket_disconnects", "Connections lost or not made", disconnects),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_that_was_missed_counts_with_its_own_delay() {
        let mut registry = Registry::default();
        let metrics = Metrics::registered(&mut registry);
        let mark = |second: i64| Mark::at_or_before(EpochMs::new(1_000 * second));

        metrics.marked(mark(1), mark(3), EpochMs::new(3_010));

        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &registry).expect("text");
        for line in ["bucket{le=\"0.01\"} 1", "bucket{le=\"2.0\"} 2", "bucket{le=\"5.0\"} 3", "count 3"] {
            assert!(page.contains(&format!("mark_delay_seconds_{line}\n")), "{line}\n{page}");
        }
        assert_eq!(metrics.last_mark_ms(), 3_000);
    }
}
