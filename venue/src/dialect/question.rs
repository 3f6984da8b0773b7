//! What is asked by REST and what is answered, without a web server.

use std::collections::BTreeMap;

use tape::EpochMs;

/// A request to one of a dialect's own paths.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The path.
    pub path: String,
    /// The parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// The headers an exchange looks at, by lower-case name.
    pub headers: BTreeMap<String, String>,
}

impl Question {
    /// A parameter; an empty one counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A whole number; `Err` holds what stood there instead.
    pub fn number(&self, name: &str) -> Result<Option<u64>, &str> {
        self.text(name).map(|text| text.parse().map_err(|_| text)).transpose()
    }

    /// A number of rows, between one and the most there can be.
    pub fn limit(&self, usual: usize, most: usize) -> Option<usize> {
        match self.number("limit") {
            Ok(None) => Some(usual),
            Ok(Some(limit)) => Some(usize::try_from(limit).unwrap_or(most).min(most)).filter(|limit| *limit > 0),
            Err(_) => None,
        }
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The media type.
    pub media_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// JSON.
    pub fn json(status: u16, body: impl ToString) -> Self {
        Self { status, media_type: "application/json", headers: Vec::new(), body: body.to_string() }
    }

    /// A page for people, where an exchange forgets that it is asked by programs.
    pub fn html(status: u16, title: &str) -> Self {
        let body = format!("<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n");
        Self { status, media_type: "text/html; charset=utf-8", headers: Vec::new(), body }
    }

    /// The same with another header.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// Why a question gets no true answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Asked too often; it will be heard again at this instant.
    TooOften {
        /// When.
        until: EpochMs,
    },
    /// Asked on in spite of that; it will be heard again at this instant.
    Banned {
        /// When.
        until: EpochMs,
    },
    /// Failing on purpose.
    Internal,
    /// Unavailable on purpose.
    Unavailable,
    /// Something of the dialect's own.
    Named(&'static str),
}
