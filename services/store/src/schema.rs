//! The tables as diesel sees them; a test compares this file with the migrated database.

#![allow(missing_docs, reason = "generated shape; the migrations carry the comments")]

diesel::table! {
    organisations (id) {
        id -> Uuid,
        name -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        revision -> Int8,
        second_factor_required -> Bool,
        sso_required -> Bool,
        email_code_allowed -> Bool,
    }
}

diesel::table! {
    people (id) {
        id -> Uuid,
        login -> Text,
        login_key -> Text,
        display_name -> Text,
        password_hash -> Nullable<Text>,
        password_change_required -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
        revision -> Int8,
        erased_at -> Nullable<Timestamptz>,
        made_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    address_changes (person_id) {
        person_id -> Uuid,
        address -> Text,
        token_digest -> Nullable<Bytea>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    erasures (id) {
        id -> Uuid,
        person_id -> Uuid,
        organisation_id -> Nullable<Uuid>,
        stands_for -> Uuid,
        asked_by -> Text,
        told_to -> Array<Uuid>,
        erased_at -> Timestamptz,
        report -> Jsonb,
    }
}

diesel::table! {
    organisation_members (organisation_id, person_id) {
        organisation_id -> Uuid,
        person_id -> Uuid,
        role -> Text,
        created_at -> Timestamptz,
        revision -> Int8,
        granted_by -> Nullable<Uuid>,
        break_glass -> Bool,
    }
}

diesel::table! {
    productions (id) {
        id -> Uuid,
        organisation_id -> Uuid,
        name -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        removed_at -> Nullable<Timestamptz>,
        revision -> Int8,
        event_sequence -> Int8,
    }
}

diesel::table! {
    production_members (production_id, person_id) {
        production_id -> Uuid,
        person_id -> Uuid,
        office_role -> Nullable<Text>,
        library_role -> Nullable<Text>,
        subtitling_role -> Nullable<Text>,
        budget_role -> Nullable<Text>,
        created_at -> Timestamptz,
        revision -> Int8,
        ends_at -> Nullable<Timestamptz>,
        granted_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    invitations (id) {
        id -> Uuid,
        organisation_id -> Uuid,
        production_id -> Uuid,
        address -> Text,
        address_key -> Text,
        office_role -> Nullable<Text>,
        library_role -> Nullable<Text>,
        subtitling_role -> Nullable<Text>,
        budget_role -> Nullable<Text>,
        membership_ends_at -> Nullable<Timestamptz>,
        invited_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        mailed_at -> Timestamptz,
        expires_at -> Timestamptz,
        accepted_at -> Nullable<Timestamptz>,
        accepted_by -> Nullable<Uuid>,
        withdrawn_at -> Nullable<Timestamptz>,
        revision -> Int8,
    }
}

diesel::table! {
    invitation_links (token_digest) {
        token_digest -> Bytea,
        invitation_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    mail_messages (id) {
        id -> Uuid,
        organisation_id -> Nullable<Uuid>,
        person_id -> Nullable<Uuid>,
        invitation_id -> Nullable<Uuid>,
        recipient -> Text,
        kind -> Text,
        letter -> Nullable<Jsonb>,
        state -> Text,
        tries -> Int4,
        not_before -> Timestamptz,
        refused_at -> Nullable<Timestamptz>,
        claim -> Nullable<Uuid>,
        claimed_until -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    mail_relay (singleton) {
        singleton -> Bool,
        state -> Text,
        since -> Timestamptz,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    sign_in_failures (login_digest) {
        login_digest -> Bytea,
        failures -> Int4,
        locked_until -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        person_id -> Uuid,
        token_digest -> Bytea,
        created_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        idle_expires_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        confirmed_at -> Nullable<Timestamptz>,
        by_email_code -> Bool,
    }
}

diesel::table! {
    totp_factors (person_id) {
        person_id -> Uuid,
        master_key_id -> Text,
        sealed_secret -> Text,
        last_step -> Int8,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    totp_enrolments (person_id) {
        person_id -> Uuid,
        session_id -> Uuid,
        master_key_id -> Text,
        sealed_secret -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    recovery_codes (person_id, code_digest) {
        person_id -> Uuid,
        code_digest -> Bytea,
        created_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    passkeys (id) {
        id -> Uuid,
        person_id -> Uuid,
        credential_id -> Bytea,
        algorithm -> Int4,
        public_key -> Bytea,
        sign_count -> Int8,
        transports -> Array<Text>,
        is_synced -> Bool,
        name -> Text,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    passkey_challenges (challenge) {
        challenge -> Bytea,
        bound_to -> Bytea,
        purpose -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    pending_sign_ins (id) {
        id -> Uuid,
        person_id -> Uuid,
        token_digest -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    factor_tries (person_id, kind) {
        person_id -> Uuid,
        kind -> Text,
        failures -> Int4,
        locked_until -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    email_factors (person_id) {
        person_id -> Uuid,
        address -> Text,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    email_codes (bound_to) {
        bound_to -> Bytea,
        person_id -> Uuid,
        purpose -> Text,
        code_digest -> Bytea,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    known_browsers (person_id, token_digest) {
        person_id -> Uuid,
        token_digest -> Bytea,
        first_seen_at -> Timestamptz,
        last_seen_at -> Timestamptz,
    }
}

diesel::table! {
    access_tokens (id) {
        id -> Uuid,
        person_id -> Uuid,
        name -> Text,
        token_digest -> Bytea,
        hint -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        most_role -> Nullable<Text>,
        modules -> Nullable<Array<Text>>,
        productions -> Nullable<Array<Uuid>>,
    }
}

diesel::table! {
    password_links (id) {
        id -> Uuid,
        person_id -> Uuid,
        token_digest -> Bytea,
        created_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    idempotency_keys (person_id, key) {
        person_id -> Uuid,
        key -> Text,
        request_digest -> Bytea,
        status -> Int2,
        headers -> Jsonb,
        body -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    audit_rows (sequence) {
        sequence -> Int8,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        actor -> Text,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        organisation_id -> Nullable<Uuid>,
        production_id -> Nullable<Uuid>,
        action -> Text,
        subject_kind -> Text,
        subject_id -> Nullable<Uuid>,
        subject -> Nullable<Text>,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        hash -> Bytea,
        support_grant_id -> Nullable<Uuid>,
        salts -> Nullable<Bytea>,
        digests -> Nullable<Bytea>,
        erasures -> Array<Uuid>,
        actor_is_guest -> Bool,
    }
}

diesel::table! {
    audit_checks (singleton) {
        singleton -> Bool,
        at -> Timestamptz,
        verdict -> Text,
        rows -> Int8,
        sequence -> Nullable<Int8>,
        head -> Nullable<Text>,
    }
}

diesel::table! {
    audit_forwarded (singleton) {
        singleton -> Bool,
        sequence -> Int8,
    }
}

diesel::table! {
    audit_start (singleton) {
        singleton -> Bool,
        sequence -> Int8,
        hash -> Bytea,
    }
}

diesel::table! {
    audit_head (singleton) {
        singleton -> Bool,
        sequence -> Int8,
        hash -> Bytea,
    }
}

diesel::table! {
    objects (id) {
        id -> Uuid,
        production_id -> Uuid,
        master_key_id -> Text,
        wrapped_key -> Text,
        size_bytes -> Int8,
        sha256 -> Text,
        segments -> Jsonb,
        place -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    orphan_objects (object_id) {
        object_id -> Uuid,
        created_at -> Timestamptz,
        remove_after -> Timestamptz,
    }
}

diesel::table! {
    assets (id) {
        id -> Uuid,
        production_id -> Uuid,
        name -> Text,
        kind -> Text,
        status -> Text,
        failure -> Nullable<Jsonb>,
        current_version -> Nullable<Uuid>,
        size_bytes -> Int8,
        duration_us -> Nullable<Int8>,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        removed_at -> Nullable<Timestamptz>,
        revision -> Int8,
    }
}

diesel::table! {
    versions (id) {
        id -> Uuid,
        asset_id -> Uuid,
        production_id -> Uuid,
        number -> Int4,
        file_name -> Text,
        media_type -> Text,
        original_object_id -> Uuid,
        size_bytes -> Int8,
        sha256 -> Text,
        technical -> Nullable<Jsonb>,
        analysis -> Nullable<Jsonb>,
        warnings -> Jsonb,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    derivatives (version_id, kind) {
        version_id -> Uuid,
        kind -> Text,
        object_id -> Uuid,
        media_type -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    uploads (id) {
        id -> Uuid,
        production_id -> Uuid,
        person_id -> Uuid,
        length_bytes -> Nullable<Int8>,
        offset_bytes -> Int8,
        metadata -> Text,
        file_name -> Nullable<Text>,
        media_type -> Nullable<Text>,
        concatenation -> Nullable<Text>,
        parts -> Nullable<Jsonb>,
        object_id -> Uuid,
        master_key_id -> Text,
        wrapped_key -> Text,
        segments -> Jsonb,
        hash_state -> Nullable<Bytea>,
        epoch -> Int4,
        writer -> Nullable<Text>,
        writer_seen_at -> Nullable<Timestamptz>,
        state -> Text,
        asset_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    runs (id) {
        id -> Uuid,
        production_id -> Uuid,
        asset_id -> Uuid,
        version_id -> Uuid,
        workflow -> Text,
        workflow_version -> Int4,
        state -> Text,
        failure -> Nullable<Jsonb>,
        cancel_requested_at -> Nullable<Timestamptz>,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    steps (id) {
        id -> Uuid,
        run_id -> Uuid,
        position -> Int4,
        kind -> Text,
        needs -> Array<Text>,
        state -> Text,
        attempt -> Int4,
        tries -> Int4,
        not_before -> Timestamptz,
        progress -> Nullable<Jsonb>,
        output -> Nullable<Jsonb>,
        failure -> Nullable<Jsonb>,
        worker -> Nullable<Text>,
        waiting_since -> Timestamptz,
        queued_at -> Nullable<Timestamptz>,
        started_at -> Nullable<Timestamptz>,
        heartbeat_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    events (production_id, sequence) {
        production_id -> Uuid,
        sequence -> Int8,
        at -> Timestamptz,
        module -> Nullable<Text>,
        kind -> Text,
        payload -> Jsonb,
    }
}

diesel::table! {
    organisation_domains (id) {
        id -> Uuid,
        organisation_id -> Uuid,
        domain -> Text,
        created_at -> Timestamptz,
        verified_at -> Nullable<Timestamptz>,
        connection_id -> Nullable<Uuid>,
        revision -> Int8,
    }
}

diesel::table! {
    saml_connections (id) {
        id -> Uuid,
        organisation_id -> Uuid,
        name -> Text,
        enabled -> Bool,
        metadata -> Nullable<Text>,
        entity_id -> Nullable<Text>,
        metadata_url -> Nullable<Text>,
        fetched_at -> Nullable<Timestamptz>,
        fetch_tried_at -> Nullable<Timestamptz>,
        fetch_error -> Nullable<Text>,
        metadata_signer -> Nullable<Bytea>,
        clock_skew_seconds -> Int4,
        allow_unsolicited -> Bool,
        force_sign_in -> Bool,
        contexts -> Array<Text>,
        name_id_format -> Nullable<Text>,
        request_binding -> Nullable<Text>,
        single_logout -> Bool,
        subject_attribute -> Nullable<Text>,
        email_attribute -> Nullable<Text>,
        name_attribute -> Nullable<Text>,
        groups_attribute -> Nullable<Text>,
        admits_everyone -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        revision -> Int8,
    }
}

diesel::table! {
    saml_keys (id) {
        id -> Uuid,
        connection_id -> Uuid,
        role -> Text,
        master_key_id -> Text,
        sealed_key -> Text,
        certificate -> Bytea,
        not_after -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    saml_group_rules (id) {
        id -> Uuid,
        connection_id -> Uuid,
        group_name -> Text,
        organisation_role -> Nullable<Text>,
        production_id -> Nullable<Uuid>,
        office_role -> Nullable<Text>,
        library_role -> Nullable<Text>,
        subtitling_role -> Nullable<Text>,
        budget_role -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    saml_identities (connection_id, subject) {
        connection_id -> Uuid,
        subject -> Text,
        person_id -> Uuid,
        created_at -> Timestamptz,
        last_signed_in_at -> Timestamptz,
    }
}

diesel::table! {
    saml_requests (id) {
        id -> Text,
        connection_id -> Uuid,
        purpose -> Text,
        relay_state -> Text,
        browser_digest -> Bytea,
        known_browser -> Nullable<Bytea>,
        person_id -> Nullable<Uuid>,
        session_id -> Nullable<Uuid>,
        return_to -> Nullable<Text>,
        forced -> Bool,
        contexts -> Array<Text>,
        made_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    saml_used_documents (connection_id, entity_id, document_id) {
        connection_id -> Uuid,
        entity_id -> Text,
        document_id -> Text,
        keep_until -> Timestamptz,
    }
}

diesel::table! {
    saml_sessions (session_id) {
        session_id -> Uuid,
        connection_id -> Uuid,
        subject -> Text,
        name_id -> Jsonb,
        session_index -> Nullable<Text>,
    }
}

diesel::table! {
    saml_attempts (id) {
        id -> Uuid,
        connection_id -> Uuid,
        at -> Timestamptz,
        purpose -> Text,
        refusal -> Nullable<Text>,
        detail -> Nullable<Text>,
        person_id -> Nullable<Uuid>,
        address -> Nullable<Text>,
        findings -> Nullable<Jsonb>,
        metadata_digest -> Nullable<Binary>,
    }
}

diesel::table! {
    saml_warnings (connection_id, what, days) {
        connection_id -> Uuid,
        what -> Text,
        days -> Int4,
        warned_at -> Timestamptz,
    }
}

diesel::table! {
    support_grants (id) {
        id -> Uuid,
        organisation_id -> Uuid,
        address -> Text,
        address_key -> Text,
        supporter_id -> Nullable<Uuid>,
        most_role -> Text,
        modules -> Array<Text>,
        productions -> Nullable<Array<Uuid>>,
        originals -> Bool,
        reason -> Text,
        given_by -> Uuid,
        created_at -> Timestamptz,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        ended_by -> Nullable<Uuid>,
        first_used_at -> Nullable<Timestamptz>,
        end_told_at -> Nullable<Timestamptz>,
        accepted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    support_links (token_digest) {
        token_digest -> Bytea,
        grant_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    service_accounts (person_id) {
        person_id -> Uuid,
        organisation_id -> Uuid,
        purpose -> Text,
        responsible_id -> Nullable<Uuid>,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    provisioning_tokens (id) {
        id -> Uuid,
        connection_id -> Uuid,
        token_digest -> Bytea,
        hint -> Text,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    provisioned_users (id) {
        id -> Uuid,
        connection_id -> Uuid,
        person_id -> Uuid,
        user_name -> Text,
        user_name_key -> Text,
        external_id -> Nullable<Text>,
        active -> Bool,
        attributes -> Jsonb,
        emails -> Array<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        revision -> Int8,
    }
}

diesel::table! {
    provisioned_groups (id) {
        id -> Uuid,
        connection_id -> Uuid,
        display_name -> Text,
        display_name_key -> Text,
        external_id -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        revision -> Int8,
    }
}

diesel::table! {
    provisioned_members (group_id, user_id) {
        group_id -> Uuid,
        user_id -> Uuid,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    access_tokens,
    address_changes,
    assets,
    audit_checks,
    audit_forwarded,
    audit_head,
    audit_rows,
    audit_start,
    derivatives,
    email_codes,
    email_factors,
    erasures,
    events,
    factor_tries,
    fleet_figures,
    idempotency_keys,
    installation,
    invitation_links,
    invitations,
    known_browsers,
    mail_messages,
    mail_relay,
    objects,
    organisation_domains,
    organisation_members,
    organisations,
    orphan_objects,
    passkey_challenges,
    passkeys,
    password_links,
    pending_sign_ins,
    people,
    production_members,
    productions,
    provisioned_groups,
    provisioned_members,
    provisioned_users,
    provisioning_tokens,
    recovery_codes,
    runs,
    saml_attempts,
    saml_connections,
    saml_group_rules,
    saml_identities,
    saml_keys,
    saml_requests,
    saml_sessions,
    saml_used_documents,
    saml_warnings,
    service_accounts,
    sessions,
    sign_in_failures,
    steps,
    support_grants,
    support_links,
    totp_enrolments,
    totp_factors,
    uploads,
    versions,
);
diesel::table! {
    installation (singleton) {
        singleton -> Bool,
        organisation_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    fleet_figures (name) {
        name -> Text,
        at -> Timestamptz,
        figures -> Jsonb,
    }
}

diesel::joinable!(organisation_members -> organisations (organisation_id));
diesel::joinable!(organisation_members -> people (person_id));
diesel::joinable!(productions -> organisations (organisation_id));
diesel::joinable!(production_members -> productions (production_id));
diesel::joinable!(production_members -> people (person_id));
diesel::joinable!(pending_sign_ins -> people (person_id));
diesel::joinable!(passkeys -> people (person_id));
diesel::joinable!(invitations -> productions (production_id));
diesel::joinable!(invitations -> organisations (organisation_id));
diesel::joinable!(invitation_links -> invitations (invitation_id));
diesel::joinable!(sessions -> people (person_id));
diesel::joinable!(support_grants -> organisations (organisation_id));
diesel::joinable!(support_links -> support_grants (grant_id));
diesel::joinable!(access_tokens -> people (person_id));
diesel::joinable!(derivatives -> versions (version_id));
diesel::joinable!(derivatives -> objects (object_id));
diesel::joinable!(steps -> runs (run_id));
diesel::joinable!(runs -> versions (version_id));
diesel::joinable!(runs -> assets (asset_id));
diesel::joinable!(versions -> objects (original_object_id));
diesel::joinable!(saml_identities -> saml_connections (connection_id));
diesel::joinable!(saml_sessions -> sessions (session_id));
diesel::joinable!(provisioned_members -> provisioned_groups (group_id));
diesel::joinable!(provisioned_members -> provisioned_users (user_id));
