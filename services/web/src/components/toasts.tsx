// Short sentences about what was just done. They never carry the only way to do something.

import { Check, CircleAlert, X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { m } from "../messages";
import { IconButton } from "./controls";
import css from "./floating.module.css";

interface Toast {
  id: number;
  text: string;
  danger: boolean;
}

let toasts: readonly Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function set(value: readonly Toast[]) {
  toasts = value;
  for (const listener of listeners) listener();
}

/** Takes all away: what they are about is over. */
export const clearToasts = () => set([]);

const dismiss = (id: number) => set(toasts.filter((toast) => toast.id !== id));

export function say(text: string, options: { danger?: boolean } = {}): void {
  const id = next;
  next += 1;
  set([...toasts.slice(-2), { id, text, danger: options.danger ?? false }]);
  // Errors stay longer: they have to be read.
  setTimeout(() => dismiss(id), options.danger ? 12_000 : 5000);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className={css.toasts} role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className={[css.toast, toast.danger ? css.toastDanger : ""].join(" ")}>
          {toast.danger ? <CircleAlert size={16} aria-hidden /> : <Check size={16} aria-hidden />}
          <span>{toast.text}</span>
          <IconButton dense label={m.common.close} onPress={() => dismiss(toast.id)}>
            <X size={14} />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
