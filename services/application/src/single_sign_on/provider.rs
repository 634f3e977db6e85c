//! From rows to the library: ourselves towards one identity provider, and that provider.

use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::ConnectionId;
use kinora_saml::verifier::{Kind, Verifier};
use kinora_saml::{Certificate, IdentityProvider, Refusal, RefusalCode, ServiceProvider};
use kinora_store::single_sign_on::connections::{self, SamlConnection};
use kinora_store::single_sign_on::keys::{self as key_rows, SIGNING, SamlKeyRow};
use kinora_vault::MasterKeys;
use url::Url;

use super::keys;
use crate::context::Context;
use crate::error::{Problem, ProblemKind};

/// The addresses of a connection, which its provider is to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Our metadata, and our name (entity ID).
    pub metadata: String,
    /// Where responses are posted to.
    pub acs: String,
    /// Where logout messages go.
    pub logout: String,
}

impl Addresses {
    /// Those of the connection `id` at the address at which people open Kinora.
    #[must_use]
    pub fn of(public_url: &Url, id: ConnectionId) -> Self {
        let at = |name: &str| format!("{public_url}saml/{id}/{name}");
        Self { metadata: at("metadata"), acs: at("acs"), logout: at("logout") }
    }
}

/// Metadata in the database was verified when it came, so that nothing is left to verify when it is read.
struct WasVerified;

impl Verifier for WasVerified {
    fn verify(&self, _: Kind, _: &str, _: &[Certificate]) -> Result<String, Refusal> {
        Err(Refusal::with(RefusalCode::Internal, "stored metadata is not verified again"))
    }
}

/// The identity provider that stored metadata describes.
///
/// # Errors
/// The refusal: the metadata may have expired meanwhile.
pub fn read_stored(metadata: &str, now: DateTime<Utc>) -> Result<IdentityProvider, Refusal> {
    IdentityProvider::from_metadata(metadata.as_bytes(), &[], &WasVerified, now)
}

/// Ourselves, as the provider of a connection with these keys sees us.
///
/// # Errors
/// If a key does not open.
pub fn service(
    public_url: &Url,
    master_keys: &MasterKeys,
    id: ConnectionId,
    rows: &[SamlKeyRow],
) -> Result<ServiceProvider, Problem> {
    let open = |row: &SamlKeyRow| keys::open(master_keys, row).map_err(Problem::internal);
    let signing = rows.iter().find(|row| row.role == SIGNING);
    let signing = signing.ok_or_else(|| Problem::internal(format!("connection {id} has no key")))?;
    let other = rows.iter().find(|row| row.role != SIGNING);
    let addresses = Addresses::of(public_url, id);
    Ok(ServiceProvider {
        entity_id: addresses.metadata,
        acs_url: addresses.acs,
        logout_url: addresses.logout,
        key: open(signing)?,
        other_key: other.map(open).transpose()?,
    })
}

/// A connection, ready to be used.
#[derive(Clone, Debug)]
pub struct Ours {
    /// Its row.
    pub connection: SamlConnection,
    /// Ourselves.
    pub service: ServiceProvider,
    /// The identity provider.
    pub provider: IdentityProvider,
}

impl Ours {
    /// The connection `id`, whether it is enabled or not, and whoever asks.
    ///
    /// # Errors
    /// Not found; conflict, with a sentence, if it has no metadata or its metadata has expired.
    pub async fn load(context: &Context, id: ConnectionId) -> Result<Self, Problem> {
        let (row, rows) = context
            .database
            .read(move |connection| {
                let row = connections::find(connection, id)?;
                let rows = key_rows::of(connection, id)?;
                Ok::<_, kinora_store::StoreError>((row, rows))
            })
            .await?;
        let connection = row.ok_or_else(Problem::not_found)?;
        let metadata = connection.metadata.as_deref().ok_or_else(|| {
            Problem::new(
                ProblemKind::Conflict,
                "This connection is not set up yet: the identity provider's metadata is missing.",
            )
        })?;
        let provider = read_stored(metadata, Utc::now())
            .map_err(|refusal| Problem::new(ProblemKind::Conflict, refusal.to_string()))?;
        let service = service(&context.settings.public_url, &context.master_keys, id, &rows)?;
        Ok(Self { connection, service, provider })
    }

    /// As the library takes it.
    #[must_use]
    pub fn saml<'a>(&'a self, verifier: &'a dyn Verifier) -> kinora_saml::Connection<'a> {
        kinora_saml::Connection {
            service: &self.service,
            provider: &self.provider,
            verifier,
            clock_skew: TimeDelta::seconds(i64::from(self.connection.clock_skew_seconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_below_the_public_one() {
        let id = ConnectionId::new();
        let url = Url::parse("https://kinora.example:8443").unwrap();
        let addresses = Addresses::of(&url, id);
        assert_eq!(addresses.metadata, format!("https://kinora.example:8443/saml/{id}/metadata"));
        assert_eq!(addresses.acs, format!("https://kinora.example:8443/saml/{id}/acs"));
        assert_eq!(addresses.logout, format!("https://kinora.example:8443/saml/{id}/logout"));
    }
}
