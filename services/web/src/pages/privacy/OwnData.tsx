// One's own personal data: taking it along, reading what is kept, erasing the account.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../api/client";
import { save } from "../../api/download";
import { sentenceOf } from "../../api/problem";
import { sessionQuery } from "../../api/queries";
import type { Erasure } from "../../api/types";
import { Button, TextField } from "../../components/controls";
import { FormDialog } from "../../components/FormDialog";
import { say } from "../../components/toasts";
import { m } from "../../messages";
import page from "../page.module.css";
import { ReportDialog } from "./Report";

export function OwnData() {
  const { data: session } = useQuery(sessionQuery);
  const [erasing, setErasing] = useState(false);
  const [report, setReport] = useState<Erasure>();
  const [busy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    try {
      await save("my-personal-data.json", api.GET("/api/data/v1/account/personal-data", { parseAs: "blob" }));
    } catch (error) {
      say(sentenceOf(error), { danger: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className={page.section}>
      <div>
        <h2>{m.privacy.own}</h2>
        <p className={page.lead}>
          {m.privacy.ownLead} <Link to="/personal-data">{m.privacy.whatIsKept}</Link>
        </p>
      </div>
      <div className={`${page.buttons} ${page.atStart}`}>
        <Button icon={<Download size={16} aria-hidden />} busy={busy} onPress={() => void take()}>
          {m.privacy.takeAlong}
        </Button>
        <Button tone="danger" onPress={() => setErasing(true)}>
          {m.privacy.eraseAccount}
        </Button>
      </div>
      <FormDialog
        title={m.privacy.eraseOwnTitle}
        lead={m.privacy.eraseOwnText}
        submit={m.privacy.eraseAccount}
        initial={{ login: "" }}
        open={erasing}
        onClose={() => setErasing(false)}
        ready={({ login }) => login.trim() !== ""}
        action={async ({ login }) => {
          setReport(await unwrap(api.POST("/api/data/v1/account/erasure", { body: { login: login.trim() } })));
        }}
      >
        {({ login }, edit) => (
          <TextField
            label={m.privacy.typeOwnLogin}
            hint={m.privacy.typeLoginHint(session?.person.login ?? "")}
            name="login"
            value={login}
            onChange={(next) => edit({ login: next })}
            isRequired
            autoFocus
            autoComplete="off"
          />
        )}
      </FormDialog>
      {/* There is no account to go back to. */}
      <ReportDialog erasure={report} onClose={() => location.assign("/sign-in")} />
    </section>
  );
}
