//! How good the filter of heard trades is: what it makes of true trades, on
//! real tapes where they are at hand, and of the lies this venue tells.
//! Prints the table that stands in docs/suspects.md.

use std::path::{Path, PathBuf};

use tape::{Band, EpochMs, Extremes, Suspects, Suspicion, Ticker};
use venue::fault::FaultKind;
use venue::generator::Generator;
use venue::lie::Lie;
use venue::profile::{DEFAULT_TICKERS, Profile};
use venue::tape_file::TapeFile;
use venue::{FaultRates, TrueTrade, chance};

const LIES: [FaultKind; 4] =
    [FaultKind::AlterPrice, FaultKind::AlterQuantity, FaultKind::AlterTime, FaultKind::Phantom];

/// A trade is heard so long after it is made.
const HEARD_AFTER_MS: i64 = 20;

/// Everything older than this is confirmed: the settle delay and one poll.
const CONFIRMED_AFTER_MS: i64 = 3_000;

/// What the filter made of one market.
#[derive(Default)]
struct Grades {
    trues: u64,
    accused: [u64; 4],
    told: [u64; LIES.len()],
    caught: [u64; LIES.len()],
}

impl Grades {
    fn add(&mut self, more: &Self) {
        self.trues += more.trues;
        let sums = self.accused.iter_mut().chain(&mut self.told).chain(&mut self.caught);
        for (sum, more) in sums.zip(more.accused.iter().chain(&more.told).chain(&more.caught)) {
            *sum += more;
        }
    }

    fn row(&self, name: &str) -> String {
        let accused: u64 = self.accused.iter().sum();
        let mut row = format!("| {name} | {} | {accused} {:?}", self.trues, self.accused);
        for (told, caught) in self.told.iter().zip(self.caught) {
            row += &format!(" | {:.1} %", 100.0 * caught as f64 / (*told).max(1) as f64);
        }
        row + " |"
    }
}

/// Tells every trade of one ticker truly, and now and then a lie about it too.
fn grade(trades: &[TrueTrade], suspects: Suspects) -> Grades {
    let rates = LIES.into_iter().fold(FaultRates::NONE, |rates, kind| rates.with(kind, 0.05));
    let mut grades = Grades::default();
    let mut band = Band::default();
    let mut confirmed = 0;
    let Some(first) = trades.first() else { return grades };
    for told in trades {
        let now = told.traded_at.plus_ms(HEARD_AFTER_MS);
        let settled_until = now.minus_ms(CONFIRMED_AFTER_MS).max(first.traded_at.minus_ms(1));
        while trades[confirmed].traded_at <= settled_until {
            let trade = trades[confirmed].to_trade();
            let received_at = Some(trade.traded_at.plus_ms(HEARD_AFTER_MS));
            let extremes = Extremes::of(trade.price, trade.quantity, trade.traded_at, received_at);
            band.add(trade.traded_at, extremes);
            confirmed += 1;
        }
        band.advance_to(settled_until);
        let judge = |trade: &tape::Trade| {
            if trade.traded_at <= settled_until {
                return Some(Suspicion::Contradicted);
            }
            suspects.judge(trade, now, &band, settled_until)
        };
        grades.trues += 1;
        if let Some(suspicion) = judge(&told.to_trade()) {
            grades.accused[suspicion as usize] += 1;
        }
        let Some(kind) = rates.decide(7, told) else { continue };
        let mut rng = chance::stream(7, &[b"lie", told.ticker.as_str().as_bytes(), told.id.as_str().as_bytes()]);
        let Some(lie) = Lie::about(told, kind, now.ms(), venue::Dialect::GENERIC, &mut rng) else { continue };
        let index = LIES.iter().position(|it| *it == kind).expect("a lie that is told");
        grades.told[index] += 1;
        grades.caught[index] += u64::from(judge(&read(&lie.said.frame(venue::Dialect::GENERIC, 0, now))).is_some());
    }
    grades
}

/// A frame of the venue, read without the code under test.
fn read(text: &str) -> tape::Trade {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let number = |name: &str| value[name].to_string();
    TrueTrade::new(
        value["ticker"].as_str().expect("a ticker"),
        value["ts"].as_i64().expect("a time"),
        &number("price"),
        &number("quantity"),
        value["tradeid"].as_str().expect("an id"),
    )
    .expect("a trade")
    .to_trade()
}

fn practice() -> Vec<(String, Vec<TrueTrade>)> {
    const FROM: EpochMs = EpochMs::new(1_700_000_000_000);
    let tickers = DEFAULT_TICKERS.map(|text| Ticker::new(text).expect("a ticker"));
    let profiles = Profile::of_market(&tickers, &tickers[4..], 20.0);
    let mut generator = Generator::new(11, profiles, FROM);
    let until = FROM.plus_ms(2 * 3_600_000);
    let all: Vec<TrueTrade> = std::iter::from_fn(|| generator.due(until)).collect();
    let of = |ticker: &Ticker| all.iter().filter(|trade| trade.ticker == *ticker).cloned().collect();
    tickers.iter().map(|ticker| (format!("practice {ticker}"), of(ticker))).collect()
}

fn recorded() -> Vec<(String, Vec<TrueTrade>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tapes");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: there are no recorded tapes at {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".csv.gz"));
    files.sort();
    let name = |file: &Path| file.file_name().expect("a name").to_string_lossy().replace(".csv.gz", "");
    files.iter().map(|file| (name(file), TapeFile::read(file).expect("a tape").trades)).collect()
}

/// How many in a million, as text.
fn in_a_million(part: u64, of: u64) -> u64 {
    part * 1_000_000 / of.max(1)
}

#[test]
fn true_trades_are_hardly_ever_suspected_and_far_fetched_lies_are_caught() {
    println!(
        "| market | true trades | suspected: {:?} | caught: {} |",
        Suspicion::ALL,
        LIES.map(FaultKind::as_str).join(" | ")
    );
    let (mut all, mut practice_all) = (Grades::default(), Grades::default());
    for (name, trades) in practice().into_iter().chain(recorded()) {
        let grades = grade(&trades, Suspects::USUAL);
        println!("{}", grades.row(&name));
        all.add(&grades);
        if name.starts_with("practice") {
            practice_all.add(&grades);
        }
    }
    println!("{}", practice_all.row("practice, all tickers"));
    println!("{}", all.row("all"));

    let accused: u64 = all.accused.iter().sum();
    assert!(in_a_million(accused, all.trues) < 100, "{accused} of {} true trades", all.trues);
    let caught = |kind| {
        let index = LIES.iter().position(|it| *it == kind).expect("a lie that is told");
        in_a_million(all.caught[index], all.told[index])
    };
    assert!(300_000 < caught(FaultKind::AlterPrice));
    assert!(850_000 < caught(FaultKind::AlterTime));
    assert!(300_000 < caught(FaultKind::Phantom));
}

#[test]
fn a_filter_that_is_off_suspects_only_what_rest_has_contradicted() {
    for (name, trades) in practice() {
        let grades = grade(&trades, Suspects::default());
        assert_eq!(grades.accused, [0; 4], "{name}");
        let altered_in_value = grades.caught[0] + grades.caught[1];
        assert_eq!(altered_in_value, 0, "{name}");
    }
}
