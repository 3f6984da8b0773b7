//! What can be asked of the tables, as the traits themselves say: an operation
//! that is added there is drawn here at once, and a script that does not know
//! how to play it fails.

/// A trait of `worker::tables`.
#[derive(Debug, Clone, Copy)]
pub enum Trait {
    /// What stands alone.
    Tables,
    /// What happens in a transaction.
    TablesTxn,
}

const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../worker/src/tables.rs"));

/// The names of a trait's operations.
pub fn operations_of(of: Trait) -> Vec<String> {
    let heading = match of {
        Trait::Tables => "pub trait Tables:",
        Trait::TablesTxn => "pub trait TablesTxn:",
    };
    let (_, body) = SOURCE.split_once(heading).expect("the trait is there");
    let (body, _) = body.split_once("\n}").expect("it ends");
    let names = body.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split_once('('));
    names.map(|(name, _)| name.to_owned()).collect()
}
