// After signing out at the identity provider as well.

import { Link, useSearch } from "@tanstack/react-router";
import { buttonClass } from "../components/controls";
import { m } from "../messages";
import { Entry } from "./Entry";

export function SignedOut() {
  const { incomplete } = useSearch({ from: "/signed-out" });
  return (
    <Entry title={m.signedOut.title} lead={incomplete ? m.signedOut.incomplete : m.signedOut.text}>
      <Link className={buttonClass("primary")} to="/sign-in">
        {m.signedOut.again}
      </Link>
    </Entry>
  );
}
