//! The two addresses of a market, checked when they are configured rather
//! than when they are first used.

use url::Url;

/// Why a text is not the address of a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL at all.
    #[error("not a URL: {text:?}")]
    NotAUrl {
        /// The text that was refused.
        text: String,
        /// What is wrong with it.
        #[source]
        source: url::ParseError,
    },
    /// A URL of some other kind of channel.
    #[error("{text:?} should begin with {accepted}")]
    WrongScheme {
        /// The text that was refused.
        text: String,
        /// What it should begin with.
        accepted: &'static str,
    },
}

/// Reads the address of a WebSocket: `ws://` or `wss://`.
///
/// # Errors
/// [`EndpointError`] says what is wrong and what is accepted.
pub fn socket_url(text: &str) -> Result<Url, EndpointError> {
    parse(text, ["ws", "wss"], "ws:// or wss://")
}

/// Reads the address of a REST endpoint: `http://` or `https://`.
///
/// # Errors
/// [`EndpointError`] says what is wrong and what is accepted.
pub fn rest_url(text: &str) -> Result<Url, EndpointError> {
    parse(text, ["http", "https"], "http:// or https://")
}

fn parse(text: &str, schemes: [&str; 2], accepted: &'static str) -> Result<Url, EndpointError> {
    let url = Url::parse(text.trim()).map_err(|source| EndpointError::NotAUrl { text: text.to_owned(), source })?;
    if !schemes.contains(&url.scheme()) {
        return Err(EndpointError::WrongScheme { text: text.to_owned(), accepted });
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_takes_its_own_schemes_only() {
        assert!(socket_url("ws://127.0.0.1:61792/stream").is_ok());
        assert!(socket_url("wss://example.org/stream").is_ok());
        assert!(rest_url("http://127.0.0.1:61792/trades").is_ok());
        assert!(rest_url("https://example.org/trades?key=1").is_ok());
        for text in ["http://127.0.0.1/stream", "127.0.0.1:61792", "", "ws://", "localhost:1/stream"] {
            assert!(socket_url(text).is_err(), "{text:?}");
        }
        let error = rest_url("ws://127.0.0.1/trades").expect_err("a socket");
        assert_eq!(error.to_string(), r#""ws://127.0.0.1/trades" should begin with http:// or https://"#);
    }
}
