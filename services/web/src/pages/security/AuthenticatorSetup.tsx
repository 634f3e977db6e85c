// Setting up an authenticator app: scan, or type the key; then the first code.

import { useEffect, useRef, useState } from "react";
import { Form } from "react-aria-components";
import { api, unwrap } from "../../api/client";
import { ProblemError, sentenceOf } from "../../api/problem";
import type { AuthenticatorEnrolment } from "../../api/types";
import { Button, Notice, TextField } from "../../components/controls";
import { Secret } from "../../components/Secret";
import { Skeleton } from "../../components/states";
import { m } from "../../messages";
import css from "./security.module.css";
import factor from "../../components/FactorForm.module.css";

interface Props {
  /** It is a factor now; recovery codes if the account had none. */
  onAdded: (recoveryCodes: string[]) => void;
  onCancel: () => void;
}

export function AuthenticatorSetup({ onAdded, onCancel }: Props) {
  const [enrolment, setEnrolment] = useState<AuthenticatorEnrolment>();
  const [code, setCode] = useState("");
  const [failure, setFailure] = useState<string>();
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const begun = useRef(false);

  useEffect(() => {
    // Once: each enrolment takes the place of the one before.
    if (begun.current) return;
    begun.current = true;
    unwrap(api.POST("/api/data/v1/account/factors/authenticator")).then(setEnrolment, (error: unknown) => setFailure(sentenceOf(error)));
  }, []);

  const send = async (text: string) => {
    setBusy(true);
    setErrors({});
    setFailure(undefined);
    try {
      const { recovery_codes } = await unwrap(api.PUT("/api/data/v1/account/factors/authenticator", { body: { code: text } }));
      onAdded(recovery_codes);
    } catch (error) {
      setBusy(false);
      setCode("");
      if (error instanceof ProblemError && error.status === 422) setErrors({ code: m.confirm.wrong.code });
      else setFailure(sentenceOf(error));
    }
  };
  return (
    <>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <p>{m.security.scanLead}</p>
      {enrolment ? (
        <>
          <svg className={css.qr} viewBox={`-4 -4 ${enrolment.qr.size + 8} ${enrolment.qr.size + 8}`} role="img" aria-label={m.security.qrLabel} shapeRendering="crispEdges">
            <rect x="-4" y="-4" width="100%" height="100%" fill="#fff" />
            <path d={enrolment.qr.path} fill="#000" />
          </svg>
          <details className={css.key}>
            <summary>{m.security.cannotScan}</summary>
            <p>{m.security.typeKey}</p>
            <Secret text={enrolment.key} />
          </details>
        </>
      ) : (
        !failure && <Skeleton height={232} width="100%" />
      )}
      <Form
        className={factor.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void send(code);
        }}
      >
        <div className={factor.code}>
          <TextField
            label={m.security.firstCode}
            name="code"
            value={code}
            onChange={(next) => {
              setCode(next);
              setErrors({});
              if (!busy && /^\s*(\d\s*){6}$/.test(next)) void send(next);
            }}
            inputMode="numeric"
            autoComplete="one-time-code"
            isRequired
            isDisabled={!enrolment}
            maxLength={12}
          />
        </div>
        <div className={css.foot}>
          <Button onPress={onCancel}>{m.common.cancel}</Button>
          <Button type="submit" tone="primary" busy={busy} isDisabled={!enrolment}>
            {m.security.confirmApp}
          </Button>
        </div>
      </Form>
    </>
  );
}
