//! Simulated time: it stands still while anybody has something to do, and then
//! jumps to the next moment at which somebody has.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// The time of one run, in epoch milliseconds of the market.
#[derive(Debug, Default)]
pub struct Time {
    now: AtomicI64,
    count: AtomicU64,
    timers: Mutex<BTreeMap<(i64, u64), Waker>>,
}

impl Time {
    /// A time that begins at a moment.
    pub fn starting_at(now: i64) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(now), ..Self::default() })
    }

    /// The present.
    pub fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Waits until a moment.
    pub fn until(self: &Arc<Self>, at: i64) -> Sleep {
        Sleep { time: Arc::clone(self), at, timer: None }
    }

    /// Waits for a while.
    pub fn sleep(self: &Arc<Self>, ms: i64) -> Sleep {
        self.until(self.now() + ms)
    }

    /// Jumps to the next moment somebody waits for and wakes whoever does.
    /// Returns whether there is such a moment.
    pub fn advance(&self) -> bool {
        let Some(next) = self.timers().keys().next().map(|key| key.0) else { return false };
        let now = self.now().max(next);
        self.now.store(now, Ordering::Relaxed);
        let later = self.timers().split_off(&(now + 1, 0));
        let due = std::mem::replace(&mut *self.timers(), later);
        due.into_values().for_each(Waker::wake);
        true
    }

    fn timers(&self) -> std::sync::MutexGuard<'_, BTreeMap<(i64, u64), Waker>> {
        self.timers.lock().expect("nothing panics while holding it")
    }
}

/// Ready at a moment.
#[derive(Debug)]
pub struct Sleep {
    time: Arc<Time>,
    at: i64,
    timer: Option<(i64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.at <= self.time.now() {
            return Poll::Ready(());
        }
        if self.timer.is_none() {
            let timer = (self.at, self.time.count.fetch_add(1, Ordering::Relaxed));
            self.time.timers().insert(timer, context.waker().clone());
            self.timer = Some(timer);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.time.timers().remove(&timer);
        }
    }
}

/// Gives way once: whatever else is ready may go first, and a crash may come.
pub async fn give_way() {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
