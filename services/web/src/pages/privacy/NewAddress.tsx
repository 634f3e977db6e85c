// Another e-mail address to sign in with: it counts when the link in the mail to it was opened.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { sessionQuery } from "../../api/queries";
import { Button, Notice, TextField } from "../../components/controls";
import { FormDialog } from "../../components/FormDialog";
import { m } from "../../messages";
import { exactInstant } from "../../messages/format";
import page from "../page.module.css";
import css from "./privacy.module.css";

export function NewAddress() {
  const { data: session } = useQuery(sessionQuery);
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState<{ address: string; until: string }>();
  return (
    <>
      <div className={`${page.row} ${css.middle}`}>
        <p className={page.quietText}>
          {m.account.login}: {session?.person.login}
        </p>
        <Button onPress={() => setOpen(true)}>{m.privacy.changeAddress}</Button>
      </div>
      {asked && <Notice tone="info">{m.privacy.addressAsked(asked.address, exactInstant(asked.until))}</Notice>}
      <FormDialog
        title={m.privacy.changeAddress}
        lead={m.privacy.changeAddressLead}
        submit={m.privacy.sendLink}
        initial={{ address: "" }}
        open={open}
        onClose={() => setOpen(false)}
        action={async ({ address }) => {
          const wanted = address.trim();
          const { expires_at } = await unwrap(api.POST("/api/data/v1/account/address", { body: { address: wanted } }));
          setAsked({ address: wanted, until: expires_at });
        }}
      >
        {({ address }, edit) => (
          <TextField label={m.privacy.newAddress} name="address" type="email" value={address} onChange={(next) => edit({ address: next })} isRequired autoFocus {...limits.WantedAddress.address} autoComplete="email" />
        )}
      </FormDialog>
    </>
  );
}
