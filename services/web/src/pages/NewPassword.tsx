// The fields for a new password, used wherever one is chosen.

import { PasswordField } from "../components/controls";
import { m } from "../messages";

export interface NewPasswordValue {
  next: string;
  repeat: string;
}

/** Sentences about what cannot be sent; the server judges strength. */
export function passwordProblems({ next, repeat }: NewPasswordValue, name: Props["name"]): Record<string, string> {
  if (new TextEncoder().encode(next).length > 72) return { [name]: m.password.tooLong };
  if (next !== repeat) return { repeat: m.password.mismatch };
  return {};
}

interface Props {
  value: NewPasswordValue;
  onChange: (value: NewPasswordValue) => void;
  /** What the request calls it. */
  name: "new_password" | "password";
}

export function NewPassword({ value, onChange, name }: Props) {
  return (
    <>
      <PasswordField
        label={m.password.next}
        hint={m.password.hint}
        name={name}
        autoComplete="new-password"
        isRequired
        value={value.next}
        onChange={(next) => onChange({ ...value, next })}
      />
      <PasswordField
        label={m.password.repeat}
        name="repeat"
        autoComplete="new-password"
        isRequired
        value={value.repeat}
        onChange={(repeat) => onChange({ ...value, repeat })}
      />
    </>
  );
}
