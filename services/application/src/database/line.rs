//! The line in which work waits for a thread.
//!
//! A thread that has finished takes the next piece of work from the line instead of going to sleep and
//! being woken for it; under load that saves both on nearly every request. So that slow work holds
//! nobody up, whoever has waited for a moment gets a thread of their own, up to the limit.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A piece of work that may block.
pub type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Threads that are at work or about to be.
    threads: usize,
}

/// Work that waits, and how many threads may do it.
pub struct Line {
    state: Mutex<State>,
    eager: usize,
    most: usize,
}

/// A thread's place; free again when it is dropped, also if the thread was never to run.
struct Place {
    line: Arc<Line>,
    is_taken: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_taken {
            self.line.lock().threads -= 1;
        }
    }
}

impl Line {
    /// Work gets a thread at once while there are fewer than `eager`, and never more than `most`.
    #[must_use]
    pub fn new(eager: usize, most: usize) -> Arc<Self> {
        let most = most.max(1);
        Arc::new(Self { state: Mutex::default(), eager: eager.clamp(1, most), most })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole even if a thread panicked: no job runs while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts work at the end; `start` is given what a new thread has to do, if one is needed at once.
    pub fn push(self: &Arc<Self>, job: Job, start: impl FnOnce(Job)) {
        let mut state = self.lock();
        state.waiting.push_back(job);
        self.grow(state, self.eager, start);
    }

    /// For whoever has waited for a moment: asks for one more thread, unless there are as many as may be.
    pub fn hurry(self: &Arc<Self>, start: impl FnOnce(Job)) {
        let state = self.lock();
        if !state.waiting.is_empty() {
            self.grow(state, self.most, start);
        }
    }

    fn grow(self: &Arc<Self>, mut state: MutexGuard<'_, State>, limit: usize, start: impl FnOnce(Job)) {
        if state.threads >= limit {
            return;
        }
        state.threads += 1;
        drop(state);
        let place = Place { line: Arc::clone(self), is_taken: true };
        start(Box::new(move || place.work()));
    }
}

impl Place {
    /// Does what is waiting until nothing is.
    fn work(mut self) {
        loop {
            let mut state = self.line.lock();
            let Some(job) = state.waiting.pop_front() else {
                // In one step with having seen that nothing waits, so that what is pushed now gets a thread.
                state.threads -= 1;
                drop(state);
                self.is_taken = false;
                return;
            };
            drop(state);
            // A panic was reported by the hook; whoever waits for this job learns of it, the others do not.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn start(job: Job) {
        thread::spawn(job);
    }

    #[test]
    fn all_is_done_in_turn_by_one_thread_and_a_panic_costs_one_job() {
        let line = Line::new(1, 4);
        let (done, doing) = mpsc::channel();
        for number in 0..100 {
            let done = done.clone();
            let job = move || {
                assert!(number % 10 != 3, "a defect");
                done.send(number).unwrap();
            };
            line.push(Box::new(job), start);
        }
        drop(done);
        let expected: Vec<_> = (0..100).filter(|number| number % 10 != 3).collect();
        assert_eq!(doing.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn who_waits_behind_slow_work_gets_a_thread_up_to_the_limit() {
        let line = Line::new(1, 3);
        let started = AtomicUsize::new(0);
        let counted = |job: Job| {
            started.fetch_add(1, Ordering::Relaxed);
            start(job);
        };
        // Nobody passes before all three are there.
        let barrier = Arc::new(Barrier::new(3));
        let (done, doing) = mpsc::channel();
        for _ in 0..3 {
            let (barrier, done) = (Arc::clone(&barrier), done.clone());
            line.push(
                Box::new(move || {
                    barrier.wait();
                    done.send(()).unwrap();
                }),
                counted,
            );
        }
        assert_eq!(started.load(Ordering::Relaxed), 1);
        // The first thread may not have begun yet: then hurrying starts the others all the same.
        for _ in 0..5 {
            line.hurry(counted);
        }
        drop(done);
        assert_eq!(doing.iter().count(), 3);
        assert!(started.load(Ordering::Relaxed) <= 3);
    }

    #[test]
    fn a_thread_that_never_runs_gives_its_place_back() {
        let line = Line::new(1, 1);
        let (done, doing) = mpsc::channel();
        let other = done.clone();
        line.push(Box::new(move || done.send(1).unwrap()), drop);
        line.push(Box::new(move || other.send(2).unwrap()), start);
        assert_eq!(doing.iter().collect::<Vec<_>>(), [1, 2]);
        line.hurry(|_| unreachable!("nothing waits"));
    }
}
