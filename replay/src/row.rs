//! One line of a tape. What a number, a ticker or an id may be is `tape`'s
//! business; here lines are cut into fields.

use std::borrow::Cow;

use tape::{EpochMs, Price, Quantity, Rejection};

use crate::header::Columns;

/// How much of a wrong time is repeated.
const FOUND_CHARS: usize = 40;

/// A trade as it stands in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'line> {
    /// The ticker's text.
    pub ticker: &'line str,
    /// When the trade was made.
    pub traded_at: EpochMs,
    /// At what price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// The id's text.
    pub id: &'line str,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// It has more or fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    Fields {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A quotation mark is never closed, or not followed by a comma.
    #[error("a quoted field does not end in this line")]
    Quotes,
    /// It is not text.
    #[error("not UTF-8")]
    NotText,
    /// It is longer than any line of a tape.
    #[error("longer than {0} bytes, which no row of a tape is")]
    TooLong(usize),
    /// The time is no number of milliseconds.
    #[error("ts must be epoch milliseconds, not {0:?}")]
    Time(String),
    /// It is no trade.
    #[error(transparent)]
    Trade(#[from] Rejection),
}

/// The fields of a line, quoted ones without their quotation marks; none when a
/// quoted field does not end.
pub fn fields(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let end = closing_quote(quoted)?;
            (Cow::Owned(quoted[..end].replace("\"\"", "\"")), &quoted[end + 1..])
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (Cow::Borrowed(&rest[..end]), &rest[end..])
        };
        fields.push(field);
        if after.is_empty() {
            return Some(fields);
        }
        rest = after.strip_prefix(',')?;
    }
}

/// Where the quotation ends; doubled marks are part of it.
fn closing_quote(quoted: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + quoted[from..].find('"')?;
        if !quoted[end + 1..].starts_with('"') {
            return Some(end);
        }
        from = end + 2;
    }
}

impl<'line> Row<'line> {
    /// Reads the fields of a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(fields: &[&'line str], columns: Columns) -> Result<Self, BadRow> {
        if fields.len() != columns.count {
            return Err(BadRow::Fields { found: fields.len(), expected: columns.count });
        }
        Ok(Self {
            ticker: fields[columns.ticker],
            traded_at: time(fields[columns.ts])?,
            price: Price::parse(fields[columns.price])?,
            quantity: Quantity::parse(fields[columns.quantity])?,
            id: fields[columns.tradeid],
        })
    }
}

/// Milliseconds of this year have 13 digits; nobody has more than 18.
const TIME_DIGITS_MOST: usize = 18;

fn time(text: &str) -> Result<EpochMs, BadRow> {
    let (mut ms, mut is_number) = (0i64, text.len() <= TIME_DIGITS_MOST);
    for byte in text.bytes().take(TIME_DIGITS_MOST) {
        let digit = byte.wrapping_sub(b'0');
        is_number &= digit < 10;
        // It wraps only where something else than a digit stands.
        ms = ms.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    if is_number && (1..EpochMs::MAX.ms()).contains(&ms) {
        return Ok(EpochMs::new(ms));
    }
    Err(BadRow::Time(text.chars().take(FOUND_CHARS).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_lose_their_marks_and_may_hold_commas() {
        assert_eq!(fields("a,\"b,\"\"c\"\"\",,d").expect("closed"), ["a", "b,\"c\"", "", "d"]);
        assert_eq!(fields("").expect("one empty field"), [""]);
        assert_eq!(fields("\"a"), None);
        assert_eq!(fields("\"a\"b,c"), None);
    }

    #[test]
    fn what_is_wrong_with_a_row_is_said() {
        let columns = Columns::read("ticker,ts,quantity,price,tradeid").expect("all are there");
        let complaint = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            Row::read(&fields, columns).expect_err("no row").to_string()
        };

        assert_eq!(complaint("A,1,1,1"), "4 fields where the header has 5");
        assert_eq!(complaint("A,,1,1,x"), "ts must be epoch milliseconds, not \"\"");
        assert_eq!(complaint("A,0,1,1,x"), "ts must be epoch milliseconds, not \"0\"");
        assert_eq!(
            complaint("A,1723161255342000000,1,1,x"),
            "ts must be epoch milliseconds, not \"1723161255342000000\""
        );
        assert_eq!(complaint("A,1,0,1,x"), "quantity is not positive: 0");
        assert_eq!(complaint("A,1,1,abc,x"), "price has the wrong type: abc");
    }
}
