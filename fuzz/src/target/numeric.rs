//! The binary form of Postgres' `numeric`.

use bytes::BytesMut;
use num_bigint::{BigInt, BigUint};
use postgres_types::{FromSql, ToSql, Type};
use store::Numeric;

pub(super) fn check(bytes: &[u8]) {
    scale::<18>(bytes);
    scale::<24>(bytes);
    scale::<36>(bytes);
    if let Ok(number) = Numeric::<18>::from_sql(&Type::NUMERIC, bytes) {
        let units = number.0.units().to_string();
        if let Ok(price) = number.price() {
            assert_eq!(price.units().to_string(), units);
        }
        if let Ok(quantity) = number.quantity() {
            assert_eq!(quantity.units().to_string(), units);
        }
    }
}

fn scale<const SCALE: u32>(bytes: &[u8]) {
    let read = Numeric::<SCALE>::from_sql(&Type::NUMERIC, bytes);
    let units = read.as_ref().ok().map(|number| number.0.units().to_string());
    assert_eq!(units, expected(bytes, SCALE).map(|units| units.to_string()), "{bytes:?} at {SCALE}: {read:?}");
    let Ok(number) = read else { return };

    let mut written = BytesMut::new();
    number.to_sql(&Type::NUMERIC, &mut written).expect("256 bits can be written");
    assert_eq!(Numeric::<SCALE>::from_sql(&Type::NUMERIC, &written).ok(), Some(number), "{bytes:?} is not read back");
    let groups: Vec<&[u8]> = written[8..].chunks_exact(2).collect();
    let is_canonical = groups.first() != Some(&&[0, 0][..]) && groups.last() != Some(&&[0, 0][..]);
    assert!(is_canonical, "Postgres does not begin or end with a group of zeros: {written:?}");
}

/// The sum of the groups, each times its power of 10,000, as a whole count of `10^-scale`.
fn expected(bytes: &[u8], scale: u32) -> Option<BigUint> {
    let words: Vec<u16> =
        bytes.chunks(2).map(|two| two.try_into().map(u16::from_be_bytes)).collect::<Result<_, _>>().ok()?;
    let [count, weight, sign, _, groups @ ..] = words.as_slice() else { return None };
    let is_sound = groups.len() == usize::from(*count) && *sign == 0 && groups.iter().all(|group| *group < 10_000);
    if !is_sound {
        return None;
    }
    let digits = groups.iter().fold(BigUint::ZERO, |sum, group| sum * 10_000u32 + *group);
    if digits == BigUint::ZERO {
        return Some(digits);
    }
    let last_group_power = i64::from(*weight as i16) - groups.len() as i64 + 1;
    let power = last_group_power * 4 + i64::from(scale);
    let ten_to = |power: i64| BigUint::from(10u32).pow(u32::try_from(power).expect("below 2^18"));
    let units = if power >= 0 {
        digits * ten_to(power)
    } else {
        let divisor = ten_to(-power);
        if BigInt::from(&digits % &divisor) != BigInt::ZERO {
            return None;
        }
        digits / divisor
    };
    (units.bits() <= 256).then_some(units)
}
