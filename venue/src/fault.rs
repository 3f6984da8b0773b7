//! What can go wrong on the socket, how often, and to which trade. A decision
//! depends on the seed and the trade alone, so every listener hears the same lies.

use rand::RngExt;

use crate::chance;
use crate::true_trade::TrueTrade;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The frame is never sent.
    Drop,
    /// The same frame comes again within 200 ms.
    Duplicate,
    /// The frame is held up to 200 ms, so that later ones overtake it.
    Reorder,
    /// The frame comes 2 to 5 s late.
    Delay,
    /// Another price under the same id.
    AlterPrice,
    /// Another quantity under the same id.
    AlterQuantity,
    /// Another time under the same id.
    AlterTime,
    /// An extra frame about a trade that never was.
    Phantom,
    /// The frame is not the protocol's JSON.
    Malformed,
    /// A field is missing or cannot be read.
    WrongType,
    /// The frame claims to be from the far future.
    Future,
    /// For a while nothing is sent.
    Silence,
    /// Every connection ends at once.
    Cut,
}

impl FaultKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 13] = [
        Self::Drop,
        Self::Duplicate,
        Self::Reorder,
        Self::Delay,
        Self::AlterPrice,
        Self::AlterQuantity,
        Self::AlterTime,
        Self::Phantom,
        Self::Malformed,
        Self::WrongType,
        Self::Future,
        Self::Silence,
        Self::Cut,
    ];

    /// The kind's name in ledgers and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::Delay => "delay",
            Self::AlterPrice => "alter_price",
            Self::AlterQuantity => "alter_quantity",
            Self::AlterTime => "alter_time",
            Self::Phantom => "phantom",
            Self::Malformed => "malformed",
            Self::WrongType => "wrong_type",
            Self::Future => "future",
            Self::Silence => "silence",
            Self::Cut => "cut",
        }
    }

    /// The kind of a name, written with `_` or with `-`.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it strikes the channel for a while rather than one trade.
    pub fn is_event(self) -> bool {
        matches!(self, Self::Silence | Self::Cut)
    }
}

/// How much rarer [`FaultRates::all`] makes silences and cuts than the faults of
/// single trades: each costs many trades.
pub const EVENT_RARITY: f64 = 50.0;

/// How often each kind strikes, as a fraction of trades. At most one strikes a trade.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FaultRates([f64; FaultKind::ALL.len()]);

/// Why rates are no rates.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RateError {
    /// A rate is not a fraction.
    #[error("the rate of {} is {rate}, but must be between 0 and 1", kind.as_str())]
    OutOfRange {
        /// Which kind.
        kind: FaultKind,
        /// The rate given.
        rate: f64,
    },
    /// More faults than trades.
    #[error(
        "the rates add up to {sum:.3}, but at most one fault strikes a trade, so they must not exceed 1: every kind at once can have 0.09"
    )]
    TooMany {
        /// Their sum.
        sum: f64,
    },
}

impl FaultRates {
    /// An honest socket.
    pub const NONE: Self = Self([0.0; FaultKind::ALL.len()]);

    /// Every kind at `rate`, silence and cut [`EVENT_RARITY`] times rarer.
    pub fn all(rate: f64) -> Self {
        let mut rates = Self::NONE;
        for kind in FaultKind::ALL {
            let rate = if kind.is_event() { rate / EVENT_RARITY } else { rate };
            rates = rates.with(kind, rate);
        }
        rates
    }

    /// One kind alone.
    pub fn only(kind: FaultKind, rate: f64) -> Self {
        Self::NONE.with(kind, rate)
    }

    /// These rates with one changed.
    pub fn with(mut self, kind: FaultKind, rate: f64) -> Self {
        self.0[kind as usize] = rate;
        self
    }

    /// The rate of one kind.
    pub fn of(&self, kind: FaultKind) -> f64 {
        self.0[kind as usize]
    }

    /// Refuses rates that are no fractions or more than all trades together.
    ///
    /// # Errors
    /// [`RateError`] naming the rate.
    pub fn check(&self) -> Result<(), RateError> {
        for kind in FaultKind::ALL {
            let rate = self.of(kind);
            if !(0.0..=1.0).contains(&rate) {
                return Err(RateError::OutOfRange { kind, rate });
            }
        }
        let sum: f64 = self.0.iter().sum();
        // Eleven times 0.0909… may be a hair over one.
        if sum > 1.0 + 1e-9 {
            return Err(RateError::TooMany { sum });
        }
        Ok(())
    }

    /// Which fault strikes this trade, if any.
    pub fn decide(&self, seed: u64, trade: &TrueTrade) -> Option<FaultKind> {
        let name: [&[u8]; 3] = [b"fault", trade.ticker.as_str().as_bytes(), trade.id.as_str().as_bytes()];
        let mut roll: f64 = chance::stream(seed, &name).random();
        for kind in FaultKind::ALL {
            if roll < self.of(kind) {
                return Some(kind);
            }
            roll -= self.of(kind);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(id: u32) -> TrueTrade {
        TrueTrade::new("BTC", 1, "1", "1", &id.to_string()).expect("a trade")
    }

    #[test]
    fn each_kind_strikes_as_often_as_its_rate_says() {
        let rates = FaultRates::all(0.05);
        let mut counts = std::collections::BTreeMap::new();
        for id in 0..20_000 {
            *counts.entry(rates.decide(7, &trade(id))).or_insert(0u32) += 1;
        }

        for kind in FaultKind::ALL {
            let count = counts.get(&Some(kind)).copied().unwrap_or(0);
            let expected = if kind.is_event() { 4..=50 } else { 850..=1150 };
            assert!(expected.contains(&count), "{}: {count}", kind.as_str());
        }
    }

    #[test]
    fn the_seed_decides_and_nothing_else() {
        let struck = |seed| (0..1000).map(|id| FaultRates::all(0.05).decide(seed, &trade(id))).collect::<Vec<_>>();

        assert_eq!(struck(7), struck(7));
        assert_ne!(struck(7), struck(8));
    }

    #[test]
    fn rates_that_cannot_be_are_refused_with_their_name() {
        assert!(FaultRates::all(0.05).check().is_ok());
        assert!(FaultRates::all(0.2).check().is_err());
        assert!(FaultRates::only(FaultKind::Cut, f64::NAN).check().is_err());
        let error = FaultRates::only(FaultKind::AlterTime, -0.1).check().expect_err("negative");
        assert_eq!(error.to_string(), "the rate of alter_time is -0.1, but must be between 0 and 1");
    }

    #[test]
    fn a_name_is_read_with_either_dash() {
        assert_eq!(FaultKind::parse("alter-price"), Some(FaultKind::AlterPrice));
        assert_eq!(FaultKind::parse("alter_price"), Some(FaultKind::AlterPrice));
        assert_eq!(FaultKind::parse("lie"), None);
    }
}
