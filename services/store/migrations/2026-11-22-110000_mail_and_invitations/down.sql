DROP TABLE mail_relay, mail_messages, invitation_links, invitations;
ALTER TABLE production_members DROP COLUMN ends_at;
