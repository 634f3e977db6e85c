DROP TABLE email_code_mails, email_codes, email_factors;
ALTER TABLE sessions DROP COLUMN by_email_code;
ALTER TABLE organisations DROP COLUMN email_code_allowed;
