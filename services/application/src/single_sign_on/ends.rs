//! What of a connection is about to end: certificates of the provider and of ours, and metadata that nobody renews.
//!
//! Owners see it on the page from 30 days before, and are told by mail once 30 and once 7 days before.

use chrono::{DateTime, TimeDelta, Utc};
use kinora_saml::IdentityProvider;
use kinora_store::single_sign_on::connections::SamlConnection;
use kinora_store::single_sign_on::keys::{SIGNING, SamlKeyRow};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// How many days before the end there is a mail.
pub(super) const WARN_DAYS: [i32; 2] = [30, 7];

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The last certificate of the provider.
    ProviderCertificate,
    /// The certificate that Kinora signs with.
    OwnCertificate,
    /// The provider's metadata, which nobody renews.
    ProviderMetadata,
}

/// Something that ends within 30 days, or has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndWarning {
    /// What.
    pub what: Ending,
    /// When.
    pub ends_at: DateTime<Utc>,
    /// Whole days until then; 0 or less: it has ended or does so today.
    pub days_left: i64,
    /// SHA-256, hexadecimal: which one.
    #[serde(skip)]
    #[schema(ignore)]
    pub digest: String,
}

/// What of a connection ends soon, the first one first.
pub(super) fn warnings(
    row: &SamlConnection,
    provider: Option<&IdentityProvider>,
    keys: &[SamlKeyRow],
    now: DateTime<Utc>,
) -> Vec<EndWarning> {
    let digest = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let mut ends = Vec::new();
    if let Some(provider) = provider {
        // As long as one of them holds, people can sign in.
        let last = provider.certificates().iter().max_by_key(|certificate| certificate.not_after);
        ends.extend(last.map(|last| (Ending::ProviderCertificate, last.not_after, last.fingerprint())));
        // What is fetched every day and names the next days only is as it should be.
        let is_renewed = row.metadata_url.is_some() && row.fetch_error.is_none();
        if let Some(end) = provider.valid_until().filter(|_| !is_renewed) {
            let text = row.metadata.as_deref().unwrap_or_default();
            ends.push((Ending::ProviderMetadata, end, digest(text.as_bytes())));
        }
    }
    let own = keys.iter().find(|key| key.role == SIGNING);
    ends.extend(own.map(|key| (Ending::OwnCertificate, key.not_after, digest(&key.certificate))));
    let longest = TimeDelta::days(i64::from(WARN_DAYS.into_iter().max().unwrap_or_default()));
    let mut soon: Vec<EndWarning> = ends
        .into_iter()
        .filter(|(_, ends_at, _)| *ends_at - now <= longest)
        .map(|(what, ends_at, digest)| {
            let days_left = (ends_at - now).num_days();
            EndWarning { what, ends_at, days_left, digest }
        })
        .collect();
    soon.sort_by_key(|warning| warning.ends_at);
    soon
}

/// Which mail is due for something that ends at `ends_at`: that of the smallest number of days that has been reached.
/// None afterwards: who is signed in no more knows it.
pub(super) fn due(ends_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<i32> {
    let left = ends_at - now;
    if left < TimeDelta::zero() {
        return None;
    }
    WARN_DAYS.into_iter().filter(|days| left <= TimeDelta::days(i64::from(*days))).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mail_has_its_time() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let hours = |hours| now + TimeDelta::hours(hours);
        for (end, days) in [
            (hours(31 * 24), None),
            (hours(30 * 24 + 1), None),
            (hours(30 * 24), Some(30)),
            (hours(8 * 24), Some(30)),
            (hours(7 * 24), Some(7)),
            (hours(1), Some(7)),
            (hours(-1), None),
        ] {
            assert_eq!(due(end, now), days, "{end}");
        }
    }
}
