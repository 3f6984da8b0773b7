//! Rows of either kind of tables in the same words.

use std::collections::{BTreeMap, BTreeSet};

/// The rows of each table, each as `column=value` in the order of the columns' names; nulls are left out.
pub type Rows = BTreeMap<String, Vec<String>>;

/// Compares table by table; says only which rows differ.
pub fn assert_same(seed: u64, simulated: &Rows, real: &Rows) {
    let tables: BTreeSet<&String> = simulated.keys().chain(real.keys()).collect();
    for table in tables {
        let (Some(simulated), Some(real)) = (simulated.get(table), real.get(table)) else {
            panic!("{table} is known to one side only");
        };
        if simulated != real {
            let only = |those: &[String], others: &[String]| -> Vec<String> {
                those.iter().filter(|row| !others.contains(row)).cloned().collect()
            };
            let (left, right) = (only(simulated, real), only(real, simulated));
            panic!("script {seed}, {table}: only simulated {left:#?}, only in Postgres {right:#?}");
        }
    }
}
