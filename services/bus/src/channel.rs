//! A channel that is closed in an orderly way, and before its connection is.
//!
//! lapin closes a dropped channel by itself, but in the background: where the connection says goodbye
//! at the same moment, the two cross and lapin reports a normal end as an error of the connection.

use std::ops::Deref;
use std::sync::Arc;

use lapin::{Channel, Connection};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::BusError;

/// A channel. The last clone to be dropped closes it.
#[derive(Clone, Debug)]
pub(crate) struct OpenChannel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    channel: Channel,
    closings: TaskTracker,
}

impl OpenChannel {
    /// Opens one; `closings` gets the task that closes it again.
    pub(crate) async fn open(connection: &Connection, closings: &TaskTracker) -> Result<Self, BusError> {
        let channel = connection.create_channel().await?;
        Ok(Self(Arc::new(Inner { channel, closings: closings.clone() })))
    }
}

impl Deref for OpenChannel {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.0.channel
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Outside of the runtime nobody waits for the connection's goodbye either.
        let Ok(runtime) = Handle::try_current() else { return };
        let channel = self.channel.clone();
        self.closings.spawn_on(
            async move {
                if channel.status().connected()
                    && let Err(error) = channel.close(200, "no longer needed".into()).await
                {
                    log::debug!("a channel was not closed: {error}");
                }
            },
            &runtime,
        );
    }
}
