// Every address of the client. Pages are loaded when they are first needed.

import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { ProblemError } from "./api/problem";
import { sessionQuery } from "./api/queries";
import type { AssetKind, AssetSort, AssetStatus, MailState } from "./api/types";
import { Crashed, NotFound } from "./components/states";
import { AUDIT_ACTS, type AuditActs } from "./pages/administration/auditActs";
import { enrolmentIsPutOff } from "./pages/enrolment";
import { Shell } from "./shell/Shell";

export interface LibrarySearch {
  q?: string;
  status?: AssetStatus;
  kind?: AssetKind;
  sort?: AssetSort;
  view?: "list";
  /** The asset shown beside the list. */
  asset?: string;
}

export interface AuditSearch {
  /** What is shown of the trail: what changes permissions, or the acts of one noun. */
  acts?: AuditActs;
  person?: string;
  production?: string;
  /** What was done under this support access. */
  grant?: string;
  /** Days, both included. */
  from?: string;
  to?: string;
}

/** What the application says of a refusal. */
const REFUSED_REASONS = ["again", "administrator", "not-admitted", "account", "disabled"] as const;
type RefusedReason = (typeof REFUSED_REASONS)[number];

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: () => (
    <main>
      <NotFound />
    </main>
  ),
  errorComponent: ({ error }) => (
    <main>
      <Crashed error={error} />
    </main>
  ),
});

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined);
const oneOf = <T extends string>(value: unknown, values: readonly T[]): T | undefined => values.find((known) => known === value);

const dayText = (value: unknown) => (typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined);

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search): { return?: string; ended?: boolean; set?: boolean } => ({
    return: text(search.return),
    ended: search.ended === true ? true : undefined,
    // A password was just set with a one-time link.
    set: search.set === true ? true : undefined,
  }),
  component: lazyRouteComponent(() => import("./pages/SignIn"), "SignIn"),
});

const signInRefused = createRoute({
  getParentRoute: () => root,
  path: "/sign-in-refused",
  validateSearch: (search): { reason?: RefusedReason; attempt?: string } => ({
    reason: oneOf(search.reason, REFUSED_REASONS),
    // Anybody can write an address: what is shown is a number and nothing else.
    attempt: /^[0-9a-f-]{36}$/.test(String(search.attempt)) ? String(search.attempt) : undefined,
  }),
  component: lazyRouteComponent(() => import("./pages/SignInRefused"), "SignInRefused"),
});

const signedOut = createRoute({
  getParentRoute: () => root,
  path: "/signed-out",
  validateSearch: (search): { incomplete?: boolean } => ({ incomplete: search.incomplete === true ? true : undefined }),
  component: lazyRouteComponent(() => import("./pages/SignedOut"), "SignedOut"),
});

const choosePassword = createRoute({
  getParentRoute: () => root,
  path: "/choose-password",
  validateSearch: (search): { return?: string } => ({ return: text(search.return) }),
  component: lazyRouteComponent(() => import("./pages/ChoosePassword"), "ChoosePassword"),
});

const secondFactor = createRoute({
  getParentRoute: () => root,
  path: "/second-factor",
  validateSearch: (search): { return?: string } => ({ return: text(search.return) }),
  component: lazyRouteComponent(() => import("./pages/security/SetUpFactor"), "SetUpFactor"),
});

const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyRouteComponent(() => import("./pages/Welcome"), "Welcome"),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/Invitation"), "InvitationPage"),
});

const supportAccess = createRoute({
  getParentRoute: () => root,
  path: "/support-access",
  component: lazyRouteComponent(() => import("./pages/SupportAccess"), "SupportAccess"),
});

const confirmAddress = createRoute({
  getParentRoute: () => root,
  path: "/confirm-address",
  component: lazyRouteComponent(() => import("./pages/ConfirmAddress"), "ConfirmAddress"),
});

/** Everything for which one must be signed in. */
const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  beforeLoad: async ({ context, location }) => {
    const returnTo = location.href === "/" ? undefined : location.href;
    try {
      const session = await context.queryClient.ensureQueryData(sessionQuery);
      if (session.password_change_required) throw redirect({ to: "/choose-password", search: { return: returnTo } });
      if (session.second_factor_required && !enrolmentIsPutOff()) throw redirect({ to: "/second-factor", search: { return: returnTo } });
      return { session };
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) throw redirect({ to: "/sign-in", search: { return: returnTo } });
      throw error;
    }
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => app,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/productions", replace: true });
  },
});

const productions = createRoute({
  getParentRoute: () => app,
  path: "/productions",
  validateSearch: (search): { q?: string } => ({ q: text(search.q) }),
  component: lazyRouteComponent(() => import("./pages/Productions"), "Productions"),
});

const production = createRoute({
  getParentRoute: () => app,
  path: "/productions/$productionId",
  component: lazyRouteComponent(() => import("./pages/ProductionFrame"), "ProductionFrame"),
});

const productionHome = createRoute({
  getParentRoute: () => production,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/productions/$productionId/library", params, replace: true });
  },
});

const library = createRoute({
  getParentRoute: () => production,
  path: "/library",
  validateSearch: (search): LibrarySearch => ({
    q: text(search.q),
    status: oneOf(search.status, ["processing", "ready", "failed", "cancelled"]),
    kind: oneOf(search.kind, ["video", "audio", "still", "unknown"]),
    sort: oneOf(search.sort, ["created", "-created", "name", "-name", "size", "-size", "duration", "-duration"]),
    view: oneOf(search.view, ["list"]),
    asset: text(search.asset),
  }),
  component: lazyRouteComponent(() => import("./pages/library/Library"), "Library"),
});

const members = createRoute({
  getParentRoute: () => production,
  path: "/members",
  component: lazyRouteComponent(() => import("./pages/Members"), "MembersPage"),
});

const asset = createRoute({
  getParentRoute: () => production,
  path: "/assets/$assetId",
  validateSearch: (search): { t?: string; tab?: "processing" } => ({ t: text(search.t), tab: oneOf(search.tab, ["processing"]) }),
  component: lazyRouteComponent(() => import("./pages/asset/AssetPage"), "AssetPage"),
});

const administration = createRoute({
  getParentRoute: () => app,
  path: "/administration/$organisationId",
  component: lazyRouteComponent(() => import("./pages/administration/Frame"), "AdministrationFrame"),
});

const administrationHome = createRoute({
  getParentRoute: () => administration,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/administration/$organisationId/people", params, replace: true });
  },
});

const people = createRoute({
  getParentRoute: () => administration,
  path: "/people",
  validateSearch: (search): { q?: string } => ({ q: text(search.q) }),
  component: lazyRouteComponent(() => import("./pages/administration/People"), "People"),
});

const administrationProductions = createRoute({
  getParentRoute: () => administration,
  path: "/productions",
  component: lazyRouteComponent(() => import("./pages/administration/Productions"), "AdministrationProductions"),
});

const administrationMembers = createRoute({
  getParentRoute: () => administration,
  path: "/productions/$productionId",
  component: lazyRouteComponent(() => import("./pages/administration/ProductionMembers"), "ProductionMembers"),
});

const audit = createRoute({
  getParentRoute: () => administration,
  path: "/audit",
  validateSearch: (search): AuditSearch => ({
    acts: AUDIT_ACTS.find((acts) => acts === search.acts),
    person: text(search.person),
    production: text(search.production),
    grant: text(search.grant),
    from: dayText(search.from),
    to: dayText(search.to),
  }),
  component: lazyRouteComponent(() => import("./pages/administration/Audit"), "Audit"),
});

const organisationSecurity = createRoute({
  getParentRoute: () => administration,
  path: "/security",
  component: lazyRouteComponent(() => import("./pages/administration/Security"), "OrganisationSecurity"),
});

const signOn = createRoute({
  getParentRoute: () => administration,
  path: "/sign-on",
  component: lazyRouteComponent(() => import("./pages/administration/sign-on/SignOn"), "SignOn"),
});

const signOnConnection = createRoute({
  getParentRoute: () => administration,
  path: "/sign-on/$connectionId",
  validateSearch: (search): { attempt?: string } => ({ attempt: text(search.attempt) }),
  component: lazyRouteComponent(() => import("./pages/administration/sign-on/ConnectionPage"), "ConnectionPage"),
});

/** Where a test of a connection comes back to. */
const testedConnection = createRoute({
  getParentRoute: () => app,
  path: "/administration/sign-on/$connectionId",
  validateSearch: (search): { attempt?: string } => ({ attempt: text(search.attempt) }),
  component: lazyRouteComponent(() => import("./pages/administration/sign-on/ConnectionPage"), "FindConnection"),
});

const support = createRoute({
  getParentRoute: () => administration,
  path: "/support",
  component: lazyRouteComponent(() => import("./pages/administration/support/Support"), "Support"),
});

const supportGrant = createRoute({
  getParentRoute: () => administration,
  path: "/support/$grantId",
  component: lazyRouteComponent(() => import("./pages/administration/support/SupportGrantPage"), "SupportGrantPage"),
});

const serviceAccounts = createRoute({
  getParentRoute: () => administration,
  path: "/service-accounts",
  component: lazyRouteComponent(() => import("./pages/administration/ServiceAccounts"), "ServiceAccounts"),
});

const serviceAccount = createRoute({
  getParentRoute: () => administration,
  path: "/service-accounts/$accountId",
  component: lazyRouteComponent(() => import("./pages/administration/ServiceAccount"), "ServiceAccountPage"),
});

const mail = createRoute({
  getParentRoute: () => administration,
  path: "/mail",
  validateSearch: (search): { state?: MailState } => ({ state: oneOf(search.state, ["waiting", "sending", "sent", "failed", "dropped"]) }),
  component: lazyRouteComponent(() => import("./pages/administration/Mail"), "MailPage"),
});

const installation = createRoute({
  getParentRoute: () => administration,
  path: "/installation",
  validateSearch: (search): { range?: "fortnight" } => ({ range: oneOf(search.range, ["fortnight"]) }),
  component: lazyRouteComponent(() => import("./pages/administration/installation/Installation"), "Installation"),
});

const account = createRoute({
  getParentRoute: () => app,
  path: "/account",
  component: lazyRouteComponent(() => import("./pages/Account"), "Account"),
});

const privacy = createRoute({
  getParentRoute: () => administration,
  path: "/privacy",
  validateSearch: (search): { q?: string } => ({ q: text(search.q) }),
  component: lazyRouteComponent(() => import("./pages/administration/Privacy"), "Privacy"),
});

const personalData = createRoute({
  getParentRoute: () => app,
  path: "/personal-data",
  component: lazyRouteComponent(() => import("./pages/privacy/PersonalDataPage"), "PersonalDataPage"),
});

const tree = root.addChildren([
  signIn,
  signInRefused,
  signedOut,
  choosePassword,
  secondFactor,
  welcome,
  invitation,
  supportAccess,
  confirmAddress,
  app.addChildren([
    home,
    productions,
    production.addChildren([productionHome, library, members, asset]),
    administration.addChildren([administrationHome, people, administrationProductions, administrationMembers, serviceAccounts, serviceAccount, mail, signOn, signOnConnection, organisationSecurity, support, supportGrant, privacy, audit, installation]),
    testedConnection,
    account,
    personalData,
  ]),
]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: Crashed,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: false,
    // Plain values stay plain in addresses: ?sort=-created, ?t=10:00:12:05.
    parseSearch: (search) => Object.fromEntries([...new URLSearchParams(search)].map(([key, value]) => [key, value === "true" ? true : value])),
    stringifySearch: (search) => {
      const pairs = Object.entries(search)
        .filter(([, value]) => value !== undefined && value !== "")
        .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value)).replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%3B", ";")}`);
      return pairs.length ? `?${pairs.join("&")}` : "";
    },
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
