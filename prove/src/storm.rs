//! The storm: does what the schedule says, when it says it, and notes what was
//! done and what should not have happened.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::house::{Deed, House};
use crate::http::Http;
use crate::schedule::{Act, Planned};

/// How often it is looked whether somebody ended by itself.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What was done, and what should not have happened.
#[derive(Debug, Default)]
pub struct Wake {
    /// What was done to the processes, in the order of the blows.
    pub deeds: Vec<Deed>,
    /// Troubles of the market's channels that were caused by command.
    pub troubles: usize,
    /// What should not have happened.
    pub complaints: Vec<String>,
}

/// What one act left.
enum Left {
    Deed(Deed),
    Trouble,
    Nothing,
    Complaint(String),
}

/// Rages for a time.
pub async fn rage(house: &Arc<House>, planned: Vec<Planned>, length: Duration) -> anyhow::Result<Wake> {
    let http = Http::new(Duration::from_secs(1))?;
    let began_at = Instant::now();
    let mut acts = JoinSet::new();
    for planned in planned {
        let (house, http) = (Arc::clone(house), http.clone());
        acts.spawn(async move {
            sleep_until(began_at + planned.after).await;
            act(&house, &http, planned).await
        });
    }
    let mut wake = Wake::default();
    loop {
        tokio::select! {
            () = sleep_until(began_at + length), if acts.is_empty() => break,
            Some(left) = acts.join_next() => match left? {
                Left::Deed(deed) => wake.deeds.push(deed),
                Left::Trouble => wake.troubles += 1,
                Left::Nothing => {}
                Left::Complaint(complaint) => wake.complaints.push(complaint),
            },
            () = sleep(LOOK_EVERY) => wake.complaints.extend(house.fallen().await),
        }
    }
    wake.deeds.sort_by_key(|deed| deed.from_ms);
    Ok(wake)
}

async fn act(house: &House, http: &Http, planned: Planned) -> Left {
    let Planned { after, act, lasts } = planned;
    let (at, lasts_ms) = (after.as_secs_f64(), lasts.as_millis());
    let venue = &house.addresses.venue;
    let told = match act {
        Act::Strike(actor, blow) => {
            eprintln!("{at:7.1} s  {} {}", blow.as_str(), actor.name());
            return match house.strike(actor, blow, lasts).await {
                Ok(deed) => Left::Deed(deed),
                Err(error) => {
                    let again = house.start(actor).await.err().map(|error| format!("; {error:#}"));
                    Left::Complaint(format!(
                        "{} {}: {error:#}{}",
                        blow.as_str(),
                        actor.name(),
                        again.unwrap_or_default()
                    ))
                }
            };
        }
        Act::Rest(mode) => {
            eprintln!("{at:7.1} s  the market's REST: {} for {lasts_ms} ms", mode.0);
            http.post(&format!("{venue}/control/rest"), &json!({"mode": mode.0, "for_ms": lasts_ms})).await
        }
        Act::Silence => {
            eprintln!("{at:7.1} s  the market's socket: silent for {lasts_ms} ms");
            http.post(&format!("{venue}/control/silence"), &json!({"for_ms": lasts_ms})).await
        }
        Act::Cut => {
            eprintln!("{at:7.1} s  the market's socket: cut");
            http.post(&format!("{venue}/control/cut"), &json!({})).await
        }
    };
    // A market that is down or stands still takes no commands, and is trouble enough.
    if told.is_ok() { Left::Trouble } else { Left::Nothing }
}
