DROP TABLE provisioned_members, provisioned_groups, provisioned_users, provisioning_tokens, service_accounts;
