// The message catalogue in use. English is complete and part of the first script; another language is
// a file of the same shape (`export const fr: Messages = …`), loaded before the first page is drawn.

import { en, type Messages } from "./en";

type Loader = () => Promise<Messages>;

/** Languages besides English, by BCP 47 language. */
const others: Record<string, Loader> = {};

export let m: Messages = en;

export async function loadMessages(languages: readonly string[]): Promise<void> {
  for (const language of languages) {
    const base = language.split("-")[0] ?? "";
    if (base === "en") return;
    const load = others[base];
    if (load) {
      m = await load();
      document.documentElement.lang = base;
      return;
    }
  }
}
