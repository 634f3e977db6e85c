//! Writing attempts down, and where the person's browser goes when one was refused.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::{HttpMessage as _, HttpRequest};
use diesel::pg::PgConnection;
use kinora_core::{ConnectionId, PersonId};
use kinora_store::StoreError;
use kinora_store::single_sign_on::attempts::{self, NewAttempt};
use serde_json::Value;
use uuid::Uuid;

use super::page;
use super::refused::{Advice, Refused};
use crate::address::counted_address;
use crate::context::{ClientAddress, Context, client_address};
use crate::error::Problem;
use crate::middleware::rate_limit;
use crate::rate::Counted;

/// An attempt at a connection, from the first byte on.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The connection.
    pub connection: ConnectionId,
    /// What for, as it is written down.
    pub purpose: &'static str,
    /// From where.
    pub address: Option<String>,
}

impl Trial {
    /// Counts the request against its address, as those of the APIs are, and says where it comes from.
    ///
    /// # Errors
    /// [`crate::error::ProblemKind::RateLimited`].
    pub fn begin(
        context: &Context,
        request: &HttpRequest,
        connection: ConnectionId,
        purpose: &'static str,
    ) -> Result<Self, Problem> {
        if let Some(ClientAddress(address)) = request.extensions().get::<ClientAddress>() {
            rate_limit::take(context, Counted::Address(counted_address(*address)))?;
        }
        let address = client_address(request).map(|address| address.to_string());
        Ok(Self { connection, purpose, address })
    }

    fn row(&self, person: Option<PersonId>) -> NewAttempt {
        NewAttempt { purpose: self.purpose, person, address: self.address.clone(), ..NewAttempt::default() }
    }

    /// Writes down that it went well, in the running transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub fn passed(
        &self,
        connection: &mut PgConnection,
        person: Option<PersonId>,
        findings: Option<Value>,
    ) -> Result<Uuid, StoreError> {
        let row = NewAttempt { findings, ..self.row(person) };
        attempts::record(connection, self.connection, &row)
    }

    /// Writes down why it was refused, in the running transaction.
    ///
    /// # Errors
    /// If the database fails.
    pub fn failed(
        &self,
        connection: &mut PgConnection,
        refused: &Refused,
        person: Option<PersonId>,
    ) -> Result<Uuid, StoreError> {
        let row = NewAttempt {
            refusal: Some(refused.code),
            detail: refused.detail.as_ref().map(|text| text.replace('\0', "\u{fffd}")),
            ..self.row(person)
        };
        attempts::record(connection, self.connection, &row)
    }

    /// Writes a refusal down by itself; gives the attempt's id.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn note_failure(&self, context: &Context, refused: &Refused) -> Result<Uuid, Problem> {
        let (own, refused) = (self.clone(), refused.clone());
        context.database.transaction(move |connection| own.failed(connection, &refused, None)).await
    }

    /// Tells the log and the metrics. What was sent is in neither.
    pub fn count(&self, refusal: Option<&'static str>) {
        let outcome = if refusal.is_some() { "refused" } else { "passed" };
        metrics::counter!("kinora_single_sign_on_total", "purpose" => self.purpose, "outcome" => outcome)
            .increment(1);
        match refusal {
            Some(code) => log::info!(
                connection_id:% = self.connection, purpose = self.purpose, code;
                "an identity provider's message was refused"
            ),
            None => log::info!(
                connection_id:% = self.connection, purpose = self.purpose;
                "an identity provider's message was accepted"
            ),
        }
    }

    /// The page for the person: what they can do, and the attempt by which an administrator finds the reason.
    #[must_use]
    pub fn refuse(&self, refused: &Refused, attempt: Uuid, cookies: Vec<Cookie<'static>>) -> HttpResponse {
        self.count(Some(refused.code));
        page::go(&refusal_path(refused.advice, attempt), cookies)
    }
}

/// The address of the page for who was refused.
fn refusal_path(advice: Advice, attempt: Uuid) -> String {
    format!("/sign-in-refused?reason={}&attempt={attempt}", advice.name())
}
