// The open invitations of a production, and the dialog that makes one.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { EllipsisVertical, MailX, Send } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import { sentenceOf } from "../api/problem";
import { invitationsQuery } from "../api/queries";
import type { Invitation, ProductionRoles } from "../api/types";
import { IconButton, Notice, SelectField, TextField } from "../components/controls";
import { ActionMenu, Confirm } from "../components/dialogs";
import { FormDialog } from "../components/FormDialog";
import { Cell, Row, Table, Who } from "../components/Table";
import { say } from "../components/toasts";
import { m } from "../messages";
import { day, instant } from "../messages/format";
import { dayIn, endOf, isPast } from "./endDate";
import { rolesText } from "./Invitation";
import page from "./page.module.css";

type Module = "office" | "library" | "subtitling" | "budget";

/** Offered for those who come from outside: long enough for most jobs, short enough to be forgotten safely. */
const OFFERED_DAYS = 90;
const ROLES = ["", "reader", "editor", "manager"] as const;
const roleOptions = ROLES.map((value) => ({ value, label: m.roles[value || "none"] }));

interface InvitationsProps {
  productionId: string;
  /** Whether whoever looks may decide on an invitation that gives these roles. */
  decidesOn: (roles: ProductionRoles) => boolean;
}

export function Invitations({ productionId, decidesOn }: InvitationsProps) {
  const cache = useQueryClient();
  const invitations = useQuery(invitationsQuery(productionId));
  const [withdrawing, setWithdrawing] = useState<Invitation>();
  const reload = () => cache.invalidateQueries({ queryKey: ["invitations", productionId] });
  const path = (invitation: Invitation) => ({ production_id: productionId, invitation_id: invitation.id });
  const resend = async (invitation: Invitation) => {
    try {
      await unwrap(api.POST("/api/data/v1/productions/{production_id}/invitations/{invitation_id}/mail", { params: { path: path(invitation) } }));
      say(m.administration.resent(invitation.address));
    } catch (error) {
      say(sentenceOf(error), { danger: true });
    }
    await reload();
  };

  if (invitations.isError) return <Notice tone="danger">{`${m.errors.failedToLoad(m.parts.invitations)}. ${sentenceOf(invitations.error)}`}</Notice>;
  // Most productions have none: nothing is shown then, the button above says what can be done.
  if (!invitations.data?.length) return null;
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{m.administration.invitations}</h2>
          <p className={page.lead}>{m.administration.invitationsLead}</p>
        </div>
      </header>
      <Table
        label={m.administration.invitations}
        columns={[
          { name: m.administration.inviteAddress },
          { name: m.administration.invitationGives },
          { name: m.administration.ends },
          { name: m.administration.state },
          { name: m.administration.invitedBy },
          { name: m.common.actions, quiet: true },
        ]}
      >
        {invitations.data.map((invitation) => (
          <Row key={invitation.id}>
            <Cell kind="title">
              <Who name={invitation.address} />
            </Cell>
            <Cell label={m.administration.invitationGives}>{rolesText(invitation.roles)}</Cell>
            <Cell label={m.administration.ends} className={`${page.nowrap} num`}>
              {invitation.membership_ends_at ? day(invitation.membership_ends_at) : <span className={page.quietText}>{m.administration.noEnd}</span>}
            </Cell>
            <Cell label={m.administration.state}>
              <Delivery invitation={invitation} />
            </Cell>
            <Cell label={m.administration.invitedBy}>{invitation.invited_by}</Cell>
            <Cell kind="actions">
              {decidesOn(invitation.roles) && (
                <ActionMenu
                  label={m.common.actions}
                  trigger={
                    <IconButton dense label={`${m.common.actions}: ${invitation.address}`}>
                      <EllipsisVertical size={16} />
                    </IconButton>
                  }
                  entries={[
                    { id: "resend", label: m.administration.resend, icon: <Send size={16} />, action: () => void resend(invitation) },
                    "-",
                    { id: "withdraw", label: m.administration.withdraw, icon: <MailX size={16} />, danger: true, action: () => setWithdrawing(invitation) },
                  ]}
                />
              )}
            </Cell>
          </Row>
        ))}
      </Table>
      <Confirm
        title={m.administration.withdrawTitle(withdrawing?.address ?? "")}
        text={m.administration.withdrawText}
        confirm={m.administration.withdraw}
        open={!!withdrawing}
        onClose={() => setWithdrawing(undefined)}
        action={async () => {
          if (!withdrawing) return;
          await unwrap(api.DELETE("/api/data/v1/productions/{production_id}/invitations/{invitation_id}", { params: { path: path(withdrawing) } }));
          await reload();
          say(m.administration.withdrawn);
        }}
      />
    </section>
  );
}

/** Where the mail is, and how long its link works. */
function Delivery({ invitation }: { invitation: Invitation }) {
  const state = invitation.mail_state ?? "sent";
  const isOver = isPast(invitation.expires_at);
  return (
    <div className={page.stacked}>
      <span className={state === "failed" ? page.dangerText : undefined}>{m.administration.mailStates[state] ?? state}</span>
      {invitation.mail_error && <span>{invitation.mail_error}</span>}
      <span className="num">{isOver ? m.administration.linkEnded : `${m.administration.linkHolds} ${m.invitation.hereUntil(instant(invitation.expires_at))}`}</span>
    </div>
  );
}

interface InviteDialogProps {
  productionId: string;
  /** Those in which whoever invites may give roles. */
  modules: readonly Module[];
  open: boolean;
  onClose: () => void;
}

export function InviteDialog({ productionId, modules, open, onClose }: InviteDialogProps) {
  const cache = useQueryClient();
  const initial = { address: "", roles: (modules.includes("library") ? { library: "reader" } : {}) as ProductionRoles, membership_ends_at: dayIn(OFFERED_DAYS) };
  return (
    <FormDialog
      title={m.administration.inviteTitle}
      lead={m.administration.inviteLead}
      submit={m.administration.inviteSubmit}
      initial={initial}
      open={open}
      onClose={onClose}
      ready={({ roles }) => modules.some((module) => roles[module])}
      action={async ({ address, roles, membership_ends_at }) => {
        const body = { address: address.trim(), roles, membership_ends_at: endOf(membership_ends_at) };
        await unwrap(api.POST("/api/data/v1/productions/{production_id}/invitations", { params: { path: { production_id: productionId } }, body }));
        await cache.invalidateQueries({ queryKey: ["invitations", productionId] });
        say(m.administration.inviteSent(body.address));
      }}
    >
      {({ address, roles, membership_ends_at }, edit) => (
        <>
          <TextField type="email" label={m.administration.inviteAddress} name="address" value={address} onChange={(next) => edit({ address: next })} isRequired autoFocus autoComplete="off" {...limits.InvitationForm.address} />
          {modules.map((module) => (
            <SelectField
              key={module}
              label={m.modules[module]}
              value={roles[module] ?? ""}
              onChange={(role) => edit({ roles: { ...roles, [module]: role || null } })}
              options={roleOptions}
              hint={m.roles.explain[roles[module] ?? "none"]}
            />
          ))}
          <TextField
            type="date"
            label={m.administration.endDate}
            hint={m.administration.endHint}
            name="membership_ends_at"
            value={membership_ends_at}
            onChange={(next) => edit({ membership_ends_at: next })}
          />
        </>
      )}
    </FormDialog>
  );
}
