//! The connections and threads in use, and their replacement when the server at their other end hangs.
//!
//! A server that is stopped without closing its connections, as a frozen machine is, answers nothing and refuses nothing:
//! whoever waits for it waits in the kernel, where no timeout of libpq reaches. After a few seconds of that the server
//! that accepts writes now is asked, over a new connection, whether it works on anything for the connections in use. If
//! it does not, nobody will ever answer there: the connections and the threads that wait are left to themselves, and
//! work goes on with others. Those that were left end when their server does, or comes back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use kinora_store::Pool;
use tokio::sync::watch;

use super::line::Line;

/// How many sets of connections may hang at the same time; further ones are waited for, so that a
/// server that hangs again and again does not take all threads.
pub const MOST_LEFT: usize = 2;

/// Connections, the line for their threads, and whether both are still used.
pub struct Engine {
    /// The connections.
    pub pool: Pool,
    /// Who waits for one of their threads.
    pub line: Arc<Line>,
    is_left: watch::Sender<bool>,
    is_suspected: AtomicBool,
}

impl Engine {
    fn new(pool: Pool, eager: usize, most: usize) -> Arc<Self> {
        let line = Line::new(eager, most);
        Arc::new(Self {
            pool,
            line,
            is_left: watch::Sender::new(false),
            is_suspected: AtomicBool::new(false),
        })
    }

    /// Whether nobody will be answered here any more.
    #[must_use]
    pub fn is_left(&self) -> bool {
        *self.is_left.borrow()
    }

    /// Resolves when nobody will be answered here any more.
    pub async fn left(&self) {
        // The sender lives as long as this does.
        let _ = self.is_left.subscribe().wait_for(|is_left| *is_left).await;
    }
}

struct State {
    current: Arc<Engine>,
    /// Those that somebody still waits in.
    left: Vec<Weak<Engine>>,
}

/// Holds the engine in use.
pub struct Stand {
    state: Mutex<State>,
    eager: usize,
    most: usize,
}

impl Stand {
    /// Begins with `pool`; see [`Line::new`] for the numbers.
    #[must_use]
    pub fn new(pool: Pool, eager: usize, most: usize) -> Self {
        let current = Engine::new(pool, eager, most);
        Self { state: Mutex::new(State { current, left: Vec::new() }), eager, most }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole even if a thread panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine for new work.
    #[must_use]
    pub fn current(&self) -> Arc<Engine> {
        Arc::clone(&self.lock().current)
    }

    /// Leaves `hanging` and whoever waits in it, unless that was done or too many wait already.
    pub fn leave(&self, hanging: &Arc<Engine>) {
        let mut state = self.lock();
        state.left.retain(|engine| engine.strong_count() > 0);
        if !Arc::ptr_eq(&state.current, hanging) || state.left.len() >= MOST_LEFT {
            return;
        }
        log::warn!("the database server does not answer; its connections are left, new ones are made");
        state.left.push(Arc::downgrade(hanging));
        state.current = Engine::new(hanging.pool.anew(), self.eager, self.most);
        drop(state);
        hanging.is_left.send_replace(true);
    }

    /// Finds out whether `engine` hangs, and leaves it then. Blocks for a few seconds at most; does nothing while another
    /// thread does it.
    pub fn suspect(&self, engine: &Arc<Engine>, duration: Duration) {
        if engine.is_suspected.swap(true, Ordering::AcqRel) {
            return;
        }
        match engine.pool.is_stuck(duration) {
            Ok(true) => self.leave(engine),
            Ok(false) => {}
            // Nobody accepts writes yet: there is nothing better than to wait.
            Err(error) => log::warn!("looking for the primary: {error}"),
        }
        engine.is_suspected.store(false, Ordering::Release);
    }
}
