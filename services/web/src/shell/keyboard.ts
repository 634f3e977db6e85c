// Shortcuts. They never fire while somebody types, and a dialog keeps them away from the page behind.

import { useEffect, useRef } from "react";

export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return !!target?.closest("input, textarea, select, [contenteditable=true], [role=menu], [role=listbox]");
}

export function isBehindDialog(event: KeyboardEvent): boolean {
  const dialog = document.querySelector("[role=dialog][data-rac], [role=alertdialog]");
  return !!dialog && !dialog.contains(event.target as Node);
}

/** Calls `handle` for keys pressed anywhere; it returns true for those it has used. */
export function useShortcuts(handle: (event: KeyboardEvent) => boolean | undefined): void {
  const latest = useRef(handle);
  useEffect(() => {
    latest.current = handle;
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isTyping(event) || document.querySelector("[role=alertdialog], [role=dialog][data-modal]")) return;
      if (latest.current(event)) event.preventDefault();
    };
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
