import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { RouterProvider as AriaRouterProvider } from "react-aria-components";
import { createRoot } from "react-dom/client";
import { AwayError, ProblemError } from "./api/problem";
import { Away } from "./components/Away";
import { ConfirmationDialog } from "./components/Confirmation";
import { Toasts } from "./components/toasts";
import { loadMessages } from "./messages";
import { makeRouter } from "./router";

/** A session that ended while a page was open leads to sign-in, and back to the same place. */
function onError(error: unknown) {
  if (!(error instanceof ProblemError)) return;
  const { pathname, href } = router.state.location;
  if (error.status === 401 && !["/sign-in", "/choose-password", "/second-factor"].includes(pathname) && pathname !== "/welcome") {
    queryClient.clear();
    void router.navigate({ to: "/sign-in", search: { return: href, ended: true } });
  } else if (error.slug === "password-change-required" && pathname !== "/choose-password") {
    void router.navigate({ to: "/choose-password", search: { return: href } });
  } else if (error.slug === "second-factor-required" && pathname !== "/second-factor") {
    // What the session says is older than this.
    void queryClient.invalidateQueries({ queryKey: ["session"] });
    void router.navigate({ to: "/second-factor", search: { return: href } });
  }
}

const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the server says is so; only silence is worth asking again. Who is away was asked again already.
      retry: (failures, error) => !(error instanceof ProblemError || error instanceof AwayError) && failures < 2,
      retryDelay: (attempt) => 400 * 2 ** attempt,
    },
  },
});
const router = makeRouter(queryClient);

const container = document.getElementById("root");
if (!container) throw new Error("index.html has no #root");

await loadMessages(navigator.languages);
createRoot(container).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <AriaRouterProvider navigate={(href) => void router.navigate({ href })}>
        <RouterProvider router={router} />
        <ConfirmationDialog />
      </AriaRouterProvider>
      <Toasts />
      <Away />
    </QueryClientProvider>
  </StrictMode>,
);
