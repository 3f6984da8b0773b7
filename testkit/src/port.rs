//! Ports for servers that are stopped and started again.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::sync::Mutex;

/// Below the ports that systems give to those who connect: while a server is
/// away, nobody who tries to reach it can be given its port.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// What was given in this process: who was given one may not listen yet.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port of loopback that nobody listens at now, and that this process was not given before.
///
/// # Panics
/// When there is none among a thousand.
pub fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let anywhere = |attempt: u32| {
        let chance = RandomState::new().hash_one(attempt) % u64::from(RANGE.end - RANGE.start);
        RANGE.start + u16::try_from(chance).expect("it is below the length of the range")
    };
    let is_new = |port: &u16| GIVEN.lock().expect("nothing panics while holding it").insert(*port);
    (0..1_000).map(anywhere).find(|port| is_free(port) && is_new(port)).expect("loopback has a free port")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let given: BTreeSet<u16> = (0..1_000).map(|_| free_port()).collect();

        assert_eq!(given.len(), 1_000);
    }
}
