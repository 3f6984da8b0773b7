//! Postgres' `numeric`, to and from exact fixed-point numbers.
//!
//! On the wire a numeric is a list of digits of base 10,000, of which the first
//! has the weight 10,000^`weight`. Both ways are exact or an error: a stored
//! value that is not a whole count of our units is never rounded to one.

use bytes::{BufMut, BytesMut};
use ethnum::U256;
use postgres_types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use tape::{Fixed, Price, Quantity};

type Error = Box<dyn std::error::Error + Sync + Send>;

/// A number in units of 10^-`SCALE` as a parameter or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numeric<const SCALE: u32>(pub Fixed<SCALE>);

/// A price or a quantity as a parameter or a column.
pub type NumericUnit = Numeric<18>;

const BASE: u64 = 10_000;
const DIGITS_PER_GROUP: u32 = 4;
const POSITIVE: u16 = 0x0000;

/// Why a stored numeric is none of ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotOurs {
    /// Negative, infinite or not a number.
    #[error("negative, infinite or not a number")]
    NotAPositiveNumber,
    /// More decimals than are kept.
    #[error("not a whole count of 10^-{scale}")]
    NotAWholeCount {
        /// The decimals kept.
        scale: u32,
    },
    /// More than 256 bits.
    #[error("larger than 256 bits")]
    TooLarge,
    /// Not the binary form of a numeric.
    #[error("malformed")]
    Malformed,
    /// No price or quantity we hold.
    #[error("{0}")]
    Rejected(String),
}

impl From<Price> for NumericUnit {
    fn from(price: Price) -> Self {
        Self(Fixed::from_units(U256::new(price.units())))
    }
}

impl From<Quantity> for NumericUnit {
    fn from(quantity: Quantity) -> Self {
        Self(Fixed::from_units(U256::new(quantity.units())))
    }
}

impl NumericUnit {
    /// The number as a price.
    ///
    /// # Errors
    /// When it is no price: zero, or out of bounds.
    pub fn price(self) -> Result<Price, NotOurs> {
        Price::parse(&self.0.to_string()).map_err(|rejection| NotOurs::Rejected(rejection.to_string()))
    }

    /// The number as a quantity.
    ///
    /// # Errors
    /// When it is no quantity: zero, or out of bounds.
    pub fn quantity(self) -> Result<Quantity, NotOurs> {
        Quantity::parse(&self.0.to_string()).map_err(|rejection| NotOurs::Rejected(rejection.to_string()))
    }
}

impl<const SCALE: u32> ToSql for Numeric<SCALE> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Error> {
        encode(self.0.units(), SCALE, out)?;
        Ok(IsNull::No)
    }

    accepts!(NUMERIC);
    to_sql_checked!();
}

impl<'a, const SCALE: u32> FromSql<'a> for Numeric<SCALE> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Error> {
        Ok(Self(Fixed::from_units(decode(raw, SCALE)?)))
    }

    accepts!(NUMERIC);
}

/// Writes `units` × 10^-`scale`.
fn encode(units: U256, scale: u32, out: &mut BytesMut) -> Result<(), Error> {
    let (groups, count) = groups(units, scale);
    let groups = &groups[..count];
    let fraction_groups = usize::try_from(scale.div_ceil(DIGITS_PER_GROUP))?;
    let closing_zeros = groups.iter().take_while(|group| **group == 0).count();
    if closing_zeros == groups.len() {
        return put_header(out, 0, 0, 0);
    }
    let opening_zeros = groups.iter().rev().take_while(|group| **group == 0).count();
    let kept = &groups[closing_zeros..groups.len() - opening_zeros];
    let weight = i16::try_from(groups.len() - opening_zeros)? - 1 - i16::try_from(fraction_groups)?;
    // Decimals without closing zeros.
    let zeros_in_group = [10, 100, 1_000].iter().take_while(|power| kept[0] % **power == 0).count();
    let closing_digits = closing_zeros * DIGITS_PER_GROUP as usize + zeros_in_group;
    let decimals = (fraction_groups * DIGITS_PER_GROUP as usize).saturating_sub(closing_digits);
    put_header(out, i16::try_from(kept.len())?, weight, u16::try_from(decimals)?)?;
    for group in kept.iter().rev() {
        out.put_u16(*group);
    }
    Ok(())
}

/// The most groups: 78 digits of 256 bits and 40 decimals of zeros.
const GROUPS_MOST: usize = 32;

/// The groups of `units` × 10^-`scale`, lowest first, and how many there are:
/// at least those of the fraction. The last fraction group may have fewer than
/// four digits of ours; it is filled up with zeros.
fn groups(units: U256, scale: u32) -> ([u16; GROUPS_MOST], usize) {
    let mut groups = [0; GROUPS_MOST];
    let mut count = 0;
    let filled_up = (DIGITS_PER_GROUP - scale % DIGITS_PER_GROUP) % DIGITS_PER_GROUP;
    let (mut rest, mut filling) = (units, 10u64.pow(filled_up));
    let fraction_groups = scale.div_ceil(DIGITS_PER_GROUP) as usize;
    // Four groups at a time fit a machine word, where dividing is cheap.
    while rest != U256::ZERO || count < fraction_groups {
        let (above, word) = divided(rest, GROUPS_OF_A_WORD / filling);
        let mut word = word * filling;
        (rest, filling) = (above, 1);
        for _ in 0..4 {
            groups[count] = (word % BASE) as u16;
            word /= BASE;
            count += 1;
        }
    }
    (groups, count)
}

/// Four groups of base 10,000 make one of this.
const GROUPS_OF_A_WORD: u64 = BASE * BASE * BASE * BASE;

/// Quotient and remainder; nearly all numbers have at most 128 bits.
fn divided(number: U256, by: u64) -> (U256, u64) {
    let (high, low) = number.into_words();
    if high == 0 {
        return (U256::new(low / u128::from(by)), (low % u128::from(by)) as u64);
    }
    let by = U256::from(by);
    (number / by, (number % by).as_u64())
}

fn put_header(out: &mut BytesMut, groups: i16, weight: i16, decimals: u16) -> Result<(), Error> {
    out.put_i16(groups);
    out.put_i16(weight);
    out.put_u16(POSITIVE);
    out.put_u16(decimals);
    Ok(())
}

/// Reads a numeric as a count of 10^-`scale`.
fn decode(raw: &[u8], scale: u32) -> Result<U256, NotOurs> {
    let (header, groups) = raw.split_at_checked(8).ok_or(NotOurs::Malformed)?;
    let field = |index: usize| u16::from_be_bytes([header[index], header[index + 1]]);
    let (count, weight, sign) = (usize::from(field(0)), i32::from(field(2) as i16), field(4));
    if groups.len() != count * 2 {
        return Err(NotOurs::Malformed);
    }
    let is_zero = count == 0 && sign == POSITIVE;
    if is_zero {
        return Ok(U256::ZERO);
    }
    if sign != POSITIVE {
        return Err(NotOurs::NotAPositiveNumber);
    }

    let ten_to = |exponent: i32| {
        u32::try_from(exponent).ok().and_then(|exponent| U256::new(10).checked_pow(exponent)).ok_or(NotOurs::TooLarge)
    };
    let mut units = U256::ZERO;
    // The group read last stands for so many units, as a power of ten.
    let mut exponent = 4 * (weight + 1) + scale as i32;
    for group in groups.chunks_exact(2) {
        let group = u16::from_be_bytes([group[0], group[1]]);
        exponent -= 4;
        if u64::from(group) >= BASE {
            return Err(NotOurs::Malformed);
        }
        // Below our last decimal only zeros may follow.
        let shift = (exponent + 4).clamp(0, 4) as u32;
        let below = 10u16.pow(4 - shift);
        if group % below != 0 {
            return Err(NotOurs::NotAWholeCount { scale });
        }
        units = units
            .checked_mul(U256::new(10u128.pow(shift)))
            .and_then(|units| units.checked_add(U256::from(group / below)))
            .ok_or(NotOurs::TooLarge)?;
    }
    if exponent > 0 && units != U256::ZERO {
        units = units.checked_mul(ten_to(exponent)?).ok_or(NotOurs::TooLarge)?;
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(units: U256, scale: u32) -> BytesMut {
        let mut out = BytesMut::new();
        encode(units, scale, &mut out).expect("in range");
        out
    }

    #[test]
    fn the_groups_are_those_postgres_sends() {
        // 27000.12 is 2 | 7000 | 1200 with the first weighing 10,000.
        let fixed = Fixed::<18>::parse("27000.12").expect("in range");

        let expected = [0, 3, 0, 1, 0, 0, 0, 2, 0, 2, 0x1b, 0x58, 0x04, 0xb0];
        assert_eq!(encoded(fixed.units(), 18).as_ref(), expected);
    }

    #[test]
    fn one_decimal_more_than_we_keep_is_an_error_and_never_rounded() {
        let mut out = BytesMut::new();
        encode(U256::ONE, 36, &mut out).expect("in range");

        assert_eq!(decode(&out, 36), Ok(U256::ONE));
        assert_eq!(decode(&out, 18), Err(NotOurs::NotAWholeCount { scale: 18 }));
    }

    #[test]
    fn what_is_no_positive_number_or_no_numeric_at_all_is_refused() {
        let header = |sign: u16| [0u16, 0, sign, 0].iter().flat_map(|field| field.to_be_bytes()).collect::<Vec<_>>();
        for sign in [0x4000, 0xC000, 0xD000, 0xF000] {
            assert_eq!(decode(&header(sign), 18), Err(NotOurs::NotAPositiveNumber));
        }
        assert_eq!(decode(&[], 18), Err(NotOurs::Malformed));
        assert_eq!(decode(&[0, 9, 0, 0, 0, 0, 0, 0], 18), Err(NotOurs::Malformed));
        assert_eq!(decode(&[0, 1, 0x7f, 0xff, 0, 0, 0, 0, 0, 1], 18), Err(NotOurs::TooLarge));
    }

    #[test]
    fn zero_is_zero_however_far_left_its_groups_begin() {
        assert_eq!(decode(&[0, 1, 0x7f, 0xff, 0, 0, 0, 0, 0, 0], 18), Ok(U256::ZERO));
    }

    fn any_units() -> impl Strategy<Value = U256> {
        (any::<u128>(), any::<u128>(), 0u32..256).prop_map(|(high, low, shift)| U256::from_words(high, low) >> shift)
    }

    proptest! {
        #[test]
        fn every_count_of_units_round_trips_at_every_scale(units in any_units(), scale in 0u32..40) {
            prop_assert_eq!(decode(&encoded(units, scale), scale), Ok(units));
        }

        #[test]
        fn garbage_is_refused_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&raw, 18);
        }
    }
}
