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
        patch: operations["update_account"];
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
        put: operations["update_password"];
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
        delete: operations["revoke_session"];
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
        get: operations["list_tokens"];
        put?: never;
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
        delete: operations["revoke_token"];
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
        get: operations["read_asset"];
        put?: never;
        post?: never;
        delete: operations["remove_asset"];
        options?: never;
        head?: never;
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
        get: operations["list_asset_runs"];
        put?: never;
        post?: never;
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
        get: operations["list_organisations"];
        put?: never;
        post?: never;
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
        get: operations["read_organisation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
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
        get: operations["list_audit"];
        put?: never;
        post?: never;
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
        get: operations["list_people"];
        put?: never;
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
        get: operations["read_person"];
        put?: never;
        post?: never;
        delete: operations["remove_person"];
        options?: never;
        head?: never;
        patch: operations["update_person"];
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
        post: operations["create_password_link"];
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
        get: operations["list_organisation_productions"];
        put?: never;
        post: operations["create_production"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/data/v1/password-link/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["read_password_link"];
        put?: never;
        post: operations["use_password_link"];
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
        get: operations["read_production"];
        put?: never;
        post?: never;
        delete: operations["remove_production"];
        options?: never;
        head?: never;
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
        get: operations["list_assets"];
        put?: never;
        post?: never;
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
        get?: never;
        put: operations["set_member"];
        post?: never;
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
        get: operations["read_run"];
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
        get: operations["read_session"];
        put?: never;
        post: operations["create_session"];
        delete: operations["delete_session"];
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
        get: operations["list_uploads"];
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
        AccessToken: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            hint: string;
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            last_used_at?: string | null;
            name: string;
        };
        AccessTokenPage: {
            items: components["schemas"]["AccessToken"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        Analysis: {
            loudness?: null | components["schemas"]["Loudness"];
            /** Format: int64 */
            proxy_duration_us?: number | null;
            proxy_frame_rate?: null | components["schemas"]["FrameRate"];
            /** Format: int64 */
            proxy_frames?: number | null;
            /** Format: int64 */
            proxy_height?: number | null;
            /** Format: int64 */
            proxy_width?: number | null;
            shot_changes: number[];
        };
        Asset: {
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            created_by?: string | null;
            /** Format: int64 */
            duration_us?: number | null;
            failure?: null | components["schemas"]["Failure"];
            /** Format: uuid */
            id: string;
            kind: components["schemas"]["AssetKind"];
            name: string;
            /** Format: uuid */
            production_id: string;
            /** Format: int64 */
            revision: number;
            /** Format: int64 */
            size_bytes: number;
            status: components["schemas"]["AssetStatus"];
            /** Format: date-time */
            updated_at: string;
            /** Format: uuid */
            version_id?: string | null;
        };
        AssetDetail: components["schemas"]["Asset"] & {
            created_by_name?: string | null;
            derivatives: components["schemas"]["DerivativeLink"][];
            original_url: string;
            version?: null | components["schemas"]["Version"];
        };
        /** @enum {string} */
        AssetKind: "unknown" | "video" | "audio" | "still";
        AssetPage: {
            items: components["schemas"]["Asset"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        /** @enum {string} */
        AssetStatus: "processing" | "ready" | "failed" | "cancelled";
        AudioStream: {
            /** Format: int64 */
            bit_depth?: number | null;
            /** Format: int64 */
            bit_rate?: number | null;
            /** Format: int64 */
            channels: number;
            codec: string;
            codec_id: string;
            language?: string | null;
            layout?: string | null;
            /** Format: int64 */
            sample_rate: number;
        };
        AuditRow: {
            action: string;
            actor: string;
            address?: string | null;
            after?: unknown;
            /** Format: date-time */
            at: string;
            before?: unknown;
            /** Format: uuid */
            production_id?: string | null;
            request_id?: string | null;
            /** Format: int64 */
            sequence: number;
            subject?: string | null;
            /** Format: uuid */
            subject_id?: string | null;
            subject_kind: string;
        };
        AuditRowPage: {
            items: components["schemas"]["AuditRow"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        CameraField: {
            name: string;
            value: string;
        };
        ChangeAccount: {
            display_name: string;
        };
        ChangeAsset: {
            name: string;
        };
        ChangePassword: {
            current_password: string;
            new_password: string;
        };
        ChangePerson: {
            disabled?: boolean;
            role?: components["schemas"]["OrganisationRole"];
        };
        ChangeProduction: {
            name: string;
        };
        CreatedAccessToken: {
            secret: string;
            token: components["schemas"]["AccessToken"];
        };
        CreatedPerson: {
            password_link: components["schemas"]["OneTimeLink"];
            person: components["schemas"]["OrganisationPerson"];
        };
        /** @enum {string} */
        DerivativeKind: "proxy" | "poster" | "filmstrip" | "filmstrip_index" | "waveform" | "raw_probe";
        DerivativeLink: {
            kind: components["schemas"]["DerivativeKind"];
            media_type: string;
            /** Format: int64 */
            size_bytes: number;
            url: string;
        };
        Failure: {
            code: components["schemas"]["FailureCode"];
            detail?: string | null;
            message: string;
        };
        /** @enum {string} */
        FailureCode: "not_media" | "empty_file" | "truncated" | "undecodable" | "corrupt" | "missing_object" | "storage" | "timed_out" | "worker_lost" | "cancelled" | "upstream" | "internal";
        FrameRate: {
            /** Format: int64 */
            denominator: number;
            /** Format: int64 */
            numerator: number;
        };
        InputError: {
            detail: string;
            pointer: string;
        };
        Loudness: {
            integrated_lufs?: number | null;
            range_lu?: number | null;
            true_peak_dbtp?: number | null;
        };
        Member: {
            person: components["schemas"]["Person"];
            /** Format: int64 */
            revision: number;
            roles: components["schemas"]["ProductionRoles"];
        };
        MemberPage: {
            items: components["schemas"]["Member"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        /** @enum {string} */
        ModuleRole: "reader" | "editor" | "manager";
        NewAccessToken: {
            /** Format: int64 */
            expires_in_days?: number;
            name: string;
        };
        NewPerson: {
            display_name: string;
            login: string;
            role: components["schemas"]["OrganisationRole"];
        };
        NewProduction: {
            name: string;
        };
        OneTimeLink: {
            /** Format: date-time */
            expires_at: string;
            url: string;
        };
        Organisation: {
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            id: string;
            name: string;
            /** Format: int64 */
            revision: number;
            role: components["schemas"]["OrganisationRole"];
        };
        OrganisationMembership: {
            /** Format: uuid */
            id: string;
            name: string;
            role: components["schemas"]["OrganisationRole"];
        };
        OrganisationPage: {
            items: components["schemas"]["Organisation"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        OrganisationPerson: {
            /** Format: date-time */
            created_at: string;
            disabled: boolean;
            display_name: string;
            has_password: boolean;
            /** Format: uuid */
            id: string;
            login: string;
            /** Format: int64 */
            revision: number;
            role: components["schemas"]["OrganisationRole"];
        };
        OrganisationPersonPage: {
            items: components["schemas"]["OrganisationPerson"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        /** @enum {string} */
        OrganisationRole: "owner" | "administrator" | "member";
        PasswordLink: {
            display_name: string;
            /** Format: date-time */
            expires_at: string;
            login: string;
        };
        Person: {
            display_name: string;
            /** Format: uuid */
            id: string;
            login: string;
        };
        PersonRef: {
            display_name: string;
            /** Format: uuid */
            id: string;
        };
        Problem: {
            detail?: string | null;
            errors?: components["schemas"]["InputError"][];
            request_id?: string | null;
            /** Format: int64 */
            status: number;
            title: string;
            type: string;
        };
        Production: {
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            id: string;
            my_roles: components["schemas"]["ProductionRoles"];
            name: string;
            organisation: string;
            /** Format: uuid */
            organisation_id: string;
            /** Format: int64 */
            revision: number;
            /** Format: date-time */
            updated_at: string;
        };
        ProductionPage: {
            items: components["schemas"]["Production"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        ProductionRoles: {
            budget?: null | components["schemas"]["ModuleRole"];
            library?: null | components["schemas"]["ModuleRole"];
            office?: null | components["schemas"]["ModuleRole"];
            subtitling?: null | components["schemas"]["ModuleRole"];
        };
        Progress: {
            fraction?: number | null;
            /** Format: int64 */
            remaining_seconds?: number | null;
            speed?: number | null;
        };
        Run: {
            /** Format: uuid */
            asset_id: string;
            /** Format: date-time */
            cancel_requested_at?: string | null;
            /** Format: date-time */
            created_at: string;
            failure?: null | components["schemas"]["Failure"];
            /** Format: date-time */
            finished_at?: string | null;
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            production_id: string;
            state: components["schemas"]["RunState"];
            steps: components["schemas"]["Step"][];
            /** Format: uuid */
            version_id: string;
            workflow: string;
        };
        RunPage: {
            items: components["schemas"]["Run"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        /** @enum {string} */
        RunState: "active" | "done" | "failed" | "cancelled";
        Session: {
            csrf_token: string;
            organisations: components["schemas"]["OrganisationMembership"][];
            password_change_required: boolean;
            person: components["schemas"]["Person"];
        };
        SessionEntry: {
            address?: string | null;
            /** Format: date-time */
            created_at: string;
            current: boolean;
            /** Format: date-time */
            expires_at: string;
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            last_seen_at: string;
            user_agent?: string | null;
        };
        SessionEntryPage: {
            items: components["schemas"]["SessionEntry"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        SetPassword: {
            password: string;
        };
        SignIn: {
            login: string;
            password: string;
        };
        Step: {
            /** Format: int64 */
            attempt: number;
            failure?: null | components["schemas"]["Failure"];
            /** Format: date-time */
            finished_at?: string | null;
            /** Format: uuid */
            id: string;
            kind: components["schemas"]["StepKind"];
            progress?: null | components["schemas"]["Progress"];
            /** Format: date-time */
            started_at?: string | null;
            state: components["schemas"]["StepState"];
            /** Format: date-time */
            waiting_since?: string;
            worker?: string | null;
        };
        /** @enum {string} */
        StepKind: "probe" | "settle" | "render" | "publish";
        /** @enum {string} */
        StepState: "blocked" | "waiting" | "queued" | "running" | "done" | "failed" | "cancelled";
        Technical: {
            audio: components["schemas"]["AudioStream"][];
            /** Format: int64 */
            bit_rate?: number | null;
            camera: components["schemas"]["CameraField"][];
            container: string;
            /** Format: int64 */
            duration_us?: number | null;
            kind: components["schemas"]["AssetKind"];
            /** Format: int64 */
            other_streams: number;
            reel?: string | null;
            start_timecode?: null | components["schemas"]["Timecode"];
            video?: null | components["schemas"]["VideoStream"];
            warnings?: string[];
        };
        Timecode: {
            drop_frame: boolean;
            /** Format: int64 */
            frames: number;
            rate: components["schemas"]["FrameRate"];
        };
        UploadEntry: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            file_name?: string | null;
            /** Format: uuid */
            id: string;
            /** Format: int64 */
            length_bytes?: number | null;
            /** Format: int64 */
            offset_bytes: number;
            url: string;
        };
        UploadEntryPage: {
            items: components["schemas"]["UploadEntry"][];
            next_cursor: string | null;
            /** Format: int64 */
            total?: number;
        };
        Version: {
            analysis?: null | components["schemas"]["Analysis"];
            /** Format: date-time */
            created_at: string;
            file_name: string;
            /** Format: uuid */
            id: string;
            media_type: string;
            /** Format: int64 */
            number: number;
            sha256: string;
            /** Format: int64 */
            size_bytes: number;
            technical?: null | components["schemas"]["Technical"];
            warnings: string[];
        };
        VideoStream: {
            /** Format: int64 */
            bit_depth?: number | null;
            /** Format: int64 */
            bit_rate?: number | null;
            codec: string;
            codec_id: string;
            colour_matrix?: string | null;
            colour_primaries?: string | null;
            colour_range?: string | null;
            colour_transfer?: string | null;
            /** Format: int64 */
            display_height: number;
            /** Format: int64 */
            display_width: number;
            field_order: string;
            /** Format: int64 */
            frame_count?: number | null;
            frame_rate: components["schemas"]["FrameRate"];
            /** Format: int64 */
            height: number;
            pixel_aspect: string;
            pixel_format: string;
            /** Format: int64 */
            rotation_degrees: number;
            variable_frame_rate: boolean;
            /** Format: int64 */
            width: number;
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
            header?: {
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeAccount"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
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
            header?: {
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePassword"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionEntryPage"];
                };
            };
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
            header?: {
                "If-Match"?: string;
            };
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessTokenPage"];
                };
            };
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
                "Idempotency-Key"?: string;
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
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedAccessToken"];
                };
            };
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
            header?: {
                "If-Match"?: string;
            };
            path: {
                token_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
    read_asset: {
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetDetail"];
                };
            };
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
            header?: {
                "If-Match"?: string;
            };
            path: {
                asset_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
            header?: {
                "If-Match"?: string;
            };
            path: {
                asset_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeAsset"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetDetail"];
                };
            };
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
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
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationPage"];
                };
            };
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
                organisation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organisation"];
                };
            };
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
            header?: {
                "If-Match"?: string;
            };
            path: {
                organisation_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProduction"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organisation"];
                };
            };
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
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                organisation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditRowPage"];
                };
            };
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
                cursor?: string;
                limit?: number;
                q?: string;
            };
            header?: never;
            path: {
                organisation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationPersonPage"];
                };
            };
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
                "Idempotency-Key"?: string;
            };
            path: {
                organisation_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPerson"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedPerson"];
                };
            };
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
                organisation_id: string;
                person_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationPerson"];
                };
            };
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
                "If-Match"?: string;
            };
            path: {
                organisation_id: string;
                person_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
            header?: {
                "If-Match"?: string;
            };
            path: {
                organisation_id: string;
                person_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePerson"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrganisationPerson"];
                };
            };
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
                "Idempotency-Key"?: string;
            };
            path: {
                organisation_id: string;
                person_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneTimeLink"];
                };
            };
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
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                organisation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductionPage"];
                };
            };
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
                "Idempotency-Key"?: string;
            };
            path: {
                organisation_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProduction"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Production"];
                };
            };
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
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordLink"];
                };
            };
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
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetPassword"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductionPage"];
                };
            };
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
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Production"];
                };
            };
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
                "If-Match"?: string;
            };
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
            header?: {
                "If-Match"?: string;
            };
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeProduction"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Production"];
                };
            };
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
                cursor?: string;
                kind?: components["schemas"]["AssetKind"];
                limit?: number;
                q?: string;
                sort?: string;
                status?: components["schemas"]["AssetStatus"];
            };
            header?: never;
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetPage"];
                };
            };
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
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberPage"];
                };
            };
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
                "If-Match"?: string;
            };
            path: {
                person_id: string;
                production_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProductionRoles"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
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
                "If-Match"?: string;
            };
            path: {
                person_id: string;
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
                cursor?: string;
                limit?: number;
                state?: components["schemas"]["RunState"];
            };
            header?: never;
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunPage"];
                };
            };
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
    read_run: {
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
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
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
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
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                run_id: string;
                step_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
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
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
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
            header?: {
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
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
    list_uploads: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                production_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadEntryPage"];
                };
            };
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
}
