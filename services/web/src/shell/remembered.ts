// Small choices that a browser remembers: folded rail, column widths, the last production.

import { useCallback, useState } from "react";

export function readRemembered<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(`kinora.${key}`);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(`kinora.${key}`, JSON.stringify(value));
  } catch {
    // Without storage it is forgotten; nothing else.
  }
}

export function useRemembered<T>(key: string, fallback: T): [T, (value: T) => void] {
  const [value, setValue] = useState(() => readRemembered(key, fallback));
  const set = useCallback(
    (next: T) => {
      setValue(next);
      remember(key, next);
    },
    [key],
  );
  return [value, set];
}
