// Adding a passkey: a name for it, then the browser's own dialog.

import { useState } from "react";
import { Form } from "react-aria-components";
import { api, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { isCancelled, isRegistered, makePasskey } from "../../api/passkeys";
import { ProblemError, sentenceOf } from "../../api/problem";
import { Button, Notice, TextField } from "../../components/controls";
import { m } from "../../messages";
import { deviceName } from "../device";
import page from "../page.module.css";
import css from "./security.module.css";

interface Props {
  onAdded: (recoveryCodes: string[]) => void;
  onCancel: () => void;
}

export function PasskeySetup({ onAdded, onCancel }: Props) {
  const [name, setName] = useState(deviceName(navigator.userAgent, m.security.passkey));
  const [failure, setFailure] = useState<string>();
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    setFailure(undefined);
    setErrors({});
    try {
      const made = await makePasskey(await unwrap(api.POST("/api/data/v1/account/passkeys/challenge")));
      const added = await unwrap(api.POST("/api/data/v1/account/passkeys", { body: { name: name.trim(), ...made } }));
      onAdded(added.recovery_codes);
    } catch (error) {
      setBusy(false);
      if (isCancelled(error)) setFailure(m.security.passkeyCancelled);
      else if (isRegistered(error)) setFailure(m.security.passkeyThere);
      else if (error instanceof ProblemError && error.fields.name) setErrors(error.fields);
      else setFailure(sentenceOf(error));
    }
  };
  return (
    <>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <p>{m.security.passkeyAddLead}</p>
      <Form
        className={page.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <TextField label={m.security.passkeyName} hint={m.security.passkeyNameHint} name="name" value={name} onChange={setName} isRequired autoFocus {...limits.PasskeyForm.name} autoComplete="off" />
        <div className={css.foot}>
          <Button onPress={onCancel}>{m.common.cancel}</Button>
          <Button type="submit" tone="primary" busy={busy}>
            {m.security.passkeyContinue}
          </Button>
        </div>
      </Form>
    </>
  );
}
