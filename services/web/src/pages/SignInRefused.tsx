// Where the browser ends up when an identity provider's answer was refused: what one can do, and no more.

import { Link, useSearch } from "@tanstack/react-router";
import { buttonClass } from "../components/controls";
import { m } from "../messages";
import { Entry } from "./Entry";
import page from "./page.module.css";

export function SignInRefused() {
  const { reason = "administrator", attempt } = useSearch({ from: "/sign-in-refused" });
  return (
    <Entry title={m.refused.titles[reason]} lead={m.refused.texts[reason]}>
      {attempt && (
        <dl className={page.facts}>
          <dt>{m.refused.number}</dt>
          <dd>
            <code>{attempt}</code>
          </dd>
        </dl>
      )}
      <Link className={buttonClass(reason === "again" ? "primary" : "normal")} to="/sign-in">
        {m.refused.back}
      </Link>
    </Entry>
  );
}
