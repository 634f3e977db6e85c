// What pages read, with its keys in the cache. Live events update these (see live/events.ts).

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import { ProblemError } from "./problem";
import { keepSession } from "./renewal";
import type { AuditFilter, AssetKind, AssetSort, AssetStatus, MailState } from "./types";

export interface AssetFilter {
  q?: string | undefined;
  status?: AssetStatus | undefined;
  kind?: AssetKind | undefined;
  sort?: AssetSort | undefined;
}

/** Rows asked for at once: few requests for long lists, small enough to come within a frame or two. */
const PAGE = 200;

/** Every page of a list, one after the other. */
async function everything<T>(read: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor?: string | null }>): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    all.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  return all;
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }) => {
    const session = await unwrap(api.GET("/api/data/v1/session", { signal }));
    keepSession(session);
    return session;
  },
  staleTime: 60_000,
});

/** Who is signed in, on pages that are also for those who are not: nobody is no failure there. */
export const visitorQuery = queryOptions({
  queryKey: ["visitor"],
  queryFn: async ({ signal }) => {
    try {
      const session = await unwrap(api.GET("/api/data/v1/session", { signal }));
      keepSession(session);
      return session;
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) return null;
      throw error;
    }
  },
  gcTime: 0,
});

export const productionsQuery = queryOptions({
  queryKey: ["productions"],
  queryFn: ({ signal }) => everything((cursor) => unwrap(api.GET("/api/data/v1/productions", { params: { query: { limit: PAGE, cursor } }, signal }))),
});

export const productionQuery = (production_id: string) =>
  queryOptions({
    queryKey: ["production", production_id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/productions/{production_id}", { params: { path: { production_id } }, signal })),
  });

export const assetsQuery = (production_id: string, filter: AssetFilter) =>
  infiniteQueryOptions({
    queryKey: ["assets", production_id, filter],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/data/v1/productions/{production_id}/assets", {
          params: { path: { production_id }, query: { ...filter, limit: PAGE, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // Events keep it fresh; asking for forty thousand rows again would be wasted.
    staleTime: Infinity,
  });

export const assetQuery = (asset_id: string) =>
  queryOptions({
    queryKey: ["asset", asset_id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/assets/{asset_id}", { params: { path: { asset_id } }, signal })),
  });

export const assetRunsQuery = (asset_id: string) =>
  queryOptions({
    queryKey: ["asset-runs", asset_id],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET("/api/data/v1/assets/{asset_id}/runs", { params: { path: { asset_id } }, signal }))).items,
  });

export const activeRunsQuery = (production_id: string) =>
  queryOptions({
    queryKey: ["active-runs", production_id],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/data/v1/productions/{production_id}/runs", {
            params: { path: { production_id }, query: { state: "active", limit: PAGE } },
            signal,
          }),
        )
      ).items,
  });

/** One's own unfinished uploads; for editors of the library. */
export const unfinishedUploadsQuery = (production_id: string) =>
  queryOptions({
    queryKey: ["unfinished-uploads", production_id],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/api/media/v1/productions/{production_id}/uploads", { params: { path: { production_id } }, signal }))).items,
    // What this page sends itself it knows better.
    staleTime: Infinity,
    gcTime: 0,
  });

export const membersQuery = (production_id: string) =>
  queryOptions({
    queryKey: ["members", production_id],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/data/v1/productions/{production_id}/members", { params: { path: { production_id }, query: { limit: PAGE } }, signal }),
        )
      ).items,
  });

export const invitationsQuery = (production_id: string) =>
  queryOptions({
    queryKey: ["invitations", production_id],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/data/v1/productions/{production_id}/invitations", { params: { path: { production_id }, query: { limit: PAGE } }, signal }),
        )
      ).items,
  });

/** What the link of a mail offers that asks for help. The token is in no address. `known`: whether it is known who is signed in, as whose request it counts. */
export const supportOfferQuery = (token: string, known: boolean) =>
  queryOptions({
    queryKey: ["support-access", token],
    queryFn: ({ signal }) => unwrap(api.POST("/api/data/v1/support-access", { body: { token }, signal })),
    enabled: token !== "" && known,
    retry: false,
    staleTime: Infinity,
  });

/** What the link of an invitation offers; `known` as above. The token is in no address. */
export const offerQuery = (token: string, known: boolean) =>
  queryOptions({
    queryKey: ["invitation", token],
    queryFn: ({ signal }) => unwrap(api.POST("/api/data/v1/invitation", { body: { token }, signal })),
    enabled: token !== "" && known,
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
  });

export const mailQuery = (organisation_id: string, state: MailState | undefined) =>
  infiniteQueryOptions({
    queryKey: ["mail", organisation_id, state],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/data/v1/organisations/{organisation_id}/mail", {
          params: { path: { organisation_id }, query: { limit: 100, cursor: pageParam, state } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // What waits goes out while one looks.
    refetchInterval: 5000,
  });

export const mailRelayQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["mail-relay", organisation_id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/mail-relay", { params: { path: { organisation_id } }, signal })),
    refetchInterval: 5000,
  });

export const installationStatusQuery = queryOptions({
  queryKey: ["installation", "status"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/installation/status", { signal })),
  refetchInterval: 30_000,
});

export const installationDashboardsQuery = queryOptions({
  queryKey: ["installation", "dashboards"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/installation/dashboards", { signal })),
  refetchInterval: 120_000,
});

export const signOnConnectionsQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["sign-on", organisation_id, "connections"],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/sign-on/connections", { params: { path: { organisation_id } }, signal }))).items,
  });

export const signOnConnectionQuery = (organisation_id: string, connection_id: string) =>
  queryOptions({
    queryKey: ["sign-on", organisation_id, "connection", connection_id],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}", { params: { path: { organisation_id, connection_id } }, signal })),
  });

export const groupRulesQuery = (organisation_id: string, connection_id: string) =>
  queryOptions({
    queryKey: ["sign-on", organisation_id, "rules", connection_id],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules", { params: { path: { organisation_id, connection_id } }, signal }),
        )
      ).items,
  });

export const signOnAttemptsQuery = (organisation_id: string, connection_id: string, refused: boolean) =>
  queryOptions({
    queryKey: ["sign-on", organisation_id, "attempts", connection_id, refused],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/attempts", {
            params: { path: { organisation_id, connection_id }, query: refused ? { refused } : {} },
            signal,
          }),
        )
      ).items,
  });

export const signOnAttemptQuery = (organisation_id: string, connection_id: string, attempt_id: string) =>
  queryOptions({
    queryKey: ["sign-on", organisation_id, "attempt", connection_id, attempt_id],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/attempts/{attempt_id}", {
          params: { path: { organisation_id, connection_id, attempt_id } },
          signal,
        }),
      ),
  });

export const domainsQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["domains", organisation_id],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/sign-on/domains", { params: { path: { organisation_id } }, signal }))).items,
  });

export const securityQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["security", organisation_id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/security", { params: { path: { organisation_id } }, signal })),
  });

export const peopleQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["people", organisation_id],
    queryFn: ({ signal }) =>
      everything((cursor) => unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/people", { params: { path: { organisation_id }, query: { limit: PAGE, cursor } }, signal }))),
  });

export const organisationProductionsQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["organisation-productions", organisation_id],
    queryFn: ({ signal }) =>
      everything((cursor) => unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/productions", { params: { path: { organisation_id }, query: { limit: PAGE, cursor } }, signal }))),
  });

export const supportGrantsQuery = (organisation_id: string) =>
  infiniteQueryOptions({
    queryKey: ["support", organisation_id],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/data/v1/organisations/{organisation_id}/support-grants", {
          params: { path: { organisation_id }, query: { limit: 100, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const supportGrantQuery = (organisation_id: string, grant_id: string) =>
  queryOptions({
    queryKey: ["support", organisation_id, grant_id],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/support-grants/{grant_id}", { params: { path: { organisation_id, grant_id } }, signal })),
  });

export const personalDataQuery = queryOptions({
  queryKey: ["personal-data"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/api/data/v1/personal-data", { signal }))).items,
  // It changes with releases.
  staleTime: 3_600_000,
});

export const heldPeopleQuery = (organisation_id: string, q: string) =>
  infiniteQueryOptions({
    queryKey: ["held-people", organisation_id, q],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/data/v1/organisations/{organisation_id}/personal-data/people", {
          params: { path: { organisation_id }, query: { limit: 50, cursor: pageParam, ...(q && { q }) } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** All members and guests of an organisation. */
export const everybodyHeldQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["held-people", organisation_id, { all: true }],
    queryFn: ({ signal }) =>
      everything((cursor) => unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/personal-data/people", { params: { path: { organisation_id }, query: { limit: PAGE, cursor } }, signal }))),
  });

export const erasuresQuery = (organisation_id: string) =>
  infiniteQueryOptions({
    queryKey: ["erasures", organisation_id],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/erasures", { params: { path: { organisation_id }, query: { limit: 50, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const auditCheckQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["audit-check", organisation_id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/audit/check", { params: { path: { organisation_id } }, signal })),
  });

export const auditQuery = (organisation_id: string, filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", organisation_id, filter],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/data/v1/organisations/{organisation_id}/audit", {
          params: { path: { organisation_id }, query: { ...filter, limit: 100, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** All rows of one act, like "production.removed": what has gone stands in the trail alone. */
export const actsQuery = (organisation_id: string, action: string) =>
  queryOptions({
    queryKey: ["audit", organisation_id, "all", action],
    queryFn: ({ signal }) =>
      everything((cursor) => unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/audit", { params: { path: { organisation_id }, query: { action, limit: PAGE, cursor } }, signal }))),
  });

export const sessionsQuery = queryOptions({
  queryKey: ["account", "sessions"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/api/data/v1/account/sessions", { signal }))).items,
});

export const studioAccountsQuery = queryOptions({
  queryKey: ["account", "studio-accounts"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/account/studio-accounts", { signal })),
});

export const factorsQuery = queryOptions({
  queryKey: ["account", "factors"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/account/factors", { signal })),
});

export const organisationQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["organisation", organisation_id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/data/v1/organisations/{organisation_id}", { params: { path: { organisation_id } }, signal })),
  });

export const tokensQuery = queryOptions({
  queryKey: ["account", "tokens"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/api/data/v1/account/tokens", { signal }))).items,
});

export const serviceAccountsQuery = (organisation_id: string) =>
  queryOptions({
    queryKey: ["service-accounts", organisation_id],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/service-accounts", { params: { path: { organisation_id } }, signal }))).items,
  });

export const serviceAccountTokensQuery = (organisation_id: string, person_id: string) =>
  queryOptions({
    queryKey: ["service-accounts", organisation_id, person_id, "tokens"],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens", { params: { path: { organisation_id, person_id } }, signal }))).items,
  });

export const provisioningQuery = (organisation_id: string, connection_id: string) =>
  queryOptions({
    queryKey: ["sign-on", organisation_id, connection_id, "provisioning"],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning", { params: { path: { organisation_id, connection_id } }, signal })),
  });

export const passwordLinkQuery = (token: string) =>
  queryOptions({
    queryKey: ["password-link", token],
    queryFn: ({ signal }) => unwrap(api.POST("/api/data/v1/password-link", { body: { token }, signal })),
    enabled: token !== "",
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
  });
