//! Runs tasks by hand on one thread: which of those that are ready goes next is
//! drawn from the seed, and a task may be dropped wherever it waits.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::chance::Chance;

/// What a task is.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

type Ready = Arc<Mutex<BTreeSet<usize>>>;

struct Alarm {
    task: usize,
    ready: Ready,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.ready.lock().expect("nothing panics while holding it").insert(self.task);
    }
}

/// Tasks, and which of them have something to do.
#[derive(Default)]
pub struct Executor {
    tasks: Vec<Option<Work>>,
    ready: Ready,
}

impl Executor {
    /// Puts work in a place, where it takes the place of what was there.
    pub fn put(&mut self, task: usize, work: Work) {
        if self.tasks.len() <= task {
            self.tasks.resize_with(task + 1, || None);
        }
        self.tasks[task] = Some(work);
        self.ready().insert(task);
    }

    /// Drops a task where it stands: as a process that is killed.
    pub fn kill(&mut self, task: usize) {
        self.tasks[task] = None;
    }

    /// Lets one task that is ready go on until it waits. Returns which, if there was one.
    pub fn step(&mut self, chance: &mut Chance) -> Option<usize> {
        let task = {
            let mut ready = self.ready();
            let nth = chance.between(0, i64::try_from(ready.len()).unwrap_or(1) - 1);
            let task = *ready.iter().nth(usize::try_from(nth).unwrap_or(0))?;
            ready.remove(&task);
            task
        };
        let waker = Waker::from(Arc::new(Alarm { task, ready: Arc::clone(&self.ready) }));
        if let Some(work) = &mut self.tasks[task]
            && let Poll::Ready(()) = work.as_mut().poll(&mut Context::from_waker(&waker))
        {
            self.tasks[task] = None;
        }
        Some(task)
    }

    fn ready(&self) -> std::sync::MutexGuard<'_, BTreeSet<usize>> {
        self.ready.lock().expect("nothing panics while holding it")
    }
}
