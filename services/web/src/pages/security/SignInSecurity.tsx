// What one's own account is protected with besides the password.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Fingerprint, LifeBuoy, Mail, Plus, Smartphone } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../api/client";
import { passkeysWork } from "../../api/passkeys";
import { factorsQuery, sessionQuery, sessionsQuery } from "../../api/queries";
import type { Passkey } from "../../api/types";
import { Button, Notice } from "../../components/controls";
import { Confirm, Dialog } from "../../components/dialogs";
import { Failed, Skeleton } from "../../components/states";
import { say } from "../../components/toasts";
import { m } from "../../messages";
import { ago, day } from "../../messages/format";
import page from "../page.module.css";
import { AuthenticatorSetup } from "./AuthenticatorSetup";
import { EmailCodeSetup } from "./EmailCodeSetup";
import { PasskeySetup } from "./PasskeySetup";
import { RecoveryCodes } from "./RecoveryCodes";

type Open = { what: "app" | "passkey" | "mail" | "remove-app" | "remove-mail" | "codes" } | { what: "remove-passkey"; passkey: Passkey } | { what: "shown"; codes: string[] };

const used = (at: string | null | undefined) => (at ? m.account.lastUsed(ago(at)) : m.account.neverUsed);

export function SignInSecurity() {
  const cache = useQueryClient();
  const factors = useQuery(factorsQuery);
  const { data: session } = useQuery(sessionQuery);
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const reload = () => {
    void cache.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    void cache.invalidateQueries({ queryKey: sessionQuery.queryKey });
    return cache.invalidateQueries({ queryKey: factorsQuery.queryKey });
  };
  const added = (what: string) => (codes: string[]) => {
    say(what);
    void reload();
    setOpen(codes.length ? { what: "shown", codes } : undefined);
  };
  const { authenticator, passkeys = [], recovery_codes_left: left = 0, passkeys_possible = false, email_codes: mail, email_codes_allowed: mailAllowed = false } = factors.data ?? {};
  const isProtected = !!authenticator || passkeys.length > 0;
  const canAdd = passkeys_possible && passkeysWork();
  return (
    <section className={page.section} aria-labelledby="sign-in-security">
      <div>
        <h2 id="sign-in-security">{m.security.title}</h2>
        <p className={page.lead}>{isProtected ? m.security.leadOn : m.security.leadOff}</p>
      </div>
      {factors.isPending ? (
        <Skeleton height={172} style={{ borderRadius: 8 }} />
      ) : factors.isError ? (
        <Failed what={m.parts.factors} error={factors.error} retry={() => void factors.refetch()} />
      ) : (
        <>
          <ul className={`${page.panel} ${page.list}`}>
            <li>
              <Smartphone size={16} aria-hidden />
              <div className={page.listText}>
                <div>{m.security.app}</div>
                <div className="num">{authenticator ? `${m.security.addedOn(day(authenticator.created_at))} · ${used(authenticator.last_used_at)}` : m.security.appLead}</div>
              </div>
              {authenticator && (
                <Button dense tone="quiet" aria-label={`${m.common.remove}: ${m.security.app}`} onPress={() => setOpen({ what: "remove-app" })}>
                  {m.common.remove}
                </Button>
              )}
              <Button dense onPress={() => setOpen({ what: "app" })}>
                {authenticator ? m.security.replace : m.security.setUp}
              </Button>
            </li>
            {passkeys.map((passkey) => (
              <li key={passkey.id}>
                <Fingerprint size={16} aria-hidden />
                <div className={page.listText}>
                  <div>
                    {passkey.name} {passkey.is_synced && <span className={page.tag}>{m.security.synced}</span>}
                  </div>
                  <div className="num">
                    {m.security.passkey} · {m.security.addedOn(day(passkey.created_at))} · {used(passkey.last_used_at)}
                  </div>
                </div>
                <Button dense tone="quiet" aria-label={`${m.common.remove}: ${passkey.name}`} onPress={() => setOpen({ what: "remove-passkey", passkey })}>
                  {m.common.remove}
                </Button>
              </li>
            ))}
            <li>
              <Fingerprint size={16} aria-hidden />
              <div className={page.listText}>
                <div>{passkeys.length ? m.security.anotherPasskey : m.security.passkeys}</div>
                <div>{canAdd ? m.security.passkeyLead : passkeys_possible ? m.security.passkeysNotHere : m.security.passkeysNeedName}</div>
              </div>
              <Button dense icon={<Plus size={14} aria-hidden />} isDisabled={!canAdd} onPress={() => setOpen({ what: "passkey" })}>
                {m.security.addPasskey}
              </Button>
            </li>
            {(mail || mailAllowed) && (
              <li>
                <Mail size={16} aria-hidden />
                <div className={page.listText}>
                  <div>
                    {m.security.emailCodes} <span className={page.tag}>{m.security.weak}</span>
                  </div>
                  <div className={mail ? "num" : ""}>{mail ? `${m.security.addedOn(day(mail.created_at))} · ${mailAllowed ? used(mail.last_used_at) : m.security.emailCodesOff}` : m.security.emailCodesWeak}</div>
                </div>
                {mail ? (
                  <Button dense tone="quiet" aria-label={`${m.common.remove}: ${m.security.emailCodes}`} onPress={() => setOpen({ what: "remove-mail" })}>
                    {m.common.remove}
                  </Button>
                ) : (
                  <Button dense onPress={() => setOpen({ what: "mail" })}>
                    {m.security.addEmailCodes}
                  </Button>
                )}
              </li>
            )}
            {isProtected && (
              <li>
                <LifeBuoy size={16} aria-hidden />
                <div className={page.listText}>
                  <div>{m.security.recoveryCodes}</div>
                  <div className="num">{m.security.codesLeft(left)}</div>
                </div>
                <Button dense onPress={() => setOpen({ what: "codes" })}>
                  {m.security.newCodes}
                </Button>
              </li>
            )}
          </ul>
          {isProtected && left <= 3 && <Notice tone="warning">{m.security.fewCodes(left)}</Notice>}
        </>
      )}
      <Dialog title={m.security.appTitle} open={open?.what === "app"} onClose={close}>
        <AuthenticatorSetup onAdded={added(m.security.appAdded)} onCancel={close} />
      </Dialog>
      <Dialog title={m.security.addPasskeyTitle} open={open?.what === "passkey"} onClose={close}>
        <PasskeySetup onAdded={added(m.security.passkeyAdded)} onCancel={close} />
      </Dialog>
      <Dialog title={m.security.emailCodesTitle} open={open?.what === "mail"} onClose={close}>
        <EmailCodeSetup onAdded={() => added(m.security.emailCodesAdded)([])} onCancel={close} />
      </Dialog>
      <Dialog title={m.security.codesTitle} open={open?.what === "shown"} onClose={close} alert>
        {open?.what === "shown" && <RecoveryCodes codes={open.codes} login={session?.person.login ?? ""} onDone={close} />}
      </Dialog>
      <Confirm
        title={m.security.removeAppTitle}
        text={passkeys.length ? m.security.removeText : m.security.removeLastText}
        confirm={m.common.remove}
        open={open?.what === "remove-app"}
        onClose={close}
        action={async () => {
          await unwrap(api.DELETE("/api/data/v1/account/factors/authenticator"));
          await reload();
        }}
      />
      <Confirm
        title={m.security.removeEmailCodesTitle}
        text={m.security.removeText}
        confirm={m.common.remove}
        open={open?.what === "remove-mail"}
        onClose={close}
        action={async () => {
          await unwrap(api.DELETE("/api/data/v1/account/factors/email-code"));
          await reload();
        }}
      />
      <Confirm
        title={m.security.removePasskeyTitle(open?.what === "remove-passkey" ? open.passkey.name : "")}
        text={authenticator || passkeys.length > 1 ? m.security.removeText : m.security.removeLastText}
        confirm={m.common.remove}
        open={open?.what === "remove-passkey"}
        onClose={close}
        action={async () => {
          if (open?.what === "remove-passkey") await unwrap(api.DELETE("/api/data/v1/account/passkeys/{passkey_id}", { params: { path: { passkey_id: open.passkey.id } } }));
          await reload();
        }}
      />
      <Confirm
        title={m.security.newCodesTitle}
        text={m.security.newCodesText}
        confirm={m.security.newCodes}
        danger={false}
        open={open?.what === "codes"}
        // What was made stays open to be read.
        onClose={() => setOpen((now) => (now?.what === "codes" ? undefined : now))}
        action={async () => {
          const { recovery_codes } = await unwrap(api.POST("/api/data/v1/account/factors/recovery-codes"));
          void reload();
          setOpen({ what: "shown", codes: recovery_codes });
        }}
      />
    </section>
  );
}
