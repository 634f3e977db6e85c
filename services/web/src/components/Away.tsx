// While something is asked again, as Kinora is away for a moment: on every page, at the top.

import { RotateCw } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { nextAsking, onWaiting } from "../api/patience";
import { m } from "../messages";
import css from "./floating.module.css";

const secondsUntil = (at: number) => Math.max(0, Math.ceil((at - Date.now()) / 1000));

/** Counts down. Whoever hears the page is not told each second. */
function Seconds({ at }: { at: number }) {
  const [seconds, setSeconds] = useState(() => secondsUntil(at));
  useEffect(() => {
    setSeconds(secondsUntil(at));
    const timer = setInterval(() => setSeconds(secondsUntil(at)), 250);
    return () => clearInterval(timer);
  }, [at]);
  return (
    <span className="num" aria-hidden>
      {m.errors.awaySeconds(seconds)}
    </span>
  );
}

export function Away() {
  const at = useSyncExternalStore(onWaiting, nextAsking);
  return (
    <div className={css.away} role="status">
      {at !== undefined && (
        <p>
          <RotateCw size={16} aria-hidden />
          <span>
            {m.errors.awayNotice} <Seconds at={at} />
          </span>
        </p>
      )}
    </div>
  );
}
