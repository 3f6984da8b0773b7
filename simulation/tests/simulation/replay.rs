//! A run can be repeated, and made smaller.

use simulation::{Part, Plan, run};

#[test]
fn the_same_seed_makes_the_same_run_to_the_last_statement_and_row() {
    for seed in 0..25 {
        let plan = Plan::of(seed);

        assert_eq!(run(&plan), run(&plan), "seed {seed}");
    }
}

#[test]
fn another_seed_makes_another_run() {
    assert_ne!(run(&Plan::of(1)).digest, run(&Plan::of(2)).digest);
}

#[test]
fn what_is_left_out_does_not_happen() {
    let all: Plan = Plan::of(1);
    let calm = Plan { without: Part::ALL.iter().copied().collect(), ..all.clone() };

    assert!(run(&all).injected.values().sum::<u64>() > 100);
    let report = run(&calm);
    assert_eq!((report.injected.len(), report.kills), (0, 0));
    assert_eq!(report.complaints, Vec::<String>::new());
}

#[test]
fn a_plan_prints_the_command_that_repeats_it() {
    let plan = Plan { without: [Part::Crash, Part::Drop].into(), tickers: Some(1), seconds: Some(30), ..Plan::of(7) };

    let command = plan.command();

    assert_eq!(command, "cargo run -p simulation -- --replay 7 --without drop,crash --tickers 1 --seconds 30");
}
