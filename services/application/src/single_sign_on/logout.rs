//! Single logout, both ways.
//!
//! Ours: the session here has ended before anybody asks the provider, and whatever it answers. Theirs: what is signed
//! ends the sessions that it names, on all instances within a second, and is answered.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use kinora_core::{ConnectionId, PersonId, SessionId};
use kinora_saml::{LogoutAnswer, LogoutMessage, LogoutRequest, Refusal, RefusalCode, RelayState};
use kinora_store::single_sign_on::requests::{self, Request};
use kinora_store::single_sign_on::{sessions, used};
use kinora_store::{Origin, StoreError};
use uuid::Uuid;

use super::admission::{name_of, stored_name};
use super::attempt::Trial;
use super::provider::Ours;
use super::refused::{Code, Refused};
use super::route::{self, Kind, cookie_digest, no_cookie};
use super::sign_in::parameter;
use super::{form, page};
use crate::accounts::entrance::known_browser;
use crate::context::{Context, origin};
use crate::error::Problem;
use crate::extract::path_id;

/// The page that says that one is signed out.
const SIGNED_OUT: &str = "/signed-out";

/// Where the browser goes on, to end at the provider too a session that has just ended here; none if it did not begin
/// there, or the provider has no address for it. Nothing that goes wrong here undoes the sign-out.
pub async fn address_after(context: &Context, person: PersonId, session: SessionId) -> Option<String> {
    match find_address(context, person, session).await {
        Ok(address) => address,
        Err(problem) => {
            log::warn!("single logout is left out: {problem}: {}", problem.cause().unwrap_or_default());
            None
        }
    }
}

async fn find_address(
    context: &Context,
    person: PersonId,
    session: SessionId,
) -> Result<Option<String>, Problem> {
    let found = context.database.read(move |connection| sessions::find(connection, session)).await?;
    let Some(beginning) = found else { return Ok(None) };
    let ours = Ours::load(context, beginning.connection).await?;
    if !ours.connection.single_logout || ours.provider.logout().preferred().is_none() {
        return Ok(None);
    }
    route::address_with_ticket(context, beginning.connection, Kind::Logout, (person, session), None).map(Some)
}

/// Sends the browser to the provider with a logout request.
pub(super) async fn go_to_sign_out(
    request: HttpRequest,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let id: ConnectionId = path_id(&request, "connection_id")?;
    let trial = Trial::begin(&context, &request, id, Kind::Logout.name())?;
    let ticket = parameter(&request, "ticket").and_then(|text| route::open_ticket(&context, id, &text));
    let Some(ticket) = ticket.filter(|ticket| ticket.purpose == Kind::Logout) else {
        return Ok(page::go(SIGNED_OUT, Vec::new()));
    };
    let ours = Ours::load(&context, id).await?;
    let session = ticket.session;
    let found = context.database.read(move |connection| sessions::find(connection, session)).await?;
    let Some(beginning) = found.filter(|beginning| beginning.connection == id) else {
        return Ok(page::go(SIGNED_OUT, Vec::new()));
    };
    let now = Utc::now();
    let made = RelayState::random().and_then(|relay_state| {
        let (name, index) = (name_of(beginning.name), beginning.session_index.as_deref());
        let made = ours.saml(context.verifier.as_ref()).request_logout(&name, index, &relay_state, now)?;
        Ok(made.map(|outgoing| (outgoing, relay_state)))
    });
    let (outgoing, relay_state) = match made {
        Ok(Some(made)) => made,
        Ok(None) => return Ok(page::go(SIGNED_OUT, Vec::new())),
        Err(refusal) => {
            let refused = Refused::from(refusal);
            trial.note_failure(&context, &refused).await?;
            return Ok(page::go(SIGNED_OUT, Vec::new()));
        }
    };
    let kept = Request {
        id: outgoing.id.clone(),
        connection: id,
        purpose: Kind::Logout,
        relay_state: relay_state.as_str().to_owned(),
        browser_digest: [0; 32],
        known_browser: known_browser(&request),
        person: Some(ticket.person),
        session: Some(session),
        return_to: None,
        forced: false,
        contexts: Vec::new(),
        made_at: now,
    };
    let begun = route::keep(&context, outgoing, kept).await?;
    page::deliver(begun.delivery, vec![begun.cookie])
}

/// Takes a logout message that comes in the query.
pub(super) async fn receive_logout_query(
    request: HttpRequest,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (trial, ours) = begin(&request, &context).await?;
    let (query, now) = (request.query_string().to_owned(), Utc::now());
    let judged = context
        .sign_on
        .judge(Arc::clone(&ours), move |connection| connection.receive_logout_query(&query, now))
        .await;
    conclude(&request, &context, &ours, trial, judged.map_err(Refused::from)).await
}

/// Takes a logout message that comes in a form.
pub(super) async fn receive_logout_form(
    request: HttpRequest,
    context: web::Data<Context>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (trial, ours) = begin(&request, &context).await?;
    let body = form::read(&request, payload).await?;
    let judged = match form::parse(&body) {
        Err(refused) => Err(refused),
        Ok(form) => {
            let is_request = form.request.is_some();
            let message = form.request.or(form.response).unwrap_or_default();
            let (relay_state, now) = (form.relay_state, Utc::now());
            let work = move |connection: kinora_saml::Connection<'_>| {
                connection.receive_logout_form(&message, is_request, relay_state, now)
            };
            context.sign_on.judge(Arc::clone(&ours), work).await.map_err(Refused::from)
        }
    };
    conclude(&request, &context, &ours, trial, judged).await
}

async fn begin(request: &HttpRequest, context: &Context) -> Result<(Trial, Arc<Ours>), Problem> {
    let id: ConnectionId = path_id(request, "connection_id")?;
    let trial = Trial::begin(context, request, id, Kind::Logout.name())?;
    Ok((trial, Arc::new(Ours::load(context, id).await?)))
}

async fn conclude(
    request: &HttpRequest,
    context: &Context,
    ours: &Ours,
    trial: Trial,
    judged: Result<LogoutMessage, Refused>,
) -> Result<HttpResponse, Problem> {
    let refused = match judged {
        Ok(LogoutMessage::Request(message)) => {
            match end_sessions(request, context, ours, &trial, &message).await? {
                Ok(people) => {
                    people.into_iter().for_each(|person| context.sessions.forget(person));
                    trial.count(None);
                    return answer(context, ours, &message);
                }
                Err(refused) => refused,
            }
        }
        Ok(LogoutMessage::Answer(answer)) => return finish(request, context, trial, answer).await,
        Err(refused) => refused,
    };
    let attempt = trial.note_failure(context, &refused).await?;
    trial.count(Some(refused.code));
    Ok(page::go(&incomplete(attempt), Vec::new()))
}

/// The page for who may still be signed in somewhere.
fn incomplete(attempt: Uuid) -> String {
    format!("{SIGNED_OUT}?incomplete=true&attempt={attempt}")
}

/// Ends the sessions that a request names, once.
async fn end_sessions(
    request: &HttpRequest,
    context: &Context,
    ours: &Ours,
    trial: &Trial,
    message: &LogoutRequest,
) -> Result<Result<Vec<PersonId>, Refused>, Problem> {
    let (entity, trial, message) = (ours.provider.entity_id().to_owned(), trial.clone(), message.clone());
    let origin = Origin { actor: "identity provider".to_owned(), ..origin(request, None) };
    context
        .database
        .transaction(move |connection| {
            let (owner, once) = (trial.connection, &message.one_time_use);
            if !used::remember(connection, owner, (&entity, &once.id), once.keep_until)? {
                return Ok::<_, StoreError>(Err(Code::Replayed.into()));
            }
            trial.passed(connection, None, None)?;
            let name = stored_name(&message.name_id);
            sessions::end(connection, &origin, owner, &name, &message.session_indexes).map(Ok)
        })
        .await
}

fn answer(context: &Context, ours: &Ours, message: &LogoutRequest) -> Result<HttpResponse, Problem> {
    let connection = ours.saml(context.verifier.as_ref());
    match connection.answer_logout(message, true, Utc::now()) {
        Ok(Some((outgoing, _))) => page::deliver(outgoing.delivery, Vec::new()),
        Ok(None) => Ok(page::go(SIGNED_OUT, Vec::new())),
        Err(refusal) => Err(Problem::internal(refusal)),
    }
}

/// The provider's answer to a request of ours.
async fn finish(
    request: &HttpRequest,
    context: &Context,
    trial: Trial,
    answer: LogoutAnswer,
) -> Result<HttpResponse, Problem> {
    let (owner, id, now) = (trial.connection, answer.in_response_to, Utc::now());
    let digest = cookie_digest(request);
    let is_ours = match digest {
        Some(digest) => {
            context
                .database
                .transaction(move |connection| requests::take_logout(connection, owner, &id, &digest, now))
                .await?
        }
        None => false,
    };
    let refused = match answer.problem {
        _ if !is_ours => Refused::from(Code::RequestGone),
        Some(problem) => Refused::from(Refusal::with(RefusalCode::ProviderRefused, problem)),
        None => {
            let own = trial.clone();
            context.database.transaction(move |connection| own.passed(connection, None, None)).await?;
            trial.count(None);
            return Ok(page::go(SIGNED_OUT, vec![no_cookie()]));
        }
    };
    let attempt = trial.note_failure(context, &refused).await?;
    trial.count(Some(refused.code));
    Ok(page::go(&incomplete(attempt), vec![no_cookie()]))
}
