import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Fingerprint } from "lucide-react";
import { useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import { isCancelled, passkeysWork, signWithPasskey } from "../api/passkeys";
import { ProblemError, sentenceOf } from "../api/problem";
import { keepSession } from "../api/renewal";
import { sessionQuery } from "../api/queries";
import type { SecondStep, Session } from "../api/types";
import { Button, Notice, PasswordField, TextField } from "../components/controls";
import { FactorForm, waysOf } from "../components/FactorForm";
import { clearToasts } from "../components/toasts";
import { m } from "../messages";
import { Entry } from "./Entry";
import css from "./Entry.module.css";
import { safeReturn, withReturn } from "./returnAddress";

/** The address comes first: it says whether the studio's identity provider or Kinora asks for the password. */
export function SignIn() {
  const search = useSearch({ from: "/sign-in" });
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [second, setSecond] = useState<SecondStep>();
  const [asksPassword, setAsksPassword] = useState(false);
  // Whoever comes back from the identity provider with the browser's button finds the page as it was left.
  useEffect(() => {
    const shown = () => setBusy(false);
    window.addEventListener("pageshow", shown);
    return () => window.removeEventListener("pageshow", shown);
  }, []);

  const findWay = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const { way, address } = await unwrap(api.POST("/api/data/v1/session/route", { body: { address: login } }));
      if (way === "single_sign_on" && address) return location.assign(withReturn(address, search.return));
      setAsksPassword(true);
    } catch (error) {
      setFailure(sentenceOf(error));
    }
    return setBusy(false);
  };
  const enter = async (session: Session) => {
    keepSession(session);
    cache.clear();
    cache.setQueryData(sessionQuery.queryKey, session);
    // What was said to whoever sat here before is over.
    clearToasts();
    if (session.password_change_required) await navigate({ to: "/choose-password", search: { return: search.return } });
    else await navigate({ href: safeReturn(search.return) });
  };
  const submit = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const answer = await unwrap(api.POST("/api/data/v1/session", { body: { login, password } }));
      if ("person" in answer) return await enter(answer);
      setPassword("");
      setBusy(false);
      setSecond(answer);
    } catch (error) {
      const slug = error instanceof ProblemError ? error.slug : "";
      setFailure(slug === "sign-in-failed" ? m.signIn.wrong : slug === "locked" ? m.signIn.locked : sentenceOf(error));
      setPassword("");
      setBusy(false);
    }
  };

  const withPasskey = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const signature = await signWithPasskey(await unwrap(api.POST("/api/data/v1/session/passkey/challenge")));
      await enter(await unwrap(api.POST("/api/data/v1/session/passkey", { body: signature })));
    } catch (error) {
      setBusy(false);
      if (isCancelled(error)) setFailure(m.confirm.passkeyCancelled);
      else setFailure(error instanceof ProblemError && error.slug === "sign-in-failed" ? m.signIn.passkeyUnknown : sentenceOf(error));
    }
  };

  if (second) {
    return (
      <Entry title={m.signIn.secondTitle} lead={m.signIn.secondLead}>
        <FactorForm
          ways={waysOf(second.factors, true)}
          submit={m.signIn.submit}
          challenge={() => unwrap(api.POST("/api/data/v1/session/second-factor/challenge"))}
          sendCode={() => unwrap(api.POST("/api/data/v1/session/second-factor/email-code"))}
          show={async (proof) => enter(await unwrap(api.POST("/api/data/v1/session/second-factor", { body: proof })))}
          onProblem={(error) => {
            if (!(error instanceof ProblemError) || error.status !== 401) return false;
            setSecond(undefined);
            setFailure(m.signIn.secondTooLate);
            return true;
          }}
        />
        <div className={css.foot}>
          <p>{m.signIn.lostAll}</p>
          <Button dense tone="quiet" onPress={() => setSecond(undefined)}>
            {m.signIn.otherAccount}
          </Button>
        </div>
      </Entry>
    );
  }
  return (
    <Entry title={m.signIn.title} lead={m.signIn.lead}>
      {search.set && !failure && <Notice tone="info">{m.password.signedOutSet}</Notice>}
      {search.ended && !failure && <Notice tone="info">{m.signIn.ended}</Notice>}
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={css.form ?? ""}
        onSubmit={(event) => {
          event.preventDefault();
          void (asksPassword ? submit() : findWay());
        }}
      >
        <TextField label={m.signIn.login} name="login" value={login} onChange={setLogin} autoComplete="username" isRequired autoFocus {...limits.SignIn.login} />
        {asksPassword && <PasswordField label={m.signIn.password} name="password" value={password} onChange={setPassword} autoComplete="current-password" isRequired autoFocus={login !== ""} />}
        <Button type="submit" tone="primary" busy={busy}>
          {asksPassword ? m.signIn.submit : m.signIn.goOn}
        </Button>
      </Form>
      {passkeysWork() && (
        <>
          <p className={css.or}>
            <span>{m.signIn.or}</span>
          </p>
          <Button icon={<Fingerprint size={16} aria-hidden />} isDisabled={busy} onPress={() => void withPasskey()}>
            {m.signIn.withPasskey}
          </Button>
        </>
      )}
      <div className={css.foot}>
        <p>{asksPassword ? m.signIn.forgotten : m.signIn.addressFirst}</p>
        <Button
          dense
          tone="quiet"
          isDisabled={busy}
          onPress={() => {
            setAsksPassword(!asksPassword);
            setPassword("");
            setFailure(undefined);
          }}
        >
          {asksPassword ? m.signIn.studioAccount : m.signIn.withPassword}
        </Button>
      </div>
    </Entry>
  );
}
