//! Every seed of CI, in parts that run side by side. `cargo run --release -p
//! simulation -- --seeds 100000` runs as many as there is time for.

use simulation::{Plan, minimized, run};

/// Seeds per part; there are eight parts.
const SEEDS: u64 = 120;

fn all_is_well(part: u64) {
    let (mut kills, mut marks, mut restatements) = (0, 0, 0);
    for seed in part * SEEDS..(part + 1) * SEEDS {
        let plan = Plan::of(seed);
        let report = run(&plan);
        if !report.complaints.is_empty() {
            let command = minimized(&plan).command();
            panic!("seed {seed} failed: {:#?}\nreplay: {command}", report.complaints);
        }
        kills += report.kills;
        marks += report.marks;
        restatements += report.restatements;
    }
    assert!(kills > SEEDS, "workers are killed in these runs, {kills} times");
    assert!(marks > SEEDS * 100, "figures are compared in these runs, {marks} of them");
    assert!(restatements > SEEDS * 10, "figures are restated in these runs, {restatements} times");
}

macro_rules! parts {
    ($($name:ident $part:literal,)*) => { $(
        #[test]
        fn $name() {
            all_is_well($part);
        }
    )* };
}

parts! {
    whatever_happens_what_is_final_is_true_in_the_first_eighth_of_seeds 0,
    whatever_happens_what_is_final_is_true_in_the_second_eighth_of_seeds 1,
    whatever_happens_what_is_final_is_true_in_the_third_eighth_of_seeds 2,
    whatever_happens_what_is_final_is_true_in_the_fourth_eighth_of_seeds 3,
    whatever_happens_what_is_final_is_true_in_the_fifth_eighth_of_seeds 4,
    whatever_happens_what_is_final_is_true_in_the_sixth_eighth_of_seeds 5,
    whatever_happens_what_is_final_is_true_in_the_seventh_eighth_of_seeds 6,
    whatever_happens_what_is_final_is_true_in_the_last_eighth_of_seeds 7,
}
