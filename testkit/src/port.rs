//! Ports for servers that are stopped and started again.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;

/// Below the ports that systems give to those who connect: while a server is
/// away, nobody who tries to reach it can be given its port.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// A port of loopback that nobody listens at now.
///
/// # Panics
/// When there is none among a thousand.
pub fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let anywhere = |attempt: u32| {
        let chance = RandomState::new().hash_one(attempt) % u64::from(RANGE.end - RANGE.start);
        RANGE.start + u16::try_from(chance).expect("it is below the length of the range")
    };
    (0..1_000).map(anywhere).find(is_free).expect("loopback has a free port")
}
