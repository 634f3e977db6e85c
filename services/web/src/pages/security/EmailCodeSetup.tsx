// Adding codes by mail: one is sent to the login; when it comes back, mail arrives there.

import { useState } from "react";
import { Form } from "react-aria-components";
import { api, unwrap } from "../../api/client";
import { ProblemError, sentenceOf } from "../../api/problem";
import { Button, Notice, TextField } from "../../components/controls";
import factor from "../../components/FactorForm.module.css";
import { m } from "../../messages";
import css from "./security.module.css";

interface Props {
  onAdded: () => void;
  onCancel: () => void;
}

export function EmailCodeSetup({ onAdded, onCancel }: Props) {
  const [sent, setSent] = useState(0);
  const [code, setCode] = useState("");
  const [failure, setFailure] = useState<string>();
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);

  const mail = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await unwrap(api.POST("/api/data/v1/account/factors/email-code"));
      setSent(sent + 1);
    } catch (error) {
      setFailure(sentenceOf(error));
    }
    setBusy(false);
  };
  const send = async (text: string) => {
    setBusy(true);
    setErrors({});
    setFailure(undefined);
    try {
      await unwrap(api.PUT("/api/data/v1/account/factors/email-code", { body: { email_code: text } }));
      onAdded();
    } catch (error) {
      setBusy(false);
      setCode("");
      if (error instanceof ProblemError && error.status === 422) setErrors({ email_code: m.confirm.wrong.email_code });
      else setFailure(sentenceOf(error));
    }
  };
  return (
    <>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <p>{m.security.emailCodesLead}</p>
      <Notice tone="warning">{m.security.emailCodesWeak}</Notice>
      <Form
        className={factor.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void (sent ? send(code) : mail());
        }}
      >
        {sent > 0 && (
          <div className={factor.code}>
            <TextField
              key={sent}
              label={m.confirm.emailCode}
              hint={m.confirm.emailHint}
              name="email_code"
              value={code}
              onChange={(next) => {
                setCode(next);
                setErrors({});
                // Eight digits are a whole code: nobody has to press a button for it.
                if (!busy && /^\s*(\d\s*){8}$/.test(next)) void send(next);
              }}
              inputMode="numeric"
              autoComplete="one-time-code"
              isRequired
              autoFocus
              maxLength={14}
            />
          </div>
        )}
        <div className={css.foot}>
          <Button onPress={onCancel}>{m.common.cancel}</Button>
          {sent > 0 && (
            <Button isDisabled={busy} onPress={() => void mail()}>
              {m.confirm.sendAgain}
            </Button>
          )}
          <Button type="submit" tone="primary" busy={busy}>
            {sent ? m.security.confirmApp : m.confirm.sendEmail}
          </Button>
        </div>
      </Form>
    </>
  );
}
