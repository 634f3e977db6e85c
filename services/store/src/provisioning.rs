//! What identity providers provision (SCIM 2.0, RFC 7643): users and groups of a connection.
//!
//! A provisioned user has an account under exactly the rules of [`crate::single_sign_on::admission`]: of an address in a
//! domain of the organisation, and nobody's who has roles elsewhere, nor an owner's, unless it was joined with the
//! connection before. Groups give what the connection's rules say, at once. Where a connection has provisioned groups,
//! those decide about its provisioned people, at their sign-in too, whatever an assertion says of groups.
//!
//! Every change of a connection's organisation waits for the one before it: the organisation's row is locked first.

pub mod groups;
pub mod standing;
pub mod tokens;
pub mod users;

use diesel::prelude::*;
use kinora_core::{ConnectionId, OrganisationId};
use uuid::Uuid;

use crate::schema::organisations;
use crate::{Result, StoreError};

/// Most users of one connection.
pub const MOST_USERS: i64 = 20_000;
/// Most groups of one connection.
pub const MOST_GROUPS: i64 = 2_000;

/// Whose provider provisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name, for the audit trail.
    pub connection_name: String,
    /// The organisation.
    pub organisation: OrganisationId,
    /// Whether people in none of the groups become members as well.
    pub admits_everyone: bool,
}

/// Why something is not provisioned.
#[derive(Debug, thiserror::Error)]
pub enum ProvisioningError {
    /// There is already one of this name, or the account is another user's.
    #[error("{0}")]
    Uniqueness(String),
    /// The state of the account does not allow it.
    #[error("{0}")]
    Refused(String),
    /// A member names no user of the connection.
    #[error("{0}")]
    NoMember(String),
    /// Everything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for ProvisioningError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The result of provisioning.
pub type Provisioned<T> = std::result::Result<T, ProvisioningError>;

/// Part of a list: which rows, and how many there are at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// How many are left out.
    pub offset: i64,
    /// How many are given at most.
    pub limit: i64,
}

/// Makes all changes of an organisation's provisioned people wait for each other. Rows that only refer to the
/// organisation can be written meanwhile: whoever signs in holds their own account and needs that.
fn lock(connection: &mut PgConnection, source: &Source) -> Result<()> {
    let _: Uuid = organisations::table
        .find(source.organisation.0)
        .select(organisations::id)
        .for_no_key_update()
        .first(connection)?;
    Ok(())
}
