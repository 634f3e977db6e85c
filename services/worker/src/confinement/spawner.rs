//! One thread that starts all children.
//!
//! `--die-with-parent` makes the kernel kill the sandbox when the *thread* that started it ends
//! (`PR_SET_PDEATHSIG`). Tokio's threads may end while the process lives on, so children are started
//! by a thread that lives as long as the process.

use std::process::Command;

use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};

type Order = (Command, oneshot::Sender<std::io::Result<Child>>);

/// A handle to the thread; the thread ends with the last handle.
#[derive(Clone, Debug)]
pub struct Spawner {
    orders: mpsc::UnboundedSender<Order>,
}

impl Spawner {
    /// Starts the thread.
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().map_err(std::io::Error::other)?;
        let (orders, mut incoming) = mpsc::unbounded_channel::<Order>();
        std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            let _entered = runtime.enter();
            while let Some((command, answer)) = incoming.blocking_recv() {
                let mut command = tokio::process::Command::from(command);
                // Nobody waiting for the answer: the child is dropped and thereby killed.
                let _ = answer.send(command.kill_on_drop(true).spawn());
            }
        })?;
        Ok(Self { orders })
    }

    /// Starts a child, which is killed when it is dropped.
    pub(super) async fn spawn(&self, command: Command) -> std::io::Result<Child> {
        let gone = || std::io::Error::other("the thread that starts children has ended");
        let (answer, started) = oneshot::channel();
        self.orders.send((command, answer)).map_err(|_| gone())?;
        started.await.map_err(|_| gone())?
    }
}
