import { Kbd } from "../components/controls";
import { Dialog } from "../components/dialogs";
import { m } from "../messages";
import css from "./KeyboardMap.module.css";

export function KeyboardMap({ open, onClose }: { open: boolean; onClose: () => void }) {
  const groups = ["everywhere", "library", "player"] as const;
  return (
    <Dialog title={m.keys.title} open={open} onClose={onClose} wide>
      <div className={css.groups}>
        {groups.map((group) => (
          <section key={group} className={css.group}>
            <h3>{m.keys.groups[group]}</h3>
            <ul>
              {m.keys[group].map(([keys, text]) => (
                <li key={text} className={css.row}>
                  <span>{text}</span>
                  <span className={css.keys}>
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
