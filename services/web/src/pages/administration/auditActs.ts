// The acts that the trail can be filtered by: each noun that an organisation's rows have, in groups as people think of them.

/** Lists of their own, of several nouns: what changes permissions, and what was done under support access. */
export const LISTS = ["permissions", "support"] as const;

/** "support" is taken by what is done under it: what is done with support access itself has its own name. */
const GRANTS = "support-access";

export const ACT_GROUPS = {
  signIn: ["session", "account", "break_glass", "password", "password_link", "factor", "factors", "recovery_codes", "email_code"],
  people: ["person", "membership", "invitation", "login", "address", GRANTS, "personal_data"],
  programs: ["service_account", "token"],
  connections: ["saml_connection", "saml_group_rule", "saml_key", "organisation_domain", "identity", "provisioning_token", "provisioned_user", "provisioned_group"],
  media: ["production", "asset", "upload", "run", "step"],
  organisation: ["organisation", "mail", "audit"],
} as const;

export type ActGroup = keyof typeof ACT_GROUPS;
export type AuditNoun = (typeof ACT_GROUPS)[ActGroup][number];
export type AuditActs = (typeof LISTS)[number] | AuditNoun;

const groups = Object.entries(ACT_GROUPS) as [ActGroup, readonly AuditNoun[]][];

/** In the order of the filter. */
export const FILTERED_ACTS: readonly { acts: AuditNoun; group: ActGroup }[] = groups.flatMap(([group, nouns]) => nouns.map((acts) => ({ acts, group })));

/** All that can be asked for. */
export const AUDIT_ACTS: readonly AuditActs[] = [...LISTS, ...FILTERED_ACTS.map(({ acts }) => acts)];

/** The start of such acts as the API is asked for it. */
export const actionsOf = (noun: AuditNoun): string => `${noun === GRANTS ? "support" : noun}.`;
