// Generated from the application's OpenAPI document by `npm run generate:api`. Do not edit.

export interface paths {
    "/api/data/v1/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change one's own name. */
        patch: operations["update_account"];
        trace?: never;
    };
    "/api/data/v1/account/address": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for another e-mail address to sign in with.
         * @description A mail with a link goes to it; until that was opened nothing changes. It takes a confirmed session. The answer is the
         *     same whether somebody else has that address or not.
         */
        post: operations["ask_for_address"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/confirmation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm the session.
         * @description With a second factor, or with the password if the account has none. What was answered with `step-up-required` can
         *     be sent again afterwards. The session goes on with another cookie and another `X-CSRF-Token`; the former ones open nothing any
         *     more. A request that was sent with them and is refused may be sent again with the new ones.
         */
        post: operations["confirm_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/confirmation/challenge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a passkey to confirm the session with. */
        post: operations["challenge_confirmation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/confirmation/studio-account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm the session with one's studio account.
         * @description For sessions that began with it, of people without a second factor: the identity provider asks for credentials again.
         */
        post: operations["confirm_with_studio_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/erasure": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Erase one's own account and everything that is kept of oneself.
         * @description It takes a confirmed session, and cannot be undone. What one made stays in its productions, without the name. The
         *     only owner of an organisation makes somebody else owner first.
         */
        post: operations["erase_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is one's own account protected with? */
        get: operations["read_factors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/factors/authenticator": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Finish setting up an authenticator app with a first code.
         * @description It takes the place of the app that the account had. With the first factor of an account come recovery
         *     codes, and all its other sessions end.
         */
        put: operations["confirm_authenticator"];
        /**
         * Set up an authenticator app.
         * @description It is no factor before `confirm_authenticator` has got a first code; one that the account has stays until then.
         */
        post: operations["begin_authenticator"];
        /** Remove the authenticator app. */
        delete: operations["remove_authenticator"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/factors/email-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Finish adding codes by mail with the first one.
         * @description With the first factor of an account all its other sessions end.
         */
        put: operations["confirm_email_codes"];
        /**
         * Add codes by mail to one's account: sends a first one.
         * @description Codes by mail are the weak second factor: they finish a sign-in and confirm nothing. They can be added where one's
         *     organisations allow it, and are none before `confirm_email_codes` has got the first one.
         */
        post: operations["begin_email_codes"];
        /** Remove codes by mail. */
        delete: operations["remove_email_codes"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/factors/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make new recovery codes; those there were work no more. */
        post: operations["make_recovery_codes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add a passkey.
         * @description With the first factor of an account come recovery codes, and all its other sessions end.
         */
        post: operations["add_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/passkeys/{passkey_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a passkey. */
        delete: operations["remove_passkey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/passkeys/challenge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a new passkey. */
        post: operations["begin_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change one's own password.
         * @description Ends all other sessions. Wrong present passwords count towards the lock-out of the login. Who has a second
         *     factor must have confirmed the session with it.
         */
        put: operations["update_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/personal-data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export what is kept of oneself.
         * @description It takes a confirmed session. That it was exported stands in the audit trail.
         */
        get: operations["export_account"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List one's own sessions. */
        get: operations["list_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End one of one's own sessions.
         * @description Another one than that of the request only in a session that was confirmed a short time ago.
         */
        delete: operations["revoke_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/studio-accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The studio accounts that are joined with one's account. */
        get: operations["list_studio_accounts"];
        put?: never;
        /**
         * Join a studio account with one's account.
         * @description Opens the way to the identity provider; whoever signs in there becomes this account. Takes a session that was confirmed
         *     within the last minutes.
         */
        post: operations["join_studio_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/studio-accounts/{connection_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Separate a studio account from one's account.
         * @description What its connection gave goes with it. Takes a session that was confirmed within the last minutes, and an account with
         *     a password.
         */
        delete: operations["separate_studio_account"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List one's own access tokens. */
        get: operations["list_tokens"];
        put?: never;
        /**
         * Make an access token.
         * @description Only in a session that was confirmed a short time ago: neither a token that leaked nor a stolen session must be
         *     able to make others that outlive it.
         */
        post: operations["create_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/account/tokens/{token_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke one of one's own access tokens. */
        delete: operations["revoke_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/address-confirmation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Confirm an e-mail address with the link that was sent to it, which can be done once. */
        post: operations["confirm_address"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/assets/{asset_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An asset with its current version, what was found out about it, and what was made of it. */
        get: operations["get_asset"];
        put?: never;
        post?: never;
        /** Removes an asset with all its versions and what was made of them; cancels its runs. */
        delete: operations["remove_asset"];
        options?: never;
        head?: never;
        /** Renames an asset. */
        patch: operations["update_asset"];
        trace?: never;
    };
    "/api/data/v1/assets/{asset_id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The runs of an asset with their steps, newest first, at most 100. */
        get: operations["list_asset_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/installation/dashboards": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Curves of the last 24 hours and 14 days.
         * @description For administrators of the organisation that runs the installation. 404 for everybody else.
         */
        get: operations["read_installation_dashboards"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/installation/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the installation does.
         * @description For administrators of the organisation that runs it: hosts, versions, replication, queues, certificates, backups,
         *     alerts, and how old these figures are. 404 for everybody else.
         */
        get: operations["read_installation_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/invitation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What does an invitation offer? */
        post: operations["read_invitation_offer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/invitation/acceptance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept an invitation with one's account. */
        post: operations["accept_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/invitation/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept an invitation with a new account, whose login is the address of the invitation. */
        post: operations["create_invited_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List one's own organisations. */
        get: operations["list_organisations"];
        put?: never;
        /**
         * Make an organisation.
         * @description For owners of another one; the maker becomes owner of the new one.
         */
        post: operations["create_organisation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An organisation. */
        get: operations["read_organisation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Give an organisation another name. */
        patch: operations["update_organisation"];
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the audit trail of an organisation. */
        get: operations["list_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/audit/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the audit trail is whole, as of its last check. */
        get: operations["read_audit_check"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export the audit trail of an organisation, or what a filter leaves of it.
         * @description That it was exported stands in the trail.
         */
        get: operations["export_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the erasures that an organisation is told of. */
        get: operations["list_erasures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/erasures/{erasure_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The report of an erasure. */
        get: operations["read_erasure"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the mails of an organisation. */
        get: operations["list_mail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/mail-relay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether mail can go out. */
        get: operations["read_mail_relay"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/mail/{message_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A mail of an organisation. */
        get: operations["read_mail"];
        put?: never;
        post?: never;
        /** Drop a mail: it is not sent. */
        delete: operations["drop_mail"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/mail/{message_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try a mail again at once. */
        post: operations["retry_mail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the people of an organisation. */
        get: operations["list_people"];
        put?: never;
        /**
         * Add a person to an organisation.
         * @description Adding an owner or administrator takes a confirmed session.
         */
        post: operations["create_person"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/people/{person_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A person of an organisation. */
        get: operations["read_person"];
        put?: never;
        post?: never;
        /**
         * Remove a person from an organisation and all its productions.
         * @description Administrators remove others; everybody may leave. Removing an owner takes a confirmed session.
         */
        delete: operations["remove_person"];
        options?: never;
        head?: never;
        /**
         * Change a person's role, whether they may sign in, or what is wrong about name and login.
         * @description An organisation always has an owner. Disabling concerns all organisations of the person, so it takes
         *     an administrator of all of them; so does correcting name or login, of which the person is told. What makes
         *     an owner or administrator, unmakes an owner, or corrects, takes a confirmed session.
         */
        patch: operations["update_person"];
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/people/{person_id}/erasure": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Erase a member or guest.
         * @description The account, if it belongs to organisations that the caller administers, or to none; else what this organisation
         *     keeps of the person. It takes a confirmed session, and cannot be undone.
         */
        post: operations["erase_person"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/people/{person_id}/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take the second factors of a person who has lost them.
         * @description Their sessions end; they sign in with the password, and add new ones. It takes a confirmed session, and
         *     an administrator of all organisations of the person.
         */
        delete: operations["reset_factors"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/people/{person_id}/password-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a one-time link with which a person sets a new password. Takes a confirmed session. */
        post: operations["create_password_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/people/{person_id}/personal-data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export what is kept of a member or guest.
         * @description The account as well, if the caller administers every organisation that the person has anything to do with; never what
         *     other organisations keep. It takes a confirmed session, and stands in the audit trail.
         */
        get: operations["export_person"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/personal-data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export what is kept of all members and guests of an organisation.
         * @description It takes a confirmed session, and stands in the audit trail.
         */
        get: operations["export_organisation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/personal-data/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List of whom an organisation keeps personal data: members, guests, and those who were either. */
        get: operations["list_held_people"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/productions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all productions of an organisation. */
        get: operations["list_organisation_productions"];
        put?: never;
        /**
         * Make a production.
         * @description Its maker becomes manager of every module.
         */
        post: operations["create_production"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/security": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What an organisation asks of its people.
         * @description For owners.
         */
        get: operations["read_security"];
        /**
         * Say what an organisation asks of its people.
         * @description For owners, in a confirmed session.
         */
        put: operations["update_security"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/service-accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the service accounts of an organisation. */
        get: operations["list_service_accounts"];
        put?: never;
        /**
         * Make a service account.
         * @description It has neither roles nor tokens yet.
         */
        post: operations["create_service_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A service account. */
        get: operations["read_service_account"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change a service account, deactivate it, or activate it again. */
        patch: operations["update_service_account"];
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the access tokens of a service account. */
        get: operations["list_service_account_tokens"];
        put?: never;
        /** Make an access token of a service account. */
        post: operations["create_service_account_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens/{token_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke an access token of a service account. */
        delete: operations["revoke_service_account_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an organisation's connections to identity providers.
         * @description For owners, as everything about them.
         */
        get: operations["list_connections"];
        put?: never;
        /**
         * Make a connection.
         * @description It has a key of Kinora's, and addresses to give to the identity provider; it is not switched on.
         */
        post: operations["create_connection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A connection. */
        get: operations["read_connection"];
        put?: never;
        post?: never;
        /**
         * Remove a connection.
         * @description Nobody signs in through it any more, and its addresses answer that there is nothing. What it has given to people stays
         *     theirs, as if it had been given by hand.
         */
        delete: operations["remove_connection"];
        options?: never;
        head?: never;
        /** Change a connection. */
        patch: operations["update_connection"];
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/attempts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the last attempts at a connection. */
        get: operations["list_attempts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/attempts/{attempt_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An attempt at a connection. */
        get: operations["read_attempt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make the certificate that is to follow.
         * @description From now on both stand in Kinora's metadata. Let the provider load it again before you switch.
         */
        post: operations["add_certificate"];
        /** Drop the certificate that Kinora does not sign with. */
        delete: operations["drop_certificate"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates/switch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign with the other certificate from now on. */
        post: operations["switch_certificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Give a connection its identity provider's metadata.
         * @description It is checked first, and its signature too if a signer is given; what is refused replaces nothing. With the metadata of
         *     another provider (another entity ID) the people who signed in before are unknown, until they are linked anew.
         */
        put: operations["set_provider_metadata"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/metadata/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fetch a connection's metadata again now.
         * @description Kinora does it every day by itself. What cannot be fetched, or is worse than what is there, replaces nothing; the
         *     reason stands in `fetch_error` of the answer.
         */
        post: operations["refresh_provider_metadata"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a connection's provider provisions, and the tokens for it. */
        get: operations["read_provisioning"];
        put?: never;
        /**
         * Make a token that the connection's provider provisions with.
         * @description There are at most two, so that one can follow the other without a gap.
         */
        post: operations["create_provisioning_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning/{token_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a token for provisioning. */
        delete: operations["revoke_provisioning_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what groups give. */
        get: operations["list_group_rules"];
        put?: never;
        /**
         * Say what a group gives.
         * @description It takes effect at each person's next sign-in through the connection, and at once for people whose groups are
         *     provisioned; so does its removal.
         */
        post: operations["create_group_rule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules/{rule_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a rule. */
        delete: operations["remove_group_rule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Test a connection.
         * @description It need not be switched on, and nobody is signed in: the answer leads to the provider, and the provider back to the
         *     connection's page with the attempt, which says what came and what it would be mapped to.
         */
        post: operations["test_connection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/domains": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List an organisation's e-mail domains. */
        get: operations["list_domains"];
        put?: never;
        /**
         * Name an e-mail domain of an organisation.
         * @description It has no effect before the operator of the installation has confirmed it. Then people with addresses in it sign in
         *     through the organisation's connection.
         */
        post: operations["add_domain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/sign-on/domains/{domain_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take an e-mail domain away from an organisation. */
        delete: operations["remove_domain"];
        options?: never;
        head?: never;
        /**
         * Say which connection the people of a domain sign in through.
         * @description If that is switched off they sign in with a password; they are never sent to another connection instead.
         */
        patch: operations["update_domain"];
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/support-grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the support access of an organisation.
         * @description For owners.
         */
        get: operations["list_support_grants"];
        put?: never;
        /**
         * Give somebody outside the organisation access to its content for a time.
         * @description For owners, in a confirmed session. Whether the address has an account here shows nowhere: a mail with a link goes to it
         *     either way, and the access is that of the account with which the link is opened.
         */
        post: operations["give_support_access"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/support-grants/{grant_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Support access of an organisation.
         * @description For owners.
         */
        get: operations["read_support_grant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/organisations/{organisation_id}/support-grants/{grant_id}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End support access at once.
         * @description For owners. What is under way under it, like a clip that plays, ends within two seconds. What has ended already stays
         *     as it is.
         */
        post: operations["end_support_access"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/password-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Whose link is it? */
        post: operations["read_password_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/password-link/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a password with a link, which can be done once.
         * @description Ends all sessions and access tokens of the person, and a lock-out.
         */
        post: operations["use_password_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/personal-data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which personal data is kept where, what for and how long. */
        get: operations["list_personal_data"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the productions one has a role in. */
        get: operations["list_productions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A production. */
        get: operations["read_production"];
        put?: never;
        post?: never;
        /**
         * Remove a production with all that is in it.
         * @description For administrators, in a session that was confirmed a short time ago; without that only what was made within the last hours
         *     and nobody else is a member of. It is gone at once for everybody; its media are kept for a week.
         */
        delete: operations["remove_production"];
        options?: never;
        head?: never;
        /**
         * Give a production another name.
         * @description For administrators and managers of the production office.
         */
        patch: operations["update_production"];
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}/assets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The assets of a production. */
        get: operations["list_assets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happens in a production, as server-sent events.
         * @description The stream begins with `ready`, or with `reset` if what was missed is no longer kept: then read
         *     everything again. To miss nothing, open the stream first and read lists after `ready`.
         */
        get: operations["follow_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the open invitations into a production. */
        get: operations["list_invitations"];
        put?: never;
        /**
         * Invite somebody into a production by mail.
         * @description Administrators give any roles; managers of a module give that module's. Whether the address has an
         *     account shows nowhere: neither in the answer nor in the mail.
         */
        post: operations["create_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}/invitations/{invitation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An open invitation. */
        get: operations["read_invitation"];
        put?: never;
        post?: never;
        /** Withdraw an invitation; its link stops working. */
        delete: operations["withdraw_invitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}/invitations/{invitation_id}/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send an invitation again.
         * @description With a new link that works as long as a new invitation's; the former ones stop working.
         */
        post: operations["resend_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the members of a production. */
        get: operations["list_members"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}/members/{person_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A member of a production. */
        get: operations["read_member"];
        /**
         * Give a person of the organisation, or a guest, roles in a production.
         * @description Administrators give any; managers of a module give that module's, and say when a membership ends that
         *     has no roles in others. Needs `If-Match` if the person is a member already.
         */
        put: operations["set_member"];
        post?: never;
        /** Remove a person from a production. */
        delete: operations["remove_member"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/productions/{production_id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The runs of a production with their steps, newest first. */
        get: operations["list_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/runs/{run_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A run with its steps. */
        get: operations["get_run"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/runs/{run_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Asks to cancel a run. Its steps stop within seconds; doing it again changes nothing. */
        post: operations["cancel_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/runs/{run_id}/steps/{step_id}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts a failed or cancelled step again; those that need it follow. */
        post: operations["restart_step"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I? */
        get: operations["read_session"];
        put?: never;
        /**
         * Sign in.
         * @description Sets the cookie `__Host-kinora`. After ten wrong passwords in a row the login is locked for five
         *     minutes, whether it exists or not. Who has a second factor is not signed in yet: the answer is 202,
         *     with the cookie `__Host-kinora-pending`, and the next request is `show_second_factor`.
         */
        post: operations["create_session"];
        /**
         * Sign out.
         * @description A session that began at an identity provider can be ended there as well; here it has ended in any case.
         */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/session/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a passkey alone.
         * @description The authenticator must have recognised the person: the passkey stands for both factors.
         */
        post: operations["sign_in_with_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/session/passkey/challenge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a passkey to sign in with, without login and password.
         * @description Sets the cookie `__Host-kinora-pending`, which the challenge is bound to.
         */
        post: operations["challenge_passkey_sign_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/session/route": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Where does somebody sign in?
         * @description The domain alone decides: whether there is such an account shows nowhere.
         */
        post: operations["route_sign_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/session/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finish signing in with a second factor.
         * @description For who has got 202 from `create_session`; the cookie that came with it is needed.
         */
        post: operations["show_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/session/second-factor/challenge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a passkey to finish signing in with. */
        post: operations["challenge_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/session/second-factor/email-code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a code by mail to finish signing in with.
         * @description It goes to one's login. At most one a minute and five an hour.
         */
        post: operations["send_email_code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/support-access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Which support access is offered? */
        post: operations["read_support_offer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/support-access/acceptance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept support access with one's account.
         * @description It is bound to the account from then on, and ends where somebody else is let into that: with a new one-time link, or
         *     past its second factors.
         */
        post: operations["accept_support_access"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/assets/{asset_id}/filmstrip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All pictures of the filmstrip in one. */
        get: operations["get_filmstrip"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/assets/{asset_id}/filmstrip.vtt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which picture of the filmstrip stands for which time. */
        get: operations["get_filmstrip_index"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/assets/{asset_id}/original": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The original as it was delivered. */
        get: operations["download_original"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/assets/{asset_id}/poster": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One picture. */
        get: operations["get_poster"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/assets/{asset_id}/probe": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What ffprobe said. */
        get: operations["get_probe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/assets/{asset_id}/proxy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The file that browsers play. */
        get: operations["get_proxy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/assets/{asset_id}/waveform": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The waveform, in the binary format of audiowaveform. */
        get: operations["get_waveform"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/productions/{production_id}/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's unfinished uploads to a production. */
        get: operations["list_uploads"];
        put?: never;
        /** Begins an upload. */
        post: operations["create_upload"];
        delete?: never;
        /** What this server understands of tus. */
        options: operations["describe_uploads"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/media/v1/productions/{production_id}/uploads/{upload_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends an upload and removes its bytes. The asset of a complete one stays. */
        delete: operations["remove_upload"];
        options?: never;
        /** How far an upload is. */
        head: operations["get_upload_offset"];
        /** Adds bytes to an upload. */
        patch: operations["write_upload"];
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process answers. */
        get: operations["livez"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether PostgreSQL and Redis answer, and how the vault was a moment ago; each is really used. */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What was accepted. */
        AcceptedInvitation: {
            /** @description The production one is a member of now. */
            production_id: components["schemas"]["ProductionId"];
        };
        /** @description An API access token, without its secret. */
        AccessToken: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            expires_at: string;
            /** @description Its last characters. */
            hint: string;
            /** @description Its id. */
            id: components["schemas"]["TokenId"];
            /**
             * Format: date-time
             * @description When it was last used, to the minute.
             */
            last_used_at?: string | null;
            /** @description What it is for. */
            name: string;
            scope?: components["schemas"]["TokenScope"] | null;
        };
        /** @description What one can change about oneself. */
        AccountChange: {
            /** @description How one is called. */
            display_name: string;
        };
        /** @description A passkey that was added. */
        AddedPasskey: {
            /** @description The passkey. */
            passkey: components["schemas"]["Passkey"];
            /** @description Recovery codes, if the account had none; never shown again. */
            recovery_codes: string[];
        };
        /** @description A mail with a link is on its way. */
        AddressAsked: {
            /**
             * Format: date-time
             * @description When the link ends.
             */
            expires_at: string;
        };
        /** @description The token of the link in the mail. */
        AddressToken: {
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /** @description An alert that holds. */
        Alert: {
            /** @description What else tells it from others: a disk, a unit, a stage. */
            about?: string | null;
            /** @description The host it is about, if it is about one. */
            host?: string | null;
            /** @description Its name; the page alerts.md says what to do. */
            name: string;
            /** @description "critical", "warning" or "notice". */
            severity: string;
            /**
             * Format: date-time
             * @description Since when.
             */
            since?: string | null;
        };
        /** @description What the decoding pass measured. */
        Analysis: {
            loudness?: components["schemas"]["Loudness"] | null;
            /**
             * Format: int64
             * @description Length of the proxy in microseconds.
             */
            proxy_duration_us?: number | null;
            proxy_frame_rate?: components["schemas"]["FrameRate"] | null;
            /**
             * Format: int64
             * @description Frames in the proxy; absent for sound and stills.
             */
            proxy_frames?: number | null;
            /**
             * Format: int32
             * @description Height of the proxy, pixels.
             */
            proxy_height?: number | null;
            /**
             * Format: int32
             * @description Width of the proxy, pixels.
             */
            proxy_width?: number | null;
            /** @description First frames of shots, as frame numbers of the proxy, ascending; the first frame is not in it. */
            shot_changes: number[];
        };
        /** @description An asset as in the list. */
        Asset: {
            /**
             * Format: date-time
             * @description When it was added.
             */
            created_at: string;
            created_by?: components["schemas"]["PersonId"] | null;
            /**
             * Format: int64
             * @description Length in microseconds; null for stills and until it is known.
             */
            duration_us?: number | null;
            failure?: components["schemas"]["Failure"] | null;
            /** @description Its id. */
            id: components["schemas"]["AssetId"];
            /** @description What kind of thing it is. */
            kind: components["schemas"]["AssetKind"];
            /** @description Its name; the file's name until somebody renames it. */
            name: string;
            /** @description The production it belongs to. */
            production_id: components["schemas"]["ProductionId"];
            /**
             * Format: int64
             * @description Counts the changes; the ETag.
             */
            revision: number;
            /**
             * Format: int64
             * @description Bytes of the current version's original.
             */
            size_bytes: number;
            /** @description Where it stands. */
            status: components["schemas"]["AssetStatus"];
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
            version_id?: components["schemas"]["VersionId"] | null;
        };
        /** @description What can be changed of an asset. */
        AssetChange: {
            /** @description Its name. */
            name: string;
        };
        /** @description An asset with everything that is known about it. */
        AssetDetail: components["schemas"]["Asset"] & {
            /** @description Whether that person is a guest: does not belong to the organisation that owns the production. */
            created_by_guest: boolean;
            /** @description The name of who added it, if that person still exists. */
            created_by_name?: string | null;
            /** @description What was made of that version. */
            derivatives: components["schemas"]["DerivativeLink"][];
            /** @description Where its original can be downloaded. */
            original_url: string;
            version?: components["schemas"]["Version"] | null;
        };
        /**
         * Format: uuid
         * @description One thing in the library of a production.
         */
        AssetId: string;
        /**
         * @description What kind of thing an asset is, known after the probe.
         * @enum {string}
         */
        AssetKind: "unknown" | "video" | "audio" | "still";
        /**
         * @description Where an asset stands.
         * @enum {string}
         */
        AssetStatus: "processing" | "ready" | "failed" | "cancelled";
        /**
         * Format: uuid
         * @description One attempt to sign in through a connection.
         */
        AttemptId: string;
        /** @description Something that needs attention. */
        Attention: {
            /** @description Where it stands what to do, from the documentation's root. */
            runbook: string;
            /** @description "critical" or "warning". */
            severity: string;
            /** @description What is wrong, and since when or how much. */
            text: string;
        };
        /** @description A sound stream. */
        AudioStream: {
            /**
             * Format: int32
             * @description Bits in a sample, if that has a meaning for the codec.
             */
            bit_depth?: number | null;
            /**
             * Format: int64
             * @description Bits per second of this stream.
             */
            bit_rate?: number | null;
            /**
             * Format: int32
             * @description Number of channels.
             */
            channels: number;
            /** @description Codec, as a person would name it. */
            codec: string;
            /** @description Codec's short name as FFmpeg has it. */
            codec_id: string;
            /**
             * Format: int32
             * @description Index of the stream in the file; absent in what earlier releases found.
             */
            index?: number | null;
            /** @description Language as in BCP 47, if the file says. */
            language?: string | null;
            /** @description Layout ("stereo", "5.1"), if the file says. */
            layout?: string | null;
            /**
             * Format: int32
             * @description Samples per second.
             */
            sample_rate: number;
        };
        /** @description What the last check of the trail found. */
        AuditCheck: {
            /**
             * Format: date-time
             * @description When; none: it was not checked yet.
             */
            at?: string | null;
            /** @description Hash of the newest row at that time. Kept elsewhere, it shows should all of the trail be rewritten. */
            head?: string | null;
            /** @description Whether every row of the installation's trail is what was written, and none is missing. */
            intact?: boolean | null;
        };
        /** @description A row of the audit trail. */
        AuditEntry: {
            /** @description What was done. */
            action: string;
            /** @description Their login at that time. */
            actor: string;
            actor_id?: components["schemas"]["PersonId"] | null;
            /** @description Whether whoever did it was a guest of the organisation at that time. */
            actor_is_guest: boolean;
            /** @description From where. */
            address?: string | null;
            /** @description State after. */
            after?: unknown;
            /**
             * Format: date-time
             * @description When it was recorded.
             */
            at: string;
            /** @description State before. */
            before?: unknown;
            /** @description Whether names were erased from it, of somebody who asked for that. */
            erased: boolean;
            /** @description The row's place in the chain: SHA-256 over the hash before it and the row, hexadecimal. */
            hash: string;
            production_id?: components["schemas"]["ProductionId"] | null;
            /** @description In which request. */
            request_id?: string | null;
            /**
             * Format: int64
             * @description Its position in the trail of the whole installation.
             */
            sequence: number;
            /** @description Its name at that time. */
            subject?: string | null;
            /**
             * Format: uuid
             * @description To which one.
             */
            subject_id?: string | null;
            /** @description To what kind of thing. */
            subject_kind: string;
            support_grant_id?: components["schemas"]["SupportGrantId"] | null;
        };
        /** @description The authenticator app of an account. */
        Authenticator: {
            /**
             * Format: date-time
             * @description Since when.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When a code was last accepted.
             */
            last_used_at?: string | null;
        };
        /** @description A first code of an app. */
        AuthenticatorCode: {
            /** @description Six digits. */
            code: string;
        };
        /** @description An app that is being set up. */
        AuthenticatorEnrolment: {
            /**
             * Format: date-time
             * @description Until when a first code must have come.
             */
            expires_at: string;
            /** @description The key, to be typed in where the QR code cannot be read: Base32, in groups of four. */
            key: string;
            /** @description The QR code. */
            qr: components["schemas"]["QrDrawing"];
            /** @description The address in the QR code (Key Uri Format). */
            uri: string;
        };
        /** @description Backups, their drill and the copies of the media. Null is "none yet", or unknown. */
        Backups: {
            /**
             * Format: double
             * @description For how long what was written has not been in the archive, seconds.
             */
            archive_lag_seconds?: number | null;
            /**
             * Format: date-time
             * @description When the newest backup was last tried.
             */
            drill_at?: string | null;
            /** @description Whether it could be made a database that answers. */
            drill_ok?: boolean | null;
            /**
             * Format: date-time
             * @description When the media were last copied well.
             */
            media_copy_at?: string | null;
            /**
             * Format: date-time
             * @description When the newest backup of the database ended.
             */
            newest_at?: string | null;
        };
        /** @description One field a camera or recorder wrote. */
        CameraField: {
            /** @description Name as in the file. */
            name: string;
            /** @description Value as in the file. */
            value: string;
        };
        /** @description A certificate. */
        CertificateView: {
            /** @description SHA-256 of it, hexadecimal. */
            fingerprint: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            not_after: string;
            /** @description Its subject, in words. */
            subject: string;
        };
        /** @description Lines over the same stretch of time. */
        Chart: {
            /** @description The lines, by name. */
            series: components["schemas"]["Series"][];
            /**
             * Format: date-time
             * @description When the first value was.
             */
            starts_at: string;
            /**
             * Format: int32
             * @description Between two values, seconds.
             */
            step_seconds: number;
        };
        /** @description A session that was confirmed. */
        Confirmation: {
            /**
             * Format: date-time
             * @description Until when what asks for it can be done.
             */
            confirmed_until: string;
            /** @description To be sent as `X-CSRF-Token` with changes from now on. */
            csrf_token: string;
        };
        /** @description What is to be changed about a connection; what is left out stays, `null` takes away. */
        ConnectionChange: {
            /** @description Whether people in none of the groups become members as well. */
            admits_everyone?: boolean | null;
            /** @description Whether sign-ins may begin at the provider. */
            allow_unsolicited?: boolean | null;
            /**
             * Format: int32
             * @description By how much the provider's clock may differ, seconds.
             */
            clock_skew_seconds?: number | null;
            /** @description Ways of signing in that are asked for (`AuthnContextClassRef`); none: any. */
            contexts?: string[] | null;
            /** @description The attribute with the e-mail address. */
            email_attribute?: string | null;
            /** @description Whether people sign in through it. It needs metadata first. */
            enabled?: boolean | null;
            /** @description Whether the provider is to ask for credentials every time (`ForceAuthn`). */
            force_sign_in?: boolean | null;
            /** @description The attribute with the groups. */
            groups_attribute?: string | null;
            /** @description Another name. */
            name?: string | null;
            /** @description The attribute with the person's name. */
            name_attribute?: string | null;
            /** @description The format of `NameID` that is asked for. */
            name_id_format?: string | null;
            request_binding?: components["schemas"]["RequestBinding"] | null;
            /** @description Whether signing out ends the session at the other side too. */
            single_logout?: boolean | null;
            /**
             * @description The attribute that is the stable identity; `null`: the `NameID` is. With another one the people who signed in before
             *     are unknown, until they are linked anew.
             */
            subject_attribute?: string | null;
        };
        /** @description A connection to be made. */
        ConnectionForm: {
            /** @description How its owners call it. */
            name: string;
        };
        /**
         * Format: uuid
         * @description One connection to an identity provider (SAML).
         */
        ConnectionId: string;
        /** @description A new token with its secret, which is never shown again. */
        CreatedAccessToken: {
            /** @description To be sent as `Authorization: Bearer …`. */
            secret: string;
            /** @description The token. */
            token: components["schemas"]["AccessToken"];
        };
        /** @description A person who was added. */
        CreatedPerson: {
            password_link?: components["schemas"]["OneTimeLink"] | null;
            /** @description The person. */
            person: components["schemas"]["OrganisationPerson"];
        };
        /** @description A new token with its secret, which is never shown again. */
        CreatedProvisioningToken: {
            /** @description To be given to the provider. It is good for provisioning through this connection and for nothing else. */
            secret: string;
            /** @description The token. */
            token: components["schemas"]["ProvisioningToken"];
        };
        /** @description The dashboards. */
        Dashboards: {
            /**
             * Format: date-time
             * @description The clock of whoever answers.
             */
            at: string;
            /** @description What is known of the monitoring. */
            monitoring: components["schemas"]["Monitoring"];
            /** @description The panels; none where there is no monitoring, or none was asked yet. */
            panels: components["schemas"]["Panel"][];
        };
        /** @description Something that was made of a version. */
        Derivative: {
            /** @description What it is. */
            kind: components["schemas"]["DerivativeKind"];
            /** @description Its media type. */
            media_type: string;
            /**
             * Format: int64
             * @description Its size.
             */
            size_bytes: number;
        };
        /**
         * @description The kinds of derivatives; one of each kind per version.
         * @enum {string}
         */
        DerivativeKind: "proxy" | "poster" | "filmstrip" | "filmstrip_index" | "waveform" | "raw_probe";
        /** @description Something that was made of a version, and where it is. */
        DerivativeLink: components["schemas"]["Derivative"] & {
            /** @description Where it can be read. */
            url: string;
        };
        /** @description Where the people of a domain are to sign in. */
        DomainChange: {
            connection_id?: components["schemas"]["ConnectionId"] | null;
        };
        /** @description A domain to be named. */
        DomainForm: {
            /** @description The domain, such as "studio.example". */
            domain: string;
        };
        /**
         * Format: uuid
         * @description One e-mail domain of an organisation.
         */
        DomainId: string;
        /** @description Codes by mail of an account. */
        EmailCodes: {
            /**
             * Format: date-time
             * @description Since when.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When one was last accepted.
             */
            last_used_at?: string | null;
        };
        /**
         * @description What ends.
         * @enum {string}
         */
        Ending: "provider_certificate" | "own_certificate" | "provider_metadata";
        /** @description Something that ends within 30 days, or has ended. */
        EndWarning: {
            /**
             * Format: int64
             * @description Whole days until then; 0 or less: it has ended or does so today.
             */
            days_left: number;
            /**
             * Format: date-time
             * @description When.
             */
            ends_at: string;
            /** @description What. */
            what: components["schemas"]["Ending"];
        };
        /** @description What was done with rows of one kind. */
        ErasedRows: {
            /** @description "deleted", "pseudonymised", or "kept" with the opaque id alone. */
            done: string;
            /**
             * Format: int64
             * @description How many.
             */
            rows: number;
            /** @description The table. */
            table: string;
            /** @description What it is called on the page about personal data. */
            title: string;
        };
        /** @description An erasure, and what was done. It holds no personal data. */
        Erasure: {
            /** @description Who asked for it: "person", "organisation" or "operator". */
            asked_by: string;
            /**
             * Format: date-time
             * @description When.
             */
            erased_at: string;
            /** @description "whole", or "organisation" where only what an organisation kept was erased. */
            extent: string;
            /** @description Its id. */
            id: components["schemas"]["ErasureId"];
            /** @description The opaque id of the person. */
            person_id: components["schemas"]["PersonId"];
            /** @description What was done. */
            report: components["schemas"]["ErasedRows"][];
            /** @description The opaque id that stands in place of the person. */
            stands_for: components["schemas"]["PersonId"];
        };
        /**
         * Format: uuid
         * @description An erasure of somebody's personal data.
         */
        ErasureId: string;
        /** @description Whose data is to be erased, typed once more. */
        ErasureRequest: {
            /** @description What the person signs in with, so that nobody erases somebody by mistake. */
            login: string;
        };
        /** @description What is kept of one person. */
        ExportedPerson: {
            /** @description Rows by section. */
            data: {
                [key: string]: unknown[];
            };
            /**
             * @description "whole"; "account" for an account that is the organisation's, with what this organisation keeps; "organisation" for
             *     what it keeps of somebody whose account is not its own.
             */
            extent: string;
            /** @description Their id. */
            id: components["schemas"]["PersonId"];
        };
        /** @description Which second factors somebody has. */
        FactorMethods: {
            /** @description An authenticator app. */
            authenticator: boolean;
            /** @description Codes by mail, and they count in all the person's organisations. They finish a sign-in and confirm nothing. */
            email_code: boolean;
            /** @description At least one passkey. */
            passkey: boolean;
        };
        /** @description A second factor. Exactly one of these. */
        FactorProof: {
            /**
             * @description What the authenticator app shows now: six digits. After five wrong ones in a row no more are looked at for
             *     five minutes, and each time twice as long.
             */
            code: string;
        } | {
            /** @description One of the recovery codes. */
            recovery_code: string;
        } | {
            /** @description A passkey's signature over a challenge. */
            passkey: components["schemas"]["PasskeySignature"];
        } | {
            /** @description The code that was sent by mail, eight digits: only to finish signing in. Wrong ones count like those of the app. */
            email_code: string;
        } | {
            /**
             * Format: password
             * @description The password: only for confirming a session, and only of an account without a second factor.
             */
            password: string;
        };
        /** @description What an account is protected with besides the password. */
        Factors: {
            authenticator?: components["schemas"]["Authenticator"] | null;
            email_codes?: components["schemas"]["EmailCodes"] | null;
            /** @description Whether one's organisations let codes by mail count. */
            email_codes_allowed: boolean;
            /** @description Passkeys, oldest first. */
            passkeys: components["schemas"]["Passkey"][];
            /** @description Whether passkeys work at the address of this installation. */
            passkeys_possible: boolean;
            /**
             * Format: int64
             * @description How many recovery codes are left.
             */
            recovery_codes_left: number;
        };
        /** @description A failure as it is stored, sent and shown. */
        Failure: {
            /** @description What kind of failure it was. */
            code: components["schemas"]["FailureCode"];
            /** @description Technical detail for support; at most [`Failure::MAX_DETAIL_BYTES`]. */
            detail?: string | null;
            /** @description A sentence in the user's words. */
            message: string;
        };
        /**
         * @description What kind of failure it was.
         * @enum {string}
         */
        FailureCode: "not_media" | "empty_file" | "truncated" | "undecodable" | "corrupt" | "missing_object" | "storage" | "timed_out" | "worker_lost" | "cancelled" | "upstream" | "internal";
        /** @description What is wrong with one value of the request. */
        FieldError: {
            /** @description What is wrong, for the person. */
            detail: string;
            /** @description Name of the query parameter or header. */
            parameter?: string | null;
            /** @description JSON pointer (RFC 6901) into the body; empty for the body as a whole. */
            pointer?: string | null;
        };
        /** @description A first code. */
        FirstEmailCode: {
            /** @description Eight digits. */
            email_code: string;
        };
        /** @description An attribute that came. */
        FoundAttribute: {
            /** @description Its friendly name. */
            friendly_name?: string | null;
            /** @description Its name. */
            name: string;
            /** @description Its values. */
            values: string[];
        };
        /** @description The `NameID` that came. */
        FoundName: {
            /** @description Its format. */
            format: string;
            /** @description Its value. */
            value: string;
        };
        /** @description What the person would be here. */
        FoundPerson: {
            /** @description The e-mail address. */
            address?: string | null;
            /** @description The name. */
            display_name?: string | null;
            /** @description All groups that came. */
            groups: string[];
            /** @description The rules that match. */
            matched_rules: components["schemas"]["GroupRuleId"][];
            organisation_role?: components["schemas"]["OrganisationRole"] | null;
            /** @description Roles in productions. */
            productions: components["schemas"]["FoundProduction"][];
            /** @description The attribute that it is of; none: the `NameID`. */
            subject_attribute?: string | null;
            /** @description The value that is the stable identity. */
            subject_value?: string | null;
        };
        /** @description Roles in a production. */
        FoundProduction: {
            /** @description The production. */
            production_id: components["schemas"]["ProductionId"];
            /** @description The roles. */
            roles: components["schemas"]["ProductionRoles"];
        };
        /** @description Frames per second as an exact fraction, in lowest terms. */
        FrameRate: {
            /**
             * Format: int32
             * @description In that many seconds.
             */
            denominator: number;
            /**
             * Format: int32
             * @description Frames.
             */
            numerator: number;
        };
        /** @description The fleet at a glance. */
        Glance: {
            /** @description Alerts that hold, the worst first; at most 100. */
            alerts: components["schemas"]["Alert"][];
            /**
             * Format: date-time
             * @description When monitoring was asked.
             */
            at: string;
            /** @description Backups and their drill. */
            backups: components["schemas"]["Backups"];
            /** @description All hosts, by name. */
            hosts: components["schemas"]["Host"][];
        };
        /** @description What a group gives: a role in the organisation, or roles in one of its productions. */
        GroupRule: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description The group, as the provider writes it. */
            group: string;
            /** @description Its id. */
            id: components["schemas"]["GroupRuleId"];
            organisation_role?: components["schemas"]["OrganisationRole"] | null;
            production_id?: components["schemas"]["ProductionId"] | null;
            roles?: components["schemas"]["ProductionRoles"] | null;
        };
        /** @description A rule to be made: `organisation_role`, or `production_id` with `roles`. */
        GroupRuleForm: {
            /** @description The group, exactly as the provider writes it. */
            group: string;
            organisation_role?: components["schemas"]["OrganisationRole"] | null;
            production_id?: components["schemas"]["ProductionId"] | null;
            roles?: components["schemas"]["ProductionRoles"] | null;
        };
        /**
         * Format: uuid
         * @description One rule that says what a group at an identity provider gives.
         */
        GroupRuleId: string;
        /** @description Somebody of whom the organisation keeps something. */
        HeldPerson: {
            /** @description How they are called. */
            display_name: string;
            /** @description Whether they have left: the audit trail still names them, with the login they had then. */
            has_left: boolean;
            /** @description Their id. */
            id: components["schemas"]["PersonId"];
            /** @description What they sign in with. */
            login: string;
            role?: components["schemas"]["OrganisationRole"] | null;
        };
        /** @description A host, as monitoring sees it. What is unknown is null. */
        Host: {
            /**
             * Format: date-time
             * @description When the first of its certificates ends.
             */
            certificate_ends_at?: string | null;
            /**
             * Format: double
             * @description How full that is, 0 to 1.
             */
            disk_used_ratio?: number | null;
            /** @description Where its fullest disk is mounted. */
            fullest_disk?: string | null;
            /** @description Whether it has the public address, where it is a load balancer. */
            has_public_address?: boolean | null;
            /** @description Whether its database is the primary, where it has one. */
            is_primary?: boolean | null;
            /** @description Whether it answers. */
            is_up: boolean;
            /** @description Whether its backend leads, where it has one. */
            leads?: boolean | null;
            /** @description Its name in the inventory. */
            name: string;
            /**
             * Format: double
             * @description Bytes of the log that its database has still to read, where that is a standby.
             */
            replication_lag_bytes?: number | null;
            /** @description Its groups in the inventory, as in "databases". */
            roles: string[];
            /** @description Services that give no figures. */
            silent: string[];
            /** @description The version of each of Kinora's services on it. */
            versions: {
                [key: string]: string;
            };
        };
        /** @description How the installation does. */
        InstallationStatus: {
            /**
             * Format: date-time
             * @description The clock of whoever answers.
             */
            at: string;
            /** @description What needs attention, the worst first. */
            attention: components["schemas"]["Attention"][];
            glance?: components["schemas"]["Glance"] | null;
            /** @description Whether nothing needs attention. */
            is_well: boolean;
            /** @description Mail that waits, as the database has it now. */
            mail: components["schemas"]["MailQueue"];
            /** @description What is known of the monitoring. */
            monitoring: components["schemas"]["Monitoring"];
            /** @description Steps that have not ended, by kind and state, as the database has them now. */
            queues: components["schemas"]["Queue"][];
            /** @description What is stored. */
            storage: components["schemas"]["Storage"];
        };
        /** @description An invitation that is open: neither accepted nor withdrawn. */
        Invitation: {
            /** @description The address it is for. */
            address: string;
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When its link stops working, or has stopped.
             */
            expires_at: string;
            /** @description Its id. */
            id: components["schemas"]["InvitationId"];
            /** @description Who stands for it, if that person still exists. */
            invited_by?: string | null;
            /** @description Why that mail does not arrive. */
            mail_error?: string | null;
            /** @description What became of its newest mail: "waiting", "sending", "sent", "failed" or "dropped". */
            mail_state?: string | null;
            /**
             * Format: date-time
             * @description When its newest mail was asked for.
             */
            mailed_at: string;
            /**
             * Format: date-time
             * @description When the membership ends that comes of it.
             */
            membership_ends_at?: string | null;
            /**
             * Format: int64
             * @description Counts its changes.
             */
            revision: number;
            /** @description What it gives. */
            roles: components["schemas"]["ProductionRoles"];
        };
        /** @description Whom to invite, and to what. */
        InvitationForm: {
            /** @description The e-mail address. */
            address: string;
            /**
             * Format: date-time
             * @description When their membership is to end; left out: never.
             */
            membership_ends_at?: string | null;
            /** @description What they are to have: at least one role. */
            roles: components["schemas"]["ProductionRoles"];
        };
        /**
         * Format: uuid
         * @description One invitation into a production.
         */
        InvitationId: string;
        /** @description What an invitation offers. */
        InvitationOffer: {
            /** @description For whom it is: the login of whoever accepts it. */
            address: string;
            /**
             * Format: date-time
             * @description When the link stops working.
             */
            expires_at: string;
            /** @description Whether there is an account with that login, which is to accept it. */
            has_account: boolean;
            /** @description Who invites. */
            invited_by: string;
            /**
             * Format: date-time
             * @description When the membership ends that comes of it.
             */
            membership_ends_at?: string | null;
            /** @description The name of the organisation that owns it. */
            organisation: string;
            /** @description The production's name. */
            production: string;
            /** @description The production it leads to. */
            production_id: components["schemas"]["ProductionId"];
            /** @description What it gives. */
            roles: components["schemas"]["ProductionRoles"];
        };
        /** @description The token of an invitation's link. */
        InvitationToken: {
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /** @description A new account that accepts an invitation. */
        InvitedAccount: {
            /** @description How one is called. */
            display_name: string;
            /**
             * Format: password
             * @description The password.
             */
            password: string;
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /** @description The last test of a connection. */
        LastTest: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /**
             * Format: uuid
             * @description The attempt.
             */
            attempt_id: string;
            /** @description Whether it was made with the metadata that the connection has now. */
            is_current: boolean;
            /** @description The code of the refusal; none: it went well. */
            refusal?: string | null;
        };
        /** @description One page of a list. */
        List_AccessToken: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /**
                 * Format: date-time
                 * @description When it ends.
                 */
                expires_at: string;
                /** @description Its last characters. */
                hint: string;
                /** @description Its id. */
                id: components["schemas"]["TokenId"];
                /**
                 * Format: date-time
                 * @description When it was last used, to the minute.
                 */
                last_used_at?: string | null;
                /** @description What it is for. */
                name: string;
                scope?: components["schemas"]["TokenScope"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_Asset: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was added.
                 */
                created_at: string;
                created_by?: components["schemas"]["PersonId"] | null;
                /**
                 * Format: int64
                 * @description Length in microseconds; null for stills and until it is known.
                 */
                duration_us?: number | null;
                failure?: components["schemas"]["Failure"] | null;
                /** @description Its id. */
                id: components["schemas"]["AssetId"];
                /** @description What kind of thing it is. */
                kind: components["schemas"]["AssetKind"];
                /** @description Its name; the file's name until somebody renames it. */
                name: string;
                /** @description The production it belongs to. */
                production_id: components["schemas"]["ProductionId"];
                /**
                 * Format: int64
                 * @description Counts the changes; the ETag.
                 */
                revision: number;
                /**
                 * Format: int64
                 * @description Bytes of the current version's original.
                 */
                size_bytes: number;
                /** @description Where it stands. */
                status: components["schemas"]["AssetStatus"];
                /**
                 * Format: date-time
                 * @description When it last changed.
                 */
                updated_at: string;
                version_id?: components["schemas"]["VersionId"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_AuditEntry: {
            /** @description The items. */
            items: {
                /** @description What was done. */
                action: string;
                /** @description Their login at that time. */
                actor: string;
                actor_id?: components["schemas"]["PersonId"] | null;
                /** @description Whether whoever did it was a guest of the organisation at that time. */
                actor_is_guest: boolean;
                /** @description From where. */
                address?: string | null;
                /** @description State after. */
                after?: unknown;
                /**
                 * Format: date-time
                 * @description When it was recorded.
                 */
                at: string;
                /** @description State before. */
                before?: unknown;
                /** @description Whether names were erased from it, of somebody who asked for that. */
                erased: boolean;
                /** @description The row's place in the chain: SHA-256 over the hash before it and the row, hexadecimal. */
                hash: string;
                production_id?: components["schemas"]["ProductionId"] | null;
                /** @description In which request. */
                request_id?: string | null;
                /**
                 * Format: int64
                 * @description Its position in the trail of the whole installation.
                 */
                sequence: number;
                /** @description Its name at that time. */
                subject?: string | null;
                /**
                 * Format: uuid
                 * @description To which one.
                 */
                subject_id?: string | null;
                /** @description To what kind of thing. */
                subject_kind: string;
                support_grant_id?: components["schemas"]["SupportGrantId"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_Erasure: {
            /** @description The items. */
            items: {
                /** @description Who asked for it: "person", "organisation" or "operator". */
                asked_by: string;
                /**
                 * Format: date-time
                 * @description When.
                 */
                erased_at: string;
                /** @description "whole", or "organisation" where only what an organisation kept was erased. */
                extent: string;
                /** @description Its id. */
                id: components["schemas"]["ErasureId"];
                /** @description The opaque id of the person. */
                person_id: components["schemas"]["PersonId"];
                /** @description What was done. */
                report: components["schemas"]["ErasedRows"][];
                /** @description The opaque id that stands in place of the person. */
                stands_for: components["schemas"]["PersonId"];
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_GroupRule: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /** @description The group, as the provider writes it. */
                group: string;
                /** @description Its id. */
                id: components["schemas"]["GroupRuleId"];
                organisation_role?: components["schemas"]["OrganisationRole"] | null;
                production_id?: components["schemas"]["ProductionId"] | null;
                roles?: components["schemas"]["ProductionRoles"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_HeldPerson: {
            /** @description The items. */
            items: {
                /** @description How they are called. */
                display_name: string;
                /** @description Whether they have left: the audit trail still names them, with the login they had then. */
                has_left: boolean;
                /** @description Their id. */
                id: components["schemas"]["PersonId"];
                /** @description What they sign in with. */
                login: string;
                role?: components["schemas"]["OrganisationRole"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_Invitation: {
            /** @description The items. */
            items: {
                /** @description The address it is for. */
                address: string;
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /**
                 * Format: date-time
                 * @description When its link stops working, or has stopped.
                 */
                expires_at: string;
                /** @description Its id. */
                id: components["schemas"]["InvitationId"];
                /** @description Who stands for it, if that person still exists. */
                invited_by?: string | null;
                /** @description Why that mail does not arrive. */
                mail_error?: string | null;
                /** @description What became of its newest mail: "waiting", "sending", "sent", "failed" or "dropped". */
                mail_state?: string | null;
                /**
                 * Format: date-time
                 * @description When its newest mail was asked for.
                 */
                mailed_at: string;
                /**
                 * Format: date-time
                 * @description When the membership ends that comes of it.
                 */
                membership_ends_at?: string | null;
                /**
                 * Format: int64
                 * @description Counts its changes.
                 */
                revision: number;
                /** @description What it gives. */
                roles: components["schemas"]["ProductionRoles"];
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_Mail: {
            /** @description The items. */
            items: {
                /** @description Whether it can be dropped. */
                can_drop: boolean;
                /** @description Whether it can be tried again now. */
                can_retry: boolean;
                /**
                 * Format: date-time
                 * @description When it was written.
                 */
                created_at: string;
                /**
                 * Format: date-time
                 * @description When it was sent, given up or dropped.
                 */
                ended_at?: string | null;
                /** @description Its id, also the first part of its Message-ID. */
                id: components["schemas"]["MessageId"];
                /** @description What kind of letter it is: "invitation", "security", "code". */
                kind: string;
                /** @description What went wrong last. */
                last_error?: string | null;
                /**
                 * Format: date-time
                 * @description When it is tried next, while it waits.
                 */
                next_try_at?: string | null;
                /** @description To whom. */
                recipient: string;
                /** @description Where it is. */
                state: components["schemas"]["MailState"];
                /**
                 * Format: int32
                 * @description How often it was tried.
                 */
                tries: number;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_Organisation: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /** @description Whether a code sent by mail counts as a second factor. */
                email_code_allowed: boolean;
                /** @description Its id. */
                id: components["schemas"]["OrganisationId"];
                /** @description Its name. */
                name: string;
                /**
                 * Format: int64
                 * @description Counts its changes; in quotes it is the `ETag`.
                 */
                revision: number;
                /** @description One's own role in it. */
                role: components["schemas"]["OrganisationRole"];
                /** @description Whether its people must have a second factor. */
                second_factor_required: boolean;
                /** @description Whether they must have signed in through one of its identity providers. */
                sso_required: boolean;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_OrganisationDomain: {
            /** @description The items. */
            items: {
                connection_id?: components["schemas"]["ConnectionId"] | null;
                /**
                 * Format: date-time
                 * @description When it was named.
                 */
                created_at: string;
                /** @description The domain. */
                domain: string;
                /** @description Its id. */
                id: components["schemas"]["DomainId"];
                /**
                 * Format: int64
                 * @description Counts its changes; in quotes it is the `ETag`.
                 */
                revision: number;
                /**
                 * Format: date-time
                 * @description When the operator confirmed that it is the organisation's; none: it has no effect yet.
                 */
                verified_at?: string | null;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_OrganisationPerson: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description Since when they belong to the organisation.
                 */
                created_at: string;
                /** @description Whether they may not sign in. */
                disabled: boolean;
                /** @description How they are called. */
                display_name: string;
                /** @description Whether they have ever set a password. */
                has_password: boolean;
                /** @description Whether they have a second factor. */
                has_second_factor: boolean;
                /** @description Their id. */
                id: components["schemas"]["PersonId"];
                /** @description What they sign in with. */
                login: string;
                /**
                 * Format: int64
                 * @description Counts the changes; in quotes it is the `ETag`.
                 */
                revision: number;
                /** @description The role in the organisation. */
                role: components["schemas"]["OrganisationRole"];
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_PersonalData: {
            /** @description The items. */
            items: {
                /** @description What erasing a person does with it: "deleted", "pseudonymised", "kept", or "nothing", as it is about nobody. */
                fate: string;
                /** @description What that means here. */
                fate_means?: string | null;
                /** @description Whether it stands in the database. */
                in_database: boolean;
                /** @description How long. */
                kept: string;
                /** @description A name for programs; that of the table, for what stands in the database. */
                name: string;
                /** @description The section of the export that it stands in. */
                section?: string | null;
                /** @description What it is called. */
                title: string;
                /** @description What is kept. */
                what: string;
                /** @description What for. */
                why: string;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_Production: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /** @description Whether one is a guest in it: does not belong to the organisation that owns it. */
                guest: boolean;
                /** @description Its id. */
                id: components["schemas"]["ProductionId"];
                /**
                 * Format: date-time
                 * @description When one's own membership ends.
                 */
                my_membership_ends_at?: string | null;
                /** @description One's own roles in it; none in any module for an administrator who is no member. */
                my_roles: components["schemas"]["ProductionRoles"];
                /** @description Its name. */
                name: string;
                /** @description The organisation's name. */
                organisation: string;
                /** @description The organisation that owns it. */
                organisation_id: components["schemas"]["OrganisationId"];
                /**
                 * Format: int64
                 * @description Counts its changes; in quotes it is the `ETag`.
                 */
                revision: number;
                support?: components["schemas"]["ProductionSupport"] | null;
                /**
                 * Format: date-time
                 * @description When it was last changed.
                 */
                updated_at: string;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_ProductionMember: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When the membership ends, or has ended: from that instant on it gives nothing.
                 */
                ends_at?: string | null;
                /** @description Whether they are a guest: do not belong to the organisation that owns the production. */
                guest: boolean;
                /** @description The person. */
                person: components["schemas"]["Person"];
                /**
                 * Format: int64
                 * @description Counts the changes; in quotes it is the `ETag`.
                 */
                revision: number;
                /** @description The roles, at least one. */
                roles: components["schemas"]["ProductionRoles"];
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_Run: {
            /** @description The items. */
            items: {
                /** @description The asset it works on. */
                asset_id: components["schemas"]["AssetId"];
                /**
                 * Format: date-time
                 * @description When somebody asked to cancel it; it is cancelled once its steps have stopped.
                 */
                cancel_requested_at?: string | null;
                /**
                 * Format: date-time
                 * @description When it was started.
                 */
                created_at: string;
                created_by?: components["schemas"]["PersonId"] | null;
                failure?: components["schemas"]["Failure"] | null;
                /**
                 * Format: date-time
                 * @description When it ended, if it has.
                 */
                finished_at?: string | null;
                /** @description Its id. */
                id: components["schemas"]["RunId"];
                /** @description The production. */
                production_id: components["schemas"]["ProductionId"];
                /** @description Where it stands. */
                state: components["schemas"]["RunState"];
                /** @description Its steps in their order. */
                steps: components["schemas"]["Step"][];
                /** @description The version it works on. */
                version_id: components["schemas"]["VersionId"];
                /** @description The workflow's name. */
                workflow: string;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_ServiceAccount: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /** @description Whether it may do nothing. */
                deactivated: boolean;
                /** @description Its id: that of a person in memberships and in the audit trail. */
                id: components["schemas"]["PersonId"];
                /**
                 * Format: date-time
                 * @description When a token of it was last used, to the minute.
                 */
                last_used_at?: string | null;
                /** @description What it is called in the audit trail. */
                login: string;
                /** @description How people call it. */
                name: string;
                /** @description Where it has roles. They are given and taken as those of people: `/productions/{production_id}/members/{id}`. */
                productions: components["schemas"]["ServiceAccountPlace"][];
                /** @description What it is for. */
                purpose: string;
                responsible?: components["schemas"]["ResponsiblePerson"] | null;
                /**
                 * Format: int64
                 * @description Counts its changes; in quotes it is the `ETag`.
                 */
                revision: number;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_SessionEntry: {
            /** @description The items. */
            items: {
                /** @description From where it began. */
                address?: string | null;
                /**
                 * Format: date-time
                 * @description When it began.
                 */
                created_at: string;
                /** @description Whether it is the one this request came with. */
                current: boolean;
                /**
                 * Format: date-time
                 * @description When it ends at the latest.
                 */
                expires_at: string;
                /** @description Its id. */
                id: components["schemas"]["SessionId"];
                /**
                 * Format: date-time
                 * @description When it was last used, to the minute.
                 */
                last_seen_at: string;
                /** @description What the browser said it is. */
                user_agent?: string | null;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_SignOnAttempt: {
            /** @description The items. */
            items: {
                /** @description From where. */
                address?: string | null;
                /**
                 * Format: date-time
                 * @description When.
                 */
                at: string;
                /** @description What was found, in addition. */
                detail?: string | null;
                findings?: components["schemas"]["TestFindings"] | null;
                /** @description Its id, which the person was shown too. */
                id: components["schemas"]["AttemptId"];
                /** @description Whose attempt it was, as far as that is known. */
                person?: string | null;
                /** @description What for: "sign_in", "unsolicited", "test", "link", "confirm" or "logout". */
                purpose: string;
                /** @description The code of the refusal; none: it went well. */
                refusal?: string | null;
                /** @description What that means, and what helps. */
                sentence?: string | null;
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_SignOnConnection: {
            /** @description The items. */
            items: {
                /** @description Whether people in none of the groups become members as well. */
                admits_everyone: boolean;
                /** @description Whether sign-ins may begin at the provider. */
                allow_unsolicited: boolean;
                /** @description Kinora's certificates towards the provider, the signing one first. */
                certificates: components["schemas"]["OwnCertificate"][];
                /**
                 * Format: int32
                 * @description By how much the provider's clock may differ, seconds.
                 */
                clock_skew_seconds: number;
                /** @description Ways of signing in that are asked for (`AuthnContextClassRef`); none: any. */
                contexts: string[];
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /** @description The attribute with the e-mail address; none: the usual names are tried. */
                email_attribute?: string | null;
                /** @description Whether people sign in through it. One that is not enabled can be tested. */
                enabled: boolean;
                /** @description Why it could not be fetched, or was not taken, the last time. What was there goes on working. */
                fetch_error?: string | null;
                /**
                 * Format: date-time
                 * @description When that was last tried.
                 */
                fetch_tried_at?: string | null;
                /**
                 * Format: date-time
                 * @description When it was last fetched.
                 */
                fetched_at?: string | null;
                /** @description Whether the provider is to ask for credentials every time (`ForceAuthn`). */
                force_sign_in: boolean;
                /** @description The attribute with the groups; none: the usual names are tried. */
                groups_attribute?: string | null;
                /** @description Its id. */
                id: components["schemas"]["ConnectionId"];
                last_test?: components["schemas"]["LastTest"] | null;
                metadata_signer?: components["schemas"]["CertificateView"] | null;
                /** @description Where the metadata is fetched from every day; none: it was given as text. */
                metadata_url?: string | null;
                /** @description How its owners call it. */
                name: string;
                /** @description The attribute with the person's name; none: the usual names are tried. */
                name_attribute?: string | null;
                /** @description The format of `NameID` that is asked for. */
                name_id_format?: string | null;
                /** @description What to give the provider. */
                ours: components["schemas"]["OwnAddresses"];
                provider?: components["schemas"]["ProviderView"] | null;
                /** @description Why the metadata that is there cannot be used (any more). */
                provider_problem?: string | null;
                /** @description How requests are sent, "redirect" or "post"; none: as the provider likes best. */
                request_binding?: string | null;
                /**
                 * Format: int64
                 * @description Counts its changes; in quotes it is the `ETag`.
                 */
                revision: number;
                /** @description Whether signing out ends the session at the other side too. */
                single_logout: boolean;
                /** @description The attribute that is the stable identity; none: the `NameID` is. */
                subject_attribute?: string | null;
                /**
                 * Format: date-time
                 * @description When it was last changed.
                 */
                updated_at: string;
                /** @description What ends within 30 days, or has ended. */
                warnings: components["schemas"]["EndWarning"][];
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        List_SupportGrant: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was accepted.
                 */
                accepted_at?: string | null;
                /** @description The address it was given to. Whether there is an account of that address is not told. */
                address: string;
                /**
                 * Format: date-time
                 * @description When it was given.
                 */
                created_at: string;
                /**
                 * Format: date-time
                 * @description When an owner ended it before its time.
                 */
                ended_at?: string | null;
                /**
                 * @description The name of that owner, if that person still exists. None also where it ended because the account got a new one-time
                 *     link or lost its second factors.
                 */
                ended_by?: string | null;
                /**
                 * Format: date-time
                 * @description When it ends by itself.
                 */
                ends_at: string;
                /**
                 * Format: date-time
                 * @description When it was used for the first time; what was done is in the audit trail, with its id as `support_grant`.
                 */
                first_used_at?: string | null;
                /** @description The name of who gave it, if that person still exists. */
                given_by?: string | null;
                /** @description Its id. */
                id: components["schemas"]["SupportGrantId"];
                /** @description Whether originals may be downloaded. */
                originals: boolean;
                /** @description Why it was given. */
                reason: string;
                /** @description What it lets them do at most. */
                scope: components["schemas"]["TokenScope"];
                /**
                 * Format: date-time
                 * @description From when it holds.
                 */
                starts_at: string;
                /** @description Where it stands. */
                state: components["schemas"]["SupportState"];
            }[];
            /** @description Pass it as `cursor` for the next page; null at the end. */
            next_cursor?: string | null;
        };
        /** @description Programme loudness by EBU R 128 / ITU-R BS.1770. */
        Loudness: {
            /**
             * Format: float
             * @description Integrated loudness, LUFS; absent for silence.
             */
            integrated_lufs?: number | null;
            /**
             * Format: float
             * @description Loudness range, LU (EBU Tech 3342).
             */
            range_lu?: number | null;
            /**
             * Format: float
             * @description Highest true peak, dBTP; absent for silence.
             */
            true_peak_dbtp?: number | null;
        };
        /** @description A mail of the organisation. What it says is not shown. */
        Mail: {
            /** @description Whether it can be dropped. */
            can_drop: boolean;
            /** @description Whether it can be tried again now. */
            can_retry: boolean;
            /**
             * Format: date-time
             * @description When it was written.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was sent, given up or dropped.
             */
            ended_at?: string | null;
            /** @description Its id, also the first part of its Message-ID. */
            id: components["schemas"]["MessageId"];
            /** @description What kind of letter it is: "invitation", "security", "code". */
            kind: string;
            /** @description What went wrong last. */
            last_error?: string | null;
            /**
             * Format: date-time
             * @description When it is tried next, while it waits.
             */
            next_try_at?: string | null;
            /** @description To whom. */
            recipient: string;
            /** @description Where it is. */
            state: components["schemas"]["MailState"];
            /**
             * Format: int32
             * @description How often it was tried.
             */
            tries: number;
        };
        /** @description Mail that waits. */
        MailQueue: {
            /**
             * Format: int64
             * @description For how long the oldest has waited, seconds.
             */
            oldest_seconds: number;
            /**
             * Format: int64
             * @description How many, of all organisations.
             */
            waiting: number;
        };
        /** @description What is known of the mail relay. */
        MailRelay: {
            /** @description Why not. */
            error?: string | null;
            /**
             * Format: date-time
             * @description Since when.
             */
            since: string;
            /** @description Whether mail can go out. */
            state: components["schemas"]["RelayState"];
        };
        /**
         * @description Where a mail is on its way.
         * @enum {string}
         */
        MailState: "waiting" | "sending" | "sent" | "failed" | "dropped";
        /** @description What a member is to have. */
        MemberForm: {
            budget?: components["schemas"]["ModuleRole"] | null;
            /**
             * Format: date-time
             * @description When the membership ends; `null`: never. Left out: as it is.
             */
            ends_at?: string | null;
            library?: components["schemas"]["ModuleRole"] | null;
            office?: components["schemas"]["ModuleRole"] | null;
            subtitling?: components["schemas"]["ModuleRole"] | null;
        };
        /**
         * Format: uuid
         * @description One mail that is to go out, or has.
         */
        MessageId: string;
        /** @description Metadata of an identity provider: its text, or where it is. */
        MetadataForm: {
            /**
             * @description The certificate (PEM) that it must be signed with, now and whenever it is fetched again; left out: a
             *     signature is not asked for.
             */
            signer?: string | null;
            /** @description The https address from which it is fetched, now and every day. */
            url?: string | null;
            /** @description The document itself. */
            xml?: string | null;
        };
        /**
         * @description A part of the product that a member can be let into on its own.
         * @enum {string}
         */
        Module: "office" | "library" | "subtitling" | "budget";
        /**
         * @description What a member may do in one module. Each role includes those before it.
         * @enum {string}
         */
        ModuleRole: "reader" | "editor" | "manager";
        /** @description What is known of the monitoring. */
        Monitoring: {
            /**
             * Format: date-time
             * @description When the leading backend last asked, or looked whether there is anything to ask.
             */
            asked_at?: string | null;
            /** @description Why it could not be asked. */
            error?: string | null;
            /** @description Whether it can be asked. */
            state: components["schemas"]["MonitoringState"];
        };
        /**
         * @description Whether this installation's monitoring can be asked.
         * @enum {string}
         */
        MonitoringState: "unknown" | "unset" | "working" | "failing";
        /** @description A token to be made. */
        NewAccessToken: {
            /**
             * Format: int64
             * @description How long it holds, in days.
             * @default 90
             */
            expires_in_days: number;
            /** @description What it is for. */
            name: string;
            scope?: components["schemas"]["TokenScope"] | null;
        };
        /** @description A person to be added. */
        NewPerson: {
            /** @description How they are called. */
            display_name: string;
            /** @description What they will sign in with, usually the e-mail address. */
            login: string;
            /** @description The role in the organisation. */
            role: components["schemas"]["OrganisationRole"];
        };
        /** @description A token to be made. */
        NewProvisioning: {
            /**
             * Format: int64
             * @description How long it holds, in days.
             * @default 366
             */
            expires_in_days: number;
        };
        /** @description A link that sets a password once. */
        OneTimeLink: {
            /**
             * Format: date-time
             * @description When it ends.
             */
            expires_at: string;
            /** @description The address to give to the person. */
            url: string;
        };
        /** @description A connection that one's account can be joined through. */
        OpenConnection: {
            /** @description Its name. */
            connection: string;
            /** @description The connection. */
            connection_id: components["schemas"]["ConnectionId"];
            /** @description Whose it is. */
            organisation_id: components["schemas"]["OrganisationId"];
        };
        /** @description An organisation, as one of its people sees it. */
        Organisation: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description Whether a code sent by mail counts as a second factor. */
            email_code_allowed: boolean;
            /** @description Its id. */
            id: components["schemas"]["OrganisationId"];
            /** @description Its name. */
            name: string;
            /**
             * Format: int64
             * @description Counts its changes; in quotes it is the `ETag`.
             */
            revision: number;
            /** @description One's own role in it. */
            role: components["schemas"]["OrganisationRole"];
            /** @description Whether its people must have a second factor. */
            second_factor_required: boolean;
            /** @description Whether they must have signed in through one of its identity providers. */
            sso_required: boolean;
        };
        /** @description An e-mail domain of an organisation. */
        OrganisationDomain: {
            connection_id?: components["schemas"]["ConnectionId"] | null;
            /**
             * Format: date-time
             * @description When it was named.
             */
            created_at: string;
            /** @description The domain. */
            domain: string;
            /** @description Its id. */
            id: components["schemas"]["DomainId"];
            /**
             * Format: int64
             * @description Counts its changes; in quotes it is the `ETag`.
             */
            revision: number;
            /**
             * Format: date-time
             * @description When the operator confirmed that it is the organisation's; none: it has no effect yet.
             */
            verified_at?: string | null;
        };
        /** @description The name of an organisation. */
        OrganisationForm: {
            /** @description Its name. */
            name: string;
        };
        /**
         * Format: uuid
         * @description A studio or vendor; owns people and productions.
         */
        OrganisationId: string;
        /** @description A role in an organisation. */
        OrganisationMembership: {
            /** @description The organisation. */
            id: components["schemas"]["OrganisationId"];
            /** @description Its name. */
            name: string;
            /** @description It is withheld until the person signs in with their own password and second factor, or a passkey. */
            own_sign_in_required: boolean;
            /** @description The role in it. */
            role: components["schemas"]["OrganisationRole"];
            /** @description Whether it runs this installation: its administrators see how that does. */
            runs_installation: boolean;
            /** @description It is withheld until the person signs in with the studio account. */
            single_sign_on_required: boolean;
            /**
             * @description Nothing of it may be seen before the person has a second factor, or signs in with the studio account, or with
             *     their own.
             */
            withheld: boolean;
        };
        /** @description A person of an organisation. */
        OrganisationPerson: {
            /**
             * Format: date-time
             * @description Since when they belong to the organisation.
             */
            created_at: string;
            /** @description Whether they may not sign in. */
            disabled: boolean;
            /** @description How they are called. */
            display_name: string;
            /** @description Whether they have ever set a password. */
            has_password: boolean;
            /** @description Whether they have a second factor. */
            has_second_factor: boolean;
            /** @description Their id. */
            id: components["schemas"]["PersonId"];
            /** @description What they sign in with. */
            login: string;
            /**
             * Format: int64
             * @description Counts the changes; in quotes it is the `ETag`.
             */
            revision: number;
            /** @description The role in the organisation. */
            role: components["schemas"]["OrganisationRole"];
        };
        /**
         * @description What a member may do in the organisation as a whole.
         * @enum {string}
         */
        OrganisationRole: "member" | "administrator" | "owner";
        /** @description What an organisation asks of its people. */
        OrganisationSecurity: {
            /** @description The owners who may sign in with password and second factor all the same; left out: as they are. Each must have both. */
            break_glass?: components["schemas"]["PersonId"][] | null;
            /**
             * @description Whether a code that is sent by mail counts as a second factor; left out: as it is. It is the weak one: whoever
             *     reads somebody's mail and knows their password gets in. It counts for somebody as long as all their
             *     organisations that ask for a second factor allow it.
             */
            email_code_allowed?: boolean | null;
            /**
             * @description Whether they must have a second factor. Whoever has none sees nothing of the organisation until they have
             *     added one, also in sessions that are open; access tokens go on.
             */
            second_factor_required: boolean;
            /**
             * @description Whether they must have signed in through one of the organisation's identity providers; left out: as it is. It takes a
             *     connection that is switched on and whose last test went well, and somebody in `break_glass`.
             */
            sso_required?: boolean | null;
        };
        /** @description What an organisation asks of its people, and what stands in the way of asking for more. */
        OrganisationSecurityState: {
            /** @description Whether a code sent by mail counts as a second factor. */
            email_code_allowed: boolean;
            /** @description Its owners, by login. */
            owners: components["schemas"]["SecurityOwner"][];
            /**
             * Format: int64
             * @description Counts the organisation's changes; in quotes it is the `ETag`.
             */
            revision: number;
            /** @description Whether they must have a second factor. */
            second_factor_required: boolean;
            /** @description Whether a connection is switched on whose last test went well. */
            sso_proven: boolean;
            /** @description Whether they must have signed in through one of its identity providers. */
            sso_required: boolean;
        };
        /** @description What the provider is to know of Kinora. */
        OwnAddresses: {
            /** @description Where responses go (assertion consumer service, reply address). */
            acs_url: string;
            /** @description Kinora's name (entity ID, audience), where its metadata is too. */
            entity_id: string;
            /** @description Where logout messages go. */
            logout_url: string;
        };
        /** @description A certificate of ours. */
        OwnCertificate: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description SHA-256 of it, hexadecimal. */
            fingerprint: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            not_after: string;
            /** @description What it is for. */
            role: components["schemas"]["OwnCertificateRole"];
            /** @description Its subject, in words. */
            subject: string;
        };
        /**
         * @description What a certificate of ours is for.
         * @enum {string}
         */
        OwnCertificateRole: "signing" | "next" | "former";
        /** @description A panel of the dashboards. */
        Panel: {
            /**
             * Format: date-time
             * @description When monitoring was asked.
             */
            at: string;
            /** @description The last 24 hours. */
            day: components["schemas"]["Chart"];
            /** @description The last 14 days. */
            fortnight: components["schemas"]["Chart"];
            /** @description Its name: "ingest_stages", "ingest_steps", "queue_age", "errors", "storage", "backups". */
            name: string;
            /** @description What the values are. */
            unit: components["schemas"]["Unit"];
        };
        /** @description A passkey of an account. */
        Passkey: {
            /**
             * Format: date-time
             * @description Since when.
             */
            created_at: string;
            /** @description Its id. */
            id: components["schemas"]["PasskeyId"];
            /** @description Whether it is kept on several devices. */
            is_synced: boolean;
            /**
             * Format: date-time
             * @description When it last signed.
             */
            last_used_at?: string | null;
            /** @description What its owner calls it. */
            name: string;
        };
        /** @description What `navigator.credentials.create` is called with. */
        PasskeyCreation: {
            /** @description COSE algorithms, the best first. */
            algorithms: number[];
            /** @description To be signed. */
            challenge: string;
            /** @description Passkeys that are there already. */
            exclude: components["schemas"]["PasskeyDescriptor"][];
            /** @description The installation's name for authenticators. */
            rp_id: string;
            /**
             * Format: int64
             * @description How long the challenge holds.
             */
            timeout_seconds: number;
            /** @description How the person is called. */
            user_display_name: string;
            /** @description What authenticators know the person by. */
            user_id: string;
            /** @description The login. */
            user_name: string;
        };
        /** @description A passkey as a browser is asked for it. Bytes are base64url without padding here and below. */
        PasskeyDescriptor: {
            /** @description The authenticator's id of it. */
            id: string;
            /** @description How it can be reached. */
            transports: string[];
        };
        /** @description A new passkey. */
        PasskeyForm: {
            /** @description `attestationObject`. */
            attestation_object: string;
            /** @description `clientDataJSON`. */
            client_data: string;
            /** @description What to call it. */
            name: string;
            /** @description `getTransports()`. */
            transports?: string[];
        };
        /**
         * Format: uuid
         * @description One passkey or security key of a person.
         */
        PasskeyId: string;
        /** @description What `navigator.credentials.get` is called with. */
        PasskeyRequest: {
            /** @description Which passkeys may sign; empty: any. */
            allow: components["schemas"]["PasskeyDescriptor"][];
            /** @description To be signed. */
            challenge: string;
            /** @description The installation's name for authenticators. */
            rp_id: string;
            /**
             * Format: int64
             * @description How long the challenge holds.
             */
            timeout_seconds: number;
            /** @description Whether the authenticator must recognise the person. */
            user_verification_required: boolean;
        };
        /** @description A passkey's signature. */
        PasskeySignature: {
            /** @description `authenticatorData`. */
            authenticator_data: string;
            /** @description `clientDataJSON`. */
            client_data: string;
            /** @description The authenticator's id of the passkey. */
            credential_id: string;
            /** @description `signature`. */
            signature: string;
            /** @description `userHandle`, if the authenticator gave one. */
            user_handle?: string | null;
        };
        /** @description The present password and a new one. */
        PasswordChange: {
            /**
             * Format: password
             * @description The present password.
             */
            current_password: string;
            /**
             * Format: password
             * @description The new one.
             */
            new_password: string;
        };
        /** @description Whose one-time link it is. */
        PasswordLink: {
            /** @description How the person is called. */
            display_name: string;
            /**
             * Format: date-time
             * @description When the link ends.
             */
            expires_at: string;
            /** @description What the person signs in with. */
            login: string;
        };
        /** @description The token of a one-time link. */
        PasswordLinkToken: {
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /** @description A person. */
        Person: {
            /** @description How they are called. */
            display_name: string;
            /** @description Their id. */
            id: components["schemas"]["PersonId"];
            /** @description What they sign in with. */
            login: string;
        };
        /** @description Personal data of one kind. */
        PersonalData: {
            /** @description What erasing a person does with it: "deleted", "pseudonymised", "kept", or "nothing", as it is about nobody. */
            fate: string;
            /** @description What that means here. */
            fate_means?: string | null;
            /** @description Whether it stands in the database. */
            in_database: boolean;
            /** @description How long. */
            kept: string;
            /** @description A name for programs; that of the table, for what stands in the database. */
            name: string;
            /** @description The section of the export that it stands in. */
            section?: string | null;
            /** @description What it is called. */
            title: string;
            /** @description What is kept. */
            what: string;
            /** @description What for. */
            why: string;
        };
        /** @description What is kept of somebody. It is read by programs; `docs/operations/privacy.md` tells the whole shape. */
        PersonalDataExport: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            exported_at: string;
            /** @description "kinora-personal-data". */
            format: string;
            /** @description The people. */
            people: components["schemas"]["ExportedPerson"][];
            /**
             * Format: int32
             * @description 1: sections and fields may be added to it, and none is removed.
             */
            version: number;
        };
        /** @description What is to be changed about a person. */
        PersonChange: {
            /** @description Whether they may not sign in. */
            disabled?: boolean | null;
            /** @description Another name, where the present one is wrong. */
            display_name?: string | null;
            /** @description What they sign in with, where the present one is wrong. */
            login?: string | null;
            role?: components["schemas"]["OrganisationRole"] | null;
        };
        /**
         * Format: uuid
         * @description A person with an account.
         */
        PersonId: string;
        /** @description The document that is sent, `application/problem+json` (RFC 9457). */
        Problem: {
            /** @description A sentence for the person. */
            detail: string;
            /** @description What is wrong with which value. */
            errors?: components["schemas"]["FieldError"][];
            /** @description Id of the request, also in the log. */
            request_id: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The same for all problems of the type. */
            title: string;
            /**
             * @description `urn:kinora:problem:` and a stable slug.
             * @example urn:kinora:problem:not-found
             */
            type: string;
        };
        /** @description A production. */
        Production: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description Whether one is a guest in it: does not belong to the organisation that owns it. */
            guest: boolean;
            /** @description Its id. */
            id: components["schemas"]["ProductionId"];
            /**
             * Format: date-time
             * @description When one's own membership ends.
             */
            my_membership_ends_at?: string | null;
            /** @description One's own roles in it; none in any module for an administrator who is no member. */
            my_roles: components["schemas"]["ProductionRoles"];
            /** @description Its name. */
            name: string;
            /** @description The organisation's name. */
            organisation: string;
            /** @description The organisation that owns it. */
            organisation_id: components["schemas"]["OrganisationId"];
            /**
             * Format: int64
             * @description Counts its changes; in quotes it is the `ETag`.
             */
            revision: number;
            support?: components["schemas"]["ProductionSupport"] | null;
            /**
             * Format: date-time
             * @description When it was last changed.
             */
            updated_at: string;
        };
        /** @description The name of a production. */
        ProductionForm: {
            /** @description Its name. */
            name: string;
        };
        /**
         * Format: uuid
         * @description A film, series or programme; the unit of membership.
         */
        ProductionId: string;
        /** @description A member of a production. */
        ProductionMember: {
            /**
             * Format: date-time
             * @description When the membership ends, or has ended: from that instant on it gives nothing.
             */
            ends_at?: string | null;
            /** @description Whether they are a guest: do not belong to the organisation that owns the production. */
            guest: boolean;
            /** @description The person. */
            person: components["schemas"]["Person"];
            /**
             * Format: int64
             * @description Counts the changes; in quotes it is the `ETag`.
             */
            revision: number;
            /** @description The roles, at least one. */
            roles: components["schemas"]["ProductionRoles"];
        };
        /** @description The roles one person has in one production, a role or none for each module. */
        ProductionRoles: {
            budget?: components["schemas"]["ModuleRole"] | null;
            library?: components["schemas"]["ModuleRole"] | null;
            office?: components["schemas"]["ModuleRole"] | null;
            subtitling?: components["schemas"]["ModuleRole"] | null;
        };
        /** @description Support access, as whoever has it sees it in a production. */
        ProductionSupport: {
            /**
             * Format: date-time
             * @description When it ends.
             */
            ends_at?: string | null;
            /** @description Its id. */
            grant_id: components["schemas"]["SupportGrantId"];
            /** @description Whether originals may be downloaded. */
            originals: boolean;
        };
        /** @description How far an attempt is. */
        Progress: {
            /**
             * Format: float
             * @description Done part, 0 to 1; none while the length is unknown.
             */
            fraction?: number | null;
            /**
             * Format: int32
             * @description Seconds left at this speed.
             */
            remaining_seconds?: number | null;
            /**
             * Format: float
             * @description Media seconds processed in one second; none where that has no meaning.
             */
            speed?: number | null;
        };
        /** @description The address to open. */
        ProviderAddress: {
            /** @description To be opened in this browser, within a minute. */
            address: string;
        };
        /** @description An identity provider, as its metadata describes it. */
        ProviderView: {
            /** @description What its signatures are verified with. */
            certificates: components["schemas"]["CertificateView"][];
            /** @description Its name. */
            entity_id: string;
            /** @description Whether it has single logout. */
            has_logout: boolean;
            /** @description Where people sign in, by the POST binding. */
            sign_on_post?: string | null;
            /** @description Where people sign in, by the Redirect binding. */
            sign_on_redirect?: string | null;
            /**
             * Format: date-time
             * @description When its metadata ends, if it says so.
             */
            valid_until?: string | null;
        };
        /** @description What a connection's provider provisions, and with what. */
        Provisioning: {
            /**
             * Format: int64
             * @description Users that may come in.
             */
            active_users: number;
            /**
             * Format: int64
             * @description Groups. If there are any, they decide about the roles of provisioned people, and not what a sign-in says.
             */
            groups: number;
            /**
             * Format: int64
             * @description Users that may not.
             */
            inactive_users: number;
            /** @description The tokens that hold, newest first: at most two. */
            tokens: components["schemas"]["ProvisioningToken"][];
            /** @description What the provider is to be told as the address (tenant URL, base URL). */
            url: string;
        };
        /** @description A token for provisioning, without its secret. */
        ProvisioningToken: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            expires_at: string;
            /** @description Its last characters. */
            hint: string;
            /** @description Its id. */
            id: components["schemas"]["TokenId"];
            /**
             * Format: date-time
             * @description When it was last used, to the minute.
             */
            last_used_at?: string | null;
        };
        /** @description A QR code (ISO/IEC 18004) without the quiet zone, which must be left around it. */
        QrDrawing: {
            /** @description The dark modules as an SVG path, one unit each. */
            path: string;
            /** @description How many modules wide and high. */
            size: number;
        };
        /** @description Steps of one kind in one state. */
        Queue: {
            /**
             * Format: int64
             * @description How many.
             */
            count: number;
            /** @description The kind of step. */
            kind: string;
            /**
             * Format: int64
             * @description For how long the oldest is in it, seconds.
             */
            oldest_seconds: number;
            /** @description "waiting", "queued" or "running". */
            state: string;
        };
        /** @description Whether requests can be served. */
        Readiness: {
            /** @description PostgreSQL. */
            postgresql: components["schemas"]["State"];
            /** @description All of what cannot be done without. */
            ready: boolean;
            /** @description Redis; without it only live progress is missing. */
            redis: components["schemas"]["State"];
            /**
             * @description The storage of media objects; without it only files are missing, and nothing can be uploaded. Not ready is an
             *     instance for which it is away while it works for another one.
             */
            vault: components["schemas"]["State"];
        };
        /** @description Recovery codes, which are never shown again. */
        RecoveryCodes: {
            /** @description The codes; empty if those that the account has stay as they are. */
            recovery_codes: string[];
        };
        /**
         * @description Whether mail can go out.
         * @enum {string}
         */
        RelayState: "unknown" | "unset" | "working" | "failing";
        /**
         * @description How requests are sent.
         * @enum {string}
         */
        RequestBinding: "redirect" | "post";
        /** @description Who answers for a service account. */
        ResponsiblePerson: {
            /** @description How they are called. */
            display_name: string;
            /** @description Their id. */
            id: components["schemas"]["PersonId"];
            /** @description What they sign in with. */
            login: string;
            /** @description Whether they still belong to the organisation and may sign in. */
            present: boolean;
        };
        /** @description One execution of a workflow. */
        Run: {
            /** @description The asset it works on. */
            asset_id: components["schemas"]["AssetId"];
            /**
             * Format: date-time
             * @description When somebody asked to cancel it; it is cancelled once its steps have stopped.
             */
            cancel_requested_at?: string | null;
            /**
             * Format: date-time
             * @description When it was started.
             */
            created_at: string;
            created_by?: components["schemas"]["PersonId"] | null;
            failure?: components["schemas"]["Failure"] | null;
            /**
             * Format: date-time
             * @description When it ended, if it has.
             */
            finished_at?: string | null;
            /** @description Its id. */
            id: components["schemas"]["RunId"];
            /** @description The production. */
            production_id: components["schemas"]["ProductionId"];
            /** @description Where it stands. */
            state: components["schemas"]["RunState"];
            /** @description Its steps in their order. */
            steps: components["schemas"]["Step"][];
            /** @description The version it works on. */
            version_id: components["schemas"]["VersionId"];
            /** @description The workflow's name. */
            workflow: string;
        };
        /**
         * Format: uuid
         * @description One execution of a workflow.
         */
        RunId: string;
        /**
         * @description The state of a run, which follows from its steps.
         * @enum {string}
         */
        RunState: "active" | "done" | "failed" | "cancelled";
        /** @description The password was right; a second factor is still to be shown. */
        SecondStep: {
            /**
             * Format: date-time
             * @description Until when.
             */
            expires_at: string;
            /** @description Which ones there are. A recovery code will do as well. */
            factors: components["schemas"]["FactorMethods"];
        };
        /** @description An owner, and whether they could get in without the identity provider. */
        SecurityOwner: {
            /** @description Whether they may sign in with password and second factor where single sign-on is required. */
            break_glass: boolean;
            /** @description Whether they may not sign in at all. */
            disabled: boolean;
            /** @description How they are called. */
            display_name: string;
            /** @description Whether they have a password. */
            has_password: boolean;
            /** @description Whether they have a second factor. */
            has_second_factor: boolean;
            /** @description The person. */
            id: components["schemas"]["PersonId"];
            /** @description What they sign in with. */
            login: string;
        };
        /** @description A code that is on its way. */
        SentCode: {
            /**
             * Format: date-time
             * @description Until when it works.
             */
            expires_at: string;
        };
        /** @description A line of a chart. */
        Series: {
            /** @description What it is about: a stage, a host, a kind of step. */
            name: string;
            /** @description One value for each step of time; null where nothing is known. */
            values: (number | null)[];
        };
        /** @description An account of a program. It signs in nowhere: it has access tokens. */
        ServiceAccount: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description Whether it may do nothing. */
            deactivated: boolean;
            /** @description Its id: that of a person in memberships and in the audit trail. */
            id: components["schemas"]["PersonId"];
            /**
             * Format: date-time
             * @description When a token of it was last used, to the minute.
             */
            last_used_at?: string | null;
            /** @description What it is called in the audit trail. */
            login: string;
            /** @description How people call it. */
            name: string;
            /** @description Where it has roles. They are given and taken as those of people: `/productions/{production_id}/members/{id}`. */
            productions: components["schemas"]["ServiceAccountPlace"][];
            /** @description What it is for. */
            purpose: string;
            responsible?: components["schemas"]["ResponsiblePerson"] | null;
            /**
             * Format: int64
             * @description Counts its changes; in quotes it is the `ETag`.
             */
            revision: number;
        };
        /** @description What is to be changed about a service account. */
        ServiceAccountChange: {
            /** @description Whether it may do nothing. To deactivate it revokes all its tokens, and ends what it does at once. */
            deactivated?: boolean | null;
            /** @description Another name; in the audit trail it stays what it was. */
            name?: string | null;
            /** @description Another purpose. */
            purpose?: string | null;
            responsible_id?: components["schemas"]["PersonId"] | null;
        };
        /** @description A service account to be made. */
        ServiceAccountForm: {
            /** @description How people call it. */
            name: string;
            /** @description What it is for. */
            purpose: string;
            /** @description Who answers for it: a person of the organisation. */
            responsible_id: components["schemas"]["PersonId"];
        };
        /** @description Roles of a service account in a production. */
        ServiceAccountPlace: {
            /**
             * Format: date-time
             * @description When they end, or have ended.
             */
            ends_at?: string | null;
            /** @description Its name. */
            name: string;
            /** @description The production. */
            production_id: components["schemas"]["ProductionId"];
            /** @description The roles, at least one. */
            roles: components["schemas"]["ProductionRoles"];
        };
        /** @description Who is signed in. */
        Session: {
            /**
             * Format: date-time
             * @description Until when what asks for a fresh confirmation can be done; none: it must be confirmed first.
             */
            confirmed_until?: string | null;
            /** @description To be sent as `X-CSRF-Token` with changes; empty for access tokens, which need none. */
            csrf_token: string;
            /** @description The second factors they have. */
            factors: components["schemas"]["FactorMethods"];
            /** @description Their organisations. */
            organisations: components["schemas"]["OrganisationMembership"][];
            /**
             * @description Something besides support access is withheld until they sign in with their own password and second factor, or a
             *     passkey: an organisation asks for the factor, and another one's identity provider let them in.
             */
            own_sign_in_required: boolean;
            /** @description Nothing but choosing a new password is allowed. */
            password_change_required: boolean;
            /** @description The person. */
            person: components["schemas"]["Person"];
            /** @description Something is withheld until they have a second factor. */
            second_factor_required: boolean;
            /** @description Whether the session began at an organisation's identity provider. */
            single_sign_on: boolean;
            /** @description Something is withheld until they sign in at an organisation's identity provider. */
            single_sign_on_required: boolean;
            /** @description Support access to other organisations that holds at this moment. */
            support: components["schemas"]["SessionSupport"][];
        };
        /** @description One of one's own sessions. */
        SessionEntry: {
            /** @description From where it began. */
            address?: string | null;
            /**
             * Format: date-time
             * @description When it began.
             */
            created_at: string;
            /** @description Whether it is the one this request came with. */
            current: boolean;
            /**
             * Format: date-time
             * @description When it ends at the latest.
             */
            expires_at: string;
            /** @description Its id. */
            id: components["schemas"]["SessionId"];
            /**
             * Format: date-time
             * @description When it was last used, to the minute.
             */
            last_seen_at: string;
            /** @description What the browser said it is. */
            user_agent?: string | null;
        };
        /**
         * Format: uuid
         * @description One signed-in browser or client.
         */
        SessionId: string;
        /** @description Support access that one has. */
        SessionSupport: {
            /**
             * Format: date-time
             * @description When it ends.
             */
            ends_at: string;
            /** @description Its id. */
            grant_id: components["schemas"]["SupportGrantId"];
            /** @description Its name. */
            organisation: string;
            /** @description The organisation. */
            organisation_id: components["schemas"]["OrganisationId"];
            /** @description What is missing for it to open anything. */
            withheld?: ("second_factor" | "own_sign_in") | null;
        };
        /** @description A password to be set. */
        SetPassword: {
            /**
             * Format: password
             * @description The password.
             */
            password: string;
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /** @description Where to go on after signing out. */
        SignedOut: {
            /** @description To be opened in this browser, within a minute: it ends the session at the identity provider too. */
            address: string;
        };
        /** @description Login and password. */
        SignIn: {
            /** @description The login; capitals do not matter. */
            login: string;
            /**
             * Format: password
             * @description The password.
             */
            password: string;
        };
        /** @description Who wants to sign in. */
        SignInAddress: {
            /** @description The e-mail address or login. */
            address: string;
        };
        /** @description Where to sign in. */
        SignInRoute: {
            /** @description The address to open for single sign-on; `?return=` and a path may be added. */
            address?: string | null;
            /** @description How. */
            way: components["schemas"]["SignInWay"];
        };
        /**
         * @description A way of signing in.
         * @enum {string}
         */
        SignInWay: "password" | "single_sign_on";
        /** @description An attempt to sign in through a connection, or to sign out. */
        SignOnAttempt: {
            /** @description From where. */
            address?: string | null;
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description What was found, in addition. */
            detail?: string | null;
            findings?: components["schemas"]["TestFindings"] | null;
            /** @description Its id, which the person was shown too. */
            id: components["schemas"]["AttemptId"];
            /** @description Whose attempt it was, as far as that is known. */
            person?: string | null;
            /** @description What for: "sign_in", "unsolicited", "test", "link", "confirm" or "logout". */
            purpose: string;
            /** @description The code of the refusal; none: it went well. */
            refusal?: string | null;
            /** @description What that means, and what helps. */
            sentence?: string | null;
        };
        /** @description A connection to an identity provider. */
        SignOnConnection: {
            /** @description Whether people in none of the groups become members as well. */
            admits_everyone: boolean;
            /** @description Whether sign-ins may begin at the provider. */
            allow_unsolicited: boolean;
            /** @description Kinora's certificates towards the provider, the signing one first. */
            certificates: components["schemas"]["OwnCertificate"][];
            /**
             * Format: int32
             * @description By how much the provider's clock may differ, seconds.
             */
            clock_skew_seconds: number;
            /** @description Ways of signing in that are asked for (`AuthnContextClassRef`); none: any. */
            contexts: string[];
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description The attribute with the e-mail address; none: the usual names are tried. */
            email_attribute?: string | null;
            /** @description Whether people sign in through it. One that is not enabled can be tested. */
            enabled: boolean;
            /** @description Why it could not be fetched, or was not taken, the last time. What was there goes on working. */
            fetch_error?: string | null;
            /**
             * Format: date-time
             * @description When that was last tried.
             */
            fetch_tried_at?: string | null;
            /**
             * Format: date-time
             * @description When it was last fetched.
             */
            fetched_at?: string | null;
            /** @description Whether the provider is to ask for credentials every time (`ForceAuthn`). */
            force_sign_in: boolean;
            /** @description The attribute with the groups; none: the usual names are tried. */
            groups_attribute?: string | null;
            /** @description Its id. */
            id: components["schemas"]["ConnectionId"];
            last_test?: components["schemas"]["LastTest"] | null;
            metadata_signer?: components["schemas"]["CertificateView"] | null;
            /** @description Where the metadata is fetched from every day; none: it was given as text. */
            metadata_url?: string | null;
            /** @description How its owners call it. */
            name: string;
            /** @description The attribute with the person's name; none: the usual names are tried. */
            name_attribute?: string | null;
            /** @description The format of `NameID` that is asked for. */
            name_id_format?: string | null;
            /** @description What to give the provider. */
            ours: components["schemas"]["OwnAddresses"];
            provider?: components["schemas"]["ProviderView"] | null;
            /** @description Why the metadata that is there cannot be used (any more). */
            provider_problem?: string | null;
            /** @description How requests are sent, "redirect" or "post"; none: as the provider likes best. */
            request_binding?: string | null;
            /**
             * Format: int64
             * @description Counts its changes; in quotes it is the `ETag`.
             */
            revision: number;
            /** @description Whether signing out ends the session at the other side too. */
            single_logout: boolean;
            /** @description The attribute that is the stable identity; none: the `NameID` is. */
            subject_attribute?: string | null;
            /**
             * Format: date-time
             * @description When it was last changed.
             */
            updated_at: string;
            /** @description What ends within 30 days, or has ended. */
            warnings: components["schemas"]["EndWarning"][];
        };
        /**
         * @description How a service is.
         * @enum {string}
         */
        State: "ok" | "full" | "unavailable";
        /** @description One unit of work in a run. */
        Step: {
            /**
             * Format: int32
             * @description Which try this is, counted from 1; 0 before the first.
             */
            attempt: number;
            failure?: components["schemas"]["Failure"] | null;
            /**
             * Format: date-time
             * @description When it ended, if it has.
             */
            finished_at?: string | null;
            /** @description Its id. */
            id: components["schemas"]["StepId"];
            /** @description What it does. */
            kind: components["schemas"]["StepKind"];
            progress?: components["schemas"]["Progress"] | null;
            /**
             * Format: date-time
             * @description When a worker began the last attempt.
             */
            started_at?: string | null;
            /** @description Where it stands. */
            state: components["schemas"]["StepState"];
            /**
             * Format: date-time
             * @description Since when it could be worked on, waiting for a worker.
             */
            waiting_since: string;
            /** @description The worker that has it or had it last. */
            worker?: string | null;
        };
        /**
         * Format: uuid
         * @description One unit of work in a run.
         */
        StepId: string;
        /**
         * @description The kinds of steps.
         * @enum {string}
         */
        StepKind: "probe" | "settle" | "render" | "publish";
        /**
         * @description The state of a step.
         * @enum {string}
         */
        StepState: "blocked" | "waiting" | "queued" | "running" | "done" | "failed" | "cancelled";
        /** @description What is stored. */
        Storage: {
            /**
             * Format: int64
             * @description Their size, bytes.
             */
            bytes: number;
            /**
             * Format: date-time
             * @description When that was counted.
             */
            counted_at?: string | null;
            /**
             * Format: int64
             * @description Media objects of all organisations.
             */
            objects: number;
        };
        /** @description A studio account that is joined with one's account. */
        StudioAccount: {
            /** @description The connection's name. */
            connection: string;
            /** @description The connection that it is signed in through. */
            connection_id: components["schemas"]["ConnectionId"];
            /**
             * Format: date-time
             * @description Since when.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last signed in with.
             */
            last_signed_in_at: string;
        };
        /** @description Where to go with one's studio account. */
        StudioAccountRequest: {
            /** @description The connection. */
            connection_id: components["schemas"]["ConnectionId"];
            /** @description The path inside Kinora to come back to. */
            return_to?: string | null;
        };
        /** @description The studio accounts of an account. */
        StudioAccounts: {
            /** @description Those that are joined with it. */
            joined: components["schemas"]["StudioAccount"][];
            /** @description Where another one can be joined: enabled connections of one's organisations. */
            open: components["schemas"]["OpenConnection"][];
        };
        /** @description Where to go to confirm. */
        StudioConfirmationRequest: {
            /** @description The path inside Kinora to come back to. */
            return_to?: string | null;
        };
        /** @description Support access, as the owners of the organisation see it. */
        SupportGrant: {
            /**
             * Format: date-time
             * @description When it was accepted.
             */
            accepted_at?: string | null;
            /** @description The address it was given to. Whether there is an account of that address is not told. */
            address: string;
            /**
             * Format: date-time
             * @description When it was given.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When an owner ended it before its time.
             */
            ended_at?: string | null;
            /**
             * @description The name of that owner, if that person still exists. None also where it ended because the account got a new one-time
             *     link or lost its second factors.
             */
            ended_by?: string | null;
            /**
             * Format: date-time
             * @description When it ends by itself.
             */
            ends_at: string;
            /**
             * Format: date-time
             * @description When it was used for the first time; what was done is in the audit trail, with its id as `support_grant`.
             */
            first_used_at?: string | null;
            /** @description The name of who gave it, if that person still exists. */
            given_by?: string | null;
            /** @description Its id. */
            id: components["schemas"]["SupportGrantId"];
            /** @description Whether originals may be downloaded. */
            originals: boolean;
            /** @description Why it was given. */
            reason: string;
            /** @description What it lets them do at most. */
            scope: components["schemas"]["TokenScope"];
            /**
             * Format: date-time
             * @description From when it holds.
             */
            starts_at: string;
            /** @description Where it stands. */
            state: components["schemas"]["SupportState"];
        };
        /** @description Support access to be given. */
        SupportGrantForm: {
            /** @description The address with which the person who is to help signs in here. */
            address: string;
            /**
             * Format: date-time
             * @description When it ends, at most seven days after it begins.
             */
            ends_at: string;
            /** @description Whether they may download originals. */
            originals?: boolean;
            /** @description Why: the owners and the audit trail are told. */
            reason: string;
            /** @description What they may do at most: as reader or editor, never as manager. */
            scope: components["schemas"]["TokenScope"];
            /**
             * Format: date-time
             * @description From when it holds, at most 30 days ahead; left out: from now on.
             */
            starts_at?: string | null;
        };
        /**
         * Format: uuid
         * @description One grant that lets somebody outside an organisation see its content for a time.
         */
        SupportGrantId: string;
        /** @description Support access that is offered to somebody. */
        SupportOffer: {
            /** @description For whom it is: the login of whoever accepts it. */
            address: string;
            /**
             * Format: date-time
             * @description When it ends, and the link with it.
             */
            ends_at: string;
            /** @description Who gives it, if that person still exists. */
            given_by?: string | null;
            /** @description The name of the organisation whose content it opens. */
            organisation: string;
            /** @description Whether originals may be downloaded. */
            originals: boolean;
            /** @description Why it is given. */
            reason: string;
            /** @description What it lets them do at most. */
            scope: components["schemas"]["TokenScope"];
            /**
             * Format: date-time
             * @description From when it holds.
             */
            starts_at: string;
        };
        /** @description The token of a link that offers support access. */
        SupportOfferToken: {
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /**
         * @description Where support access stands.
         * @enum {string}
         */
        SupportState: "offered" | "planned" | "active" | "ended";
        /** @description What a media file is. Whatever the file does not say is absent, never guessed. */
        Technical: {
            /** @description All sound streams in file order. */
            audio: components["schemas"]["AudioStream"][];
            /**
             * Format: int64
             * @description Bits per second over the whole file.
             */
            bit_rate?: number | null;
            /** @description Camera and recording fields (make, model, lens, clip id …) as name and value. */
            camera: components["schemas"]["CameraField"][];
            /** @description Container, as a person would name it ("QuickTime / MOV", "MXF OP1a"). */
            container: string;
            /**
             * Format: int64
             * @description Length in microseconds; absent for stills.
             */
            duration_us?: number | null;
            /** @description Video, audio or still. */
            kind: components["schemas"]["AssetKind"];
            /**
             * Format: int32
             * @description Number of timed-text and data streams that were not looked into.
             */
            other_streams: number;
            /** @description Reel or tape name. */
            reel?: string | null;
            start_timecode?: components["schemas"]["Timecode"] | null;
            video?: components["schemas"]["VideoStream"] | null;
            /** @description What was not right about the file, in the user's words. */
            warnings?: string[];
        };
        /** @description What a test found. */
        TestFindings: {
            /** @description The attributes, in the order in which they came. */
            attributes: components["schemas"]["FoundAttribute"][];
            /** @description How the person signed in there. */
            context?: string | null;
            /** @description What they would be here. */
            mapped: components["schemas"]["FoundPerson"];
            name_id?: components["schemas"]["FoundName"] | null;
        };
        /** @description Where a test begins. */
        TestStart: {
            /** @description The address to open in this browser, within a minute. */
            address: string;
        };
        /** @description A SMPTE ST 12-1 timecode: a count of frames since midnight and the way it is labelled. */
        Timecode: {
            /** @description Whether two (at 59.94: four) labels are skipped each minute except every tenth. */
            drop_frame: boolean;
            /**
             * Format: int64
             * @description Frames since `00:00:00:00`.
             */
            frames: number;
            /** @description The rate the labels count at. */
            rate: components["schemas"]["FrameRate"];
        };
        /**
         * Format: uuid
         * @description One API access token.
         */
        TokenId: string;
        /**
         * @description What an access token may do at most of what its person may, in productions. With a scope it may also
         *     do nothing to the person's own account, and nothing that administers an organisation.
         */
        TokenScope: {
            /** @description In these modules, at least one. */
            modules: components["schemas"]["Module"][];
            /** @description The most it may do. */
            most_role: components["schemas"]["ModuleRole"];
            /** @description In these productions; in all of the person's without this. */
            productions?: components["schemas"]["ProductionId"][] | null;
        };
        /**
         * @description What the values of a panel are.
         * @enum {string}
         */
        Unit: "seconds" | "seconds_per_media_second" | "ratio";
        /**
         * Format: uuid
         * @description One resumable upload (tus).
         */
        UploadId: string;
        /** @description The caller's unfinished uploads to a production. */
        UploadSummaries: {
            /** @description The newest first. */
            items: components["schemas"]["UploadSummary"][];
        };
        /** @description One of the caller's uploads. */
        UploadSummary: {
            /**
             * Format: date-time
             * @description When it was begun.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it is removed if nothing more comes.
             */
            expires_at: string;
            /** @description The file's name, if it was told. */
            file_name?: string | null;
            /** @description Its id. */
            id: components["schemas"]["UploadId"];
            /**
             * Format: int64
             * @description Length of the file, if it is known.
             */
            length_bytes?: number | null;
            /** @description Its address, for going on with it. */
            location: string;
            /**
             * Format: int64
             * @description Bytes that have arrived durably.
             */
            offset_bytes: number;
        };
        /** @description One delivered file of an asset. */
        Version: {
            analysis?: components["schemas"]["Analysis"] | null;
            /**
             * Format: date-time
             * @description When it was delivered.
             */
            created_at: string;
            /** @description The file's name as it was delivered. */
            file_name: string;
            /** @description Its id. */
            id: components["schemas"]["VersionId"];
            /** @description The media type as it was delivered or guessed. */
            media_type: string;
            /**
             * Format: int32
             * @description Counts from 1 within the asset.
             */
            number: number;
            /** @description SHA-256 of the original, lower-case hexadecimal. */
            sha256: string;
            /**
             * Format: int64
             * @description Bytes of the original.
             */
            size_bytes: number;
            technical?: components["schemas"]["Technical"] | null;
            /** @description What was not right about the file, in the user's words. */
            warnings: string[];
        };
        /**
         * Format: uuid
         * @description One delivered file of an asset.
         */
        VersionId: string;
        /** @description A picture stream. */
        VideoStream: {
            /**
             * Format: int32
             * @description Bits in a sample.
             */
            bit_depth?: number | null;
            /**
             * Format: int64
             * @description Bits per second of this stream.
             */
            bit_rate?: number | null;
            /** @description Codec, as a person would name it ("Apple ProRes 422 HQ"). */
            codec: string;
            /** @description Codec's short name as FFmpeg has it ("prores"). */
            codec_id: string;
            /** @description Matrix coefficients as in ITU-T H.273. */
            colour_matrix?: string | null;
            /** @description Primaries as in ITU-T H.273 ("bt709"). */
            colour_primaries?: string | null;
            /** @description "limited" or "full". */
            colour_range?: string | null;
            /** @description Transfer characteristic as in ITU-T H.273 ("bt709", "smpte2084", "arib-std-b67"). */
            colour_transfer?: string | null;
            /**
             * Format: int32
             * @description Height of the picture as shown: square pixels, rotation applied.
             */
            display_height: number;
            /**
             * Format: int32
             * @description Width of the picture as shown: square pixels, rotation applied.
             */
            display_width: number;
            /** @description "progressive", "top field first", "bottom field first". */
            field_order: string;
            /**
             * Format: int64
             * @description Number of frames, if the file says or the length implies it.
             */
            frame_count?: number | null;
            /** @description Exact frame rate; for variable rate, the nominal one that the proxy is made at. */
            frame_rate: components["schemas"]["FrameRate"];
            /**
             * Format: int32
             * @description Coded raster, lines.
             */
            height: number;
            /**
             * Format: int32
             * @description Index of the stream in the file; absent in what earlier releases found.
             */
            index?: number | null;
            /** @description Shape of one pixel, width over height, as "n:d". */
            pixel_aspect: string;
            /** @description Chroma sampling and depth as FFmpeg names it ("yuv422p10le"). */
            pixel_format: string;
            /**
             * Format: int32
             * @description Clockwise rotation for display: 0, 90, 180 or 270 degrees.
             */
            rotation_degrees: number;
            /**
             * Format: int64
             * @description When its first picture is shown, on the file's own clock, microseconds; absent if the file does
             *     not say.
             */
            start_us?: number | null;
            /** @description Whether frames last unequally long (phones). */
            variable_frame_rate: boolean;
            /**
             * Format: int32
             * @description Coded raster, pixels.
             */
            width: number;
        };
        /** @description The address that is wanted. */
        WantedAddress: {
            /** @description The e-mail address. */
            address: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    update_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountChange"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ask_for_address: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WantedAddress"];
            };
        };
        responses: {
            /** @description A mail is on its way to the new address */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AddressAsked"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirm_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FactorProof"];
            };
        };
        responses: {
            /** @description Confirmed */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Confirmation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong ones; none is looked at for a while */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    challenge_confirmation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To be given to the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyRequest"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirm_with_studio_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StudioConfirmationRequest"];
            };
        };
        responses: {
            /** @description Open this address */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderAddress"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    erase_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ErasureRequest"];
            };
        };
        responses: {
            /** @description Erased; the session has ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_factors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Second factors */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Factors"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirm_authenticator: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuthenticatorCode"];
            };
        };
        responses: {
            /** @description It is a factor now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    begin_authenticator: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key for the app, shown only now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthenticatorEnrolment"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_authenticator: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirm_email_codes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FirstEmailCode"];
            };
        };
        responses: {
            /** @description They are a factor now */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    begin_email_codes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is on its way */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SentCode"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description They would not count, or one's login is no address */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There were mails enough */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_email_codes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_recovery_codes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The codes, shown only now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyForm"];
            };
        };
        responses: {
            /** @description Added */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AddedPasskey"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                passkey_id: components["schemas"]["PasskeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    begin_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To be given to the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyCreation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As a file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonalDataExport"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_SessionEntry"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended; it holds nowhere for longer than a second */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_studio_accounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Studio accounts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StudioAccounts"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    join_studio_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StudioAccountRequest"];
            };
        };
        responses: {
            /** @description Open this address */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderAddress"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    separate_studio_account: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Separated */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_AccessToken"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_token: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAccessToken"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedAccessToken"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token_id: components["schemas"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked; it holds nowhere for longer than a second */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirm_address: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddressToken"];
            };
        };
        responses: {
            /** @description It is what one signs in with from now on */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The asset */
            200: {
                headers: {
                    /** @description For If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetDetail"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_asset: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read */
                "If-Match": string;
            };
            path: {
                asset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_asset: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read */
                "If-Match": string;
            };
            path: {
                asset_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssetChange"];
            };
        };
        responses: {
            /** @description The asset as it is now */
            200: {
                headers: {
                    /** @description For If-Match */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetDetail"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_asset_runs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                asset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Run"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_installation_dashboards: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the leading backend last saw */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dashboards"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_installation_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the leading backend last saw, and what the database has now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InstallationStatus"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_invitation_offer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationToken"];
            };
        };
        responses: {
            /** @description It can be accepted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationOffer"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    accept_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationToken"];
            };
        };
        responses: {
            /** @description Accepted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedInvitation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_invited_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitedAccount"];
            };
        };
        responses: {
            /** @description The account is made, and a member; sign in with it now */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedInvitation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_organisations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Organisation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_organisation: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrganisationForm"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organisation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_organisation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organisation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_organisation: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrganisationForm"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organisation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_audit: {
        parameters: {
            query?: {
                /** @description The act, like `person.created`; with a dot at the end all of a noun, like `person.`. */
                action?: string;
                /** @description `next_cursor` of the page before, with the same filter. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
                /** @description Only what changes who may do what. */
                permissions_only?: boolean;
                /** @description Who did it, or to whom it was done. */
                person?: components["schemas"]["PersonId"];
                /** @description In which production. */
                production?: components["schemas"]["ProductionId"];
                /** @description Not before this instant. */
                since?: string;
                /** @description Only what was done under this support access. */
                support_grant?: components["schemas"]["SupportGrantId"];
                /** @description Only what was done under any support access. */
                support_only?: boolean;
                /** @description Before this instant. */
                until?: string;
            };
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_AuditEntry"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_audit_check: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The last check */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditCheck"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_audit: {
        parameters: {
            query: {
                /** @description As in the list. */
                action?: string;
                /** @description What it is written in. */
                format: "csv" | "json";
                /** @description Only what changes who may do what. */
                permissions_only?: boolean;
                /** @description Who did it, or to whom it was done. */
                person?: components["schemas"]["PersonId"];
                /** @description In which production. */
                production?: components["schemas"]["ProductionId"];
                /** @description Not before this instant. */
                since?: string;
                /** @description Only what was done under this support access. */
                support_grant?: components["schemas"]["SupportGrantId"];
                /** @description Only what was done under any support access. */
                support_only?: boolean;
                /** @description Before this instant. */
                until?: string;
            };
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first, as a file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEntry"][];
                    "text/csv": string;
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_erasures: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
            };
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Erasure"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_erasure: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                erasure_id: components["schemas"]["ErasureId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_mail: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
                /** @description Only those in this state. */
                state?: components["schemas"]["MailState"];
            };
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first; those that ended are kept for some days */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Mail"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_mail_relay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the leading backend knows of the mail relay */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailRelay"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_mail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message_id: components["schemas"]["MessageId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mail"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drop_mail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message_id: components["schemas"]["MessageId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Dropped */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_mail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                message_id: components["schemas"]["MessageId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It waits to be sent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mail"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_people: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
                /** @description What login or name contains. */
                q?: string;
            };
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By login */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_OrganisationPerson"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_person: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPerson"];
            };
        };
        responses: {
            /** @description Added */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedPerson"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_person: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationPerson"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_person: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_person: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PersonChange"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationPerson"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    erase_person: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ErasureRequest"];
            };
        };
        responses: {
            /** @description Erased */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reset_factors: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_password_link: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Made; earlier ones have ended */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneTimeLink"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_person: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As a file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonalDataExport"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_organisation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As a file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonalDataExport"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_held_people: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
                /** @description What login or name contains. */
                q?: string;
            };
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By login */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_HeldPerson"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_organisation_productions: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
            };
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Production"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_production: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProductionForm"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Production"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_security: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationSecurityState"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_security: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrganisationSecurity"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organisation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_service_accounts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_ServiceAccount"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_service_account: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServiceAccountForm"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccount"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_service_account: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccount"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_service_account: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServiceAccountChange"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceAccount"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_service_account_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_AccessToken"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_service_account_token: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAccessToken"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedAccessToken"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_service_account_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
                person_id: components["schemas"]["PersonId"];
                token_id: components["schemas"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked; it holds nowhere for longer than a second */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_connections: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_SignOnConnection"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_connection: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionForm"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignOnConnection"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_connection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignOnConnection"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_connection: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_connection: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConnectionChange"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignOnConnection"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_attempts: {
        parameters: {
            query?: {
                /** @description Only those that were refused, or only those that went well. */
                refused?: boolean;
            };
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first, at most 50 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_SignOnAttempt"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_attempt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                attempt_id: components["schemas"]["AttemptId"];
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignOnAttempt"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_certificate: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Made */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignOnConnection"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drop_certificate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Dropped */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    switch_certificate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Switched */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignOnConnection"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_provider_metadata: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MetadataForm"];
            };
        };
        responses: {
            /** @description Taken */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignOnConnection"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refresh_provider_metadata: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tried */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignOnConnection"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_provisioning: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Provisioning"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_provisioning_token: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProvisioning"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedProvisioningToken"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke_provisioning_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
                token_id: components["schemas"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked; nothing is provisioned with it any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_group_rules: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By group */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_GroupRule"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_group_rule: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupRuleForm"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GroupRule"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_group_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
                rule_id: components["schemas"]["GroupRuleId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_connection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection_id: components["schemas"]["ConnectionId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where it begins */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestStart"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_domains: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_OrganisationDomain"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_domain: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DomainForm"];
            };
        };
        responses: {
            /** @description Named */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationDomain"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_domain: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                domain_id: components["schemas"]["DomainId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken away */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_domain: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                domain_id: components["schemas"]["DomainId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DomainChange"];
            };
        };
        responses: {
            /** @description Said */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationDomain"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_support_grants: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
            };
            header?: never;
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first; what has ended among it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_SupportGrant"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    give_support_access: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SupportGrantForm"];
            };
        };
        responses: {
            /** @description Given; the mail to the address is on its way, and the owners are told */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SupportGrant"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_support_grant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grant_id: components["schemas"]["SupportGrantId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SupportGrant"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    end_support_access: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grant_id: components["schemas"]["SupportGrantId"];
                organisation_id: components["schemas"]["OrganisationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SupportGrant"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_password_link: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordLinkToken"];
            };
        };
        responses: {
            /** @description It can be used */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordLink"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    use_password_link: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetPassword"];
            };
        };
        responses: {
            /** @description Set; sign in with it now */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_personal_data: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of it; made from the register that exports and erasures follow */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_PersonalData"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_productions: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Production"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_production: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Production"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_production: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_production: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProductionForm"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Production"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_assets: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Only assets of this kind. */
                kind?: "unknown" | "video" | "audio" | "still";
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
                /** @description Only assets whose name contains this, without regard to case. */
                q?: string;
                /** @description The order; else `-created`. */
                sort?: "created" | "-created" | "name" | "-name" | "size" | "-size" | "duration" | "-duration";
                /** @description Only assets that stand there. */
                status?: "processing" | "ready" | "failed" | "cancelled";
            };
            header?: never;
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the list */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Asset"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    follow_events: {
        parameters: {
            query?: never;
            header?: {
                /** @description Go on after this event */
                "Last-Event-ID"?: number | null;
            };
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream that does not end */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_invitations: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
            };
            header?: never;
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first; those that have expired among them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Invitation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_invitation: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationForm"];
            };
        };
        responses: {
            /** @description Invited; the mail is on its way */
            201: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invitation_id: components["schemas"]["InvitationId"];
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    withdraw_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invitation_id: components["schemas"]["InvitationId"];
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Withdrawn */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resend_invitation: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                invitation_id: components["schemas"]["InvitationId"];
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The mail is on its way */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_members: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
            };
            header?: never;
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By login */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_ProductionMember"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                person_id: components["schemas"]["PersonId"];
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductionMember"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_member: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path: {
                person_id: components["schemas"]["PersonId"];
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MemberForm"];
            };
        };
        responses: {
            /** @description They are a member with these roles */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductionMember"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_member: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path: {
                person_id: components["schemas"]["PersonId"];
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_runs: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Most items: 1 to 200, else 50. */
                limit?: number;
                /** @description Only runs that stand there. */
                state?: "active" | "done" | "failed" | "cancelled";
            };
            header?: never;
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the list */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_Run"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run as it is now */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It has already ended */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restart_step: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
                step_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run as it is now */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is in another state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who is signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description The second factor is still to be shown */
            202: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecondStep"];
                };
            };
            /** @description Login and password do not belong together */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Locked, or too many sign-ins from this address */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out here; go on to the identity provider */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedOut"];
                };
            };
            /** @description Signed out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_in_with_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeySignature"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Not a passkey that is known here, or not signed as it should be */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    challenge_passkey_sign_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To be given to the browser */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyRequest"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    route_sign_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInAddress"];
            };
        };
        responses: {
            /** @description Where */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInRoute"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FactorProof"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description No sign-in is under way in this browser */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong codes; none is looked at for a while */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    challenge_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To be given to the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyRequest"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_email_code: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is on its way */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SentCode"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Codes by mail are no factor of this account, or do not count */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There were mails enough */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_support_offer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SupportOfferToken"];
            };
        };
        responses: {
            /** @description It can be accepted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SupportOffer"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    accept_support_access: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SupportOfferToken"];
            };
        };
        responses: {
            /** @description Accepted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SupportOffer"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_filmstrip: {
        parameters: {
            query?: never;
            header?: {
                /** @description A single range of bytes */
                Range?: string | null;
            };
            path: {
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            /** @description If-None-Match names what there is */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such asset, or it has no such file (yet) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The range lies outside the file */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_filmstrip_index: {
        parameters: {
            query?: never;
            header?: {
                /** @description A single range of bytes */
                Range?: string | null;
            };
            path: {
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/vtt": number[];
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/vtt": number[];
                };
            };
            /** @description If-None-Match names what there is */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such asset, or it has no such file (yet) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The range lies outside the file */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_original: {
        parameters: {
            query?: never;
            header?: {
                /** @description A single range of bytes */
                Range?: string | null;
            };
            path: {
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description If-None-Match names what there is */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such asset, or it has no such file (yet) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The range lies outside the file */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_poster: {
        parameters: {
            query?: never;
            header?: {
                /** @description A single range of bytes */
                Range?: string | null;
            };
            path: {
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            /** @description If-None-Match names what there is */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such asset, or it has no such file (yet) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The range lies outside the file */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_probe: {
        parameters: {
            query?: never;
            header?: {
                /** @description A single range of bytes */
                Range?: string | null;
            };
            path: {
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": number[];
                };
            };
            /** @description If-None-Match names what there is */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such asset, or it has no such file (yet) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The range lies outside the file */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_proxy: {
        parameters: {
            query?: never;
            header?: {
                /** @description A single range of bytes */
                Range?: string | null;
            };
            path: {
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": number[];
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": number[];
                };
            };
            /** @description If-None-Match names what there is */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such asset, or it has no such file (yet) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The range lies outside the file */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_waveform: {
        parameters: {
            query?: never;
            header?: {
                /** @description A single range of bytes */
                Range?: string | null;
            };
            path: {
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description If-None-Match names what there is */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such asset, or it has no such file (yet) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The range lies outside the file */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_uploads: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description At most the newest 1,000 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadSummaries"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such production */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_upload: {
        parameters: {
            query?: never;
            header: {
                /** @description 1.0.0 */
                "Tus-Resumable": string;
                /** @description partial, or final;… with the addresses of the parts */
                "Upload-Concat"?: string | null;
                /** @description 1: the length is told later */
                "Upload-Defer-Length"?: string | null;
                /** @description Bytes of the file, or else: */
                "Upload-Length"?: number | null;
                /** @description filename and filetype, values in Base64 */
                "Upload-Metadata"?: string | null;
            };
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        /** @description The first bytes, if any */
        requestBody: {
            content: {
                "application/offset+octet-stream": number[];
            };
        };
        responses: {
            /** @description Its address is in Location */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A header is missing or malformed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such production */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Another version of tus */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Longer than files can be */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body has another type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no room for a file of this length */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    describe_uploads: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                production_id: components["schemas"]["ProductionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the headers Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    remove_upload: {
        parameters: {
            query?: never;
            header: {
                /** @description 1.0.0 */
                "Tus-Resumable": string;
            };
            path: {
                production_id: components["schemas"]["ProductionId"];
                upload_id: components["schemas"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone; if it was complete, the header Kinora-Asset names the asset it had become, which stays */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such upload of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The version of the protocol is not understood */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_upload_offset: {
        parameters: {
            query?: never;
            header: {
                /** @description 1.0.0 */
                "Tus-Resumable": string;
            };
            path: {
                production_id: components["schemas"]["ProductionId"];
                upload_id: components["schemas"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the headers Upload-Offset and Upload-Length; Kinora-Asset names the asset when it is complete */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such upload of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The version of the protocol is not understood */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    write_upload: {
        parameters: {
            query?: never;
            header: {
                /** @description 1.0.0 */
                "Tus-Resumable": string;
                /** @description sha1 or sha256 and the digest of these bytes in Base64 */
                "Upload-Checksum"?: string | null;
                /** @description The length, if it was deferred */
                "Upload-Length"?: number | null;
                /** @description Where the bytes begin: what HEAD tells */
                "Upload-Offset": number;
            };
            path: {
                production_id: components["schemas"]["ProductionId"];
                upload_id: components["schemas"]["UploadId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/offset+octet-stream": number[];
            };
        };
        responses: {
            /** @description They are durable; Upload-Offset tells where the next ones begin */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A header is missing or malformed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not signed in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such upload of yours */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The upload is at another offset */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Another version of tus */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description More bytes than the length */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body has another type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Another request is writing */
            423: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests: Retry-After says when the next may come */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The checksum is not that of the bytes, which were discarded */
            460: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The storage is full; what was acknowledged is kept */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    livez: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Requests can be served */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description They cannot */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
}
