//! Query strings, as the URL standard's form reading has them.

/// The pairs of a query, or nothing where its percent-encoding or its UTF-8 is broken.
pub fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let texts = query.split(['&', '=']);
    let are_sound =
        texts.into_iter().all(|text| str::from_utf8(&undone(text.as_bytes()).unwrap_or(vec![0xff])).is_ok());
    are_sound.then(|| url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// The bytes that percent-encoding stands for, or nothing where two digits are wanting.
fn undone(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut parts = bytes.split(|byte| *byte == b'%');
    let mut undone = parts.next()?.to_vec();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).filter(|(hex, _)| hex.iter().all(u8::is_ascii_hexdigit))?;
        undone.push(u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()?);
        undone.extend_from_slice(rest);
    }
    Some(undone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_has_no_pairs_and_what_was_written_so_is_kept() {
        for broken in ["a=%2", "a=%", "a=%zz", "%ff=1", "a=%e2%88", "a=%e2&b=%88%92"] {
            assert_eq!(pairs(broken), None, "{broken}");
        }
        let expected = [("a b".to_owned(), "\u{2212}".to_owned()), ("c".to_owned(), String::new())];
        assert_eq!(pairs("a+b=%e2%88%92&&c").as_deref(), Some(&expected[..]));
    }
}
