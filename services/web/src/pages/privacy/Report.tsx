// What an erasure did: how many rows of what were deleted, pseudonymised or kept. It names nobody.

import { offer } from "../../api/download";
import type { Erasure } from "../../api/types";
import { Button } from "../../components/controls";
import { Dialog, DialogFoot } from "../../components/dialogs";
import { m } from "../../messages";
import { count, exactInstant } from "../../messages/format";
import page from "../page.module.css";
import css from "./privacy.module.css";

function download(erasure: Erasure): void {
  offer(`erasure-${erasure.id}.json`, new Blob([JSON.stringify(erasure, null, 2)], { type: "application/json" }));
}

export function Report({ erasure }: { erasure: Erasure }) {
  return (
    <>
      <dl className={page.facts}>
        <dt>{m.privacy.erasedAt}</dt>
        <dd className="num">{exactInstant(erasure.erased_at)}</dd>
        <dt>{m.privacy.askedBy}</dt>
        <dd>{m.privacy.askedByNames[erasure.asked_by] ?? erasure.asked_by}</dd>
        <dt>{m.privacy.extent}</dt>
        <dd>{m.privacy.extents[erasure.extent] ?? erasure.extent}</dd>
        <dt>{m.privacy.opaqueId}</dt>
        <dd className={css.id}>{erasure.stands_for}</dd>
      </dl>
      <table className={css.report}>
        <thead>
          <tr>
            <th scope="col">{m.privacy.whatRows}</th>
            <th scope="col">{m.privacy.whatWasDone}</th>
            <th scope="col">{m.privacy.rows}</th>
          </tr>
        </thead>
        <tbody>
          {erasure.report.map((row) => (
            <tr key={`${row.table} ${row.done}`}>
              <td>{row.title || row.table}</td>
              <td>{m.privacy.done[row.done] ?? row.done}</td>
              <td className="num">{count(row.rows)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

export function ReportDialog({ erasure, onClose }: { erasure: Erasure | undefined; onClose: () => void }) {
  return (
    <Dialog title={m.privacy.reportTitle} open={!!erasure} onClose={onClose}>
      {erasure && (
        <>
          <Report erasure={erasure} />
          <DialogFoot>
            <Button onPress={() => download(erasure)}>{m.privacy.download}</Button>
            <Button tone="primary" onPress={onClose} autoFocus>
              {m.common.done}
            </Button>
          </DialogFoot>
        </>
      )}
    </Dialog>
  );
}
