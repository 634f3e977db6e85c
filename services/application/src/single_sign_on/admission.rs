//! From what an identity provider says of a person to what that is here: who they are, how they are called, and what their
//! groups give.

use std::collections::BTreeMap;

use kinora_core::mail::is_address;
use kinora_core::permission::{OrganisationRole, ProductionRoles};
use kinora_core::{ConnectionId, GroupRuleId, OrganisationId, PersonId, ProductionId};
use kinora_saml::{Identity, NameId, names};
use kinora_store::single_sign_on::admission::{Arrival, Grants};
use kinora_store::single_sign_on::connections::SamlConnection;
use kinora_store::single_sign_on::rules::{self, GroupRule};
use kinora_store::single_sign_on::sessions::StoredName;
use serde::Serialize;
use serde_json::{Value, json};

use super::refused::Code;

/// Attributes with the e-mail address, if the connection names none.
const ADDRESSES: [&str; 5] = [
    "mail",
    "email",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "emailAddress",
];
/// Attributes with the name.
const NAMES: [&str; 6] = [
    "displayName",
    "name",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "cn",
];
/// Attributes with first and last name, where no whole name comes.
const PARTS_OF_NAME: [(&str, &str); 5] = [
    ("firstName", "lastName"),
    ("givenName", "sn"),
    ("givenName", "surname"),
    (
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    ),
    ("urn:oid:2.5.4.42", "urn:oid:2.5.4.4"),
];
/// Attributes with groups.
const GROUPS: [&str; 6] = [
    "groups",
    "memberOf",
    "Role",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
    "http://schemas.xmlsoap.org/claims/Group",
];
/// Longest name of a person, characters.
const LONGEST_NAME: usize = 200;
/// Longest subject as it is stored, characters.
const LONGEST_SUBJECT: usize = 2048;

/// Roles in a production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MappedProduction {
    /// The production.
    pub production_id: ProductionId,
    /// The roles.
    pub roles: ProductionRoles,
}

/// What a person would be here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapped {
    /// The stable identity, as it is stored.
    #[serde(skip)]
    pub subject: Option<String>,
    /// Why there is none: a code.
    pub subject_refusal: Option<Code>,
    /// The value that is the stable identity.
    pub subject_value: Option<String>,
    /// The attribute that it is of; none: the `NameID`.
    pub subject_attribute: Option<String>,
    /// The e-mail address, which is the login.
    pub address: Option<String>,
    /// The name.
    pub display_name: Option<String>,
    /// All groups that came.
    pub groups: Vec<String>,
    /// The rules that match.
    pub matched_rules: Vec<GroupRuleId>,
    /// The role in the organisation; none: they are not let in.
    pub organisation_role: Option<OrganisationRole>,
    /// Roles in productions.
    pub productions: Vec<MappedProduction>,
}

/// What this person would be here, by the rules of the connection.
#[must_use]
pub fn map(connection: &SamlConnection, rules: &[GroupRule], identity: &Identity) -> Mapped {
    let (subject, subject_value, subject_refusal) = match subject(connection, identity) {
        Ok((stored, shown)) => (Some(stored), Some(shown), None),
        Err(code) => (None, None, Some(code)),
    };
    let groups = groups(connection, identity);
    let matched: Vec<&GroupRule> = rules.iter().filter(|rule| groups.contains(&rule.group_name)).collect();
    let (role, productions) = match rules::grants(matched.iter().copied(), connection.admits_everyone) {
        Some(Grants { role, productions }) => (Some(role), productions),
        None => (None, BTreeMap::new()),
    };
    Mapped {
        subject,
        subject_refusal,
        subject_value,
        subject_attribute: connection.subject_attribute.clone(),
        address: address(connection, identity),
        display_name: display_name(connection, identity),
        groups,
        matched_rules: matched.iter().map(|rule| rule.id).collect(),
        organisation_role: role,
        productions: productions
            .into_iter()
            .map(|(production_id, roles)| MappedProduction { production_id, roles })
            .collect(),
    }
}

/// Who it is, once and for all: as it is stored, and the value. The stored form says where the value comes from, so that
/// the same value of another attribute is somebody else.
fn subject(connection: &SamlConnection, identity: &Identity) -> Result<(String, String), Code> {
    let (stored, shown) = match &connection.subject_attribute {
        Some(name) => {
            let mut values = identity.values(name);
            match (values.next(), values.next()) {
                (Some(value), None) if !value.trim().is_empty() => {
                    (json!(["attribute", name, value]), value.to_owned())
                }
                _ => return Err(Code::NoSubject),
            }
        }
        None => {
            let NameId { value, format, name_qualifier, sp_name_qualifier } = &identity.name_id;
            if format == names::NAME_ID_TRANSIENT {
                return Err(Code::TransientSubject);
            }
            (json!(["name_id", format, name_qualifier, sp_name_qualifier, value]), value.clone())
        }
    };
    let stored = stored.to_string();
    if stored.chars().count() > LONGEST_SUBJECT || stored.contains("\\u0000") {
        return Err(Code::NoSubject);
    }
    Ok((stored, shown))
}

/// The first value of the connection's attribute, or of the usual ones.
fn first<'a>(identity: &'a Identity, chosen: Option<&'a String>, usual: &'a [&'a str]) -> Option<&'a str> {
    let own = chosen.map(|name| vec![name.as_str()]);
    let names = own.unwrap_or_else(|| usual.to_vec());
    names.into_iter().find_map(|name| identity.values(name).map(str::trim).find(|value| !value.is_empty()))
}

fn address(connection: &SamlConnection, identity: &Identity) -> Option<String> {
    let named = first(identity, connection.email_attribute.as_ref(), &ADDRESSES);
    let is_name = identity.name_id.format == names::NAME_ID_EMAIL && connection.email_attribute.is_none();
    let found = named.or_else(|| is_name.then_some(identity.name_id.value.trim()));
    found.filter(|text| is_address(text)).map(str::to_owned)
}

fn display_name(connection: &SamlConnection, identity: &Identity) -> Option<String> {
    let chosen = connection.name_attribute.as_ref();
    let whole = first(identity, chosen, &NAMES).map(str::to_owned);
    let found = whole.or_else(|| chosen.is_none().then(|| name_of_parts(identity)).flatten())?;
    let plain: String = found.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let plain = plain.trim();
    (!plain.is_empty()).then(|| plain.to_owned())
}

/// First and last name together, in the order of most countries; the person can have it corrected.
fn name_of_parts(identity: &Identity) -> Option<String> {
    let value = |name| identity.values(name).map(str::trim).find(|value| !value.is_empty());
    PARTS_OF_NAME.iter().find_map(|(given, family)| Some(format!("{} {}", value(given)?, value(family)?)))
}

fn groups(connection: &SamlConnection, identity: &Identity) -> Vec<String> {
    let names: Vec<&str> = match &connection.groups_attribute {
        Some(name) => vec![name],
        None => GROUPS.to_vec(),
    };
    let mut groups: Vec<String> =
        names.into_iter().flat_map(|name| identity.values(name)).map(str::to_owned).collect();
    groups.sort();
    groups.dedup();
    groups
}

impl Mapped {
    /// As the store takes it.
    ///
    /// # Errors
    /// The code of the refusal, if there is no stable identity.
    pub fn arrival(self, connection: &SamlConnection, link_to: Option<PersonId>) -> Result<Arrival, Code> {
        let subject = self.subject.ok_or(self.subject_refusal.unwrap_or(Code::NoSubject))?;
        let productions =
            self.productions.into_iter().map(|mapped| (mapped.production_id, mapped.roles)).collect();
        let names = self.subject_value.into_iter().chain(self.address.clone()).collect();
        let address = self.address.map(|address| {
            let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
            (address, domain.unwrap_or_default())
        });
        Ok(Arrival {
            connection: ConnectionId(connection.id),
            connection_name: connection.name.clone(),
            organisation: OrganisationId(connection.organisation_id),
            subject,
            address,
            display_name: self.display_name,
            grants: self.organisation_role.map(|role| Grants { role, productions }),
            link_to,
            names,
            admits_everyone: connection.admits_everyone,
        })
    }
}

/// The name as it is stored with a session.
#[must_use]
pub fn stored_name(name: &NameId) -> StoredName {
    StoredName {
        value: name.value.clone(),
        format: name.format.clone(),
        name_qualifier: name.name_qualifier.clone(),
        sp_name_qualifier: name.sp_name_qualifier.clone(),
    }
}

/// The name as the library takes it.
#[must_use]
pub fn name_of(stored: StoredName) -> NameId {
    NameId {
        value: stored.value,
        format: stored.format,
        name_qualifier: stored.name_qualifier,
        sp_name_qualifier: stored.sp_name_qualifier,
    }
}

/// What a test shows: everything that came, and what it would be mapped to.
#[must_use]
pub fn findings(identity: &Identity, mapped: &Mapped) -> Value {
    let attributes: Vec<Value> = identity
        .attributes
        .iter()
        .map(|attribute| {
            json!({
                "name": attribute.name,
                "friendly_name": attribute.friendly_name,
                "values": attribute.values,
            })
        })
        .collect();
    let text = json!({
        "name_id": { "value": identity.name_id.value, "format": identity.name_id.format },
        "attributes": attributes,
        "context": identity.context,
        "authenticated_at": identity.authenticated,
        "session_index": identity.session_index,
        "session_end": identity.session_end,
        "mapped": mapped,
    });
    without_zero(text)
}

/// PostgreSQL keeps no zero character in JSON.
fn without_zero(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => items.into_iter().map(without_zero).collect(),
        Value::Object(map) => map.into_iter().map(|(key, item)| (key, without_zero(item))).collect(),
        other => other,
    }
}
