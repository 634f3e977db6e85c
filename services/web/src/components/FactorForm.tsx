// Asks for a second factor: the app's code, a passkey, a recovery code, a code by mail; or for the password of who has none.
// Sign-in and confirmation ask in the same way.

import { Fingerprint } from "lucide-react";
import { useState } from "react";
import { Form } from "react-aria-components";
import { isCancelled, passkeysWork, signWithPasskey } from "../api/passkeys";
import { ProblemError, sentenceOf } from "../api/problem";
import type { FactorProof, PasskeyRequest } from "../api/types";
import { m } from "../messages";
import { Button, Notice, PasswordField, TextField } from "./controls";
import css from "./FactorForm.module.css";

export type Way = "passkey" | "code" | "recovery_code" | "email_code" | "password";

interface Props {
  /** What can be shown; the first one is asked for first. */
  ways: readonly Way[];
  /** Asks the server what a passkey is to sign. */
  challenge: () => Promise<PasskeyRequest>;
  /** Shows it to the server. */
  show: (proof: FactorProof) => Promise<unknown>;
  /** Has a code sent by mail, where that is one of the ways. */
  sendCode?: () => Promise<unknown>;
  submit: string;
  /** A sentence for problems that are said elsewhere; undefined: it is said here. */
  onProblem?: (error: unknown) => boolean;
}

/** The ways of somebody with these factors, the easiest first; the weak one last, and only to finish a sign-in. */
export function waysOf(factors: { authenticator: boolean; passkey: boolean; email_code?: boolean }, atSignIn = false): Way[] {
  const mail: Way[] = atSignIn && factors.email_code ? ["email_code"] : [];
  if (!factors.authenticator && !factors.passkey) return mail.length ? mail : ["password"];
  const ways: Way[] = [];
  if (factors.passkey && passkeysWork()) ways.push("passkey");
  if (factors.authenticator) ways.push("code");
  ways.push("recovery_code", ...mail);
  return ways;
}

export function FactorForm({ ways, challenge, show, sendCode, submit, onProblem }: Props) {
  const [way, setWay] = useState<Way>(ways[0] ?? "recovery_code");
  const [value, setValue] = useState("");
  const [failure, setFailure] = useState<string>();
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const [sent, setSent] = useState(0);

  const mail = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await sendCode?.();
      setSent(sent + 1);
    } catch (error) {
      if (!onProblem?.(error)) setFailure(sentenceOf(error));
    }
    setBusy(false);
  };
  const attempt = async (make: () => Promise<FactorProof>) => {
    setBusy(true);
    setFailure(undefined);
    setErrors({});
    try {
      await show(await make());
    } catch (error) {
      setBusy(false);
      setValue("");
      if (isCancelled(error)) setFailure(m.confirm.passkeyCancelled);
      else if (onProblem?.(error)) return;
      else if (error instanceof ProblemError && error.status === 422) {
        if (way === "passkey") setFailure(m.confirm.passkeyWrong);
        else setErrors({ [way]: m.confirm.wrong[way] });
      } else if (error instanceof ProblemError && error.slug === "locked") setFailure(way === "password" ? m.signIn.locked : m.confirm.locked(error.retryAfterSeconds));
      else setFailure(sentenceOf(error));
    }
  };
  const send = (text: string) => {
    if (way === "passkey") return void attempt(async () => ({ passkey: await signWithPasskey(await challenge()) }));
    if (way === "email_code" && !sent) return void mail();
    const proofs: Record<typeof way, FactorProof> = { code: { code: text }, recovery_code: { recovery_code: text }, email_code: { email_code: text }, password: { password: text } };
    return void attempt(() => Promise.resolve(proofs[way]));
  };
  const change = (text: string) => {
    setValue(text);
    setErrors({});
    // Six digits are a whole code: nobody has to press a button for it.
    if (way === "code" && !busy && /^\s*(\d\s*){6}$/.test(text)) send(text);
    if (way === "email_code" && !busy && /^\s*(\d\s*){8}$/.test(text)) send(text);
  };

  return (
    <>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={css.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          send(value);
        }}
      >
        {way === "passkey" && <p className={css.lead}>{m.confirm.passkeyLead}</p>}
        {way === "code" && (
          <div className={css.code}>
            <TextField
              key="code"
              label={m.confirm.code}
              hint={m.confirm.codeHint}
              name="code"
              value={value}
              onChange={change}
              inputMode="numeric"
              autoComplete="one-time-code"
              isRequired
              autoFocus
              maxLength={12}
            />
          </div>
        )}
        {way === "recovery_code" && (
          <TextField key="recovery" label={m.confirm.recoveryCode} hint={m.confirm.recoveryHint} name="recovery_code" value={value} onChange={change} autoComplete="off" spellCheck="false" isRequired autoFocus maxLength={64} />
        )}
        {way === "email_code" && !sent && <p className={css.lead}>{m.confirm.emailLead}</p>}
        {way === "email_code" && sent > 0 && (
          <div className={css.code}>
            <TextField
              key={`email${sent}`}
              label={m.confirm.emailCode}
              hint={m.confirm.emailHint}
              name="email_code"
              value={value}
              onChange={change}
              inputMode="numeric"
              autoComplete="one-time-code"
              isRequired
              autoFocus
              maxLength={14}
            />
          </div>
        )}
        {way === "password" && <PasswordField label={m.signIn.password} name="password" value={value} onChange={change} autoComplete="current-password" isRequired autoFocus />}
        <Button type="submit" tone="primary" busy={busy} autoFocus={way === "passkey"} icon={way === "passkey" ? <Fingerprint size={16} aria-hidden /> : undefined}>
          {way === "passkey" ? m.confirm.withPasskey : way === "email_code" && !sent ? m.confirm.sendEmail : submit}
        </Button>
      </Form>
      {(ways.length > 1 || sent > 0) && (
        <div className={css.others}>
          {way === "email_code" && sent > 0 && (
            <Button tone="quiet" dense isDisabled={busy} onPress={() => void mail()}>
              {m.confirm.sendAgain}
            </Button>
          )}
          {ways
            .filter((other) => other !== way)
            .map((other) => (
              <Button
                key={other}
                tone="quiet"
                dense
                isDisabled={busy}
                onPress={() => {
                  setWay(other);
                  setValue("");
                  setErrors({});
                  setFailure(undefined);
                }}
              >
                {m.confirm.instead[other]}
              </Button>
            ))}
        </div>
      )}
    </>
  );
}
