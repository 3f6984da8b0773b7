//! Where a tape has which column. They are found by name, in any order; others
//! are ignored.

use crate::row::fields;

/// The columns a tape must have.
const NAMES: [&str; 5] = ["ticker", "ts", "quantity", "price", "tradeid"];

/// The place of each column, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Of the ticker.
    pub ticker: usize,
    /// Of the time.
    pub ts: usize,
    /// Of the quantity.
    pub quantity: usize,
    /// Of the price.
    pub price: usize,
    /// Of the trade's id.
    pub tradeid: usize,
    /// How many columns there are.
    pub count: usize,
}

impl Columns {
    /// Reads the first line of a file.
    ///
    /// # Errors
    /// The name of the first column that is not there.
    pub fn read(line: &str) -> Result<Self, &'static str> {
        let names = fields(line.trim_start_matches('\u{feff}')).unwrap_or_default();
        let mut places = [0; NAMES.len()];
        for (place, name) in places.iter_mut().zip(NAMES) {
            *place = names.iter().position(|column| *column == name).ok_or(name)?;
        }
        let [ticker, ts, quantity, price, tradeid] = places;
        Ok(Self { ticker, ts, quantity, price, tradeid, count: names.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let columns = Columns::read("\u{feff}recv,\"tradeid\",price,quantity,ts,ticker").expect("all are there");

        let expected = Columns { ticker: 5, ts: 4, quantity: 3, price: 2, tradeid: 1, count: 6 };
        assert_eq!(columns, expected);
    }

    #[test]
    fn a_column_that_is_missing_is_named() {
        assert_eq!(Columns::read("ticker,ts,price,tradeid"), Err("quantity"));
        assert_eq!(Columns::read(""), Err("ticker"));
    }
}
