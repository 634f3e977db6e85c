import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";
import { api, setCsrfToken, unwrap } from "../api/client";
import { limits } from "../api/limits";
import { ProblemError, sentenceOf } from "../api/problem";
import { sessionQuery } from "../api/queries";
import { Button, Notice, PasswordField, TextField } from "../components/controls";
import { clearToasts } from "../components/toasts";
import { m } from "../messages";
import { Entry } from "./Entry";
import css from "./Entry.module.css";

/** Only addresses of our own: a link must not lead elsewhere after sign-in. */
export function safeReturn(address: string | undefined): string {
  return address && /^\/(?![/\\])/.test(address) ? address : "/productions";
}

export function SignIn() {
  const search = useSearch({ from: "/sign-in" });
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);

  const submit = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const session = await unwrap(api.POST("/api/data/v1/session", { body: { login, password } }));
      setCsrfToken(session.csrf_token);
      cache.clear();
      cache.setQueryData(sessionQuery.queryKey, session);
      // What was said to whoever sat here before is over.
      clearToasts();
      if (session.password_change_required) await navigate({ to: "/choose-password", search: { return: search.return } });
      else await navigate({ href: safeReturn(search.return) });
    } catch (error) {
      const slug = error instanceof ProblemError ? error.slug : "";
      setFailure(slug === "sign-in-failed" ? m.signIn.wrong : slug === "locked" ? m.signIn.locked : sentenceOf(error));
      setPassword("");
      setBusy(false);
    }
  };

  return (
    <Entry title={m.signIn.title} lead={m.signIn.lead}>
      {search.set && !failure && <Notice tone="info">{m.password.signedOutSet}</Notice>}
      {search.ended && !failure && <Notice tone="info">{m.signIn.ended}</Notice>}
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={css.form ?? ""}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField label={m.signIn.login} name="login" value={login} onChange={setLogin} autoComplete="username" isRequired autoFocus {...limits.SignIn.login} />
        <PasswordField label={m.signIn.password} name="password" value={password} onChange={setPassword} autoComplete="current-password" isRequired />
        <Button type="submit" tone="primary" busy={busy}>
          {m.signIn.submit}
        </Button>
      </Form>
      <p className={css.foot}>{m.signIn.forgotten}</p>
    </Entry>
  );
}
