// Short names for the generated types.
import type { components, operations } from "./schema";

type Schemas = components["schemas"];
export type AccessToken = Schemas["AccessToken"];
export type AssetSort = NonNullable<NonNullable<operations["list_assets"]["parameters"]["query"]>["sort"]>;
export type Asset = Schemas["Asset"];
export type AssetDetail = Schemas["AssetDetail"];
export type AssetKind = Schemas["AssetKind"];
export type AssetStatus = Schemas["AssetStatus"];
export type AuditRow = Schemas["AuditEntry"];
export type Failure = Schemas["Failure"];
export type Member = Schemas["ProductionMember"];
export type ModuleRole = Schemas["ModuleRole"];
export type OneTimeLink = Schemas["OneTimeLink"];
export type OrganisationMembership = Schemas["OrganisationMembership"];
export type OrganisationPerson = Schemas["OrganisationPerson"];
export type OrganisationRole = Schemas["OrganisationRole"];
export type Problem = Schemas["Problem"];
export type Production = Schemas["Production"];
export type ProductionRoles = Schemas["ProductionRoles"];
export type Progress = Schemas["Progress"];
export type Run = Schemas["Run"];
export type Session = Schemas["Session"];
export type SessionEntry = Schemas["SessionEntry"];
export type Step = Schemas["Step"];
export type StepState = Schemas["StepState"];
export type Technical = Schemas["Technical"];
export type Version = Schemas["Version"];
