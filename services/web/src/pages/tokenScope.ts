// The scope of a token: from the form to the request, and back into words.

import type { AccessToken, ModuleRole, NewAccessToken } from "../api/types";
import { m } from "../messages";

export const MODULES = ["office", "library", "subtitling", "budget"] as const;

/** Days. */
export const VALIDITIES = ["7", "30", "90", "365"] as const;

export interface TokenForm {
  name: string;
  expires_in_days: (typeof VALIDITIES)[number];
  /** Empty: all that the person may do. */
  most_role: ModuleRole | "";
  modules: readonly (typeof MODULES)[number][];
  /** Ids; none: every production of the person. */
  productions: readonly string[];
}

export const NEW: TokenForm = { name: "", expires_in_days: "90", most_role: "", modules: ["library"], productions: [] };

export function bodyOf({ name, expires_in_days, most_role, modules, productions }: TokenForm): NewAccessToken {
  const body = { name: name.trim(), expires_in_days: Number(expires_in_days) };
  if (!most_role) return body;
  return { ...body, scope: { most_role, modules: [...modules], ...(productions.length ? { productions: [...productions] } : {}) } };
}

/** The names of a scope's modules, in the order of the client. */
export const modulesOf = (scope: NonNullable<AccessToken["scope"]>): string[] => MODULES.filter((module) => scope.modules.includes(module)).map((module) => m.modules[module]);

export function scopeSentence(scope: AccessToken["scope"], known: readonly { id: string; name: string }[] = [], everything = m.account.everything): string {
  if (!scope) return everything;
  const names = scope.productions?.map((id) => known.find((production) => production.id === id)?.name ?? m.account.formerProduction);
  return m.account.scopeOf(m.roles[scope.most_role], modulesOf(scope), names);
}
