//! Receiving: a stream of messages that outlives the connection it comes over.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, StreamExt};
use kinora_core::message::{ENVELOPE_VERSION, Envelope};
use lapin::Acker;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
    BasicRejectOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::BusError;
use crate::channel::OpenChannel;
use crate::connection::{Backoff, Link};

/// Where messages come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A queue that is shared; messages are acknowledged.
    Queue(String),
    /// A queue of our own on a fanout exchange; messages are gone once they are sent to us.
    Fanout(String),
}

/// A message, and the duty to say what became of it. Dropped without a word it is delivered again,
/// but only when the connection ends.
#[derive(Debug)]
pub struct Delivery<T> {
    /// What it says.
    pub body: T,
    /// When it was written, by the sender's clock.
    pub sent_at: DateTime<Utc>,
    /// Whether it, or an attempt at it, may have been seen before.
    pub is_redelivered: bool,
    acker: Option<Acker>,
    /// Keeps the channel open until the message is settled.
    _channel: OpenChannel,
}

impl<T> Delivery<T> {
    /// It is done with. An error means that it will be delivered again.
    ///
    /// # Errors
    /// [`BusError`] if the connection is gone.
    pub async fn acknowledge(&self) -> Result<(), BusError> {
        match &self.acker {
            Some(acker) => settled(acker.ack(BasicAckOptions::default()).await?),
            None => Ok(()),
        }
    }

    /// Somebody else shall do it. Counts as a delivery.
    ///
    /// # Errors
    /// [`BusError`] if the connection is gone, which has the same effect.
    pub async fn hand_back(&self) -> Result<(), BusError> {
        match &self.acker {
            Some(acker) => {
                settled(acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await?)
            }
            None => Ok(()),
        }
    }

    /// Nobody can do it: it goes to the dead letters.
    ///
    /// # Errors
    /// [`BusError`] if the connection is gone; it will be delivered again.
    pub async fn refuse(&self) -> Result<(), BusError> {
        match &self.acker {
            Some(acker) => settled(acker.reject(BasicRejectOptions { requeue: false }).await?),
            None => Ok(()),
        }
    }
}

fn settled(done: bool) -> Result<(), BusError> {
    if done { Ok(()) } else { Err(BusError::NotConnected) }
}

/// The part of an envelope that all versions have.
#[derive(Deserialize)]
struct Header {
    version: u16,
}

fn decode<T: DeserializeOwned>(data: &[u8]) -> Result<Envelope<T>, String> {
    let header: Header = serde_json::from_slice(data).map_err(|error| format!("no envelope: {error}"))?;
    if header.version > ENVELOPE_VERSION {
        return Err(format!("envelope version {} is newer than {ENVELOPE_VERSION}", header.version));
    }
    serde_json::from_slice(data).map_err(|error| format!("not understood: {error}"))
}

struct Subscription {
    channel: OpenChannel,
    stream: lapin::Consumer,
}

/// Messages, one after the other, over as many connections as it takes.
pub struct Consumer<T> {
    link: Link,
    source: Source,
    prefetch: u16,
    stop: CancellationToken,
    subscription: Option<Subscription>,
    backoff: Backoff,
    body: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Consumer<T> {
    pub(crate) fn new(link: Link, source: Source, prefetch: u16, stop: CancellationToken) -> Self {
        Self {
            link,
            source,
            prefetch,
            stop,
            subscription: None,
            backoff: Backoff::default(),
            body: PhantomData,
        }
    }

    /// Waits until the broker knows this consumer, so that what is sent from now on arrives; at once
    /// if it is stopped.
    pub async fn subscribed(&mut self) {
        let stop = self.stop.clone();
        stop.run_until_cancelled(self.ensure_subscribed()).await;
    }

    /// The next message; none once `stop` was cancelled. Messages that cannot be understood, or come
    /// from a later release, go to the dead letters and are not given out.
    pub async fn next(&mut self) -> Option<Delivery<T>> {
        let stop = self.stop.clone();
        loop {
            let Some(received) = stop.run_until_cancelled(self.receive()).await else {
                self.wind_down().await;
                return None;
            };
            let Some((delivery, channel)) = received else {
                self.subscription = None;
                self.backoff.pause().await;
                continue;
            };
            let is_acknowledged = matches!(self.source, Source::Queue(_));
            match decode::<T>(&delivery.data) {
                Ok(envelope) => {
                    return Some(Delivery {
                        body: envelope.body,
                        sent_at: envelope.sent_at,
                        is_redelivered: delivery.redelivered,
                        acker: is_acknowledged.then_some(delivery.acker),
                        _channel: channel,
                    });
                }
                Err(reason) => {
                    log::error!(source:? = self.source, reason; "a message was refused");
                    metrics::counter!("kinora_bus_refused_messages_total").increment(1);
                    if is_acknowledged
                        && let Err(error) = delivery.acker.reject(BasicRejectOptions { requeue: false }).await
                    {
                        log::debug!("the refusal was not sent: {error}");
                    }
                }
            }
        }
    }

    /// One raw message; none if the subscription has ended.
    async fn receive(&mut self) -> Option<(lapin::message::Delivery, OpenChannel)> {
        self.ensure_subscribed().await;
        let subscription = self.subscription.as_mut()?;
        match subscription.stream.next().await {
            Some(Ok(delivery)) => Some((delivery, subscription.channel.clone())),
            Some(Err(error)) => {
                log::debug!(source:? = self.source; "a subscription has ended: {error}");
                None
            }
            None => None,
        }
    }

    async fn ensure_subscribed(&mut self) {
        while self.subscription.is_none() {
            match self.subscribe().await {
                Ok(subscription) => {
                    self.subscription = Some(subscription);
                    self.backoff.reset();
                }
                Err(error) => {
                    log::warn!(source:? = self.source; "cannot subscribe: {error}");
                    self.link.repair().await;
                    self.backoff.pause().await;
                }
            }
        }
    }

    async fn subscribe(&self) -> Result<Subscription, BusError> {
        let connection = self.link.wait().await;
        let channel = self.link.open_channel(&connection).await?;
        if self.prefetch > 0 {
            channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
        }
        let mut options = BasicConsumeOptions::default();
        let queue = match &self.source {
            Source::Queue(queue) => queue.as_str().into(),
            Source::Fanout(exchange) => {
                options.no_ack = true;
                options.exclusive = true;
                let own = QueueDeclareOptions {
                    exclusive: true,
                    auto_delete: true,
                    ..QueueDeclareOptions::default()
                };
                let queue = channel.queue_declare("".into(), own, FieldTable::default()).await?;
                channel
                    .queue_bind(
                        queue.name().clone(),
                        exchange.as_str().into(),
                        "".into(),
                        QueueBindOptions::default(),
                        FieldTable::default(),
                    )
                    .await?;
                queue.name().clone()
            }
        };
        let stream = channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?;
        Ok(Subscription { channel, stream })
    }

    /// Stops the flow and hands back what was sent to us ahead of time. Messages that were given out
    /// keep the channel open until they are settled.
    async fn wind_down(&mut self) {
        let Some(Subscription { channel, mut stream }) = self.subscription.take() else { return };
        if let Err(error) = channel.basic_cancel(stream.tag(), BasicCancelOptions::default()).await {
            log::debug!("a subscription could not be ended: {error}");
            return;
        }
        while let Some(Some(Ok(delivery))) = stream.next().now_or_never() {
            let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            if matches!(self.source, Source::Queue(_)) && delivery.acker.nack(requeue).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_and_foreign_messages_are_not_understood() {
        let text = r#"{"version":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","sent_at":"2026-01-01T00:00:00Z","body":7}"#;
        assert_eq!(decode::<u32>(text.as_bytes()).unwrap().body, 7);
        let newer = text.replace("\"version\":1", "\"version\":2");
        assert!(decode::<u32>(newer.as_bytes()).unwrap_err().contains("newer"));
        assert!(decode::<u32>(b"hello").unwrap_err().contains("no envelope"));
        assert!(decode::<bool>(text.as_bytes()).unwrap_err().contains("not understood"));
    }
}
