// Where a one-time link leads: the first password of an account. The token stands behind the # of the address, which
// browsers send to nobody.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { api, unwrap } from "../api/client";
import { OfflineError, ProblemError, sentenceOf } from "../api/problem";
import { passwordLinkQuery } from "../api/queries";
import { Button, buttonClass, Notice } from "../components/controls";
import { Skeleton } from "../components/states";
import { m } from "../messages";
import { Entry } from "./Entry";
import css from "./Entry.module.css";
import { NewPassword, passwordProblems } from "./NewPassword";

export function Welcome() {
  const [token] = useState(() => location.hash.slice(1));
  const link = useQuery(passwordLinkQuery(token));
  const navigate = useNavigate();
  const [value, setValue] = useState({ next: "", repeat: "" });
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  // So that it stays in no history.
  useEffect(() => {
    if (location.hash) history.replaceState(history.state, "", location.pathname);
  }, []);

  if (link.isError || !token) {
    return (
      <Entry title={m.password.linkGone} lead={link.error instanceof OfflineError ? sentenceOf(link.error) : m.password.linkGoneText}>
        <a className={buttonClass()} href="/sign-in">
          {m.password.toSignIn}
        </a>
      </Entry>
    );
  }
  if (!link.data) {
    return (
      <Entry title={m.common.loading} lead="">
        <Skeleton height={160} width="100%" />
      </Entry>
    );
  }

  const submit = async () => {
    const problems = passwordProblems(value, "password");
    setErrors(problems);
    setFailure(undefined);
    if (Object.keys(problems).length) return;
    setBusy(true);
    try {
      await unwrap(api.POST("/api/data/v1/password-link/password", { body: { token, password: value.next } }));
      await navigate({ to: "/sign-in", search: { set: true } });
    } catch (error) {
      const fields = error instanceof ProblemError ? error.fields : {};
      setErrors(fields);
      if (!fields.password) setFailure(sentenceOf(error));
      setBusy(false);
    }
  };

  return (
    <Entry title={m.password.welcomeTitle(link.data.display_name)} lead={m.password.welcomeLead(link.data.login)}>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={css.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <input type="text" name="username" autoComplete="username" value={link.data.login} readOnly hidden />
        <NewPassword name="password" value={value} onChange={setValue} />
        <Button type="submit" tone="primary" busy={busy}>
          {m.password.submit}
        </Button>
      </Form>
    </Entry>
  );
}
