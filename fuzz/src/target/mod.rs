//! The targets: who reads what comes from outside.

mod asked;
mod decimal;
mod duration;
mod exchange;
mod frame;
mod headers;
mod ids;
mod instant;
mod numeric;
mod page;
mod query;
mod tape_file;

/// One reader of outside input, and what must hold for it.
pub struct Target {
    /// Its name, that of its seeds' folder.
    pub name: &'static str,
    /// The longest input worth trying, in bytes.
    pub longest: usize,
    /// Panics where the property fails.
    pub check: fn(&[u8]),
    /// Words it knows: what a mutation without coverage needs to get anywhere.
    pub words: &'static [&'static str],
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "decimal", longest: 128, check: decimal::check, words: decimal::WORDS },
    Target { name: "duration", longest: 48, check: duration::check, words: duration::WORDS },
    Target { name: "instant", longest: 64, check: instant::check, words: instant::WORDS },
    Target { name: "ids", longest: 256, check: ids::check, words: ids::WORDS },
    Target { name: "frame", longest: 1_024, check: frame::check, words: frame::WORDS },
    Target { name: "page", longest: 4_096, check: page::check, words: page::WORDS },
    Target { name: "binance", longest: 2_048, check: exchange::binance, words: exchange::WORDS },
    Target { name: "bybit", longest: 2_048, check: exchange::bybit, words: exchange::WORDS },
    Target { name: "coinbase", longest: 2_048, check: exchange::coinbase, words: exchange::WORDS },
    Target { name: "kraken", longest: 2_048, check: exchange::kraken, words: exchange::WORDS },
    Target { name: "okx", longest: 2_048, check: exchange::okx, words: exchange::WORDS },
    Target { name: "bitstamp", longest: 2_048, check: exchange::bitstamp, words: exchange::WORDS },
    Target { name: "headers", longest: 256, check: headers::check, words: headers::WORDS },
    Target { name: "query", longest: 2_300, check: query::check, words: query::WORDS },
    Target { name: "asked", longest: 512, check: asked::check, words: asked::WORDS },
    Target { name: "tape_file", longest: 4_096, check: tape_file::check, words: tape_file::WORDS },
    Target { name: "numeric", longest: 160, check: numeric::check, words: &["\0\0", "\u{1}", "\u{7f}"] },
];

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}
