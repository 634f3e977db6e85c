//! Sending: one channel per kind of publisher, opened anew when it or its connection breaks.

use std::time::Duration;

use chrono::Utc;
use kinora_core::message::Envelope;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Confirmation};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::BusError;
use crate::channel::OpenChannel;
use crate::connection::Link;

/// Longest wait for the broker to have a message safely.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);
/// AMQP delivery modes.
const TRANSIENT: u8 = 1;
const PERSISTENT: u8 = 2;

pub(crate) struct Publisher {
    link: Link,
    is_confirmed: bool,
    channel: Mutex<Option<OpenChannel>>,
}

impl Publisher {
    pub(crate) fn new(link: Link, is_confirmed: bool) -> Self {
        Self { link, is_confirmed, channel: Mutex::new(None) }
    }

    /// Sends `body` in an envelope. A confirming publisher returns when the broker has it safely.
    pub(crate) async fn publish<T: Serialize + Sync>(
        &self,
        exchange: &str,
        key: &str,
        body: &T,
        mandatory: bool,
    ) -> Result<(), BusError> {
        let payload = serde_json::to_vec(&Envelope::new(body, Utc::now()))?;
        let sending = self.send(exchange, key, &payload, mandatory);
        let result =
            tokio::time::timeout(CONFIRM_TIMEOUT, sending).await.unwrap_or(Err(BusError::NotConfirmed));
        if matches!(result, Err(BusError::Broker(_) | BusError::NotConfirmed)) {
            self.channel.lock().await.take();
        }
        result
    }

    async fn send(&self, exchange: &str, key: &str, payload: &[u8], mandatory: bool) -> Result<(), BusError> {
        let channel = self.channel().await?;
        let mode = if self.is_confirmed { PERSISTENT } else { TRANSIENT };
        let properties =
            BasicProperties::default().with_delivery_mode(mode).with_content_type("application/json".into());
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        let confirm =
            channel.basic_publish(exchange.into(), key.into(), options, payload, properties).await?;
        if !self.is_confirmed {
            return Ok(());
        }
        match confirm.await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err(BusError::Unroutable),
            Confirmation::Nack(_) => Err(BusError::Refused),
            Confirmation::NotRequested => Err(BusError::NotConfirmed),
        }
    }

    async fn channel(&self) -> Result<OpenChannel, BusError> {
        let mut channel = self.channel.lock().await;
        if let Some(channel) = channel.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let connection = self.link.current().ok_or(BusError::NotConnected)?;
        let fresh = self.link.open_channel(&connection).await?;
        if self.is_confirmed {
            fresh.confirm_select(ConfirmSelectOptions::default()).await?;
        }
        *channel = Some(fresh.clone());
        Ok(fresh)
    }
}
