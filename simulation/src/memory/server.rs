//! The server: who holds the lock, in which epoch we are, what was flushed,
//! and what goes wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use store::StoreError;

use super::disk::{Disk, Writes};
use crate::chance::Chance;
use crate::time::{Time, give_way};
use crate::witness::Witness;

/// How often things go wrong, in a thousand statements, and until when.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble {
    /// Statements that fail; a commit that fails may have taken place.
    pub fails: i64,
    /// Statements that take long.
    pub is_late: i64,
    /// From then on nothing goes wrong any more.
    pub until: i64,
}

/// What is behind the lock.
#[derive(Debug)]
pub struct State {
    /// What is committed.
    pub disk: Disk,
    /// Who watches every commit.
    pub witness: Witness,
    /// The epoch of the latest leader.
    pub epoch: i64,
    /// The connection that holds the lock.
    pub lock: Option<u64>,
    /// Connections that the server has closed, and when their owners notice.
    pub lost: BTreeMap<u64, i64>,
    /// Transactions that hold the epoch.
    pub open: usize,
    /// Raised by every crash: what was begun before is gone.
    pub generation: u64,
    /// Statements fail until then.
    pub down_until: i64,
    /// The next identity.
    pub next_id: u64,
    pub(super) next_connection: u64,
    /// How to undo what is not flushed yet, oldest first.
    unflushed: Vec<(u64, Writes)>,
    commits: u64,
    trouble: Trouble,
    chance: Chance,
}

/// A database server and the time it lives in.
#[derive(Debug)]
pub struct Server {
    /// The time.
    pub time: Arc<Time>,
    state: Mutex<State>,
}

/// What becomes of a statement.
enum Fate {
    Prompt,
    Late(i64),
    Fails,
}

impl Server {
    /// An empty database.
    pub fn new(time: Arc<Time>, seed: u64, trouble: Trouble) -> Arc<Self> {
        let state = State {
            disk: Disk::default(),
            witness: Witness::default(),
            epoch: 0,
            lock: None,
            lost: BTreeMap::new(),
            open: 0,
            generation: 0,
            down_until: 0,
            next_id: 1,
            next_connection: 1,
            unflushed: Vec::new(),
            commits: 0,
            trouble,
            chance: Chance::of(seed, "store"),
        };
        Arc::new(Self { time, state: Mutex::new(state) })
    }

    /// Everything behind the lock.
    ///
    /// # Panics
    /// When something panicked while holding it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while holding it")
    }

    /// One statement: takes its time, may fail, and is a place to crash at.
    pub(super) async fn step(&self, doing: &'static str, rows: usize) -> Result<(), StoreError> {
        let fate = {
            let now = self.time.now();
            let mut state = self.state();
            state.witness.note(now, doing, rows);
            state.fate(now)
        };
        give_way().await;
        match fate {
            Fate::Prompt => {}
            Fate::Late(ms) => self.time.sleep(ms).await,
            Fate::Fails => return Err(unavailable(doing)),
        }
        if self.time.now() < self.state().down_until { Err(unavailable(doing)) } else { Ok(()) }
    }

    /// Kills the server: whoever was connected no longer is, and of what was
    /// committed without waiting for the disk some may be gone.
    pub fn crash(&self) {
        let now = self.time.now();
        let mut state = self.state();
        state.generation += 1;
        state.epoch_released(now);
        let unflushed = i64::try_from(state.unflushed.len()).unwrap_or(0);
        let gone = state.chance.between(0, unflushed);
        for _ in 0..gone {
            let Some((commit, undo)) = state.unflushed.pop() else { break };
            state.disk.apply(undo);
            state.witness.undone(commit);
        }
        state.unflushed.clear();
        state.down_until = now + state.chance.between(0, 4_000);
    }

    /// Closes the connection that holds the lock. Its owner notices later.
    pub fn depose(&self) {
        let now = self.time.now();
        let mut state = self.state();
        let notices_after = state.chance.between(0, 20_000);
        state.epoch_released(now + notices_after);
    }
}

impl State {
    fn fate(&mut self, now: i64) -> Fate {
        if self.trouble.until <= now {
            return Fate::Prompt;
        }
        if self.chance.per_mille(self.trouble.fails) {
            return Fate::Fails;
        }
        if self.chance.per_mille(self.trouble.is_late) {
            return Fate::Late(self.chance.between(1, 3_000));
        }
        Fate::Prompt
    }

    /// Whether the answer to a commit that took place gets lost.
    pub(super) fn loses_answer(&mut self, now: i64) -> bool {
        now < self.trouble.until && self.chance.per_mille(self.trouble.fails)
    }

    /// Makes a transaction true. One that is not flushed may be undone by a crash.
    pub(super) fn commit(&mut self, writes: Writes, worker: usize, epoch: i64, is_relaxed: bool) {
        self.commits += 1;
        let commit = self.commits;
        self.witness.watch(&self.disk, &writes, (worker, commit), epoch, self.epoch);
        let undo = self.disk.apply(writes);
        if is_relaxed {
            self.unflushed.push((commit, undo));
        } else {
            self.unflushed.clear();
        }
    }

    /// Makes one statement true that stands alone: it is flushed at once.
    pub(super) fn commit_alone(&mut self, writes: Writes) {
        self.disk.apply(writes);
        self.unflushed.clear();
    }

    /// An identity nobody had before; one that a rollback leaves unused stays unused.
    pub(super) fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    fn epoch_released(&mut self, noticed_at: i64) {
        if let Some(connection) = self.lock.take() {
            self.lost.insert(connection, noticed_at);
        }
    }
}

/// The error of a statement that got no answer.
pub(super) fn unavailable(doing: &str) -> StoreError {
    StoreError::Unavailable { doing: doing.to_owned(), source: "the simulated server does not answer".into() }
}

/// The error of a statement that is refused.
pub(super) fn refused(doing: &str, reason: String) -> StoreError {
    StoreError::Refused { doing: doing.to_owned(), source: reason.into() }
}
