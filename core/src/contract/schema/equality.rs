//! When two JSON values are the same: numbers by what they mean, objects in any order.

use std::cmp::Ordering;

use serde_json::Value;

use super::number::{self, whole};

/// Whether two values are equal as JSON Schema has it: 1 and 1.0 are.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => number::compare(left, right) == Ordering::Equal,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        (left, right) => left == right,
    }
}

/// A number that is the same for equal values. `steps` counts the values that were looked at.
pub(super) fn digest(value: &Value, steps: &mut u64) -> u64 {
    *steps += 1;
    match value {
        Value::Null => 1,
        Value::Bool(value) => 2 + u64::from(*value),
        Value::Number(number) => match whole(number) {
            Some(number) => bytes(4, &number.to_le_bytes()),
            None => bytes(5, &number.as_f64().unwrap_or_default().to_bits().to_le_bytes()),
        },
        Value::String(text) => bytes(6, text.as_bytes()),
        Value::Array(list) => {
            list.iter().fold(7, |sum, value| bytes(sum, &digest(value, steps).to_le_bytes()))
        }
        // Whatever the order of the keys is.
        Value::Object(object) => object.iter().fold(8, |sum, (key, value)| {
            sum.wrapping_add(bytes(digest(value, steps), key.as_bytes()).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        }),
    }
}

/// FNV-1a.
fn bytes(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_have_equal_digests() {
        for (left, right, expected) in [
            (json!(1), json!(1.0), true),
            (json!(1), json!(true), false),
            (json!(0), json!(-0.0), true),
            (json!({ "a": 1, "b": [2.0] }), json!({ "b": [2], "a": 1.0 }), true),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 1 }), false),
            (json!([1, 2]), json!([2, 1]), false),
            (json!("1"), json!(1), false),
        ] {
            assert_eq!(equal(&left, &right), expected, "{left} and {right}");
            assert_eq!(digest(&left, &mut 0) == digest(&right, &mut 0), expected, "{left} and {right}");
        }
    }
}
