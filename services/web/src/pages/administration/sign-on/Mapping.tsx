// Which attributes mean what, and how the connection behaves.

import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Form } from "react-aria-components";
import { api, ifMatch, unwrap } from "../../../api/client";
import { ProblemError, sentenceOf } from "../../../api/problem";
import type { SignOnConnection } from "../../../api/types";
import { Button, Notice, SelectField, TextField } from "../../../components/controls";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";
import page from "../../page.module.css";
import css from "./signOn.module.css";

const t = m.signOn;

function fieldsOf(connection: SignOnConnection) {
  return {
    email_attribute: connection.email_attribute ?? "",
    name_attribute: connection.name_attribute ?? "",
    groups_attribute: connection.groups_attribute ?? "",
    subject_attribute: connection.subject_attribute ?? "",
    name_id_format: connection.name_id_format ?? "",
    contexts: connection.contexts.join("\n"),
    clock_skew_seconds: String(connection.clock_skew_seconds),
    request_binding: connection.request_binding ?? "",
    admits_everyone: connection.admits_everyone,
    force_sign_in: connection.force_sign_in,
    allow_unsolicited: connection.allow_unsolicited,
    single_logout: connection.single_logout,
  };
}

type Fields = ReturnType<typeof fieldsOf>;

export function Mapping({ organisationId, connection }: { organisationId: string; connection: SignOnConnection }) {
  const cache = useQueryClient();
  const [fields, setFields] = useState(() => fieldsOf(connection));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<Fields>) => setFields((old) => ({ ...old, ...part }));
  const isChanged = JSON.stringify(fields) !== JSON.stringify(fieldsOf(connection));
  const save = async () => {
    setBusy(true);
    setErrors({});
    setFailure(undefined);
    const { contexts, clock_skew_seconds, request_binding, ...rest } = fields;
    try {
      await unwrap(
        api.PATCH("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}", {
          params: { path: { organisation_id: organisationId, connection_id: connection.id }, header: ifMatch(connection.revision) },
          body: {
            ...rest,
            contexts: contexts.split(/\s+/).filter(Boolean),
            clock_skew_seconds: Number(clock_skew_seconds) || 0,
            request_binding: request_binding === "redirect" || request_binding === "post" ? request_binding : null,
          },
        }),
      );
      say(m.administration.saved);
      await cache.invalidateQueries({ queryKey: ["sign-on", organisationId] });
    } catch (error) {
      const wrong = error instanceof ProblemError ? error.fields : {};
      setErrors(wrong);
      if (!Object.keys(wrong).some((name) => name in fields)) setFailure(Object.values(wrong)[0] ?? sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  const text = (name: "email_attribute" | "name_attribute" | "groups_attribute" | "subject_attribute" | "name_id_format", label: string, hint: string, placeholder: string) => (
    <TextField name={name} label={label} hint={hint} placeholder={placeholder} value={fields[name]} onChange={(value) => change({ [name]: value })} maxLength={256} spellCheck="false" />
  );
  const check = (name: "admits_everyone" | "force_sign_in" | "allow_unsolicited" | "single_logout", label: string, hint: string) => (
    <Checked label={label} hint={hint} checked={fields[name]} onChange={(value) => change({ [name]: value })} />
  );
  return (
    <Form
      className={`${page.form ?? ""} ${page.panel} ${css.padded}`}
      validationErrors={errors}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {failure && <Notice tone="danger">{failure}</Notice>}
      <div className={css.pair}>
        {text("email_attribute", t.emailAttribute, t.emailAttributeHint, t.usual)}
        {text("name_attribute", t.nameAttribute, t.nameAttributeHint, t.usual)}
        {text("groups_attribute", t.groupsAttribute, t.groupsAttributeHint, t.usual)}
        {text("subject_attribute", t.subjectAttribute, t.subjectAttributeHint, "NameID")}
      </div>
      {check("admits_everyone", t.admitsEveryone, t.admitsEveryoneHint)}
      <details className={css.more}>
        <summary>{t.more}</summary>
        <div className={page.form}>
          <div className={css.pair}>
            <SelectField
              label={t.binding}
              value={fields.request_binding}
              onChange={(request_binding) => change({ request_binding })}
              options={[
                { value: "", label: t.bindings.any },
                { value: "redirect", label: t.bindings.redirect },
                { value: "post", label: t.bindings.post },
              ]}
            />
            <TextField name="clock_skew_seconds" type="number" label={t.clockSkew} hint={t.clockSkewHint} value={fields.clock_skew_seconds} onChange={(clock_skew_seconds) => change({ clock_skew_seconds })} />
            {text("name_id_format", t.nameIdFormat, t.nameIdFormatHint, "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")}
            <TextField name="contexts" label={t.contexts} hint={t.contextsHint} value={fields.contexts.replaceAll("\n", " ")} onChange={(contexts) => change({ contexts })} spellCheck="false" />
          </div>
          {check("force_sign_in", t.forceSignIn, t.forceSignInHint)}
          {check("allow_unsolicited", t.allowUnsolicited, t.allowUnsolicitedHint)}
          {check("single_logout", t.logoutBothWays, t.logoutBothWaysHint)}
        </div>
      </details>
      <div className={css.actions}>
        <Button type="submit" tone="primary" busy={busy} isDisabled={!isChanged}>
          {m.common.save}
        </Button>
      </div>
    </Form>
  );
}

export function Checked({ label, hint, checked, disabled, onChange }: { label: ReactNode; hint?: string; checked: boolean; disabled?: boolean; onChange: (value: boolean) => void }) {
  return (
    <label className={css.check}>
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onChange(event.target.checked)} />
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  );
}
