// One's own account: name, password, where one is signed in, tokens for programs.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { MonitorSmartphone } from "lucide-react";
import { useState } from "react";
import { Form } from "react-aria-components";
import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import { ProblemError, sentenceOf } from "../api/problem";
import { sessionQuery, sessionsQuery, studioAccountsQuery, tokensQuery } from "../api/queries";
import { Button, PasswordField, Segments, TextField } from "../components/controls";
import { FormDialog } from "../components/FormDialog";
import { Failed, Skeleton } from "../components/states";
import { say } from "../components/toasts";
import { m } from "../messages";
import { ago } from "../messages/format";
import { setTheme, useTheme } from "../shell/theme";
import { useTitle } from "../shell/title";
import { deviceName } from "./device";
import { NewPassword, passwordProblems } from "./NewPassword";
import page from "./page.module.css";
import { NewAddress } from "./privacy/NewAddress";
import { OwnData } from "./privacy/OwnData";
import { SignInSecurity } from "./security/SignInSecurity";
import { StudioAccounts } from "./security/StudioAccounts";
import { Tokens } from "./Tokens";

/** Sessions shown at first. */
const FEW = 5;

export function Account() {
  useTitle(m.account.title);
  return (
    <>
      <header className={page.head}>
        <h1>{m.account.title}</h1>
      </header>
      <div className={`${page.content} ${page.narrow}`}>
        <Profile />
        <Password />
        <SignInSecurity />
        <Access />
      </div>
    </>
  );
}

/** Studio accounts, sessions and tokens come together: lists of unknown length, that push nothing away when they come. */
function Access() {
  const sessions = useQuery(sessionsQuery);
  const tokens = useQuery(tokensQuery);
  const studio = useQuery(studioAccountsQuery);
  if (sessions.isPending || tokens.isPending || studio.isPending) {
    return (
      <div aria-busy="true" aria-label={m.common.loading} role="status">
        <Skeleton height={280} style={{ borderRadius: 8 }} />
      </div>
    );
  }
  return (
    <>
      <StudioAccounts />
      <Sessions />
      <Tokens />
      <OwnData />
    </>
  );
}

function Profile() {
  const cache = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const [name, setName] = useState(session?.person.display_name ?? "");
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const theme = useTheme();
  const submit = async () => {
    setBusy(true);
    setErrors({});
    try {
      await unwrap(api.PATCH("/api/data/v1/account", { body: { display_name: name.trim() } }));
      await cache.invalidateQueries({ queryKey: sessionQuery.queryKey });
      say(m.account.saved);
    } catch (problem) {
      setErrors({ display_name: (problem instanceof ProblemError && problem.fields.display_name) || sentenceOf(problem) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className={page.section}>
      <h2>{m.account.profile}</h2>
      <Form
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
        className={page.form ?? ""}
      >
        <div className={page.row}>
          <TextField label={m.account.displayName} name="display_name" value={name} onChange={setName} isRequired {...limits.AccountChange.display_name} autoComplete="name" />
          <Button type="submit" busy={busy} isDisabled={name.trim() === session?.person.display_name}>
            {m.common.save}
          </Button>
        </div>
      </Form>
      <NewAddress />
      <div className={page.labelled}>
        <span aria-hidden>{m.rail.theme}</span>
        <Segments label={m.rail.theme} value={theme} onChange={setTheme} options={(["system", "dark", "light"] as const).map((value) => ({ value, label: m.rail.themes[value] }))} />
      </div>
    </section>
  );
}

function Password() {
  const [open, setOpen] = useState(false);
  const cache = useQueryClient();
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{m.account.password}</h2>
          <p className={page.lead}>{m.account.passwordLead}</p>
        </div>
        <Button onPress={() => setOpen(true)}>{m.account.changePassword}</Button>
      </header>
      <FormDialog
        title={m.account.changePassword}
        submit={m.account.changePassword}
        initial={{ current_password: "", new_password: "", repeat: "" }}
        open={open}
        onClose={() => setOpen(false)}
        check={({ new_password, repeat }) => passwordProblems({ next: new_password, repeat }, "new_password")}
        action={async ({ current_password, new_password }) => {
          await unwrap(api.PUT("/api/data/v1/account/password", { body: { current_password, new_password } }));
          say(m.password.changed);
          // The server may have given a new session and with it a new CSRF token.
          await cache.invalidateQueries({ queryKey: sessionQuery.queryKey });
          void cache.invalidateQueries({ queryKey: sessionsQuery.queryKey });
        }}
      >
        {({ current_password, new_password, repeat }, change) => (
          <>
            <PasswordField label={m.password.current} name="current_password" autoComplete="current-password" isRequired autoFocus value={current_password} onChange={(next) => change({ current_password: next })} />
            <NewPassword name="new_password" value={{ next: new_password, repeat }} onChange={(value) => change({ new_password: value.next, repeat: value.repeat })} />
          </>
        )}
      </FormDialog>
    </section>
  );
}

function Sessions() {
  const cache = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const [all, setAll] = useState(false);
  const listed = sessions.data ?? [];
  // The one in use always, and the newest others.
  const shown = all ? listed : listed.filter(({ current }, index) => current || index < FEW);
  const end = async (session_id: string) => {
    try {
      await unwrap(api.DELETE("/api/data/v1/account/sessions/{session_id}", { params: { path: { session_id } } }));
      say(m.account.sessionEnded);
    } catch (error) {
      say(sentenceOf(error), { danger: true });
    }
    void cache.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  };
  return (
    <section className={page.section}>
      <div>
        <h2>{m.account.sessions}</h2>
        <p className={page.lead}>{m.account.sessionsLead}</p>
      </div>
      {sessions.isError ? (
        <Failed what={m.parts.sessions} error={sessions.error} retry={() => void sessions.refetch()} />
      ) : (
        <ul className={`${page.panel} ${page.list}`}>
          {shown.map((session) => {
            const device = deviceName(session.user_agent, m.account.unknownDevice);
            return (
              <li key={session.id}>
                <MonitorSmartphone size={16} aria-hidden />
                <div className={page.listText}>
                  <div>
                    {device} {session.current && <span className={page.tag}>{m.account.thisSession}</span>}
                  </div>
                  <div className="num">
                    {[session.address, m.account.lastSeen(ago(session.last_seen_at)), m.account.signedIn(ago(session.created_at))].filter(Boolean).join(" · ")}
                  </div>
                </div>
                {!session.current && (
                  <Button dense tone="quiet" aria-label={m.account.revokeLabel(device)} onPress={() => void end(session.id)}>
                    {m.account.revoke}
                  </Button>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {shown.length < listed.length && (
        <div>
          <Button dense tone="quiet" onPress={() => setAll(true)}>
            {m.account.allSessions(listed.length)}
          </Button>
        </div>
      )}
    </section>
  );
}
