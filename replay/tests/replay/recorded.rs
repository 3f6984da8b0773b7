//! Recorded tapes, where they are at hand, against their exact reference figures.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use num_bigint::BigInt;
use replay::{Limits, Replay};
use serde_json::Value;

#[test]
fn recorded_tapes_come_out_as_their_references_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tapes");
    if !folder.is_dir() {
        eprintln!("SKIPPED: there are no recorded tapes at {}", folder.display());
        return;
    }
    let mut held = 0;
    for entry in std::fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if let Some(tape) = name.strip_suffix(".reference.json") {
            held += hold(&folder.join(format!("{tape}.csv.gz")), &path);
        }
    }
    assert!(held > 50, "only {held} points were held");
}

/// Holds every whole second of a reference and returns how many there are.
fn hold(tape: &Path, reference: &Path) -> usize {
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(reference).expect("text")).expect("JSON");
    let mut out = Vec::new();
    let replay = Replay { seconds: 300, cores: 2, limits: Limits::default() };
    let summary = replay.run(tape, &mut out, &Arc::default()).expect("a tape");
    assert_eq!(Some(summary.rows), reference["rows"].as_u64());
    assert_eq!(Some(summary.rows - summary.repeats), reference["distinct_trades"].as_u64());

    let out = String::from_utf8(out).expect("text");
    let lines: HashMap<&str, Vec<&str>> =
        out.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()).map(|fields| (fields[1], fields)).collect();
    let mut held = 0;
    for point in reference["points"].as_array().expect("points") {
        let at = point["t"].as_i64().expect("a time");
        // A mark outside the tape is not written: its window is then said by nobody.
        let Some(fields) = lines.get(at.to_string().as_str()) else { continue };
        let text = |name: &str| point[name].as_str().expect("text").to_owned();
        assert_eq!(fields[3], trimmed(&text("volume")), "{} at {at}", tape.display());
        assert_eq!(fields[4], trimmed(&text("notional")), "{} at {at}", tape.display());
        assert_eq!(Some(fields[5]), point["count"].as_u64().map(|count| count.to_string()).as_deref());
        match point["vwap"].as_str() {
            Some(vwap) => assert_eq!(rounded_like(fields[2], vwap), vwap, "{} at {at}", tape.display()),
            None => assert_eq!(fields[2], ""),
        }
        held += 1;
    }
    held
}

fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

/// A figure of 24 decimals with the decimals of another, half to even; closing zeros gone.
fn rounded_like(figure: &str, other: &str) -> String {
    let decimals = other.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let (whole, fraction) = figure.split_once('.').unwrap_or((figure, ""));
    let units: BigInt = format!("{whole}{fraction:0<24}").parse().expect("digits");
    let step = BigInt::from(10).pow(24 - u32::try_from(decimals).expect("a few"));
    let (floor, twice) = (&units / &step, (&units % &step) * 2);
    let rounds_up = twice > step || (twice == step && &floor % 2 == BigInt::from(1));
    let digits = if rounds_up { floor + 1 } else { floor }.to_string();
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if decimals == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}
