ALTER TABLE access_tokens DROP COLUMN productions, DROP COLUMN modules, DROP COLUMN most_role;
