// For who belongs to an organisation that asks for a second factor, and has none.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Fingerprint, Mail, Smartphone } from "lucide-react";
import { useEffect, useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import { passkeysWork } from "../../api/passkeys";
import { factorsQuery, sessionQuery } from "../../api/queries";
import { signOut } from "../../api/signOut";
import { Button } from "../../components/controls";
import { Skeleton } from "../../components/states";
import { m } from "../../messages";
import { Entry } from "../Entry";
import { putOffEnrolment } from "../enrolment";
import { safeReturn } from "../returnAddress";
import { AuthenticatorSetup } from "./AuthenticatorSetup";
import { EmailCodeSetup } from "./EmailCodeSetup";
import { PasskeySetup } from "./PasskeySetup";
import { RecoveryCodes } from "./RecoveryCodes";
import css from "./security.module.css";

export function SetUpFactor() {
  const search = useSearch({ from: "/second-factor" });
  const navigate = useNavigate();
  const cache = useQueryClient();
  const session = useQuery(sessionQuery);
  const factors = useQuery({ ...factorsQuery, enabled: !!session.data });
  const [step, setStep] = useState<"choose" | "app" | "passkey" | "mail">("choose");
  const [codes, setCodes] = useState<string[]>();

  const { isError } = session;
  useEffect(() => {
    if (isError) void navigate({ to: "/sign-in", search: { return: search.return } });
  }, [isError, navigate, search.return]);

  const leave = async () => {
    cache.removeQueries();
    await navigate({ href: safeReturn(search.return) });
  };
  const quit = async () => {
    const leaves = await signOut();
    cache.clear();
    if (!leaves) await navigate({ to: "/sign-in" });
  };
  const added = (made: string[]) => (made.length ? setCodes(made) : void leave());
  if (!session.data) {
    return (
      <Entry title={m.common.loading} lead="">
        <Skeleton height={160} width="100%" />
      </Entry>
    );
  }
  if (codes) {
    return (
      <Entry title={m.security.codesTitle} lead={m.security.codesBefore}>
        <RecoveryCodes codes={codes} login={session.data.person.login} onDone={() => void leave()} />
      </Entry>
    );
  }
  const asking = [
    ...session.data.organisations.filter(({ withheld, single_sign_on_required, own_sign_in_required }) => withheld && !single_sign_on_required && !own_sign_in_required).map(({ name }) => name),
    ...session.data.support.filter(({ withheld }) => withheld === "second_factor").map(({ organisation }) => organisation),
  ];
  const others = session.data.organisations.some(({ withheld }) => !withheld);
  const canPasskey = factors.data?.passkeys_possible && passkeysWork();
  return (
    <Entry title={m.security.neededTitle} lead={m.security.neededLead(asking)}>
      {step === "choose" && (
        <div className={css.choices}>
          {canPasskey && (
            <AriaButton className={css.choice ?? ""} onPress={() => setStep("passkey")}>
              <Fingerprint size={20} aria-hidden />
              <span>
                <strong>{m.security.passkey}</strong>
                <span>{m.security.passkeyLead}</span>
              </span>
            </AriaButton>
          )}
          <AriaButton className={css.choice ?? ""} onPress={() => setStep("app")}>
            <Smartphone size={20} aria-hidden />
            <span>
              <strong>{m.security.app}</strong>
              <span>{m.security.appLead}</span>
            </span>
          </AriaButton>
          {factors.data?.email_codes_allowed && (
            <AriaButton className={css.choice ?? ""} onPress={() => setStep("mail")}>
              <Mail size={20} aria-hidden />
              <span>
                <strong>{m.security.emailCodes}</strong>
                <span>{m.security.emailCodesWeak}</span>
              </span>
            </AriaButton>
          )}
          <div className={css.keep}>
            {others && (
              <Button
                tone="quiet"
                onPress={() => {
                  putOffEnrolment();
                  void navigate({ to: "/productions" });
                }}
              >
                {m.security.notNow}
              </Button>
            )}
            <Button tone="quiet" onPress={() => void quit()}>
              {m.rail.signOut}
            </Button>
          </div>
        </div>
      )}
      {step === "app" && <AuthenticatorSetup onAdded={added} onCancel={() => setStep("choose")} />}
      {step === "passkey" && <PasskeySetup onAdded={added} onCancel={() => setStep("choose")} />}
      {step === "mail" && <EmailCodeSetup onAdded={() => added([])} onCancel={() => setStep("choose")} />}
    </Entry>
  );
}
