//! The names, defaults and meanings of all variables.

/// Variable, default, meaning: the text of `--help` and the table of the README.
pub const VARIABLES: &[(&str, &str, &str)] = &[
    ("PG_STRING", "postgres://postgres:postgres@localhost:61791/crypto_market", "the database"),
    ("MARKET", "generic", "which markets to follow, separated by commas: each by its adapter"),
    ("MARKET_WS_URL", "", "the fast channel; empty: the market's own, for `generic` `ws://127.0.0.1:61792/stream`"),
    ("MARKET_REST_URL", "", "the slow channel; empty: the market's own, for `generic` `http://127.0.0.1:61792/trades`"),
    ("EXCHANGE", "the market's name", "the name trades and figures are stored under"),
    (
        "TICKERS",
        "",
        "tickers to follow, separated by commas; those a generic market mentions are added, others tell only what is asked for",
    ),
    ("INTERVAL", "300000", "length of the window: milliseconds or a duration (`5m`), whole seconds up to 24h"),
    (
        "BACKFILL_FROM",
        "now",
        "where a new ticker's tape begins: `now`, RFC 3339, epoch milliseconds, or a duration back (`-10m`)",
    ),
    ("RETENTION", "30d", "how long trades and figures are kept: a duration, or `forever`"),
    (
        "MARKET_CLOCK",
        "wall",
        "`wall`, or `market`: marks follow the present that REST reports, for a market that is not live",
    ),
    (
        "SETTLE_DELAY",
        "",
        "how long after a moment REST is taken to know all its trades; empty: `2s` for `generic`, `5s` for others",
    ),
    ("ALLOWED_SKEW", "5s", "how far our clock and the market's may be apart"),
    ("LATE_AFTER", "1s", "a trade heard later than this after it was made is counted as late"),
    (
        "SUSPECT_FUTURE",
        "250ms",
        "a trade heard so long before it was made, beyond what clocks explain, is suspected; or `off`",
    ),
    (
        "SUSPECT_PRICE_BAND",
        "100",
        "basis points a price may lie outside those of the last ten minutes, beyond their own width; or `off`",
    ),
    (
        "SUSPECT_QUANTITY_FACTOR",
        "10",
        "how many times the largest quantity of the last ten minutes a trade may have; or `off`",
    ),
    ("POLL_EVERY", "1s", "pace of REST requests per ticker when there is nothing new"),
    (
        "REST_RATE",
        "",
        "what may be asked of REST per second over all tickers, in the market's own weights; empty: 500 for `generic`, half of what others allow",
    ),
    ("AUDIT_SHARE", "0.1", "share of REST_RATE for reading settled trades again; 0 is never"),
    ("AUDIT_EVERY", "5s", "pace of such readings per ticker, within the share"),
    ("PAGE_LIMIT", "", "rows of a full REST page; empty: 100 for `generic`, what others give at most"),
    ("REST_TIMEOUT", "10s", "deadline of one REST request"),
    (
        "SILENCE_TIMEOUT",
        "60s",
        "a socket without trades for so long is connected anew; while that brings none either, after twice as long each time, up to 15m",
    ),
    ("BATCH_LIMIT", "5000", "heard trades written together at most"),
    ("QUEUE_LIMIT", "50000", "heard trades waiting to be written; more are dropped and counted"),
    ("MAX_TICKERS", "1000", "tickers followed at most"),
    ("DB_POOL", "4", "database connections beside the leader's own"),
    ("BOUND_COVERAGE", "0.99", "how often the bound of a provisional figure shall hold: 0.5 to 0.9999"),
    (
        "BOUND_MIN_MARKS",
        "1000",
        "without so many final marks of its kind within a day, a provisional figure has no bound",
    ),
    ("WORKER_HOST", "127.0.0.1", "address of the worker's own /health and /metrics"),
    ("WORKER_PORT", "3004", "port of the worker's own /health and /metrics"),
    ("LOG_FORMAT", "text", "`text` or `json`"),
    ("LOG", "info", "log filter, as in `info,worker=debug`"),
];
