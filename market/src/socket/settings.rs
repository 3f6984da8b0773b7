//! Where a socket is and how much patience it gets.

use std::time::Duration;

use url::Url;

/// The address of a socket and its limits.
#[derive(Debug, Clone)]
pub struct SocketSettings {
    /// Its address, `ws://` or `wss://`.
    pub url: Url,
    /// How long connecting may take, handshake included. 10 s.
    pub connect_timeout: Duration,
    /// After how long without anything, pings included, we ask with a ping of our own. 20 s.
    pub ping_after: Duration,
    /// After how long without anything, pings included, the connection is given up. 40 s:
    /// markets ping every 15 s.
    pub ping_timeout: Duration,
    /// After how long without a trade the connection is given up, however lively it is otherwise. 60 s.
    pub silence_timeout: Duration,
    /// How large a message may be, in bytes. 1 MiB.
    pub message_limit: usize,
    /// The first delay before connecting anew. 100 ms.
    pub first_delay: Duration,
    /// The longest delay before connecting anew. 30 s.
    pub longest_delay: Duration,
    /// After how long a connection is replaced by another; what the market says.
    pub lives_for: Option<Duration>,
    /// How long a connection must stay up to count as good even without a trade. 10 s.
    pub good_after: Duration,
}

impl SocketSettings {
    /// The defaults, for the socket at `url`.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            connect_timeout: Duration::from_secs(10),
            ping_after: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(40),
            silence_timeout: Duration::from_secs(60),
            message_limit: 1024 * 1024,
            first_delay: Duration::from_millis(100),
            longest_delay: Duration::from_secs(30),
            lives_for: None,
            good_after: Duration::from_secs(10),
        }
    }
}
