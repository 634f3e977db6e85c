import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { api, unwrap } from "../api/client";
import { ProblemError, sentenceOf } from "../api/problem";
import { sessionQuery } from "../api/queries";
import { Button, Notice, PasswordField } from "../components/controls";
import { m } from "../messages";
import { Entry } from "./Entry";
import css from "./Entry.module.css";
import { NewPassword, passwordProblems } from "./NewPassword";
import { safeReturn } from "./returnAddress";

export function ChoosePassword() {
  const search = useSearch({ from: "/choose-password" });
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [current, setCurrent] = useState("");
  const [value, setValue] = useState({ next: "", repeat: "" });
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);

  // Also fetches the CSRF token after a reload of this page.
  useEffect(() => {
    cache.ensureQueryData(sessionQuery).catch(() => navigate({ to: "/sign-in", search: { return: search.return } }));
  }, [cache, navigate, search.return]);

  const submit = async () => {
    const problems = passwordProblems(value, "new_password");
    setErrors(problems);
    setFailure(undefined);
    if (Object.keys(problems).length) return;
    setBusy(true);
    try {
      await unwrap(api.PUT("/api/data/v1/account/password", { body: { current_password: current, new_password: value.next } }));
      cache.removeQueries();
      await navigate({ href: safeReturn(search.return) });
    } catch (error) {
      const fields = error instanceof ProblemError ? error.fields : {};
      setErrors(fields);
      if (!fields.new_password && !fields.current_password) setFailure(sentenceOf(error));
      setBusy(false);
    }
  };

  return (
    <Entry title={m.password.title} lead={m.password.lead}>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={css.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <PasswordField label={m.password.oneTime} name="current_password" autoComplete="current-password" isRequired autoFocus value={current} onChange={setCurrent} />
        <NewPassword name="new_password" value={value} onChange={setValue} />
        <Button type="submit" tone="primary" busy={busy}>
          {m.password.submit}
        </Button>
      </Form>
    </Entry>
  );
}
