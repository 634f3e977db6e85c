//! Where identity providers' responses arrive (assertion consumer service), and what comes of them.
//!
//! A response counts if the request that it answers was made in this browser, for this connection, and waits; if the library
//! accepts it; and if neither request nor assertion was used before. The last is decided in the transaction that begins the
//! session, by deleting the one and inserting the other: whichever instance comes second finds it done.
//!
//! A response that nobody asked for signs nobody in by itself: anybody could post one of their own into somebody else's
//! browser, who would then work in a stranger's account. Where it is allowed at all it is checked and used up, and the
//! browser is sent to the provider with a request of its own; who is signed in there comes back without noticing.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use kinora_core::{ConnectionId, PersonId};
use kinora_saml::{Identity, PendingRequest, RefusalCode, RelayState, SignIn};
use kinora_store::notices::Scene;
use kinora_store::sessions::{NewSession, NewToken};
use kinora_store::single_sign_on::admission::{self as admissions, Arrival, Outcome};
use kinora_store::single_sign_on::requests::{self, Request};
use kinora_store::single_sign_on::sessions::{self as begun, Beginning};
use kinora_store::single_sign_on::{identities, rules, used};
use kinora_store::{Origin, StoreError, known_browsers, sessions};
use serde_json::Value;
use uuid::Uuid;

use super::admission::{self, Mapped};
use super::attempt::Trial;
use super::form;
use super::page;
use super::provider::Ours;
use super::refused::{Code, Refused};
use super::route::{self, Kind, cookie_digest, no_cookie};
use crate::accounts::entrance::{self, Opening, Renewal, device};
use crate::context::{Context, origin};
use crate::error::Problem;
use crate::extract::path_id;

/// What the transaction came to: that, or a refusal with the attempt it was written down as.
type Concluded<T> = Result<T, (Refused, Uuid)>;

/// Takes a response.
pub(super) async fn receive_response(
    request: HttpRequest,
    context: web::Data<Context>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let id: ConnectionId = path_id(&request, "connection_id")?;
    let trial = Trial::begin(&context, &request, id, Kind::SignIn.name())?;
    let ours = Arc::new(Ours::load(&context, id).await?);
    let body = form::read(&request, payload).await?;
    let arrived = Arrived { request: &request, context: &context, ours, trial };
    match arrived.take(&body).await {
        Ok(response) => Ok(response),
        Err(Failed::Problem(problem)) => Err(problem),
        Err(Failed::Refused(refused)) => {
            let attempt = arrived.trial.note_failure(&context, &refused).await?;
            Ok(arrived.trial.refuse(&refused, attempt, vec![no_cookie()]))
        }
    }
}

/// Why nothing came of a response before its request was used up.
enum Failed {
    Problem(Problem),
    Refused(Refused),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Code> for Failed {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

/// A response that has arrived.
struct Arrived<'a> {
    request: &'a HttpRequest,
    context: &'a Context,
    ours: Arc<Ours>,
    trial: Trial,
}

impl Arrived<'_> {
    async fn take(&self, body: &[u8]) -> Result<HttpResponse, Failed> {
        let form = form::parse(body)?;
        let response = form.response.ok_or(Code::BadForm)?;
        let Some(pending) = self.find_request(form.relay_state.as_deref()).await? else {
            return self.unsolicited(response).await;
        };
        let trial = Trial { purpose: pending.purpose.name(), ..self.trial.clone() };
        let is_off = !self.ours.connection.enabled && pending.purpose != Kind::Test;
        let now = Utc::now();
        let asked = PendingRequest {
            id: pending.id.clone(),
            made: pending.made_at,
            force: pending.forced,
            contexts: pending.contexts.clone(),
        };
        let judged = self
            .context
            .sign_on
            .judge(Arc::clone(&self.ours), move |connection| connection.receive(&response, &asked, now))
            .await;
        let judged = match judged {
            _ if is_off => Err(Code::ConnectionOff.into()),
            Err(refusal) => Err(Refused::from(refusal)),
            Ok(sign_in) => self.map(sign_in).await.map(|arrival| (arrival, pending.purpose)),
        };
        Ok(match judged {
            Ok((accepted, kind)) => Answer { arrived: self, trial, pending, accepted }.conclude(kind).await?,
            Err(refused) => {
                // One answer for each request, whatever it is worth.
                let attempt = self.use_up(&trial, &pending, refused.clone()).await?;
                self.leave_refused(&trial, &pending, &refused, attempt)
            }
        })
    }

    /// The request that the response answers; none if it answers none.
    async fn find_request(&self, relay_state: Option<&str>) -> Result<Option<Request>, Failed> {
        let connection = &self.ours.connection;
        let Some(text) = relay_state else {
            return if connection.allow_unsolicited {
                Ok(None)
            } else {
                Err(Refused::from(kinora_saml::Refusal::from(RefusalCode::NoRequest)).into())
            };
        };
        let Ok(relay_state) = RelayState::parse(text) else {
            // The name of a page at the provider, or an address: it leads nowhere here.
            return if connection.allow_unsolicited {
                Ok(None)
            } else {
                Err(Refused::from(kinora_saml::Refusal::from(RefusalCode::RelayState)).into())
            };
        };
        let now = Utc::now();
        let found = self
            .context
            .database
            .read(move |connection| requests::find(connection, relay_state.as_str(), now))
            .await?;
        let found = found.filter(|found| found.purpose != Kind::Logout).ok_or(Code::RequestGone)?;
        if found.connection != ConnectionId(connection.id) {
            return Err(Code::WrongConnection.into());
        }
        let is_same_browser = cookie_digest(self.request)
            .is_some_and(|digest| openssl::memcmp::eq(&digest, &found.browser_digest));
        if is_same_browser { Ok(Some(found)) } else { Err(Code::WrongBrowser.into()) }
    }

    /// What the person would be here.
    async fn map(&self, sign_in: SignIn) -> Result<Accepted, Refused> {
        let id = ConnectionId(self.ours.connection.id);
        let found = self.context.database.read(move |connection| rules::of(connection, id)).await;
        let found = found.map_err(|problem| {
            let cause = problem.cause().unwrap_or_default().to_owned();
            Refused::from(kinora_saml::Refusal::with(RefusalCode::Internal, cause))
        })?;
        let mapped = admission::map(&self.ours.connection, &found, &sign_in.identity);
        Ok(Accepted { sign_in, mapped })
    }

    /// Ends a request with a refusal.
    async fn use_up(&self, trial: &Trial, pending: &Request, refused: Refused) -> Result<Uuid, Problem> {
        let (trial, id, person) = (trial.clone(), pending.id.clone(), pending.person);
        self.context
            .database
            .transaction(move |connection| {
                requests::take(connection, &id)?;
                trial.failed(connection, &refused, person)
            })
            .await
    }

    /// A test goes back to its page whatever came of it; everybody else to the page for who was refused.
    fn leave_refused(
        &self,
        trial: &Trial,
        pending: &Request,
        refused: &Refused,
        attempt: Uuid,
    ) -> HttpResponse {
        if pending.purpose == Kind::Test {
            trial.count(Some(refused.code));
            return page::go(&test_path(trial.connection, attempt), vec![no_cookie()]);
        }
        trial.refuse(refused, attempt, vec![no_cookie()])
    }

    /// A response that nobody asked for.
    async fn unsolicited(&self, response: String) -> Result<HttpResponse, Failed> {
        let trial = Trial { purpose: "unsolicited", ..self.trial.clone() };
        let now = Utc::now();
        let judged = if self.ours.connection.enabled {
            let work =
                move |connection: kinora_saml::Connection<'_>| connection.receive_unsolicited(&response, now);
            let judged = self.context.sign_on.judge(Arc::clone(&self.ours), work).await;
            judged.map_err(Refused::from)
        } else {
            Err(Code::ConnectionOff.into())
        };
        let (own, id) = (trial.clone(), trial.connection);
        let concluded: Concluded<()> = self
            .context
            .database
            .transaction(move |connection| {
                let refused = match judged {
                    Ok(sign_in) if use_once(connection, id, &sign_in)? => {
                        own.passed(connection, None, None)?;
                        return Ok::<_, StoreError>(Ok(()));
                    }
                    Ok(_) => Refused::from(Code::Replayed),
                    Err(refused) => refused,
                };
                let attempt = own.failed(connection, &refused, None)?;
                Ok(Err((refused, attempt)))
            })
            .await?;
        Ok(match concluded {
            Ok(()) => {
                trial.count(None);
                page::go(&route::sign_in_path(id), vec![no_cookie()])
            }
            Err((refused, attempt)) => trial.refuse(&refused, attempt, vec![no_cookie()]),
        })
    }
}

/// Where the page of a connection shows what came of a test.
fn test_path(connection: ConnectionId, attempt: Uuid) -> String {
    format!("/administration/sign-on/{connection}?attempt={attempt}")
}

/// Whether the assertion is used for the first time.
fn use_once(
    connection: &mut PgConnection,
    owner: ConnectionId,
    sign_in: &SignIn,
) -> Result<bool, StoreError> {
    let once = &sign_in.one_time_use;
    used::remember(connection, owner, (&sign_in.identity.issuer, &once.id), once.keep_until)
}

/// A response that the library has accepted.
struct Accepted {
    sign_in: SignIn,
    mapped: Mapped,
}

/// An accepted response to a request of ours.
struct Answer<'a> {
    arrived: &'a Arrived<'a>,
    trial: Trial,
    pending: Request,
    accepted: Accepted,
}

impl Answer<'_> {
    async fn conclude(self, kind: Kind) -> Result<HttpResponse, Problem> {
        match kind {
            Kind::SignIn | Kind::Link => self.let_in().await,
            Kind::Confirm => self.confirm().await,
            Kind::Test | Kind::Logout => self.show().await,
        }
    }

    /// Where the browser goes on.
    fn return_path(&self) -> String {
        self.pending.return_to.clone().unwrap_or_else(|| "/".to_owned())
    }

    /// What comes of it in one transaction: `work` runs if neither request nor assertion was used before.
    async fn once<T, F>(&self, work: F) -> Result<Concluded<T>, Problem>
    where
        F: FnOnce(&mut PgConnection) -> Result<Result<T, (Refused, Option<PersonId>)>, StoreError>
            + Send
            + 'static,
        T: Send + 'static,
    {
        let (trial, request) = (self.trial.clone(), self.pending.id.clone());
        let (sign_in, owner) = (self.accepted.sign_in.clone(), self.trial.connection);
        self.arrived
            .context
            .database
            .transaction(move |connection| {
                let done = if !requests::take(connection, &request)? {
                    Err((Refused::from(Code::RequestGone), None))
                } else if !use_once(connection, owner, &sign_in)? {
                    Err((Refused::from(Code::Replayed), None))
                } else {
                    work(connection)?
                };
                match done {
                    Ok(done) => Ok::<_, StoreError>(Ok(done)),
                    Err((refused, person)) => {
                        let attempt = trial.failed(connection, &refused, person)?;
                        Ok(Err((refused, attempt)))
                    }
                }
            })
            .await
    }

    fn leave_refused(&self, (refused, attempt): &(Refused, Uuid)) -> HttpResponse {
        self.arrived.leave_refused(&self.trial, &self.pending, refused, *attempt)
    }

    /// Signs the person in, with the account they have been joined with if that is what they wanted.
    async fn let_in(self) -> Result<HttpResponse, Problem> {
        let Arrived { request, context, ours, .. } = self.arrived;
        let link_to = self.pending.person.filter(|_| self.pending.purpose == Kind::Link);
        let arrival = match self.accepted.mapped.clone().arrival(&ours.connection, link_to) {
            Ok(arrival) => arrival,
            Err(code) => {
                let refused = Refused::from(code);
                let attempt = self.arrived.use_up(&self.trial, &self.pending, refused.clone()).await?;
                return Ok(self.leave_refused(&(refused, attempt)));
            }
        };
        let identity = self.accepted.sign_in.identity.clone();
        let opening = Opening::new(self.pending.known_browser)?;
        // Whose it is is known only in the transaction.
        let session =
            opening.session(context, device(request), (PersonId(Uuid::nil()), Some("single_sign_on")));
        let entry = Entry {
            trial: self.trial.clone(),
            visitor: origin(request, None),
            device: device(request),
            page: entrance::account_page(context),
            arrival,
            session: limited(session, identity.session_end, Utc::now()),
            identity,
            browser: opening.browser,
            linking: link_to.zip(self.pending.session),
            former: self.pending.session,
        };
        let concluded = self.once(move |connection| entry.enter(connection)).await?;
        Ok(match concluded {
            Ok(person) => {
                context.sessions.forget(person);
                self.trial.count(None);
                let mut cookies = opening.cookies(context);
                cookies.push(no_cookie());
                page::go(&self.return_path(), cookies)
            }
            Err(refused) => self.leave_refused(&refused),
        })
    }

    /// Confirms the session that the request was made in.
    async fn confirm(self) -> Result<HttpResponse, Problem> {
        let context = self.arrived.context;
        let visitor = origin(self.arrived.request, None);
        let (trial, subject) = (self.trial.clone(), self.accepted.mapped.subject.clone());
        let asked = self.pending.person.zip(self.pending.session);
        let renewal = Renewal::new()?;
        let token = NewToken { former: None, digest: renewal.digest };
        let concluded = self
            .once(move |connection| {
                let Some((person, session)) = asked else { return Ok(Err((Code::SessionGone.into(), None))) };
                let subject = subject.unwrap_or_default();
                if identities::find(connection, trial.connection, &subject)? != Some(person) {
                    return Ok(Err((Code::WrongPerson.into(), Some(person))));
                }
                if !begun::holds(connection, person, session)? {
                    return Ok(Err((Code::SessionGone.into(), Some(person))));
                }
                trial.passed(connection, Some(person), None)?;
                let login = admissions::find_login(connection, person)?;
                let origin = Origin { actor_id: Some(person), actor: login, ..visitor };
                let confirmed = begun::confirm(connection, &origin, (person, session), &token)?;
                Ok(Ok((person, confirmed)))
            })
            .await?;
        Ok(match concluded {
            Ok((person, confirmed)) => {
                context.sessions.forget(person);
                self.trial.count(None);
                page::go(&self.return_path(), vec![renewal.cookie(confirmed), no_cookie()])
            }
            Err(refused) => self.leave_refused(&refused),
        })
    }

    /// Keeps what came for the page that tests the connection. Nobody is signed in.
    async fn show(self) -> Result<HttpResponse, Problem> {
        let findings: Value = admission::findings(&self.accepted.sign_in.identity, &self.accepted.mapped);
        let refusal = self.accepted.mapped.subject_refusal;
        let (trial, person) = (self.trial.clone(), self.pending.person);
        let concluded = self
            .once(move |connection| match refusal {
                None => trial.passed(connection, person, Some(findings)).map(Ok),
                Some(code) => Ok(Err((code.into(), person))),
            })
            .await?;
        Ok(match concluded {
            Ok(attempt) => {
                self.trial.count(None);
                page::go(&test_path(self.trial.connection, attempt), vec![no_cookie()])
            }
            Err(refused) => self.leave_refused(&refused),
        })
    }
}

/// The session with the end that the provider has set, if that is sooner.
fn limited(session: NewSession, end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> NewSession {
    let absolute_limit = end.map_or(session.absolute_limit, |end| session.absolute_limit.min(end - now));
    NewSession { absolute_limit, ..session }
}

/// Everything that it takes to let somebody in, in one transaction.
struct Entry {
    trial: Trial,
    visitor: Origin,
    device: Option<String>,
    page: String,
    arrival: Arrival,
    identity: Identity,
    session: NewSession,
    browser: [u8; 32],
    /// The account to be joined and the session in which that was asked for.
    linking: Option<(PersonId, kinora_core::SessionId)>,
    /// The session that the browser had: it ends with the new one.
    former: Option<kinora_core::SessionId>,
}

impl Entry {
    fn enter(
        self,
        connection: &mut PgConnection,
    ) -> Result<Result<PersonId, (Refused, Option<PersonId>)>, StoreError> {
        if let Some((person, session)) = self.linking
            && !begun::holds(connection, person, session)?
        {
            return Ok(Err((Code::SessionGone.into(), Some(person))));
        }
        let (person, login, acts) = match admissions::admit(connection, &self.visitor, &self.arrival)? {
            Outcome::Admitted { person, login, acts } => (person, login, acts),
            Outcome::Refused(why, person) => return Ok(Err((why.into(), person))),
        };
        let origin = Origin { actor_id: Some(person), actor: login.clone(), ..self.visitor.clone() };
        let scene = Scene { origin, device: self.device, page: self.page };
        known_browsers::note(connection, &scene, person, &self.browser)?;
        self.trial.passed(connection, Some(person), None)?;
        let beginning = Beginning {
            connection: self.arrival.connection,
            subject: self.arrival.subject,
            name: admission::stored_name(&self.identity.name_id),
            session_index: self.identity.session_index,
        };
        let session = NewSession { person_id: person, ..self.session };
        if let Some(former) = self.former {
            // Somebody else may have had it, and it may have ended meanwhile.
            sessions::replace(connection, &self.visitor, former)?;
        }
        admissions::record(connection, &self.visitor, (person, &login), acts)?;
        sessions::create(connection, &scene.origin, &session)?;
        begun::create(connection, session.id, &beginning, self.identity.authenticated)?;
        Ok(Ok(person))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_session_ends_no_later_than_the_provider_says() {
        let now = Utc::now();
        let session = NewSession {
            id: kinora_core::SessionId::new(),
            person_id: PersonId::new(),
            token_digest: [0; 32],
            idle_limit: TimeDelta::hours(1),
            absolute_limit: TimeDelta::hours(12),
            user_agent: None,
            factor: None,
        };
        let limit = |end| limited(session.clone(), end, now).absolute_limit;
        assert_eq!(limit(None), TimeDelta::hours(12));
        assert_eq!(limit(Some(now + TimeDelta::hours(20))), TimeDelta::hours(12));
        assert_eq!(limit(Some(now + TimeDelta::minutes(5))), TimeDelta::minutes(5));
    }
}
