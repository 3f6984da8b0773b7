//! One connection: what its listener says, and what it is answered besides trades.

use std::time::Duration;

use tape::EpochMs;

use super::desk::Desk;

/// The manners of one connection. What it says itself goes out in order with
/// the trades, through the desk.
pub trait Conversation: Send {
    /// When the connection is made.
    fn begin(&mut self, _: &mut Desk<'_>) {}

    /// When the listener says something.
    fn hear(&mut self, text: &str, desk: &mut Desk<'_>);

    /// When the listener sends a ping frame.
    fn hear_ping(&mut self, _: &mut Desk<'_>) {}

    /// When the listener answers a ping.
    fn hear_pong(&mut self, _: &[u8], _: &mut Desk<'_>) {}

    /// How often it looks at the clock.
    fn every(&self) -> Duration;

    /// When it looks at the clock.
    fn tick(&mut self, _: &mut Desk<'_>) {}

    /// When the exchange is about to end the connection at an instant.
    fn announce_the_end(&mut self, _: EpochMs, _: &mut Desk<'_>) {}
}

/// A listener that hears everything, whatever it says; it is pinged.
#[derive(Debug)]
pub struct Hearer {
    /// How often it is pinged.
    pub ping_every: Duration,
}

impl Conversation for Hearer {
    fn hear(&mut self, _: &str, _: &mut Desk<'_>) {}

    fn every(&self) -> Duration {
        self.ping_every
    }

    fn tick(&mut self, desk: &mut Desk<'_>) {
        desk.ping(Vec::new());
    }
}
