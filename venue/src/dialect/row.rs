//! One trade as a JSON object whose fields know what they tell, so that a lie
//! can spoil the price without knowing what an exchange calls it.

use crate::true_trade::json_string;

/// What a field tells of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What was traded.
    Ticker,
    /// When.
    Time,
    /// At which price.
    Price,
    /// How much.
    Quantity,
    /// Under which id.
    Id,
    /// Something else.
    Other,
}

#[derive(Debug, Clone)]
struct Field {
    name: &'static str,
    role: Role,
    raw: String,
}

/// The fields of one trade, in the order of the wire.
#[derive(Debug, Clone, Default)]
pub struct Row(Vec<Field>);

impl Row {
    /// Adds a field whose value is already JSON.
    pub fn raw(mut self, role: Role, name: &'static str, value: impl ToString) -> Self {
        self.0.push(Field { name, role, raw: value.to_string() });
        self
    }

    /// Adds a field whose value becomes a JSON string.
    pub fn text(self, role: Role, name: &'static str, value: impl AsRef<str>) -> Self {
        let quoted = json_string(value.as_ref());
        self.raw(role, name, quoted)
    }

    /// Puts raw JSON into the fields of a role.
    pub fn put(&mut self, role: Role, raw: &str) {
        for field in self.0.iter_mut().filter(|field| field.role == role) {
            field.raw = raw.to_owned();
        }
    }

    /// Puts a number into the fields of a role, quoted where numbers are.
    pub fn put_digits(&mut self, role: Role, digits: &str) {
        for field in self.0.iter_mut().filter(|field| field.role == role) {
            field.raw = if field.raw.starts_with('"') { json_string(digits) } else { digits.to_owned() };
        }
    }

    /// Leaves out the fields of a role.
    pub fn leave_out(&mut self, role: Role) {
        self.0.retain(|field| field.role != role);
    }

    /// The object's text.
    pub fn json(&self) -> String {
        let mut text = String::with_capacity(160);
        for field in &self.0 {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push('"');
            text.push_str(field.name);
            text.push_str("\":");
            text.push_str(&field.raw);
        }
        if text.is_empty() {
            text.push('{');
        }
        text.push('}');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row::default().raw(Role::Id, "t", 7).text(Role::Price, "p", "1.50").raw(Role::Price, "n", "1.50")
    }

    #[test]
    fn a_spoilt_price_is_spoilt_wherever_it_stands_and_quoted_where_it_was() {
        let mut spoilt = row();
        spoilt.put_digits(Role::Price, "0");
        assert_eq!(spoilt.json(), r#"{"t":7,"p":"0","n":0}"#);
        spoilt.put(Role::Price, "null");
        assert_eq!(spoilt.json(), r#"{"t":7,"p":null,"n":null}"#);
        spoilt.leave_out(Role::Price);
        assert_eq!(spoilt.json(), r#"{"t":7}"#);
        assert_eq!(row().json(), r#"{"t":7,"p":"1.50","n":1.50}"#);
    }
}
