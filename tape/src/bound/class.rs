//! What was unconfirmed when a provisional figure was said: only figures alike
//! in that are evidence for each other.
//!
//! Two things decide how far a tail can move a figure: how long it is (how much
//! may have been dropped or invented in it) and how much of the window's volume
//! it is (how hard a wrong price in it pulls).

use crate::Volume;

/// Shares of volume are told apart in steps of four, down to a thousandth.
const SHARES: u8 = 6;

/// The longest tail told apart: beyond eighteen hours all are alike.
const LONGEST: u32 = 26;

/// A class of provisional figures, alike in the length of the unconfirmed tail
/// (within a factor of two) and in its share of the window's volume as heard
/// (within a factor of four).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u8);

impl Class {
    /// The class of a figure whose last `tail_ms` are unconfirmed, in which
    /// `heard` of the `volume` comes from the socket alone.
    pub fn of(tail_ms: i64, heard: Volume, volume: Volume) -> Self {
        let length = tail_ms.max(1).ilog2().min(LONGEST) as u8;
        Self(length * 8 + share(heard, volume))
    }

    /// The class of a number, as tables keep it.
    pub fn from_number(number: i16) -> Option<Self> {
        u8::try_from(number).ok().map(Self)
    }

    /// The number under which tables keep it: eight times the binary logarithm
    /// of the tail in milliseconds, plus 0 when nothing was heard in it, else 1
    /// (at most a 1,024th of the volume) to 6 (more than a quarter).
    pub fn number(self) -> i16 {
        i16::from(self.0)
    }
}

fn share(heard: Volume, volume: Volume) -> u8 {
    if heard == Volume::ZERO {
        return 0;
    }
    let mut share = SHARES;
    let mut reached = heard.units();
    // A volume is far below 2^200, so that four times one fits.
    while share > 1 && reached << 2u32 <= volume.units() {
        reached <<= 2u32;
        share -= 1;
    }
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(tail_ms: i64, heard: &str) -> i16 {
        let volume = |text| Volume::parse(text).expect("a volume");
        Class::of(tail_ms, volume(heard), volume("1024")).number()
    }

    #[test]
    fn tails_twice_as_long_are_of_another_class() {
        assert_eq!(class(2_047, "0"), 80);
        assert_eq!(class(2_048, "0"), 88);
        assert_eq!(class(4_095, "0"), 88);
        assert_eq!((class(0, "0"), class(i64::MAX, "0")), (0, 208));
    }

    #[test]
    fn tails_with_four_times_the_share_are_of_another_class() {
        let shares = ["0", "0.000001", "1", "1.01", "4", "16", "64", "256", "256.01", "1024"];
        let classes = shares.map(|heard| class(1, heard));

        assert_eq!(classes, [0, 1, 1, 2, 2, 3, 4, 5, 6, 6]);
    }

    #[test]
    fn a_class_is_the_same_after_it_was_kept_under_its_number() {
        let kept = Class::of(4_095, Volume::ZERO, Volume::ZERO);

        assert_eq!(Class::from_number(88), Some(kept));
        assert_eq!([-1, 256].map(Class::from_number), [None, None], "no table holds such a number");
    }
}
