//! Who merely parses: every byte is looked at and anything that is no JSON is
//! refused, but no trade is made of it, no number is read, nothing is checked.

use std::hint::black_box;

use serde::de::IgnoredAny;

/// Parses one text after the other.
pub type Parse = Box<dyn FnMut(&str) -> anyhow::Result<()>>;

/// A parser as it is used when speed is what counts.
pub struct Parser {
    /// Its name, and what it makes of the text.
    pub name: &'static str,
    /// One, with the room that it uses again and again.
    pub make: fn() -> Parse,
}

/// Every parser.
pub const PARSERS: &[Parser] = &[
    Parser { name: "serde_json, keeping nothing", make: serde_json_ignoring },
    Parser { name: "sonic-rs, keeping nothing", make: sonic_ignoring },
    Parser { name: "sonic-rs Value", make: sonic_value },
    Parser { name: "simd-json Tape", make: simd_json_tape },
];

fn serde_json_ignoring() -> Parse {
    Box::new(|text| {
        black_box(serde_json::from_str::<IgnoredAny>(text)?);
        Ok(())
    })
}

fn sonic_ignoring() -> Parse {
    Box::new(|text| {
        black_box(sonic_rs::from_str::<IgnoredAny>(text)?);
        Ok(())
    })
}

fn sonic_value() -> Parse {
    Box::new(|text| {
        black_box(sonic_rs::from_str::<sonic_rs::Value>(text)?);
        Ok(())
    })
}

/// It writes into the text, so it is given a copy, and uses its buffers and its tape again.
fn simd_json_tape() -> Parse {
    let (mut copy, mut buffers, mut tape) = (Vec::new(), simd_json::Buffers::new(4_096), simd_json::Tape::null());
    Box::new(move |text| {
        copy.clear();
        copy.extend_from_slice(text.as_bytes());
        let mut filled = std::mem::replace(&mut tape, simd_json::Tape::null()).reset();
        simd_json::fill_tape(&mut copy, &mut buffers, &mut filled)?;
        black_box(&filled);
        tape = filled.reset();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parser_reads_to_the_last_byte_and_refuses_what_is_no_json() {
        for parser in PARSERS {
            let mut parse = (parser.make)();
            for good in [r#"{"a":[1,"b",null,1.5e3]}"#, "[]", r#"{"a":{"b":"\u0061"}}"#] {
                assert!(parse(good).is_ok(), "{}: {good}", parser.name);
            }
            for bad in [r#"{"a":1"#, r#"{"a":1}}"#, r#"{"a":[1,]}"#, r#"{"a":tru}"#, r#"{"a":1.}"#, r#"{"a":"b}"#] {
                assert!(parse(bad).is_err(), "{}: {bad}", parser.name);
            }
        }
    }
}
