//! The access log: one record for each request, with the ids it was about as fields.
//!
//! Only what we made ourselves is written: the route's pattern instead of the path, ids that are ids, and
//! never a header, a query or anything else that a client has chosen (docs/LOGGING.md).

use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::ServiceResponse;
use log::{Level, Record};
use uuid::Uuid;

use crate::context::{Caller, RequestId};

/// The records' target, so that they can be filtered.
const TARGET: &str = "kinora_application::access";
/// Path parameters that are ids, and the fields they become.
const IDS: [&str; 3] = ["production_id", "asset_id", "run_id"];

/// Writes the record of an answered request.
pub fn write(response: &ServiceResponse<impl Sized>, route: &str, method: &str, took: Duration) {
    // Asked every second by load balancers.
    let is_probe = matches!(route, "/livez" | "/readyz");
    let level = if is_probe { Level::Debug } else { Level::Info };
    if level > log::max_level() {
        return;
    }
    let request = response.request();
    let mut fields: Vec<(&str, String)> = Vec::with_capacity(9);
    {
        let extensions = request.extensions();
        if let Some(RequestId(id)) = extensions.get::<RequestId>() {
            fields.push(("request_id", id.to_string()));
        }
        if let Some(caller) = extensions.get::<Caller>() {
            fields.push(("person_id", caller.principal.person_id.to_string()));
        }
    }
    for name in IDS {
        if let Some(id) = request.match_info().get(name).and_then(|text| text.parse::<Uuid>().ok()) {
            fields.push((name, id.to_string()));
        }
    }
    fields.push(("method", method.to_owned()));
    fields.push(("route", route.to_owned()));
    fields.push(("status", response.status().as_u16().to_string()));
    fields.push(("duration_ms", took.as_millis().to_string()));
    let record = Record::builder()
        .level(level)
        .target(TARGET)
        .module_path_static(Some(module_path!()))
        .key_values(&fields)
        .args(format_args!("answered"))
        .build();
    log::logger().log(&record);
}
