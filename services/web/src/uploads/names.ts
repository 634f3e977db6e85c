// What unfinished uploads are called, which this browser does not keep.

import type { QueryClient } from "@tanstack/react-query";
import { unfinishedUploadsQuery } from "../api/queries";
import { uploads } from "./manager";

/** Asks the server in every production with an upload that has no name yet. */
export async function nameUnfinished(cache: QueryClient, personId: string): Promise<void> {
  await Promise.all(
    uploads.nameless().map(async (productionId) => {
      try {
        uploads.adopt(productionId, await cache.fetchQuery(unfinishedUploadsQuery(productionId)), personId);
      } catch {
        // Out of reach just now, or withheld: they are shown by their size until the production is opened.
      }
    }),
  );
}
