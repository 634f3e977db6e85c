//! LISTEN and NOTIFY: PostgreSQL tells who waits that something has changed. A notification is only
//! a hint that arrives with the commit; whoever gets it reads the rows. Those sent while the
//! connection was down are lost, which is why [`Notice::Connected`] means "read everything anew".

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::pool::Connector;
use crate::{Result, StoreError};

/// Something was written to `events`; the payload is the production's id.
pub const EVENTS_CHANNEL: &str = "kinora_events";
/// There is work for the coordinator: a step is waiting, or a run is to be cancelled.
pub const WORK_CHANNEL: &str = "kinora_work";
/// There is mail to be sent.
pub const MAIL_CHANNEL: &str = "kinora_mail";

/// The primary is about to change on purpose; the payload is for how many milliseconds, at most, nothing new should be
/// begun. It ends with the next [`Notice::Connected`].
pub const PAUSE_CHANNEL: &str = "kinora_pause";

/// How often the socket is looked at; diesel gives no way to wait for it.
const POLL_INTERVAL: Duration = Duration::from_millis(25);
/// How often an idle connection is asked whether it is alive.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// Wait before connecting again. Short: work waits for a new primary, and this is who sees it first.
const RECONNECT_DELAY: Duration = Duration::from_millis(100);

/// Sends a notification when the transaction of `connection` commits.
///
/// # Errors
/// [`StoreError::Database`].
pub fn notify(connection: &mut PgConnection, channel: &str, payload: &str) -> Result<()> {
    diesel::sql_query("SELECT pg_notify($1, $2)")
        .bind::<Text, _>(channel)
        .bind::<Text, _>(payload)
        .execute(connection)?;
    Ok(())
}

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The connection stands, perhaps again: something may have been missed before.
    Connected,
    /// A notification.
    Notification {
        /// The channel it came on.
        channel: String,
        /// What it says.
        payload: String,
    },
    /// The connection is gone; it is tried again.
    Lost,
}

/// A thread that listens until it is dropped.
#[derive(Debug)]
pub struct Listener {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on `channels` and calls `handle`, which must not block, on a thread of its own.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn spawn(
        connector: Connector,
        channels: &'static [&'static str],
        mut handle: impl FnMut(Notice) + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("database-listener".to_owned()).spawn(move || {
            let mut is_told = false;
            while !stopped.load(Ordering::Relaxed) {
                let mut hear = |notice| {
                    is_told &= notice != Notice::Connected;
                    handle(notice);
                };
                if let Err(error) = listen(&connector, channels, &mut hear, &stopped) {
                    // Once for each time without a database, however often it is tried.
                    if !std::mem::replace(&mut is_told, true) {
                        log::warn!("listening to the database was interrupted: {error}");
                        handle(Notice::Lost);
                    }
                    pause(RECONNECT_DELAY, &stopped);
                }
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in there was logged by the panic hook.
            let _ = thread.join();
        }
    }
}

/// Waits, but not longer than it takes to notice that the listener is stopped.
fn pause(duration: Duration, stopped: &AtomicBool) {
    let end = Instant::now() + duration;
    while Instant::now() < end && !stopped.load(Ordering::Relaxed) {
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn listen(
    connector: &Connector,
    channels: &[&str],
    handle: &mut impl FnMut(Notice),
    stopped: &AtomicBool,
) -> Result<()> {
    let mut connection = connector.connect()?;
    for channel in channels {
        connection.batch_execute(&format!("LISTEN \"{channel}\""))?;
    }
    handle(Notice::Connected);
    let mut probed = Instant::now();
    while !stopped.load(Ordering::Relaxed) {
        let heard: Vec<_> = connection.notifications_iter().collect::<QueryResult<_>>()?;
        for notification in heard {
            handle(Notice::Notification { channel: notification.channel, payload: notification.payload });
        }
        if probed.elapsed() >= PROBE_INTERVAL {
            let read_only: bool =
                diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>("pg_is_in_recovery()"))
                    .get_result(&mut connection)?;
            if read_only {
                return Err(StoreError::Unavailable("the server has become read-only".to_owned()));
            }
            probed = Instant::now();
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}
