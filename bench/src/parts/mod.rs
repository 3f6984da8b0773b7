//! What can be measured. To add a part:
//!
//! 1. Write `bench/src/parts/<name>.rs` with
//!    `pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>>`, and add a line to
//!    [`PARTS`]. The programs of the workspace are in [`Bench::programs`].
//! 2. In it, make a [`Contestant`](crate::rounds::Contestant) of ours and one
//!    of each peer, run them by [`alternate`](crate::rounds::alternate) with
//!    [`Bench::runs`], compare their [`median`](crate::rounds::median)s, and
//!    return a [`Row`] per comparison. With [`Bench::quick`], do as little as
//!    shows that it works.
//! 3. A child process is run and measured by [`process`](crate::process), a peer
//!    in Python by a script in `bench/peers` and [`Python`](crate::python::Python).
//!    A peer that cannot be had is a [`Row::not_run`], never an error.
//! 4. Hold what was computed against something independent before it is timed:
//!    a wrong answer has no speed.
//! 5. Tell in `bench/README.md` what was asked of whom.
//!
//! What is kept between runs (tapes, databases) goes into [`Bench::kept`].
//! Tables are written by `main`, into `bench/results/<name>.md`.

mod backfill;
mod decode;
mod growth;
mod historical;
mod latest;
mod live;
mod replay;
mod soak;
mod socket;
mod window;

use crate::Bench;
use crate::table::Row;

/// Something that can be measured.
#[derive(Debug)]
pub struct Part {
    /// Its name on the command line and of its table's file.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Whether it takes so long that it runs once, however many runs are asked for.
    pub is_run_once: bool,
    /// Measures it.
    pub run: fn(&Bench) -> anyhow::Result<Vec<Row>>,
}

/// Every part, in the order they run.
pub const PARTS: &[Part] = &[
    Part {
        name: "window",
        about: "Trades one by one through the window engine: a figure per ticker and second mark.",
        is_run_once: false,
        run: window::run,
    },
    Part {
        name: "decode",
        about: "A frame to a trade, for every market's format, beside merely parsing the same bytes.",
        is_run_once: false,
        run: decode::run,
    },
    Part {
        name: "latest",
        about: "GET /latest from memory while figures change, beside a bare actix handler with a constant body.",
        is_run_once: false,
        run: latest::run,
    },
    Part {
        name: "historical",
        about: "GET /historical of kept marks, beside pgbench by the same key; and of any millisecond of a busy ticker.",
        is_run_once: false,
        run: historical::run,
    },
    Part {
        name: "backfill",
        about: "A recorded tape from REST pages to final figures in Postgres, whole worker.",
        is_run_once: false,
        run: backfill::run,
    },
    Part {
        name: "socket",
        about: "A socket that tells more than can be written: whole worker, real Postgres, beside the fastest durable statement.",
        is_run_once: false,
        run: socket::run,
    },
    Part {
        name: "live",
        about: "Socket to committed rows and served figures: whole worker and api, real Postgres, the practice market.",
        is_run_once: false,
        run: live::run,
    },
    Part {
        name: "growth",
        about: "What writes or asks, on tables that have grown, beside empty ones.",
        is_run_once: false,
        run: growth::run,
    },
    Part {
        name: "growth-live",
        about: "A live market on tables that have grown, beside one on empty ones; and while a day is let go of.",
        is_run_once: false,
        run: growth::run_live,
    },
    Part {
        name: "soak",
        about: "The worker's memory over half an hour of a live market, and what a second of a ticker takes.",
        is_run_once: true,
        run: soak::run,
    },
    Part {
        name: "replay",
        about: "A tape file to the figure of every ticker at every mark: `worker replay`.",
        is_run_once: false,
        run: replay::run,
    },
];
