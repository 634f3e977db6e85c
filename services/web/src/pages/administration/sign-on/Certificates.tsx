// Kinora's certificates towards one provider, and how they change without anybody being locked out.

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "../../../api/client";
import { sentenceOf } from "../../../api/problem";
import type { SignOnConnection } from "../../../api/types";
import { Button } from "../../../components/controls";
import { Confirm } from "../../../components/dialogs";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";
import { instant } from "../../../messages/format";
import page from "../../page.module.css";
import css from "./signOn.module.css";
import { fingerprintText } from "./steps";

const t = m.signOn;

export function Certificates({ organisationId, connection }: { organisationId: string; connection: SignOnConnection }) {
  const cache = useQueryClient();
  const [asking, setAsking] = useState<"switch" | "drop">();
  const [busy, setBusy] = useState(false);
  const path = { organisation_id: organisationId, connection_id: connection.id };
  const other = connection.certificates.find(({ role }) => role !== "signing");
  const reload = () => cache.invalidateQueries({ queryKey: ["sign-on", organisationId] });
  const add = async () => {
    setBusy(true);
    try {
      await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates", { params: { path } }));
    } catch (error) {
      say(sentenceOf(error), { danger: true });
    }
    await reload();
    setBusy(false);
  };
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{t.ownCertificates}</h2>
          <p className={page.lead}>{other?.role === "next" ? t.rotateNext : other ? t.rotateFormer : t.rotateLead}</p>
        </div>
        {!other && (
          <Button busy={busy} onPress={() => void add()}>
            {t.makeNext}
          </Button>
        )}
      </header>
      <ul className={`${page.panel} ${page.list}`} aria-label={t.ownCertificates}>
        {connection.certificates.map((certificate) => (
          <li key={certificate.fingerprint}>
            <div className={page.listText}>
              <div>
                {t.until(instant(certificate.not_after))} <span className={page.tag}>{t.certificateRoles[certificate.role]}</span>
              </div>
              <div className={css.mono}>{fingerprintText(certificate.fingerprint)}</div>
            </div>
          </li>
        ))}
      </ul>
      {other && (
        <div className={css.actions}>
          {other.role === "next" && (
            <Button tone="primary" onPress={() => setAsking("switch")}>
              {t.switchCertificate}
            </Button>
          )}
          <Button onPress={() => setAsking("drop")}>{other.role === "next" ? t.dropNext : t.dropFormer}</Button>
        </div>
      )}
      <Confirm
        title={t.switchCertificateTitle}
        text={t.switchCertificateText}
        confirm={t.switchCertificate}
        danger={false}
        open={asking === "switch"}
        onClose={() => setAsking(undefined)}
        action={async () => {
          await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates/switch", { params: { path } }));
          await reload();
        }}
      />
      <Confirm
        title={t.dropTitle}
        text={other?.role === "next" ? t.dropNextText : t.dropFormerText}
        confirm={m.common.remove}
        open={asking === "drop"}
        onClose={() => setAsking(undefined)}
        action={async () => {
          await unwrap(api.DELETE("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates", { params: { path } }));
          await reload();
        }}
      />
    </section>
  );
}
