// Signing out: here at once, and at the identity provider where the session began there.

import { api, unwrap } from "./client";
import { forgetSession } from "./renewal";

/** Whether the browser leaves for the identity provider, so that there is nothing more to be shown. */
export async function signOut(): Promise<boolean> {
  const answer = await unwrap(api.DELETE("/api/data/v1/session")).catch(() => undefined);
  forgetSession();
  if (!answer || !("address" in answer)) return false;
  location.assign(answer.address);
  return true;
}
