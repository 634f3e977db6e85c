//! What each operation writes into the audit trail.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::Text;
use kinora_tests::{Answer, Client, Kinora, wait_until};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::super::world::text;
use super::refusal::Refusal;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    action: String,
}

/// The operations that may change something, and the acts that the requests for them have recorded.
pub struct Trail {
    connection: PgConnection,
    operations: BTreeMap<String, (Method, String)>,
    wrote: BTreeMap<String, BTreeSet<String>>,
    refusal: Option<Refusal>,
}

impl Trail {
    /// Of all operations of the OpenAPI document that do not read by their method alone.
    pub fn of(kinora: &Kinora, document: &Value) -> Self {
        let mut operations = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
                if method != Method::GET && method != Method::HEAD {
                    operations.insert(text(operation, "/operationId"), (method, path.clone()));
                }
            }
        }
        Self { connection: kinora.connect(), operations, wrote: BTreeMap::new(), refusal: None }
    }

    /// Has each operation refused once before it is performed, because it cannot be recorded.
    pub fn refusing(self, refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), ..self }
    }

    /// What was refused; nothing if it was not asked for.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// Their names.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(String::as_str)
    }

    /// The acts that an operation has recorded; none if it was not called.
    pub fn wrote(&self, operation: &str) -> Option<&BTreeSet<String>> {
        self.wrote.get(operation)
    }

    /// Every act that stands in the trail, also of the system and of whoever came through the provider.
    pub fn everything(&mut self) -> BTreeSet<String> {
        let rows: Vec<Row> =
            diesel::sql_query("SELECT DISTINCT action FROM audit_rows").load(&mut self.connection).unwrap();
        rows.into_iter().map(|row| row.action).collect()
    }

    /// Performs an operation with JSON. `ids` are for the gaps of its address, in their order.
    pub async fn call(&mut self, client: &mut Client, operation: &str, ids: &[&str], body: Value) -> Answer {
        let complete = |request: RequestBuilder| request.header("If-Match", "*").json(&body);
        self.send(client, operation, ids, complete).await
    }

    /// Performs one that takes nothing but its address.
    pub async fn act(&mut self, client: &mut Client, operation: &str, ids: &[&str]) -> Answer {
        self.call(client, operation, ids, json!({})).await
    }

    /// Performs an operation, which has to succeed, and notes what stands in the trail under its request's id.
    pub async fn send(
        &mut self,
        client: &mut Client,
        operation: &str,
        ids: &[&str],
        complete: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        let (method, template) = self.operations.get(operation).expect(operation).clone();
        let mut ids = ids.iter();
        let parts = template.split('/').map(|part| {
            if part.starts_with('{') {
                *ids.next().unwrap_or_else(|| panic!("{template} needs another id"))
            } else {
                part
            }
        });
        let path = parts.collect::<Vec<_>>().join("/");
        let request = complete(client.request(method, &path));
        if let Some(refusal) = &mut self.refusal {
            refusal.expect(client, operation, &request).await;
        }
        // Whose writing was refused holds an upload for some seconds more.
        let answer = wait_until("nobody else writes", async || {
            let answer = client.send(request.try_clone().expect("bytes that can be sent again")).await;
            (answer.status != 423).then_some(answer)
        })
        .await;
        assert!(answer.status.is_success(), "{operation}: {} {}", answer.status, answer.text());
        let id = answer.header("x-request-id").expect("an id of the request").to_owned();
        let rows: Vec<Row> = diesel::sql_query("SELECT action FROM audit_rows WHERE request_id = $1")
            .bind::<Text, _>(id)
            .load(&mut self.connection)
            .unwrap();
        let acts = rows.into_iter().map(|row| row.action);
        self.wrote.entry(operation.to_owned()).or_default().extend(acts);
        answer
    }
}
