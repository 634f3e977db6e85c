// The fields for a new password, used wherever one is chosen.

import { PasswordField } from "../components/controls";
import { m } from "../messages";

export interface NewPasswordValue {
  next: string;
  repeat: string;
}

/** Sentences about what cannot be sent; the server judges strength. */
export function passwordProblems({ next, repeat }: NewPasswordValue): { next?: string; repeat?: string } {
  if (new TextEncoder().encode(next).length > 72) return { next: m.password.tooLong };
  if (next !== repeat) return { repeat: m.password.mismatch };
  return {};
}

interface Props {
  value: NewPasswordValue;
  onChange: (value: NewPasswordValue) => void;
  errors: { next?: string | undefined; repeat?: string | undefined };
}

export function NewPassword({ value, onChange, errors }: Props) {
  return (
    <>
      <PasswordField
        label={m.password.next}
        hint={m.password.hint}
        name="new-password"
        autoComplete="new-password"
        isRequired
        value={value.next}
        onChange={(next) => onChange({ ...value, next })}
        error={errors.next}
      />
      <PasswordField
        label={m.password.repeat}
        name="repeat-password"
        autoComplete="new-password"
        isRequired
        value={value.repeat}
        onChange={(repeat) => onChange({ ...value, repeat })}
        error={errors.repeat}
      />
    </>
  );
}
