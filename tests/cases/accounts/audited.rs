//! Every change leaves an audit row in its own transaction: each operation of the API is performed once, well, and what it
//! has written into the trail is looked up by the id of its request.
//!
//! An operation that is added has to be decided: [`RECORDED`] names the act it records, [`UNRECORDED`] why it records none.

mod acts;
mod calls;
mod refusal;
mod trail;

use std::collections::BTreeSet;

use calls::World;
use refusal::Refusal;
use trail::Trail;

const BEGINS: &str = "makes a challenge that counts for nothing until it is answered; the answer is recorded";
const ASKS: &str = "only reads: what it asks with is too long or too secret for an address";

/// Operations that change something, and the act that each records.
const RECORDED: &[(&str, &str)] = &[
    ("accept_invitation", "invitation.accepted"),
    ("accept_support_access", "support.accepted"),
    ("add_certificate", "saml_key.added"),
    ("add_domain", "organisation_domain.added"),
    ("add_passkey", "factor.added"),
    ("ask_for_address", "address.change_asked"),
    ("begin_email_codes", "email_code.sent"),
    ("cancel_run", "run.cancel_requested"),
    ("confirm_address", "login.changed"),
    ("confirm_authenticator", "factor.added"),
    ("confirm_email_codes", "factor.added"),
    ("confirm_session", "session.confirmed"),
    ("create_connection", "saml_connection.created"),
    ("create_group_rule", "saml_group_rule.created"),
    ("create_invitation", "invitation.created"),
    ("create_invited_account", "invitation.accepted"),
    ("create_organisation", "organisation.created"),
    ("create_password_link", "password_link.created"),
    ("create_person", "person.added"),
    ("create_production", "production.created"),
    ("create_provisioning_token", "provisioning_token.created"),
    ("create_service_account", "service_account.created"),
    ("create_service_account_token", "token.created"),
    ("create_session", "session.begun"),
    ("create_token", "token.created"),
    ("create_upload", "upload.created"),
    ("delete_session", "session.ended"),
    ("drop_certificate", "saml_key.removed"),
    ("drop_mail", "mail.dropped"),
    ("end_support_access", "support.ended"),
    ("erase_account", "person.erased"),
    ("erase_person", "person.erased"),
    ("give_support_access", "support.given"),
    ("make_recovery_codes", "recovery_codes.made"),
    ("refresh_provider_metadata", "saml_connection.metadata_refreshed"),
    ("remove_asset", "asset.removed"),
    ("remove_authenticator", "factor.removed"),
    ("remove_connection", "saml_connection.removed"),
    ("remove_domain", "organisation_domain.removed"),
    ("remove_email_codes", "factor.removed"),
    ("remove_group_rule", "saml_group_rule.removed"),
    ("remove_member", "membership.changed"),
    ("remove_passkey", "factor.removed"),
    ("remove_person", "person.removed"),
    ("remove_production", "production.removed"),
    ("remove_upload", "upload.removed"),
    ("resend_invitation", "invitation.resent"),
    ("reset_factors", "factors.reset"),
    ("restart_step", "step.restarted"),
    ("retry_mail", "mail.retried"),
    ("revoke_provisioning_token", "provisioning_token.revoked"),
    ("revoke_service_account_token", "token.revoked"),
    ("revoke_session", "session.ended"),
    ("revoke_token", "token.revoked"),
    ("send_email_code", "email_code.sent"),
    ("separate_studio_account", "identity.separated"),
    ("set_member", "membership.changed"),
    ("set_provider_metadata", "saml_connection.metadata_set"),
    ("show_second_factor", "session.begun"),
    ("sign_in_with_passkey", "session.begun"),
    ("switch_certificate", "saml_key.switched"),
    ("update_account", "person.renamed"),
    ("update_asset", "asset.renamed"),
    ("update_connection", "saml_connection.changed"),
    ("update_domain", "organisation_domain.led"),
    ("update_organisation", "organisation.renamed"),
    ("update_password", "password.changed"),
    ("update_person", "person.changed"),
    ("update_production", "production.renamed"),
    ("update_security", "organisation.security_changed"),
    ("update_service_account", "service_account.changed"),
    ("use_password_link", "password.set"),
    ("withdraw_invitation", "invitation.withdrawn"),
    // With the last bytes of a file; those before are neither shown to anybody nor kept without them.
    ("write_upload", "asset.created"),
];

/// Operations that record nothing, and why.
const UNRECORDED: &[(&str, &str)] = &[
    ("begin_authenticator", BEGINS),
    ("begin_passkey", BEGINS),
    ("challenge_confirmation", BEGINS),
    ("challenge_passkey_sign_in", BEGINS),
    ("challenge_second_factor", BEGINS),
    (
        "confirm_with_studio_account",
        "leads to the identity provider; coming back is recorded as session.confirmed",
    ),
    ("describe_uploads", "OPTIONS: says what the server can do"),
    ("join_studio_account", "leads to the identity provider; coming back is recorded as identity.linked"),
    ("read_invitation_offer", ASKS),
    ("read_password_link", ASKS),
    ("read_support_offer", ASKS),
    ("route_sign_in", ASKS),
    (
        "test_connection",
        "leads to the identity provider; what comes back is kept as an attempt and lets nobody in",
    ),
];

fn names(list: &'static [(&'static str, &'static str)]) -> BTreeSet<&'static str> {
    let names: BTreeSet<_> = list.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), list.len(), "one stands twice");
    names
}

#[tokio::test]
async fn every_change_is_recorded_by_the_request_that_made_it() {
    let mut world = World::make().await;
    let document = world.owner.get("/api/openapi.json").await.expect(200).json();
    let mut trail = Trail::of(&world.kinora, &document);
    world.call_everything(&mut trail).await;

    let (recorded, unrecorded) = (names(RECORDED), names(UNRECORDED));
    let both: Vec<_> = recorded.intersection(&unrecorded).collect();
    assert!(both.is_empty(), "in both lists: {both:?}");
    let listed: BTreeSet<&str> = recorded.union(&unrecorded).copied().collect();
    let offered: BTreeSet<&str> = trail.operations().collect();
    let undecided: Vec<_> = offered.difference(&listed).collect();
    assert!(undecided.is_empty(), "say in RECORDED or UNRECORDED what becomes of {undecided:?}");
    let gone: Vec<_> = listed.difference(&offered).collect();
    assert!(gone.is_empty(), "no such operations any more: {gone:?}");

    let mut wrong = Vec::new();
    for (operation, action) in RECORDED {
        match trail.wrote(operation) {
            Some(acts) if acts.contains(*action) => {}
            found => wrong.push(format!("{operation}: {action} is missing in {found:?}")),
        }
    }
    for (operation, _) in UNRECORDED {
        match trail.wrote(operation) {
            Some(acts) if acts.is_empty() => {}
            found => wrong.push(format!("{operation}: is said to record nothing, and has {found:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    acts::require_decided(&trail.everything());
}

#[tokio::test]
async fn what_cannot_be_recorded_changes_nothing() {
    let mut world = World::make().await;
    let document = world.owner.get("/api/openapi.json").await.expect(200).json();
    let recorded = names(RECORDED);
    let mut trail =
        Trail::of(&world.kinora, &document).refusing(Refusal::of(&world.kinora, recorded.clone()));
    world.call_everything(&mut trail).await;
    let refusal = trail.refusal().unwrap();
    assert_eq!(refusal.refused(), &recorded, "each was refused once");
    assert!(refusal.wrong().is_empty(), "{}", refusal.wrong().join("\n"));
}
