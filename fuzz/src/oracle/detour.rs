//! The same JSON in a form that nobody can read in a hurry.

/// The text with one more field in front of every object's fields, whose name
/// is written with an escape: nobody asks for it, and whatever was said is said
/// still. A decoder that has a shorter way for plain texts cannot take it.
pub fn with_escaped_names(text: &str) -> String {
    let mut detour = String::with_capacity(2 * text.len());
    let (mut is_in_string, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        detour.push(character);
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_in_string,
            '"' => is_in_string = !is_in_string,
            '{' if !is_in_string => {
                let is_empty = text[at + 1..].trim_start().starts_with('}');
                detour.push_str(if is_empty { r#""\u007e":0"# } else { r#""\u007e":0,"# });
            }
            _ => {}
        }
    }
    detour
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_has_a_field_more_and_texts_stay_as_they_are() {
        let detour = with_escaped_names(r#"{"a":[{},{"b":"{\"{"}]}"#);

        assert_eq!(detour, r#"{"\u007e":0,"a":[{"\u007e":0},{"\u007e":0,"b":"{\"{"}]}"#);
    }
}
