// Some of several, each with a box of its own.

import { useId } from "react";
import css from "./controls.module.css";

interface ChecksProps<T extends string> {
  label: string;
  hint?: string;
  options: readonly { value: T; label: string }[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}

/** The system's own boxes; long lists scroll in themselves. */
export function Checks<T extends string>({ label, hint, options, chosen, onChange }: ChecksProps<T>) {
  const hintId = useId();
  return (
    <fieldset className={css.checks} aria-describedby={hint ? hintId : undefined}>
      <legend className={css.label}>{label}</legend>
      <div className={css.checkList}>
        {options.map(({ value, label: text }) => (
          <label key={value} className={css.check}>
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={({ target }) => onChange(options.map((option) => option.value).filter((one) => (one === value ? target.checked : chosen.includes(one))))}
            />
            <span className="truncate">{text}</span>
          </label>
        ))}
      </div>
      {hint && (
        <span id={hintId} className={css.hint}>
          {hint}
        </span>
      )}
    </fieldset>
  );
}
