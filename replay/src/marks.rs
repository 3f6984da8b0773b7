//! The figures of one ticker at every mark, as lines of text.
//!
//! They begin at the mark of its first trade and go on to the mark of the
//! tape's last, trades or none: a window that holds no trade has no price, and
//! its line says so.

use tape::{Fixed, Mark, Rolling, Sums, Ticker};

/// What the columns are called.
pub const HEADER: &str = "ticker,ts,price,volume,notional,trades\n";

/// Text is handed over when it is about so long.
const BLOCK_BYTES: usize = 64 * 1024;

/// Writes the figures of a ticker from its sorted seconds, and hands the text
/// over block by block, until `take` wants no more. Returns how many there are.
pub fn write(
    ticker: &Ticker,
    sorted: &[(Mark, Sums)],
    seconds: i64,
    last: Mark,
    mut take: impl FnMut(Vec<u8>) -> bool,
) -> u64 {
    let Some((first, _)) = sorted.first() else { return 0 };
    let mut mark = *first;
    let mut rolling = Rolling::new(seconds, mark.minus_seconds(1));
    let mut coming = sorted.iter().peekable();
    let mut block = Vec::with_capacity(BLOCK_BYTES + 512);
    // Said anew only where it changes.
    let (mut figure, mut figure_of) = (Vec::with_capacity(FIGURE_BYTES), None);
    let mut written = 0;
    while mark <= last {
        while let Some((second, sums)) = coming.next_if(|(second, _)| *second <= mark) {
            rolling.add(second.at(), *sums);
        }
        let sums = rolling.advance_to(mark);
        if figure_of != Some(sums) {
            figure.clear();
            append_figure(sums, &mut figure);
            figure_of = Some(sums);
        }
        block.extend_from_slice(ticker.as_str().as_bytes());
        block.push(b',');
        // A tape has no times before 1970.
        append_number(mark.at().ms().unsigned_abs(), &mut block);
        block.push(b',');
        block.extend_from_slice(&figure);
        written += 1;
        if block.len() >= BLOCK_BYTES {
            let full = std::mem::replace(&mut block, Vec::with_capacity(BLOCK_BYTES + 512));
            if !take(full) {
                return written;
            }
        }
        mark = mark.next();
    }
    take(block);
    written
}

/// Few figures are longer.
const FIGURE_BYTES: usize = 160;

/// Price, volume, notional and trades of a window, to the end of the line; no trades have no price.
fn append_figure(sums: Sums, text: &mut Vec<u8>) {
    if let Some(price) = sums.vwap() {
        price.append_to(text);
    }
    text.push(b',');
    sums.volume.append_to(text);
    text.push(b',');
    sums.notional.append_to(text);
    text.push(b',');
    append_number(sums.trades, text);
    text.push(b'\n');
}

fn append_number(number: u64, text: &mut Vec<u8>) {
    Fixed::<0>::from_units(number.into()).append_to(text);
}

#[cfg(test)]
mod tests {
    use tape::{EpochMs, Price, Quantity};

    use super::*;

    fn mark(second: i64) -> Mark {
        Mark::at_or_after(EpochMs::new(1_000 * second))
    }

    fn trade(price: &str) -> Sums {
        Sums::of(Price::parse(price).expect("price"), Quantity::parse("0.50").expect("quantity"))
    }

    #[test]
    fn marks_go_from_the_first_trade_to_the_tapes_last_and_an_empty_window_has_no_price() {
        let (ticker, mut text) = (Ticker::new("BTC").expect("ticker"), Vec::new());
        let sorted = [(mark(10), trade("3")), (mark(12), trade("1"))];

        let written = write(&ticker, &sorted, 3, mark(16), |block| {
            text.extend(block);
            true
        });

        assert_eq!(written, 7);
        let expected = "BTC,10000,3,0.5,1.5,1\nBTC,11000,3,0.5,1.5,1\nBTC,12000,2,1,2,2\nBTC,13000,1,0.5,0.5,1\n\
                        BTC,14000,1,0.5,0.5,1\nBTC,15000,,0,0,0\nBTC,16000,,0,0,0\n";
        assert_eq!(String::from_utf8(text).expect("text"), expected);
    }

    #[test]
    fn writing_stops_when_nobody_takes_it() {
        let ticker = Ticker::new("BTC").expect("ticker");

        let written = write(&ticker, &[(mark(1), trade("3"))], 300, mark(1_000_000), |_| false);

        assert!(written < 10_000, "{written}");
    }
}
