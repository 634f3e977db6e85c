//! Personal data: what is kept where, taking it along, another address, erasure. The store's register says what all of
//! it is about (`kinora_store::privacy`).

pub mod address;
pub mod erasure;
pub mod export;
pub mod people;
pub mod register;
mod writing;

use actix_web::web::{self, ServiceConfig, resource};
use utoipa::OpenApi;

/// Registers the addresses below `/api/data/v1`.
pub fn configure(config: &mut ServiceConfig) {
    let below = |rest: &str| resource(format!("/organisations/{{organisation_id}}{rest}"));
    config
        .service(resource("/personal-data").route(web::get().to(register::list_personal_data)))
        .service(resource("/account/personal-data").route(web::get().to(export::export_account)))
        .service(resource("/account/erasure").route(web::post().to(erasure::erase_account)))
        .service(resource("/account/address").route(web::post().to(address::ask_for_address)))
        .service(resource("/address-confirmation").route(web::post().to(address::confirm_address)))
        .service(below("/personal-data").route(web::get().to(export::export_organisation)))
        .service(below("/personal-data/people").route(web::get().to(people::list_held_people)))
        .service(below("/people/{person_id}/personal-data").route(web::get().to(export::export_person)))
        .service(below("/people/{person_id}/erasure").route(web::post().to(erasure::erase_person)))
        .service(below("/erasures").route(web::get().to(erasure::list_erasures)))
        .service(below("/erasures/{erasure_id}").route(web::get().to(erasure::read_erasure)));
}

/// The OpenAPI document of these addresses.
#[derive(OpenApi)]
#[openapi(paths(
    register::list_personal_data,
    export::export_account,
    export::export_person,
    export::export_organisation,
    people::list_held_people,
    erasure::erase_account,
    erasure::erase_person,
    erasure::list_erasures,
    erasure::read_erasure,
    address::ask_for_address,
    address::confirm_address,
))]
pub struct Documentation;
