//! Writing an export, part by part, as it is read: it breaks off when the caller may not read it any longer.

use std::collections::VecDeque;

use actix_web::web;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use diesel::pg::PgConnection;
use futures_util::{Stream, TryStreamExt as _, stream};
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId};
use kinora_store::privacy::export::{self, FORMAT, Place, Subject, VERSION, find_subject};
use kinora_store::privacy::held::{self, Extent};
use kinora_store::{Principal, StoreError};

use crate::context::Context;
use crate::error::Problem;
use crate::extract::SignedIn;

/// People of an organisation that are looked up at once.
const PEOPLE: i64 = 100;

/// Who is exported.
#[derive(Clone)]
pub(super) enum Plan {
    /// Whoever asks.
    Own(Subject),
    /// One person of an organisation.
    One(OrganisationId, Subject),
    /// All members and guests of it.
    All(OrganisationId),
}

impl Plan {
    fn organisation(&self) -> Option<OrganisationId> {
        match self {
            Self::Own(_) => None,
            Self::One(id, _) | Self::All(id) => Some(*id),
        }
    }
}

/// How far an export is.
#[derive(Clone)]
struct Progress {
    made_at: DateTime<Utc>,
    has_begun: bool,
    has_ended: bool,
    /// Whether somebody was written already.
    has_people: bool,
    waiting: VecDeque<Subject>,
    /// How far the first of those who wait is, if that was begun.
    place: Option<Place>,
    /// Where the next people are: none: there are no more.
    next: Option<Next>,
}

#[derive(Clone)]
struct Next {
    organisation: OrganisationId,
    after: Option<(String, PersonId)>,
}

impl Progress {
    fn new(plan: &Plan) -> Self {
        let (waiting, next) = match plan {
            Plan::Own(subject) | Plan::One(_, subject) => (VecDeque::from([subject.clone()]), None),
            Plan::All(organisation) => {
                (VecDeque::new(), Some(Next { organisation: *organisation, after: None }))
            }
        };
        Self {
            made_at: Utc::now(),
            has_begun: false,
            has_ended: false,
            has_people: false,
            waiting,
            place: None,
            next,
        }
    }
}

/// The export as bytes.
pub(super) fn written(
    context: web::Data<Context>,
    who: SignedIn,
    plan: Plan,
) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
    stream::try_unfold(Progress::new(&plan), move |progress| {
        let (context, who, organisation) = (context.clone(), who.clone(), plan.organisation());
        async move {
            if progress.has_ended {
                return Ok(None);
            }
            let principal = context.sessions.read_under_way(who.principal.proof, who.credential).await?;
            let principal = principal.ok_or_else(Problem::not_found)?;
            if let Some(id) = organisation {
                let role = principal.organisation_role(id);
                if !role.is_some_and(OrganisationRole::administers) {
                    return Err(Problem::not_found());
                }
            }
            let written = context
                .database
                .read(move |connection| write_part(connection, &principal, progress.clone()))
                .await?;
            Ok(Some(written))
        }
    })
    .map_err(actix_web::Error::from)
}

fn write_part(
    connection: &mut PgConnection,
    caller: &Principal,
    mut progress: Progress,
) -> Result<(Bytes, Progress), StoreError> {
    let mut text = String::new();
    if !progress.has_begun {
        text = format!(
            "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"exported_at\":\"{}\",\"people\":[",
            progress.made_at.to_rfc3339_opts(SecondsFormat::Secs, true)
        );
        progress.has_begun = true;
    }
    while progress.waiting.is_empty() && progress.next.is_some() {
        look_up(connection, caller, &mut progress)?;
    }
    match progress.waiting.front().cloned() {
        None => {
            text.push_str("]}\n");
            progress.has_ended = true;
        }
        Some(subject) => write_person(connection, &subject, &mut progress, &mut text)?,
    }
    Ok((Bytes::from(text), progress))
}

fn write_person(
    connection: &mut PgConnection,
    subject: &Subject,
    progress: &mut Progress,
    text: &mut String,
) -> Result<(), StoreError> {
    let place = match progress.place.take() {
        Some(place) => place,
        None => {
            let comma = if progress.has_people { "," } else { "" };
            let (id, extent) = (subject.id, subject.extent.name());
            text.push_str(&format!("{comma}\n{{\"id\":\"{id}\",\"extent\":\"{extent}\",\"data\":{{"));
            progress.has_people = true;
            Place::default()
        }
    };
    progress.place = export::write_part(connection, subject, &place, text)?;
    if progress.place.is_none() {
        text.push_str("}}");
        let _ = progress.waiting.pop_front();
    }
    Ok(())
}

/// Looks up the next people of an organisation.
fn look_up(
    connection: &mut PgConnection,
    caller: &Principal,
    progress: &mut Progress,
) -> Result<(), StoreError> {
    let Some(Next { organisation, after }) = progress.next.take() else { return Ok(()) };
    let after = after.as_ref().map(|(login, id)| (login.as_str(), *id));
    let rows = held::list(connection, organisation, None, after, PEOPLE)?;
    if rows.len() == usize::try_from(PEOPLE).unwrap_or(usize::MAX) {
        let after = rows.last().map(|row| (row.login.clone(), PersonId(row.id)));
        progress.next = Some(Next { organisation, after });
    }
    for row in rows {
        let person = PersonId(row.id);
        let extent: Extent = held::extent_of_export(connection, caller, organisation, person)?;
        match find_subject(connection, person, extent) {
            Ok(subject) => progress.waiting.push_back(subject),
            // Erased since the list was read.
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
