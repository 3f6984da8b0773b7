//! Rows as tapes nearly always write them: no quotation marks, decimals of up to
//! 15 digits, ids and tickers without blanks. One such row is read from its
//! first byte to its line feed, without looking for either first. Whatever is no
//! such row is no mistake: it is read, or refused, field by field (see
//! [`crate::row`]).

use tape::EpochMs;
use tape::digits::{Digits, whole_at};
use tape::ids::Named;

use crate::ends::{unquoted_end, word_end};
use crate::header::Columns;
use crate::places::Name;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Ticker,
    Time,
    Quantity,
    Price,
    Id,
    Other,
}

/// A row, and where the next line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain<'text> {
    /// What stands where a ticker should.
    pub ticker: Name<'text>,
    /// When the trade was made.
    pub traded_at: EpochMs,
    /// At what price.
    pub price: Digits,
    /// How much.
    pub quantity: Digits,
    /// The trade's id.
    pub id: Named<'text>,
    /// Where the next line begins.
    pub next: usize,
}

/// Reads plain rows.
#[derive(Debug)]
pub struct PlainRows {
    columns: Vec<Holds>,
}

impl PlainRows {
    /// Of a tape with these columns.
    pub fn of(columns: Columns) -> Self {
        let Columns { ticker, ts, quantity, price, tradeid, count } = columns;
        let mut own = vec![Holds::Other; count];
        own[ticker] = Holds::Ticker;
        own[ts] = Holds::Time;
        own[quantity] = Holds::Quantity;
        own[price] = Holds::Price;
        own[tradeid] = Holds::Id;
        Self { columns: own }
    }

    /// Reads the row that begins at a byte of a text, if it is a plain one and
    /// its last field does not begin in the last bytes of the text.
    // Inlined, with all it calls: what is read stays in registers.
    #[inline(always)]
    pub fn read<'text>(&self, text: &'text [u8], mut at: usize) -> Option<Plain<'text>> {
        let (mut ticker, mut traded_at, mut price, mut quantity, mut id) = (None, None, None, None, None);
        let mut columns = self.columns.iter();
        let mut holds = columns.next()?;
        let end = loop {
            let end = match holds {
                Holds::Ticker => {
                    let end = word_end(text, at)?;
                    ticker = Some(Name::between(text, at, end));
                    end
                }
                Holds::Time => put(&mut traded_at, whole_at(text, at)?),
                Holds::Quantity => put(&mut quantity, Digits::at(text, at)?),
                Holds::Price => put(&mut price, Digits::at(text, at)?),
                Holds::Id => put(&mut id, id_at(text, at)?),
                Holds::Other => unquoted_end(text, at)?,
            };
            let Some(next) = columns.next() else { break end };
            if text.get(end) != Some(&b',') {
                return None;
            }
            (holds, at) = (next, end + 1);
        };
        let next = match text.get(end..)? {
            [b'\n', ..] => end + 1,
            [b'\r', b'\n', ..] => end + 2,
            _ => return None,
        };
        let traded_at = i64::try_from(traded_at?).ok().filter(|ms| (1..EpochMs::MAX.ms()).contains(ms))?;
        let traded_at = EpochMs::new(traded_at);
        Some(Plain { ticker: ticker?, traded_at, price: price?, quantity: quantity?, id: id?, next })
    }
}

#[inline(always)]
fn put<T>(place: &mut Option<T>, (value, end): (T, usize)) -> usize {
    *place = Some(value);
    end
}

/// The id at a place: nearly always a number, else some text that prints.
#[inline(always)]
fn id_at(text: &[u8], at: usize) -> Option<(Named<'_>, usize)> {
    if let Some((number, end)) = whole_at(text, at)
        && (text[at] != b'0' || end == at + 1)
        && matches!(text[end], b',' | b'\r' | b'\n')
    {
        return Some((Named::Number(number), end));
    }
    let end = word_end(text, at)?;
    let id = std::str::from_utf8(&text[at..end]).ok()?;
    (1..=ID_BYTES_MOST).contains(&id.len()).then(|| (Named::of(id), end))
}

/// No id is longer: see [`tape::TradeId`].
const ID_BYTES_MOST: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tape::{Price, Quantity, TradeId};

    use super::*;
    use crate::row::Row;

    const USUAL: &str = "ticker,ts,quantity,price,tradeid";

    fn columns(header: &str) -> Columns {
        Columns::read(header).expect("all are there")
    }

    /// Reads a row that is followed by others.
    fn read<'text>(header: &str, text: &'text str) -> Option<Plain<'text>> {
        PlainRows::of(columns(header)).read(text.as_bytes(), 0)
    }

    fn followed(line: &str) -> String {
        format!("{line}\nBTC,1700000000003,0.06549192,61320.44,1000001\n")
    }

    #[test]
    fn a_row_is_read_whatever_the_order_of_columns_and_the_end_of_lines() {
        for (header, line) in [
            (USUAL, "ETH,1700000000002,0.33040037,2988.11,2000001"),
            (USUAL, "ETH,1700000000002,0.33040037,2988.110,2000001\r"),
            ("recv,tradeid,price,note,quantity,ts,ticker", "17.5 s,2000001,2988.11,,0.33040037,1700000000002,ETH\r"),
            ("a,ts,ticker,quantity,price,tradeid,b", "any: (x),1700000000002,ETH,.33040037,2988.11,2000001,"),
        ] {
            let text = followed(line);
            let row = read(header, &text).expect("a plain row");

            assert_eq!((row.ticker, row.traded_at), (Name::of(b"ETH"), EpochMs::new(1_700_000_000_002)), "{line}");
            assert_eq!(row.price.units(), Price::parse("2988.11").expect("price").units());
            assert_eq!(row.quantity.units(), Quantity::parse("0.33040037").expect("quantity").units());
            assert_eq!((row.id, row.next), (Named::Number(2_000_001), line.len() + 1));
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_long_way() {
        for line in [
            "",
            "\r",
            "ETH,1,1,1",
            "ETH,1,1,1,1,1",
            "ETH,0,1,1,1",
            "ETH,7258118400000,1,1,1",
            "ETH,1,0,1,1",
            "ETH,1,2E-7,1,1",
            "ETH,1,1,1,",
            "ETH,1,1,1,a b",
            "ETH,1,1,1,a\"b\"",
            "ETH,1,1,1,Ω",
            "ETH,1,1,1,\"1\"",
            "\"ETH\",1,1,1,1",
            "ETH,1,1, 1,1",
            "ETH,1,1,-1,1",
            "ETH,1,1,1,1\r\r",
            "ETH,1\n,1,1,1",
        ] {
            assert_eq!(read(USUAL, &followed(line)), None, "{line:?}");
        }
        let longest = "a".repeat(ID_BYTES_MOST);
        assert!(read(USUAL, &followed(&format!("ETH,1,1,1,{longest}"))).is_some());
        assert_eq!(read(USUAL, &followed(&format!("ETH,1,1,1,{longest}a"))), None);
        assert_eq!(read(USUAL, "ETH,1700000000002,0.33040037,2988.11,200001\n"), None, "too near the end");
        let noted = "note,ticker,ts,quantity,price,tradeid";
        for note in ["\"a\"", "Ω", "a\"", "\r"] {
            assert_eq!(read(noted, &followed(&format!("{note},ETH,1,1,1,1"))), None, "{note}");
        }
    }

    /// A field that is right, nearly right, or wrong.
    fn any_field() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => "[1-9][0-9]{0,12}",
            4 => "[0-9]{1,5}[.][0-9]{1,9}",
            4 => "[A-Z]{1,5}",
            1 => "[0-9.]{0,20}",
            1 => "[0-9a-fA-FE+. \"\r\u{e9}_-]{0,20}",
            1 => "[a-z0-9-]{10,40}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn what_is_read_in_one_pass_is_read_alike_field_by_field(
            mut fields in prop::collection::vec(any_field(), 6),
            ms in "[1-9][0-9]{0,12}",
            has_return in any::<bool>(),
        ) {
            let header = "ticker,ts,quantity,price,other,tradeid";
            fields[1] = ms;
            let line = fields.join(",");
            let text = followed(&format!("{line}{}", if has_return { "\r" } else { "" }));
            if let Some(plain) = read(header, &text) {
                let cut: Vec<&str> = line.strip_suffix('\r').unwrap_or(&line).split(',').collect();
                let row = Row::read(&cut, columns(header)).expect("the long way reads it too");
                prop_assert_eq!(plain.ticker, Name::of(row.ticker.as_bytes()));
                prop_assert_eq!(plain.traded_at, row.traded_at);
                prop_assert_eq!(plain.price.units(), row.price.units());
                prop_assert_eq!(plain.quantity.units(), row.quantity.units());
                prop_assert_eq!(plain.id, Named::of(row.id));
                prop_assert!(TradeId::check(row.id).is_ok());
                prop_assert!(!line.contains('"'), "whatever is quoted is read with its quotes in mind");
                prop_assert_eq!(&text[plain.next..plain.next + 4], "BTC,");
            }
        }
    }
}
