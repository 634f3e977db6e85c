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
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use kinora_saml::ServiceKey;
    use kinora_store::single_sign_on::keys::OTHER;
    use uuid::Uuid;

    use super::super::provider::read_stored;
    use super::*;

    const NOTHING: [(Ending, i64); 0] = [];

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn connection(metadata: Option<&str>) -> SamlConnection {
        SamlConnection {
            id: Uuid::nil(),
            organisation_id: Uuid::nil(),
            name: "Studio".to_owned(),
            enabled: true,
            metadata: metadata.map(str::to_owned),
            entity_id: None,
            metadata_url: None,
            fetched_at: None,
            fetch_tried_at: None,
            fetch_error: None,
            metadata_signer: None,
            clock_skew_seconds: 60,
            allow_unsolicited: false,
            force_sign_in: false,
            contexts: Vec::new(),
            name_id_format: None,
            request_binding: None,
            single_logout: false,
            subject_attribute: None,
            email_attribute: None,
            name_attribute: None,
            groups_attribute: None,
            admits_everyone: true,
            created_at: now(),
            updated_at: now(),
            revision: 1,
        }
    }

    /// Our certificate of a role, which ends after so many days.
    fn own(role: &str, days: i64) -> SamlKeyRow {
        SamlKeyRow {
            id: Uuid::nil(),
            connection_id: Uuid::nil(),
            role: role.to_owned(),
            master_key_id: String::new(),
            sealed_key: String::new(),
            certificate: role.as_bytes().to_vec(),
            not_after: now() + TimeDelta::days(days),
            created_at: now(),
        }
    }

    /// A provider's metadata that hold for so many days, with certificates that hold for so many.
    fn metadata(days: i64, certificates: &[u32]) -> String {
        let keys: String = certificates
            .iter()
            .map(|days| {
                let key = ServiceKey::generate("provider", now(), *days).unwrap();
                let der = STANDARD.encode(key.certificate().der());
                format!(
                    "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der}\
                     </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
                )
            })
            .collect();
        let until = (now() + TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ");
        format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\"https://idp.example\" validUntil=\"{until}\">\
             <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}\
             <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
             Location=\"https://idp.example/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
        )
    }

    /// What ends soon, and in how many days.
    fn found(row: &SamlConnection, keys: &[SamlKeyRow]) -> Vec<(Ending, i64)> {
        let provider = row.metadata.as_deref().map(|text| read_stored(text, now()).unwrap());
        let all = warnings(row, provider.as_ref(), keys, now());
        all.into_iter().map(|warning| (warning.what, warning.days_left)).collect()
    }

    #[test]
    fn our_own_certificate_is_warned_of_when_we_sign_with_it() {
        for (days, warned) in [(31, false), (30, true), (1, true), (0, true), (-3, true)] {
            let expected = if warned { vec![(Ending::OwnCertificate, days)] } else { Vec::new() };
            assert_eq!(found(&connection(None), &[own(SIGNING, days)]), expected, "{days}");
        }
        // The next one, or the former one, signs nothing.
        assert_eq!(found(&connection(None), &[own(OTHER, 3), own(SIGNING, 400)]), NOTHING);
    }

    #[test]
    fn metadata_is_warned_of_when_nobody_renews_it() {
        let text = metadata(10, &[400]);
        let pasted = connection(Some(&text));
        assert_eq!(found(&pasted, &[]), [(Ending::ProviderMetadata, 10)]);
        let fetched =
            SamlConnection { metadata_url: Some("https://idp.example/m".to_owned()), ..pasted.clone() };
        assert_eq!(found(&fetched, &[]), NOTHING);
        let failing = SamlConnection { fetch_error: Some("It is gone.".to_owned()), ..fetched };
        assert_eq!(found(&failing, &[]), [(Ending::ProviderMetadata, 10)]);
        assert_eq!(found(&connection(Some(&metadata(31, &[400]))), &[]), NOTHING);
    }

    #[test]
    fn the_first_end_is_named_first_and_of_the_providers_certificates_the_last() {
        let text = metadata(20, &[2, 9]);
        let expected =
            [(Ending::OwnCertificate, 5), (Ending::ProviderCertificate, 9), (Ending::ProviderMetadata, 20)];
        assert_eq!(found(&connection(Some(&text)), &[own(SIGNING, 5)]), expected);
        assert_eq!(found(&connection(Some(&metadata(90, &[2, 60]))), &[own(SIGNING, 60)]), NOTHING);
    }

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
