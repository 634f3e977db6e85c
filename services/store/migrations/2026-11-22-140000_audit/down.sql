DROP TABLE audit_checks, audit_forwarded, audit_start;
DROP INDEX audit_rows_at, audit_rows_subject, audit_rows_actor;
