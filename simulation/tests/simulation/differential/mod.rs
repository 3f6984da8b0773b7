//! The simulated tables are held against Postgres: the same operations get the
//! same answers, and leave the same rows.

mod draw;
mod operations;
mod postgres_rows;
mod rows;
mod script;
mod simulated_rows;

use simulation::memory::{Server, SimTables, Trouble};
use simulation::time::Time;
use testkit::database;
use worker::tables::PostgresTables;

use operations::{Trait, operations_of};
use script::{Played, Script};

/// The name of the simulated venue.
const VENUE: &str = "simulated";

/// Scripts of each of the tests, which run side by side.
const SCRIPTS: u64 = 9;

/// What an answer that is none begins with.
const REFUSALS: [&str; 3] = ["Deposed", "Conflict", "Refused"];

/// Plays a part of the scripts on both, and tells what was played, with what answers.
async fn held_against_each_other(part: u64) -> Vec<Played> {
    let mut played = Vec::new();
    for seed in part * SCRIPTS..(part + 1) * SCRIPTS {
        let database = database().await;
        let store = database.store();
        let leadership = store.lead(VENUE).await.expect("the database answers").expect("nobody leads");
        let client = database.client().await;
        let depose = async || {
            client.execute("update leaders set epoch = epoch + 1", &[]).await.expect("written");
        };
        let of_postgres = Script::of(seed).play(&PostgresTables::new(store, leadership), depose).await;
        let kept_by_postgres = postgres_rows::all(&client).await;

        let server = Server::new(Time::starting_at(0), seed, Trouble::default());
        let simulated = SimTables::lead(&server, 0).await.expect("no trouble").expect("nobody leads");
        let depose = async || server.state().epoch += 1;
        let of_simulation = Script::of(seed).play(&simulated, depose).await;
        let kept_by_simulation = simulated_rows::all(&server.state().disk);

        for (nth, (simulated, real)) in of_simulation.iter().zip(&of_postgres).enumerate() {
            assert_eq!(simulated, real, "script {seed}, answer {nth}: simulated left, Postgres right");
        }
        assert_eq!(of_simulation.len(), of_postgres.len(), "script {seed}");
        rows::assert_same(seed, &kept_by_simulation, &kept_by_postgres);
        played.extend(of_postgres);
    }
    played
}

/// Whatever can be asked of the tables was, and answered; and what can be refused was.
fn is_worth_something(played: &[Played]) {
    let times = |is_counted: &dyn Fn(&Played) -> bool| played.iter().filter(|it| is_counted(it)).count();
    for operation in operations_of(Trait::Tables).into_iter().chain(operations_of(Trait::TablesTxn)) {
        let answered = times(&|it| it.operation == operation && !REFUSALS.iter().any(|no| it.answer.starts_with(no)));
        assert!(answered >= 15, "{operation} was played and answered {answered} times");
    }
    for refusal in REFUSALS {
        let refused = times(&|it| it.answer.starts_with(refusal));
        assert!(refused >= 3, "{refusal} came up {refused} times");
    }
    let commits = times(&|it| it.operation == "commit" && it.answer == "()");
    assert!(commits > 150, "{commits} transactions were committed");
}

macro_rules! parts {
    ($($name:ident $part:literal,)*) => { $(
        #[tokio::test]
        async fn $name() {
            is_worth_something(&held_against_each_other($part).await);
        }
    )* };
}

parts! {
    the_simulated_tables_and_postgres_answer_the_same_and_keep_the_same_in_the_first_scripts 0,
    the_simulated_tables_and_postgres_answer_the_same_and_keep_the_same_in_further_scripts 1,
}
