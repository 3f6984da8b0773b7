//! Watches over a connection: is it alive, and does it bring trades?
//!
//! Pure: it is handed instants and says what is due.

use std::time::Duration;

use tokio::time::Instant;

use super::{Disconnect, SocketSettings};

/// When what came last, and for how long it may stay away.
#[derive(Debug)]
pub(super) struct Vigil {
    ping_after: Duration,
    ping_timeout: Duration,
    silence_timeout: Duration,
    first_trade_within: Duration,
    heard_at: Instant,
    trade_heard_at: Instant,
    has_heard_a_trade: bool,
    has_asked: bool,
    /// What is said regularly: how often, and when next.
    says: Option<(Duration, Instant)>,
    leaves_at: Option<Instant>,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Nothing before this instant.
    WaitUntil(Instant),
    /// Send a ping.
    Ping,
    /// Say what keeps the connection alive.
    Say,
    /// The connection has lived long enough: make another first.
    Leave,
    /// Give the connection up.
    GiveUp(Disconnect),
}

impl Vigil {
    pub fn new(settings: &SocketSettings, connected_at: Instant) -> Self {
        Self {
            ping_after: settings.ping_after,
            ping_timeout: settings.ping_timeout,
            silence_timeout: settings.silence_timeout,
            first_trade_within: settings.silence_timeout,
            heard_at: connected_at,
            trade_heard_at: connected_at,
            has_heard_a_trade: false,
            has_asked: false,
            says: None,
            leaves_at: None,
        }
    }

    /// Something is to be said regularly.
    pub fn saying_every(mut self, every: Option<Duration>, connected_at: Instant) -> Self {
        self.says = every.map(|every| (every, connected_at + every));
        self
    }

    /// The first trade may take so long.
    pub fn waiting_for_the_first(mut self, limit: Duration) -> Self {
        self.first_trade_within = limit;
        self
    }

    /// The connection is to be replaced after so long.
    pub fn living_for(mut self, life: Option<Duration>, connected_at: Instant) -> Self {
        self.leaves_at = life.map(|life| connected_at + life);
        self
    }

    /// What is said regularly was said.
    pub fn said(&mut self, now: Instant) {
        self.says = self.says.map(|(every, _)| (every, now + every));
    }

    /// Anything came, be it a ping.
    pub fn heard_anything(&mut self, now: Instant) {
        self.heard_at = now;
        self.has_asked = false;
    }

    /// A trade came.
    pub fn heard_trade(&mut self, now: Instant) {
        self.trade_heard_at = now;
        self.has_heard_a_trade = true;
    }

    /// Whether the connection has brought a trade.
    pub fn has_heard_a_trade(&self) -> bool {
        self.has_heard_a_trade
    }

    /// A ping was sent.
    pub fn asked(&mut self) {
        self.has_asked = true;
    }

    pub fn duty(&self, now: Instant) -> Duty {
        let silent_at = self.heard_at + self.ping_timeout;
        let may_be_silent = if self.has_heard_a_trade { self.silence_timeout } else { self.first_trade_within };
        let useless_at = self.trade_heard_at + may_be_silent;
        let ping_at = self.heard_at + self.ping_after;
        if silent_at <= now {
            return Duty::GiveUp(Disconnect::Silent);
        }
        if useless_at <= now {
            return Duty::GiveUp(Disconnect::NoTrades);
        }
        if self.leaves_at.is_some_and(|at| at <= now) {
            return Duty::Leave;
        }
        if self.says.is_some_and(|(_, at)| at <= now) {
            return Duty::Say;
        }
        if !self.has_asked && ping_at <= now {
            return Duty::Ping;
        }
        let ping_at = (!self.has_asked).then_some(ping_at);
        let say_at = self.says.map(|(_, at)| at);
        let first = ping_at.into_iter().chain(say_at).chain(self.leaves_at).fold(silent_at, Instant::min);
        Duty::WaitUntil(first.min(useless_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vigil() -> (Vigil, Instant) {
        let url = crate::socket_url("ws://127.0.0.1:1/stream").expect("url");
        let start = Instant::now();
        (Vigil::new(&SocketSettings::new(url), start), start)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn after_twenty_seconds_of_nothing_it_asks_once_and_after_forty_it_gives_up() {
        let (mut vigil, start) = vigil();

        assert_eq!(vigil.duty(start), Duty::WaitUntil(start + seconds(20)));
        assert_eq!(vigil.duty(start + seconds(20)), Duty::Ping);
        vigil.asked();
        assert_eq!(vigil.duty(start + seconds(20)), Duty::WaitUntil(start + seconds(40)));
        assert_eq!(vigil.duty(start + seconds(40)), Duty::GiveUp(Disconnect::Silent));
    }

    #[test]
    fn heartbeats_keep_a_connection_alive_but_are_no_trades() {
        let (mut vigil, start) = vigil();
        for beat in 1..=5 {
            vigil.heard_anything(start + seconds(beat * 11));
        }

        assert_eq!(vigil.duty(start + seconds(59)), Duty::WaitUntil(start + seconds(60)));
        assert_eq!(vigil.duty(start + seconds(60)), Duty::GiveUp(Disconnect::NoTrades));
    }

    #[test]
    fn more_patience_lasts_until_the_first_trade() {
        let (vigil, start) = vigil();
        let mut vigil = vigil.waiting_for_the_first(seconds(240));

        vigil.heard_anything(start + seconds(239));
        assert_eq!(vigil.duty(start + seconds(239)), Duty::WaitUntil(start + seconds(240)));
        assert_eq!(vigil.duty(start + seconds(240)), Duty::GiveUp(Disconnect::NoTrades));
        vigil.heard_trade(start + seconds(239));
        vigil.heard_anything(start + seconds(298));
        assert_eq!(vigil.duty(start + seconds(298)), Duty::WaitUntil(start + seconds(299)));
        assert_eq!(vigil.duty(start + seconds(299)), Duty::GiveUp(Disconnect::NoTrades));
    }

    #[test]
    fn an_answer_to_a_ping_lets_it_ask_again_later() {
        let (mut vigil, start) = vigil();
        vigil.asked();
        vigil.heard_anything(start + seconds(21));
        vigil.heard_trade(start + seconds(21));

        assert_eq!(vigil.duty(start + seconds(21)), Duty::WaitUntil(start + seconds(41)));
        assert_eq!(vigil.duty(start + seconds(41)), Duty::Ping);
    }
}
