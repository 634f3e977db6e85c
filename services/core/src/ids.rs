//! Identifiers: one newtype for each kind of thing, all UUIDv7 (RFC 9562), so that they sort by
//! creation time and an id of one kind cannot be passed where another is expected.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, unique and later in order than those made before it by this process.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a fresh id is not a neutral value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// A studio or vendor; owns people and productions.
    OrganisationId
);
id!(
    /// A person with an account.
    PersonId
);
id!(
    /// An erasure of somebody's personal data.
    ErasureId
);
id!(
    /// A film, series or programme; the unit of membership.
    ProductionId
);
id!(
    /// One thing in the library of a production.
    AssetId
);
id!(
    /// One delivered file of an asset.
    VersionId
);
id!(
    /// One encrypted object in the vault.
    ObjectId
);
id!(
    /// One resumable upload (tus).
    UploadId
);
id!(
    /// One execution of a workflow.
    RunId
);
id!(
    /// One unit of work in a run.
    StepId
);
id!(
    /// One signed-in browser or client.
    SessionId
);
id!(
    /// One API access token.
    TokenId
);
id!(
    /// One passkey or security key of a person.
    PasskeyId
);
id!(
    /// One invitation into a production.
    InvitationId
);
id!(
    /// One mail that is to go out, or has.
    MessageId
);
id!(
    /// One connection to an identity provider (SAML).
    ConnectionId
);
id!(
    /// One attempt to sign in through a connection.
    AttemptId
);
id!(
    /// One e-mail domain of an organisation.
    DomainId
);
id!(
    /// One rule that says what a group at an identity provider gives.
    GroupRuleId
);
id!(
    /// One grant that lets somebody outside an organisation see its content for a time.
    SupportGrantId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_creation_and_survive_text() {
        let ids: Vec<AssetId> = (0..100).map(|_| AssetId::new()).collect();
        assert!(ids.is_sorted());
        for id in ids {
            assert_eq!(id.to_string().parse::<AssetId>().ok(), Some(id));
        }
        assert!("01J".parse::<AssetId>().is_err());
    }
}
