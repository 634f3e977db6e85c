// Support access: from the form to the request.

import type { SupportGrantForm } from "../../../api/types";
import type { MODULES } from "../../tokenScope";

/** Hours. */
export const LASTS = ["1", "4", "24", "72", "168"] as const;

export interface GrantForm {
  address: string;
  reason: string;
  most_role: "reader" | "editor";
  modules: readonly (typeof MODULES)[number][];
  /** Ids; none: every production of the organisation. */
  productions: readonly string[];
  originals: "no" | "yes";
  /** As a field for date and time writes it, in the person's zone; empty: now. */
  starts_at: string;
  /** Hours. */
  ends_at: (typeof LASTS)[number];
}

export const NEW: GrantForm = { address: "", reason: "", most_role: "reader", modules: ["library"], productions: [], originals: "no", starts_at: "", ends_at: "4" };

export function bodyOf(form: GrantForm, now = new Date()): SupportGrantForm {
  const start = form.starts_at ? new Date(form.starts_at) : now;
  return {
    address: form.address.trim(),
    reason: form.reason.trim(),
    scope: { most_role: form.most_role, modules: [...form.modules], ...(form.productions.length ? { productions: [...form.productions] } : {}) },
    originals: form.originals === "yes",
    ...(form.starts_at ? { starts_at: start.toISOString() } : {}),
    // From the same instant as the server's "now" or earlier, so that the longest time is never too long.
    ends_at: new Date(start.getTime() + Number(form.ends_at) * 3_600_000).toISOString(),
  };
}
