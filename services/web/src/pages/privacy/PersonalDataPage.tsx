// What is kept of people, for everybody who is signed in.

import { Link } from "@tanstack/react-router";
import { buttonClass } from "../../components/controls";
import { m } from "../../messages";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";
import { Register } from "./Register";

export function PersonalDataPage() {
  useTitle(m.privacy.title);
  return (
    <>
      <header className={page.head}>
        <h1>{m.privacy.title}</h1>
      </header>
      <div className={page.content}>
        <p className={page.lead}>{m.privacy.lead}</p>
        <div>
          <Link to="/account" className={buttonClass()}>
            {m.privacy.toAccount}
          </Link>
        </div>
        <Register />
      </div>
    </>
  );
}
