DROP TABLE known_browsers, factor_tries, pending_sign_ins, passkey_challenges, passkeys, recovery_codes, totp_enrolments, totp_factors;
ALTER TABLE organisations DROP COLUMN second_factor_required;
ALTER TABLE sessions DROP COLUMN confirmed_at;
