//! What happened in a production, in commit order, for the pages that are open on it.
//!
//! Each event has a number; a production's numbers have no gaps and become visible in order,
//! because counting one up locks the production's row until the transaction ends. So a reader that
//! has seen number *n* needs only what comes after *n*, whatever was committed meanwhile.
//!
//! Record events after all other changes of a transaction and before its audit rows (the lock
//! order in the crate's documentation).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Jsonb, Nullable, Text, Uuid as SqlUuid};
use kinora_core::permission::{Module, ProductionRoles};
use kinora_core::{PersonId, ProductionId, SupportGrantId};
use serde::Serialize;
use uuid::Uuid;

use crate::columns::RawJson;
use crate::schema::{events, productions};
use crate::{Result, StoreError, tokens};

/// The PostgreSQL channel on which new events are announced; the payload is the production's id.
pub const CHANNEL: &str = "kinora_events";

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An asset is new or has changed; payload: the asset as in the list.
    Asset,
    /// An asset was removed; payload: its id.
    AssetRemoved,
    /// A run or one of its steps has changed state; payload: the run with its steps.
    Run,
    /// The production itself has changed; payload: its id.
    Production,
    /// Somebody's roles have changed; payload: that person's id. Only for that person.
    Membership,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Asset, Self::AssetRemoved, Self::Run, Self::Production, Self::Membership];

    /// The name in the database and in the stream.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::AssetRemoved => "asset_removed",
            Self::Run => "run",
            Self::Production => "production",
            Self::Membership => "membership",
        }
    }

    /// The module whose readers may see it; none: every member.
    #[must_use]
    pub fn module(self) -> Option<Module> {
        match self {
            Self::Asset | Self::AssetRemoved | Self::Run => Some(Module::Library),
            Self::Production | Self::Membership => None,
        }
    }
}

/// The name of a module in the database.
fn module_name(module: Module) -> &'static str {
    match module {
        Module::Office => "office",
        Module::Library => "library",
        Module::Subtitling => "subtitling",
        Module::Budget => "budget",
    }
}

/// Records an event in the running transaction and announces it; gives its number. Listeners hear
/// of it when the transaction commits.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such production; else the database's.
pub fn record(
    connection: &mut PgConnection,
    production: ProductionId,
    kind: EventKind,
    payload: &impl Serialize,
) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Recorded {
        #[diesel(sql_type = BigInt)]
        sequence: i64,
    }
    let payload = serde_json::to_value(payload).map_err(|e| StoreError::NotUnderstood(e.to_string()))?;
    let recorded: Recorded = diesel::sql_query(
        "WITH counted AS ( \
             UPDATE productions SET event_sequence = event_sequence + 1 WHERE id = $1 \
             RETURNING id, event_sequence \
         ), recorded AS ( \
             INSERT INTO events (production_id, sequence, at, module, kind, payload) \
             SELECT id, event_sequence, clock_timestamp(), $2, $3, $4 FROM counted \
             RETURNING production_id, sequence \
         ) \
         SELECT sequence, pg_notify('kinora_events', production_id::text)::text AS announced FROM recorded",
    )
    .bind::<SqlUuid, _>(production.0)
    .bind::<Nullable<Text>, _>(kind.module().map(module_name))
    .bind::<Text, _>(kind.name())
    .bind::<Jsonb, _>(payload)
    .get_result(connection)?;
    Ok(recorded.sequence)
}

/// Records that a person's roles have changed (or ended), for the pages that person has open.
///
/// # Errors
/// As [`record`].
pub fn record_membership(
    connection: &mut PgConnection,
    production: ProductionId,
    person: PersonId,
) -> Result<i64> {
    #[derive(Serialize)]
    struct Payload {
        production_id: ProductionId,
        person_id: PersonId,
    }
    record(
        connection,
        production,
        EventKind::Membership,
        &Payload { production_id: production, person_id: person },
    )
}

/// Records that the production itself (its name) has changed.
///
/// # Errors
/// As [`record`].
pub fn record_production(connection: &mut PgConnection, production: ProductionId) -> Result<i64> {
    #[derive(Serialize)]
    struct Payload {
        production_id: ProductionId,
    }
    record(connection, production, EventKind::Production, &Payload { production_id: production })
}

/// One event as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in its production.
    pub sequence: i64,
    /// The module whose readers may see it; none: every member.
    pub module: Option<Module>,
    /// The kind's name. Text, because a newer release may have written it.
    pub kind: String,
    /// Who alone may see it, if it concerns one person.
    pub only_for: Option<PersonId>,
    /// The payload, JSON text.
    pub payload: String,
}

impl Event {
    /// Whether somebody with these roles may see it.
    #[must_use]
    pub fn is_visible_to(&self, person: PersonId, roles: &ProductionRoles) -> bool {
        if let Some(concerned) = self.only_for {
            return concerned == person;
        }
        match self.module {
            Some(module) => roles.role(module).is_some(),
            None => !roles.is_empty(),
        }
    }
}

/// What is kept of a production's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Number of the oldest event that is still kept; one after `newest` if none is.
    pub oldest: i64,
    /// Number of the newest event; 0 if there never was one.
    pub newest: i64,
}

impl Extent {
    /// Whether a reader that has seen everything up to `sequence` can be given everything since.
    #[must_use]
    pub fn continues_from(&self, sequence: i64) -> bool {
        sequence <= self.newest && sequence.saturating_add(1) >= self.oldest
    }
}

/// What is kept of this production's events.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such production or it was removed.
pub fn find_extent(connection: &mut PgConnection, production: ProductionId) -> Result<Extent> {
    let newest: i64 = productions::table
        .filter(productions::id.eq(production.0))
        .filter(productions::removed_at.is_null())
        .select(productions::event_sequence)
        .first(connection)?;
    let oldest: Option<i64> = events::table
        .filter(events::production_id.eq(production.0))
        .select(diesel::dsl::min(events::sequence))
        .first(connection)?;
    Ok(Extent { oldest: oldest.unwrap_or(newest.saturating_add(1)), newest })
}

type EventRow = (i64, Option<String>, String, RawJson);

/// The events after number `after`, oldest first, at most `limit`. For all members alike: whoever
/// passes them on must ask [`Event::is_visible_to`].
///
/// # Errors
/// The database's, or [`StoreError::NotUnderstood`].
pub fn list_after(
    connection: &mut PgConnection,
    production: ProductionId,
    after: i64,
    limit: i64,
) -> Result<Vec<Event>> {
    let rows: Vec<EventRow> = events::table
        .filter(events::production_id.eq(production.0))
        .filter(events::sequence.gt(after))
        .order(events::sequence.asc())
        .limit(limit)
        .select((events::sequence, events::module, events::kind, events::payload))
        .load(connection)?;
    rows.into_iter().map(read_event).collect()
}

fn read_event((sequence, module, kind, payload): EventRow) -> Result<Event> {
    #[derive(serde::Deserialize)]
    struct Concerned {
        person_id: PersonId,
    }
    let module = match module {
        Some(name) => Some(
            Module::ALL
                .into_iter()
                .find(|module| module_name(*module) == name)
                .ok_or(StoreError::NotUnderstood(name))?,
        ),
        None => None,
    };
    let only_for = if kind == EventKind::Membership.name() {
        let concerned: Concerned =
            serde_json::from_str(&payload.0).map_err(|e| StoreError::NotUnderstood(e.to_string()))?;
        Some(concerned.person_id)
    } else {
        None
    };
    Ok(Event { sequence, module, kind, only_for, payload: payload.0 })
}

/// Removes the events recorded before an instant. Readers that come back with an older number are
/// told to read everything again.
///
/// # Errors
/// The database's.
pub fn trim(connection: &mut PgConnection, before: DateTime<Utc>) -> Result<usize> {
    // By number, not by time, so that what is kept stays without gaps.
    Ok(diesel::sql_query(
        "DELETE FROM events e USING ( \
             SELECT production_id, max(sequence) AS sequence FROM events WHERE at < $1 GROUP BY production_id \
         ) old WHERE e.production_id = old.production_id AND e.sequence <= old.sequence",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(before)
    .execute(connection)?)
}

/// Somebody who follows a production, and with which credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Follower {
    /// The production.
    pub production: ProductionId,
    /// The person.
    pub person: PersonId,
    /// The session or access token the person came with.
    pub credential: Uuid,
    /// SHA-256 of the session's token, where the following ends as soon as the session is known by another one.
    pub token_digest: Option<[u8; 32]>,
}

/// The roles that each of these followers has at this moment; none if the person may follow no
/// longer: not a member (any more), disabled, production removed, session or token revoked or expired, the session known by another token, or in
/// a session without the second factor or the sign-in through a connection that the organisation asks for, or with
/// a token whose scope leaves nothing of it, or under support access that has ended (as in [`crate::principals`]). The
/// answer has the order of the question.
///
/// # Errors
/// The database's.
pub fn find_roles_of_followers(
    connection: &mut PgConnection,
    followers: &[Follower],
) -> Result<Vec<Option<ProductionRoles>>> {
    let followings = find_followings(connection, followers)?;
    Ok(followings.into_iter().map(|following| following.map(|following| following.roles)).collect())
}

/// With what somebody follows a production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Following {
    /// The roles.
    pub roles: ProductionRoles,
    /// The support access that gives them.
    pub support: Option<SupportGrantId>,
}

/// The same as [`find_roles_of_followers`], with where the roles come from.
///
/// # Errors
/// The database's.
pub fn find_followings(
    connection: &mut PgConnection,
    followers: &[Follower],
) -> Result<Vec<Option<Following>>> {
    let productions: Vec<Uuid> = followers.iter().map(|f| f.production.0).collect();
    let people: Vec<Uuid> = followers.iter().map(|f| f.person.0).collect();
    let credentials: Vec<Uuid> = followers.iter().map(|f| f.credential).collect();
    let digests: Vec<Option<&[u8]>> =
        followers.iter().map(|f| f.token_digest.as_ref().map(<[u8; 32]>::as_slice)).collect();
    let rows: Vec<FollowerRow> = diesel::sql_query(FOLLOWERS)
        .bind::<Array<SqlUuid>, _>(productions)
        .bind::<Array<SqlUuid>, _>(people)
        .bind::<Array<SqlUuid>, _>(credentials)
        .bind::<Array<Nullable<Binary>>, _>(digests)
        .load(connection)?;
    let mut found = vec![None; followers.len()];
    for row in rows {
        let place = usize::try_from(row.place).ok().and_then(|place| place.checked_sub(1));
        let support = row.support_grant_id.map(SupportGrantId);
        if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
            *slot = row.roles()?.map(|roles| Following { roles, support });
        }
    }
    Ok(found)
}

const FOLLOWERS: &str = concat!(
    "SELECT f.place, f.production_id, m.office_role, m.library_role, m.subtitling_role, m.budget_role, \
           t.most_role, t.modules, t.productions, NULL::uuid AS support_grant_id \
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[]) WITH ORDINALITY \
         AS f (production_id, person_id, credential_id, token_digest, place) \
    JOIN production_members m ON m.production_id = f.production_id AND m.person_id = f.person_id \
         AND (m.ends_at IS NULL OR m.ends_at > clock_timestamp()) \
    JOIN productions p ON p.id = f.production_id AND p.removed_at IS NULL \
    JOIN organisations o ON o.id = p.organisation_id \
    JOIN people ON people.id = f.person_id AND people.disabled_at IS NULL \
    LEFT JOIN access_tokens t ON t.id = f.credential_id AND t.person_id = f.person_id \
         AND t.revoked_at IS NULL AND t.expires_at > now() \
    LEFT JOIN organisation_members om ON om.organisation_id = o.id AND om.person_id = f.person_id \
    CROSS JOIN LATERAL (SELECT \
        NOT EXISTS (SELECT FROM sessions b WHERE b.id = f.credential_id AND b.by_email_code) \
            AND (EXISTS (SELECT FROM totp_factors a WHERE a.person_id = f.person_id) \
                 OR EXISTS (SELECT FROM passkeys k WHERE k.person_id = f.person_id)) AS has_strong, \
        ",
    crate::second_factors::email_codes::usable_sql!(),
    " AS has_mail, \
        EXISTS (SELECT FROM saml_sessions x JOIN saml_connections c ON c.id = x.connection_id \
                WHERE x.session_id = f.credential_id AND c.enabled AND c.organisation_id = o.id) \
            AS is_through_connection, \
        EXISTS (SELECT FROM saml_identities i JOIN saml_connections c ON c.id = i.connection_id \
                WHERE i.person_id = f.person_id AND c.enabled AND c.organisation_id = o.id) \
            OR EXISTS (SELECT FROM service_accounts sa WHERE sa.person_id = f.person_id) \
            AS needs_no_factor_for_tokens) q \
    WHERE EXISTS (SELECT 1 FROM sessions s WHERE s.id = f.credential_id AND s.person_id = f.person_id \
                  AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_expires_at > now() \
                  AND (f.token_digest IS NULL OR f.token_digest = s.token_digest)) \
          AND (q.is_through_connection \
               OR (NOT o.second_factor_required OR q.has_strong OR q.has_mail) \
                  AND (NOT o.sso_required OR om.person_id IS NULL \
                       OR om.break_glass AND om.role = 'owner' AND q.has_strong)) \
       OR t.id IS NOT NULL \
          AND (NOT o.second_factor_required OR q.has_strong OR q.has_mail OR q.needs_no_factor_for_tokens) \
    UNION ALL \
    SELECT f.place, f.production_id, 'manager', 'manager', 'manager', 'manager', \
           g.most_role, g.modules, g.productions, g.id \
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[]) WITH ORDINALITY \
         AS f (production_id, person_id, credential_id, token_digest, place) \
    JOIN productions p ON p.id = f.production_id AND p.removed_at IS NULL \
    JOIN support_grants g ON g.supporter_id = f.person_id AND g.organisation_id = p.organisation_id \
         AND g.ended_at IS NULL AND g.starts_at <= clock_timestamp() AND g.ends_at > clock_timestamp() \
    JOIN people ON people.id = f.person_id AND people.disabled_at IS NULL \
    JOIN sessions s ON s.id = f.credential_id AND s.person_id = f.person_id \
         AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_expires_at > now() AND NOT s.by_email_code \
         AND (f.token_digest IS NULL OR f.token_digest = s.token_digest) \
    WHERE (EXISTS (SELECT FROM totp_factors a WHERE a.person_id = f.person_id) \
           OR EXISTS (SELECT FROM passkeys k WHERE k.person_id = f.person_id)) \
      AND NOT EXISTS (SELECT FROM saml_sessions x WHERE x.session_id = s.id) \
      AND NOT EXISTS (SELECT FROM organisation_members om \
                      WHERE om.organisation_id = g.organisation_id AND om.person_id = f.person_id) \
      AND NOT EXISTS (SELECT FROM production_members m \
                      WHERE m.production_id = p.id AND m.person_id = f.person_id \
                        AND (m.ends_at IS NULL OR m.ends_at > clock_timestamp()))"
);

#[derive(QueryableByName)]
struct FollowerRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = SqlUuid)]
    production_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    office_role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    library_role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    subtitling_role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    budget_role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    most_role: Option<String>,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    modules: Option<Vec<String>>,
    #[diesel(sql_type = Nullable<Array<SqlUuid>>)]
    productions: Option<Vec<Uuid>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    support_grant_id: Option<Uuid>,
}

impl FollowerRow {
    fn roles(self) -> Result<Option<ProductionRoles>> {
        let roles = ProductionRoles {
            office: crate::columns::read_role(self.office_role.as_deref())?,
            library: crate::columns::read_role(self.library_role.as_deref())?,
            subtitling: crate::columns::read_role(self.subtitling_role.as_deref())?,
            budget: crate::columns::read_role(self.budget_role.as_deref())?,
        };
        let scope = tokens::read_scope((self.most_role, self.modules, self.productions))?;
        let limited = scope.map_or(roles, |scope| scope.limit(ProductionId(self.production_id), roles));
        Ok(Some(limited).filter(|roles| !roles.is_empty()))
    }
}
