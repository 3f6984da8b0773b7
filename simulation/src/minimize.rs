//! Makes a failing run small: leaves out whatever it fails without.

use crate::run::run;
use crate::scenario::{Part, Plan, Scenario};

/// The smallest plan found that still fails, for a plan that does.
pub fn minimized(plan: &Plan) -> Plan {
    let mut least = plan.clone();
    for part in Part::ALL {
        let mut without = least.clone();
        without.without.insert(*part);
        keep_if_failing(&mut least, without);
    }
    let tickers = Scenario::of(&least).tickers;
    for fewer in 1..tickers {
        let candidate = Plan { tickers: Some(fewer), ..least.clone() };
        if keep_if_failing(&mut least, candidate) {
            break;
        }
    }
    loop {
        let seconds = Scenario::of(&least).seconds;
        let shorter = [seconds / 2, seconds * 3 / 4, seconds - 1];
        let is_shorter = shorter.into_iter().filter(|shorter| (1..seconds).contains(shorter)).any(|shorter| {
            let candidate = Plan { seconds: Some(shorter), ..least.clone() };
            keep_if_failing(&mut least, candidate)
        });
        if !is_shorter {
            return least;
        }
    }
}

fn keep_if_failing(least: &mut Plan, candidate: Plan) -> bool {
    let fails = !run(&candidate).complaints.is_empty();
    if fails {
        *least = candidate;
    }
    fails
}
