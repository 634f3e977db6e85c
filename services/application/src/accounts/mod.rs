//! Accounts: sessions, people, organisations, productions and who may do what in them.

pub mod account;
pub mod audit;
pub mod entrance;
pub mod factors;
pub mod fields;
pub mod housekeeping;
pub mod invitations;
pub mod mail;
pub mod offer;
pub mod organisations;
pub mod password_link;
pub mod password_policy;
pub mod passwords;
pub mod people;
pub mod productions;
pub mod service_accounts;
pub mod session;
pub mod support;
pub mod support_offer;
pub mod support_watch;

use actix_web::Resource;
use actix_web::web::{self, ServiceConfig, resource};
use utoipa::OpenApi;

use crate::single_sign_on::{route, sign_in};
use factors::{authenticator, confirmation, email_codes, passkeys, recovery, second_step};

/// Registers the addresses below `/api/data/v1`.
pub fn configure(config: &mut ServiceConfig) {
    configure_account(config);
    configure_factors(config);
    configure_organisations(config);
    configure_productions(config);
}

fn configure_account(config: &mut ServiceConfig) {
    let session = resource("/session")
        .route(web::post().to(session::create_session))
        .route(web::get().to(session::read_session))
        .route(web::delete().to(session::delete_session));
    let link = resource("/password-link").route(web::post().to(password_link::read_password_link));
    let password =
        resource("/password-link/password").route(web::post().to(password_link::use_password_link));
    let tokens = resource("/account/tokens")
        .route(web::get().to(account::list_tokens))
        .route(web::post().to(account::create_token));
    let studio_accounts = resource("/account/studio-accounts")
        .route(web::get().to(sign_in::list_studio_accounts))
        .route(web::post().to(sign_in::join_studio_account));
    let studio_account = resource("/account/studio-accounts/{connection_id}")
        .route(web::delete().to(sign_in::separate_studio_account));
    config
        .service(session)
        .service(resource("/session/route").route(web::post().to(route::route_sign_in)))
        .service(studio_accounts)
        .service(studio_account)
        .service(link)
        .service(password)
        .service(resource("/invitation").route(web::post().to(offer::read_invitation_offer)))
        .service(resource("/invitation/acceptance").route(web::post().to(offer::accept_invitation)))
        .service(resource("/invitation/account").route(web::post().to(offer::create_invited_account)))
        .service(resource("/support-access").route(web::post().to(support_offer::read_support_offer)))
        .service(
            resource("/support-access/acceptance")
                .route(web::post().to(support_offer::accept_support_access)),
        )
        .service(resource("/account").route(web::patch().to(account::update_account)))
        .service(resource("/account/password").route(web::put().to(account::update_password)))
        .service(resource("/account/sessions").route(web::get().to(account::list_sessions)))
        .service(resource("/account/sessions/{session_id}").route(web::delete().to(account::revoke_session)))
        .service(tokens)
        .service(resource("/account/tokens/{token_id}").route(web::delete().to(account::revoke_token)));
}

fn configure_factors(config: &mut ServiceConfig) {
    let authenticator = resource("/account/factors/authenticator")
        .route(web::post().to(authenticator::begin_authenticator))
        .route(web::put().to(authenticator::confirm_authenticator))
        .route(web::delete().to(authenticator::remove_authenticator));
    let mailed = resource("/account/factors/email-code")
        .route(web::post().to(email_codes::begin_email_codes))
        .route(web::put().to(email_codes::confirm_email_codes))
        .route(web::delete().to(email_codes::remove_email_codes));
    config
        .service(resource("/session/second-factor").route(web::post().to(second_step::show_second_factor)))
        .service(
            resource("/session/second-factor/challenge")
                .route(web::post().to(second_step::challenge_second_factor)),
        )
        .service(
            resource("/session/second-factor/email-code").route(web::post().to(second_step::send_email_code)),
        )
        .service(resource("/session/passkey").route(web::post().to(second_step::sign_in_with_passkey)))
        .service(
            resource("/session/passkey/challenge")
                .route(web::post().to(second_step::challenge_passkey_sign_in)),
        )
        .service(resource("/account/factors").route(web::get().to(factors::read_factors)))
        .service(authenticator)
        .service(mailed)
        .service(
            resource("/account/factors/recovery-codes").route(web::post().to(recovery::make_recovery_codes)),
        )
        .service(resource("/account/passkeys").route(web::post().to(passkeys::add_passkey)))
        .service(resource("/account/passkeys/challenge").route(web::post().to(passkeys::begin_passkey)))
        .service(resource("/account/passkeys/{passkey_id}").route(web::delete().to(passkeys::remove_passkey)))
        .service(resource("/account/confirmation").route(web::post().to(confirmation::confirm_session)))
        .service(
            resource("/account/confirmation/challenge")
                .route(web::post().to(confirmation::challenge_confirmation)),
        )
        .service(
            resource("/account/confirmation/studio-account")
                .route(web::post().to(sign_in::confirm_with_studio_account)),
        );
}

fn configure_organisations(config: &mut ServiceConfig) {
    let all = resource("/organisations")
        .route(web::get().to(organisations::list_organisations))
        .route(web::post().to(organisations::create_organisation));
    let one = resource("/organisations/{organisation_id}")
        .route(web::get().to(organisations::read_organisation))
        .route(web::patch().to(organisations::update_organisation));
    let people = resource("/organisations/{organisation_id}/people")
        .route(web::get().to(people::list_people))
        .route(web::post().to(people::create_person));
    let link = resource("/organisations/{organisation_id}/people/{person_id}/password-link")
        .route(web::post().to(people::create_password_link));
    let productions = resource("/organisations/{organisation_id}/productions")
        .route(web::get().to(productions::list_organisation_productions))
        .route(web::post().to(productions::create_production));
    let trail = resource("/organisations/{organisation_id}/audit").route(web::get().to(audit::list_audit));
    let factors = resource("/organisations/{organisation_id}/people/{person_id}/factors")
        .route(web::delete().to(people::reset_factors));
    let security = resource("/organisations/{organisation_id}/security")
        .route(web::get().to(organisations::read_security))
        .route(web::put().to(organisations::update_security));
    config.service(all).service(one).service(people).service(person()).service(link);
    config.service(factors).service(security);
    config
        .service(productions)
        .service(trail)
        .service(
            resource("/organisations/{organisation_id}/audit/export")
                .route(web::get().to(audit::export_audit)),
        )
        .service(
            resource("/organisations/{organisation_id}/audit/check")
                .route(web::get().to(audit::read_audit_check)),
        );
    configure_service_accounts(config);
    configure_mail(config);
    configure_support(config);
}

fn configure_support(config: &mut ServiceConfig) {
    let all = resource("/organisations/{organisation_id}/support-grants")
        .route(web::get().to(support::list_support_grants))
        .route(web::post().to(support::give_support_access));
    let one = resource("/organisations/{organisation_id}/support-grants/{grant_id}")
        .route(web::get().to(support::read_support_grant));
    let end = resource("/organisations/{organisation_id}/support-grants/{grant_id}/end")
        .route(web::post().to(support::end_support_access));
    config.service(all).service(one).service(end);
}

fn configure_service_accounts(config: &mut ServiceConfig) {
    let all = resource("/organisations/{organisation_id}/service-accounts")
        .route(web::get().to(service_accounts::list_service_accounts))
        .route(web::post().to(service_accounts::create_service_account));
    let one = resource("/organisations/{organisation_id}/service-accounts/{person_id}")
        .route(web::get().to(service_accounts::read_service_account))
        .route(web::patch().to(service_accounts::update_service_account));
    let tokens = resource("/organisations/{organisation_id}/service-accounts/{person_id}/tokens")
        .route(web::get().to(service_accounts::list_service_account_tokens))
        .route(web::post().to(service_accounts::create_service_account_token));
    let token = resource("/organisations/{organisation_id}/service-accounts/{person_id}/tokens/{token_id}")
        .route(web::delete().to(service_accounts::revoke_service_account_token));
    config.service(all).service(one).service(tokens).service(token);
}

fn configure_mail(config: &mut ServiceConfig) {
    let one = resource("/organisations/{organisation_id}/mail/{message_id}")
        .route(web::get().to(mail::read_mail))
        .route(web::delete().to(mail::drop_mail));
    config
        .service(resource("/organisations/{organisation_id}/mail").route(web::get().to(mail::list_mail)))
        .service(
            resource("/organisations/{organisation_id}/mail-relay")
                .route(web::get().to(mail::read_mail_relay)),
        )
        .service(one)
        .service(
            resource("/organisations/{organisation_id}/mail/{message_id}/retry")
                .route(web::post().to(mail::retry_mail)),
        );
}

fn person() -> Resource {
    resource("/organisations/{organisation_id}/people/{person_id}")
        .route(web::get().to(people::read_person))
        .route(web::patch().to(people::update_person))
        .route(web::delete().to(people::remove_person))
}

fn configure_productions(config: &mut ServiceConfig) {
    let one = resource("/productions/{production_id}")
        .route(web::get().to(productions::read_production))
        .route(web::patch().to(productions::update_production))
        .route(web::delete().to(productions::remove_production));
    let member = resource("/productions/{production_id}/members/{person_id}")
        .route(web::get().to(productions::read_member))
        .route(web::put().to(productions::set_member))
        .route(web::delete().to(productions::remove_member));
    config
        .service(resource("/productions").route(web::get().to(productions::list_productions)))
        .service(one)
        .service(
            resource("/productions/{production_id}/members").route(web::get().to(productions::list_members)),
        )
        .service(member);
    configure_invitations(config);
}

fn configure_invitations(config: &mut ServiceConfig) {
    let all = resource("/productions/{production_id}/invitations")
        .route(web::get().to(invitations::list_invitations))
        .route(web::post().to(invitations::create_invitation));
    let one = resource("/productions/{production_id}/invitations/{invitation_id}")
        .route(web::get().to(invitations::read_invitation))
        .route(web::delete().to(invitations::withdraw_invitation));
    let again = resource("/productions/{production_id}/invitations/{invitation_id}/mail")
        .route(web::post().to(invitations::resend_invitation));
    config.service(all).service(one).service(again);
}

/// The OpenAPI document of these addresses.
#[derive(OpenApi)]
#[openapi(paths(
    session::create_session,
    session::read_session,
    session::delete_session,
    route::route_sign_in,
    sign_in::list_studio_accounts,
    sign_in::join_studio_account,
    sign_in::separate_studio_account,
    sign_in::confirm_with_studio_account,
    second_step::show_second_factor,
    second_step::challenge_second_factor,
    second_step::send_email_code,
    second_step::sign_in_with_passkey,
    second_step::challenge_passkey_sign_in,
    factors::read_factors,
    authenticator::begin_authenticator,
    authenticator::confirm_authenticator,
    authenticator::remove_authenticator,
    email_codes::begin_email_codes,
    email_codes::confirm_email_codes,
    email_codes::remove_email_codes,
    recovery::make_recovery_codes,
    passkeys::begin_passkey,
    passkeys::add_passkey,
    passkeys::remove_passkey,
    confirmation::confirm_session,
    confirmation::challenge_confirmation,
    password_link::read_password_link,
    password_link::use_password_link,
    account::update_account,
    account::update_password,
    account::list_sessions,
    account::revoke_session,
    account::list_tokens,
    account::create_token,
    account::revoke_token,
    organisations::list_organisations,
    organisations::create_organisation,
    organisations::read_organisation,
    organisations::update_organisation,
    organisations::read_security,
    organisations::update_security,
    audit::list_audit,
    audit::export_audit,
    audit::read_audit_check,
    people::list_people,
    people::create_person,
    people::read_person,
    people::update_person,
    people::remove_person,
    people::create_password_link,
    people::reset_factors,
    service_accounts::list_service_accounts,
    service_accounts::create_service_account,
    service_accounts::read_service_account,
    service_accounts::update_service_account,
    service_accounts::list_service_account_tokens,
    service_accounts::create_service_account_token,
    service_accounts::revoke_service_account_token,
    productions::list_productions,
    productions::list_organisation_productions,
    productions::create_production,
    productions::read_production,
    productions::update_production,
    productions::remove_production,
    productions::list_members,
    productions::read_member,
    productions::set_member,
    productions::remove_member,
    invitations::list_invitations,
    invitations::create_invitation,
    invitations::read_invitation,
    invitations::withdraw_invitation,
    invitations::resend_invitation,
    offer::read_invitation_offer,
    offer::accept_invitation,
    offer::create_invited_account,
    mail::list_mail,
    mail::read_mail_relay,
    mail::read_mail,
    mail::retry_mail,
    mail::drop_mail,
    support::list_support_grants,
    support::give_support_access,
    support::read_support_grant,
    support::end_support_access,
    support_offer::read_support_offer,
    support_offer::accept_support_access,
))]
pub struct Documentation;
