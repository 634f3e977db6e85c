//! What can go wrong between us and the broker.

/// Why something was not sent or received.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The settings cannot be used.
    #[error("broker settings: {0}")]
    Settings(String),
    /// There is no connection at this moment.
    #[error("no connection to the broker")]
    NotConnected,
    /// The broker did not confirm in time.
    #[error("the broker has not confirmed in time")]
    NotConfirmed,
    /// The broker refused the message, as its queue is full.
    #[error("the broker has refused the message")]
    Refused,
    /// There is no queue for the message.
    #[error("the broker has no queue for the message")]
    Unroutable,
    /// A message could not be written as JSON.
    #[error("a message cannot be written: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Any other failure of the broker or the connection.
    #[error("broker: {0}")]
    Broker(#[from] lapin::Error),
}
