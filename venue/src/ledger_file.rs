//! The ledgers on disk, so that they outlive the process: one JSON object a
//! line, each written before anybody hears of what it tells. A venue that is
//! killed at any moment knows afterwards what it had said and done.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use tape::{EpochMs, RejectionKind, Ticker, TradeId};

use crate::book::{Delivery, Entry};
use crate::fault::FaultKind;
use crate::ledger::Injected;

/// A ledger that is being written.
#[derive(Debug)]
pub struct LedgerFile {
    /// None once writing failed: that is said once, and loudly.
    file: Option<File>,
}

/// What a ledger tells of the time before.
#[derive(Debug, Default)]
pub struct Remembered {
    /// The faults done, in the order of doing.
    pub faults: Vec<Injected>,
    /// What became of each trade on the socket.
    pub told: HashMap<(Ticker, TradeId), Told>,
}

/// What became of one trade on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How it was delivered.
    pub delivery: Delivery,
    /// Whether its frame came 2 s late or more.
    pub is_late: bool,
    /// How many times its frame was sent again.
    pub copies: u32,
}

impl LedgerFile {
    /// Reads what the file holds, if there is one, and goes on behind it.
    ///
    /// # Errors
    /// When the file can be neither read nor written.
    pub fn open(path: &Path) -> std::io::Result<(Self, Remembered)> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let mut remembered = Remembered::default();
        for line in text.split(|byte| *byte == b'\n') {
            remembered.read(line);
        }
        if !text.is_empty() && !text.ends_with(b"\n") {
            file.write_all(b"\n")?;
        }
        Ok((Self { file: Some(file) }, remembered))
    }

    /// Writes down what became of a trade.
    pub fn told(&mut self, entry: &Entry) {
        let rejection = match entry.delivery {
            Delivery::Rejected(kind) => Some(kind.as_str()),
            _ => None,
        };
        self.write(&json!({
            "delivery": entry.delivery.as_str(),
            "ticker": entry.trade.ticker.as_str(),
            "tradeid": entry.trade.id.as_str(),
            "rejected_as": rejection,
            "late": entry.is_late,
            "copies": entry.copies,
        }));
    }

    /// Writes down a fault.
    pub fn done(&mut self, fault: &Injected) {
        self.write(&fault.to_json());
    }

    fn write(&mut self, line: &Value) {
        let Some(file) = &mut self.file else { return };
        // In one piece: a kill comes before it or after it.
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            tracing::error!(%error, "the ledger cannot be written any more: {error}");
            self.file = None;
        }
    }
}

impl Remembered {
    /// Takes in a line. One that a kill cut short tells of what nobody has heard.
    fn read(&mut self, line: &[u8]) -> Option<()> {
        let line = serde_json::from_slice::<Value>(line).ok()?;
        let rejection = line["rejected_as"].as_str().and_then(rejection_of);
        let ticker = Ticker::new(line["ticker"].as_str()?).ok()?;
        let id = TradeId::new(line["tradeid"].as_str()?).ok()?;
        if let Some(name) = line["delivery"].as_str() {
            let delivery = delivery_of(name, rejection)?;
            let copies = u32::try_from(line["copies"].as_u64()?).ok()?;
            self.told.insert((ticker, id), Told { delivery, is_late: line["late"].as_bool()?, copies });
        } else {
            let kind = FaultKind::parse(line["kind"].as_str()?)?;
            let at = EpochMs::new(line["ts"].as_i64()?);
            let sent = line["sent"].as_str().map(str::to_owned);
            self.faults.push(Injected { kind, ticker, id, at, sent, rejection });
        }
        Some(())
    }
}

fn rejection_of(name: &str) -> Option<RejectionKind> {
    RejectionKind::ALL.into_iter().find(|kind| kind.as_str() == name)
}

fn delivery_of(name: &str, rejection: Option<RejectionKind>) -> Option<Delivery> {
    let plain = [Delivery::Heard, Delivery::Altered, Delivery::Dropped, Delivery::Silenced, Delivery::Unheard];
    match name {
        "rejected" => rejection.map(Delivery::Rejected),
        // What was held back died with the process that held it.
        "held" => Some(Delivery::Unheard),
        _ => plain.into_iter().find(|delivery| delivery.as_str() == name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::true_trade::TrueTrade;

    fn entry(id: &str, delivery: Delivery) -> Entry {
        let trade = TrueTrade::new("BTC", 7, "1", "1", id).expect("a trade");
        Entry { trade, delivery, is_late: true, copies: 2 }
    }

    fn key(id: &str) -> (Ticker, TradeId) {
        (Ticker::new("BTC").expect("a ticker"), TradeId::new(id).expect("an id"))
    }

    #[test]
    fn the_last_word_on_a_trade_counts_and_what_was_held_back_was_never_heard() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("ledger");
        let (mut ledger, before) = LedgerFile::open(&path).expect("a new file");
        assert!(before.faults.is_empty() && before.told.is_empty());
        ledger.told(&entry("a", Delivery::Held));
        ledger.told(&entry("a", Delivery::Heard));
        ledger.told(&entry("b", Delivery::Held));
        ledger.told(&entry("c", Delivery::Rejected(RejectionKind::Future)));

        let (_, remembered) = LedgerFile::open(&path).expect("the file");

        let told = |delivery| Told { delivery, is_late: true, copies: 2 };
        assert_eq!(remembered.told[&key("a")], told(Delivery::Heard));
        assert_eq!(remembered.told[&key("b")], told(Delivery::Unheard));
        assert_eq!(remembered.told[&key("c")], told(Delivery::Rejected(RejectionKind::Future)));
    }

    #[test]
    fn a_line_cut_short_by_a_kill_spoils_neither_what_stands_before_nor_what_comes_after() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("ledger");
        let fault = Injected {
            kind: FaultKind::Malformed,
            ticker: key("a").0,
            id: key("a").1,
            at: EpochMs::new(7),
            sent: Some("<html>\n\u{0}".to_owned()),
            rejection: Some(RejectionKind::Malformed),
        };
        LedgerFile::open(&path).expect("a new file").0.done(&fault);
        let mut text = std::fs::read_to_string(&path).expect("the file");
        text.push_str("{\"kind\":\"dro");
        std::fs::write(&path, text).expect("the folder is ours");

        LedgerFile::open(&path).expect("the file").0.done(&fault);

        let (_, remembered) = LedgerFile::open(&path).expect("the file");
        assert_eq!(remembered.faults, [fault.clone(), fault]);
    }
}
