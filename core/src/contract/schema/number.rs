//! Numbers, compared and divided as exactly as they are written.

use std::cmp::Ordering;

use serde_json::Number;

/// Which of two numbers is larger. An integer and a fraction are compared without rounding the integer, unless it is beyond
/// 2^53 and the other has a fraction.
pub(super) fn compare(left: &Number, right: &Number) -> Ordering {
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => float(left).partial_cmp(&float(right)).unwrap_or(Ordering::Equal),
    }
}

/// Whether a number has no fraction: 1.0 is an integer.
pub(super) fn is_integer(number: &Number) -> bool {
    !number.is_f64() || float(number).fract() == 0.0
}

/// Whether a number divided by another, which is above 0, has no remainder: 0.0075 is a multiple of 0.0001.
pub(super) fn is_multiple(number: &Number, divisor: &Number) -> bool {
    let (Some((value, exponent)), Some((divisor, divisor_exponent))) = (decimal(number), decimal(divisor))
    else {
        return false;
    };
    if value == 0 {
        return true;
    }
    match exponent.checked_sub(divisor_exponent) {
        Some(scale) => times_power_of_ten(value, scale, divisor) == 0,
        // The divisor has to be scaled up: beyond the range of `u128` it is larger than any value.
        None => 10_u128
            .checked_pow(divisor_exponent - exponent)
            .and_then(|scale| divisor.checked_mul(scale))
            .is_some_and(|divisor| value % divisor == 0),
    }
}

/// The number as an integer, if it is one in a range that nothing rounds.
pub(super) fn whole(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    let number = float(number);
    // Every integer of a float in this range is one of `i128` too.
    (number.fract() == 0.0 && number.abs() < 1e38).then_some(number as i128)
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// The amount as digits and a power of ten: digits × 10^(exponent - 400). The shortest digits that mean the number are taken,
/// which are those that somebody wrote; at most 17 for a float, 20 for an integer.
fn decimal(number: &Number) -> Option<(u128, u32)> {
    const OFFSET: i64 = 400;
    let text = match number.is_f64() {
        true => format!("{:e}", float(number)),
        false => number.to_string(),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: u128 = format!("{}{fraction}", integer.trim_start_matches('-')).parse().ok()?;
    let exponent = exponent.parse::<i64>().ok()? - fraction.len() as i64 + OFFSET;
    Some((digits, u32::try_from(exponent).ok()?))
}

/// value × 10^power modulo `modulus`, all of them below 2^67.
fn times_power_of_ten(value: u128, power: u32, modulus: u128) -> u128 {
    let mut result = value % modulus;
    for _ in 0..power {
        if result == 0 {
            break;
        }
        result = result * 10 % modulus;
    }
    result
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn number(value: &Value) -> Number {
        value.as_number().unwrap().clone()
    }

    #[test]
    fn multiples_are_exact() {
        for (value, divisor, expected) in [
            (json!(10), json!(2), true),
            (json!(7), json!(2), false),
            (json!(0.0075), json!(0.0001), true),
            (json!(0.00751), json!(0.0001), false),
            (json!(4.5), json!(1.5), true),
            (json!(35), json!(1.5), false),
            (json!(1e308), json!(0.5), true),
            (json!(1e308), json!(0.123456789), false),
            (json!(0), json!(1e308), true),
            (json!(5), json!(1e308), false),
            (json!(-6), json!(3), true),
            (json!(u64::MAX), json!(5), true),
            (json!(0.3), json!(0.1), true),
            (json!(5e-324), json!(5e-324), true),
        ] {
            assert_eq!(is_multiple(&number(&value), &number(&divisor)), expected, "{value} of {divisor}");
        }
    }

    #[test]
    fn integers_are_compared_without_rounding() {
        for (left, right, expected) in [
            (json!(1), json!(1.0), Ordering::Equal),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0), Ordering::Greater),
            (json!(-1), json!(u64::MAX), Ordering::Less),
            (json!(1e300), json!(u64::MAX), Ordering::Greater),
            (json!(0.1), json!(0.2), Ordering::Less),
        ] {
            assert_eq!(compare(&number(&left), &number(&right)), expected, "{left} and {right}");
        }
        assert!(is_integer(&number(&json!(1e300))) && !is_integer(&number(&json!(1.5))));
    }
}
