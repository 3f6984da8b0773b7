//! One transaction: its changes are its own until it commits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use store::StoreError;

use super::disk::Writes;
use super::server::{Server, State, refused, unavailable};
use crate::time::give_way;

/// A transaction of a leader. Dropped without a commit, it leaves no trace.
#[derive(Debug)]
pub struct Txn {
    pub(super) server: Arc<Server>,
    pub(super) writes: Mutex<Writes>,
    pub(super) worker: usize,
    pub(super) epoch: i64,
    pub(super) generation: u64,
    pub(super) is_relaxed: bool,
    has_failed: AtomicBool,
}

impl Txn {
    /// Begins. The epoch cannot change until the transaction ends.
    pub(super) fn new(server: &Arc<Server>, state: &mut State, worker: usize, epoch: i64, is_relaxed: bool) -> Self {
        state.open += 1;
        let generation = state.generation;
        let (server, writes) = (Arc::clone(server), Mutex::default());
        Self { server, writes, worker, epoch, generation, is_relaxed, has_failed: AtomicBool::new(false) }
    }

    /// One statement of it. After one that failed nothing can be committed.
    pub(super) async fn step(&self, doing: &'static str, rows: usize) -> Result<(), StoreError> {
        let stepped = self.server.step(doing, rows).await;
        let is_gone = self.server.state().generation != self.generation;
        let stepped = if is_gone { Err(unavailable(doing)) } else { stepped };
        if stepped.is_err() {
            self.fail();
        }
        stepped
    }

    pub(super) fn fail(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    /// What is committed, and the changes of this transaction.
    pub(super) fn sight(&self) -> (MutexGuard<'_, State>, MutexGuard<'_, Writes>) {
        (self.server.state(), self.writes.lock().expect("nothing panics while holding it"))
    }

    /// Makes everything true at once.
    pub(super) async fn finish(self) -> Result<(), StoreError> {
        const DOING: &str = "committing";
        if self.has_failed.load(Ordering::Relaxed) {
            return Err(refused(DOING, "a statement of the transaction failed".to_owned()));
        }
        self.step(DOING, 0).await?;
        let is_answer_lost = {
            let (mut state, mut writes) = self.sight();
            state.commit(std::mem::take(&mut *writes), self.worker, self.epoch, self.is_relaxed);
            let now = self.server.time.now();
            state.loses_answer(now)
        };
        // Committed, but the worker does not know it yet.
        give_way().await;
        if is_answer_lost { Err(unavailable(DOING)) } else { Ok(()) }
    }
}

impl Drop for Txn {
    fn drop(&mut self) {
        self.server.state().open -= 1;
    }
}
