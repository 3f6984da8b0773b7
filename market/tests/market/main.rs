//! The market crate against servers that follow a script: what is heard and
//! answered when the other side misbehaves in every way it can.

mod asking;
mod asking_in_trouble;
mod changing;
mod decoding;
mod hearing;
mod hearing_in_trouble;
mod scripted_rest;
mod scripted_socket;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use market::Clock;
use tape::EpochMs;

/// How long any wait of a test may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// The future's result, which must come before the deadline.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it comes before the deadline")
}

/// Waits until the state is reached.
async fn until(what: &str, is_reached: impl Fn() -> bool) {
    let waiting = async {
        while !is_reached() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "never reached: {what}");
}

fn clock() -> Clock {
    std::sync::Arc::new(|| {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        EpochMs::new(i64::try_from(since_epoch.as_millis()).expect("before 2200"))
    })
}

/// A clock that stands still.
fn stopped_clock(ms: i64) -> Clock {
    std::sync::Arc::new(move || EpochMs::new(ms))
}

fn wire_trade(id: &str, ts: i64) -> String {
    format!(r#"{{"ticker":"BTC","ts":{ts},"quantity":0.5,"price":27000.12,"tradeid":"{id}"}}"#)
}
