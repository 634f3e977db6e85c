// The frame of the pages before one is in: sign-in, choosing a password, welcome.

import type { ReactNode } from "react";
import { useTitle } from "../shell/title";
import css from "./Entry.module.css";

export function Entry({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className={css.entry}>
      <div className={css.card}>
        <div className={css.head}>
          <img src="/kinora.svg" alt="" className={css.mark} width={36} height={36} />
          <h1>{title}</h1>
          <p>{lead}</p>
        </div>
        {children}
      </div>
    </main>
  );
}
