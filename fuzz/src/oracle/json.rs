//! JSON as serde_json reads it when it keeps every digit of a number.

use serde_json::Value;

use super::number::Number;

/// The text of a value that is a number, or a string.
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The number a value stands for, bare or in quotes.
pub fn number_of(value: &Value) -> Option<Number> {
    text_of(value).as_deref().and_then(Number::read)
}
