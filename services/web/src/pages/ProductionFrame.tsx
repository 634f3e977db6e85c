// Around every page of a production: it must be visible, its events are followed, and files dropped
// anywhere are uploaded to its library.

import { useQuery } from "@tanstack/react-query";
import { Outlet, useParams } from "@tanstack/react-router";
import { Ban, FileUp, LifeBuoy } from "lucide-react";
import { useEffect, useState } from "react";
import { productionQuery, sessionQuery, unfinishedUploadsQuery } from "../api/queries";
import type { Production } from "../api/types";
import { Failed } from "../components/states";
import { useProductionEvents } from "../live/events";
import { m } from "../messages";
import { instant } from "../messages/format";
import { filesOf, uploads } from "../uploads/manager";
import { mayEdit } from "./permissions";
import css from "./ProductionFrame.module.css";

export function ProductionFrame() {
  const { productionId } = useParams({ from: "/app/productions/$productionId" });
  const production = useQuery(productionQuery(productionId));
  if (production.isError) return <Failed what={m.parts.production} error={production.error} retry={() => void production.refetch()} />;
  // The page inside draws its own skeleton; without the production it cannot know what is allowed.
  if (!production.data) return <div className={css.frame} aria-busy="true" />;
  return <Inside key={productionId} production={production.data} />;
}

function Inside({ production }: { production: Production }) {
  useProductionEvents(production.id);
  useUnfinishedUploads(production);
  const dragging = useFileDrop(mayEdit(production) ? production : undefined);
  return (
    <div className={css.frame}>
      {production.support && <SupportBanner production={production} />}
      <Outlet />
      {dragging && mayEdit(production) && (
        <div className={css.drop}>
          <FileUp size={32} strokeWidth={1.5} aria-hidden />
          <strong>{m.library.dropTitle(production.name)}</strong>
          <span>{m.library.dropText}</span>
        </div>
      )}
      {dragging && !mayEdit(production) && (
        <div className={`${css.drop} ${css.refused}`}>
          <Ban size={32} strokeWidth={1.5} aria-hidden />
          <strong>{m.library.dropForbidden}</strong>
        </div>
      )}
    </div>
  );
}

/** Says on every page of the production that one is here to help, until when, and that it is written down. */
function SupportBanner({ production: { organisation, support } }: { production: Production }) {
  if (!support) return null;
  return (
    <div className={css.support} role="status">
      <LifeBuoy size={16} aria-hidden />
      <p>
        <strong>{support.ends_at ? m.support.banner(organisation, instant(support.ends_at)) : m.support.title}</strong> {m.support.bannerText}
      </p>
    </div>
  );
}

/** Uploads of one's own that stand still, also those that only the server remembers, come into the activity tray. */
function useUnfinishedUploads(production: Production): void {
  const { data: session } = useQuery(sessionQuery);
  const { data } = useQuery({ ...unfinishedUploadsQuery(production.id), enabled: mayEdit(production) });
  const personId = session?.person.id;
  useEffect(() => {
    if (!data || !personId) return;
    void uploads.restore(personId).then(() => uploads.adopt(production.id, data, personId));
  }, [data, personId, production.id]);
}

function useFileDrop(production: Production | undefined): boolean {
  const [dragging, setDragging] = useState(false);
  useEffect(() => {
    // Elements inside send enter and leave of their own: the depth says whether the window is left.
    let depth = 0;
    const withFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!withFiles(event)) return;
      depth += 1;
      setDragging(true);
    };
    const leave = (event: DragEvent) => {
      if (!withFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setDragging(false);
    };
    const over = (event: DragEvent) => {
      if (!withFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = production ? "copy" : "none";
    };
    const drop = (event: DragEvent) => {
      if (!withFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      depth = 0;
      setDragging(false);
      if (production) void filesOf(event.dataTransfer).then((files) => uploads.add(production.id, files));
    };
    addEventListener("dragenter", enter);
    addEventListener("dragleave", leave);
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, [production]);
  return dragging;
}
