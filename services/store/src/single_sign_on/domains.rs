//! E-mail domains of organisations: whoever signs in with an address in one is sent to the organisation's provider.
//!
//! Owners name domains; the installation's operator says whether they are theirs. An installation without internet
//! has no DNS to ask, and whoever runs it knows the studio.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::{ConnectionId, DomainId, OrganisationId};
use serde_json::json;
use uuid::Uuid;

use super::connections;
use crate::audit::{self, Act, Origin};
use crate::schema::{organisation_domains, organisations as organisation_rows};
use crate::{Result, StoreError, organisations};

/// What domains are called in the audit trail.
const KIND: &str = "organisation_domain";
/// Most domains of one organisation.
const MOST: i64 = 50;
/// Longest domain (RFC 1035).
const LONGEST: usize = 253;
/// Longest label of a domain (RFC 1035).
const LONGEST_LABEL: usize = 63;

/// Domains at which anybody can have an address.
const PUBLIC_MAIL: [&str; 44] = [
    "126.com",
    "163.com",
    "aol.com",
    "comcast.net",
    "fastmail.com",
    "foxmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hushmail.com",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "tutanota.com",
    "wanadoo.fr",
    "web.de",
    "yahoo.com",
    "yandex.ru",
    "zoho.com",
];

/// A domain as it is stored, from what somebody has typed.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn parse(text: &str) -> Result<String, &'static str> {
    let domain = text.trim().trim_start_matches('@').trim_end_matches('.').to_lowercase();
    if domain.contains('*') {
        return Err("must be one domain; name each one by itself, without *");
    }
    if !domain.is_ascii() || domain.split('.').any(|label| label.starts_with("xn--")) {
        return Err("must consist of the letters a to z, digits and hyphens: \
             domains in other scripts can be made to look like somebody else's");
    }
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let has_letters = labels.last().is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_alphabetic()));
    if domain.len() > LONGEST
        || labels.len() < 2
        || !labels.iter().all(|label| is_label(label))
        || !has_letters
    {
        return Err("must be a domain such as studio.example");
    }
    if PUBLIC_MAIL.contains(&domain.as_str()) {
        return Err("must belong to the organisation: anybody can have an address at this one");
    }
    Ok(domain)
}

/// A domain of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = organisation_domains, check_for_backend(diesel::pg::Pg))]
pub struct Domain {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub organisation_id: Uuid,
    /// The domain, in lower case.
    pub domain: String,
    /// When it was named.
    pub created_at: DateTime<Utc>,
    /// When the operator confirmed it; none: it has no effect.
    pub verified_at: Option<DateTime<Utc>>,
    /// The connection that its people sign in through; none: the organisation's oldest that is switched on.
    pub connection_id: Option<Uuid>,
    /// Counts its changes.
    pub revision: i64,
}

/// The domains of an organisation, by name.
///
/// # Errors
/// If the database fails.
pub fn list(connection: &mut PgConnection, organisation: OrganisationId) -> Result<Vec<Domain>> {
    Ok(organisation_domains::table
        .filter(organisation_domains::organisation_id.eq(organisation.0))
        .order(organisation_domains::domain)
        .select(Domain::as_select())
        .load(connection)?)
}

/// Whether a domain is one of the organisation's that the operator has confirmed.
///
/// # Errors
/// If the database fails.
pub fn is_verified(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    domain: &str,
) -> Result<bool> {
    let verified = organisation_domains::table
        .filter(organisation_domains::organisation_id.eq(organisation.0))
        .filter(organisation_domains::domain.eq(domain.to_lowercase()))
        .filter(organisation_domains::verified_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(verified)).get_result(connection)?)
}

/// Names a domain, which [`parse`] has taken. Whether another organisation has it shows nowhere.
///
/// # Errors
/// [`StoreError::Conflict`] if the organisation has it, or very many.
pub fn add(
    connection: &mut PgConnection,
    origin: &Origin,
    organisation: OrganisationId,
    domain: &str,
) -> Result<Domain> {
    let _ = organisations::find_for_update(connection, organisation)?;
    let present = list(connection, organisation)?;
    if present.iter().any(|other| other.domain == domain) {
        return Err(StoreError::Conflict("The organisation has this domain already.".to_owned()));
    }
    if i64::try_from(present.len()).unwrap_or(i64::MAX) >= MOST {
        return Err(StoreError::Conflict(format!("An organisation has at most {MOST} domains.")));
    }
    let id = DomainId::new();
    let made = diesel::insert_into(organisation_domains::table)
        .values((
            organisation_domains::id.eq(id.0),
            organisation_domains::organisation_id.eq(organisation.0),
            organisation_domains::domain.eq(domain),
        ))
        .returning(Domain::as_returning())
        .get_result(connection)?;
    let act = Act::new("organisation_domain.added", KIND, id, domain).in_organisation(organisation);
    audit::record(connection, origin, act.after(json!({ "domain": domain })))?;
    Ok(made)
}

/// Says which of the organisation's connections the people of a domain sign in through; none: the oldest one that is
/// switched on. `is_expected` says whether the stored revision is one that the caller has seen.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such domain or connection in the organisation;
/// [`StoreError::RevisionMismatch`].
pub fn lead_to(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, DomainId),
    is_expected: impl FnOnce(i64) -> bool,
    target: Option<ConnectionId>,
) -> Result<Domain> {
    let name = match target {
        Some(target) => Some(connections::find_in(connection, organisation, target)?.name),
        None => None,
    };
    let row = organisation_domains::table
        .find(id.0)
        .filter(organisation_domains::organisation_id.eq(organisation.0));
    let stored: Domain = row.select(Domain::as_select()).for_update().first(connection)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    let target = target.map(|target| target.0);
    if stored.connection_id == target {
        return Ok(stored);
    }
    let changed: Domain = diesel::update(organisation_domains::table.find(id.0))
        .set((
            organisation_domains::connection_id.eq(target),
            organisation_domains::revision.eq(stored.revision + 1),
        ))
        .returning(Domain::as_returning())
        .get_result(connection)?;
    let act = Act::new("organisation_domain.led", KIND, id, &changed.domain).in_organisation(organisation);
    let before = json!({ "connection_id": stored.connection_id });
    let after = json!({ "connection_id": changed.connection_id, "connection": name });
    audit::record(connection, origin, act.before(before).after(after))?;
    Ok(changed)
}

/// Leads the domains of a connection that is about to go to the organisation's oldest one.
pub(super) fn lead_away(connection: &mut PgConnection, from: ConnectionId) -> Result<()> {
    diesel::update(organisation_domains::table.filter(organisation_domains::connection_id.eq(from.0)))
        .set((
            organisation_domains::connection_id.eq(None::<Uuid>),
            organisation_domains::revision.eq(organisation_domains::revision + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Takes a domain away. Nobody is sent to the provider for it any more.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn remove(
    connection: &mut PgConnection,
    origin: &Origin,
    organisation: OrganisationId,
    id: DomainId,
) -> Result<()> {
    let removed: Domain = diesel::delete(
        organisation_domains::table
            .find(id.0)
            .filter(organisation_domains::organisation_id.eq(organisation.0)),
    )
    .returning(Domain::as_returning())
    .get_result(connection)?;
    let act =
        Act::new("organisation_domain.removed", KIND, id, &removed.domain).in_organisation(organisation);
    let before = json!({ "domain": removed.domain, "verified": removed.verified_at.is_some() });
    audit::record(connection, origin, act.before(before))
}

/// A domain with its organisation, as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDomain {
    /// The domain.
    pub domain: Domain,
    /// The organisation's name.
    pub organisation: String,
}

/// All domains of the installation, by name.
///
/// # Errors
/// If the database fails.
pub fn list_all(connection: &mut PgConnection) -> Result<Vec<NamedDomain>> {
    let rows: Vec<(Domain, String)> = organisation_domains::table
        .inner_join(
            organisation_rows::table.on(organisation_rows::id.eq(organisation_domains::organisation_id)),
        )
        .order((organisation_domains::domain, organisation_domains::id))
        .select((Domain::as_select(), organisation_rows::name))
        .load(connection)?;
    Ok(rows.into_iter().map(|(domain, organisation)| NamedDomain { domain, organisation }).collect())
}

/// The one row that an operator means.
fn find_meant(
    connection: &mut PgConnection,
    text: &str,
    organisation: Option<OrganisationId>,
    is_meant: impl Fn(&Domain) -> bool,
) -> Result<NamedDomain> {
    let key = text.trim().to_lowercase();
    let mut found: Vec<NamedDomain> = list_all(connection)?
        .into_iter()
        .filter(|row| row.domain.domain == key && is_meant(&row.domain))
        .filter(|row| organisation.is_none_or(|id| row.domain.organisation_id == id.0))
        .collect();
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(StoreError::Conflict(format!(
            "No organisation has named the domain '{key}', or it is so already. kinoractl domain list shows them."
        ))),
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(StoreError::Conflict(format!(
            "Several organisations have named the domain '{key}'. Say which one with --organisation ID."
        ))),
    }
}

/// Confirms that a domain is the organisation's that has named it.
///
/// # Errors
/// [`StoreError::Conflict`] if nobody has named it, several have and it is not said which, or another one has it.
pub fn confirm(
    connection: &mut PgConnection,
    origin: &Origin,
    text: &str,
    organisation: Option<OrganisationId>,
) -> Result<NamedDomain> {
    connection.transaction(|connection| {
        let meant = find_meant(connection, text, organisation, |domain| domain.verified_at.is_none())?;
        set_verified(connection, origin, meant, Some(Utc::now()))
    })
}

/// Takes a confirmation back.
///
/// # Errors
/// [`StoreError::Conflict`] if the domain is not confirmed.
pub fn withdraw(connection: &mut PgConnection, origin: &Origin, text: &str) -> Result<NamedDomain> {
    connection.transaction(|connection| {
        let meant = find_meant(connection, text, None, |domain| domain.verified_at.is_some())?;
        set_verified(connection, origin, meant, None)
    })
}

fn set_verified(
    connection: &mut PgConnection,
    origin: &Origin,
    meant: NamedDomain,
    at: Option<DateTime<Utc>>,
) -> Result<NamedDomain> {
    let changed: Domain = diesel::update(organisation_domains::table.find(meant.domain.id))
        .set((
            organisation_domains::verified_at.eq(at),
            organisation_domains::revision.eq(organisation_domains::revision + 1),
        ))
        .returning(Domain::as_returning())
        .get_result(connection)
        .map_err(|error| match StoreError::from(error) {
            error if error.violated_unique_constraint().is_some() => StoreError::Conflict(
                "Another organisation has this domain. Withdraw it there first: kinoractl domain withdraw."
                    .to_owned(),
            ),
            error => error,
        })?;
    let action = if at.is_some() { "organisation_domain.confirmed" } else { "organisation_domain.withdrawn" };
    let organisation = OrganisationId(changed.organisation_id);
    let act = Act::new(action, KIND, changed.id, &changed.domain)
        .in_organisation(organisation)
        .before(json!({ "verified": meant.domain.verified_at.is_some() }))
        .after(json!({ "verified": at.is_some() }));
    audit::record(connection, origin, act)?;
    Ok(NamedDomain { domain: changed, ..meant })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_taken_as_they_are_typed() {
        for (typed, stored) in [
            ("studio.example", "studio.example"),
            (" @Studio.Example. ", "studio.example"),
            ("post.studio-7.co.uk", "post.studio-7.co.uk"),
        ] {
            assert_eq!(parse(typed), Ok(stored.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_domain_of_a_studio_is_refused_with_a_reason() {
        for (typed, word) in [
            ("*.studio.example", "*"),
            ("xn--80ak6aa92e.com", "scripts"),
            ("stüdio.example", "scripts"),
            ("mail.xn--p1ai", "scripts"),
            ("gmail.com", "anybody"),
            ("GMail.com", "anybody"),
            ("studio", "such as"),
            ("", "such as"),
            ("a..b", "such as"),
            ("-a.example", "such as"),
            ("10.0.0.1", "such as"),
            ("ada@studio.example", "such as"),
            ("studio.example/x", "such as"),
            (&format!("{}.example", "a".repeat(64)), "such as"),
            (&format!("{}example", "a.".repeat(130)), "such as"),
        ] {
            let why = parse(typed).unwrap_err();
            assert!(why.contains(word), "{typed}: {why}");
        }
        assert!(PUBLIC_MAIL.is_sorted());
    }
}
