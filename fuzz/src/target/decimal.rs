//! Prices, quantities and fixed-point sums, from their text.

use num_bigint::BigUint;
use tape::{Fixed, Price, Quantity, Rejection, RejectionKind};

use crate::oracle::number::Number;

pub(super) const WORDS: &[&str] = &["0", "00000000", "1", "9999999999", ".", "-", "+", "e", "E-7", "e+", "e-18", "e13"];

/// No rejection repeats more of a text than this, in bytes.
const REPEATED: usize = 400;

pub(super) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let number = Number::read(text);
    held(text, number.as_ref(), 14, Price::parse(text).map(|price| (price.units(), price.to_string())));
    held(text, number.as_ref(), 16, Quantity::parse(text).map(|quantity| (quantity.units(), quantity.to_string())));
    fixed::<0>(text, number.as_ref());
    fixed::<18>(text, number.as_ref());
    fixed::<36>(text, number.as_ref());
}

/// What reading a price or a quantity must give, bound below `10^power`.
pub(super) fn held(text: &str, number: Option<&Number>, power: usize, read: Result<(u128, String), Rejection>) {
    match (expected(number, power), read) {
        (Ok(units), Ok((held, printed))) => {
            assert_eq!(BigUint::from(held), units, "{text:?} is held as {held} units");
            assert_eq!(Number::read(&printed).as_ref(), number, "{text:?} is printed as {printed}");
            assert!(!printed.contains(['e', 'E', '+']), "{text:?} is printed as {printed}");
        }
        (Err(kind), Err(rejection)) => {
            assert_eq!(rejection.kind(), kind, "{text:?} is refused as {rejection}");
            assert!(rejection.to_string().len() <= REPEATED, "{text:?} is refused at length");
        }
        (expected, read) => panic!("{text:?} should be {expected:?} and is {read:?}"),
    }
}

/// The count of 10^-18 that a text stands for, or the reason why it must be refused.
pub(super) fn expected(number: Option<&Number>, power: usize) -> Result<BigUint, RejectionKind> {
    let number = number.ok_or(RejectionKind::WrongType)?;
    if !number.is_positive() {
        return Err(RejectionKind::NotPositive);
    }
    if !number.is_below_ten_to(power) {
        return Err(RejectionKind::NotExact);
    }
    let units = number.count_of(18).ok_or(RejectionKind::NotExact)?;
    // What is held is 96 bits of digits, without closing zeros after the point.
    let decimals = usize::try_from(-&number.exponent).unwrap_or(0);
    let digits = number.count_of(decimals).expect("it is whole at its own decimals");
    if digits.bits() > 96 { Err(RejectionKind::NotExact) } else { Ok(units) }
}

fn fixed<const SCALE: u32>(text: &str, number: Option<&Number>) {
    let read = Fixed::<SCALE>::parse(text);
    // Plain digits only: no sign, no exponent, something before the point.
    let is_plain = text.starts_with(|first: char| first.is_ascii_digit()) && !text.contains(['e', 'E']);
    let expected = number.filter(|_| is_plain).and_then(|number| number.count_of(SCALE as usize));
    let expected = expected.filter(|units| units.bits() <= 256);
    assert_eq!(read.map(|fixed| fixed.units().to_string()), expected.map(|units| units.to_string()), "{text:?}");
    if let Some(fixed) = read {
        let printed = fixed.to_string();
        assert_eq!(Number::read(&printed).as_ref(), number, "{text:?} is printed as {printed}");
        assert_eq!(Fixed::<SCALE>::parse(&printed), Some(fixed), "{printed} is not read back");
    }
}
