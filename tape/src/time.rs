//! Instants, intervals and marks. Instants are milliseconds since 1970 UTC, as
//! every venue and every table of ours counts them; nothing here reads a clock.

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochMs(i64);

impl EpochMs {
    /// The last instant accepted anywhere: 2200-01-01T00:00:00Z. Bounding
    /// instants here lets all arithmetic below do without overflow.
    pub const MAX: Self = Self(7_258_118_400_000);

    /// Takes milliseconds as they are, capped to `[-MAX, MAX]`.
    #[inline]
    pub const fn new(ms: i64) -> Self {
        if ms > Self::MAX.0 {
            return Self::MAX;
        }
        if ms < -Self::MAX.0 {
            return Self(-Self::MAX.0);
        }
        Self(ms)
    }

    /// Milliseconds since 1970.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The instant `ms` later.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self::new(self.0.saturating_add(ms))
    }

    /// The instant `ms` earlier.
    pub const fn minus_ms(self, ms: i64) -> Self {
        Self::new(self.0.saturating_sub(ms))
    }

    /// The last multiple of `grain_ms` at or before it.
    pub const fn floor_to(self, grain_ms: i64) -> Self {
        Self::new(self.0 - self.0.rem_euclid(grain_ms))
    }

    /// How many milliseconds after `earlier` this is; negative when before.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl std::fmt::Display for EpochMs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A whole second of UTC, at which a window closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(i64);

impl Mark {
    /// The first mark at or after an instant: the first whose window can hold a trade made then.
    #[inline]
    pub const fn at_or_after(instant: EpochMs) -> Self {
        Self(-(-instant.0).div_euclid(1000))
    }

    /// The last mark at or before an instant.
    pub const fn at_or_before(instant: EpochMs) -> Self {
        Self(instant.0.div_euclid(1000))
    }

    /// The instant of the mark.
    pub const fn at(self) -> EpochMs {
        EpochMs(self.0 * 1000)
    }

    /// The mark one second later.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The mark `seconds` earlier.
    pub const fn minus_seconds(self, seconds: i64) -> Self {
        Self(self.0 - seconds)
    }

    /// How many seconds after `earlier` this is; negative when before.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.at().fmt(f)
    }
}

/// The length of a window: 1 ms to 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(i64);

impl Interval {
    /// Five minutes.
    pub const DEFAULT: Self = Self(300_000);
    /// The longest interval, seven days.
    pub const MAX: Self = Self(7 * 24 * 3_600_000);

    /// Accepts 1 ms to 7 days.
    pub const fn from_ms(ms: i64) -> Option<Self> {
        if ms >= 1 && ms <= Self::MAX.0 { Some(Self(ms)) } else { None }
    }

    /// Reads milliseconds (`300000`) or a number with a unit: `250ms`, `90s`, `5m`, `2h`, `1d`.
    ///
    /// ```
    /// use tape::Interval;
    /// assert_eq!(Interval::parse("5m"), Interval::parse("300000"));
    /// assert_eq!(Interval::parse("5x"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        parse_duration_ms(text).and_then(Self::from_ms)
    }

    /// The length in milliseconds.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The length in seconds, when it is whole: windows that close at every
    /// mark are kept in buckets of one second.
    pub const fn whole_seconds(self) -> Option<i64> {
        if self.0 % 1000 == 0 { Some(self.0 / 1000) } else { None }
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds of `300000`, `250ms`, `90s`, `5m`, `2h` or `1d`; nothing else is a duration.
pub fn parse_duration_ms(text: &str) -> Option<i64> {
    let digits_end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let unit_ms = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(unit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_floored_to_its_grain_before_1970_too() {
        let floored = |ms: i64| EpochMs::new(ms).floor_to(1_000).ms();

        assert_eq!([1_999, 1_000, 999, -1].map(floored), [1_000, 1_000, 0, -1_000]);
    }

    #[test]
    fn a_mark_is_a_whole_second_and_a_trade_on_it_belongs_to_it() {
        let on = EpochMs::new(12_000);

        assert_eq!(Mark::at_or_after(on).at(), on);
        assert_eq!(Mark::at_or_before(on).at(), on);
        assert_eq!(Mark::at_or_after(EpochMs::new(12_001)).at().ms(), 13_000);
        assert_eq!(Mark::at_or_before(EpochMs::new(12_999)).at().ms(), 12_000);
        assert_eq!(Mark::at_or_after(EpochMs::new(-1)).at().ms(), 0);
        assert_eq!(Mark::at_or_before(EpochMs::new(-1)).at().ms(), -1_000);
    }

    #[test]
    fn five_minutes_are_five_minutes_however_they_are_written() {
        for text in ["300000", "300000ms", "300s", "5m", "5min"] {
            assert_eq!(Interval::parse(text), Some(Interval::DEFAULT), "{text}");
        }
        assert_eq!(parse_duration_ms("2h"), Some(7_200_000));
        assert_eq!(parse_duration_ms("1d"), Some(86_400_000));
    }

    #[test]
    fn what_is_no_duration_is_refused_rather_than_guessed() {
        for text in [
            "",
            "m",
            "-5m",
            "5 m",
            "5M",
            "1.5m",
            "0",
            "0s",
            "8d",
            "99999999999999999999d",
            "9223372036854775807d",
            "５m",
        ] {
            assert_eq!(Interval::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_whole_seconds_close_at_marks() {
        assert_eq!(Interval::parse("90s").and_then(Interval::whole_seconds), Some(90));
        assert_eq!(Interval::parse("1500ms").and_then(Interval::whole_seconds), None);
    }

    #[test]
    fn extreme_instants_are_capped_and_never_overflow() {
        let far = EpochMs::new(i64::MAX);

        assert_eq!(far, EpochMs::MAX);
        assert_eq!(far.plus_ms(i64::MAX), EpochMs::MAX);
        assert_eq!(EpochMs::new(i64::MIN).minus_ms(i64::MAX).ms(), -EpochMs::MAX.ms());
        assert_eq!(Mark::at_or_after(far).at(), EpochMs::MAX);
    }

    #[test]
    fn instants_marks_and_intervals_are_shown_in_milliseconds() {
        assert_eq!(EpochMs::new(1_684_083_600_123).to_string(), "1684083600123");
        assert_eq!(Mark::at_or_before(EpochMs::new(12_345)).to_string(), "12000");
        assert_eq!(Interval::DEFAULT.to_string(), "300000");
    }

    #[test]
    fn the_distance_of_marks_is_counted_in_seconds_either_way() {
        let mark = |second: i64| Mark::at_or_before(EpochMs::new(second * 1_000));

        assert_eq!(mark(12).seconds_since(mark(5)), 7);
        assert_eq!(mark(5).seconds_since(mark(12)), -7);
    }

    #[test]
    fn the_longest_interval_is_seven_days() {
        assert_eq!(Interval::parse("7d"), Some(Interval::MAX));
        assert_eq!(Interval::MAX.ms(), 604_800_000);
        assert_eq!(Interval::parse("604800001"), None);
    }
}
