//! What must not come to life again when the database was brought back to an earlier instant: sessions that were ended since,
//! links and codes that were used since, tokens that were withdrawn since. And what must not die of it: media that only the
//! discarded present knew.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::ObjectId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;
use crate::audit::{self, Act, Origin};
use crate::objects;
use crate::schema::{
    access_tokens, email_codes, password_links, pending_sign_ins, provisioning_tokens, sessions, uploads,
};

/// Rows of one statement.
const BATCH: usize = 1000;

/// Tokens that were withdrawn, by their ids alone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// Of people and service accounts.
    pub access_tokens: Vec<Uuid>,
    /// Of identity providers.
    pub provisioning_tokens: Vec<Uuid>,
}

/// How much was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// Sessions, of everybody.
    pub sessions: usize,
    /// Half sign-ins, links to set a password, and codes sent by mail.
    pub links_and_codes: usize,
    /// Tokens that had been withdrawn, and held again.
    pub tokens: usize,
}

/// The tokens that are withdrawn in this database, to be kept where a restore does not reach.
///
/// # Errors
/// If the database fails.
pub fn list_withdrawn(connection: &mut PgConnection) -> Result<Withdrawn> {
    let access = access_tokens::table.filter(access_tokens::revoked_at.is_not_null());
    let provisioning = provisioning_tokens::table.filter(provisioning_tokens::revoked_at.is_not_null());
    Ok(Withdrawn {
        access_tokens: access.order(access_tokens::id).select(access_tokens::id).load(connection)?,
        provisioning_tokens: provisioning
            .order(provisioning_tokens::id)
            .select(provisioning_tokens::id)
            .load(connection)?,
    })
}

/// Ends every session, every half sign-in, every link to set a password and every mailed code, and withdraws these tokens
/// again. Everybody signs in anew. May be repeated.
///
/// # Errors
/// If the database fails.
pub fn end_what_came_back(
    connection: &mut PgConnection,
    origin: &Origin,
    withdrawn: &Withdrawn,
) -> Result<Ended> {
    connection.transaction(|connection| {
        let now = Utc::now();
        let open = sessions::table.filter(sessions::revoked_at.is_null());
        let sessions = diesel::update(open).set(sessions::revoked_at.eq(now)).execute(connection)?;
        let links = password_links::table.filter(password_links::used_at.is_null());
        let links_and_codes =
            diesel::update(links).set(password_links::used_at.eq(now)).execute(connection)?
                + diesel::delete(pending_sign_ins::table).execute(connection)?
                + diesel::delete(email_codes::table).execute(connection)?;
        let access = access_tokens::table
            .filter(access_tokens::id.eq_any(&withdrawn.access_tokens))
            .filter(access_tokens::revoked_at.is_null());
        let provisioning = provisioning_tokens::table
            .filter(provisioning_tokens::id.eq_any(&withdrawn.provisioning_tokens))
            .filter(provisioning_tokens::revoked_at.is_null());
        let tokens = diesel::update(access).set(access_tokens::revoked_at.eq(now)).execute(connection)?
            + diesel::update(provisioning)
                .set(provisioning_tokens::revoked_at.eq(now))
                .execute(connection)?;
        let ended = Ended { sessions, links_and_codes, tokens };
        let act = Act::new("database.restored", "database", Uuid::nil(), "database").after(ended);
        audit::record(connection, origin, act)?;
        Ok(ended)
    })
}

/// Keeps media until that instant: these objects, of which no row knows and which the sweep would remove as nobody's, and
/// those of uploads that were not complete then, may be by now, and would expire. May be repeated.
///
/// # Errors
/// If the database fails.
pub fn keep_media(
    connection: &mut PgConnection,
    origin: &Origin,
    unknown: &[ObjectId],
    until: DateTime<Utc>,
) -> Result<()> {
    connection.transaction(|connection| {
        for ids in unknown.chunks(BATCH) {
            let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
            objects::orphan(connection, &ids, until)?;
        }
        let uploads = diesel::update(uploads::table.filter(uploads::expires_at.lt(until)))
            .set(uploads::expires_at.eq(until))
            .execute(connection)?;
        let kept = serde_json::json!({ "objects": unknown.len(), "uploads": uploads, "until": until });
        let act = Act::new("media.retained", "storage", Uuid::nil(), "storage").after(kept);
        audit::record(connection, origin, act)?;
        Ok(())
    })
}
