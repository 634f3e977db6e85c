// Files that the person takes along: fetched like everything else, so that a confirmation can be asked for first.

import { unwrap } from "./client";

/** Saves what a request answers under a name. */
export async function save(name: string, request: Promise<{ data?: Blob; error?: unknown; response: Response }>): Promise<void> {
  offer(name, await unwrap(request));
}

/** Has the browser save a file. */
export function offer(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
