// The provider's metadata: what is there, and how another comes.

import { useQueryClient } from "@tanstack/react-query";
import { FileUp, RefreshCw } from "lucide-react";
import { useId, useRef, useState } from "react";
import { Form } from "react-aria-components";
import { api, ifMatch, unwrap } from "../../../api/client";
import { ProblemError, sentenceOf } from "../../../api/problem";
import type { SignOnConnection } from "../../../api/types";
import { Button, Notice, Segments, TextField } from "../../../components/controls";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";
import { ago, instant } from "../../../messages/format";
import page from "../../page.module.css";
import css from "./signOn.module.css";
import { fingerprintText } from "./steps";

const t = m.signOn;
type Way = "url" | "text";
/** What the server takes in one request. */
const LONGEST_BYTES = 240 * 1024;

interface Part {
  organisationId: string;
  connection: SignOnConnection;
}

export function ProviderMetadata(part: Part) {
  const { connection } = part;
  const [replacing, setReplacing] = useState(false);
  const has = !!connection.provider || !!connection.provider_problem;
  return (
    <>
      {connection.provider_problem && <Notice tone="danger">{connection.provider_problem}</Notice>}
      {has && <Present {...part} replacing={replacing} replace={() => setReplacing(true)} />}
      {(!has || replacing) && <Give {...part} onDone={() => setReplacing(false)} canCancel={has} />}
    </>
  );
}

function Present({ organisationId, connection, replacing, replace }: Part & { replacing: boolean; replace: () => void }) {
  const cache = useQueryClient();
  const [busy, setBusy] = useState(false);
  const { provider } = connection;
  const refresh = async () => {
    setBusy(true);
    try {
      const { fetch_error } = await unwrap(
        api.POST("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/metadata/refresh", { params: { path: { organisation_id: organisationId, connection_id: connection.id } } }),
      );
      say(fetch_error ?? t.refreshed, { danger: !!fetch_error });
      await cache.invalidateQueries({ queryKey: ["sign-on", organisationId] });
    } catch (error) {
      say(sentenceOf(error), { danger: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={`${page.panel} ${css.padded}`}>
      {connection.fetch_error && (
        <Notice tone="warning">
          <strong>{t.notRefreshed(connection.fetch_tried_at ? ago(connection.fetch_tried_at) : "")}</strong>
          <p>{connection.fetch_error}</p>
        </Notice>
      )}
      <dl className={page.facts}>
        {provider && (
          <>
            <dt>{t.provider}</dt>
            <dd>{provider.entity_id}</dd>
            <dt>{t.signInAddress}</dt>
            <dd>{provider.sign_on_redirect ?? provider.sign_on_post}</dd>
            <dt>{t.singleLogout}</dt>
            <dd>{provider.has_logout ? t.offered : t.notOffered}</dd>
            {provider.certificates.map((certificate) => (
              <CertificateFact key={certificate.fingerprint} {...certificate} />
            ))}
          </>
        )}
        <dt>{t.source}</dt>
        <dd>{connection.metadata_url ?? t.pasted}</dd>
        {connection.metadata_url && connection.fetched_at && (
          <>
            <dt>{t.fetched}</dt>
            <dd>{ago(connection.fetched_at)}</dd>
          </>
        )}
        <dt>{t.signature}</dt>
        <dd>{connection.metadata_signer ? t.signedBy(connection.metadata_signer.subject) : t.notSigned}</dd>
      </dl>
      {!replacing && (
        <div className={css.actions}>
          {connection.metadata_url && (
            <Button icon={<RefreshCw size={16} aria-hidden />} busy={busy} onPress={() => void refresh()}>
              {t.fetchAgain}
            </Button>
          )}
          <Button onPress={replace}>{t.replaceMetadata}</Button>
        </div>
      )}
    </div>
  );
}

function CertificateFact({ fingerprint, not_after }: { fingerprint: string; not_after: string }) {
  return (
    <>
      <dt>{t.certificate}</dt>
      <dd>
        {t.until(instant(not_after))}
        <div className={css.mono}>{fingerprintText(fingerprint)}</div>
      </dd>
    </>
  );
}

function Give({ organisationId, connection, onDone, canCancel }: Part & { onDone: () => void; canCancel: boolean }) {
  const cache = useQueryClient();
  const id = useId();
  const file = useRef<HTMLInputElement>(null);
  const [way, setWay] = useState<Way>(connection.metadata_url || !canCancel ? "url" : "text");
  const [url, setUrl] = useState(connection.metadata_url ?? "");
  const [xml, setXml] = useState("");
  const [signer, setSigner] = useState("");
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    setErrors({});
    setFailure(undefined);
    try {
      await unwrap(
        api.PUT("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/metadata", {
          params: { path: { organisation_id: organisationId, connection_id: connection.id }, header: ifMatch(connection.revision) },
          body: { ...(way === "url" ? { url } : { xml }), ...(signer.trim() ? { signer } : {}) },
        }),
      );
      await cache.invalidateQueries({ queryKey: ["sign-on", organisationId] });
      say(t.metadataTaken);
      onDone();
    } catch (error) {
      const fields = error instanceof ProblemError ? error.fields : {};
      setErrors(fields);
      // Fields that are no text fields say it above.
      const shown = way === "url" ? fields.url : undefined;
      if (!shown) setFailure(fields.xml ?? fields.signer ?? sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  const read = async (chosen: File | undefined) => {
    if (!chosen) return;
    if (chosen.size > LONGEST_BYTES) {
      setFailure(t.fileTooLarge);
      return;
    }
    setFailure(undefined);
    setXml(await chosen.text());
    setWay("text");
  };
  const filled = way === "url" ? url.trim() !== "" : xml.trim() !== "";
  return (
    <Form
      className={page.form ?? ""}
      validationErrors={errors}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div className={css.actions}>
        <Segments label={t.metadataWay} value={way} onChange={setWay} options={[{ value: "url", label: t.byAddress }, { value: "text", label: t.byText }]} />
        <Button icon={<FileUp size={16} aria-hidden />} onPress={() => file.current?.click()}>
          {t.chooseFile}
        </Button>
        <input ref={file} className="visually-hidden" tabIndex={-1} aria-hidden type="file" accept=".xml,application/xml,text/xml,application/samlmetadata+xml" onChange={(event) => void read(event.target.files?.[0])} />
      </div>
      {failure && <Notice tone="danger">{failure}</Notice>}
      {way === "url" ? (
        <TextField name="url" type="url" label={t.metadataAddress} hint={t.metadataAddressHint} placeholder="https://login.studio.example/metadata" value={url} onChange={setUrl} maxLength={2000} />
      ) : (
        <div className={css.value}>
          <label htmlFor={`${id}-xml`}>{t.metadataText}</label>
          <textarea id={`${id}-xml`} className={css.text} spellCheck={false} value={xml} onChange={(event) => setXml(event.target.value)} placeholder="<EntityDescriptor …>" />
        </div>
      )}
      <details className={css.more} open={!!connection.metadata_signer}>
        <summary>{t.checkSignature}</summary>
        <div className={css.value}>
          <label htmlFor={`${id}-signer`}>{t.signer}</label>
          <textarea id={`${id}-signer`} className={`${css.text} ${css.short}`} spellCheck={false} value={signer} onChange={(event) => setSigner(event.target.value)} placeholder="-----BEGIN CERTIFICATE-----" />
          <p>{connection.metadata_signer ? t.signerAgain : t.signerHint}</p>
        </div>
      </details>
      <div className={css.actions}>
        <Button type="submit" tone="primary" busy={busy} isDisabled={!filled}>
          {way === "url" ? t.fetch : t.take}
        </Button>
        {canCancel && <Button onPress={onDone}>{m.common.cancel}</Button>}
      </div>
    </Form>
  );
}
